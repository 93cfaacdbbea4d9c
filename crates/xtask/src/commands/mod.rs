//! One module per command: its arguments and its `run`.

pub(crate) mod check;
pub(crate) mod contract;
pub(crate) mod models;
pub(crate) mod mutants;

/// What ends a command early.
pub(crate) type Failure = Box<dyn std::error::Error>;
