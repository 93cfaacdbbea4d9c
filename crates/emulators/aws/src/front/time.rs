//! Times as the protocols write them.

use jiff::Timestamp;
use serde_json::Value;

use crate::model::TimeFormat;

/// Writes a time that a service gave: a number of seconds since 1970, or RFC 3339 text. `millis` adds
/// milliseconds where the format has room for them. `None` for what is no time.
pub(crate) fn write(value: &Value, format: TimeFormat, millis: bool) -> Option<Value> {
    let time = read(value)?;
    Some(match format {
        TimeFormat::Unix => {
            let millis = time.as_millisecond();
            if millis % 1000 == 0 {
                Value::from(millis / 1000)
            } else {
                #[allow(clippy::cast_precision_loss)]
                Value::from(millis as f64 / 1000.0)
            }
        }
        TimeFormat::Iso8601 if millis => {
            Value::from(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
        }
        TimeFormat::Iso8601 => Value::from(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        TimeFormat::Rfc822 => Value::from(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()),
    })
}

fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(number) => from_seconds(number.as_f64()?),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn from_seconds(seconds: f64) -> Option<Timestamp> {
    let millis = (seconds * 1000.0).round();
    // Far inside of what a timestamp holds, so that the cast is exact.
    if !(-1e14..=1e14).contains(&millis) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)]
    Timestamp::from_millisecond(millis as i64).ok()
}

/// Reads a time that a client sent, in any of the formats: seconds since 1970.
pub(crate) fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let time = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| {
            let zoned = jiff::fmt::rfc2822::parse(text).ok()?;
            Some(zoned.timestamp())
        })
        .or_else(|| from_seconds(text.parse().ok()?))?;
    #[allow(clippy::cast_precision_loss)]
    Some(time.as_millisecond() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_time_is_written_in_each_format() {
        let time = json!(1_795_433_271.25);
        let write = |format, millis| write(&time, format, millis).unwrap();
        assert_eq!(write(TimeFormat::Unix, false), json!(1_795_433_271.25));
        assert_eq!(write(TimeFormat::Iso8601, false), "2026-11-23T11:27:51Z");
        assert_eq!(write(TimeFormat::Iso8601, true), "2026-11-23T11:27:51.250Z");
        assert_eq!(
            write(TimeFormat::Rfc822, false),
            "Mon, 23 Nov 2026 11:27:51 GMT"
        );
    }

    #[test]
    fn a_time_is_read_in_each_format() {
        for text in [
            "Mon, 23 Nov 2026 11:27:51 GMT",
            "2026-11-23T11:27:51Z",
            "1795433271",
            "2026-11-23T12:27:51+01:00",
        ] {
            assert_eq!(parse(text), Some(1_795_433_271.0), "{text}");
        }
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse("1e300"), None);
    }
}
