//! Runs function artifacts as local processes.
