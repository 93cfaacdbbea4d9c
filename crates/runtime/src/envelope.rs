//! Any media over a platform that carries JSON only.
//!
//! What is not JSON travels as `{"anyport":{"v":1,"ct":"image/png","b64":"..."}}`, with exactly that
//! one key at the top; JSON travels as it is.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;

use crate::Error;
use crate::response::JSON;

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
    #[serde(borrow)]
    b64: Cow<'a, str>,
}

/// Takes a payload out of its envelope; one without an envelope is JSON and passes uncopied.
///
/// # Errors
/// Where there is an envelope that this version can't open.
pub(crate) fn open(body: Bytes) -> Result<(Bytes, Option<HeaderValue>), Error> {
    if !may_be_envelope(&body) {
        return Ok((body, Some(JSON)));
    }
    let Ok(Envelope { anyport: inner }) = serde_json::from_slice(&body) else {
        // Somebody's own JSON that happens to start like one.
        return Ok((body, Some(JSON)));
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
    let content_type = inner.ct.and_then(|ct| HeaderValue::from_str(&ct).ok());
    Ok((payload.into(), content_type))
}

/// Puts an answer into an envelope, unless it is JSON already.
pub(crate) fn close(body: Bytes, content_type: Option<&HeaderValue>) -> Bytes {
    let content_type = content_type.and_then(|ct| ct.to_str().ok());
    // No bytes are no JSON document, whatever they are called.
    if content_type.is_some_and(is_json) && !body.is_empty() {
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

/// `application/json`, or any type with the `+json` suffix.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let suffix = essence
        .len()
        .checked_sub(5)
        .and_then(|at| essence.get(at..));
    essence.eq_ignore_ascii_case("application/json")
        || suffix.is_some_and(|end| end.eq_ignore_ascii_case("+json"))
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
            (None, b""),
            (None, b"{}"),
        ] {
            let content_type = content_type.map(HeaderValue::from_static);
            let closed = close(Bytes::from(body), content_type.as_ref());
            assert!(serde_json::from_slice::<serde_json::Value>(&closed).is_ok());
            assert_eq!(open(closed).unwrap(), (Bytes::from(body), content_type));
        }
    }

    #[test]
    fn json_is_sent_as_it_is() {
        for name in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/cloudevents+json",
        ] {
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
            assert_eq!(
                open(Bytes::from(text)).unwrap(),
                (Bytes::from(text), Some(JSON))
            );
        }
        let spaced = Bytes::from(" { \"anyport\" : {\"b64\":\"aGk=\",\"v\":1}}");
        assert_eq!(open(spaced).unwrap(), (Bytes::from("hi"), None));
    }

    #[test]
    fn an_envelope_that_cannot_be_opened_is_an_error() {
        let newer = open(Bytes::from("{\"anyport\":{\"v\":2,\"b64\":\"\"}}")).unwrap_err();
        assert_eq!(newer.error_type(), "Runtime.UnsupportedEnvelope");
        let broken = open(Bytes::from("{\"anyport\":{\"v\":1,\"b64\":\"*\"}}")).unwrap_err();
        assert_eq!(broken.error_type(), "Runtime.BrokenEnvelope");
    }
}
