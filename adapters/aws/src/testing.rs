//! A target whose AWS is a script: each request gets the next answer, and is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyport_core::context::{Admission, Attempt, Ctx, Interrupt, Seam};
use anyport_core::error::{Error, Result};
use anyport_core::spec::Name;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use futures_core::future::BoxFuture;
use serde_json::Value;

use crate::auth::Session;
use crate::config::{Config, Credentials};

/// The id of every answer.
pub(crate) const ID: &str = "e4b46cbf-b738-4e7a-8880-a18cdf61200e";

/// One scripted answer.
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: SdkBody,
}

pub(crate) fn reply(status: u16, body: impl Into<SdkBody>) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

impl Reply {
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn event(self) -> ReplayEvent {
        let mut answer = http::Response::builder()
            .status(self.status)
            .header("x-amzn-requestid", ID);
        for (name, value) in self.headers {
            answer = answer.header(name, value);
        }
        let any = http::Request::builder().body(SdkBody::empty()).unwrap();
        ReplayEvent::new(any, answer.body(self.body).unwrap())
    }
}

/// A target that answers with these, in this order.
pub(crate) struct Scripted {
    pub(crate) session: Arc<Session>,
    pub(crate) cx: Ctx,
    client: StaticReplayClient,
}

pub(crate) async fn scripted(replies: impl IntoIterator<Item = Reply>) -> Scripted {
    let replies = replies.into_iter().map(Reply::event).collect();
    let client = StaticReplayClient::new(replies);
    let config = Config {
        credentials: Credentials::Static {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "secret".to_owned(),
            session_token: None,
        },
        http_client: Some(aws_smithy_runtime_api::client::http::SharedHttpClient::new(
            client.clone(),
        )),
        ..Config::default()
    };
    let url = "lambda://111122223333/eu-west-1".parse().unwrap();
    Scripted {
        session: Arc::new(Session::open(&url, config).await.unwrap()),
        cx: Ctx::new(Arc::new(Clock::default())),
        client,
    }
}

impl Scripted {
    /// What was sent.
    pub(crate) fn sent(&self) -> Vec<&HttpRequest> {
        self.client.actual_requests().collect()
    }

    /// The operations that were sent, and their JSON.
    pub(crate) fn operations(&self) -> Vec<(String, Value)> {
        let sent = self.sent().into_iter().map(|request| {
            let target = header(request, "x-amz-target");
            let name = match target.rsplit_once('.') {
                Some((_, name)) => name.to_owned(),
                None => request.uri().rsplit('/').next().unwrap().to_owned(),
            };
            (name, json(request))
        });
        sent.collect()
    }
}

pub(crate) fn header<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.headers().get(name).unwrap_or_default()
}

pub(crate) fn json(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
}

pub(crate) fn hello() -> Name {
    "hello".parse().unwrap()
}

/// A seam whose pauses are over at once, and are counted.
#[derive(Default)]
struct Clock(Mutex<Duration>);

impl Seam for Clock {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        *self.0.lock().unwrap() += time;
        Box::pin(std::future::ready(()))
    }

    fn interrupted(&self, _: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        Box::pin(std::future::pending())
    }

    fn jitter(&self) -> f64 {
        0.5
    }

    fn before(&self, _: &Attempt<'_>) -> Admission {
        Admission::Go
    }

    fn after(&self, _: &Attempt<'_>, _: Duration, _: Option<&Error>) -> Result<()> {
        Ok(())
    }
}
