//! The operations of SQS that dead letters need. Source: SQS service model, version 2012-11-05.

use std::collections::BTreeMap;

use anyport_core::context::{Ctx, Effect};
use anyport_core::error::Result;
use serde::{Deserialize, Serialize};

use super::{Operate, Service, Wire};
use crate::error;

macro_rules! operation {
    ($input:ty => $output:ty, $name:literal) => {
        impl Operate for $input {
            type Output = $output;
            const SERVICE: Service = Service::Sqs;
            const NAME: &'static str = $name;
        }
    };
}

/// An answer that says nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// Makes a queue, or finds one of that name with the same attributes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateQueue<'a> {
    pub(crate) queue_name: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) attributes: BTreeMap<&'a str, String>,
    /// The one member that is written in lower case.
    #[serde(rename = "tags", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
}
operation!(CreateQueue<'_> => QueueUrl, "CreateQueue");

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetQueueUrl<'a> {
    pub(crate) queue_name: &'a str,
}
operation!(GetQueueUrl<'_> => QueueUrl, "GetQueueUrl");

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct QueueUrl {
    pub(crate) queue_url: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetQueueAttributes<'a> {
    pub(crate) queue_url: &'a str,
    pub(crate) attribute_names: &'a [&'a str],
}
operation!(GetQueueAttributes<'_> => Attributes, "GetQueueAttributes");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Attributes {
    pub(crate) attributes: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteQueue<'a> {
    pub(crate) queue_url: &'a str,
}
operation!(DeleteQueue<'_> => Nothing, "DeleteQueue");

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReceiveMessage<'a> {
    pub(crate) queue_url: &'a str,
    pub(crate) max_number_of_messages: u8,
    /// For how many seconds nobody else receives them.
    pub(crate) visibility_timeout: u32,
    /// For how many seconds to wait for the first one. From 1 on all of the queue's servers are asked.
    pub(crate) wait_time_seconds: u8,
    pub(crate) message_system_attribute_names: &'a [&'a str],
}
operation!(ReceiveMessage<'_> => Messages, "ReceiveMessage");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Messages {
    pub(crate) messages: Vec<Message>,
}

/// A message. `Debug` shows no body.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Message {
    pub(crate) message_id: String,
    pub(crate) receipt_handle: String,
    pub(crate) body: String,
    pub(crate) attributes: BTreeMap<String, String>,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.message_id)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChangeMessageVisibilityBatch<'a> {
    pub(crate) queue_url: &'a str,
    /// At most ten.
    pub(crate) entries: Vec<Visibility<'a>>,
}
operation!(ChangeMessageVisibilityBatch<'_> => Nothing, "ChangeMessageVisibilityBatch");

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Visibility<'a> {
    pub(crate) id: String,
    pub(crate) receipt_handle: &'a str,
    pub(crate) visibility_timeout: u32,
}

/// How many messages a queue holds, as far as SQS knows: those waiting, and those that somebody received and did not delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Depth {
    pub(crate) visible: u64,
    pub(crate) hidden: u64,
}

impl Depth {
    /// All of them.
    pub(crate) const fn total(self) -> u64 {
        self.visible.saturating_add(self.hidden)
    }

    /// What the attributes say.
    pub(crate) fn read(attributes: &BTreeMap<String, String>) -> Self {
        let count = |name| {
            let text: Option<&String> = attributes.get(name);
            text.and_then(|text| text.parse().ok()).unwrap_or_default()
        };
        Self {
            visible: count(VISIBLE),
            hidden: count(HIDDEN),
        }
    }
}

const VISIBLE: &str = "ApproximateNumberOfMessages";
const HIDDEN: &str = "ApproximateNumberOfMessagesNotVisible";

/// The name of the queue that keeps a function's dead letters.
pub(crate) fn dead_letter_queue(function: &str) -> String {
    format!("anyport-{function}-dead")
}

/// A queue's ARN.
pub(crate) fn arn(region: &str, account: &str, queue: &str) -> String {
    let partition = super::endpoint::partition(region);
    format!("arn:{partition}:sqs:{region}:{account}:{queue}")
}

/// The URL of a queue, `None` when there is none of that name.
///
/// # Errors
/// As for every read.
pub(crate) async fn find(wire: &Wire, cx: &Ctx, queue: &str) -> Result<Option<String>> {
    let request = GetQueueUrl { queue_name: queue };
    let found = cx.call(GetQueueUrl::NAME, Effect::Read, queue, || {
        wire.send("find the queue", Effect::Read, &request)
    });
    Ok(error::found(found.await)?.map(|found| found.queue_url))
}

/// How many messages are in the queue at this URL.
///
/// # Errors
/// As for every read.
pub(crate) async fn depth(wire: &Wire, cx: &Ctx, queue_url: &str) -> Result<Depth> {
    let request = GetQueueAttributes {
        queue_url,
        attribute_names: &[VISIBLE, HIDDEN],
    };
    let answer = cx.call(GetQueueAttributes::NAME, Effect::Read, queue_url, || {
        wire.send("count the messages of", Effect::Read, &request)
    });
    Ok(Depth::read(&answer.await?.attributes))
}

/// Makes a queue, or finds it. Inside a step.
///
/// # Errors
/// `Conflict` when there is one with other attributes, and as for every write.
pub(crate) async fn create(wire: &Wire, cx: &Ctx, request: &CreateQueue<'_>) -> Result<String> {
    let effect = Effect::Write { repeatable: true };
    let made = cx.call(CreateQueue::NAME, effect, request.queue_name, || {
        wire.send("make the queue", effect, request)
    });
    Ok(made.await?.queue_url)
}

/// Deletes a queue with everything in it; one that is gone already is fine. Inside a step.
///
/// # Errors
/// As for every write.
pub(crate) async fn delete(wire: &Wire, cx: &Ctx, queue_url: &str) -> Result<()> {
    let effect = Effect::Write { repeatable: true };
    let request = DeleteQueue { queue_url };
    let gone = cx.call(DeleteQueue::NAME, effect, queue_url, || {
        wire.send("delete the queue", effect, &request)
    });
    error::found(gone.await).map(|_| ())
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListQueueTags<'a> {
    pub(crate) queue_url: &'a str,
}
operation!(ListQueueTags<'_> => Tags, "ListQueueTags");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct Tags {
    pub(crate) tags: BTreeMap<String, String>,
}

/// The tags of the queue at this URL.
///
/// # Errors
/// As for every read.
pub(crate) async fn tags(
    wire: &Wire,
    cx: &Ctx,
    queue_url: &str,
) -> Result<BTreeMap<String, String>> {
    let request = ListQueueTags { queue_url };
    let answer = cx.call(ListQueueTags::NAME, Effect::Read, queue_url, || {
        wire.send("read the tags of", Effect::Read, &request)
    });
    Ok(answer.await?.tags)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TagQueue<'a> {
    pub(crate) queue_url: &'a str,
    pub(crate) tags: BTreeMap<String, String>,
}
operation!(TagQueue<'_> => Nothing, "TagQueue");

/// Sets tags of the queue at this URL. Inside a step.
///
/// # Errors
/// As for every write.
pub(crate) async fn tag(
    wire: &Wire,
    cx: &Ctx,
    queue_url: &str,
    tags: BTreeMap<String, String>,
) -> Result<()> {
    let effect = Effect::Write { repeatable: true };
    let request = TagQueue { queue_url, tags };
    let tagged = cx.call(TagQueue::NAME, effect, queue_url, || {
        wire.send("tag the queue", effect, &request)
    });
    tagged.await.map(|_| ())
}
