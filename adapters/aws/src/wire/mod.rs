//! Signed requests to the services that are called too seldom for an SDK crate of their own: SQS and CloudWatch Logs.
//!
//! They go through the SDK's own machinery: its HTTP client, its credentials with their cache, its signatures, its timeouts.
//! Requests are built and answers are read by pure functions; [`Wire::send`] is the one place that sends.

pub(crate) mod endpoint;
pub(crate) mod logs;
pub(crate) mod sqs;

use std::borrow::Cow;
use std::convert::Infallible;

use anyport_core::context::Effect;
use anyport_core::error::{Error, Result, Retry};
use aws_config::SdkConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{self, Failure};

const AGENT: &str = concat!("anyport-aws/", env!("CARGO_PKG_VERSION"));

/// A service of AWS's JSON protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Queues. JSON 1.0. Source: SQS service model.
    Sqs,
    /// Log groups. JSON 1.1. Source: CloudWatch Logs service model.
    Logs,
}

impl Service {
    /// Its name in host names and signatures.
    const fn name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Logs => "logs",
        }
    }

    const fn target_prefix(self) -> &'static str {
        match self {
            Self::Sqs => "AmazonSQS",
            Self::Logs => "Logs_20140328",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Sqs => "application/x-amz-json-1.0",
            Self::Logs => "application/x-amz-json-1.1",
        }
    }
}

/// An operation of one of these services: its name, and what its answer is.
pub(crate) trait Operate: Serialize {
    /// What a successful answer holds.
    type Output: DeserializeOwned;
    /// Whose operation it is.
    const SERVICE: Service;
    /// The vendor's own name of it.
    const NAME: &'static str;
}

/// A request, ready to be signed. `Debug` shows no body.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Request {
    /// The request of an operation.
    pub(crate) fn of<O: Operate>(operation: &O) -> Self {
        Self {
            target: format!("{}.{}", O::SERVICE.target_prefix(), O::NAME),
            content_type: O::SERVICE.content_type(),
            // Text and numbers: it cannot fail to encode.
            body: serde_json::to_vec(operation).unwrap_or_default().into(),
        }
    }

    fn into_http(self) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
        let request = http::Request::builder()
            .method("POST")
            .uri("/")
            .header("content-type", self.content_type)
            .header("content-length", self.body.len())
            .header("x-amz-target", self.target)
            .header("user-agent", AGENT)
            .body(SdkBody::from(self.body))?;
        Ok(HttpRequest::try_from(request)?)
    }
}

/// An answer, read whatever its status is. `Debug` shows no body.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: aws_smithy_runtime_api::http::Headers,
    pub(crate) body: Bytes,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How the JSON protocols report errors.
#[derive(Default, Deserialize)]
struct Report<'a> {
    #[serde(rename = "__type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(alias = "Message", borrow, default)]
    message: Option<Cow<'a, str>>,
}

impl Answer {
    /// The output of a successful answer, else the error it reports.
    ///
    /// # Errors
    /// What the service says, or that the answer cannot be read.
    pub(crate) fn read<O: Operate>(
        &self,
        operation: &'static str,
        effect: Effect,
    ) -> Result<O::Output> {
        if !(200..300).contains(&self.status) {
            return Err(self.error(operation, effect));
        }
        // Operations without output answer with nothing at all, or with an empty object.
        let body: &[u8] = if self.body.trim_ascii().is_empty() {
            b"{}"
        } else {
            &self.body
        };
        serde_json::from_slice(body).map_err(|_| {
            // The parser's words may quote the answer.
            Error::new(anyport_core::ErrorKind::Unavailable, operation)
                .because(format_args!("the answer to {} cannot be read", O::NAME))
                .with_retry(Retry::No)
                .may_have_run(!matches!(effect, Effect::Read))
                .from_provider(error::PROVIDER, None)
        })
    }

    fn error(&self, operation: &'static str, effect: Effect) -> Error {
        let report: Report<'_> = serde_json::from_slice(&self.body).unwrap_or_default();
        let mut failure = Failure::read(self.status, &self.headers, &self.body);
        let code = report.kind.as_deref().or(report.code.as_deref());
        failure.code = code.map(error::plain).or(failure.code);
        failure.message = report.message;
        error::answered(operation, effect, &failure)
    }
}

/// The way to these services.
#[derive(Debug)]
pub(crate) struct Wire {
    sqs: Operation<Request, Answer, Infallible>,
    logs: Operation<Request, Answer, Infallible>,
}

impl Wire {
    /// The services of `region`, with what the SDK's clients are made from.
    pub(crate) fn new(sdk: &SdkConfig, region: &str) -> Self {
        Self {
            sqs: operation(sdk, region, Service::Sqs),
            logs: operation(sdk, region, Service::Logs),
        }
    }

    /// Sends one request. `words` say what for.
    ///
    /// # Errors
    /// What the service says, or why there was no answer.
    pub(crate) async fn send<O: Operate>(
        &self,
        words: &'static str,
        effect: Effect,
        operation: &O,
    ) -> Result<O::Output> {
        let service = match O::SERVICE {
            Service::Sqs => &self.sqs,
            Service::Logs => &self.logs,
        };
        let answer = service.invoke(Request::of(operation)).await;
        answer
            .map_err(|failed| error::unanswered(words, effect, failed))?
            .read::<O>(words, effect)
    }
}

fn operation(
    sdk: &SdkConfig,
    region: &str,
    service: Service,
) -> Operation<Request, Answer, Infallible> {
    let mut builder = Operation::builder()
        .service_name(service.name())
        .operation_name(service.name())
        .endpoint_url(&endpoint::url(sdk, region, service.name()))
        .no_retry()
        .timeout_config(
            sdk.timeout_config()
                .cloned()
                .unwrap_or_else(TimeoutConfig::disabled),
        )
        .runtime_plugin(signing(sdk, region, service));
    if let Some(version) = sdk.behavior_version() {
        builder = builder.behavior_version(version);
    }
    if let Some(client) = sdk.http_client() {
        builder = builder.http_client(client);
    }
    if let Some(sleep) = sdk.sleep_impl() {
        builder = builder.sleep_impl(sleep);
    }
    if let Some(time) = sdk.time_source() {
        builder = builder.time_source(time);
    }
    builder
        .serializer(|request: Request| request.into_http())
        .deserializer(|response: &HttpResponse| {
            Ok(Answer {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: Bytes::copy_from_slice(response.body().bytes().unwrap_or_default()),
            })
        })
        .build()
}

/// Signatures of version 4 with the SDK's credentials.
fn signing(sdk: &SdkConfig, region: &str, service: Service) -> StaticRuntimePlugin {
    let mut settings = Layer::new("signing");
    settings.store_put(AuthSchemeOptionResolverParams::new(()));
    settings.store_put(SigV4OperationSigningConfig {
        region: Some(SigningRegion::from(aws_config::Region::new(
            region.to_owned(),
        ))),
        name: Some(SigningName::from_static(service.name())),
        ..SigV4OperationSigningConfig::default()
    });
    let options = StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]);
    let mut parts = RuntimeComponentsBuilder::new("signing")
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(options)));
    if let Some(provider) = sdk.credentials_provider() {
        parts = parts.with_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(provider));
    }
    if let Some(cache) = sdk.identity_cache() {
        parts = parts.with_identity_cache(Some(cache));
    }
    StaticRuntimePlugin::new()
        .with_config(settings.freeze())
        .with_runtime_components(parts)
}

#[cfg(test)]
mod tests;
