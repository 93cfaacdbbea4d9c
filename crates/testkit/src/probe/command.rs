//! What can be asked of the probe.

use anyport_runtime::Request;
use serde::{Deserialize, Serialize};

/// One thing the probe does. A payload that is no JSON object with a `do` is sent back as it came, with its content type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Command {
    /// Reports the variant, the function's name and version, and the memory it may use.
    Who,
    /// Reports environment variables, `null` where one is not set.
    Env {
        /// Their names.
        names: Vec<String>,
    },
    /// Reports what the runtime says of this call: request id, milliseconds left, the caller's trace, the own span, the idempotency key.
    Context,
    /// Reports how many calls this instance has had, this one included.
    Count,
    /// Returns an error.
    Fail {
        /// Its type.
        kind: String,
        /// Its message.
        message: String,
    },
    /// Prints `MARK ID`, with the id that the runtime gives this call, and returns an error.
    Stumble {
        /// What to print before the id.
        mark: String,
    },
    /// Prints a line and panics.
    Panic {
        /// The line and the panic's message.
        message: String,
    },
    /// Prints a line and exits with code 3.
    Exit {
        /// The line.
        message: String,
    },
    /// Waits, printing `MARK N` every 20 ms if there is a mark.
    Sleep {
        /// For how long, in milliseconds.
        ms: u64,
        /// What to print.
        #[serde(default)]
        mark: String,
    },
    /// Prints lines `TEXT N`.
    Log {
        /// What to print.
        text: String,
        /// How many lines; one unless given.
        #[serde(default = "one")]
        lines: u32,
    },
    /// Streams pieces of a fixed size, each starting with the time in Unix microseconds at which it was made and a line end.
    Stream {
        /// How many pieces.
        pieces: u32,
        /// The size of each in bytes, at least 32.
        size: usize,
        /// A pause before each piece but the first, in milliseconds.
        pause_ms: u64,
    },
    /// Answers with this many bytes.
    Fill {
        /// How many.
        bytes: usize,
    },
    /// Starts a child process that outlives the call, and answers its process id.
    Spawn,
}

const fn one() -> u32 {
    1
}

impl Command {
    /// The command in a payload, if it is one.
    #[must_use]
    pub fn read(request: &Request) -> Option<Self> {
        // Large payloads are for sending back: they are not worth parsing.
        let body = request.body();
        if body.len() > 16 * 1024 {
            return None;
        }
        serde_json::from_slice(body).ok()
    }

    /// The payload that asks for it.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        // Strings and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_survives_its_payload_and_other_payloads_are_none() {
        let sleep = Command::Sleep {
            ms: 5,
            mark: "m".to_owned(),
        };
        assert_eq!(
            Command::read(&Request::new(sleep.to_payload())),
            Some(sleep)
        );
        for other in ["", "{}", "{\"do\":\"fly\"}", "[1]", "text"] {
            assert_eq!(Command::read(&Request::new(other)), None, "{other}");
        }
    }
}
