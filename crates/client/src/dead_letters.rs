//! `dead_letters`: events that were given up.

use anyport_core::call::DeadLetter;
use anyport_core::error::Result;
use anyport_core::spec::Name;
use futures_core::stream::BoxStream;
use tracing::Instrument as _;

use crate::capabilities::need;
use crate::target::Target;

const VERB: &str = "read the dead letters of";

impl Target {
    /// The events of `name` that were given up, oldest first, read as the stream is.
    ///
    /// # Errors
    /// `Unsupported` where the target has no asynchronous calls; `NotFound`, naming the nearest function; and whatever reading can fail with.
    pub async fn dead_letters(
        &self,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        async {
            need(&self.caps().await?.enqueue, "enqueue", VERB, name.as_str())?;
            match self
                .provider()
                .dead_letters(&self.read_cx(VERB), name)
                .await
            {
                Ok(letters) => Ok(self.until_interrupted(VERB, name.as_str(), None, letters)),
                Err(error) => Err(self.explain(VERB, error, name).await),
            }
        }
        .instrument(self.span("dead_letters", name.as_str()))
        .await
    }
}
