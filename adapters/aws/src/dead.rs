//! Dead letters: events that Lambda gave up, in the function's own queue.
//!
//! Reading takes nothing away. Messages are received, which hides them from other readers, and are shown again as soon as all were seen; a
//! reader that goes away in between leaves them hidden for a minute. Of two readers at a time each may miss what the other holds.

mod record;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use anyport_core::call::DeadLetter;
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, Result};
use anyport_core::spec::Name;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::auth::Session;
use crate::error;
use crate::wire::sqs::{self, Message};
use crate::wire::{Operate, Wire};

const VERB: &str = "read the dead letters of";

/// For how long a received message is hidden, in seconds: long enough to read a whole queue, short enough for a reader that crashed.
const HIDDEN: u32 = 60;
/// Messages in one request. Source: SQS developer guide.
const AT_ONCE: u8 = 10;
/// What is put in order at a time; a queue that holds more is in order within each such part only.
const IN_ORDER: usize = 1_000;
/// As [`IN_ORDER`], in bytes: this much is held in memory.
const IN_ORDER_BYTES: usize = 64 << 20;

/// The letters of `name`, oldest first.
///
/// # Errors
/// `NotFound` when there is neither such a function nor a queue of it.
pub(crate) async fn letters(
    session: &Arc<Session>,
    cx: &Ctx,
    name: &Name,
) -> Result<BoxStream<'static, Result<DeadLetter>>> {
    let queue = sqs::dead_letter_queue(name.as_str());
    let Some(url) = sqs::find(&session.wire, cx, &queue).await? else {
        exists(session, cx, name).await?;
        return Ok(stream::empty().boxed());
    };
    let reading = Reading {
        session: Arc::clone(session),
        cx: cx.clone().without_deadline(),
        url,
        queue,
        seen: HashSet::new(),
        held: Vec::new(),
        expected: None,
        ended: false,
    };
    let parts = stream::try_unfold(reading, |mut reading| async move {
        Ok::<_, Error>(reading.part().await?.map(|part| (part, reading)))
    });
    Ok(parts
        .map_ok(|part| stream::iter(part.into_iter().map(record::lift)))
        .try_flatten()
        .boxed())
}

/// Whether there is such a function.
async fn exists(session: &Session, cx: &Ctx, name: &Name) -> Result<()> {
    cx.call("GetFunction", Effect::Read, name.as_str(), || async {
        let asked = session.raw.lambda.get_function();
        let found = asked.function_name(name.as_str()).send().await;
        found
            .map(|_| ())
            .map_err(|failed| error::sdk(VERB, Effect::Read, failed))
    })
    .await
}

/// Where reading a queue stands.
struct Reading {
    session: Arc<Session>,
    cx: Ctx,
    url: String,
    queue: String,
    /// The ids of all messages so far: one may be received twice.
    seen: HashSet<String>,
    /// What hides the messages that were received.
    held: Vec<String>,
    /// How many messages there are, as far as the queue knows.
    expected: Option<u64>,
    ended: bool,
}

impl Reading {
    /// The next messages, oldest first; `None` after the last.
    async fn part(&mut self) -> Result<Option<Vec<Message>>> {
        if self.ended {
            return Ok(None);
        }
        let mut part = Vec::new();
        let mut bytes = 0;
        let read = self.fill(&mut part, &mut bytes).await;
        if self.ended || read.is_err() {
            // What was received is shown again, also when reading failed half-way.
            let shown = self.show_again().await;
            read?;
            shown?;
        }
        part.sort_by_cached_key(record::sent);
        Ok(Some(part))
    }

    async fn fill(&mut self, part: &mut Vec<Message>, bytes: &mut usize) -> Result<()> {
        let expected = match self.expected {
            Some(expected) => expected,
            None => {
                let depth = sqs::depth(&self.session.wire, &self.cx, &self.url).await?;
                *self.expected.insert(depth.visible)
            }
        };
        while part.len() < IN_ORDER && *bytes < IN_ORDER_BYTES {
            // Only a request that waits asks all of the queue's servers; when all were seen, one that does not wait is enough.
            let wait = u8::from((self.seen.len() as u64) < expected);
            let messages = self.receive(wait).await?;
            let before = self.seen.len();
            for message in messages {
                self.held.push(message.receipt_handle.clone());
                if self.seen.insert(message.message_id.clone()) {
                    *bytes += message.body.len();
                    part.push(message);
                }
            }
            if self.seen.len() == before {
                self.ended = true;
                return Ok(());
            }
        }
        Ok(())
    }

    async fn receive(&self, wait: u8) -> Result<Vec<Message>> {
        let request = sqs::ReceiveMessage {
            queue_url: &self.url,
            max_number_of_messages: AT_ONCE,
            visibility_timeout: HIDDEN,
            wait_time_seconds: wait,
            message_system_attribute_names: &[record::SENT],
        };
        let received = self.send(&request).await?;
        Ok(received.messages)
    }

    /// Ends the hiding.
    async fn show_again(&mut self) -> Result<()> {
        let mut held: VecDeque<String> = std::mem::take(&mut self.held).into();
        while !held.is_empty() {
            let batch: Vec<String> = held.drain(..held.len().min(AT_ONCE.into())).collect();
            let entries = batch
                .iter()
                .enumerate()
                .map(|(number, handle)| sqs::Visibility {
                    id: number.to_string(),
                    receipt_handle: handle,
                    visibility_timeout: 0,
                });
            let request = sqs::ChangeMessageVisibilityBatch {
                queue_url: &self.url,
                entries: entries.collect(),
            };
            self.send(&request).await?;
        }
        Ok(())
    }

    /// Sends one request. All of them are reads to the contract: no message is changed or lost by them, and they may be repeated.
    async fn send<O: Operate + Sync>(&self, request: &O) -> Result<O::Output>
    where
        O::Output: Send,
    {
        let wire: &Wire = &self.session.wire;
        self.cx
            .call(O::NAME, Effect::Read, &self.queue, || {
                wire.send(VERB, Effect::Read, request)
            })
            .await
    }
}

#[cfg(test)]
mod tests;
