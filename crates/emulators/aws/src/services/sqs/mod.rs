//! SQS: queues, standard and FIFO, in bounded memory.
//!
//! Not served: `AddPermission` and `RemovePermission` (set the `Policy` attribute), and moving messages back
//! from a dead-letter queue.

mod attributes;
mod batch;
mod digest;
mod error;
mod handle;
mod manage;
mod queue;
mod receive;
mod send;
mod settle;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use crate::Clock;
use crate::access::{Kind, Policy};
use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};
use crate::config::Config;
use queue::{Arn, Queue};

/// The state of the service.
#[derive(Debug)]
pub(crate) struct Sqs {
    clock: Clock,
    state: Mutex<State>,
    /// Messages came, or became visible by request.
    arrived: Notify,
}

/// What is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct State {
    /// By ARN.
    queues: BTreeMap<String, Queue>,
    /// When queues were deleted whose names can't be used again yet, by ARN.
    #[serde(default)]
    deleted: BTreeMap<String, u64>,
}

impl Sqs {
    /// Nothing yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            clock: config.clock.clone(),
            state: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Every queue by its ARN, with a digest of its state.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        let digest = |queue: &Queue| {
            let bodies: Vec<&str> = queue.bodies().collect();
            let state = json!([queue.attributes, queue.tags, bodies]).to_string();
            data_encoding::HEXLOWER.encode(&Sha256::digest(state)[..16])
        };
        let state = self.lock();
        let queues = state.queues.iter();
        queues
            .map(|(arn, queue)| (arn.clone(), digest(queue)))
            .collect()
    }

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        // Serialising plain data with text keys does not fail.
        serde_json::to_value(&*self.lock()).unwrap_or_default()
    }

    /// Takes what was kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn load(&self, kept: &Value) -> Result<(), String> {
        if kept.is_null() {
            return Ok(());
        }
        let mut state = State::deserialize(kept)
            .map_err(|error| format!("its queues can't be read: {error}"))?;
        state.queues.values_mut().for_each(Queue::restore);
        *self.lock() = state;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of all messages together. *Guessed*: AWS has no such limit.
const ROOM: usize = 256 << 20;

impl State {
    /// Bytes that still fit.
    fn room(&self) -> usize {
        let used: usize = self.queues.values().map(Queue::bytes).sum();
        ROOM.saturating_sub(used)
    }
}

/// The queue's policy as permissions are held against it.
fn parsed_policy(queue: &Queue) -> Option<Policy> {
    Policy::parse(queue.attributes.get("Policy")?, Kind::Resource).ok()
}

/// The ARN of the queue that a call is about.
fn queue_arn(call: &Call) -> Result<String, ApiError> {
    let url = call.text("QueueUrl").unwrap_or_default();
    let invalid = || error::bad_address(url);
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let name = parts.next().unwrap_or_default();
    let account = parts.next().ok_or_else(invalid)?;
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid());
    }
    let arn = Arn {
        region: &call.cx.region,
        account,
        name,
    };
    Ok(arn.to_string())
}

/// The URL of a queue.
fn queue_url(call: &Call, queue: &Queue) -> String {
    format!(
        "{}/{}/{}",
        call.cx.cloud.endpoint, queue.account, queue.name
    )
}

/// Does `work` on the call's queue, if the caller may do `action` on it.
fn on_queue<T>(
    call: &Call,
    action: &str,
    work: impl FnOnce(&mut Queue, u64) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let arn = queue_arn(call)?;
    let sqs = &call.cx.cloud.sqs;
    let mut state = sqs.lock();
    let queue = state.queues.get_mut(&arn).ok_or_else(error::no_queue)?;
    let policy = parsed_policy(queue);
    call.cx.authorize_with(action, &arn, &[], policy.as_ref())?;
    let now = sqs.clock.epoch_millis();
    queue.expire(now);
    work(queue, now)
}

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.operation {
        "CreateQueue" => manage::create(&call),
        "DeleteQueue" => manage::delete(&call),
        "GetQueueUrl" => manage::url(&call),
        "ListQueues" => manage::list(&call),
        "ListDeadLetterSourceQueues" => manage::sources(&call),
        "GetQueueAttributes" => manage::attributes(&call),
        "SetQueueAttributes" => manage::set_attributes(&call),
        "PurgeQueue" => manage::purge(&call),
        "TagQueue" => manage::tag(&call),
        "UntagQueue" => manage::untag(&call),
        "ListQueueTags" => manage::tags(&call),
        "SendMessage" => send::one(&call),
        "SendMessageBatch" => batch::send(&call),
        "ReceiveMessage" => receive::receive(&call).await,
        "DeleteMessage" => settle::delete_one(&call),
        "DeleteMessageBatch" => batch::delete(&call),
        "ChangeMessageVisibility" => settle::change_one(&call),
        "ChangeMessageVisibilityBatch" => batch::change(&call),
        operation => Err(ApiError::not_served(Service::Sqs, operation)),
    }
}
