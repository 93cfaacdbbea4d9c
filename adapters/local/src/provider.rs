//! The provider: each method in the contract's order, the work in the rooms beside it.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_core::Digest;
use anyport_core::call::{Accepted, Call, DeadLetter, Identity, LogLine, LogQuery, Reply};
use anyport_core::capability::Capabilities;
use anyport_core::content::Content;
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result, Retry, Violation};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Desired, Observed, Plan, Step};
use anyport_core::provider::{Cursor, Entry, Page, Provider, Scope};
use anyport_core::spec::Name;
use anyport_core::target::TargetUrl;
use async_trait::async_trait;
use futures_core::stream::BoxStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::capability::{MAX_PAYLOAD, capabilities};
use crate::config::Config;
use crate::live::{Attempt, Live, not_found};
use crate::queue::{self, Event, Worker};
use crate::store::{Settings, Store};
use crate::{error, ids, lift, logs, plan, steps};

/// Entries on one page of a listing.
const PAGE: usize = 100;

/// A local target. Dropping it stops everything that it runs.
pub struct Local {
    id: TargetUrl,
    live: Arc<Live>,
    wake: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

/// Opens the target at `url`: `local://` with the state folder of `config`, or `local:///absolute/path` with its own.
///
/// Call it inside a tokio runtime with its I/O and time drivers enabled.
///
/// # Errors
/// `InvalidSpec` when the URL is not a local target; `Forbidden` when others could change what is in the state folder; `Unavailable` when it is no
/// folder. It is made by the first change, not before.
pub fn connect(url: &TargetUrl, config: Config) -> Result<Arc<dyn Provider>> {
    Local::open(url, config).map(|local| Arc::new(local) as Arc<dyn Provider>)
}

impl Local {
    /// As [`connect`], with the type kept.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn open(url: &TargetUrl, config: Config) -> Result<Self> {
        const OPERATION: &str = "open the target";
        let runtime = tokio::runtime::Handle::try_current().map_err(|missing| {
            Error::new(ErrorKind::Unavailable, OPERATION)
                .on(url)
                .hint("open it inside a tokio runtime")
                .with_retry(Retry::No)
                .with_source(missing)
        })?;
        let root = root(url, &config).map_err(|violation| {
            let kind = ErrorKind::InvalidSpec(vec![violation].into());
            Error::new(kind, OPERATION).on(url)
        })?;
        let store = Arc::new(Store::open(root).map_err(|error| error.on(url))?);
        let deliver = config.deliver;
        let live = Arc::new(Live::new(store, config));
        let wake = Arc::new(Notify::new());
        let mut tasks = vec![runtime.spawn(Arc::clone(&live).upkeep())];
        if deliver {
            let worker = Worker::new(Arc::clone(&live), Arc::clone(&wake));
            tasks.push(runtime.spawn(worker.run()));
        }
        Ok(Self {
            id: url.clone(),
            live,
            wake,
            tasks,
        })
    }

    /// The state folder.
    #[must_use]
    pub fn state(&self) -> &Path {
        self.live.store.root()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Store) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let store = Arc::clone(&self.live.store);
        blocking(operation, move || work(&store)).await
    }
}

fn root(url: &TargetUrl, config: &Config) -> Result<PathBuf, Violation> {
    let expected = |rule: &str| {
        Violation::new("target", rule)
            .value(url)
            .nearest("local://")
    };
    if url.scheme() != "local" {
        return Err(expected("a local target's scheme is local"));
    }
    let path = match url.place() {
        "" => config.state.clone(),
        place => PathBuf::from(place),
    };
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(expected(
            "a state folder is an absolute path, as in local:///srv/state",
        ))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Local {
    fn id(&self) -> &TargetUrl {
        &self.id
    }

    async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        let who = cx.call("Identify", Effect::Read, self.id.as_str(), || {
            self.blocking("identify the user", |store| {
                let root = store.root().display().to_string();
                Ok((this_user(), root))
            })
        });
        let (user, root) = who.await?;
        let mut identity = Identity::new(user, "", root.clone(), true);
        identity.details.insert("state".to_owned(), root);
        Ok(identity)
    }

    async fn discover(&self, cx: &Ctx) -> Result<Capabilities> {
        let runtimes = cx.call("FindRuntimes", Effect::Read, self.id.as_str(), || async {
            Ok(self.live.runtimes().await.names())
        });
        Ok(capabilities(
            runtimes.await?,
            self.live.config.max_instances,
        ))
    }

    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        let sight = cx.call("GetFunction", Effect::Read, name.as_str(), || {
            let name = name.clone();
            self.blocking("read the record of", move |store| store.look(&name))
        });
        let sight = sight.await?;
        Ok(sight.map(|sight| lift::observed(self.state(), name, sight)))
    }

    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
        cx.call("ListFunctions", Effect::Read, self.id.as_str(), || {
            let (scope, after) = (scope.clone(), after.clone());
            self.blocking("list the functions at", move |store| {
                page(store, &scope, after)
            })
        })
        .await
    }

    fn plan(&self, caps: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
        plan::plan(self.id.as_str(), caps, want, seen)
    }

    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        steps::take(&self.live, cx, plan, step, out).await
    }

    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply> {
        let repeatable = call.idempotency_key.is_some();
        let attempt = attempt(cx, call).await?;
        let name = attempt.name.as_str().to_owned();
        let effect = Effect::RunsUserCode { repeatable };
        cx.call("Invoke", effect, &name, || {
            self.live.invoke(&attempt, ids::id())
        })
        .await
    }

    async fn enqueue(&self, cx: &Ctx, call: Call) -> Result<Accepted> {
        let attempt = attempt(cx, call).await?;
        let name = attempt.name.clone();
        let event = Event {
            id: ids::id(),
            accepted_ms: ids::now_ms(),
            qualifier: attempt.qualifier,
            content_type: attempt.content_type,
            traceparent: attempt.traceparent,
            idempotency_key: attempt.idempotency_key,
            body: attempt.body,
        };
        let id = event.id.clone();
        let event = Arc::new(event);
        // The id is chosen already: to accept it twice is to accept it once.
        let effect = Effect::RunsUserCode { repeatable: true };
        cx.call("Enqueue", effect, name.as_str(), || {
            let (name, event) = (name.clone(), Arc::clone(&event));
            self.blocking("keep the event for", move |store| {
                let stored = store.read(&name)?.ok_or_else(|| not_found(&name))?;
                Live::check(&stored.record, &event.qualifier)?;
                queue::put(store, &name, &event)?;
                // A removal that did not see the event took the function first: then nothing was accepted.
                let after = store.read(&name)?.ok_or_else(|| not_found(&name));
                let after = after.and_then(|it| Live::check(&it.record, &event.qualifier));
                after.inspect_err(|_| queue::withdraw(store, &name, &event))
            })
        })
        .await?;
        self.wake.notify_one();
        let dead = self.live.store.dead(&name).join(&id);
        Ok(Accepted::new(id, dead.display().to_string()))
    }

    async fn dead_letters(
        &self,
        cx: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        self.settings(cx, "ListDeadLetters", name).await?;
        Ok(queue::letters(self.live.store.dead(name)))
    }

    async fn artifact(&self, cx: &Ctx, name: &Name, digest: Digest) -> Result<Arc<dyn Content>> {
        cx.call("GetArtifact", Effect::Read, name.as_str(), || {
            let name = name.clone();
            self.blocking("export", move |store| store.content(&name, digest))
        })
        .await
    }

    async fn logs(&self, cx: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        let settings = self.settings(cx, "ReadLogs", &query.name).await?;
        let days = settings.log_retention_days;
        Ok(logs::read(self.live.store.logs(&query.name), days, query))
    }

    fn raw(&self) -> &(dyn Any + Send + Sync) {
        self
    }
}

impl Local {
    /// What holds for a function that has to be there.
    async fn settings(&self, cx: &Ctx, operation: &'static str, name: &Name) -> Result<Settings> {
        cx.call(operation, Effect::Read, name.as_str(), || {
            let name = name.clone();
            self.blocking("read the record of", move |store| {
                let stored = store.read(&name)?;
                let settings = stored.map(|stored| stored.record.settings);
                settings.ok_or_else(|| not_found(&name))
            })
        })
        .await
    }
}

/// A call with its payload at hand, so that it can be made again.
async fn attempt(cx: &Ctx, call: Call) -> Result<Attempt> {
    let trace = call.trace.as_ref().or(cx.trace());
    Ok(Attempt {
        traceparent: trace.map(ToString::to_string),
        body: call
            .body
            .collect(MAX_PAYLOAD)
            .await
            .map_err(|error| error.on(&call.name))?,
        name: call.name,
        qualifier: call.qualifier,
        content_type: call.content_type,
        idempotency_key: call.idempotency_key,
    })
}

fn page(store: &Store, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
    let names = store.list()?.into_iter();
    let mut names = names.filter(|name| after.as_ref().is_none_or(|after| *name > after.0));
    let mut entries = Vec::new();
    while let Some(name) = names.next() {
        entries.extend(entry(store, scope, &name));
        if entries.len() == PAGE {
            let next = names.next().map(|_| Cursor(name));
            return Ok(Page::new(entries, next));
        }
    }
    Ok(Page::new(entries, None))
}

/// One entry, `None` when it is out of scope, was removed, or vanished meanwhile.
fn entry(store: &Store, scope: &Scope, name: &str) -> Option<Entry> {
    let unreadable = |why: String| {
        Some(Entry::Unreadable {
            name: name.to_owned(),
            why,
        })
    };
    let foreign = || matches!(scope, Scope::Everything).then(|| lift::foreign_entry(name));
    // What is not named by our rules was not made by us.
    let Ok(parsed) = name.parse::<Name>() else {
        return foreign();
    };
    let stored = match store.peek(&parsed) {
        Ok(Some(Ok(stored))) => stored,
        Ok(Some(Err(reason))) => return unreadable(reason.words()),
        Ok(None) if store.home(&parsed).exists() => return foreign(),
        Ok(None) => return None,
        Err(error) => return unreadable(error.kind().to_string()),
    };
    let entry = lift::entry(name, &stored.record)?;
    match (scope, &entry) {
        (Scope::Owned(owner), Entry::Function(summary)) if !summary.owned.is_by(owner) => None,
        _ => Some(entry),
    }
}

#[cfg(unix)]
fn this_user() -> String {
    format!("user {} on this machine", nix::unistd::geteuid())
}

#[cfg(not(unix))]
fn this_user() -> String {
    "this user on this machine".to_owned()
}

/// Does blocking work on a thread for such work. Work that was begun goes on to its end even when nobody waits for it any more.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => Err(Error::new(ErrorKind::Unavailable, operation)
            .because("the thread that did it stopped")
            .with_retry(Retry::No)
            .from_provider(error::PROVIDER, None)
            .with_source(stopped)),
    }
}
