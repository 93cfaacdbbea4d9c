//! Promises of the function side that a probe can break on purpose, to prove that the suite notices.

/// The file beside the probe that names the promise it breaks.
pub const FAULT_FILE: &str = "probe-fault";

/// A broken promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Fault {
    /// Sends back one byte too many.
    WrongBytes,
    /// Sends back another content type.
    WrongType,
    /// Calls a panic an error it returned.
    TamesPanics,
    /// Says nothing before it crashes.
    DiesSilently,
    /// Knows no deadline.
    IgnoresDeadline,
    /// Knows no trace.
    DropsTrace,
    /// Knows no idempotency key.
    DropsKey,
    /// Makes the whole answer before it sends the first piece.
    HoldsStream,
    /// Sees an environment without the variables it was given.
    LosesEnvironment,
    /// Takes every call for another one: reports an id of its own making.
    RenamesCalls,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 10] = [
        Self::WrongBytes,
        Self::WrongType,
        Self::TamesPanics,
        Self::DiesSilently,
        Self::IgnoresDeadline,
        Self::DropsTrace,
        Self::DropsKey,
        Self::HoldsStream,
        Self::LosesEnvironment,
        Self::RenamesCalls,
    ];

    /// Its name in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongBytes => "wrong-bytes",
            Self::WrongType => "wrong-type",
            Self::TamesPanics => "tames-panics",
            Self::DiesSilently => "dies-silently",
            Self::IgnoresDeadline => "ignores-deadline",
            Self::DropsTrace => "drops-trace",
            Self::DropsKey => "drops-key",
            Self::HoldsStream => "holds-stream",
            Self::LosesEnvironment => "loses-environment",
            Self::RenamesCalls => "renames-calls",
        }
    }

    /// The fault of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    pub(super) fn beside_this_program() -> Option<Self> {
        let program = std::env::current_exe().ok()?;
        let name = std::fs::read_to_string(program.with_file_name(FAULT_FILE)).ok()?;
        Self::from_name(name.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name() {
        for fault in Fault::ALL {
            assert_eq!(Fault::from_name(fault.name()), Some(fault));
        }
        assert_eq!(Fault::from_name("none"), None);
    }
}
