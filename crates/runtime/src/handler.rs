//! The shapes a handler can have.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use pin_project_lite::pin_project;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Context, Error, Request, Response};

/// What every driver calls: a handler with its state, if it has one.
pub(crate) trait Service: Send + Sync + 'static {
    fn call(
        &self,
        request: Request,
        context: Context,
    ) -> impl Future<Output = Result<Response, Error>> + Send;
}

pub(crate) struct Stateless<F>(pub(crate) F);

impl<F, Fut, R> Service for Stateless<F>
where
    F: Fn(Request, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send,
    R: Into<Response>,
{
    async fn call(&self, request: Request, context: Context) -> Result<Response, Error> {
        (self.0)(request, context).await.map(Into::into)
    }
}

pub(crate) struct Stateful<S, F> {
    pub(crate) state: Arc<S>,
    pub(crate) handler: F,
}

impl<S, F, Fut, R> Service for Stateful<S, F>
where
    S: Send + Sync + 'static,
    F: Fn(Arc<S>, Request, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, Error>> + Send,
    R: Into<Response>,
{
    async fn call(&self, request: Request, context: Context) -> Result<Response, Error> {
        (self.handler)(Arc::clone(&self.state), request, context)
            .await
            .map(Into::into)
    }
}

/// A handler that takes and returns typed values, as one that [`serve`](crate::serve) takes.
///
/// The payload is read as JSON whatever its content type says; one that does not fit is a handled
/// error of type `InvalidInput`.
///
/// ```no_run
/// use anyport_runtime::{Context, Error, json, serve};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Deserialize)]
/// struct Order { amount: u32 }
/// #[derive(Serialize)]
/// struct Receipt { total: u32 }
///
/// async fn checkout(order: Order, _: Context) -> Result<Receipt, Error> {
///     Ok(Receipt { total: order.amount + 1 })
/// }
///
/// fn main() -> std::process::ExitCode {
///     serve(json(checkout))
/// }
/// ```
pub fn json<I, O, F, Fut>(
    handler: F,
) -> impl Fn(Request, Context) -> JsonCall<Fut> + Send + Sync + 'static
where
    I: DeserializeOwned,
    O: Serialize,
    F: Fn(I, Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, Error>> + Send,
{
    move |request, context| match request.json() {
        Ok(input) => JsonCall::Running {
            call: handler(input, context),
        },
        Err(error) => JsonCall::Refused { error: Some(error) },
    }
}

pin_project! {
    /// One call of a [`json`] handler.
    #[project = JsonCallState]
    #[allow(missing_docs)]
    pub enum JsonCall<Fut> {
        #[doc(hidden)]
        Refused { error: Option<Error> },
        #[doc(hidden)]
        Running { #[pin] call: Fut },
    }
}

impl<Fut, O> Future for JsonCall<Fut>
where
    Fut: Future<Output = Result<O, Error>>,
    O: Serialize,
{
    type Output = Result<Response, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            JsonCallState::Refused { error } => match error.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Poll::Pending,
            },
            JsonCallState::Running { call } => call.poll(cx).map(|done| Response::json(&done?)),
        }
    }
}
