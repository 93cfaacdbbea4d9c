//! Durations as people write them: `250ms`, `30s`, `5m`, `2h`.

use std::time::Duration;

use anyport_core::error::Violation;

/// A text that is not a whole number with a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a duration is a whole number and a unit, one of ms, s, m, h, d, such as 30s")]
pub struct InvalidDuration;

/// Reads a duration: a whole number directly followed by `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// [`InvalidDuration`] for anything else.
///
/// ```
/// use anyport::manifest::parse_duration;
///
/// assert_eq!(parse_duration("30s").unwrap().as_secs(), 30);
/// assert!(parse_duration("30").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| InvalidDuration)?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(InvalidDuration),
    };
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or(InvalidDuration)
}

/// The same for a field of a spec, with the nearest valid text where one can be guessed.
pub(super) fn field(name: &str, text: &str) -> Result<Duration, Violation> {
    parse_duration(text).map_err(|error| {
        let violation = Violation::new(name, error.to_string()).value(text);
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if digits.is_empty() {
            violation
        } else {
            violation.nearest(format!("{digits}s"))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_what_is_refused() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("30s", 30_000),
            ("5m", 300_000),
            ("6h", 21_600_000),
            ("1d", 86_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "30 s",
            "1h30m",
            "99999999999999999999s",
            "18446744073709551615h",
        ] {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
    }
}
