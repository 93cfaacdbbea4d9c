//! What a handler returns when it can't answer.

use std::borrow::Cow;
use std::fmt;

/// Longest error type that is reported, in bytes; longer ones are cut.
const MAX_TYPE: usize = 256;
/// Longest error message that is reported, in bytes; longer ones are cut.
const MAX_MESSAGE: usize = 32 * 1024;

/// A failure as the caller of the function sees it: a stable type to act on and a message to read.
///
/// Both are sent to the caller, so neither may hold a secret. Any `std::error::Error` turns into one
/// with `?`; its type is then the name of the Rust type and its message the whole chain of causes.
///
/// ```
/// use anyport_runtime::Error;
///
/// fn parse(text: &str) -> Result<u32, Error> {
///     if text.is_empty() {
///         return Err(Error::new("EmptyInput", "the amount is empty"));
///     }
///     Ok(text.parse()?)
/// }
///
/// assert_eq!(parse("").unwrap_err().error_type(), "EmptyInput");
/// assert_eq!(parse("x").unwrap_err().error_type(), "ParseIntError");
/// ```
pub struct Error {
    error_type: Cow<'static, str>,
    message: Cow<'static, str>,
    fault: Fault,
}

/// Who is to blame, which decides how a platform reports the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The handler said so.
    Handled,
    /// The handler broke: a panic.
    Unhandled,
    /// The deadline passed and the runtime stopped the handler.
    Timeout,
    /// The caller sent more than the function takes.
    TooLarge,
}

impl Error {
    /// An error of the given type (a stable name such as `"CardDeclined"`, at most 256 bytes) and message (at most 32 KiB; longer ones are cut).
    #[must_use]
    pub fn new(
        error_type: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with_fault(Fault::Handled, error_type.into(), message.into())
    }

    /// The stable name of the failure.
    #[must_use]
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// What went wrong, for a reader.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    pub(crate) fn panicked(message: String) -> Self {
        Self::with_fault(Fault::Unhandled, "Runtime.Panic".into(), message.into())
    }

    pub(crate) fn unhandled(
        error_type: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with_fault(Fault::Unhandled, error_type.into(), message.into())
    }

    pub(crate) fn timeout() -> Self {
        Self::with_fault(
            Fault::Timeout,
            "Runtime.Timeout".into(),
            "the handler was stopped because the deadline of the request passed".into(),
        )
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::with_fault(
            Fault::TooLarge,
            "Runtime.PayloadTooLarge".into(),
            format!("the payload is larger than the {limit} bytes this function takes").into(),
        )
    }

    /// The same with a message of at most this many bytes.
    pub(crate) fn shortened(mut self, limit: usize) -> Self {
        self.message = cut(self.message, limit);
        self
    }

    /// The report that every protocol carries: `{"errorType", "errorMessage", "stackTrace": []}`.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Report<'a> {
            error_type: &'a str,
            error_message: &'a str,
            stack_trace: [&'a str; 0],
        }
        let report = Report {
            error_type: &self.error_type,
            error_message: &self.message,
            stack_trace: [],
        };
        // Two strings and an empty list always serialise.
        serde_json::to_vec(&report).unwrap_or_default()
    }

    /// The type as `category.reason`, of characters that fit a header: `Function.*` for what the handler reported, `Runtime.*` for what broke it.
    pub(crate) fn header_type(&self) -> String {
        let prefix = if self.fault == Fault::Handled {
            "Function."
        } else {
            ""
        };
        let mut text = String::with_capacity(prefix.len() + self.error_type.len());
        text.push_str(prefix);
        text.extend(
            self.error_type
                .chars()
                .map(|c| if c.is_ascii_graphic() { c } else { '_' }),
        );
        text
    }

    fn with_fault(fault: Fault, error_type: Cow<'static, str>, message: Cow<'static, str>) -> Self {
        let error_type = if error_type.is_empty() {
            "Error".into()
        } else {
            error_type
        };
        Self {
            error_type: cut(error_type, MAX_TYPE),
            message: cut(message, MAX_MESSAGE),
            fault,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("type", &self.error_type)
            .field("message", &self.message)
            .finish()
    }
}

/// `Error` is no `std::error::Error` itself: only so can every one of those turn into it with `?`.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            // Some errors print their source themselves.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            source = cause.source();
        }
        Self::new(short_name(std::any::type_name::<E>()), message)
    }
}

/// `Foo` of `a::b::Foo<c::Bar>`.
fn short_name(full: &'static str) -> &'static str {
    let bare = full.split('<').next().unwrap_or(full);
    bare.rsplit("::").next().unwrap_or(bare)
}

fn cut(text: Cow<'static, str>, limit: usize) -> Cow<'static, str> {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit)
        .rev()
        .find(|i| text.is_char_boundary(*i))
        .unwrap_or(0);
    Cow::Owned(text[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("amount not readable")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_std_error_keeps_its_name_and_its_causes() {
        let cause = "x".parse::<u8>().unwrap_err();
        let error = Error::from(Outer(cause));
        assert_eq!(error.error_type(), "Outer");
        assert_eq!(
            error.message(),
            "amount not readable: invalid digit found in string"
        );
        assert_eq!(error.header_type(), "Function.Outer");
    }

    #[test]
    fn the_report_is_what_every_platform_reads() {
        let json: serde_json::Value =
            serde_json::from_slice(&Error::new("A\"b", "c\nd").to_json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"errorType": "A\"b", "errorMessage": "c\nd", "stackTrace": []})
        );
    }

    #[test]
    fn long_and_odd_texts_are_made_safe() {
        let error = Error::new("a b\r\nc\u{e9}", "\u{e9}".repeat(MAX_MESSAGE));
        assert_eq!(error.header_type(), "Function.a_b__c_");
        assert!(error.message().len() <= MAX_MESSAGE);
        assert_eq!(Error::new("", "m").error_type(), "Error");
    }
}
