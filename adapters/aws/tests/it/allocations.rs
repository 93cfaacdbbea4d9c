//! What `Target::invoke` costs over the AWS SDK's own call: counted, not timed.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::{Arc, Mutex};

use anyport_aws::{Config, Credentials, Raw, connect};
use anyport_client::{Options, Target};
use anyport_core::call::Call;
use anyport_core::mark::Owner;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::LogType;
use aws_smithy_http_client::test_util::infallible_client_fn;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::support::name;

/// Allocations that `Target::invoke` makes beyond those of the SDK's client for the same request.
/// 7 when measured, of 347.
const EXTRA_ALLOCATIONS: u64 = 7;

thread_local! {
    static COUNTED: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

struct Counting;

fn count(size: usize) {
    // A thread that is ending has no counter any more.
    let _ = COUNTED.try_with(|counted| {
        let (number, bytes) = counted.get();
        counted.set((number + 1, bytes + size as u64));
    });
}

// SAFETY: every method hands its arguments unchanged to the system's allocator, which keeps the contract; counting touches a thread-local
// without allocating.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

async fn counted<T>(work: impl Future<Output = T>) -> (T, u64, u64) {
    let before = COUNTED.get();
    let result = work.await;
    let after = COUNTED.get();
    (result, after.0 - before.0, after.1 - before.1)
}

/// A log's end as Lambda sends it: START, END and REPORT in base64.
fn tail() -> String {
    let id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95";
    let report = format!(
        "START RequestId: {id} Version: 1\nEND RequestId: {id}\nREPORT RequestId: {id}\tDuration: 0.53 ms\tBilled Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 8 MB\t\n"
    );
    data_encoding::BASE64.encode(report.as_bytes())
}

#[tokio::test]
async fn invoking_through_the_target_allocates_what_is_said_and_copies_nothing() {
    let payload = Bytes::from(format!("\"{}\"", "x".repeat(64 << 10)));
    let (tail, answer) = (tail(), payload.clone());
    // Where the bytes were that came to the connection.
    let seen = Arc::new(Mutex::new(Vec::with_capacity(64)));
    let client = {
        let seen = Arc::clone(&seen);
        infallible_client_fn(move |request| {
            let body = request.body().bytes().unwrap_or_default();
            seen.lock()
                .unwrap()
                .push((body.as_ptr() as usize, body.len()));
            http::Response::builder()
                .header("x-amzn-requestid", "8f507cfc-xmpl-4697-b07a-ac58fc914c95")
                .header("x-amz-executed-version", "1")
                .header("x-amz-log-result", &tail)
                .body(SdkBody::from(answer.clone()))
                .unwrap()
        })
    };
    let config = Config::default()
        .credentials(Credentials::keys("AKIDEXAMPLE", "secret"))
        .http_client(client);
    let url = "lambda://eu-west-1".parse().unwrap();
    let provider = connect(&url, config).await.unwrap();
    let target = Target::new(provider, Options::new(Owner::new("app", "test")));
    let sdk = target.raw().downcast_ref::<Raw>().unwrap().calls.clone();
    let alone = || {
        sdk.invoke()
            .function_name("hello")
            .qualifier("live")
            .log_type(LogType::Tail)
            .payload(Blob::from_maybe_shared(payload.clone()))
            .send()
    };
    let call = || Call::new(name("hello"), payload.clone());
    // The first of each fills counters and caches.
    for _ in 0..3 {
        alone().await.unwrap();
        target.invoke(call()).await.unwrap();
    }
    let (direct, allocations, bytes) = counted(async { alone().await }).await;
    let through_call = call();
    let (through, through_allocations, through_bytes) =
        counted(async { target.invoke(through_call).await }).await;
    let body = through.unwrap().body.collect(u64::MAX).await.unwrap();
    assert_eq!(direct.unwrap().payload.unwrap().as_ref(), &body[..]);
    assert!(
        (seen.lock().unwrap().iter())
            .all(|seen| *seen == (payload.as_ptr() as usize, payload.len())),
        "the payload was copied on its way to the connection"
    );
    println!(
        "SDK: {allocations} allocations of {bytes} bytes; through Target: {through_allocations} of {through_bytes}; payload: {}",
        payload.len()
    );
    // A copy has to be put somewhere.
    assert!(through_bytes.saturating_sub(bytes) < payload.len() as u64);
    assert!(through_allocations <= allocations + EXTRA_ALLOCATIONS);
}
