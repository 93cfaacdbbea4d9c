//! Payloads, retries by effect, deadlines and cancellation of invocations.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyport_client::{InvokeOptions, Target, Timeouts};
use anyport_core::call::{Body, Call, Reply};
use anyport_core::context::RetryPolicy;
use anyport_core::error::{Error, ErrorKind, Result, Retry, TimedOut};
use bytes::Bytes;

use crate::memory::{MAX_REQUEST, Memory, streamed};
use crate::script::{deployed, name, options, target};

async fn hello(memory: &std::sync::Arc<Memory>) -> Target {
    let target = target(memory);
    deployed(&target, "hello", "one").await;
    target.calls().reset();
    target
}

fn call(body: impl Into<Body>) -> Call {
    let mut call = Call::new(name("hello"), body);
    call.content_type = "application/octet-stream".to_owned();
    call
}

async fn content(reply: Result<Reply>) -> Result<Bytes> {
    reply?.body.collect(u64::MAX).await
}

#[tokio::test]
async fn payloads_up_to_the_limit_pass_and_one_byte_more_is_not_sent() {
    let memory = Memory::new();
    let target = hello(&memory).await;
    let limit = usize::try_from(MAX_REQUEST).unwrap();
    for size in [0, 1, limit] {
        let sent = Bytes::from(vec![0xff; size]);
        let back = content(target.invoke(call(sent.clone())).await)
            .await
            .unwrap();
        assert_eq!(back, sent);
        // The very bytes, not a copy of them.
        assert!(size == 0 || back.as_ptr() == sent.as_ptr());
    }
    target.calls().reset();
    let error = target.invoke(call(vec![0; limit + 1])).await.unwrap_err();
    let ErrorKind::PayloadTooLarge(passed) = error.kind() else {
        panic!("{error}");
    };
    assert_eq!((passed.max, passed.actual), (MAX_REQUEST, Some(1001)));
    assert!(error.to_string().contains("1000 bytes"), "{error}");
    let error = target.enqueue(call(vec![0; 101])).await.unwrap_err();
    assert_eq!(error.kind().name(), "payload_too_large", "{error}");
    assert_eq!(target.calls().total().sent(), 0);
}

#[tokio::test]
async fn a_streamed_payload_is_cut_where_it_passes_the_limit() {
    let memory = Memory::new();
    let target = hello(&memory).await;
    let whole = content(target.invoke(call(streamed(10, 100))).await).await;
    assert_eq!(whole.unwrap().len(), 1000);
    let error = content(target.invoke(call(streamed(usize::MAX, 300))).await).await;
    assert_eq!(error.unwrap_err().kind().name(), "payload_too_large");
}

#[tokio::test]
async fn malformed_headers_are_refused_together_and_the_key_is_not_shown() {
    let memory = Memory::new();
    let target = hello(&memory).await;
    for (media_type, key) in [
        ("", "a b"),
        ("text", ""),
        ("text/pl\nain", "k\u{e9}y"),
        ("text/plain\r\nx: y", &"k".repeat(256)),
    ] {
        let mut call = call("x");
        call.content_type = media_type.to_owned();
        call.idempotency_key = Some(key.to_owned());
        let error = target.invoke(call).await.unwrap_err();
        let ErrorKind::InvalidSpec(found) = error.kind() else {
            panic!("{error}");
        };
        assert_eq!(found.len(), 2, "{found}");
        assert!(!error.to_string().contains(['\n', '\r']));
        assert!(key.is_empty() || !format!("{error:?}").contains(key));
    }
    assert_eq!(target.calls().total().sent(), 0);
}

fn unavailable(may_have_run: bool) -> Error {
    Error::new(ErrorKind::Unavailable, "answer").may_have_run(may_have_run)
}

#[tokio::test(start_paused = true)]
async fn what_may_have_run_is_repeated_only_when_asked_or_safe() {
    let memory = Memory::new();
    let target = hello(&memory).await;
    let attempts = async |call: Call, options, may_have_run| {
        target.calls().reset();
        memory.errors.lock().unwrap().clear();
        memory.fail_next(unavailable(may_have_run));
        let result = target.invoke_with(call, options).await;
        (result, target.calls().total().runs)
    };
    let plain = InvokeOptions::default();
    let (result, runs) = attempts(call("x"), plain, true).await;
    let error = result.unwrap_err();
    assert_eq!((runs, error.retry()), (1, Retry::Safe));
    assert!(error.user_code_may_have_run());

    let (result, runs) = attempts(call("x"), plain, false).await;
    assert!(result.is_ok() && runs == 2);
    let asked = plain.retry_if_may_have_run(true);
    let (result, runs) = attempts(call("x"), asked, true).await;
    assert!(result.is_ok() && runs == 2);
    let mut keyed = call("x");
    keyed.idempotency_key = Some("once".to_owned());
    let (result, runs) = attempts(keyed, plain, true).await;
    assert!(result.is_ok() && runs == 2);
    assert_eq!(target.calls().total().retries, 1);
}

#[tokio::test(start_paused = true)]
async fn reads_are_retried_as_often_as_the_options_say() {
    let memory = Memory::new();
    let retry = RetryPolicy::default().attempts(3);
    let target = Target::new(memory.clone(), options().with_retry(retry));
    for _ in 0..2 {
        memory.fail_next(unavailable(false));
    }
    assert!(target.identify().await.is_ok());
    for _ in 0..3 {
        memory.fail_next(unavailable(false));
    }
    let error = target.identify().await.unwrap_err();
    assert_eq!(error.retry(), Retry::GaveUp { attempts: 3 });
    let counts = target.calls().total();
    assert_eq!((counts.sent(), counts.failed, counts.retries), (6, 5, 4));
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_ends_the_wait() {
    let memory = Memory::new();
    let target = hello(&memory).await;
    memory.hangs.store(true, Ordering::SeqCst);
    let clock = tokio::time::Instant::now();
    let second = InvokeOptions::default().timeout(Duration::from_secs(1));
    let error = target.invoke_with(call("x"), second).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout(TimedOut::Caller));
    assert!(error.user_code_may_have_run());
    assert_eq!(clock.elapsed().as_secs(), 1);
    assert_eq!(memory.in_flight.load(Ordering::SeqCst), 0);
    // Without a limit of the caller's, the longest that a function has here and a minute; or what the options say.
    let clock = tokio::time::Instant::now();
    assert!(target.invoke(call("x")).await.is_err());
    assert_eq!(clock.elapsed().as_secs(), 1000 + 60);
    memory.hangs.store(false, Ordering::SeqCst);
    let limits = Timeouts::default().invoke(Duration::from_secs(7));
    let target = Target::new(memory.clone(), options().with_timeouts(limits));
    target.capabilities().await.unwrap();
    memory.hangs.store(true, Ordering::SeqCst);
    let clock = tokio::time::Instant::now();
    assert!(target.invoke(call("x")).await.is_err());
    assert_eq!(clock.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn cancelling_stops_what_is_under_way_and_all_that_comes() {
    let memory = Memory::new();
    let target = hello(&memory).await;
    memory.hangs.store(true, Ordering::SeqCst);
    let stopper = async {
        tokio::task::yield_now().await;
        target.canceller().cancel();
    };
    let (result, ()) = tokio::join!(target.invoke(call("x")), stopper);
    assert_eq!(result.unwrap_err().kind(), &ErrorKind::Cancelled);
    assert_eq!(memory.in_flight.load(Ordering::SeqCst), 0);
    memory.hangs.store(false, Ordering::SeqCst);
    target.calls().reset();
    let error = target.clone().status(&name("hello")).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Cancelled);
    assert_eq!(target.calls().total().sent(), 0);
}
