//! The adapter itself: the contract's trait over the platform.

use std::any::Any;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyport_core::Digest;
use anyport_core::call::{
    Accepted, Call, DeadLetter, Identity, LogLine, LogQuery, Qualifier, Reply,
};
use anyport_core::capability::Capabilities;
use anyport_core::content::Content;
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Limit, Result};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Change, Desired, Observed, Plan, State as Wanted, Step};
use anyport_core::provider::{Cursor, Page, Provider, Scope};
use anyport_core::spec::Name;
use anyport_core::target::TargetUrl;
use async_trait::async_trait;
use futures_core::stream::BoxStream;

use crate::capability::capabilities;
use crate::error::{not_found, unsupported};
use crate::protocol::{self, Answer, MAX_BODY};
use crate::release::Write;
use crate::state::{Found, Live, State};
use crate::{daemon, error, lift, plan};

/// Names on one page of a listing.
const PAGE: usize = 50;

/// The longest state directory: a socket's path has at most 107 bytes, of which the name, the
/// release and the file name need 51.
const MAX_ROOT: usize = 56;

const READ: Effect = Effect::Read;
const WRITE: Effect = Effect::Write { repeatable: true };

/// One state directory of `unixd`: `unixd:///absolute/path`.
#[derive(Debug)]
pub struct Unixd {
    url: TargetUrl,
    program: PathBuf,
    state: State,
    calls: AtomicU64,
}

impl Unixd {
    /// Opens the target; `program` is the platform's executable.
    ///
    /// # Errors
    /// `Unsupported` for a path that is not absolute or too long for sockets below it; what making
    /// the directory fails with.
    pub fn open(url: TargetUrl, program: impl Into<PathBuf>) -> Result<Self> {
        let root = Path::new(url.place());
        if !root.is_absolute() || url.place().len() > MAX_ROOT {
            let hint = format!("name an absolute path of at most {MAX_ROOT} bytes");
            return Err(unsupported("open", &url, &hint));
        }
        Ok(Self {
            state: State::open(root)?,
            program: program.into(),
            calls: AtomicU64::new(1),
            url,
        })
    }

    async fn seen(&self, name: &Name) -> Result<Option<Observed>> {
        let home = self.state.home(name.as_str());
        let (record, revision) = match home.read()? {
            Found::Nothing => return Ok(None),
            Found::Stranger => return Ok(Some(lift::stranger(name))),
            Found::Function(record, revision) => (record, revision),
        };
        let answers = match &record.live {
            Some(live) => daemon::answers(&home.socket(live)).await,
            None => false,
        };
        let mut seen = lift::observed(name, &record, revision, answers);
        let shown = |path: &Path| path.display().to_string();
        seen.ids.insert("directory".to_owned(), shown(home.path()));
        // What a running change has there is not left over.
        if !self.state.is_locked() {
            let leftovers = home.leftovers(record.live.as_ref())?;
            seen.residue = leftovers.iter().map(|path| shown(path)).collect();
        }
        Ok(Some(seen))
    }

    /// What serves `name` now.
    fn live(&self, name: &Name) -> Result<Live> {
        let live = match self.state.home(name.as_str()).read()? {
            Found::Function(record, _) => record.live,
            _ => None,
        };
        live.ok_or_else(|| not_found("call", name))
    }

    fn next_id(&self) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{:x}-{count:x}", now.as_micros(), std::process::id())
    }
}

#[async_trait]
impl Provider for Unixd {
    fn id(&self) -> &TargetUrl {
        &self.url
    }

    async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        let root = self.state.root();
        let read = || async { fs::metadata(root).map_err(error::io("read", root)) };
        let owner = cx.call("stat", READ, self.url.place(), read).await?.uid();
        Ok(Identity::new(
            format!("user {owner}"),
            "this machine",
            root.display().to_string(),
            true,
        ))
    }

    async fn discover(&self, _cx: &Ctx) -> Result<Capabilities> {
        Ok(capabilities())
    }

    async fn observe(&self, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
        let read = || self.seen(name);
        cx.call("read record", READ, name.as_str(), read).await
    }

    async fn list(&self, cx: &Ctx, scope: &Scope, after: Option<Cursor>) -> Result<Page> {
        let list = || async { self.state.names() };
        let mut names = cx.call("list", READ, self.url.place(), list).await?;
        names.retain(|name| after.as_ref().is_none_or(|Cursor(after)| name > after));
        let more = names.len() > PAGE;
        names.truncate(PAGE);
        let next = names.last().filter(|_| more).cloned().map(Cursor);
        let entries = names.into_iter().filter_map(|name| {
            let found = self.state.home(&name).read();
            lift::entry(name, found, scope)
        });
        Ok(Page::new(entries.collect(), next))
    }

    fn plan(&self, _: &Capabilities, want: &Desired, seen: Option<&Observed>) -> Result<Plan> {
        plan::plan(self.url.as_str(), want, seen)
    }

    async fn apply(
        &self,
        cx: &Ctx,
        plan: &Plan,
        step: &Step,
        out: &mut Outputs,
    ) -> Result<StepDone> {
        let want = &plan.desired;
        let name = want.name.as_str();
        let write = Write {
            state: &self.state,
            program: &self.program,
            name: &want.name,
            owner: &want.owner,
            guard: &step.guard,
        };
        match (&step.action, &want.state) {
            (Action::Create | Action::Publish, Wanted::Present(spec)) => {
                let Some(content) = want.content.as_deref() else {
                    return Err(Error::new(ErrorKind::Unavailable, "deploy")
                        .on(write.name)
                        .because("the plan comes without the artifact's bytes"));
                };
                let publish = || write.publish(spec, content);
                let (live, done) = cx.call("publish", WRITE, name, publish).await?;
                out.version = Some(live.version());
                Ok(done)
            }
            (Action::Clear(_), _) => cx.call("tidy", WRITE, name, || write.tidy()).await,
            (Action::Remove, _) => cx.call("remove", WRITE, name, || write.remove()).await,
            (Action::Mark, _) => {
                let ours = plan.change == Change::Adopted;
                cx.call("mark", WRITE, name, || write.mark(ours)).await
            }
            (action, _) => Err(unsupported(
                "apply",
                action,
                "plan again; this is not a step of unixd",
            )),
        }
    }

    async fn invoke(&self, cx: &Ctx, call: Call) -> Result<Reply> {
        if let Qualifier::Version(version) = &call.qualifier {
            return Err(unsupported(
                "invoke.by_version",
                format!("{} version {version}", call.name),
                "only the live release can be called here",
            ));
        }
        let name = call.name.as_str();
        let body = call
            .body
            .collect(MAX_BODY.into())
            .await
            .map_err(|why| too_large(name, why))?;
        let request_id = self.next_id();
        // Whether a call that may have run is repeated is the caller's to say, and in `cx`.
        let effect = Effect::RunsUserCode { repeatable: false };
        // Each attempt reads the record anew: if the daemon was replaced, the next one is called.
        let (live, (answer, body)) = cx
            .call("call", effect, name, || async {
                let live = self.live(&call.name)?;
                let ask = protocol::Call {
                    request_id: request_id.clone(),
                    content_type: call.content_type.clone(),
                    traceparent: call
                        .trace
                        .or(cx.trace().copied())
                        .map(|trace| trace.to_string()),
                    idempotency_key: call.idempotency_key.clone(),
                };
                let socket = self.state.home(name).socket(&live);
                match daemon::call(&call.name, &socket, ask, &body).await? {
                    (Answer::Failed(why), _) => {
                        Err(error::call_failed(&call.name, &request_id, why))
                    }
                    answered => Ok((live, answered)),
                }
            })
            .await?;
        let mut reply = Reply::new(request_id, body);
        reply.version = Some(live.version());
        if let Answer::Reply {
            content_type,
            status,
            cold,
            micros,
        } = answer
        {
            reply.content_type =
                content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
            reply.status = status;
            reply.cold = Some(cold);
            reply.duration = Some(Duration::from_micros(micros));
        }
        Ok(reply)
    }

    async fn enqueue(&self, _: &Ctx, call: Call) -> Result<Accepted> {
        Err(unsupported(
            "enqueue",
            call.name,
            "unixd has no queue; invoke and wait",
        ))
    }

    async fn dead_letters(
        &self,
        _: &Ctx,
        name: &Name,
    ) -> Result<BoxStream<'static, Result<DeadLetter>>> {
        Err(unsupported(
            "dead_letters",
            name,
            "unixd has no queue, so nothing is ever given up",
        ))
    }

    async fn artifact(&self, _: &Ctx, name: &Name, _: Digest) -> Result<Arc<dyn Content>> {
        Err(unsupported(
            "export",
            name,
            "unixd keeps unpacked code only",
        ))
    }

    async fn logs(&self, _: &Ctx, query: LogQuery) -> Result<BoxStream<'static, Result<LogLine>>> {
        Err(unsupported(
            "logs",
            query.name,
            "unixd keeps no logs; a failure carries the last lines",
        ))
    }

    fn raw(&self) -> &(dyn Any + Send + Sync) {
        &self.state
    }
}

/// Says whose payload it was; an error of the caller's own stream passes as it is.
fn too_large(name: &str, why: Error) -> Error {
    match why.kind() {
        ErrorKind::PayloadTooLarge(limit) => {
            let what = "request payload".to_owned();
            let limit = Limit {
                what,
                ..limit.clone()
            };
            Error::new(ErrorKind::PayloadTooLarge(limit), "call").on(name)
        }
        _ => why,
    }
}
