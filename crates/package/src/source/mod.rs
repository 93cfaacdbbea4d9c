//! What goes into an artifact: a folder's files, or what cargo builds.

pub(crate) mod cargo;
mod ignore;
pub(crate) mod walk;
