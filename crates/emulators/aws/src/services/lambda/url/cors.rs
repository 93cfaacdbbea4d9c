//! Sharing with other origins, as a URL's configuration says. It takes the place of what the function
//! says about it. Source: Lambda developer guide, cross-origin resource sharing.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use serde_json::Value;

use super::Reply;
use crate::answer::AnswerBody;

/// What a URL's configuration allows.
#[derive(Debug, Default)]
pub(super) struct Cors {
    origins: Vec<String>,
    methods: Vec<String>,
    headers: Vec<String>,
    exposed: Vec<String>,
    max_age: Option<u64>,
    credentials: bool,
}

/// Whether a browser asks what it may send.
pub(super) fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS
        && parts.headers.contains_key(ORIGIN)
        && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// Reads the configuration as the API has it.
    pub(super) fn read(config: &Value) -> Self {
        let list = |name: &str| {
            let all = config[name].as_array().into_iter().flatten();
            all.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Self {
            origins: list("AllowOrigins"),
            methods: list("AllowMethods"),
            headers: list("AllowHeaders"),
            exposed: list("ExposeHeaders"),
            max_age: config["MaxAge"].as_u64(),
            credentials: config["AllowCredentials"].as_bool().unwrap_or(false),
        }
    }

    /// The answer to a browser that asks first; the function is not called.
    pub(super) fn preflight(&self, parts: &Parts) -> Reply {
        let mut reply = Response::new(AnswerBody::Bytes(Bytes::new()));
        let headers = reply.headers_mut();
        if self.allow(parts.headers.get(ORIGIN), headers) {
            put(headers, ACCESS_CONTROL_ALLOW_METHODS, &self.methods);
            put(headers, ACCESS_CONTROL_ALLOW_HEADERS, &self.headers);
            if let Some(seconds) = self.max_age {
                headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
            }
        }
        reply
    }

    /// Says in a reply who may read it.
    pub(super) fn mark(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        for name in [
            ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            ACCESS_CONTROL_EXPOSE_HEADERS,
        ] {
            headers.remove(name);
        }
        if self.allow(origin, headers) {
            put(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed);
        }
    }

    /// Allows the origin, if it is one of those that may be.
    fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) -> bool {
        let Some(origin) = origin else {
            return false;
        };
        let text = origin.to_str().unwrap_or_default();
        let any = self.origins.iter().any(|allowed| allowed == "*");
        let known = self
            .origins
            .iter()
            .any(|allowed| allowed.trim_end_matches('/').eq_ignore_ascii_case(text));
        if !(any || known) {
            return false;
        }
        if any && !self.credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if self.credentials {
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
        true
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if !values.is_empty()
        && let Ok(value) = HeaderValue::from_str(&values.join(","))
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn marked(config: &Value, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, "https://own".parse().unwrap());
        let origin = HeaderValue::from_str(origin).unwrap();
        Cors::read(config).mark(Some(&origin), &mut headers);
        headers
    }

    #[test]
    fn the_configuration_decides_for_the_function() {
        let one = json!({ "AllowOrigins": ["https://a.example"], "ExposeHeaders": ["x", "y"] });
        let headers = marked(&one, "https://a.example");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://a.example");
        assert_eq!(headers[ACCESS_CONTROL_EXPOSE_HEADERS], "x,y");
        assert_eq!(headers[VARY], "Origin");
        assert!(marked(&one, "https://b.example").is_empty());
        let any = json!({ "AllowOrigins": ["*"] });
        assert_eq!(marked(&any, "https://b")[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let named = json!({ "AllowOrigins": ["*"], "AllowCredentials": true });
        let headers = marked(&named, "https://b");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "https://b");
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    }

    #[test]
    fn browsers_are_told_what_they_may_send() {
        let request = http::Request::options("/")
            .header(ORIGIN, "https://a")
            .header(ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .body(())
            .unwrap();
        let (parts, ()) = request.into_parts();
        assert!(is_preflight(&parts));
        let config = json!({
            "AllowOrigins": ["*"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-a"], "MaxAge": 60
        });
        let reply = Cors::read(&config).preflight(&parts);
        assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET,POST");
        assert_eq!(reply.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "x-a");
        assert_eq!(reply.headers()[ACCESS_CONTROL_MAX_AGE], "60");
    }
}
