//! A pool: the instances of one version, and who gets which.

mod backoff;
mod flight;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::HeaderMap;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout_at};

use crate::engine::Shared;
use crate::error::{EngineError, InvokeError, StartFailure, StartFailureKind};
use crate::instance::{Instance, start};
use crate::request::{Metrics, Request, Response};
use crate::spec::{Launch, PoolSpec, PoolStats};
use crate::wire::{self, Call};
use flight::{Flight, Lease};
use state::{Admission, State};

/// How long a call waits for an instance that has answered and not yet asked for more work, before
/// another instance is started.
const RETURN_GRACE: Duration = Duration::from_millis(25);

/// One version of one function, ready to be called. Clones share it; when the last one is dropped its
/// instances are stopped.
#[derive(Clone)]
pub struct Pool {
    handle: Arc<Owner>,
}

struct Owner {
    inner: Arc<PoolInner>,
}

pub(crate) struct PoolInner {
    pub(crate) engine: Arc<Shared>,
    pub(crate) spec: Arc<PoolSpec>,
    state: Mutex<State>,
}

impl Pool {
    pub(crate) fn new(engine: Arc<Shared>, spec: PoolSpec) -> Result<Self, EngineError> {
        validate(&spec)?;
        let spec = Arc::new(spec);
        let state = Mutex::new(State::new(Arc::clone(&spec)));
        let inner = Arc::new(PoolInner {
            engine,
            spec,
            state,
        });
        Ok(Self {
            handle: Arc::new(Owner { inner }),
        })
    }

    pub(crate) fn downgrade(&self) -> Weak<PoolInner> {
        Arc::downgrade(&self.handle.inner)
    }

    /// The version's settings.
    #[must_use]
    pub fn spec(&self) -> &PoolSpec {
        &self.handle.inner.spec
    }

    /// What the pool is doing now.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.handle.inner.lock().stats()
    }

    /// Starts one instance and waits until it is ready, even while the version is being held back for
    /// failing; returns how long it took. The instance stays and serves calls.
    ///
    /// # Errors
    /// Why it did not get ready.
    pub async fn probe(&self) -> Result<Duration, StartFailure> {
        let began = Instant::now();
        self.handle.inner.start_extra().await?;
        Ok(began.elapsed())
    }

    /// Starts instances until `count` are up (at most the pool's maximum), all at once, and waits.
    ///
    /// # Errors
    /// The first failure; instances that did get ready stay.
    pub async fn warm(&self, count: usize) -> Result<(), StartFailure> {
        let inner = &self.handle.inner;
        let missing = inner.lock().missing(count);
        let starts: Vec<_> = (0..missing)
            .map(|_| {
                let inner = Arc::clone(inner);
                tokio::spawn(async move { inner.start_extra().await })
            })
            .collect();
        let mut first = Ok(());
        for start in starts {
            if let Ok(Err(failure)) = start.await
                && first.is_ok()
            {
                first = Err(failure);
            }
        }
        first
    }

    /// Calls the function: on a warm instance if one is free, else on a new one.
    ///
    /// Dropping the returned future does not stop the function: it runs on until it answers or its
    /// time limit kills it.
    ///
    /// # Errors
    /// See [`InvokeError`]; [`InvokeError::may_have_run`] tells whether the code may have run.
    pub async fn invoke(&self, request: Request) -> Result<Response, InvokeError> {
        self.invoke_traced(request).await.0
    }

    /// As [`Pool::invoke`], and tells which instance took the call and what it cost even if it failed.
    /// There is no trail where no instance took it.
    pub async fn invoke_traced(
        &self,
        request: Request,
    ) -> (Result<Response, InvokeError>, Option<Trail>) {
        let inner = &self.handle.inner;
        let head = match wire::head(&inner.spec, &request) {
            Ok(head) => head,
            Err(error) => return (Err(error), None),
        };
        let lease = match inner.lease(request.deadline).await {
            Ok(lease) => lease,
            Err(error) => return (Err(error), None),
        };
        self.fly(request, head, lease).await
    }

    /// Hands a call to the instance of the lease and waits for its answer.
    async fn fly(
        &self,
        request: Request,
        mut head: HeaderMap,
        lease: Lease,
    ) -> (Result<Response, InvokeError>, Option<Trail>) {
        let inner = &self.handle.inner;
        let now = Instant::now();
        let mut limit = inner.spec.timeout;
        if let Some(own) = request.timeout {
            limit = limit.min(own);
        }
        if let Some(deadline) = request.deadline {
            limit = limit.min(deadline.saturating_duration_since(now));
        }
        wire::set_deadline(&mut head, &inner.spec, limit);
        let (reply, answer) = oneshot::channel();
        let call = Call {
            id: request.request_id.into(),
            payload: request.payload.0,
            head,
            deadline: now + limit,
            limit,
            reply,
        };
        let id = Arc::clone(&call.id);
        inner.spec.observer.called(lease.instance_id(), &id);
        let instance = lease.hand_over(call);
        let mut flight = Flight {
            answer: Some(answer),
            instance,
            id,
            deadline: now + limit,
            limit,
            background: false,
        };
        let landed = flight.land().await;
        let trail = Trail {
            init_duration: flight.instance.take_init(),
            began: now,
            instance: Arc::clone(&flight.instance),
        };
        let response = landed.map(|answer| Response {
            content_type: answer.content_type,
            status: answer.status,
            body: answer.body,
            streaming: answer.streaming,
            version: inner.spec.version.clone(),
            cold: trail.init_duration.is_some(),
            instance: flight.instance.id.to_string(),
            metrics: trail.metrics(),
        });
        (response, Some(trail))
    }

    /// Takes no new calls, lets those in flight end, and stops all instances.
    pub async fn drain(&self) {
        self.handle.inner.drain().await;
    }

    /// Takes no new calls and stops all instances, gracefully but without waiting for calls.
    pub async fn close(&self) {
        self.handle.inner.close().await;
    }
}

/// What is known of a call beside its answer. A streamed answer goes on after the call has returned;
/// the trail then tells what it has cost so far.
pub struct Trail {
    instance: Arc<Instance>,
    init_duration: Option<Duration>,
    began: Instant,
}

impl Trail {
    /// The instance that took the call.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance.id
    }

    /// What the call has cost until now.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        Metrics {
            duration: self.began.elapsed(),
            init_duration: self.init_duration,
            max_memory_bytes: self.instance.memory.peak(),
        }
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trail")
            .field("instance", &self.instance.id)
            .field("metrics", &self.metrics())
            .finish()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("spec", &self.handle.inner.spec)
            .field("stats", &self.stats())
            .finish()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let stopping = self.inner.lock().close();
        for instance in stopping {
            let runtime = self.inner.engine.runtime.clone();
            runtime.spawn(async move { instance.stop().await });
        }
    }
}

fn validate(spec: &PoolSpec) -> Result<(), EngineError> {
    let bad = |reason: &str| {
        Err(EngineError::Spec {
            function: spec.function.clone(),
            reason: reason.to_owned(),
        })
    };
    if spec.max_instances == 0 {
        return bad("max_instances must be at least 1");
    }
    if spec.memory_mb == 0 {
        return bad("memory_mb must be at least 1");
    }
    if spec.timeout.is_zero() || spec.init_timeout.is_zero() {
        return bad("timeout and init_timeout must be longer than nothing");
    }
    if !spec.code_dir.is_absolute() {
        return bad("code_dir must be an absolute path");
    }
    if spec.per_instance_concurrency > 1 && !spec.launch.is_http() {
        return bad(
            "per_instance_concurrency above 1 needs a function that is spoken to over HTTP",
        );
    }
    if matches!(&spec.launch, Launch::Http { command } if command.is_empty()) {
        return bad("the command is empty");
    }
    let texts = spec.env.iter().chain(&spec.platform_env);
    let mut texts = texts.flat_map(|(name, value)| [name, value]);
    if texts.any(|text| text.contains('\0'))
        || spec
            .env
            .keys()
            .any(|name| name.is_empty() || name.contains('='))
    {
        return bad(
            "a variable's name is empty, has an equals sign, or a zero byte is in its value",
        );
    }
    Ok(())
}

impl PoolInner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot of an instance, now or after a wait until `deadline`.
    async fn lease(self: &Arc<Self>, deadline: Option<Instant>) -> Result<Lease, InvokeError> {
        let waiting = {
            let mut state = self.lock();
            match state.admit()? {
                Admission::Free(instance) => return Ok(Lease::new(instance)),
                Admission::Wait(waiting) => {
                    self.scale(&mut state);
                    waiting
                }
            }
        };
        let got = match deadline {
            Some(deadline) => timeout_at(deadline, waiting).await,
            None => Ok(waiting.await),
        };
        match got {
            Ok(Ok(lease)) => lease,
            Ok(Err(_)) => Err(InvokeError::Shutdown {
                may_have_run: false,
            }),
            Err(_) => Err(InvokeError::Overloaded {
                max_instances: self.spec.max_instances,
            }),
        }
    }

    /// Starts as many instances as waiting calls need.
    fn scale(self: &Arc<Self>, state: &mut State) {
        let wanted = state.wanted(RETURN_GRACE);
        for _ in 0..wanted.start {
            state.starting += 1;
            let pool = Arc::clone(self);
            self.engine.runtime.spawn(async move {
                let _ = pool.start_counted().await;
            });
        }
        if wanted.look_again && !state.looking {
            state.looking = true;
            let pool = Arc::downgrade(self);
            self.engine.runtime.spawn(async move {
                sleep(RETURN_GRACE).await;
                if let Some(pool) = pool.upgrade() {
                    let mut state = pool.lock();
                    state.looking = false;
                    pool.scale(&mut state);
                }
            });
        }
    }

    /// Starts an instance that nobody waits for, within the maximum.
    async fn start_extra(self: &Arc<Self>) -> Result<(), StartFailure> {
        {
            let mut state = self.lock();
            if state.missing(usize::MAX) == 0 && !state.closed {
                return Ok(());
            }
            state.starting += 1;
        }
        // Its own task: a caller that gives up must not leave half an instance.
        let pool = Arc::clone(self);
        let started = self
            .engine
            .runtime
            .spawn(async move { pool.start_counted().await });
        match started.await {
            Ok(started) => started,
            Err(_) => Err(self.failure(StartFailureKind::Closed)),
        }
    }

    /// Starts an instance that `starting` counts already, and puts it to work.
    async fn start_counted(self: &Arc<Self>) -> Result<(), StartFailure> {
        let started = if self.engine.is_closed() || self.lock().is_over() {
            Err(self.failure(StartFailureKind::Closed))
        } else {
            start::launch(self).await
        };
        let mut state = self.lock();
        state.starting -= 1;
        match started {
            Ok(instance) if state.is_over() => {
                state.hush();
                drop(state);
                instance.discard();
                Err(self.failure(StartFailureKind::Closed))
            }
            Ok(instance) => {
                state.backoff.succeeded();
                state.insert(instance);
                Ok(())
            }
            Err(failure) => {
                state.failed(&failure);
                self.scale(&mut state);
                state.hush();
                Err(failure)
            }
        }
    }

    fn failure(&self, kind: StartFailureKind) -> StartFailure {
        StartFailure {
            function: self.spec.function.clone(),
            version: self.spec.version.clone(),
            kind,
            log_tail: Vec::new(),
            retry_in: None,
        }
    }

    /// Gives a slot of `instance` back.
    pub(crate) fn release(self: &Arc<Self>, instance: &Arc<Instance>) {
        let doomed = {
            let mut state = self.lock();
            let doomed = state.release(instance);
            if doomed {
                self.scale(&mut state);
            }
            doomed
        };
        if doomed {
            instance.discard();
        }
    }

    /// Forgets an instance that has ended.
    pub(crate) fn ended(self: &Arc<Self>, number: u64) {
        let mut state = self.lock();
        state.remove(number);
        self.scale(&mut state);
    }

    /// Stops an instance one of whose calls passed its time limit, when no other call is on it.
    pub(crate) fn timed_out(self: &Arc<Self>, instance: &Instance) {
        let alone = self.lock().retire(instance.number);
        if alone {
            instance.kill();
        }
    }

    /// Stops instances that have been idle for long, and those that never came back from a call.
    pub(crate) fn tick(self: &Arc<Self>) {
        let (idle, lost) = {
            let mut state = self.lock();
            (state.take_idle(), state.lost())
        };
        for instance in idle {
            self.engine
                .runtime
                .spawn(async move { instance.stop().await });
        }
        for instance in lost {
            instance
                .log
                .note("did not ask for more work within its time limit and was killed");
            instance.kill();
        }
    }

    /// Ends the pool at once.
    pub(crate) fn close_now(&self) {
        let instances = self.lock().close();
        instances.iter().for_each(|instance| instance.discard());
    }

    pub(crate) async fn close(&self) {
        let instances = self.lock().close();
        let stopping: Vec<_> = instances
            .into_iter()
            .map(|instance| tokio::spawn(async move { instance.stop().await }))
            .collect();
        for task in stopping {
            let _ = task.await;
        }
    }

    async fn drain(&self) {
        let quiet = {
            let mut state = self.lock();
            state.closed = true;
            state.quiet()
        };
        if let Some(quiet) = quiet {
            let _ = quiet.await;
        }
        self.close().await;
    }
}
