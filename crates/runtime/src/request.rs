//! What a handler is given.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use serde::de::DeserializeOwned;

use crate::Error;

/// One call: the payload, whole and in memory, and its content type.
///
/// The payload arrives collected, up to the function's limit (32 MiB unless
/// [`Runtime::max_payload`](crate::Runtime::max_payload) says otherwise), because that is what every
/// function platform hands over; cloning it is cheap and copies nothing.
#[derive(Clone)]
pub struct Request {
    body: Bytes,
    content_type: Option<HeaderValue>,
}

impl Request {
    /// A request with this payload, as a test of a handler needs one.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            content_type: None,
        }
    }

    /// The same with a content type; one that can't be a header value counts as none.
    #[must_use]
    pub fn with_content_type(mut self, content_type: &str) -> Self {
        self.content_type = HeaderValue::from_str(content_type).ok();
        self
    }

    pub(crate) fn from_parts(body: Bytes, content_type: Option<HeaderValue>) -> Self {
        Self { body, content_type }
    }

    /// The payload's bytes.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The payload's bytes, taken out.
    #[must_use]
    pub fn into_body(self) -> Bytes {
        self.body
    }

    /// The payload's content type as the caller named it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_ref()?.to_str().ok()
    }

    /// The payload as text.
    ///
    /// # Errors
    /// A handled error of type `InvalidInput` if it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(&self.body).map_err(|error| {
            Error::new(
                "InvalidInput",
                format!(
                    "the payload is not UTF-8 from byte {} on",
                    error.valid_up_to()
                ),
            )
        })
    }

    /// The payload read as JSON.
    ///
    /// # Errors
    /// A handled error of type `InvalidInput` that says where the payload is not JSON, or not the
    /// JSON asked for. It never repeats the payload.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::new("InvalidInput", describe(&error)))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("content_type", &self.content_type())
            .field("bytes", &self.body.len())
            .finish()
    }
}

/// Where the payload is wrong and how, without quoting it: most of the parser's own texts do.
fn describe(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => "the payload ends before its JSON does".to_owned(),
        Category::Data => {
            let text = error.to_string();
            match text.strip_prefix("missing field ") {
                Some(rest) => {
                    let field = rest.split(" at line").next().unwrap_or(rest);
                    format!("the payload lacks the field {field}")
                }
                None => format!(
                    "the payload is JSON of another shape than expected at line {line}, column {column}"
                ),
            }
        }
        Category::Syntax | Category::Io => {
            format!("the payload is not JSON at line {line}, column {column}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    struct Input {
        #[serde(rename = "amount")]
        _amount: u32,
    }

    #[test]
    fn bad_json_is_described_and_never_quoted() {
        for (payload, says) in [
            ("", "ends before"),
            ("{\"amount\":", "ends before"),
            ("{}", "lacks the field `amount`"),
            (
                "{\"amount\":\"4111-secret\"}",
                "another shape than expected at line 1, column 23",
            ),
            ("secret", "not JSON at line 1"),
        ] {
            let error = Request::new(payload).json::<Input>().unwrap_err();
            assert_eq!(error.error_type(), "InvalidInput");
            assert!(error.message().contains(says), "{payload}: {error}");
            assert!(!error.message().contains("secret"), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_payload() {
        let request = Request::new("secret").with_content_type("text/plain");
        assert_eq!(
            format!("{request:?}"),
            "Request { content_type: Some(\"text/plain\"), bytes: 6 }"
        );
        assert_eq!(
            Request::new(vec![b'a', 0xff]).text().unwrap_err().message(),
            "the payload is not UTF-8 from byte 1 on"
        );
    }
}
