//! Adapters whose errors are wrong, or say too much.

use anyport_core::call::{Call, Reply};
use anyport_core::context::Ctx;
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::State;
use anyport_core::provider::Provider;
use async_trait::async_trait;

use super::alter::altered;
use super::invoke::doubled;
use super::twist::{Twist, remade};
use super::{Mutant, twisted};

pub(super) const MUTANTS: &[Mutant] = &[
    altered!(
        Provider,
        "names-another-resource",
        "names something else in its errors",
        Failed(|error| error.on("something"))
    ),
    altered!(
        Provider,
        "everything-is-unavailable",
        "has one kind for every failure",
        Failed(|error| remade(error, ErrorKind::Unavailable))
    ),
    altered!(
        Provider,
        "repeats-the-source",
        "prints the source of an error in the error",
        Failed(repeats)
    ),
    twisted!(
        Provider,
        "quotes-the-payload",
        "shows the payload of a call that failed",
        QuotesThePayload
    ),
    altered!(
        Provider,
        "quotes-the-environment",
        "shows the values of variables in its plans",
        Planned(|plan, want| if let State::Present(spec) = &want.state {
            let fields = spec.fields();
            for change in &mut plan.fields {
                let value = fields.get(&change.field).map(|value| value.expose());
                change.to = value.map(str::to_owned);
            }
        })
    ),
    altered!(
        Provider,
        "talks-in-the-clear",
        "sends requests elsewhere without TLS",
        Identified(|identity| identity.endpoint = "http://198.51.100.7:4566".to_owned())
    ),
];

fn repeats(error: Error) -> Error {
    let text = error.to_string();
    let mut outer = Error::new(error.kind().clone(), error.operation().to_owned())
        .may_have_run(error.user_code_may_have_run())
        .because(text);
    if let Some(resource) = error.resource() {
        outer = outer.on(resource);
    }
    outer.with_source(error)
}

struct QuotesThePayload;

#[async_trait]
impl Twist for QuotesThePayload {
    async fn invoke(&self, inner: &dyn Provider, cx: &Ctx, call: Call) -> Result<Reply> {
        let (first, second) = doubled(call).await?;
        let payload = second.body.collect(1 << 30).await?;
        inner
            .invoke(cx, first)
            .await
            .map_err(|error| error.because(format!("sent {}", String::from_utf8_lossy(&payload))))
    }
}
