//! The two date forms a signed request may carry, and the one in its scope.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads `20261123T101500Z`, the basic form of ISO 8601, as seconds since 1970.
pub(crate) fn parse_basic(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0i16, |sum, digit| match digit {
                b'0'..=b'9' => Some(sum * 10 + i16::from(digit - b'0')),
                _ => None,
            })
    };
    let small = |from: usize| number(from, from + 2).and_then(|n| i8::try_from(n).ok());
    let moment = DateTime::new(
        number(0, 4)?,
        small(4)?,
        small(6)?,
        small(9)?,
        small(11)?,
        small(13)?,
        0,
    )
    .ok()?;
    Some(TimeZone::UTC.to_timestamp(moment).ok()?.as_second())
}

/// Reads a `Date` header: `Mon, 23 Nov 2026 10:15:00 GMT`.
pub(crate) fn parse_http(text: &str) -> Option<i64> {
    let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
    Some(moment.ok()?.as_second())
}

/// Writes the basic form of ISO 8601.
pub(crate) fn basic(seconds: i64) -> String {
    written(seconds, "%Y%m%dT%H%M%SZ")
}

/// Writes the extended form of ISO 8601, as S3 does in its errors.
pub(crate) fn extended(seconds: i64) -> String {
    written(seconds, "%Y-%m-%dT%H:%M:%SZ")
}

fn written(seconds: i64, format: &str) -> String {
    let moment = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_dates_are_read_and_written_back() {
        let seconds = parse_basic("20150830T123600Z").unwrap();
        assert_eq!(seconds, 1_440_938_160);
        assert_eq!(basic(seconds), "20150830T123600Z");
        assert_eq!(extended(seconds), "2015-08-30T12:36:00Z");
        assert_eq!(parse_http("Sun, 30 Aug 2015 12:36:00 GMT"), Some(seconds));
    }

    #[test]
    fn what_is_no_basic_date_is_refused() {
        for text in [
            "",
            "2015-08-30T12:36Z",
            "20150830T123600",
            "20151330T123600Z",
            "20150830T12360aZ",
            "20150230T123600Z",
            "é0150830T12360Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
    }
}
