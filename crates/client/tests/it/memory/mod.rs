//! A provider in memory: every call goes through the seam, and can be told to fail or to hang.

mod plan;
mod world;

use std::any::Any;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyport_core::Digest;
use anyport_core::call::{
    Accepted, Body, Call, DeadLetter, Identity, LogLine, LogQuery, Qualifier, Reply,
};
use anyport_core::capability::{
    Artifacts, Capabilities, DeliveredBy, Deploy, Enqueue, Governance, Invoke, Lock, Logs,
    Resources, Sizes, StartCheck, Support, Switch, Traffic, Versions,
};
use anyport_core::content::{Content, InMemory};
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Desired, Observed, Plan, Step};
use anyport_core::provider::{Cursor, Entry, Page, Provider, Scope, Summary};
use anyport_core::spec::{Arch, Name};
use anyport_core::target::TargetUrl;
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;

pub(crate) use world::{Function, World};

/// Entries on one page of a listing.
pub(crate) const PAGE: usize = 2;
/// The largest request payload.
pub(crate) const MAX_REQUEST: u64 = 1000;

pub(crate) struct Memory {
    url: TargetUrl,
    caps: Capabilities,
    pub(crate) world: Mutex<World>,
    /// Errors that the next attempts answer with.
    pub(crate) errors: Mutex<VecDeque<Error>>,
    /// Whether calls never answer.
    pub(crate) hangs: AtomicBool,
    /// Whether `plan` leaves everything to `Target`.
    pub(crate) careless: bool,
    /// Calls under way now, and the most there were.
    pub(crate) in_flight: AtomicUsize,
    pub(crate) most_in_flight: AtomicUsize,
}

impl Memory {
    pub(crate) fn with(caps: Capabilities) -> Self {
        Self {
            url: "memory://test".parse().unwrap(),
            caps,
            world: Mutex::default(),
            errors: Mutex::default(),
            hangs: AtomicBool::new(false),
            careless: false,
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        }
    }

    pub(crate) fn new() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self::with(everything()))
    }

    pub(crate) fn fail_next(&self, error: Error) {
        self.errors.lock().unwrap().push_back(error);
    }

    async fn send<T: Send>(
        &self,
        cx: &Ctx,
        operation: &'static str,
        effect: Effect,
        resource: &str,
        work: impl Fn(&mut World) -> Result<T> + Send + Sync,
    ) -> Result<T> {
        let work = &work;
        cx.call(operation, effect, resource, || async move {
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(now, Ordering::SeqCst);
            let _leaves = Leaves(&self.in_flight);
            if self.hangs.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            tokio::task::yield_now().await;
            if let Some(error) = self.errors.lock().unwrap().pop_front() {
                return Err(error);
            }
            work(&mut self.world.lock().unwrap())
        })
        .await
    }
}

struct Leaves<'a>(&'a AtomicUsize);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Provider for Memory {
    fn id(&self) -> &TargetUrl {
        &self.url
    }

    async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        self.send(cx, "WhoAmI", Effect::Read, "", |_| {
            Ok(Identity::new("tester", "memory", "in this process", true))
        })
        .await
    }

    async fn discover(&self, cx: &Ctx) -> Result<Capabilities> {
        self.send(cx, "Discover", Effect::Read, "", |_| Ok(self.caps.clone()))
            .await
    }

    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        self.send(cx, "Get", Effect::Read, name.as_str(), |world| {
            Ok(world.functions.get(name).map(|it| it.observed(name)))
        })
        .await
    }

    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
        self.send(cx, "List", Effect::Read, "", |world| {
            let start = after.as_ref().map_or("", |cursor| cursor.0.as_str());
            let mut names: Vec<&Name> = world
                .functions
                .iter()
                .filter(|(name, it)| {
                    name.as_str() > start
                        && match scope {
                            Scope::Owned(owner) => it.owned.is_by(owner),
                            _ => true,
                        }
                })
                .map(|(name, _)| name)
                .take(PAGE + 1)
                .collect();
            let more = names.len() > PAGE;
            names.truncate(PAGE);
            let next = names
                .last()
                .filter(|_| more)
                .map(|last| Cursor(last.to_string()));
            let entry = |name: &&Name| match &world.functions[*name] {
                it if it.unreadable => Entry::Unreadable {
                    name: name.to_string(),
                    why: "damaged".to_owned(),
                },
                it => Entry::Function(Summary::new(name.to_string(), it.owned.clone())),
            };
            Ok(Page::new(names.iter().map(entry).collect(), next))
        })
        .await
    }

    fn plan(&self, _: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
        plan::plan(self.url.as_str(), want, seen, self.careless)
    }

    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let write = Effect::Write { repeatable: true };
        let name = plan.desired.name.as_str();
        let before = out.clone();
        let (done, after) = self
            .send(cx, "Put", write, name, |world| {
                let mut out = before.clone();
                world.take(plan, step, &mut out).map(|done| (done, out))
            })
            .await?;
        *out = after;
        Ok(done)
    }

    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply> {
        let effect = Effect::RunsUserCode { repeatable: false };
        let name = &call.name;
        let version = self
            .send(cx, "Invoke", effect, name.as_str(), |world| {
                let function = world
                    .functions
                    .get(name)
                    .ok_or_else(|| Error::new(ErrorKind::NotFound, "invoke"))?;
                match &call.qualifier {
                    Qualifier::Live => Ok(None),
                    Qualifier::Version(id) if function.has(id) => Ok(Some(id.clone())),
                    Qualifier::Version(_) => Err(Error::new(ErrorKind::NotFound, "invoke")),
                }
            })
            .await?;
        let mut reply = Reply::new(String::new(), call.body);
        reply.version = version;
        reply.content_type = call.content_type;
        Ok(reply)
    }

    async fn enqueue(&self, cx: &Ctx, call: Call) -> Result<Accepted> {
        let effect = Effect::RunsUserCode { repeatable: false };
        let body = call.body.collect(u64::MAX).await?;
        self.send(cx, "Enqueue", effect, call.name.as_str(), |world| {
            let function = world
                .functions
                .get_mut(&call.name)
                .ok_or_else(|| Error::new(ErrorKind::NotFound, "enqueue"))?;
            function.waiting.push(body.clone());
            Ok(Accepted::new(function.waiting.len().to_string(), "dead"))
        })
        .await
    }

    async fn dead_letters(
        &self,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        self.send(cx, "Dead", Effect::Read, name.as_str(), |world| match world
            .functions
            .contains_key(name)
        {
            true => Ok(futures_util::stream::empty().boxed()),
            false => Err(Error::new(ErrorKind::NotFound, "read dead letters")),
        })
        .await
    }

    async fn artifact(&self, cx: &Ctx, name: &Name, digest: Digest) -> Result<Arc<dyn Content>> {
        self.send(cx, "Artifact", Effect::Read, name.as_str(), |_| {
            let content = InMemory::new("one");
            match content.digest() == digest {
                true => Ok(Arc::new(content) as Arc<dyn Content>),
                false => Err(Error::new(ErrorKind::NotFound, "read the artifact of")),
            }
        })
        .await
    }

    async fn logs(&self, cx: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.send(cx, "Logs", Effect::Read, query.name.as_str(), |world| {
            if !world.functions.contains_key(&query.name) {
                return Err(Error::new(ErrorKind::NotFound, "read logs"));
            }
            let line = LogLine::new(std::time::SystemTime::UNIX_EPOCH, "hello");
            let written = futures_util::stream::iter([Ok(line)]);
            Ok(if query.follow {
                written.chain(futures_util::stream::pending()).boxed()
            } else {
                written.boxed()
            })
        })
        .await
    }

    fn raw(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

/// A streamed payload of `pieces` pieces of `size` bytes.
pub(crate) fn streamed(pieces: usize, size: usize) -> Body {
    let piece = bytes::Bytes::from(vec![b'x'; size]);
    Body::Stream(
        futures_util::stream::repeat_with(move || Ok(piece.clone()))
            .take(pieces)
            .boxed(),
    )
}

/// Nothing optional.
pub(crate) fn bare() -> Capabilities {
    let hint = "this target is bare";
    let mut artifacts = Artifacts::none(hint);
    artifacts.zip = Support::Native(());
    artifacts.http = Support::Native(());
    artifacts.archs = vec![Arch::X86_64];
    artifacts.max_packed = 1 << 20;
    artifacts.max_unpacked = 1 << 20;
    let sizes = Sizes::range(1, 1_000_000);
    let resources = Resources::new(
        Sizes::Range {
            min: 128,
            max: 4096,
            step: 128,
        },
        sizes.clone(),
        sizes.clone(),
        Sizes::range(0, 10),
        sizes,
        4096,
    );
    let deploy = Deploy::new(Lock::Etag, Switch::ZeroDowntime, StartCheck::None);
    let mut invoke = Invoke::new(MAX_REQUEST, 2000);
    invoke.idempotency_key = Support::refused(hint);
    invoke.by_version = Support::refused(hint);
    Capabilities::new(artifacts, resources, deploy, invoke)
}

/// Everything that the in-memory provider can do.
pub(crate) fn everything() -> Capabilities {
    let mut caps = bare();
    caps.artifacts.services = Support::Native(());
    caps.artifacts.export = Support::Native(());
    caps.invoke.idempotency_key = Support::Native(());
    caps.invoke.by_version = Support::Native(());
    caps.enqueue = Support::Native(Enqueue::new(100, DeliveredBy::Platform));
    caps.versions = Support::Native(Versions::kept(5));
    caps.traffic = Support::Native(Traffic::ways(2));
    caps.logs = Support::Native(Logs::new(true, std::time::Duration::ZERO));
    let mut governance = Governance::refused("not in memory");
    governance.identity = Support::Native(());
    governance.log_retention = Support::Native(Sizes::Steps(vec![1, 7, 30]));
    governance.secrets = Support::Native(vec!["file".to_owned()]);
    caps.governance = governance;
    caps
}
