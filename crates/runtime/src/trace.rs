//! W3C trace context: parsing, writing, and making a child of a span.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::str::FromStr;

/// A position in a trace: which trace, which span, and whether it is sampled.
///
/// Written and read as the W3C `traceparent` header.
///
/// ```
/// use anyport_runtime::TraceContext;
///
/// let caller: TraceContext = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
/// let mine = caller.child();
/// assert_eq!(mine.trace_id(), caller.trace_id());
/// assert_ne!(mine.span_id(), caller.span_id());
/// assert!(mine.is_sampled());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

/// A `traceparent` that the W3C format does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidTraceparent;

impl fmt::Display for InvalidTraceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a traceparent is 00-<32 hex digits>-<16 hex digits>-<2 hex digits>, lower case, neither id all zero",
        )
    }
}

impl std::error::Error for InvalidTraceparent {}

impl TraceContext {
    /// The first span of a new, sampled trace.
    #[must_use]
    pub fn root() -> Self {
        let high = u128::from(random());
        Self {
            trace_id: (high << 64) | u128::from(random()),
            span_id: random(),
            flags: 1,
        }
    }

    /// A new span under this one: same trace, same flags, own span id.
    #[must_use]
    pub fn child(&self) -> Self {
        Self {
            span_id: random(),
            ..*self
        }
    }

    /// The trace's id, 16 bytes; written as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> u128 {
        self.trace_id
    }

    /// The span's id, 8 bytes; written as 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> u64 {
        self.span_id
    }

    /// Whether the caller records this trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// Reads AWS's own trace header: `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=<0|1>`.
    pub(crate) fn from_xray(header: &str) -> Option<Self> {
        let (mut trace_id, mut span_id, mut flags) = (None, None, 0);
        for part in header.split(';') {
            let (key, value) = part.trim().split_once('=')?;
            match key {
                "Root" => {
                    let (version, rest) = value.split_once('-')?;
                    let (seconds, unique) = rest.split_once('-')?;
                    if version != "1" || seconds.len() != 8 || unique.len() != 24 {
                        return None;
                    }
                    trace_id = Some((u128::from(hex(seconds)?) << 96) | hex_wide(unique)?);
                }
                "Parent" if value.len() == 16 => span_id = hex(value),
                "Sampled" => flags = u8::from(value == "1"),
                _ => {}
            }
        }
        let (trace_id, span_id) = (trace_id?, span_id?);
        (trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            flags,
        })
    }
}

impl FromStr for TraceContext {
    type Err = InvalidTraceparent;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or(InvalidTraceparent)
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "00-{:032x}-{:016x}-{:02x}",
            self.trace_id, self.span_id, self.flags
        )
    }
}

fn parse(text: &str) -> Option<TraceContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Version 00 ends here; a later one may add parts, which this reader skips as the format asks.
    if version == "00" && parts.next().is_some() {
        return None;
    }
    if version == "ff" || [version.len(), trace.len(), span.len(), flags.len()] != [2, 32, 16, 2] {
        return None;
    }
    hex(version)?;
    let trace_id = hex_wide(trace)?;
    let span_id = hex(span)?;
    let flags = u8::try_from(hex(flags)?).ok()?;
    (trace_id != 0 && span_id != 0).then_some(TraceContext {
        trace_id,
        span_id,
        flags,
    })
}

fn hex(digits: &str) -> Option<u64> {
    u64::try_from(hex_wide(digits)?).ok()
}

/// Lower-case digits only; `from_str_radix` alone would take a sign and upper case.
fn hex_wide(digits: &str) -> Option<u128> {
    let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    digits
        .bytes()
        .all(lower)
        .then(|| u128::from_str_radix(digits, 16).ok())?
}

/// A number that is not zero and that no other process has: the standard library keys every
/// hasher from the operating system's randomness. Unique, not secret.
pub(crate) fn random() -> u64 {
    loop {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u8(1);
        let number = hasher.finish();
        if number != 0 {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_read_is_written_again() {
        assert_eq!(GOOD.parse::<TraceContext>().unwrap().to_string(), GOOD);
        let later = format!("01{}-extra", &GOOD[2..]);
        assert_eq!(later.parse::<TraceContext>().unwrap().to_string(), GOOD);
    }

    #[test]
    fn what_the_format_forbids_is_refused() {
        for bad in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &format!("{GOOD}-x"),
            &format!("ff{}", &GOOD[2..]),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-011",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(bad.parse::<TraceContext>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_trace_header_of_aws_maps_to_the_same_ids() {
        let trace = TraceContext::from_xray(
            "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0",
        )
        .unwrap();
        assert_eq!(
            trace.to_string(),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        );
        assert_eq!(
            TraceContext::from_xray("Root=1-5759e988-bd862e3fe1be46a994272793"),
            None
        );
        assert_eq!(TraceContext::from_xray("Self=x;Root=2-0-0"), None);
        assert_eq!(TraceContext::from_xray("nonsense"), None);
    }

    #[test]
    fn new_spans_differ() {
        let root = TraceContext::root();
        let spans: std::collections::HashSet<u64> =
            (0..1000).map(|_| root.child().span_id()).collect();
        assert_eq!(spans.len(), 1000);
    }
}
