//! Errors as each protocol writes them.

use http::header::{self, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value};

use super::{Context, request_ids, s3_request_id, xml};
use crate::answer::ApiError;
use crate::call::Service;
use crate::front::body::ReplyBody;
use crate::model::{Kind, Location, Protocol, Shape, Structure};

/// The member that is the `Retry-After` header.
const RETRY_AFTER: &str = "retryAfterSeconds";

/// Makes the reply to a call that failed.
pub(in crate::front) fn error(cx: Context<'_>, error: &ApiError) -> Response<ReplyBody> {
    let shape = cx.model.error(error.code);
    let status = error
        .status
        .or_else(|| shape.and_then(|shape| shape.status))
        .unwrap_or_else(|| usual(error.code));
    let mut response = match cx.model.protocol {
        _ if cx.form => query(cx, error, shape, status),
        Protocol::Query => query(cx, error, shape, status),
        Protocol::RestXml => s3(cx, error),
        Protocol::RestJson => rest_json(error, shape, status),
        Protocol::Json(_) => json(cx, error),
    };
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if let Some(seconds) = error.fields.get(RETRY_AFTER) {
        let text = seconds
            .as_str()
            .map_or_else(|| seconds.to_string(), str::to_owned);
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(header::RETRY_AFTER, value);
        }
    }
    request_ids(cx, headers);
    response
}

/// The status of codes that no model has. Source: the common errors of the services' API references.
fn usual(code: &str) -> u16 {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => 403,
        "UnknownOperationException" => 404,
        "InternalError" | "InternalFailure" | "ServiceFailure" => 500,
        "ServiceUnavailable" | "SlowDown" => 503,
        _ => 400,
    }
}

fn rest_json(error: &ApiError, shape: Option<&Shape>, status: u16) -> Response<ReplyBody> {
    let structure = shape.and_then(|shape| match &shape.kind {
        Kind::Structure(structure) => Some(structure),
        _ => None,
    });
    let mut body = Map::new();
    for (name, value) in fields(error) {
        let in_body = structure
            .and_then(|structure| structure.member(name))
            .is_none_or(|member| member.location == Location::Body);
        if in_body {
            body.insert(name.clone(), value.clone());
        }
    }
    if structure.is_some_and(|structure| structure.member("Type").is_some()) {
        let fault = if status < 500 { "User" } else { "Service" };
        body.entry("Type").or_insert_with(|| fault.into());
    }
    let name = message_name(error.code, structure);
    body.insert(name.to_owned(), error.message.clone().into());
    let mut response = Response::new(ReplyBody::full(Value::Object(body).to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(code) = HeaderValue::from_str(error.code) {
        headers.insert(HeaderName::from_static("x-amzn-errortype"), code);
    }
    response
}

/// What the message is called: `message` or `Message`, as the error's shape has it. Errors of the
/// vendor's framework have no shape: what is denied says `Message`, the others `message`.
fn message_name(code: &str, structure: Option<&Structure>) -> &'static str {
    match structure {
        Some(structure) => structure
            .members
            .iter()
            .map(|member| member.name)
            .find(|name| name.eq_ignore_ascii_case("message"))
            .unwrap_or("message"),
        None if code == "AccessDeniedException" => "Message",
        None => "message",
    }
}

/// The members beside the message, without what is a header in any protocol.
fn fields(error: &ApiError) -> impl Iterator<Item = (&String, &Value)> {
    error.fields.iter().filter(|(name, _)| *name != RETRY_AFTER)
}

fn json(cx: Context<'_>, error: &ApiError) -> Response<ReplyBody> {
    let mut body = Map::new();
    let of_the_framework = cx.model.error(error.code).is_none();
    let kind = match (cx.model.service, of_the_framework) {
        (Service::Sqs, false) => format!("com.amazonaws.sqs#{}", error.code),
        (Service::Sqs, true) => format!("com.amazon.coral.service#{}", error.code),
        _ => error.code.to_owned(),
    };
    body.insert("__type".to_owned(), kind.into());
    body.insert("message".to_owned(), error.message.clone().into());
    body.extend(fields(error).map(|(name, value)| (name.clone(), value.clone())));
    let mut response = Response::new(ReplyBody::full(Value::Object(body).to_string()));
    let headers = response.headers_mut();
    let media = match cx.model.protocol {
        Protocol::Json("1.0") => "application/x-amz-json-1.0",
        _ => "application/x-amz-json-1.1",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if cx.model.service == Service::Sqs {
        let (code, fault) = query_code(error);
        if let Ok(value) = HeaderValue::from_str(&format!("{code};{fault}")) {
            headers.insert(HeaderName::from_static("x-amzn-query-error"), value);
        }
    }
    response
}

/// What SQS's errors are called in the query protocol, where it differs. Source: the SQS API reference.
fn query_code(error: &ApiError) -> (&str, &'static str) {
    let code = match error.code {
        "BatchEntryIdsNotDistinct" => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
        "BatchRequestTooLong" => "AWS.SimpleQueueService.BatchRequestTooLong",
        "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
        "InvalidBatchEntryId" => "AWS.SimpleQueueService.InvalidBatchEntryId",
        "InvalidParameterValueException" => "InvalidParameterValue",
        "MissingRequiredParameterException" => "MissingParameter",
        "MessageNotInflight" => "AWS.SimpleQueueService.MessageNotInflight",
        "PurgeQueueInProgress" => "AWS.SimpleQueueService.PurgeQueueInProgress",
        "QueueDeletedRecently" => "AWS.SimpleQueueService.QueueDeletedRecently",
        "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
        "QueueNameExists" => "QueueAlreadyExists",
        "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        "UnsupportedOperation" => "AWS.SimpleQueueService.UnsupportedOperation",
        code => code,
    };
    let receiver = error.status.is_some_and(|status| status >= 500);
    (code, if receiver { "Receiver" } else { "Sender" })
}

fn query(
    cx: Context<'_>,
    error: &ApiError,
    shape: Option<&Shape>,
    status: u16,
) -> Response<ReplyBody> {
    let code = if cx.model.service == Service::Sqs {
        query_code(error).0
    } else {
        shape.and_then(|shape| shape.code).unwrap_or(error.code)
    };
    let kind = if status < 500 { "Sender" } else { "Receiver" };
    let text = xml::query_error(cx.model, (kind, code, &error.message), cx.request_id);
    let mut response = Response::new(ReplyBody::full(text));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

fn s3(cx: Context<'_>, error: &ApiError) -> Response<ReplyBody> {
    let id = s3_request_id(cx.request_id);
    let fields: Vec<(&String, String)> = fields(error)
        .map(|(name, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (name, text)
        })
        .collect();
    let mut texts = vec![("Code", error.code), ("Message", error.message.as_str())];
    texts.extend(
        fields
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str())),
    );
    texts.extend([("RequestId", id.as_str()), ("HostId", cx.request_id)]);
    let mut response = Response::new(if cx.head {
        ReplyBody::empty()
    } else {
        ReplyBody::full(xml::s3_error(&texts))
    });
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
