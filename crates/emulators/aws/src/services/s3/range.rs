//! Byte ranges.
//!
//! Source: RFC 9110, section 14; S3 API reference, `GetObject`: several ranges at once are not given.

use super::error;
use crate::answer::ApiError;

/// Bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: u64,
}

impl Span {
    /// All bytes.
    pub(super) fn all(size: u64) -> Self {
        Self {
            offset: 0,
            length: size,
        }
    }

    /// The value of `Content-Range`.
    pub(super) fn header(self, size: u64) -> String {
        let last = (self.offset + self.length).saturating_sub(1);
        format!("bytes {}-{last}/{size}", self.offset)
    }
}

/// Reads a `Range` header. `None` for one that asks for everything, as one that can't be read does.
///
/// # Errors
/// `InvalidRange`, for one that has none of the bytes.
pub(super) fn read(header: &str, size: u64) -> Result<Option<Span>, ApiError> {
    let Some((first, last)) = header
        .trim()
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .map(|(first, last)| (first.trim(), last.trim()))
    else {
        return Ok(None);
    };
    let unsatisfiable = || error::invalid_range(header, size);
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (first, number(first), number(last)) {
        ("", _, Some(suffix)) => {
            let length = suffix.min(size);
            if length == 0 {
                return Err(unsatisfiable());
            }
            Ok(Some(Span {
                offset: size - length,
                length,
            }))
        }
        (_, Some(offset), end) => {
            let end = match (last, end) {
                ("", _) => u64::MAX,
                (_, Some(end)) if end >= offset => end,
                _ => return Ok(None),
            };
            if offset >= size {
                return Err(unsatisfiable());
            }
            let end = end.min(size - 1);
            Ok(Some(Span {
                offset,
                length: end - offset + 1,
            }))
        }
        _ => Ok(None),
    }
}

/// Reads the range of the source of a part: both ends are said, and within the source.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn of_copy(header: &str, size: u64) -> Result<Span, ApiError> {
    let span = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
        .and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)))
        .filter(|(first, last)| first <= last)
        .ok_or_else(|| {
            error::invalid_argument(
                "x-amz-copy-source-range",
                header,
                "The x-amz-copy-source-range value must be of the form bytes=first-last where first and \
                 last are the zero-based offsets of the first and last bytes to copy",
            )
        })?;
    if span.1 >= size {
        return Err(error::invalid_argument(
            "x-amz-copy-source-range",
            header,
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    Ok(Span {
        offset: span.0,
        length: span.1 - span.0 + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(header: &str, size: u64) -> Option<(u64, u64)> {
        read(header, size)
            .unwrap()
            .map(|span| (span.offset, span.length))
    }

    #[test]
    fn ranges_are_cut_to_the_object() {
        assert_eq!(span("bytes=0-4", 10), Some((0, 5)));
        assert_eq!(span("bytes=5-", 10), Some((5, 5)));
        assert_eq!(span("bytes=5-99", 10), Some((5, 5)));
        assert_eq!(span("bytes=-3", 10), Some((7, 3)));
        assert_eq!(span("bytes=-99", 10), Some((0, 10)));
        assert_eq!(
            read("bytes=0-4", 10).unwrap().unwrap().header(10),
            "bytes 0-4/10"
        );
    }

    #[test]
    fn what_is_no_range_asks_for_everything() {
        for header in [
            "",
            "bytes=",
            "bytes=-",
            "bytes=5-4",
            "lines=1-2",
            "bytes=a-b",
            "bytes=0-1,3-4",
        ] {
            assert_eq!(span(header, 10), None, "{header}");
        }
    }

    #[test]
    fn ranges_without_bytes_are_refused() {
        for (header, size) in [
            ("bytes=10-", 10),
            ("bytes=-0", 10),
            ("bytes=0-0", 0),
            ("bytes=-1", 0),
        ] {
            assert_eq!(
                read(header, size).unwrap_err().code,
                "InvalidRange",
                "{header}"
            );
        }
    }

    #[test]
    fn copied_ranges_must_be_within_the_source() {
        assert_eq!(
            of_copy("bytes=2-4", 5).unwrap(),
            Span {
                offset: 2,
                length: 3
            }
        );
        for header in ["bytes=2-5", "bytes=4-2", "bytes=2-", "2-4"] {
            assert_eq!(
                of_copy(header, 5).unwrap_err().code,
                "InvalidArgument",
                "{header}"
            );
        }
    }
}
