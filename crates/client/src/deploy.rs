//! `deploy`: a plan for a spec, applied at once.

use std::sync::Arc;

use anyport_core::content::Content;
use anyport_core::error::Result;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Desired, Force, State};
use anyport_core::spec::{Name, Spec};
use futures_core::Stream;
use futures_util::StreamExt as _;
use tracing::Instrument as _;

use crate::target::Target;

impl Target {
    /// Deploys `spec`: makes it if it is new, changes what differs, does nothing if nothing does. `content` is the artifact's bytes.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan) and [`apply`](Self::apply).
    pub async fn deploy(&self, spec: Spec, content: Arc<dyn Content>) -> Result<Outcome> {
        self.deploy_with(spec, content, Force::default()).await
    }

    /// Deploys `spec` and goes on where `force` says so: although the function is protected, or although its traffic is split.
    ///
    /// # Errors
    /// As for [`plan`](Self::plan) and [`apply`](Self::apply).
    pub async fn deploy_with(
        &self,
        spec: Spec,
        content: Arc<dyn Content>,
        force: Force,
    ) -> Result<Outcome> {
        let desired = self
            .desired(spec.name.clone(), State::Present(Box::new(spec)))
            .with_content(content)
            .with_force(force);
        self.change("deploy", desired).await
    }

    /// Deploys many functions, at most `concurrency` at a time, each when it is its turn: `specs` is read as the stream is.
    /// Results come as they are ready; one failure does not stop the others. Dropping the stream abandons those under way.
    pub fn deploy_all<I>(
        &self,
        specs: I,
        concurrency: usize,
    ) -> impl Stream<Item = (Name, Result<Outcome>)> + use<I>
    where
        I: IntoIterator<Item = (Spec, Arc<dyn Content>)>,
    {
        let target = self.clone();
        futures_util::stream::iter(specs)
            .map(move |(spec, content)| {
                let target = target.clone();
                async move {
                    let name = spec.name.clone();
                    (name, target.deploy(spec, content).await)
                }
            })
            .buffer_unordered(concurrency.max(1))
    }

    /// Makes the plan for `desired` and takes its steps. One observation serves both: the steps' guards notice what changes in between.
    pub(crate) async fn change(&self, verb: &'static str, desired: Desired) -> Result<Outcome> {
        let cx = self.change_cx(verb);
        let span = self.span(verb, desired.name.as_str());
        async {
            let started = cx.now();
            let (plan, seen) = self.make_plan(&cx, verb, desired).await?;
            let mut outcome = self.drive(&cx, verb, plan, seen).await?;
            outcome.duration = cx.now().saturating_sub(started);
            Ok(outcome)
        }
        .instrument(span)
        .await
    }
}
