//! Any media over a platform that carries JSON only.
//!
//! What is not `application/json` travels as `{"anyport":{"v":1,"ct":"image/png","b64":"..."}}`, with
//! exactly that one key at the top; JSON travels as it is. An event, which nothing else can travel
//! beside, may have its idempotency key and trace in there too, as `key` and `tp`.
//!
//! A stream cannot be in an envelope. Its type goes before it, in the way of the platform's own HTTP
//! integration: a JSON object with `statusCode` and `headers`, then eight zero bytes, then the stream.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;

use crate::{Error, TraceContext};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    anyport: Inner<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner<'a> {
    v: u32,
    #[serde(borrow, default)]
    ct: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    tp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    b64: Cow<'a, str>,
}

/// A payload, and what was in its envelope with it.
#[derive(Debug, PartialEq)]
pub(crate) struct Opened {
    pub(crate) body: Bytes,
    /// Absent where the payload was in no envelope, or in one without a type.
    pub(crate) content_type: Option<HeaderValue>,
    /// Whether there was an envelope.
    pub(crate) sealed: bool,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) trace: Option<TraceContext>,
}

impl Opened {
    fn plain(body: Bytes) -> Self {
        Self {
            body,
            content_type: None,
            sealed: false,
            idempotency_key: None,
            trace: None,
        }
    }
}

/// The content type of a stream that begins with a prelude. Source: the vendor's own runtimes.
pub(crate) const WITH_PRELUDE: HeaderValue =
    HeaderValue::from_static("application/vnd.awslambda.http-integration-response");

/// Takes a payload out of its envelope; one without an envelope is JSON and passes uncopied.
///
/// # Errors
/// Where there is an envelope that this version can't open.
pub(crate) fn open(body: Bytes) -> Result<Opened, Error> {
    if !may_be_envelope(&body) {
        return Ok(Opened::plain(body));
    }
    let Ok(Envelope { anyport: inner }) = serde_json::from_slice(&body) else {
        // Somebody's own JSON that happens to start like one.
        return Ok(Opened::plain(body));
    };
    if inner.v != 1 {
        return Err(Error::unhandled(
            "Runtime.UnsupportedEnvelope",
            format!(
                "the payload's envelope has version {}, this function reads version 1; rebuild it with a newer anyport-runtime",
                inner.v
            ),
        ));
    }
    let payload = STANDARD.decode(&*inner.b64).map_err(|_| {
        Error::unhandled(
            "Runtime.BrokenEnvelope",
            "the payload's envelope holds no valid base64",
        )
    })?;
    Ok(Opened {
        content_type: inner.ct.and_then(|ct| HeaderValue::from_str(&ct).ok()),
        idempotency_key: inner.key.map(Cow::into_owned),
        trace: inner.tp.and_then(|text| text.parse().ok()),
        sealed: true,
        body: payload.into(),
    })
}

/// Puts an answer into an envelope, unless it is plain JSON already.
pub(crate) fn close(body: Bytes, content_type: Option<&HeaderValue>) -> Bytes {
    let content_type = content_type.and_then(|ct| ct.to_str().ok());
    // No bytes are no JSON document, whatever they are called.
    if content_type.is_some_and(is_plain_json) && !body.is_empty() {
        return body;
    }
    let mut text = String::with_capacity(body.len() / 3 * 4 + 96);
    text.push_str("{\"anyport\":{\"v\":1,");
    if let Some(content_type) = content_type {
        text.push_str("\"ct\":");
        text.push_str(&serde_json::Value::from(content_type).to_string());
        text.push(',');
    }
    text.push_str("\"b64\":\"");
    STANDARD.encode_string(&body, &mut text);
    text.push_str("\"}}");
    text.into()
}

/// What goes before a stream of this type.
pub(crate) fn prelude(content_type: Option<&HeaderValue>) -> Vec<u8> {
    let mut text = String::from("{\"statusCode\":200,\"headers\":{");
    if let Some(content_type) = content_type.and_then(|ct| ct.to_str().ok()) {
        text.push_str("\"content-type\":");
        text.push_str(&serde_json::Value::from(content_type).to_string());
    }
    text.push_str("}}\0\0\0\0\0\0\0\0");
    text.into_bytes()
}

/// `application/json` in the only character set that JSON has. A type such as `application/problem+json`
/// would be lost without an envelope.
fn is_plain_json(content_type: &str) -> bool {
    let (essence, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let parameters = parameters.trim();
    essence.trim().eq_ignore_ascii_case("application/json")
        && (parameters.is_empty() || parameters.eq_ignore_ascii_case("charset=utf-8"))
}

/// A cheap look at the first bytes, so that ordinary JSON is not parsed twice.
fn may_be_envelope(body: &[u8]) -> bool {
    let rest = body
        .trim_ascii_start()
        .strip_prefix(b"{")
        .map(<[u8]>::trim_ascii_start);
    rest.is_some_and(|rest| rest.starts_with(b"\"anyport\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_closed_opens_to_the_same() {
        for (content_type, body) in [
            (Some("image/png"), &[0_u8, 159, 146, 150][..]),
            (Some("text/plain; charset=\"utf-8\""), b"hi"),
            (Some("application/json"), b""),
            (Some("application/problem+json"), b"{}"),
            (None, b""),
            (None, b"{}"),
        ] {
            let content_type = content_type.map(HeaderValue::from_static);
            let closed = close(Bytes::from(body), content_type.as_ref());
            assert!(serde_json::from_slice::<serde_json::Value>(&closed).is_ok());
            let opened = open(closed).unwrap();
            assert_eq!(
                (opened.body, opened.content_type),
                (Bytes::from(body), content_type)
            );
            assert!(opened.sealed && opened.idempotency_key.is_none());
        }
    }

    #[test]
    fn json_is_sent_as_it_is() {
        for name in ["application/json", "Application/JSON; charset=utf-8"] {
            let content_type = HeaderValue::from_static(name);
            assert_eq!(
                close(Bytes::from("{\"a\":1}"), Some(&content_type)),
                "{\"a\":1}"
            );
        }
    }

    #[test]
    fn json_that_only_looks_like_one_is_left_alone() {
        for text in [
            "{\"anyport\":1}",
            "{\"anyport\":{\"v\":1,\"b64\":\"\"},\"other\":1}",
            "{\"anyport\":{\"v\":1,\"b64\":\"\",\"x\":1}}",
            "{\"any\":1}",
            "[]",
            "",
        ] {
            let text = Bytes::from(text);
            assert_eq!(open(text.clone()).unwrap(), Opened::plain(text));
        }
        let spaced = Bytes::from(" { \"anyport\" : {\"b64\":\"aGk=\",\"v\":1}}");
        let opened = open(spaced).unwrap();
        assert_eq!(
            (opened.body, opened.content_type),
            (Bytes::from("hi"), None)
        );
    }

    #[test]
    fn an_event_brings_its_key_and_its_trace() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let text = format!(
            "{{\"anyport\":{{\"v\":1,\"key\":\"k\",\"tp\":\"{trace}\",\"b64\":\"e30=\"}}}}"
        );
        let opened = open(Bytes::from(text)).unwrap();
        assert_eq!(opened.body, "{}");
        assert_eq!(opened.idempotency_key.as_deref(), Some("k"));
        assert_eq!(opened.trace, trace.parse().ok());
    }

    #[test]
    fn a_prelude_is_json_and_eight_zeros() {
        let png = HeaderValue::from_static("image/png");
        for (content_type, headers) in [
            (Some(&png), serde_json::json!({"content-type": "image/png"})),
            (None, serde_json::json!({})),
        ] {
            let prelude = prelude(content_type);
            let json = prelude.strip_suffix(&[0; 8]).unwrap();
            let json: serde_json::Value = serde_json::from_slice(json).unwrap();
            assert_eq!(
                json,
                serde_json::json!({"statusCode": 200, "headers": headers})
            );
        }
    }

    #[test]
    fn an_envelope_that_cannot_be_opened_is_an_error() {
        let newer = open(Bytes::from("{\"anyport\":{\"v\":2,\"b64\":\"\"}}")).unwrap_err();
        assert_eq!(newer.error_type(), "Runtime.UnsupportedEnvelope");
        let broken = open(Bytes::from("{\"anyport\":{\"v\":1,\"b64\":\"*\"}}")).unwrap_err();
        assert_eq!(broken.error_type(), "Runtime.BrokenEnvelope");
    }
}
