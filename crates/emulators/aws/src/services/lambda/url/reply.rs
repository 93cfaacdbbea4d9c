//! The HTTP reply in a function's answer: payload format 2.0.

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::{Reply, stream};
use crate::answer::AnswerBody;
use crate::services::lambda::invoke::Done;

/// The reply that the answer means; `None` where it means none.
pub(super) fn of(done: &Done) -> Option<Reply> {
    if done.content_type.as_deref() == Some(stream::INTEGRATION) {
        return stream::split(&done.payload);
    }
    let answer: Value = serde_json::from_slice(&done.payload).ok()?;
    match answer {
        Value::Object(parts) if parts.contains_key("statusCode") => told(&parts),
        // What is no reply is the body of one; a text without its quotes.
        Value::String(text) => Some(json(Bytes::from(text))),
        _ => Some(json(done.payload.clone())),
    }
}

fn json(body: Bytes) -> Reply {
    let mut reply = Response::new(AnswerBody::Bytes(body));
    let kind = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(CONTENT_TYPE, kind);
    reply
}

/// A reply whose parts are told.
fn told(parts: &Map<String, Value>) -> Option<Reply> {
    let mut reply = json(Bytes::new());
    head(parts, &mut reply)?;
    let encoded = parts.get("isBase64Encoded").and_then(Value::as_bool);
    let body = match parts.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if encoded == Some(true) => {
            Bytes::from(BASE64.decode(text.as_bytes()).ok()?)
        }
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(other) => Bytes::from(other.to_string()),
    };
    *reply.body_mut() = AnswerBody::Bytes(body);
    Some(reply)
}

/// Status, headers and cookies.
pub(super) fn head(parts: &Map<String, Value>, reply: &mut Reply) -> Option<()> {
    if let Some(status) = parts.get("statusCode") {
        let status = match status {
            Value::String(text) => text.parse().ok()?,
            number => u16::try_from(number.as_u64()?).ok()?,
        };
        // What comes before the reply is not the function's to say.
        if !(200..=599).contains(&status) {
            return None;
        }
        *reply.status_mut() = StatusCode::from_u16(status).ok()?;
    }
    if let Some(headers) = parts.get("headers").and_then(Value::as_object) {
        for (name, value) in headers {
            set(reply.headers_mut(), name, value)?;
        }
    }
    for cookie in parts
        .get("cookies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let cookie = HeaderValue::from_str(cookie.as_str()?).ok()?;
        reply.headers_mut().append(SET_COOKIE, cookie);
    }
    Some(())
}

/// Sets a header that is the function's to set.
fn set(headers: &mut HeaderMap, name: &str, value: &Value) -> Option<()> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let of_the_connection = [
        "connection",
        "content-length",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    if of_the_connection.contains(&name.as_str()) {
        return Some(());
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return Some(()),
        Value::Array(all) => {
            let all: Option<Vec<&str>> = all.iter().map(Value::as_str).collect();
            all?.join(",")
        }
        other => other.to_string(),
    };
    headers.insert(name, HeaderValue::from_str(&text).ok()?);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(answer: &str) -> Option<(u16, HeaderMap, String)> {
        let done = Done {
            payload: Bytes::from(answer.to_owned()),
            content_type: Some("application/json".to_owned()),
            failed: false,
            version: "1".to_owned(),
            log: String::new(),
        };
        let reply = of(&done)?;
        let (parts, AnswerBody::Bytes(body)) = reply.into_parts() else {
            panic!("no bytes");
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        Some((parts.status.as_u16(), parts.headers, body))
    }

    #[test]
    fn what_is_no_reply_is_a_body() {
        for (answer, body) in [
            (r#"{"a":1}"#, r#"{"a":1}"#),
            (r#""hi""#, "hi"),
            ("[1]", "[1]"),
            ("null", "null"),
        ] {
            let (status, headers, found) = reply(answer).unwrap();
            assert_eq!((status, found.as_str()), (200, body));
            assert_eq!(headers["content-type"], "application/json");
        }
        assert!(reply("no json").is_none());
    }

    #[test]
    fn a_reply_is_taken_apart() {
        let (status, headers, body) = reply(
            r#"{"statusCode":201,"headers":{"Content-Type":"text/plain","x":1,"Connection":"close"},"cookies":["a=1","b=2"],"body":"aGk=","isBase64Encoded":true}"#,
        )
        .unwrap();
        assert_eq!((status, body.as_str()), (201, "hi"));
        assert_eq!(headers["content-type"], "text/plain");
        assert_eq!(headers["x"], "1");
        assert!(!headers.contains_key("connection"));
        let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        let (status, _, body) = reply(r#"{"statusCode":"404"}"#).unwrap();
        assert_eq!((status, body.as_str()), (404, ""));
    }

    #[test]
    fn nonsense_is_no_reply() {
        for answer in [
            r#"{"statusCode":"many"}"#,
            r#"{"statusCode":99}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"headers":{"a":"c\n"}}"#,
            r#"{"statusCode":200,"body":"?","isBase64Encoded":true}"#,
        ] {
            assert!(reply(answer).is_none(), "{answer}");
        }
    }
}
