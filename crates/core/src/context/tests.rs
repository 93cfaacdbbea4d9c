//! Tests of the seam with a clock that moves only when asked.

use std::sync::Mutex;

use futures_core::future::BoxFuture;
use futures_util::FutureExt as _;
use futures_util::future::{pending, ready};

use super::*;

#[derive(Default)]
struct Fake {
    now: Mutex<Duration>,
    seen: Mutex<Vec<(&'static str, u32)>>,
    lose_reply_of: Option<u32>,
}

impl Seam for Fake {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'_, ()> {
        *self.now.lock().unwrap() += time;
        ready(()).boxed()
    }

    fn interrupted(&self, deadline: Option<Duration>) -> BoxFuture<'_, Interrupt> {
        if deadline.is_some_and(|at| at <= self.now()) {
            return ready(Interrupt::Deadline).boxed();
        }
        pending().boxed()
    }

    fn jitter(&self) -> f64 {
        0.0
    }

    fn before(&self, attempt: &Attempt<'_>) -> Admission {
        self.seen
            .lock()
            .unwrap()
            .push((attempt.operation, attempt.number));
        Admission::Go
    }

    fn after(&self, attempt: &Attempt<'_>, _: Duration, _: Option<&Error>) -> Result<()> {
        if self.lose_reply_of == Some(attempt.number) {
            return Err(Error::new(ErrorKind::Unavailable, "read the reply").may_have_run(true));
        }
        Ok(())
    }
}

fn run<T>(fake: Arc<Fake>, work: impl AsyncFnOnce(Ctx) -> T) -> T {
    work(Ctx::new(fake))
        .now_or_never()
        .expect("the fake never waits")
}

fn unavailable() -> Error {
    Error::new(ErrorKind::Unavailable, "answer")
}

#[test]
fn a_read_is_retried_and_the_last_error_says_so() {
    let fake = Arc::new(Fake::default());
    let error = run(fake.clone(), async |cx| {
        cx.call("Get", Effect::Read, "thing", || async {
            Err::<(), _>(unavailable())
        })
        .await
        .unwrap_err()
    });
    assert_eq!(error.retry(), Retry::GaveUp { attempts: 5 });
    assert_eq!(fake.seen.lock().unwrap().len(), 5);
    assert_eq!(error.resource(), Some("thing"));
}

#[test]
fn user_code_that_may_have_run_is_not_run_again_unless_it_may() {
    for (repeatable, asked) in [(false, false), (true, false), (false, true)] {
        let again = repeatable || asked;
        let fake = Arc::new(Fake {
            lose_reply_of: Some(1),
            ..Fake::default()
        });
        let result = run(fake.clone(), async |cx| {
            cx.repeating_user_code(asked)
                .call(
                    "Invoke",
                    Effect::RunsUserCode { repeatable },
                    "f",
                    || async { Ok(()) },
                )
                .await
        });
        assert_eq!(result.is_ok(), again);
        assert_eq!(fake.seen.lock().unwrap().len(), if again { 2 } else { 1 });
    }
}

#[test]
fn a_write_outside_a_step_never_leaves() {
    let fake = Arc::new(Fake::default());
    let write = Effect::Write { repeatable: true };
    let error = run(fake.clone(), async |cx| {
        cx.call("Put", write, "x", || async { Ok(()) })
            .await
            .unwrap_err()
    });
    assert_eq!(error.kind(), &ErrorKind::Forbidden);
    assert!(fake.seen.lock().unwrap().is_empty());
    let inside = run(fake, async |cx| {
        cx.in_step(1)
            .call("Put", write, "x", || async { Ok(()) })
            .await
    });
    assert!(inside.is_ok());
}

#[test]
fn the_deadline_ends_a_call_that_does_not_answer() {
    let error = run(Arc::new(Fake::default()), async |cx| {
        cx.with_timeout(Duration::ZERO)
            .call("Get", Effect::Read, "x", pending::<Result<()>>)
            .await
            .unwrap_err()
    });
    assert_eq!(error.kind(), &ErrorKind::Timeout(TimedOut::Caller));
}

#[test]
fn what_is_interrupted_is_told_in_the_verbs_words_and_keeps_the_calls_name() {
    let error = run(Arc::new(Fake::default()), async |cx| {
        cx.for_verb("deploy")
            .with_timeout(Duration::ZERO)
            .call("PutThing", Effect::Read, "hello", pending::<Result<()>>)
            .await
            .unwrap_err()
    });
    assert_eq!(error.operation(), "deploy");
    assert_eq!(error.call(), Some("PutThing"));
    assert!(!error.to_string().contains("PutThing"), "{error}");
}

#[test]
fn an_error_of_the_provider_keeps_its_words_and_gets_the_calls_name() {
    let error = run(Arc::new(Fake::default()), async |cx| {
        cx.for_verb("deploy")
            .call("PutThing", Effect::Read, "hello", || async {
                Err::<(), _>(Error::new(ErrorKind::Forbidden, "write the record of"))
            })
            .await
            .unwrap_err()
    });
    assert_eq!(
        error.to_string(),
        "cannot write the record of hello: not allowed"
    );
    assert_eq!(error.call(), Some("PutThing"));
}

#[test]
fn a_pause_that_would_pass_the_deadline_is_not_started() {
    let fake = Arc::new(Fake::default());
    let error = run(fake.clone(), async |cx| {
        cx.with_timeout(Duration::from_secs(1))
            .call("Get", Effect::Read, "x", || async {
                Err::<(), _>(Error::new(
                    ErrorKind::Throttled {
                        retry_after: Some(Duration::from_secs(60)),
                    },
                    "answer",
                ))
            })
            .await
            .unwrap_err()
    });
    assert_eq!(error.retry(), Retry::GaveUp { attempts: 1 });
    assert_eq!(*fake.now.lock().unwrap(), Duration::ZERO);
}
