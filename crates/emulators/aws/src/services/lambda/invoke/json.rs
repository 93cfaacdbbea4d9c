//! Whether a payload is JSON, and what Lambda says if it is not.
//!
//! Source of the wording: messages that users of the real one show; those for rarer mistakes are
//! *guessed*.

use serde::de::IgnoredAny;

use crate::answer::ApiError;

/// Lets JSON pass.
///
/// # Errors
/// `InvalidRequestContentException` with the place of the mistake.
pub(super) fn check(payload: &[u8]) -> Result<(), ApiError> {
    let problem = match std::str::from_utf8(payload) {
        Err(error) => not_utf8(payload, error.valid_up_to()),
        Ok(text) => match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => return Ok(()),
            Err(error) => not_json(text, &error),
        },
    };
    Err(ApiError::new(
        "InvalidRequestContentException",
        format!(
            "Could not parse request body into json: Could not parse payload into json: {problem}"
        ),
    )
    .with("Type", "User"))
}

const EXPECTED: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

fn located(problem: &str, line: usize, column: usize) -> String {
    format!(
        "{problem}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
    )
}

fn not_utf8(payload: &[u8], at: usize) -> String {
    let before = &payload[..at];
    let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
    let start = before
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    let byte = payload[at];
    if before.iter().all(u8::is_ascii_whitespace) {
        let problem = format!(
            "Unexpected character ((CTRL-CHAR, code {byte})): expected a valid value {EXPECTED}"
        );
        return located(&problem, line, at - start + 1);
    }
    let problem = format!("Invalid UTF-8 start byte 0x{byte:02x}");
    located(&problem, line, at - start + 2)
}

fn not_json(text: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column().max(1));
    if error.is_eof() {
        let problem = if text.trim().is_empty() {
            "No content to map due to end-of-input"
        } else {
            "Unexpected end-of-input"
        };
        return located(problem, line.max(1), column);
    }
    let offset = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum::<usize>()
        + column
        - 1;
    let rest = text.get(offset..).unwrap_or_default();
    let Some(found) = rest.chars().next() else {
        return located("Unexpected end-of-input", line, column);
    };
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    // A word that is none of the three is named whole, wherever in it the mistake was seen.
    let before = text.get(..offset).unwrap_or_default();
    let word_starts = before.rfind(|c| !letter(c)).map_or(0, |at| {
        at + before[at..].chars().next().map_or(1, char::len_utf8)
    });
    let word: String = text[word_starts..]
        .chars()
        .take_while(|&c| letter(c))
        .collect();
    let in_key = error.to_string().starts_with("key must be a string");
    if in_key {
        let problem = format!(
            "Unexpected character ('{found}' (code {})): was expecting double-quote to start field name",
            found as u32
        );
        return located(&problem, line, column + 1);
    }
    if word.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$') {
        let problem = format!("Unrecognized token '{word}': was expecting {EXPECTED}");
        let column = column + word.len() - (offset - word_starts);
        return located(&problem, line, column);
    }
    let shown = if found.is_control() {
        "(CTRL-CHAR".to_owned()
    } else {
        format!("'{found}' (")
    };
    let code = found as u32;
    let problem = if found.is_control() {
        format!("Unexpected character ({shown}, code {code})): expected a valid value {EXPECTED}")
    } else {
        format!("Unexpected character ({shown}code {code})): expected a valid value {EXPECTED}")
    };
    located(&problem, line, column + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(payload: &[u8]) -> String {
        let error = check(payload).unwrap_err();
        let rest = error.message.strip_prefix(
            "Could not parse request body into json: Could not parse payload into json: ",
        );
        rest.unwrap().to_owned()
    }

    #[test]
    fn json_passes() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        for good in ["{}", "null", " 1 ", "\"é\"", "[1,{\"a\":[]}]", &deep] {
            assert!(check(good.as_bytes()).is_ok(), "{good}");
        }
    }

    #[test]
    fn mistakes_are_named_as_the_real_one_names_them() {
        let unknown = message(b"badbod");
        assert!(unknown.starts_with("Unrecognized token 'badbod': was expecting (JSON String"));
        assert!(unknown.ends_with("line: 1, column: 7]"), "{unknown}");
        let hello = message(b"Hello World");
        assert!(hello.starts_with("Unrecognized token 'Hello'"), "{hello}");
        let quote = message(b"'test'");
        assert!(quote.starts_with("Unexpected character (''' (code 39)): expected a valid value"));
        assert!(quote.ends_with("line: 1, column: 2]"), "{quote}");
        let key = message(b"{c:1}");
        assert!(
            key.starts_with("Unexpected character ('c' (code 99)): was expecting double-quote")
        );
        let start = message(b"n\x87r");
        assert!(start.starts_with("Invalid UTF-8 start byte 0x87"));
        assert!(start.ends_with("line: 1, column: 3]"), "{start}");
        let control = message(b"\x99\xeb");
        assert!(control.starts_with("Unexpected character ((CTRL-CHAR, code 153)): expected"));
        assert!(control.ends_with("line: 1, column: 1]"), "{control}");
        assert!(message(b"{\"a\":").starts_with("Unexpected end-of-input"));
    }

    #[test]
    fn garbage_is_refused_and_nothing_breaks() {
        for seed in 0..2000_u32 {
            let bytes: Vec<u8> = (0..seed % 17)
                .map(|n| (seed.wrapping_mul(2_654_435_761).rotate_left(n * 3)) as u8)
                .collect();
            let _ = check(&bytes);
        }
    }
}
