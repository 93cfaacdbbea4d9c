//! Signals, the grace after one, and the hooks that run last.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;

use crate::guard::{Either, race};
use crate::log::log;

/// Hooks get this long even when the work in flight has used up the grace.
const HOOKS_AT_LEAST: Duration = Duration::from_millis(500);

pub(crate) type Hook = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>>>;

/// The wish of whoever runs this process that it end: SIGTERM or SIGINT.
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
    /// When the first one came.
    since: Option<Instant>,
}

impl Signals {
    /// Takes over the signals; from here on one of them no longer ends the process by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                since: None,
            })
        }
        #[cfg(windows)]
        Ok(Self {
            interrupt: tokio::signal::windows::ctrl_c()?,
            since: None,
        })
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let came = self.interrupt.poll_recv(cx).is_ready();
        #[cfg(unix)]
        let came = came || self.terminate.poll_recv(cx).is_ready();
        if !came {
            return Poll::Pending;
        }
        if self.since.is_none() {
            self.since = Some(Instant::now());
            log!("told to end; finishing what is in flight");
        }
        Poll::Ready(())
    }

    /// When the first signal came, if one did.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Drives the work until it is done, or until a signal comes: then `None`, and the work can be
    /// driven on with [`finish`](Self::finish).
    pub(crate) async fn unless_told<T>(
        &mut self,
        mut work: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        poll_fn(|cx| match self.poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => work.as_mut().poll(cx).map(Some),
        })
        .await
    }

    /// Waits for work in flight: until it is done, the grace is over, or a second signal says "now".
    ///
    /// `None` means that it was cut short.
    pub(crate) async fn finish<T>(
        &mut self,
        work: impl Future<Output = T>,
        until: Instant,
    ) -> Option<T> {
        let work = pin!(work);
        let impatient = async {
            race(
                pin!(tokio::time::sleep_until(until)),
                pin!(poll_fn(|cx| self.poll(cx))),
            )
            .await;
        };
        match race(work, pin!(impatient)).await {
            Either::Left(done) => Some(done),
            Either::Right(()) => None,
        }
    }
}

/// Runs the hooks one after the other, bounded by what is left of the grace.
pub(crate) async fn run_hooks(hooks: Vec<Hook>, until: Instant) {
    if hooks.is_empty() {
        return;
    }
    let until = until.max(Instant::now() + HOOKS_AT_LEAST);
    let all = async {
        for hook in hooks {
            hook().await;
        }
    };
    if tokio::time::timeout_at(until, all).await.is_err() {
        log!("a shutdown hook did not end in time and was left");
    }
}
