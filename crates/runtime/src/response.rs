//! What a handler answers with.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;
use serde::Serialize;

use crate::body::{Body, Chunks, Sink, Written};
use crate::{Error, body};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const BINARY: HeaderValue = HeaderValue::from_static("application/octet-stream");
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer: bytes or a stream of bytes, and their content type.
///
/// Strings, byte vectors, [`Bytes`], `()` and [`serde_json::Value`] turn into one, so a handler can
/// return any of these as it is.
pub struct Response {
    body: Body,
    content_type: Option<HeaderValue>,
}

impl Response {
    /// An answer with this body and no content type.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self {
            body: Body::Whole(body.into()),
            content_type: None,
        }
    }

    /// Any serialisable value as JSON.
    ///
    /// # Errors
    /// A handled error of type `InvalidOutput` where the value has no JSON form (a map whose keys are no strings, say).
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let body = serde_json::to_vec(value)
            .map_err(|_| Error::new("InvalidOutput", "the answer can't be written as JSON"))?;
        Ok(Self {
            body: Body::Whole(body.into()),
            content_type: Some(JSON),
        })
    }

    /// The same with another content type; one that can't be a header value counts as none.
    #[must_use]
    pub fn with_content_type(mut self, content_type: &str) -> Self {
        self.content_type = HeaderValue::from_str(content_type).ok();
        self
    }

    /// An answer whose chunks are sent as they come. An error after the first chunk is reported
    /// in-band: trailers on the Lambda Runtime API, an aborted body over HTTP.
    #[must_use]
    pub fn stream<S, B>(content_type: &str, chunks: S) -> Self
    where
        S: Stream<Item = Result<B, Error>> + Send + 'static,
        B: Into<Bytes> + 'static,
    {
        Self {
            body: Body::Stream(Chunks::new(Box::pin(body::IntoBytes::new(chunks)))),
            content_type: None,
        }
        .with_content_type(content_type)
    }

    /// A streamed answer that is written by a piece of async code. It runs as the answer is read,
    /// so a slow reader slows it, and it is dropped when the reader goes away.
    ///
    /// ```
    /// # use anyport_runtime::Response;
    /// let countdown = Response::streaming("text/plain", |mut out| async move {
    ///     for n in (0..3).rev() {
    ///         out.send(format!("{n}\n")).await;
    ///     }
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn streaming<W, Fut>(content_type: &str, write: W) -> Self
    where
        W: FnOnce(Sink) -> Fut,
        Fut: Future<Output = Result<(), Error>> + Send + 'static,
    {
        Self {
            body: Body::Stream(Chunks::new(Box::pin(Written::new(write)))),
            content_type: None,
        }
        .with_content_type(content_type)
    }

    /// The content type, if one is set.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_ref()?.to_str().ok()
    }

    /// The body's bytes, unless it is a stream.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Whole(bytes) => Some(bytes),
            Body::Stream(_) => None,
        }
    }

    pub(crate) fn into_parts(self) -> (Option<HeaderValue>, Body) {
        (self.content_type, self.body)
    }

    fn typed(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self {
            body: Body::Whole(body.into()),
            content_type: Some(content_type),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("content_type", &self.content_type())
            .field("bytes", &self.body().map(Bytes::len))
            .finish_non_exhaustive()
    }
}

impl From<()> for Response {
    fn from((): ()) -> Self {
        Self::new(Bytes::new())
    }
}

impl From<&'static str> for Response {
    fn from(text: &'static str) -> Self {
        Self::typed(TEXT, text)
    }
}

impl From<String> for Response {
    fn from(text: String) -> Self {
        Self::typed(TEXT, text)
    }
}

impl From<Cow<'static, str>> for Response {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl From<Vec<u8>> for Response {
    fn from(bytes: Vec<u8>) -> Self {
        Self::typed(BINARY, bytes)
    }
}

impl From<&'static [u8]> for Response {
    fn from(bytes: &'static [u8]) -> Self {
        Self::typed(BINARY, bytes)
    }
}

impl From<Bytes> for Response {
    fn from(bytes: Bytes) -> Self {
        Self::typed(BINARY, bytes)
    }
}

impl From<serde_json::Value> for Response {
    fn from(value: serde_json::Value) -> Self {
        Self::typed(JSON, value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plain_value_has_its_content_type() {
        for (response, content_type, body) in [
            (Response::from(()), None, ""),
            ("a".into(), Some("text/plain; charset=utf-8"), "a"),
            (
                String::from("b").into(),
                Some("text/plain; charset=utf-8"),
                "b",
            ),
            (
                Cow::Borrowed("c").into(),
                Some("text/plain; charset=utf-8"),
                "c",
            ),
            (vec![b'd'].into(), Some("application/octet-stream"), "d"),
            (
                Bytes::from("e").into(),
                Some("application/octet-stream"),
                "e",
            ),
            (
                serde_json::json!({"f": 1}).into(),
                Some("application/json"),
                "{\"f\":1}",
            ),
        ] {
            assert_eq!(response.content_type(), content_type);
            assert_eq!(response.body().unwrap(), body);
        }
        let image = Response::new("x").with_content_type("image/png");
        assert_eq!(image.content_type(), Some("image/png"));
    }

    #[test]
    fn a_value_without_json_form_is_an_error() {
        let odd = std::collections::HashMap::from([((1, 2), 3)]);
        assert_eq!(
            Response::json(&odd).unwrap_err().error_type(),
            "InvalidOutput"
        );
    }
}
