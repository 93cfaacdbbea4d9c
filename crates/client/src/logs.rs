//! `logs`: what a function wrote.

use anyport_core::call::{LogLine, LogQuery};
use anyport_core::error::Result;
use futures_core::stream::BoxStream;
use tracing::Instrument as _;

use crate::capabilities::{need, unsupported};
use crate::target::Target;

const VERB: &str = "read the logs of";

impl Target {
    /// Log lines, oldest first, read as the stream is. A stream that follows ends only when it is dropped or everything is cancelled.
    ///
    /// # Errors
    /// `Unsupported` where the target has no logs, or none that can be followed; `NotFound`, naming the nearest function; and whatever reading
    /// can fail with.
    pub async fn logs(&self, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        let name = query.name.clone();
        let span = self.span("logs", name.as_str());
        async {
            let logs = need(&self.caps().await?.logs, "logs", VERB, name.as_str())?;
            if query.follow && !logs.follow {
                let hint = "read them again instead of following them";
                return Err(unsupported("logs.follow", hint, VERB, name.as_str()));
            }
            match self.provider().logs(&self.read_cx(VERB), query).await {
                Ok(lines) => Ok(self.until_interrupted(VERB, name.as_str(), None, lines)),
                Err(error) => Err(self.explain(VERB, error, &name).await),
            }
        }
        .instrument(span)
        .await
    }
}
