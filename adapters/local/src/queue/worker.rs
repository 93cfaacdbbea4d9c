//! Delivers events. Of all processes that hold the state folder one has the lease; the system gives it on when that one dies.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use anyport_core::error::{Error, ErrorKind, Result, Retry};
use anyport_core::spec::{DataClass, Delivery, Name};
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio::time::MissedTickBehavior;

use super::dead::{Why, bury};
use super::event::{Event, LONGEST_EVENT, Ticket};
use crate::live::{Attempt, Live};
use crate::store::{Lock, Place, file};
use crate::{error, ids, provider};

/// How often the queues are looked at for what other processes put there.
const LOOK: Duration = Duration::from_millis(200);
/// How often a process without the lease asks for it.
const LEASE: Duration = Duration::from_millis(500);
/// Events of one function that are delivered at a time.
const AT_ONCE: usize = 8;
/// Events of one function that one look takes up.
const BATCH: usize = 256;
/// Events of all functions that are delivered at a time.
const IN_ALL: usize = 64;
/// The pause before an event is tried again whose function could not take it.
const BUSY: Duration = Duration::from_millis(500);

/// Delivers events for as long as it is not dropped.
pub(crate) struct Worker {
    live: Arc<Live>,
    wake: Arc<Notify>,
    /// What was due at the last look and is not started, by function.
    pending: HashMap<Name, VecDeque<Ticket>>,
    under_way: HashMap<Id, (Name, String)>,
    tasks: JoinSet<()>,
}

impl Worker {
    /// A worker that looks when `wake` is notified, and from time to time.
    pub(crate) fn new(live: Arc<Live>, wake: Arc<Notify>) -> Self {
        Self {
            live,
            wake,
            pending: HashMap::new(),
            under_way: HashMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Waits for the lease, then delivers.
    pub(crate) async fn run(mut self) {
        let _lease = self.lease().await;
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.start_pending();
            let look = tokio::select! {
                () = self.wake.notified() => true,
                _ = tick.tick() => true,
                Some(done) = self.tasks.join_next_with_id() => {
                    let id = done.map_or_else(|stopped| stopped.id(), |(id, ())| id);
                    self.under_way.remove(&id);
                    false
                }
            };
            if look {
                // What cannot be read now is tried again at the next look.
                self.pending = self.look().await.unwrap_or_default();
            }
        }
    }

    async fn lease(&self) -> Lock {
        loop {
            if let Ok(Some(lease)) = self.live.store.try_lock(Place::DELIVERY) {
                return lease;
            }
            tokio::time::sleep(LEASE).await;
        }
    }

    /// What is due and not under way, the oldest of each function first.
    async fn look(&self) -> Result<HashMap<Name, VecDeque<Ticket>>> {
        let under_way: HashSet<(Name, String)> = self.under_way.values().cloned().collect();
        let store = Arc::clone(&self.live.store);
        provider::blocking("look for events", move || {
            let mut due = HashMap::new();
            let now = ids::now_ms();
            for name in store.list()? {
                let Ok(name) = name.parse::<Name>() else {
                    continue;
                };
                let dir = store.queue(&name);
                let names = file::names(&dir).map_err(error::io("look for events", &dir))?;
                // A folder without a record is not ours, whatever it holds.
                if names.is_empty() || !store.record(&name).exists() {
                    continue;
                }
                let tickets: BTreeSet<Ticket> =
                    names.iter().filter_map(|name| Ticket::read(name)).collect();
                let tickets = tickets.into_iter().filter(|ticket| {
                    ticket.due_ms <= now && !under_way.contains(&(name.clone(), ticket.id.clone()))
                });
                due.insert(name.clone(), tickets.take(BATCH).collect());
            }
            Ok(due)
        })
        .await
    }

    /// Starts what there is room for.
    fn start_pending(&mut self) {
        let mut running: HashMap<&Name, usize> = HashMap::new();
        for (name, _) in self.under_way.values() {
            *running.entry(name).or_default() += 1;
        }
        let mut room = IN_ALL.saturating_sub(self.under_way.len());
        let mut starting = Vec::new();
        for (name, tickets) in &mut self.pending {
            let free = AT_ONCE.saturating_sub(running.get(name).copied().unwrap_or(0));
            let count = tickets.len().min(free).min(room);
            room -= count;
            starting.extend(tickets.drain(..count).map(|ticket| (name.clone(), ticket)));
        }
        for (name, ticket) in starting {
            let key = (name.clone(), ticket.id.clone());
            let live = Arc::clone(&self.live);
            let parcel = Parcel { live, name, ticket };
            let task = self.tasks.spawn(async move {
                // When the outcome cannot be recorded the event stays as it was: it is delivered again, a little later.
                if parcel.deliver().await.is_err() {
                    tokio::time::sleep(BUSY).await;
                }
            });
            self.under_way.insert(task.id(), key);
        }
    }
}

/// One event on its way to its function.
struct Parcel {
    live: Arc<Live>,
    name: Name,
    ticket: Ticket,
}

/// What became of an attempt.
enum Fate {
    /// The function has handled it.
    Handled,
    /// The attempt failed, for this reason.
    Failed(String),
    /// There was no attempt.
    Later,
    /// It will not be tried again, for this reason.
    Dead(String),
}

impl Parcel {
    async fn deliver(&self) -> Result<()> {
        let (fate, delivery) = match self.read().await? {
            Found::Gone => return Ok(()),
            Found::Broken => (
                Fate::Dead("it cannot be read".to_owned()),
                Delivery::default(),
            ),
            Found::Event(event) => self.attempt(event).await?,
        };
        let Self { live, name, ticket } = self;
        let (queue, dead) = (live.store.queue(name), live.store.dead(name));
        let ticket = ticket.clone();
        provider::blocking("record the delivery", move || {
            let path = queue.join(ticket.file());
            let settle = || -> io::Result<()> {
                let made = ticket.attempts + 1;
                match fate {
                    Fate::Handled => file::remove(&path),
                    Fate::Dead(reason) => {
                        let attempts = ticket.attempts;
                        bury(&queue, &dead, &ticket, &Why { attempts, reason })
                    }
                    Fate::Failed(reason) if made >= u32::from(delivery.attempts) => {
                        let why = Why {
                            attempts: made,
                            reason,
                        };
                        bury(&queue, &dead, &ticket, &why)
                    }
                    Fate::Failed(_) => {
                        let pause = delivery.backoff.saturating_mul(1 << (made - 1).min(16));
                        postpone(&queue, &ticket, made, pause)
                    }
                    Fate::Later => postpone(&queue, &ticket, ticket.attempts, BUSY),
                }
            };
            match settle() {
                // Purged meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other.map_err(error::io("record the delivery", &queue)),
            }
        })
        .await
    }

    async fn read(&self) -> Result<Found> {
        let path = self.live.store.queue(&self.name).join(self.ticket.file());
        provider::blocking("read the event", move || {
            match file::read(&path, LONGEST_EVENT) {
                Ok(bytes) => Ok(Event::decode(bytes).map_or(Found::Broken, Found::Event)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Gone),
                Err(error) => Err(error::io("read the event", &path)(error)),
            }
        })
        .await
    }

    async fn attempt(&self, event: Event) -> Result<(Fate, Delivery)> {
        let (delivery, data) = match self.live.store.read(&self.name) {
            Ok(Some(stored)) => {
                let data = stored.record.live().map(|live| live.spec.data);
                (stored.record.settings.delivery, data)
            }
            Ok(None) => (Delivery::default(), None),
            Err(error) => return Err(error),
        };
        let age = ids::now_ms().saturating_sub(event.accepted_ms);
        if u128::from(age) > delivery.max_age.as_millis() {
            let reason = format!("it is older than {:?}", delivery.max_age);
            return Ok((Fate::Dead(reason), delivery));
        }
        if data.is_none() {
            return Ok((Fate::Later, delivery));
        }
        let attempt = Attempt {
            name: self.name.clone(),
            qualifier: event.qualifier,
            body: event.body,
            content_type: event.content_type,
            traceparent: event.traceparent,
            idempotency_key: event.idempotency_key,
        };
        let outcome = async {
            let reply = self.live.invoke(&attempt, event.id).await?;
            // Handled is what was answered to the end.
            let mut body = reply.body.into_stream();
            while let Some(piece) = body.next().await {
                piece?;
            }
            Ok(())
        };
        let fate = match outcome.await {
            Ok(()) => Fate::Handled,
            Err(error) => fate(&error, data == Some(DataClass::Personal)),
        };
        Ok((fate, delivery))
    }
}

enum Found {
    Event(Event),
    Broken,
    Gone,
}

/// What an error means for the event. Of functions with personal data only the kind is kept: messages may quote what they were given.
fn fate(error: &Error, personal: bool) -> Fate {
    let waits = matches!(
        error.kind(),
        ErrorKind::Throttled { .. } | ErrorKind::Unavailable
    ) && !error.user_code_may_have_run()
        && error.retry() != Retry::No;
    if waits {
        return Fate::Later;
    }
    Fate::Failed(match error.kind() {
        ErrorKind::Function(failure) if personal => failure.error_type.clone(),
        kind if personal => kind.name().to_owned(),
        _ => error.to_string(),
    })
}

fn postpone(
    queue: &std::path::Path,
    ticket: &Ticket,
    attempts: u32,
    pause: Duration,
) -> io::Result<()> {
    let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
    let next = Ticket {
        due_ms: ids::now_ms().saturating_add(pause),
        attempts,
        id: ticket.id.clone(),
    };
    file::rename(&queue.join(ticket.file()), &queue.join(next.file()))
}
