//! A seam that cuts calls off, over the real one, and everything a test needs to begin.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyport_client::{Calls, Cancel, LiveSeam, Options, Target};
use anyport_core::context::{Admission, Attempt, Effect, Interrupt, Seam};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::mark::Owner;
use anyport_core::spec::{Artifact, Name, Packaging, Protocol, Spec, SpecBuilder};
use anyport_core::{Digest, content::InMemory};
use futures_core::future::BoxFuture;

use crate::memory::Memory;

/// Where the next cut is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The call with this number, from 1, is not sent.
    Before(u64),
    /// The call with this number is sent and its reply is lost.
    After(u64),
}

/// The real seam with one cut. What is cut off is not retried: it stands for a process that was killed there.
pub(crate) struct Script {
    live: LiveSeam,
    cut: Option<Cut>,
    sent: AtomicU64,
}

impl Script {
    pub(crate) fn new(cut: Option<Cut>) -> Arc<Self> {
        Arc::new(Self {
            live: LiveSeam::new(Cancel::new(), Calls::default(), None),
            cut,
            sent: AtomicU64::new(0),
        })
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

impl Seam for Script {
    fn now(&self) -> Duration {
        self.live.now()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        self.live.sleep(time)
    }

    fn interrupted(&self, deadline: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        self.live.interrupted(deadline)
    }

    fn jitter(&self) -> f64 {
        0.5
    }

    fn before(&self, attempt: &Attempt<'_>) -> Admission {
        let number = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
        if self.cut == Some(Cut::Before(number)) {
            return Admission::Refuse(Error::new(ErrorKind::Cancelled, attempt.operation));
        }
        Admission::Go
    }

    fn after(&self, attempt: &Attempt<'_>, _: Duration, _: Option<&Error>) -> Result<()> {
        if self.cut == Some(Cut::After(self.sent())) {
            let happened = attempt.effect != Effect::Read;
            return Err(Error::new(ErrorKind::Cancelled, attempt.operation).may_have_run(happened));
        }
        Ok(())
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn owner() -> Owner {
    Owner::new("payments", "test")
}

pub(crate) fn bytes(code: &str) -> Arc<InMemory> {
    Arc::new(InMemory::new(code.as_bytes().to_vec()))
}

/// A builder for a function called `function` that runs `code`.
pub(crate) fn function(function: &str, code: &str) -> SpecBuilder {
    let packaging = Packaging::Zip {
        protocol: Protocol::RuntimeApi,
    };
    let size = code.len() as u64;
    let artifact = Artifact::new(packaging, Digest::of(code.as_bytes())).with_sizes(size, size);
    Spec::builder(function, artifact)
}

pub(crate) fn spec(name: &str, code: &str) -> Spec {
    function(name, code).build().unwrap()
}

pub(crate) fn options() -> Options {
    Options::new(owner())
}

pub(crate) fn target(memory: &Arc<Memory>) -> Target {
    Target::new(memory.clone(), options())
}

/// A target whose calls are cut at `cut`, and its seam.
pub(crate) fn cut_target(memory: &Arc<Memory>, cut: Option<Cut>) -> (Target, Arc<Script>) {
    let script = Script::new(cut);
    let target = Target::new(memory.clone(), options().with_seam(script.clone()));
    (target, script)
}

/// Deploys `code` as `function`, which must work.
pub(crate) async fn deployed(target: &Target, function: &str, code: &str) {
    target
        .deploy(spec(function, code), bytes(code))
        .await
        .unwrap();
}
