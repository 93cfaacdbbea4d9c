//! One table from what AWS answers to the contract's kinds.

/// How this adapter names itself on errors.
pub(crate) const PROVIDER: &str = "lambda";
