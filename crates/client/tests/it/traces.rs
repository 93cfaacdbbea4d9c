//! What is traced: one span a verb, every call with its operation, resource, attempt and step, and never a payload.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use anyport_client::{Observer, Target};
use anyport_core::call::Call;
use anyport_core::context::Attempt;
use anyport_core::error::{Error, ErrorKind};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

use crate::memory::Memory;
use crate::script::{deployed, name, options, target};

thread_local! {
    /// The lines of the test on this thread, while it wants them.
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Writes every span and event of this crate as one line, for the thread that makes it. It serves the whole process, because what a subscriber
/// of one thread sees depends on what the others do.
struct Lines(AtomicU64);

fn write_line(line: Line) {
    LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.push(line.0)));
}

/// Everything that is traced on this thread from now on.
fn listen() {
    static SUBSCRIBED: Once = Once::new();
    SUBSCRIBED.call_once(|| {
        tracing::subscriber::set_global_default(Lines(AtomicU64::new(1))).unwrap();
        // Call sites that were reached before have noted that nobody listens.
        tracing::callsite::rebuild_interest_cache();
    });
    LINES.set(Some(Vec::new()));
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Lines {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "anyport" && LINES.with_borrow(Option::is_some)
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line("span".to_owned());
        span.record(&mut line);
        write_line(line);
        Id::from_u64(self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line("event".to_owned());
        event.record(&mut line);
        write_line(line);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn verbs_and_calls_are_traced_and_payloads_are_not() {
    let memory = Memory::new();
    let target = target(&memory);
    deployed(&target, "hello", "one").await;
    listen();
    let mut call = Call::new(name("hello"), "\"hunter2\"");
    call.idempotency_key = Some("customer-7".to_owned());
    memory.fail_next(Error::new(ErrorKind::Unavailable, "answer"));
    target.invoke(call).await.unwrap();
    let lines = LINES.take().unwrap().join("\n");
    let span = "span verb=\"invoke\" on=\"memory://test\" name=\"hello\"";
    assert!(lines.starts_with(span), "{lines}");
    for attempt in [1, 2] {
        let sent = format!("operation=\"Invoke\" resource=\"hello\" attempt={attempt}");
        assert_eq!(lines.matches(&sent).count(), 2, "{lines}");
    }
    assert_eq!(lines.matches("error=\"unavailable\"").count(), 1, "{lines}");
    assert!(!lines.contains("hunter2") && !lines.contains("customer-7"));
}

#[derive(Default)]
struct Watch(Mutex<Vec<String>>);

impl Observer for Watch {
    fn sent(&self, attempt: &Attempt<'_>) {
        let line = format!("{} step {:?}", attempt.operation, attempt.step);
        self.0.lock().unwrap().push(line);
    }

    fn answered(&self, attempt: &Attempt<'_>, _: Duration, error: Option<&Error>) {
        let line = format!("{} {}", attempt.operation, error.is_none());
        self.0.lock().unwrap().push(line);
    }
}

#[tokio::test]
async fn an_observer_sees_every_write_with_its_step() {
    let memory = Memory::new();
    let watch = Arc::new(Watch::default());
    let target = Target::new(memory, options().with_observer(watch.clone()));
    deployed(&target, "hello", "one").await;
    let seen = watch.0.lock().unwrap();
    let writes: Vec<&String> = seen
        .iter()
        .filter(|line| line.contains("Put step"))
        .collect();
    let expected: Vec<String> = (1..=4).map(|n| format!("Put step Some({n})")).collect();
    assert_eq!(writes, expected.iter().collect::<Vec<_>>());
    assert_eq!(seen.iter().filter(|line| line.ends_with("true")).count(), 6);
}
