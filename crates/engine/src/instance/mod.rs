//! One process tree of one version.

mod env;
mod scratch;
pub(crate) mod start;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::engine::Shared;
use crate::error::{Exit, FunctionError, InvokeError, StartFailureKind};
use crate::logs::InstanceLog;
use crate::pool::PoolInner;
use crate::process::child::Child;
use crate::process::family::Family;
use crate::process::pipe::LogPipe;
use crate::process::watch::Memory;
use crate::spec::PoolSpec;
use crate::wire::{Call, Wire};
use scratch::Scratch;
pub(crate) use scratch::private_dir;

/// How long a broken connection may be ahead of the news that its process has ended.
const NEWS: Duration = Duration::from_millis(500);
/// How long output is read after the end: a child that left the group may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Where an instance is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Life {
    Starting,
    Ready,
    /// It reported that its initialisation failed.
    InitFailed,
    Ended(Exit),
}

pub(crate) struct Instance {
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) spec: Arc<PoolSpec>,
    pub(crate) pool: Weak<PoolInner>,
    pub(crate) log: Arc<InstanceLog>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) wire: Wire,
    engine: Arc<Shared>,
    family: Arc<Family>,
    pipes: [LogPipe; 2],
    life: watch::Sender<Life>,
    init_error: Mutex<Option<StartFailureKind>>,
    /// Whether the engine asked it to end.
    stopping: AtomicBool,
    /// Whether it serves its first call, and how long it took to get ready.
    fresh: Mutex<Option<Duration>>,
}

impl Instance {
    /// Hands a call over. The caller holds a slot of this instance.
    pub(crate) fn deliver(self: &Arc<Self>, call: Call) {
        self.memory.set_working(true);
        self.wire.deliver(self, call);
    }

    /// How long it took to get ready, for the first who asks.
    pub(crate) fn take_init(&self) -> Option<Duration> {
        self.fresh
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    pub(crate) fn set_init(&self, duration: Duration) {
        *self.fresh.lock().unwrap_or_else(PoisonError::into_inner) = Some(duration);
    }

    /// Says that it is ready for its first call.
    pub(crate) fn ready(&self) {
        self.life.send_if_modified(|life| {
            let first = *life == Life::Starting;
            if first {
                *life = Life::Ready;
            }
            first
        });
    }

    /// Says that its initialisation failed.
    pub(crate) fn init_failed(&self, kind: StartFailureKind) {
        let mut report = self
            .init_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        report.get_or_insert(kind);
        drop(report);
        self.life.send_if_modified(|life| {
            let first = *life == Life::Starting;
            if first {
                *life = Life::InitFailed;
            }
            first
        });
    }

    /// What it reported about its initialisation, if that failed. The process may have ended since.
    pub(crate) fn init_error(&self) -> Option<StartFailureKind> {
        self.init_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.life.borrow(), Life::Ended(_))
    }

    /// Waits until it is ready, has failed or has ended.
    pub(crate) async fn settled(&self) -> Life {
        let mut life = self.life.subscribe();
        match life.wait_for(|life| *life != Life::Starting).await {
            Ok(life) => life.clone(),
            Err(_) => Life::Ended(Exit::Unknown),
        }
    }

    /// Waits until its process has ended.
    pub(crate) async fn ended(&self) -> Exit {
        let mut life = self.life.subscribe();
        match life
            .wait_for(|life| matches!(life, Life::Ended(_)))
            .await
            .as_deref()
        {
            Ok(Life::Ended(exit)) => *exit,
            _ => Exit::Unknown,
        }
    }

    /// Takes what the function has written so far, so that it is filed under the current call.
    pub(crate) fn drain_logs(&self) {
        for pipe in &self.pipes {
            pipe.drain();
        }
    }

    /// Kills the process tree now.
    pub(crate) fn kill(&self) {
        if !self.has_ended() {
            self.family.kill();
        }
    }

    /// Kills the process tree because the engine no longer wants it; no error of the function.
    pub(crate) fn discard(&self) {
        self.stopping.store(true, Ordering::Release);
        self.kill();
    }

    /// Asks the process tree to end, and kills it after its grace.
    pub(crate) async fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        if !self.has_ended() {
            self.family.terminate();
            if timeout(self.spec.stop_grace, self.ended()).await.is_err() {
                self.kill();
                self.ended().await;
            }
        }
    }

    /// A call passed its time limit: the code must stop.
    pub(crate) fn time_out(&self, request: &str, limit: Duration) -> InvokeError {
        self.drain_logs();
        self.log.note(&format!(
            "{request} timed out after {:.2} seconds",
            limit.as_secs_f64()
        ));
        match self.pool.upgrade() {
            Some(pool) => pool.timed_out(self),
            None => self.kill(),
        }
        InvokeError::Timeout {
            limit,
            log_tail: self.log.tail(Some(request)),
        }
    }

    /// Why a call whose connection broke got no answer. Waits a moment for the process's end.
    pub(crate) async fn broken(&self, request: &str) -> InvokeError {
        match timeout(NEWS, self.ended()).await {
            Ok(exit) => self.failure(exit, Some(request)),
            Err(_) => {
                let message = format!(
                    "RequestId: {request} Error: the function closed its connection before it had answered"
                );
                self.unhandled("Runtime.ConnectionClosed", message, Some(request), None)
            }
        }
    }

    /// What the end of the process means for a call in flight.
    pub(crate) fn failure(&self, exit: Exit, request: Option<&str>) -> InvokeError {
        if self.ran_out_of_memory() {
            return InvokeError::OutOfMemory {
                limit_mb: self.spec.memory_mb,
                log_tail: self.log.tail(request),
            };
        }
        if self.stopping.load(Ordering::Acquire) {
            return InvokeError::Shutdown { may_have_run: true };
        }
        let reason = match exit {
            Exit::Code(0) => "Runtime exited without providing a reason".to_owned(),
            exit => format!("Runtime exited with error: {exit}"),
        };
        let message = format!("RequestId: {} Error: {reason}", request.unwrap_or("-"));
        self.unhandled("Runtime.ExitError", message, request, Some(exit))
    }

    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.memory.exceeded()
    }

    pub(crate) fn unhandled(
        &self,
        kind: &str,
        message: String,
        request: Option<&str>,
        exit: Option<Exit>,
    ) -> InvokeError {
        let payload = serde_json::json!({ "errorType": kind, "errorMessage": message });
        InvokeError::Function(Box::new(FunctionError {
            handled: false,
            error_type: kind.to_owned(),
            message,
            payload: Bytes::from(payload.to_string()),
            content_type: Some("application/json".to_owned()),
            status: None,
            exit,
            log_tail: self.log.tail(request),
        }))
    }

    /// Gives a slot back after a call.
    pub(crate) fn release(self: &Arc<Self>) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release(self);
        }
    }

    /// Runs beside the process until it has ended and nothing of it is left.
    async fn supervise(
        self: Arc<Self>,
        mut child: Child,
        server: Option<Server>,
        scratch: Scratch,
    ) {
        let mut readers = [self.spawn_reader(0), self.spawn_reader(1)];
        let exit = child.wait().await;
        if self.family.leader_ended() {
            self.memory.set_exceeded();
        }
        for reader in &mut readers {
            if timeout(LAST_WORDS, &mut *reader).await.is_err() {
                reader.abort();
            }
        }
        self.drain_logs();
        if self.ran_out_of_memory() {
            self.log.note(&format!(
                "used more than {} MiB of memory and was killed",
                self.spec.memory_mb
            ));
        } else if !self.stopping.load(Ordering::Acquire) {
            self.log.note(&format!("process ended with {exit}"));
        }
        self.spec.observer.ended(&self.id, exit);
        // The pool first: whoever learns of the end may call again at once, and finds room. Once more
        // afterwards, as an instance that is just being added is added unless it has ended.
        self.leave_pool();
        self.life.send_replace(Life::Ended(exit));
        self.leave_pool();
        // What it sent before it ended still counts, as far as it can be read at once.
        self.wire.dismiss();
        let mut server = server.map(Server::end);
        if let Some(server) = &mut server {
            let _ = timeout(LAST_WORDS, server).await;
        }
        self.wire.fail(self.as_ref(), exit);
        self.engine.forget(self.number);
        let this = Arc::clone(&self);
        let cleaned = tokio::task::spawn_blocking(move || {
            this.family.finish();
            drop(scratch);
        });
        let _ = cleaned.await;
        // The caller of a streamed answer may be slow to take what is left of it.
        if let Some(mut server) = server
            && !server.is_finished()
            && timeout(self.spec.timeout, &mut server).await.is_err()
        {
            server.abort();
        }
    }

    fn leave_pool(&self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.ended(self.number);
        }
    }

    fn spawn_reader(self: &Arc<Self>, pipe: usize) -> JoinHandle<()> {
        let this = Arc::clone(self);
        tokio::spawn(async move { this.pipes[pipe].run().await })
    }
}

/// The task that serves an instance's Runtime API.
struct Server {
    task: JoinHandle<()>,
    ended: oneshot::Sender<()>,
}

impl Server {
    /// Says that the process has ended; the task then ends by itself.
    fn end(self) -> JoinHandle<()> {
        // A task that has ended already needs no telling.
        let _ = self.ended.send(());
        self.task
    }
}
