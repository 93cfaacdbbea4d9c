//! One request: whose, for what, and how it is answered.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::watch;

use super::body::{self, ReadError, ReplyBody};
use super::host::Host;
use super::parse::{self, Raw};
use super::reply::{self, Context};
use super::server::{Phase, reached};
use super::service::{self, Destination};
use super::throttle::Throttle;
use super::{ids, limits};
use crate::answer::{Answer, ApiError};
use crate::call::{Call, CallCx, Service};
use crate::cloud::Cloud;
use crate::fault::Fault;
use crate::model::{Model, Operation, Protocol, Query, Route};
use crate::services::{self, lambda::url};
use crate::sigv4;

/// Where functions' URLs are for clients that can't resolve `*.localhost`.
const URL_PATH: &str = "/_anyport/url/";

/// What all connections share.
#[derive(Debug)]
pub(super) struct Front {
    pub(super) cloud: Arc<Cloud>,
    pub(super) throttle: Throttle,
    pub(super) phase: watch::Receiver<Phase>,
}

/// The connection is closed in place of a reply.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed in place of a reply")]
pub(super) struct Hangup;

impl Front {
    /// Answers a request.
    pub(super) async fn handle(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let (parts, body) = request.into_parts();
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok())
            .or_else(|| parts.uri.authority().map(http::uri::Authority::as_str))
            .and_then(Host::parse);
        let Some(host) = host else {
            return Ok(plain(
                StatusCode::FORBIDDEN,
                "The embedded AWS serves this machine only, as 127.0.0.1, localhost or *.localhost.\n",
            ));
        };
        if let Some((url_id, region, path_and_query)) = function_url(&host, &parts) {
            return self
                .function_url(parts, body, url_id, region, path_and_query)
                .await;
        }
        let destination = service::find(&parts, &host);
        let mut exchange = Exchange {
            service: match destination {
                Destination::Service(service) => service,
                Destination::Form => Service::Sts,
            },
            operation: None,
            head: parts.method == http::Method::HEAD,
            form: false,
            request_id: ids::uuid(),
        };
        let limit = limits::of(exchange.service, parts.uri.path());
        let body = match body::read(body, limit).await {
            Ok(body) => body,
            Err(ReadError::Broken) => return Err(Hangup),
            Err(ReadError::TooLarge) => {
                let path = parts.uri.path();
                let error = limits::too_large(exchange.service, path, limit);
                return Ok(self.failed(&exchange, &error));
            }
        };
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let mut form = None;
        let is_form = service::is_form(&parts);
        if is_form && parts.method == http::Method::POST {
            let parsed = Query::parse(&String::from_utf8_lossy(&body));
            if destination == Destination::Form {
                exchange.service = service::by_version(&parsed).unwrap_or(Service::S3);
            }
            form = Some(parsed);
        } else if query.has("Action") && exchange.service != Service::S3 {
            form = Some(Query::parse(parts.uri.query().unwrap_or_default()));
        }
        let asked = Asked {
            parts,
            body,
            query,
            form,
            host,
        };
        self.serve(&mut exchange, asked).await
    }

    /// Answers a request whose service is known.
    async fn serve(
        &self,
        exchange: &mut Exchange,
        mut asked: Asked,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let cloud = &self.cloud;
        let model = Model::of(exchange.service);
        let rest = matches!(model.protocol, Protocol::RestJson | Protocol::RestXml);
        let named = asked.parts.headers.contains_key("x-amz-target");
        exchange.form = !rest && asked.form.is_some() && !named;
        if !exchange.form {
            asked.form = None;
        }
        let path = asked.parts.uri.path();
        if let (Service::Sqs, Some(form)) = (exchange.service, &mut asked.form)
            && path.len() > 1
        {
            // A form may be sent to the queue's own address.
            form.add_default("QueueUrl", format!("{}{path}", cloud.endpoint));
        }
        let route = find_operation(model, &asked);
        exchange.operation = route.as_ref().map(|route| route.operation);
        let body = std::mem::take(&mut asked.body);
        let signed = sigv4::verify(cloud, exchange.service, &asked.parts, body);
        let verified = match signed {
            Ok(verified) => verified,
            Err(error) => return Ok(self.failed(exchange, &error)),
        };
        let Some(route) = route else {
            return Ok(self.failed(exchange, &unknown_operation(exchange.service, &asked)));
        };
        let operation = route.operation;
        let fault = cloud.faults.strike(exchange.service.name(), operation.name);
        if let Some(fault) = &fault {
            if let Some(error) = before(exchange.service, fault).await? {
                return Ok(self.failed(exchange, &error));
            }
        }
        let account = if verified.caller.account.is_empty() {
            cloud.config.account.clone()
        } else {
            verified.caller.account.clone()
        };
        let cx = CallCx {
            request_id: exchange.request_id.clone(),
            caller: verified.caller,
            account,
            region: verified.region,
            cloud: Arc::clone(cloud),
        };
        let passed = self.throttle.pass(
            &cloud.config.limits,
            &cloud.clock,
            (exchange.service, operation.name),
            &cx.account,
            &cx.region,
        );
        let result = match passed {
            Ok(()) if operation.served => {
                asked.parts.headers.extend(verified.trailers);
                asked.body = verified.body;
                self.call(exchange.service, model, route, asked, cx).await
            }
            Ok(()) => Err(ApiError::not_served(exchange.service, operation.name)),
            Err(error) => Err(error),
        };
        let response = match result {
            Ok(answer) => self.answered(exchange, operation, answer),
            Err(error) => self.failed(exchange, &error),
        };
        match fault {
            Some(fault) => self.after(exchange, fault, response),
            None => Ok(response),
        }
    }

    /// Parses the input and calls the service. The call goes on when the client hangs up.
    async fn call(
        &self,
        service: Service,
        model: &'static Model,
        route: Route,
        asked: Asked,
        cx: CallCx,
    ) -> Result<Answer, ApiError> {
        let operation = route.operation;
        let input = parse::input(Raw {
            model,
            operation,
            labels: route.labels,
            query: &asked.query,
            headers: &asked.parts.headers,
            body: asked.body,
            form: asked.form.as_ref(),
        })?;
        let call = Call {
            service,
            operation: operation.name,
            input: input.members,
            payload: input.payload,
            headers: asked.parts.headers,
            cx,
        };
        let mut phase = self.phase.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                answer = services::call(call) => answer,
                () = reached(&mut phase, Phase::Ending) => {
                    Err(ApiError::internal(service, "it is shutting down"))
                }
            }
        });
        task.await.unwrap_or_else(|_| {
            Err(ApiError::internal(
                service,
                format_args!("{} broke off", operation.name),
            ))
        })
    }

    fn answered(
        &self,
        exchange: &Exchange,
        operation: &'static Operation,
        answer: Answer,
    ) -> Response<ReplyBody> {
        match reply::answer(exchange.context(), operation, answer) {
            Ok(response) => {
                self.note(exchange, response.status().as_u16());
                response
            }
            Err(reply::Unknown(member)) => {
                let what = format_args!(
                    "{} answered {member}, which its model does not have",
                    operation.name
                );
                self.failed(exchange, &ApiError::internal(exchange.service, what))
            }
        }
    }

    fn failed(&self, exchange: &Exchange, error: &ApiError) -> Response<ReplyBody> {
        let response = reply::error(exchange.context(), error);
        self.note(exchange, response.status().as_u16());
        response
    }

    fn note(&self, exchange: &Exchange, status: u16) {
        let operation = exchange.operation.map_or("-", |operation| operation.name);
        self.cloud
            .calls
            .add(exchange.service.name(), operation, status);
    }

    /// What goes wrong with the reply.
    fn after(
        &self,
        exchange: &Exchange,
        fault: Fault,
        response: Response<ReplyBody>,
    ) -> Result<Response<ReplyBody>, Hangup> {
        Ok(match fault {
            Fault::ResetAfter => {
                self.note(exchange, 0);
                return Err(Hangup);
            }
            Fault::FailAfter(status) => {
                self.failed(exchange, &on_purpose(exchange.service, status))
            }
            Fault::Truncate(after) => response.map(|body| body.cut(after)),
            Fault::Corrupt => response.map(ReplyBody::turned),
            _ => response,
        })
    }

    async fn function_url(
        &self,
        parts: Parts,
        body: Incoming,
        url_id: String,
        region: String,
        path_and_query: String,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let body = match body::read(body, limits::FUNCTION_URL).await {
            Ok(body) => body,
            Err(ReadError::Broken) => return Err(Hangup),
            Err(ReadError::TooLarge) => {
                return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "{\"Message\":null}"));
            }
        };
        let fault = self.cloud.faults.strike("lambda", "InvokeFunctionUrl");
        if let Some(fault) = &fault {
            if let Some(error) = before(Service::Lambda, fault).await? {
                let status = error.status.unwrap_or(500);
                self.cloud.calls.add("lambda", "InvokeFunctionUrl", status);
                let status = StatusCode::from_u16(status).unwrap_or_default();
                return Ok(plain(status, "{\"Message\":null}"));
            }
        }
        let call = url::UrlCall {
            url_id,
            region,
            parts,
            path_and_query,
            body,
            request_id: ids::uuid(),
            cloud: Arc::clone(&self.cloud),
        };
        let task = tokio::spawn(url::serve(call));
        let response = task.await.map_err(|_| Hangup)?.map(ReplyBody::from);
        let status = response.status().as_u16();
        self.cloud.calls.add("lambda", "InvokeFunctionUrl", status);
        Ok(match fault {
            Some(Fault::ResetAfter) => return Err(Hangup),
            Some(Fault::FailAfter(status)) => plain(
                StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY),
                "Internal Server Error",
            ),
            Some(Fault::Truncate(after)) => response.map(|body| body.cut(after)),
            Some(Fault::Corrupt) => response.map(ReplyBody::turned),
            _ => response,
        })
    }
}

/// What is known of a request and needed for its reply.
struct Exchange {
    service: Service,
    operation: Option<&'static Operation>,
    head: bool,
    form: bool,
    request_id: String,
}

impl Exchange {
    fn context(&self) -> Context<'_> {
        Context {
            model: Model::of(self.service),
            form: self.form,
            head: self.head,
            request_id: &self.request_id,
        }
    }
}

/// A request that was read.
struct Asked {
    parts: Parts,
    body: Bytes,
    query: Query,
    form: Option<Query>,
    host: Host,
}

fn find_operation(model: &'static Model, asked: &Asked) -> Option<Route> {
    let by_name = |name: &str| {
        Some(Route {
            operation: model.operation(name)?,
            labels: Vec::new(),
        })
    };
    match model.protocol {
        Protocol::RestJson | Protocol::RestXml => {
            let path = asked.parts.uri.path();
            let in_bucket;
            let path = match &asked.host {
                Host::Bucket(bucket) if model.service == Service::S3 => {
                    in_bucket = format!("/{bucket}{path}");
                    &in_bucket
                }
                _ => path,
            };
            let parts = &asked.parts;
            model.route(&parts.method, path, &asked.query, &parts.headers)
        }
        Protocol::Json(_) | Protocol::Query => match &asked.form {
            Some(form) => by_name(form.get("Action")?),
            None => {
                let target = asked.parts.headers.get("x-amz-target")?.to_str().ok()?;
                let (prefix, name) = target.split_once('.')?;
                by_name(name).filter(|_| model.target_prefix == Some(prefix))
            }
        },
    }
}

/// The id, the region and what the function sees of the address, if it is a function's URL.
fn function_url(host: &Host, parts: &Parts) -> Option<(String, String, String)> {
    let path_and_query = parts.uri.path_and_query()?.as_str();
    if let Host::FunctionUrl { id, region } = host {
        return Some((id.clone(), region.clone(), path_and_query.to_owned()));
    }
    let rest = path_and_query.strip_prefix(URL_PATH)?;
    let (region, rest) = rest.split_once('/')?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(end);
    let slash = if rest.starts_with('/') { "" } else { "/" };
    Some((id.to_owned(), region.to_owned(), format!("{slash}{rest}")))
}

/// What an unknown path, target or action is answered with. The wording is guessed but for S3 and the
/// query protocol.
fn unknown_operation(service: Service, asked: &Asked) -> ApiError {
    match service {
        Service::S3 => ApiError::new(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
        )
        .status(405)
        .with("Method", asked.parts.method.as_str()),
        Service::Lambda | Service::Logs => ApiError::new(
            "UnknownOperationException",
            "The operation is not one of this service.",
        )
        .status(if service == Service::Lambda { 404 } else { 400 }),
        Service::Sqs | Service::Sts | Service::Iam => {
            let action = asked.form.as_ref().and_then(|form| form.get("Action"));
            let version = asked.form.as_ref().and_then(|form| form.get("Version"));
            ApiError::new(
                "InvalidAction",
                format!(
                    "Could not find operation {} for version {}",
                    action.unwrap_or("unspecified"),
                    version.unwrap_or("NO_VERSION_SPECIFIED")
                ),
            )
            .status(400)
        }
    }
}

/// What goes wrong before anything is done: an error in place of it, or a connection that is closed.
async fn before(service: Service, fault: &Fault) -> Result<Option<ApiError>, Hangup> {
    Ok(match fault {
        Fault::Throttle(retry_after) => Some(throttled(service, *retry_after)),
        Fault::Fail(status) => Some(on_purpose(service, *status)),
        Fault::ResetBefore => return Err(Hangup),
        Fault::Delay(duration) => {
            tokio::time::sleep(*duration).await;
            None
        }
        _ => None,
    })
}

fn on_purpose(service: Service, status: u16) -> ApiError {
    ApiError::internal(service, "it was told to").status(status)
}

/// Each service's throttling error. Source: the common errors of the API references.
fn throttled(service: Service, retry_after: Option<u32>) -> ApiError {
    let error = match service {
        Service::Lambda => ApiError::new("TooManyRequestsException", "Rate exceeded")
            .status(429)
            .with("Reason", "CallerRateLimitExceeded"),
        Service::S3 => ApiError::new("SlowDown", "Please reduce your request rate.").status(503),
        Service::Sts | Service::Iam => ApiError::new("Throttling", "Rate exceeded").status(400),
        Service::Sqs | Service::Logs => {
            ApiError::new("ThrottlingException", "Rate exceeded").status(400)
        }
    };
    match retry_after {
        Some(seconds) => error.with("retryAfterSeconds", seconds.to_string()),
        None => error,
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::full(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let media = if text.starts_with('{') {
        "application/json"
    } else {
        "text/plain"
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_functions_url_has_two_forms() {
        let parts = |uri: &str| {
            let request = Request::builder().uri(uri).body(()).unwrap();
            request.into_parts().0
        };
        let host = Host::FunctionUrl {
            id: "abc".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let is =
            |id: &str, rest: &str| Some((id.to_owned(), "eu-west-1".to_owned(), rest.to_owned()));
        assert_eq!(function_url(&host, &parts("/a?b=c")), is("abc", "/a?b=c"));
        let plain = |uri| function_url(&Host::Plain, &parts(uri));
        assert_eq!(
            plain("/_anyport/url/eu-west-1/abc/a/?b"),
            is("abc", "/a/?b")
        );
        assert_eq!(plain("/_anyport/url/eu-west-1/abc"), is("abc", "/"));
        assert_eq!(plain("/_anyport/url/eu-west-1/abc?b=c"), is("abc", "/?b=c"));
        assert_eq!(plain("/_anyport/other"), None);
    }
}
