//! What the process says when it ends.

/// Exit codes, the same for every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went as asked.
    Clean = 0,
    /// Something failed; the error says what.
    Error = 1,
    /// `plan` found something to do.
    Pending = 2,
    /// Refused by policy: it is protected, or somebody else's.
    Refused = 3,
    /// Some of it is done and some is not.
    Partial = 4,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
}

/// The same in words, for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    all went as asked
  1    an error, wrong arguments included
  2    `plan` found changes to make
  3    refused by policy: it is protected, or somebody else's
  4    partly applied: run the same command again to finish
  130  stopped by Ctrl-C

Results go to standard output; everything else goes to standard error.";

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
