//! The operations of CloudWatch Logs that functions need. Source: CloudWatch Logs service model, version 2014-03-28.

use std::collections::BTreeMap;

use anyport_core::ErrorKind;
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::Result;
use serde::{Deserialize, Serialize};

use super::{Operate, Service, Wire};
use crate::error;

macro_rules! operation {
    ($input:ty => $output:ty, $name:literal) => {
        impl Operate for $input {
            type Output = $output;
            const SERVICE: Service = Service::Logs;
            const NAME: &'static str = $name;
        }
    };
}

/// An answer that says nothing.
#[derive(Debug, Deserialize)]
pub(crate) struct Nothing {}

/// One page of log events.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FilterLogEvents<'a> {
    pub(crate) log_group_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_stream_names: Option<[&'a str; 1]>,
    /// In milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) end_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter_pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u32>,
    /// False: the newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_from_head: Option<bool>,
}
operation!(FilterLogEvents<'_> => Events, "FilterLogEvents");

/// A page of events. An empty one is not the end as long as there is a token.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Events {
    pub(crate) events: Vec<Event>,
    pub(crate) next_token: Option<String>,
}

/// One log event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Event {
    pub(crate) log_stream_name: String,
    /// In milliseconds since 1970.
    pub(crate) timestamp: u64,
    pub(crate) message: String,
    pub(crate) event_id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateLogGroup<'a> {
    pub(crate) log_group_name: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
}
operation!(CreateLogGroup<'_> => Nothing, "CreateLogGroup");

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PutRetentionPolicy<'a> {
    pub(crate) log_group_name: &'a str,
    pub(crate) retention_in_days: u32,
}
operation!(PutRetentionPolicy<'_> => Nothing, "PutRetentionPolicy");

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteRetentionPolicy<'a> {
    pub(crate) log_group_name: &'a str,
}
operation!(DeleteRetentionPolicy<'_> => Nothing, "DeleteRetentionPolicy");

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeleteLogGroup<'a> {
    pub(crate) log_group_name: &'a str,
}
operation!(DeleteLogGroup<'_> => Nothing, "DeleteLogGroup");

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DescribeLogGroups<'a> {
    pub(crate) log_group_name_prefix: &'a str,
}
operation!(DescribeLogGroups<'_> => LogGroups, "DescribeLogGroups");

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogGroups {
    pub(crate) log_groups: Vec<LogGroup>,
}

/// A log group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct LogGroup {
    pub(crate) log_group_name: String,
    /// For how long events are kept; for ever when absent.
    pub(crate) retention_in_days: Option<u32>,
}

/// The log group that Lambda writes to unless it is told otherwise. Source: Lambda developer guide.
pub(crate) fn group(function: &str) -> String {
    format!("/aws/lambda/{function}")
}

/// One page of events.
///
/// # Errors
/// `NotFound` when there is no such group, and as for every read.
pub(crate) async fn events(wire: &Wire, cx: &Ctx, request: &FilterLogEvents<'_>) -> Result<Events> {
    cx.call(
        FilterLogEvents::NAME,
        Effect::Read,
        request.log_group_name,
        || wire.send("read the logs of", Effect::Read, request),
    )
    .await
}

/// The group of exactly this name, `None` when there is none.
///
/// # Errors
/// As for every read.
pub(crate) async fn find(wire: &Wire, cx: &Ctx, group: &str) -> Result<Option<LogGroup>> {
    let request = DescribeLogGroups {
        log_group_name_prefix: group,
    };
    // The group itself comes before all longer names: groups are listed in the order of their names.
    let page = cx.call(DescribeLogGroups::NAME, Effect::Read, group, || {
        wire.send("look for the log group", Effect::Read, &request)
    });
    let groups = page.await?.log_groups;
    Ok(groups.into_iter().find(|it| it.log_group_name == group))
}

/// Makes a group; one that is there already is fine. Inside a step.
///
/// # Errors
/// As for every write.
pub(crate) async fn create(wire: &Wire, cx: &Ctx, group: &str) -> Result<()> {
    let effect = Effect::Write { repeatable: true };
    let request = CreateLogGroup {
        log_group_name: group,
        tags: BTreeMap::new(),
    };
    let made = cx.call(CreateLogGroup::NAME, effect, group, || {
        wire.send("make the log group", effect, &request)
    });
    match made.await {
        Ok(_) => Ok(()),
        Err(error)
            if *error.kind() == ErrorKind::Conflict
                && error.code() == Some("ResourceAlreadyExistsException") =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Sets for how many days events are kept, or for ever. Inside a step.
///
/// # Errors
/// As for every write.
pub(crate) async fn retain(wire: &Wire, cx: &Ctx, group: &str, days: Option<u32>) -> Result<()> {
    const WORDS: &str = "set the retention of";
    let effect = Effect::Write { repeatable: true };
    match days {
        Some(days) => {
            let request = PutRetentionPolicy {
                log_group_name: group,
                retention_in_days: days,
            };
            let set = cx.call(PutRetentionPolicy::NAME, effect, group, || {
                wire.send(WORDS, effect, &request)
            });
            set.await.map(|_| ())
        }
        None => {
            let request = DeleteRetentionPolicy {
                log_group_name: group,
            };
            let set = cx.call(DeleteRetentionPolicy::NAME, effect, group, || {
                wire.send(WORDS, effect, &request)
            });
            error::found(set.await).map(|_| ())
        }
    }
}

/// Deletes a group with everything in it; one that is gone already is fine. Inside a step.
///
/// # Errors
/// As for every write.
pub(crate) async fn delete(wire: &Wire, cx: &Ctx, group: &str) -> Result<()> {
    let effect = Effect::Write { repeatable: true };
    let request = DeleteLogGroup {
        log_group_name: group,
    };
    let gone = cx.call(DeleteLogGroup::NAME, effect, group, || {
        wire.send("delete the log group", effect, &request)
    });
    error::found(gone.await).map(|_| ())
}
