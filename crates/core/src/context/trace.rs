//! W3C trace context.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

/// A position in a distributed trace, as the W3C `traceparent` header carries it.
///
/// ```
/// use anyport_core::context::TraceContext;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let trace: TraceContext = text.parse()?;
/// assert!(trace.sampled());
/// assert_eq!(trace.to_string(), text);
/// # Ok::<(), anyport_core::context::InvalidTraceparent>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
}

/// A text that is not a `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct InvalidTraceparent;

impl TraceContext {
    /// A position from its parts.
    ///
    /// # Errors
    /// [`InvalidTraceparent`] when an id is all zeros, which the standard reserves.
    pub fn new(
        trace_id: [u8; 16],
        span_id: [u8; 8],
        sampled: bool,
    ) -> Result<Self, InvalidTraceparent> {
        if trace_id == [0; 16] || span_id == [0; 8] {
            return Err(InvalidTraceparent);
        }
        Ok(Self {
            trace_id,
            span_id,
            flags: u8::from(sampled),
        })
    }

    /// The trace's id.
    #[must_use]
    pub const fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The span's id.
    #[must_use]
    pub const fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub const fn sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// A child span of this one.
    ///
    /// # Errors
    /// [`InvalidTraceparent`] when `span_id` is all zeros.
    pub fn child(&self, span_id: [u8; 8]) -> Result<Self, InvalidTraceparent> {
        Self::new(self.trace_id, span_id, self.sampled())
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let mut field = |length: usize| {
            parts
                .next()
                .filter(|part| part.len() == length)
                .and_then(|part| HEXLOWER.decode(part.as_bytes()).ok())
                .ok_or(InvalidTraceparent)
        };
        let version = field(2)?[0];
        let trace_id: [u8; 16] = field(32)?.try_into().map_err(|_| InvalidTraceparent)?;
        let span_id: [u8; 8] = field(16)?.try_into().map_err(|_| InvalidTraceparent)?;
        let flags = field(2)?[0];
        // A later version may append fields; version 00 has none, and ff is forbidden.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return Err(InvalidTraceparent);
        }
        Self::new(trace_id, span_id, flags & 1 == 1)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{}-{}-{:02x}",
            HEXLOWER.encode(&self.trace_id),
            HEXLOWER.encode(&self.span_id),
            self.flags
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_forbids_is_refused() {
        let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for text in [
            "",
            "00",
            &valid.to_uppercase(),
            &valid.replace("00-4bf", "ff-4bf"),
            &valid.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &valid.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &format!("{valid}-more"),
        ] {
            assert_eq!(
                text.parse::<TraceContext>(),
                Err(InvalidTraceparent),
                "{text}"
            );
        }
        let later = format!("{}-more", valid.replace("00-4bf", "01-4bf"));
        assert!(later.parse::<TraceContext>().is_ok());
    }
}
