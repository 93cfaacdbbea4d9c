//! The event that a function gets for an HTTP request: payload format 2.0.
//!
//! Source: Lambda developer guide, function URL invocation; what is in doubt there is as in events that
//! were recorded from the real one. *Guessed*: cookies are among the headers, too.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, COOKIE, USER_AGENT};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::UrlCall;
use crate::access::Caller;
use crate::services::lambda::invoke::Trace;

/// Who calls: always a process of this machine.
const SOURCE: &str = "127.0.0.1";

/// The event for a call.
pub(super) fn of(call: &UrlCall, caller: Option<&Caller>, trace: &Trace) -> Value {
    let (path, query) = match call.path_and_query.split_once('?') {
        Some((path, query)) => (path, query),
        None => (call.path_and_query.as_str(), ""),
    };
    let path = if path.is_empty() { "/" } else { path };
    let headers = &call.parts.headers;
    let mut event = Map::new();
    let mut set = |name: &str, value: Value| event.insert(name.to_owned(), value);
    set("version", "2.0".into());
    set("routeKey", "$default".into());
    set("rawPath", path.into());
    set("rawQueryString", query.into());
    let cookies = cookies(headers);
    if !cookies.is_empty() {
        set("cookies", cookies.into());
    }
    set("headers", shown_headers(call, trace));
    if !query.is_empty() {
        set("queryStringParameters", json!(parameters(query)));
    }
    set("requestContext", context(call, caller, path));
    if call.body.is_empty() {
        set("isBase64Encoded", false.into());
    } else {
        match std::str::from_utf8(&call.body) {
            Ok(text) if is_text(headers) => {
                set("body", text.into());
                set("isBase64Encoded", false.into());
            }
            _ => {
                set("body", BASE64.encode(&call.body).into());
                set("isBase64Encoded", true.into());
            }
        }
    }
    Value::Object(event)
}

fn context(call: &UrlCall, caller: Option<&Caller>, path: &str) -> Value {
    let now = call.cloud.clock.epoch_millis();
    let at = Timestamp::from_millisecond(i64::try_from(now).unwrap_or(0)).unwrap_or_default();
    let time = at
        .to_zoned(TimeZone::UTC)
        .strftime("%d/%b/%Y:%H:%M:%S +0000")
        .to_string();
    let agent = text(&call.parts.headers, &USER_AGENT);
    let mut context = json!({
        "accountId": "anonymous",
        "apiId": call.url_id,
        "domainName": domain(call),
        "domainPrefix": call.url_id,
        "http": {
            "method": call.parts.method.as_str(),
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": SOURCE,
            "userAgent": agent.unwrap_or_default(),
        },
        "requestId": call.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": time,
        "timeEpoch": now,
    });
    if let Some(caller) = caller {
        context["accountId"] = caller.account.as_str().into();
        context["authorizer"] = json!({
            "iam": {
                "accessKey": caller.access_key,
                "accountId": caller.account,
                "callerId": caller.user_id,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": caller.arn,
                "userId": caller.user_id,
            }
        });
    }
    context
}

fn domain(call: &UrlCall) -> String {
    format!("{}.lambda-url.{}.localhost", call.url_id, call.region)
}

/// The headers by their names in lower case, several of one name joined, with those that the front of
/// the real one adds.
fn shown_headers(call: &UrlCall, trace: &Trace) -> Value {
    let mut shown = BTreeMap::new();
    for name in call.parts.headers.keys() {
        if matches!(name.as_str(), "connection" | "transfer-encoding" | "expect") {
            continue;
        }
        if let Some(value) = text(&call.parts.headers, name) {
            shown.insert(name.as_str(), value);
        }
    }
    let port = call.cloud.endpoint.rsplit(':').next().unwrap_or_default();
    shown.insert("host", domain(call));
    shown.insert("x-forwarded-for", SOURCE.to_owned());
    shown.insert("x-forwarded-port", port.to_owned());
    shown.insert("x-forwarded-proto", "http".to_owned());
    shown.insert("x-amzn-trace-id", format!("Root={}", trace.root));
    json!(shown)
}

/// All values of a header, joined.
fn text(headers: &HeaderMap, name: &http::HeaderName) -> Option<String> {
    let values: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    (!values.is_empty()).then(|| values.join(","))
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|all| all.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// The parameters decoded, several of one name joined.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let value = decode(value);
        all.entry(decode(name))
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    all
}

/// Whether the body is handed over as text.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind.as_str(),
            "application/json" | "application/xml" | "application/javascript"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_joined() {
        let all = parameters("a=1&b=x%20y+z&a=2&c&=");
        assert_eq!(all["a"], "1,2");
        assert_eq!(all["b"], "x y z");
        assert_eq!(all["c"], "");
    }

    #[test]
    fn media_types_tell_text_from_bytes() {
        let kind = |kind: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            is_text(&headers)
        };
        assert!(kind("application/json; charset=utf-8") && kind("Text/Plain"));
        assert!(!kind("image/png") && !kind("multipart/form-data; boundary=x"));
        assert!(!is_text(&HeaderMap::new()));
    }
}
