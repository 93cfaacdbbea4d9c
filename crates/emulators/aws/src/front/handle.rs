//! One request: whose, for what, and how it is answered.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use tokio::sync::watch;

use super::body::{self, ReadError, ReplyBody};
use super::host::Host;
use super::operation::{self, Asked};
use super::parse::{self, Raw};
use super::reply::{self, Context};
use super::server::{Phase, reached};
use super::service::{self, Destination};
use super::throttle::Throttle;
use super::{faults, function_url, ids, limits};
use crate::answer::{Answer, ApiError};
use crate::call::{Call, CallCx, Service};
use crate::cloud::Cloud;
use crate::fault::Fault;
use crate::model::{Model, Operation, Protocol, Query, Route};
use crate::services;
use crate::sigv4;

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
        if let Some(address) = function_url::address(&host, &parts) {
            return self.function_url(address, parts, body).await;
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
        let endpoint = &self.cloud.endpoint;
        let response = match body::read(body, limit).await {
            Ok(body) => {
                let asked = ask(&mut exchange, destination, parts, body, (host, endpoint));
                self.serve(&mut exchange, asked).await
            }
            Err(ReadError::Broken) => Err(Hangup),
            Err(ReadError::TooLarge) => {
                let path = parts.uri.path();
                let error = limits::too_large(exchange.service, path, limit);
                Ok(reply::error(exchange.context(), &error))
            }
        };
        let status = response
            .as_ref()
            .map_or(0, |response| response.status().as_u16());
        let operation = exchange.operation.map_or("-", |operation| operation.name);
        self.cloud
            .calls
            .add(exchange.service.name(), operation, status);
        response
    }

    /// Answers a request whose service is known.
    async fn serve(
        &self,
        exchange: &mut Exchange,
        mut asked: Asked,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let cloud = &self.cloud;
        let service = exchange.service;
        let model = Model::of(service);
        let route = operation::find(model, &asked);
        exchange.operation = route.as_ref().map(|route| route.operation);
        let failed = |exchange: &Exchange, error| Ok(reply::error(exchange.context(), &error));
        let body = std::mem::take(&mut asked.body);
        let verified = match sigv4::verify(cloud, service, &asked.parts, body) {
            Ok(verified) => verified,
            Err(error) => return failed(exchange, error),
        };
        let Some(route) = route else {
            return failed(exchange, operation::unknown(service, &asked));
        };
        let operation = route.operation;
        let fault = cloud.faults.strike(service.name(), operation.name);
        if let Some(fault) = &fault
            && let Some(error) = faults::before(service, fault).await?
        {
            return failed(exchange, error);
        }
        let cx = CallCx {
            request_id: exchange.request_id.clone(),
            account: if verified.caller.account.is_empty() {
                cloud.config.account.clone()
            } else {
                verified.caller.account.clone()
            },
            caller: verified.caller,
            region: verified.region,
            cloud: Arc::clone(cloud),
        };
        let passed = self.throttle.pass(
            &cloud.config.limits,
            &cloud.clock,
            (service, operation.name),
            &cx.account,
            &cx.region,
        );
        let result = match passed {
            Ok(()) if operation.served => {
                asked.parts.headers.extend(verified.trailers);
                asked.body = verified.body;
                self.call(service, model, route, asked, cx).await
            }
            Ok(()) => Err(ApiError::not_served(service, operation.name)),
            Err(error) => Err(error),
        };
        let response = match result {
            Ok(answer) => answered(exchange, operation, answer),
            Err(error) => reply::error(exchange.context(), &error),
        };
        match fault {
            None => Ok(response),
            Some(Fault::ResetAfter) => Err(Hangup),
            Some(Fault::FailAfter(status)) => failed(exchange, faults::on_purpose(service, status)),
            Some(fault) => Ok(faults::spoil(&fault, response)),
        }
    }

    /// Parses the input and calls the service.
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
        let broke_off =
            || ApiError::internal(service, format_args!("{} broke off", operation.name));
        self.until_the_end(services::call(call))
            .await
            .ok_or_else(broke_off)?
    }

    /// Goes on with what a client asked for also when the client hangs up, as AWS does, until the server
    /// ends. `None` when it did not come to its end.
    pub(super) async fn until_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let mut phase = self.phase.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                done = work => Some(done),
                () = reached(&mut phase, Phase::Ending) => None,
            }
        });
        task.await.ok().flatten()
    }
}

fn answered(
    exchange: &Exchange,
    operation: &'static Operation,
    answer: Answer,
) -> Response<ReplyBody> {
    reply::answer(exchange.context(), operation, answer).unwrap_or_else(|reply::Unknown(member)| {
        let name = operation.name;
        let what = format_args!("{name} answered {member}, which its model does not have");
        reply::error(
            exchange.context(),
            &ApiError::internal(exchange.service, what),
        )
    })
}

/// Puts together what was read of a request, and finds the service of a form.
fn ask(
    exchange: &mut Exchange,
    destination: Destination,
    parts: Parts,
    body: Bytes,
    (host, endpoint): (Host, &str),
) -> Asked {
    let text = parts.uri.query().unwrap_or_default();
    let query = Query::parse(text);
    let mut form = None;
    if service::is_form(&parts) && parts.method == http::Method::POST {
        let parsed = Query::parse(&String::from_utf8_lossy(&body));
        if destination == Destination::Form {
            exchange.service = service::by_version(&parsed).unwrap_or(Service::S3);
        }
        form = Some(parsed);
    } else if query.has("Action") {
        form = Some(Query::parse(text));
    }
    let protocol = Model::of(exchange.service).protocol;
    let rest = matches!(protocol, Protocol::RestJson | Protocol::RestXml);
    if rest || parts.headers.contains_key("x-amz-target") {
        form = None;
    }
    if let (Service::Sqs, Some(form)) = (exchange.service, &mut form)
        && parts.uri.path().len() > 1
    {
        // A form may be sent to the queue's own address.
        form.add_default("QueueUrl", format!("{endpoint}{}", parts.uri.path()));
    }
    exchange.form = form.is_some();
    Asked {
        parts,
        body,
        query,
        form,
        host,
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

pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<ReplyBody> {
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
