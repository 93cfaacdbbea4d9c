//! Receipt handles: what a receiver proves with that it received a message, and which time.

use data_encoding::BASE64;

/// What a handle says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handle {
    /// The message's place in its queue.
    pub(super) at: u64,
    /// Its id.
    pub(super) id: String,
    /// How often it had been received by then.
    pub(super) received: u64,
}

impl Handle {
    /// The text that clients hand back.
    pub(super) fn write(&self, queue: &str) -> String {
        let text = format!("{} {} {} {queue}", self.at, self.id, self.received);
        BASE64.encode(text.as_bytes())
    }

    /// Reads a handle of this queue.
    pub(super) fn read(text: &str, queue: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok()?;
        let mut parts = text.splitn(4, ' ');
        let handle = Self {
            at: parts.next()?.parse().ok()?,
            id: parts.next()?.to_owned(),
            received: parts.next()?.parse().ok()?,
        };
        (parts.next() == Some(queue)).then_some(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_come_back_to_their_queue_alone() {
        let handle = Handle {
            at: 3,
            id: "id".to_owned(),
            received: 2,
        };
        let text = handle.write("arn:q");
        assert_eq!(Handle::read(&text, "arn:q"), Some(handle));
        assert_eq!(Handle::read(&text, "arn:other"), None);
        for bad in ["", "x", "AAAA", &text[4..]] {
            assert_eq!(Handle::read(bad, "arn:q"), None);
        }
    }
}
