//! What `Target::invoke` costs over calling the provider itself: counted, not timed.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use anyport_client::{Calls, Cancel, LiveSeam};
use anyport_core::call::Call;
use anyport_core::context::{Ctx, Seam};
use anyport_core::provider::Provider as _;
use bytes::Bytes;

use crate::memory::Memory;
use crate::script::{deployed, name, target};

/// Allocations that `Target::invoke` makes beyond those of `Provider::invoke` through the same kind of seam.
const EXTRA_ALLOCATIONS: u64 = 0;
/// Bytes by which the same allocations may be larger: the boxed wait for an interruption holds a timer for the deadline, which the direct
/// call does not have. 128 when measured; the compiler lays futures out as it likes.
const EXTRA_BYTES: u64 = 256;

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

#[tokio::test]
async fn invoking_through_the_target_allocates_what_the_provider_does_and_copies_nothing() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let seam: Arc<dyn Seam> = Arc::new(LiveSeam::new(Cancel::new(), Calls::default(), None));
    let cx = Ctx::new(seam);
    let payload = Bytes::from(vec![b'x'; 900]);
    let call = || Call::new(name("hello"), payload.clone());
    // The first of each fills counters and caches.
    for _ in 0..3 {
        target.invoke(call()).await.unwrap();
        memory.invoke(&cx, call()).await.unwrap();
    }
    let (one, two) = (call(), call());
    let (direct, allocations, bytes) = counted(async { memory.invoke(&cx, one).await }).await;
    let (through, through_allocations, through_bytes) =
        counted(async { target.invoke(two).await }).await;
    for reply in [direct, through] {
        let back = reply.unwrap().body.collect(u64::MAX).await.unwrap();
        assert_eq!(back.as_ptr(), payload.as_ptr());
    }
    println!(
        "direct: {allocations} allocations of {bytes} bytes; through Target: {through_allocations} of {through_bytes}; payload: {}",
        payload.len()
    );
    assert_eq!(through_allocations - allocations, EXTRA_ALLOCATIONS);
    assert!(through_bytes.saturating_sub(bytes) <= EXTRA_BYTES);
}
