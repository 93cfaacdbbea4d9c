//! What can be wrong on the wire to AWS, and which rule of the contract each breaks.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, request, response};
use serde_json::Value;

/// Something that is wrong on the wire.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Fault {
    /// Its id.
    pub id: &'static str,
    /// What it does wrong.
    pub does: &'static str,
    /// The rules that it breaks.
    pub rules: &'static [&'static str],
    pub(crate) on: &'static [&'static str],
    pub(crate) how: How,
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fault")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
pub(crate) enum How {
    /// The request is changed, and signed anew.
    Request(fn(&mut request::Parts, &mut Bytes)),
    /// The reply is changed.
    Reply(fn(&mut response::Parts, &mut Bytes)),
    /// The request is sent twice, and the second reply counts.
    Twice,
    /// The connection is closed in place of the reply.
    LosesReply,
    /// The first reply to a request is the reply to all like it.
    Remembers,
}

const INVOKE: &[&str] = &["Invoke", "InvokeWithResponseStream"];
const GUARDED: &[&str] = &[
    "UpdateFunctionCode",
    "UpdateFunctionConfiguration",
    "PublishVersion",
    "UpdateAlias",
];

/// Every fault.
pub const FAULTS: &[Fault] = &[
    Fault {
        id: "wire/swallows-function-error",
        does: "the header X-Amz-Function-Error is lost",
        rules: &["I2"],
        on: INVOKE,
        how: How::Reply(|parts, _| {
            parts.headers.remove("x-amz-function-error");
        }),
    },
    Fault {
        id: "wire/loses-client-context",
        does: "the header X-Amz-Client-Context is lost",
        rules: &["I7"],
        on: INVOKE,
        how: How::Request(|parts, _| {
            parts.headers.remove("x-amz-client-context");
        }),
    },
    Fault {
        id: "wire/wrong-qualifier",
        does: "every call goes to the newest code instead of the live version",
        rules: &["D13"],
        on: INVOKE,
        how: How::Request(|parts, _| {
            let path = parts.uri.path().to_owned();
            let mut uri = parts.uri.clone().into_parts();
            uri.path_and_query = path.parse().ok();
            if let Ok(uri) = http::Uri::from_parts(uri) {
                parts.uri = uri;
            }
        }),
    },
    Fault {
        id: "wire/retries-the-invoke",
        does: "every call is sent twice",
        rules: &["I8"],
        on: INVOKE,
        how: How::Twice,
    },
    Fault {
        id: "wire/cuts-answers",
        does: "the last byte of an answer is lost",
        rules: &["I1"],
        on: INVOKE,
        how: How::Reply(|_, body| body.truncate(body.len().saturating_sub(1))),
    },
    Fault {
        id: "wire/hides-throttling",
        does: "a refusal because of too many calls becomes an internal error",
        rules: &["I6"],
        on: INVOKE,
        how: How::Reply(|parts, body| {
            if parts.status == StatusCode::TOO_MANY_REQUESTS {
                parts.status = StatusCode::INTERNAL_SERVER_ERROR;
                let kind = HeaderName::from_static("x-amzn-errortype");
                let value = HeaderValue::from_static("ServiceException");
                parts.headers.insert(kind, value);
                *body = Bytes::from_static(b"{\"Type\":\"Service\",\"Message\":\"internal\"}");
            }
        }),
    },
    Fault {
        id: "wire/misses-a-page",
        does: "the mark of the next page is lost",
        rules: &["D11"],
        on: &["ListFunctions"],
        how: How::Reply(|_, body| edit(body, |answer| drop(take(answer, "NextMarker")))),
    },
    Fault {
        id: "wire/forgets-the-revision",
        does: "writes are sent without the revision that they were planned on",
        rules: &["D5"],
        on: GUARDED,
        how: How::Request(|_, body| edit(body, |asked| drop(take(asked, "RevisionId")))),
    },
    Fault {
        id: "wire/stale-revision",
        does: "writes are sent with a revision that is not there any more",
        rules: &["D3"],
        on: GUARDED,
        how: How::Request(|_, body| {
            edit(body, |asked| {
                if take(asked, "RevisionId").is_some() {
                    asked["RevisionId"] = "00000000-0000-0000-0000-000000000000".into();
                }
            });
        }),
    },
    Fault {
        id: "wire/writes-twice",
        does: "updates of code and configuration are sent twice",
        rules: &["D3"],
        on: &["UpdateFunctionConfiguration", "UpdateFunctionCode"],
        how: How::Twice,
    },
    Fault {
        id: "wire/loses-the-reply",
        does: "the reply to sending traffic to a version is lost",
        rules: &["D3"],
        on: &["UpdateAlias"],
        how: How::LosesReply,
    },
    Fault {
        id: "wire/serves-old-reads",
        does: "what was read once is the answer for good",
        rules: &["D14"],
        on: &["GetFunction", "GetFunctionConfiguration", "GetAlias"],
        how: How::Remembers,
    },
    Fault {
        id: "wire/loses-dead-letters",
        does: "a queue's messages are lost on the way",
        rules: &["I5"],
        on: &["ReceiveMessage"],
        how: How::Reply(|_, body| edit(body, |answer| drop(take(answer, "Messages")))),
    },
    Fault {
        id: "wire/loses-log-lines",
        does: "log lines are lost on the way",
        rules: &["I3"],
        on: &["FilterLogEvents", "GetLogEvents"],
        how: How::Reply(|_, body| edit(body, |answer| answer["events"] = Value::Array(Vec::new()))),
    },
];

fn take(object: &mut Value, member: &str) -> Option<Value> {
    object.as_object_mut()?.remove(member)
}

/// Changes a JSON body; anything else stays as it is.
fn edit(body: &mut Bytes, change: impl FnOnce(&mut Value)) {
    if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
        change(&mut value);
        *body = value.to_string().into();
    }
}

/// The operation of a request, as far as a fault is on it; empty for all others. Source: the vendor's API models.
pub(crate) fn operation(parts: &request::Parts) -> &str {
    if let Some(target) = parts.headers.get("x-amz-target") {
        let target = target.to_str().unwrap_or_default();
        return target.rsplit('.').next().unwrap_or_default();
    }
    let path = parts.uri.path().trim_matches('/');
    let place: Vec<&str> = path.split('/').collect();
    match (&parts.method, &place[..]) {
        (&Method::GET, [_, "functions"]) => "ListFunctions",
        (&Method::POST, [_, "functions"]) => "CreateFunction",
        (&Method::GET, [_, "functions", _]) => "GetFunction",
        (&Method::GET, [_, "functions", _, "configuration"]) => "GetFunctionConfiguration",
        (&Method::PUT, [_, "functions", _, "configuration"]) => "UpdateFunctionConfiguration",
        (&Method::PUT, [_, "functions", _, "code"]) => "UpdateFunctionCode",
        (&Method::POST, [_, "functions", _, "versions"]) => "PublishVersion",
        (&Method::GET, [_, "functions", _, "aliases", _]) => "GetAlias",
        (&Method::PUT, [_, "functions", _, "aliases", _]) => "UpdateAlias",
        (&Method::POST, [_, "functions", _, "invocations"]) => "Invoke",
        (&Method::POST, [_, "functions", _, "response-streaming-invocations"]) => {
            "InvokeWithResponseStream"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_different_and_rules_are_in_the_contract() {
        let mut ids = std::collections::BTreeSet::new();
        for fault in FAULTS {
            assert!(ids.insert(fault.id), "{}", fault.id);
            assert!(!fault.rules.is_empty() && !fault.on.is_empty());
            for rule in fault.rules {
                assert!(anyport_conformance::rules::find(rule).is_some(), "{rule}");
            }
        }
    }

    #[test]
    fn operations_are_told_by_target_and_by_path() {
        let of = |method: Method, path: &str| {
            let request = http::Request::builder().method(method).uri(path);
            let (parts, ()) = request.body(()).unwrap().into_parts();
            operation(&parts).to_owned()
        };
        let functions = "/2015-03-31/functions";
        assert_eq!(
            of(Method::GET, &format!("{functions}/?Marker=x")),
            "ListFunctions"
        );
        assert_eq!(
            of(Method::PUT, &format!("{functions}/f/code")),
            "UpdateFunctionCode"
        );
        assert_eq!(of(Method::GET, "/2015-03-31/other"), "");
        let request = http::Request::builder().header("x-amz-target", "AmazonSQS.ReceiveMessage");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        assert_eq!(operation(&parts), "ReceiveMessage");
    }
}
