//! A client of the place under test, with the few phrases that cases are written in.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyport_client::{Removal, Target};
use anyport_core::call::{Call, LogQuery};
use anyport_core::capability::{Capabilities, Fit, Sizes, Support};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::Outcome;
use anyport_core::plan::State;
use anyport_core::spec::{Delivery, Name, Spec, SpecBuilder};
use anyport_testkit::Packed;
use anyport_testkit::probe::{Command, VARIANT};
use futures_util::StreamExt as _;
use serde_json::Value;

use crate::seam::{Recorded, Script};
use crate::verdict::{Stop, ensure};

/// How long the suite waits for something that happens by itself.
const PATIENCE: Duration = Duration::from_secs(15);
/// The most bytes of a reply that cases read.
const REPLY: u64 = 256 << 20;

/// A [`Target`] over the suite's seam, with the probe at hand.
pub struct Client {
    target: Target,
    script: Arc<Script>,
    caps: Arc<Capabilities>,
    probe: Packed,
}

impl Deref for Client {
    type Target = Target;

    fn deref(&self) -> &Target {
        &self.target
    }
}

impl Client {
    pub(super) async fn new(
        target: Target,
        script: Arc<Script>,
        probe: Packed,
    ) -> Result<Self, Stop> {
        let caps = target.capabilities().await?;
        Ok(Self {
            target,
            script,
            caps,
            probe,
        })
    }

    /// The seam under it.
    #[must_use]
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// The seam under it, to be kept.
    #[must_use]
    pub fn shared_script(&self) -> Arc<Script> {
        Arc::clone(&self.script)
    }

    /// What the target can do.
    #[must_use]
    pub fn caps(&self) -> &Capabilities {
        &self.caps
    }

    /// A spec of the probe, small, that reports `variant`.
    #[must_use]
    pub fn spec(&self, name: &Name, variant: &str) -> SpecBuilder {
        self.spec_of(&self.probe, name, variant)
    }

    /// A spec of an artifact, small, with `variant` in its environment.
    #[must_use]
    pub fn spec_of(&self, packed: &Packed, name: &Name, variant: &str) -> SpecBuilder {
        let memory = fitting(&self.caps.resources.memory_mb, 256);
        let timeout = fitting(&self.caps.resources.timeout_ms, 20_000);
        Spec::builder(name.as_str(), packed.artifact.clone())
            .memory_mb(u32::try_from(memory).unwrap_or(u32::MAX))
            .timeout(Duration::from_millis(timeout))
            .env(VARIANT, variant)
    }

    /// So many attempts, as soon after each other as can be asked here.
    #[must_use]
    pub fn delivery(&self, attempts: u8) -> Delivery {
        let mut delivery = Delivery {
            attempts,
            ..Delivery::default()
        };
        let enqueue = self.caps.enqueue.get();
        if enqueue.is_some_and(|it| matches!(it.backoff, Support::Native(()))) {
            delivery.backoff = Duration::from_millis(1);
        }
        delivery
    }

    /// Deploys a spec of the probe.
    ///
    /// # Errors
    /// As for `deploy`.
    pub async fn put(&self, spec: Spec) -> Result<Outcome> {
        self.target
            .deploy(spec, Arc::clone(&self.probe.content))
            .await
    }

    /// Deploys a spec of another artifact.
    ///
    /// # Errors
    /// As for `deploy`.
    pub async fn put_of(&self, packed: &Packed, spec: Spec) -> Result<Outcome> {
        self.target.deploy(spec, Arc::clone(&packed.content)).await
    }

    /// Deploys a spec without the artifact's bytes: for specs that are refused before those are read.
    ///
    /// # Errors
    /// As for `apply`.
    pub async fn put_any(&self, spec: Spec) -> Result<Outcome> {
        let state = State::Present(Box::new(spec.clone()));
        let plan = self.target.plan(self.desired(spec.name, state)).await?;
        self.target.apply(plan).await
    }

    /// Deploys the probe as `variant`, and waits as long as the target may take to settle.
    ///
    /// # Errors
    /// When it does not come to be.
    pub async fn deployed(&self, name: &Name, variant: &str) -> Result<Outcome, Stop> {
        let outcome = self.put(self.spec(name, variant).build()?).await?;
        self.settle().await;
        Ok(outcome)
    }

    /// Takes up a deploy that somebody dropped, cancelled or was cut off from.
    ///
    /// # Errors
    /// When it does not come to be.
    pub async fn taken_up(&self, spec: &Spec) -> Result<Outcome, Stop> {
        let outcome = self
            .once_free(async || self.put(spec.clone()).await)
            .await?;
        self.settle().await;
        Ok(outcome)
    }

    /// Does `verb` after a change whose client went away: that change may still be under way, and until it has ended is a `Conflict`.
    ///
    /// # Errors
    /// When it fails otherwise, or the change does not end.
    pub async fn once_free(
        &self,
        mut verb: impl AsyncFnMut() -> Result<Outcome>,
    ) -> Result<Outcome, Stop> {
        let mut outcome = None;
        until("a change that was left to end", async || {
            match verb().await {
                Ok(done) => outcome = Some(done),
                Err(error) if is_conflict(&error) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(outcome.is_some())
        })
        .await?;
        outcome.ok_or_else(|| Stop::Failed("a change came to nothing".to_owned()))
    }

    /// Waits as long as the target may take to settle.
    pub async fn settle(&self) {
        let time = self.caps.deploy.settles_within;
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// The call that asks the probe for something.
    #[must_use]
    pub fn call(&self, name: &Name, command: &Command) -> Call {
        Call::new(name.clone(), command.to_payload())
    }

    /// Asks the probe for something and reads its JSON answer.
    ///
    /// # Errors
    /// As for `invoke`.
    pub async fn ask(&self, name: &Name, command: &Command) -> Result<Value> {
        answer(self.target.invoke(self.call(name, command)).await?).await
    }

    /// The variant that answers.
    ///
    /// # Errors
    /// As for `invoke`.
    pub async fn variant(&self, name: &Name) -> Result<String> {
        let who = self.ask(name, &Command::Who).await?;
        Ok(who["variant"].as_str().unwrap_or("(none)").to_owned())
    }

    /// Fails the case unless this variant answers.
    ///
    /// # Errors
    /// When another one does, or none.
    pub async fn serves(&self, name: &Name, variant: &str) -> Result<(), Stop> {
        let seen = self.variant(name).await?;
        ensure!(
            seen == variant,
            "{name} should serve variant {variant} and serves {seen}"
        );
        Ok(())
    }

    /// Removes a function with all of its events.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub async fn gone(&self, name: &Name) -> Result<(), Stop> {
        let removal = Removal::default().purge(true).force(true);
        self.target.remove(name, removal).await?;
        Ok(())
    }

    /// The log lines of a function that contain `text`.
    ///
    /// # Errors
    /// As for `logs`.
    pub async fn lines(&self, name: &Name, text: &str) -> Result<Vec<String>> {
        let mut lines = self.target.logs(LogQuery::new(name.clone())).await?;
        let mut found = Vec::new();
        while let Some(line) = lines.next().await {
            let line = line?.text;
            if line.contains(text) {
                found.push(line);
            }
        }
        Ok(found)
    }

    /// Calls since there were `from` of them that change something.
    #[must_use]
    pub fn writes_since(&self, from: usize) -> Vec<Recorded> {
        let mut calls = self.script.since(from);
        calls.retain(Recorded::is_write);
        calls
    }
}

/// Whether the error says that somebody else came first, also when some steps were done before that.
pub(crate) fn is_conflict(error: &Error) -> bool {
    let kind = |error: &Error| {
        matches!(
            error.kind(),
            ErrorKind::Conflict | ErrorKind::AlreadyExists { .. }
        )
    };
    let mut found = kind(error);
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        found |= cause.downcast_ref().is_some_and(kind);
        source = cause.source();
    }
    found
}

/// Runs `work` and measures how late timers were meanwhile: a busy machine is nobody's fault.
pub(crate) async fn with_lag<T>(work: impl Future<Output = T>) -> (T, Duration, Duration) {
    const BEAT: Duration = Duration::from_millis(5);
    let started = Instant::now();
    let mut lag = Duration::ZERO;
    let mut work = std::pin::pin!(work);
    loop {
        let beat = Instant::now();
        tokio::select! {
            done = &mut work => return (done, started.elapsed(), lag),
            () = tokio::time::sleep(BEAT) => lag = lag.max(beat.elapsed().saturating_sub(BEAT)),
        }
    }
}

/// The nearest size to `want` that exists.
pub(crate) fn fitting(sizes: &Sizes, want: u64) -> u64 {
    match sizes.fit(want) {
        Fit::Exact => want,
        Fit::Up(size) | Fit::Outside(size) => size,
    }
}

/// The JSON in a reply.
pub(crate) async fn answer(reply: anyport_core::call::Reply) -> Result<Value> {
    let bytes = reply.body.collect(REPLY).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::new(ErrorKind::Unavailable, "read the probe's answer")
            .because("it is not JSON")
            .with_source(error)
    })
}

/// Asks again and again until the answer is yes.
///
/// # Errors
/// When it still is not after a while: the case fails with `what`.
pub(crate) async fn until<F>(what: &str, mut ask: F) -> Result<(), Stop>
where
    F: AsyncFnMut() -> Result<bool, Stop>,
{
    let started = Instant::now();
    while !ask().await? {
        ensure!(
            started.elapsed() < PATIENCE,
            "waited {PATIENCE:?} in vain for {what}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
