//! One call of the SDK's control plane: admitted, paced, and read by the one table of errors.

use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{ErrorKind, Result};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::auth::Session;
use crate::error;
use crate::pace::Lane;

impl Session {
    /// Makes one call on `resource`. `words` say what for, to people; `operation` is AWS's name for it.
    ///
    /// # Errors
    /// What AWS says, or why there was no answer.
    pub(crate) async fn call<T, E, F, Fut>(
        &self,
        cx: &Ctx,
        operation: &'static str,
        words: &'static str,
        effect: Effect,
        resource: &str,
        send: F,
    ) -> Result<T>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        let lane = match operation {
            "GetFunction" => Lane::Functions,
            _ => Lane::Control,
        };
        cx.call(operation, effect, resource, || {
            let sent = &send;
            async move {
                self.pace.turn(cx, lane).await?;
                sent().await.map_err(|failed| {
                    let error = error::sdk(words, effect, failed);
                    if matches!(error.kind(), ErrorKind::Throttled { .. }) {
                        self.pace.refused(cx.now(), lane);
                    }
                    error
                })
            }
        })
        .await
    }
}
