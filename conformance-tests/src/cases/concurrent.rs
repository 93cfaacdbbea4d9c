//! Several clients at once on one name.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyport_core::Digest;
use anyport_core::call::{Accepted, Call, DeadLetter, Identity, LogLine, LogQuery, Reply};
use anyport_core::capability::{Capabilities, Lock};
use anyport_core::content::Content;
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Desired, Observed, Plan, Step};
use anyport_core::provider::{Cursor, Page, Provider, Scope};
use anyport_core::spec::Name;
use anyport_core::target::TargetUrl;
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use tokio::sync::Semaphore;

use super::{Budget, Case, case};
use crate::scene::{Scene, is_conflict, owner};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("deploy/concurrent", concurrent, Budget::LARGE),
    case!("deploy/lost-update", lost_update),
];

/// Clients that deploy at the same time leave what one of them asked, and who was refused is told so.
async fn concurrent(scene: &Scene) -> Verdict {
    let name = scene.name("at-once");
    let clients = [
        Arc::new(scene.client().await?),
        Arc::new(scene.client().await?),
        Arc::new(scene.client().await?),
    ];
    for round in 0..3 {
        let mut racing = Vec::new();
        for (number, client) in clients.iter().enumerate() {
            let variant = format!("r{round}-{number}");
            let spec = client.spec(&name, &variant).build()?;
            let client = Arc::clone(client);
            racing.push(tokio::spawn(
                async move { (variant, client.put(spec).await) },
            ));
        }
        let mut won = Vec::new();
        for racer in racing {
            match racer.await {
                Ok((variant, Ok(_))) => won.push(variant),
                Ok((_, Err(error))) => ensure!(
                    is_conflict(&error),
                    "a deploy that lost a race failed with {}",
                    Chain(&error)
                ),
                Err(error) => fail!("a deploy panicked: {error}"),
            }
        }
        ensure!(
            !won.is_empty(),
            "of three deploys at once, none came through"
        );
        clients[0].settle().await;
        let serves = clients[0].variant(&name).await?;
        ensure!(
            won.contains(&serves),
            "{serves} serves, and only {} came through",
            won.join(", ")
        );
        for client in &clients {
            client.serves(&name, &serves).await?;
        }
    }
    let listed = clients[0].status(&name).await?;
    ensure!(
        listed.residue.is_empty(),
        "races left something half-made: {}",
        listed.residue.join(", ")
    );
    Ok(Pass::Holds)
}

/// A deploy that somebody overtakes notices: before its first step, and between two of them.
async fn lost_update(scene: &Scene) -> Verdict {
    for free in [0, 1] {
        overtaken(scene, free).await?;
    }
    Ok(Pass::Holds)
}

async fn overtaken(scene: &Scene, free: u32) -> Result<(), Stop> {
    let name = scene.name(&format!("overtaken-{free}"));
    let other = scene.client().await?;
    other.deployed(&name, "a").await?;
    let gate = Arc::new(Gate::new(scene.provider().await?, free));
    let slow = scene.client_over(Arc::clone(&gate) as _, owner(), None);
    let slow = Arc::new(slow.await?);
    let spec = slow.spec(&name, "slow").build()?;
    let deploying = tokio::spawn({
        let slow = Arc::clone(&slow);
        async move { slow.put(spec).await }
    });
    crate::scene::until("a deploy to reach its next step", async || {
        Ok(gate.has_arrived() || deploying.is_finished())
    })
    .await?;
    let overtaking = other.deployed(&name, "fast").await;
    gate.open();
    let result = match deploying.await {
        Ok(result) => result,
        Err(error) => fail!("a deploy panicked: {error}"),
    };
    overtaking?;
    slow.settle().await;
    match (result, slow.caps().deploy.lock) {
        (Ok(_), Lock::Etag) => fail!(
            "after {free} steps a deploy overwrote one that it had not seen, and did not notice"
        ),
        (Err(error), _) => {
            ensure!(
                is_conflict(&error),
                "a deploy that was overtaken after {free} steps failed with {}",
                Chain(&error)
            );
            other.serves(&name, "fast").await
        }
        (Ok(_), _) => other.serves(&name, "slow").await,
    }
}

/// A provider that waits, until it is let through, before every step after the first `free` ones and before the last.
struct Gate {
    inner: Arc<dyn Provider>,
    free: u32,
    arrived: AtomicBool,
    open: Semaphore,
}

impl Gate {
    fn new(inner: Arc<dyn Provider>, free: u32) -> Self {
        Self {
            inner,
            free,
            arrived: AtomicBool::new(false),
            open: Semaphore::new(0),
        }
    }

    fn has_arrived(&self) -> bool {
        self.arrived.load(Ordering::SeqCst)
    }

    fn open(&self) {
        self.open.add_permits(1_000);
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Provider for Gate {
    fn id(&self) -> &TargetUrl {
        self.inner.id()
    }

    async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        self.inner.identify(cx).await
    }

    async fn discover(&self, cx: &Ctx) -> Result<Capabilities> {
        self.inner.discover(cx).await
    }

    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        self.inner.observe(cx, name).await
    }

    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
        self.inner.list(cx, scope, after).await
    }

    fn plan(&self, caps: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
        self.inner.plan(caps, want, seen)
    }

    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let last = plan.steps.len() as u32 == step.number;
        if step.number > self.free || last {
            self.arrived.store(true, Ordering::SeqCst);
            if let Ok(permit) = self.open.acquire().await {
                permit.forget();
            }
        }
        self.inner.apply(cx, plan, step, out).await
    }

    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply> {
        self.inner.invoke(cx, call).await
    }

    async fn enqueue(&self, cx: &Ctx, call: Call) -> Result<Accepted> {
        self.inner.enqueue(cx, call).await
    }

    async fn dead_letters(
        &self,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        self.inner.dead_letters(cx, name).await
    }

    async fn artifact(&self, cx: &Ctx, name: &Name, digest: Digest) -> Result<Arc<dyn Content>> {
        self.inner.artifact(cx, name, digest).await
    }

    async fn logs(&self, cx: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.inner.logs(cx, query).await
    }

    fn raw(&self) -> &(dyn Any + Send + Sync) {
        self.inner.raw()
    }
}
