//! The canonical form of a request: what both sides must write the same way before signing it.
//!
//! Source: the vendor's guide to signature version 4, and its notes on S3 (the path is encoded once and never
//! normalised; everywhere else it is normalised, and encoded a second time).

use http::HeaderMap;

use super::fault::Problem;

/// How a service canonicalises the path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathForm {
    /// As S3: decoded and encoded once, `..` and empty segments kept.
    Once,
    /// As all others: dot and empty segments removed, then what came over the wire encoded again.
    Twice,
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Appends `byte` percent-encoded, unless it is unreserved or listed in `safe`.
fn push_encoded(out: &mut String, byte: u8, safe: &[u8]) {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || safe.contains(&byte) {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.push(char::from(HEX[usize::from(byte >> 4)]));
        out.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// Undoes percent-encoding; a `%` that starts no escape stands for itself.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits make one byte.
                out.push((high << 4 | low) as u8);
                at += 3;
                continue;
            }
            (b'+', ..) if plus_is_space => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    out
}

/// Appends the canonical path.
pub(crate) fn push_path(out: &mut String, path: &str, form: PathForm) {
    match form {
        PathForm::Once => {
            let path = if path.is_empty() { "/" } else { path };
            for byte in percent_decode(path, false) {
                push_encoded(out, byte, b"/");
            }
        }
        PathForm::Twice if is_normal(path) => {
            for byte in path.bytes() {
                push_encoded(out, byte, b"/");
            }
        }
        PathForm::Twice => {
            let mut kept: Vec<&str> = Vec::new();
            for segment in path.split('/') {
                match segment {
                    "" | "." => {}
                    ".." => {
                        kept.pop();
                    }
                    _ => kept.push(segment),
                }
            }
            for segment in &kept {
                out.push('/');
                for byte in segment.bytes() {
                    push_encoded(out, byte, b"");
                }
            }
            let ends_open = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
            if kept.is_empty() || ends_open {
                out.push('/');
            }
        }
    }
}

/// Whether normalising would change nothing, as is the case for nearly every request.
fn is_normal(path: &str) -> bool {
    path.starts_with('/') && !path.contains("//") && !path.contains("/.")
}

/// Appends the canonical query string of the raw `query`, without the signature that a presigned one carries.
pub(crate) fn push_query(out: &mut String, query: &str) {
    if query.is_empty() {
        return;
    }
    let encoded = |text: &str| {
        let mut out = String::with_capacity(text.len());
        for byte in percent_decode(text, true) {
            push_encoded(&mut out, byte, b"");
        }
        out
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(name), encoded(value))
        })
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
}

/// Appends the canonical headers named in `signed`, a list split by semicolons.
///
/// # Errors
/// A header in the list that the request does not carry, or whose value is not text.
pub(crate) fn push_headers(
    out: &mut String,
    headers: &HeaderMap,
    signed: &str,
) -> Result<(), Problem> {
    for name in signed.split(';') {
        out.push_str(name);
        out.push(':');
        let mut values = 0;
        for value in headers.get_all(name) {
            if values > 0 {
                out.push(',');
            }
            values += 1;
            // Header bytes beyond ASCII are signed as the bytes they are; only UTF-8 can agree.
            let value = std::str::from_utf8(value.as_bytes()).map_err(|_| Problem::Garbled)?;
            let mut words = value
                .split([' ', '\t', '\n', '\r'])
                .filter(|w| !w.is_empty());
            if let Some(first) = words.next() {
                out.push_str(first);
            }
            for word in words {
                out.push(' ');
                out.push_str(word);
            }
        }
        if values == 0 {
            return Err(Problem::SignedHeaderMissing {
                name: name.to_owned(),
            });
        }
        out.push('\n');
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str, form: PathForm) -> String {
        let mut out = String::new();
        push_path(&mut out, text, form);
        out
    }

    #[test]
    fn services_other_than_s3_normalise_and_encode_again() {
        for (given, expected) in [
            ("", "/"),
            ("/", "/"),
            ("/example/..", "/"),
            ("/./", "/"),
            ("/./example", "/example"),
            ("//example//", "/example/"),
            ("/a/b/../c", "/a/c"),
            (
                "/functions/arn%3Aaws%3Alambda",
                "/functions/arn%253Aaws%253Alambda",
            ),
            ("/functions/$LATEST:x", "/functions/%24LATEST%3Ax"),
            ("/example%20space/", "/example%2520space/"),
        ] {
            assert_eq!(path(given, PathForm::Twice), expected, "{given}");
        }
    }

    #[test]
    fn s3_keeps_every_segment_and_encodes_once() {
        for (given, expected) in [
            ("", "/"),
            ("/b//a/../k%20ey", "/b//a/../k%20ey"),
            ("/b/a+b(c)", "/b/a%2Bb%28c%29"),
            ("/b/100%", "/b/100%25"),
            ("/b/%e1%88%b4", "/b/%E1%88%B4"),
        ] {
            assert_eq!(path(given, PathForm::Once), expected, "{given}");
        }
    }

    #[test]
    fn query_is_sorted_by_encoded_name_then_value() {
        let mut out = String::new();
        push_query(
            &mut out,
            "uploads&b=2&a=x+y&a=%7E&A=1&X-Amz-Signature=ff&c=d=e&&%C3%A9",
        );
        assert_eq!(out, "%C3%A9=&A=1&a=x%20y&a=~&b=2&c=d%3De&uploads=");
    }

    #[test]
    fn header_values_are_trimmed_folded_and_joined() {
        let mut headers = HeaderMap::new();
        headers.append("my-header1", "  a   b c ".parse().unwrap());
        headers.append("my-header1", "v2".parse().unwrap());
        headers.append("empty", "".parse().unwrap());
        let mut out = String::new();
        assert!(push_headers(&mut out, &headers, "empty;my-header1").is_ok());
        assert_eq!(out, "empty:\nmy-header1:a b c,v2\n");
        assert!(push_headers(&mut out, &headers, "host").is_err());
    }
}
