//! Streams: read as they are consumed, ended by errors, deadlines and cancellation.

use std::time::Duration;

use anyport_client::InvokeOptions;
use anyport_core::call::{Body, Call, LogQuery};
use anyport_core::error::{Error, ErrorKind, TimedOut};
use anyport_core::provider::{Entry, Scope};
use futures_util::StreamExt as _;

use crate::memory::{Function, Memory, PAGE};
use crate::script::{deployed, name, owner, target};

fn pages(target: &anyport_client::Target) -> u64 {
    let calls = target.calls().by_operation();
    calls.get("List").map_or(0, |counts| counts.sent())
}

#[tokio::test]
async fn a_listing_reads_a_page_when_it_comes_to_it() {
    let memory = Memory::new();
    let target = target(&memory);
    let names: Vec<String> = (0..7).map(|n| format!("fn-{n}")).map(|n| n + "x").collect();
    for function in &names {
        deployed(&target, function, "one").await;
    }
    {
        let mut world = memory.world.lock().unwrap();
        world.functions.get_mut(&name("fn-3x")).unwrap().unreadable = true;
        let foreign = Function::foreign("terraform");
        world.functions.insert(name("theirs"), foreign);
    }
    let mut listing = target.list(Scope::Owned(owner()));
    assert_eq!(pages(&target), 0);
    let mut seen = Vec::new();
    for read in 1..=names.len() {
        let entry = listing.next().await.unwrap().unwrap();
        seen.push(match entry {
            Entry::Function(summary) => summary.name,
            Entry::Unreadable { name, .. } => name,
            _ => unreachable!(),
        });
        assert_eq!(pages(&target), read.div_ceil(PAGE) as u64);
    }
    assert_eq!(seen, names);
    assert!(listing.next().await.is_none() && listing.next().await.is_none());
    let all = target.list(Scope::Everything).collect::<Vec<_>>().await;
    assert_eq!(all.len(), 8);
}

#[tokio::test]
async fn a_page_that_cannot_be_read_is_the_last_item() {
    let memory = Memory::new();
    let target = target(&memory);
    for function in ["aaaa", "bbbb", "cccc"] {
        deployed(&target, function, "one").await;
    }
    let mut listing = target.list(Scope::Everything);
    for _ in 0..PAGE {
        assert!(listing.next().await.unwrap().is_ok());
    }
    memory.fail_next(Error::new(ErrorKind::Forbidden, "List"));
    let error = listing.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Forbidden);
    assert!(listing.next().await.is_none());
}

#[tokio::test]
async fn following_ends_when_everything_is_cancelled() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let mut query = LogQuery::new(name("hello"));
    let lines = target.logs(query.clone()).await.unwrap();
    assert_eq!(lines.count().await, 1);
    query.follow = true;
    let mut lines = target.logs(query).await.unwrap();
    assert_eq!(lines.next().await.unwrap().unwrap().text, "hello");
    let stopper = async {
        tokio::task::yield_now().await;
        target.canceller().cancel();
    };
    let (last, ()) = tokio::join!(lines.next(), stopper);
    assert_eq!(last.unwrap().unwrap_err().kind(), &ErrorKind::Cancelled);
    assert!(lines.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_callers_limit_covers_a_streamed_answer_to_its_end() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    let stuck = || {
        let first = futures_util::stream::iter([Ok("first".into())]);
        let body = first.chain(futures_util::stream::pending()).boxed();
        Call::new(name("hello"), "").with_stream(body)
    };
    let limit = InvokeOptions::default().timeout(Duration::from_secs(3));
    let reply = target.invoke_with(stuck(), limit).await.unwrap();
    let mut answer = reply.body.into_stream();
    assert_eq!(answer.next().await.unwrap().unwrap(), "first");
    let error = answer.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Timeout(TimedOut::Caller));
    assert!(answer.next().await.is_none());
    // Without one, the answer may take as long as it likes.
    let reply = target.invoke(stuck()).await.unwrap();
    let mut answer = reply.body.into_stream().skip(1);
    let day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, answer.next()).await.is_err());
}

trait WithStream {
    fn with_stream(
        self,
        stream: futures_core::stream::BoxStream<'static, anyport_core::Result<bytes::Bytes>>,
    ) -> Self;
}

impl WithStream for Call {
    fn with_stream(
        mut self,
        stream: futures_core::stream::BoxStream<'static, anyport_core::Result<bytes::Bytes>>,
    ) -> Self {
        self.body = Body::Stream(stream);
        self
    }
}
