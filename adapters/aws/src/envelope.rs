//! Any media over Lambda, which carries JSON only. The other side of it is in `anyport-runtime`.
//!
//! - `application/json` travels as it is, both ways. Functions that know nothing of Anyport never see anything else, unless they are sent
//!   something else.
//! - Other JSON travels as it is too; its type travels beside it, in the client context. Source: Lambda API model, `ClientContext`.
//! - Everything else, and everything that is beside an asynchronous event, travels in `{"anyport":{"v":1,"ct":...,"b64":...}}`: nothing else
//!   reaches the function with an event.
//! - A streamed answer begins with the prelude of Lambda's HTTP integration, as the vendor's own runtimes write it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyport_core::context::TraceContext;
use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// The type that an answer has unless it says otherwise.
pub(crate) const JSON: &str = "application/json";
const FORMAT: u32 = 1;
/// How far a prelude is looked for.
const LONGEST_PRELUDE: usize = 64 << 10;
/// What ends a prelude.
const END: [u8; 8] = [0; 8];

/// What travels beside a payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Beside<'a> {
    pub(crate) content_type: &'a str,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) trace: Option<TraceContext>,
}

#[derive(Serialize)]
struct Custom<'a> {
    #[serde(
        rename = "anyport-content-type",
        skip_serializing_if = "Option::is_none"
    )]
    content_type: Option<&'a str>,
    #[serde(
        rename = "anyport-idempotency-key",
        skip_serializing_if = "Option::is_none"
    )]
    idempotency_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

#[derive(Serialize)]
struct ClientContext<'a> {
    custom: Custom<'a>,
}

#[derive(Serialize)]
struct Sealed<'a> {
    anyport: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    v: u32,
    ct: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tp: Option<String>,
    b64: &'a str,
}

/// Whether a payload of this type can travel as it is.
pub(crate) fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence.eq_ignore_ascii_case(JSON)
        || essence
            .get(essence.len().saturating_sub(5)..)
            .is_some_and(|end| end.eq_ignore_ascii_case("+json"))
}

/// Whether a function has to be told of this type: it takes anything for `application/json` otherwise.
fn is_plain(content_type: &str) -> bool {
    content_type == JSON
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// The payload of a synchronous call: as it is where it is JSON, which costs no copy, else in an envelope.
pub(crate) fn of_call(body: &Bytes, content_type: &str) -> Bytes {
    // Without a payload a function gets an empty object, whatever its runtime: that is what a call without one means on Lambda.
    if is_plain(content_type) || (is_json(content_type) && !body.is_empty()) {
        return body.clone();
    }
    seal(
        body,
        Beside {
            content_type,
            ..Beside::default()
        },
    )
}

/// What goes beside the payload of a synchronous call, base64-encoded JSON, or nothing.
pub(crate) fn client_context(beside: Beside<'_>) -> Option<String> {
    let told = is_json(beside.content_type) && !is_plain(beside.content_type);
    let custom = Custom {
        content_type: told.then_some(beside.content_type),
        idempotency_key: beside.idempotency_key,
        traceparent: beside.trace.map(|trace| trace.to_string()),
    };
    if custom.content_type.is_none()
        && custom.idempotency_key.is_none()
        && custom.traceparent.is_none()
    {
        return None;
    }
    let text = serde_json::to_vec(&ClientContext { custom }).ok()?;
    Some(BASE64.encode(&text))
}

/// The payload of an event: as it is where it is `application/json` with nothing beside it but a trace, which has its own header; else in an
/// envelope with what is beside it.
pub(crate) fn of_event(body: &Bytes, beside: Beside<'_>) -> Bytes {
    if is_plain(beside.content_type) && beside.idempotency_key.is_none() {
        return body.clone();
    }
    seal(body, beside)
}

fn seal(body: &[u8], beside: Beside<'_>) -> Bytes {
    let sealed = Sealed {
        anyport: Inner {
            v: FORMAT,
            ct: beside.content_type,
            key: beside.idempotency_key,
            tp: beside.trace.map(|trace| trace.to_string()),
            b64: "",
        },
    };
    // Text and numbers: it cannot fail to encode. The payload goes where its last quote is.
    let mut text = serde_json::to_string(&sealed).unwrap_or_default();
    let tail = text.split_off(text.len().saturating_sub(END_OF_ENVELOPE.len()));
    text.reserve_exact(BASE64.encode_len(body.len()) + tail.len());
    BASE64.encode_append(body, &mut text);
    text.push_str(&tail);
    text.into()
}

const END_OF_ENVELOPE: &str = "\"}}";

/// A payload as it was before it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
    /// The status of an HTTP function, unless it is 200.
    pub(crate) status: Option<u16>,
}

/// An envelope that this version cannot open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is of a newer version.
    Newer(u32),
    /// What is in it is no base64.
    Broken,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedIn<'a> {
    #[serde(borrow)]
    anyport: InnerIn<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InnerIn<'a> {
    v: u32,
    #[serde(borrow, default)]
    ct: Option<Cow<'a, str>>,
    #[serde(default, rename = "key")]
    _key: Option<serde::de::IgnoredAny>,
    #[serde(default, rename = "tp")]
    _tp: Option<serde::de::IgnoredAny>,
    #[serde(borrow)]
    b64: Cow<'a, str>,
}

/// Takes a whole payload or answer out of what it travelled in. What is in nothing is JSON, and is not copied.
///
/// # Errors
/// Where there is an envelope that cannot be opened.
pub(crate) fn open(body: Bytes) -> Result<Opened, Unreadable> {
    if let Prelude::There(prelude) = prelude(&body) {
        return Ok(Opened {
            body: body.slice(prelude.length..),
            content_type: prelude.content_type,
            status: prelude.status,
        });
    }
    let plain = |body| {
        Ok(Opened {
            body,
            content_type: JSON.to_owned(),
            status: None,
        })
    };
    if !may_be_envelope(&body) {
        return plain(body);
    }
    let Ok(SealedIn { anyport: inner }) = serde_json::from_slice(&body) else {
        // Somebody's own JSON that happens to start like one.
        return plain(body);
    };
    if inner.v != FORMAT {
        return Err(Unreadable::Newer(inner.v));
    }
    let payload = BASE64
        .decode(inner.b64.as_bytes())
        .map_err(|_| Unreadable::Broken)?;
    Ok(Opened {
        body: payload.into(),
        content_type: inner
            .ct
            .map_or_else(|| "application/octet-stream".to_owned(), Cow::into_owned),
        status: None,
    })
}

/// A cheap look at the first bytes, so that ordinary JSON is not parsed.
pub(crate) fn may_be_envelope(body: &[u8]) -> bool {
    let rest = body
        .trim_ascii_start()
        .strip_prefix(b"{")
        .map(<[u8]>::trim_ascii_start);
    rest.is_some_and(|rest| rest.starts_with(b"\"anyport\""))
}

/// Whether an answer begins with a prelude.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Prelude {
    /// It does.
    There(Head),
    /// It may, but its end has not been read yet.
    Perhaps,
    /// It does not.
    None,
}

/// What a prelude says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) content_type: String,
    /// The status, unless it is 200.
    pub(crate) status: Option<u16>,
    /// Where the answer itself begins.
    pub(crate) length: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HeadIn {
    #[serde(default)]
    status_code: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, serde_json::Value>,
    #[serde(default, rename = "multiValueHeaders")]
    _multi: Option<serde::de::IgnoredAny>,
    #[serde(default, rename = "cookies")]
    _cookies: Option<serde::de::IgnoredAny>,
}

/// Looks for a prelude: a JSON object of an HTTP head, then eight zero bytes, which no JSON text contains.
pub(crate) fn prelude(body: &[u8]) -> Prelude {
    const FIRST: [&[u8]; 3] = [b"{\"statusCode\"", b"{\"headers\"", b"{\"cookies\""];
    let starts = |key: &&[u8]| {
        let length = body.len().min(key.len());
        body[..length] == key[..length]
    };
    if body.is_empty() || !FIRST.iter().any(starts) {
        return Prelude::None;
    }
    let looked_at = &body[..body.len().min(LONGEST_PRELUDE)];
    let Some(end) = looked_at.iter().position(|byte| *byte == 0) else {
        return if body.len() < LONGEST_PRELUDE {
            Prelude::Perhaps
        } else {
            Prelude::None
        };
    };
    let after = &body[end..];
    if after.len() < END.len() && after.iter().all(|byte| *byte == 0) {
        return Prelude::Perhaps;
    }
    if !after.starts_with(&END) {
        return Prelude::None;
    }
    let Ok(head) = serde_json::from_slice::<HeadIn>(&body[..end]) else {
        return Prelude::None;
    };
    let content_type = head
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .and_then(|(_, value)| value.as_str());
    Prelude::There(Head {
        content_type: content_type
            .unwrap_or("application/octet-stream")
            .to_owned(),
        status: head.status_code.filter(|status| *status != 200),
        length: end + END.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn beside(content_type: &str) -> Beside<'_> {
        Beside {
            content_type,
            ..Beside::default()
        }
    }

    #[test]
    fn json_is_not_copied_and_the_rest_is_sealed() {
        let body = Bytes::from_static(b"{\"a\": 1}");
        for content_type in [
            JSON,
            "application/problem+json",
            "application/json; charset=utf-8",
        ] {
            let sent = of_call(&body, content_type);
            assert_eq!(sent.as_ptr(), body.as_ptr(), "{content_type}");
        }
        let sent = of_call(&Bytes::from_static(b"hi"), "text/plain");
        assert_eq!(
            sent,
            "{\"anyport\":{\"v\":1,\"ct\":\"text/plain\",\"b64\":\"aGk=\"}}"
        );
        assert_eq!(of_call(&Bytes::new(), JSON), "");
        assert_eq!(
            of_call(&Bytes::new(), "text/x"),
            "{\"anyport\":{\"v\":1,\"ct\":\"text/x\",\"b64\":\"\"}}"
        );
    }

    #[test]
    fn what_is_sealed_opens_to_the_same() {
        for (content_type, body) in [
            ("image/png", &[0_u8, 159, 146, 150][..]),
            ("text/plain; charset=\"utf-8\"", b"hi"),
            ("application/octet-stream", b""),
        ] {
            let opened = open(of_call(&Bytes::from_static(body), content_type)).unwrap();
            assert_eq!(opened.body, body);
            assert_eq!(opened.content_type, content_type);
        }
    }

    #[test]
    fn an_event_carries_what_is_beside_it() {
        let body = Bytes::from_static(b"{}");
        assert_eq!(of_event(&body, beside(JSON)).as_ptr(), body.as_ptr());
        let traced = Beside {
            trace: TRACE.parse().ok(),
            ..beside(JSON)
        };
        assert_eq!(of_event(&body, traced).as_ptr(), body.as_ptr());
        let keyed = Beside {
            idempotency_key: Some("k\"1"),
            ..traced
        };
        let sent = of_event(&body, keyed);
        assert_eq!(
            sent,
            format!(
                "{{\"anyport\":{{\"v\":1,\"ct\":\"application/json\",\"key\":\"k\\\"1\",\"tp\":\"{TRACE}\",\"b64\":\"e30=\"}}}}"
            )
        );
        let opened = open(sent).unwrap();
        assert_eq!(
            (opened.body, opened.content_type.as_str()),
            (body.clone(), JSON)
        );
        assert!(may_be_envelope(&of_event(
            &body,
            beside("application/vnd.a+json")
        )));
    }

    #[test]
    fn a_client_context_is_only_made_when_it_says_something() {
        assert_eq!(client_context(beside(JSON)), None);
        assert_eq!(client_context(beside("text/plain")), None);
        let context = client_context(Beside {
            content_type: "application/problem+json",
            idempotency_key: Some("k-1"),
            trace: TRACE.parse().ok(),
        });
        let text = BASE64.decode(context.unwrap().as_bytes()).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"custom": {
                "anyport-content-type": "application/problem+json",
                "anyport-idempotency-key": "k-1",
                "traceparent": TRACE,
            }})
        );
    }

    #[test]
    fn answers_that_only_look_sealed_are_left_alone_and_newer_ones_are_refused() {
        for text in [
            "{\"anyport\":1}",
            "{\"anyport\":{\"v\":1,\"b64\":\"\"},\"x\":1}",
            "[]",
            "",
        ] {
            let opened = open(Bytes::from(text)).unwrap();
            assert_eq!(
                (opened.body, opened.content_type.as_str()),
                (Bytes::from(text), JSON)
            );
        }
        let newer = Bytes::from("{\"anyport\":{\"v\":2,\"b64\":\"\"}}");
        assert_eq!(open(newer), Err(Unreadable::Newer(2)));
        let broken = Bytes::from("{\"anyport\":{\"v\":1,\"b64\":\"*\"}}");
        assert_eq!(open(broken), Err(Unreadable::Broken));
    }

    #[test]
    fn a_prelude_is_found_wherever_it_is_cut() {
        let whole = b"{\"statusCode\":404,\"headers\":{\"Content-Type\":\"text/html\"},\"cookies\":[]}\0\0\0\0\0\0\0\0<p>";
        let end = whole.len() - 3;
        for cut in 1..end {
            assert_eq!(prelude(&whole[..cut]), Prelude::Perhaps, "{cut}");
        }
        let Prelude::There(head) = prelude(whole) else {
            panic!("no prelude")
        };
        assert_eq!((head.length, head.status), (end, Some(404)));
        assert_eq!(head.content_type, "text/html");
        let opened = open(Bytes::from_static(whole)).unwrap();
        assert_eq!((&opened.body[..], opened.status), (&b"<p>"[..], Some(404)));

        for other in [
            &b""[..],
            b"data: x",
            b"{\"statusCode\":200}\0\0\0x",
            b"{\"statusCode\":200,\"body\":\"x\"}\0\0\0\0\0\0\0\0",
            b"{\"status\"",
        ] {
            assert_eq!(prelude(other), Prelude::None, "{other:?}");
        }
    }
}
