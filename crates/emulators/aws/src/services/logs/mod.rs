//! CloudWatch Logs: what functions wrote, and what callers put beside it.

mod events_api;
mod group;
mod groups_api;
mod pattern;
mod streams_api;
mod tags_api;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, ApiError};
use crate::call::{Call, CallCx, Service};
use crate::config::Config;
use group::Group;

/// The state of the service.
#[derive(Debug)]
pub(crate) struct Logs {
    places: Mutex<HashMap<Place, Groups>>,
}

/// An account in a region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    account: String,
    region: String,
}

type Groups = BTreeMap<String, Group>;

/// Where one line goes, and what may be made for it.
#[derive(Debug, Clone)]
pub(crate) struct LineTarget<'a> {
    /// The account.
    pub(crate) account: &'a str,
    /// The region.
    pub(crate) region: &'a str,
    /// The group's name.
    pub(crate) group: &'a str,
    /// The stream's name.
    pub(crate) stream: &'a str,
    /// Whether the writer may make the group.
    pub(crate) create_group: bool,
    /// Whether the writer may make the stream.
    pub(crate) create_stream: bool,
}

impl Logs {
    /// Nothing yet.
    pub(crate) fn new(_config: &Config) -> Self {
        Self {
            places: Mutex::default(),
        }
    }

    /// Writes a line at `at` (milliseconds since 1970), and makes its group and stream where they are
    /// missing and may be made. What may not be is lost, as on AWS.
    pub(crate) fn write(&self, target: &LineTarget<'_>, at: u64, message: &str) {
        let mut places = self.lock();
        let place = Place {
            account: target.account.to_owned(),
            region: target.region.to_owned(),
        };
        let groups = places.entry(place).or_default();
        if !groups.contains_key(target.group) {
            if !target.create_group {
                return;
            }
            groups.insert(target.group.to_owned(), Group::new(at));
        }
        let Some(group) = groups.get_mut(target.group) else {
            return;
        };
        if !group.has_stream(target.stream) {
            if !target.create_stream {
                return;
            }
            group.add_stream(target.stream, at);
        }
        group.append(target.stream, at, at, message);
    }

    /// Every group and stream by its ARN, with a digest of its settings; what is in them is not told.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        let places = self.lock();
        let mut all = BTreeMap::new();
        for (place, groups) in places.iter() {
            for (name, group) in groups {
                let arn = group_arn(&place.region, &place.account, name);
                for stream in group.stream_names() {
                    all.insert(format!("{arn}:log-stream:{stream}"), String::new());
                }
                all.insert(arn, group.digest());
            }
        }
        all
    }

    /// What is kept: groups and streams with their latest events. Lines are kept whenever something
    /// else changes and at the end, not one by one.
    pub(crate) fn save(&self) -> Value {
        let places = self.lock();
        let mut kept: Vec<Value> = places
            .iter()
            .map(|(place, groups)| {
                let groups: Map<String, Value> = groups
                    .iter()
                    .map(|(name, group)| (name.clone(), group.save()))
                    .collect();
                json!({ "account": place.account, "region": place.region, "groups": groups })
            })
            .collect();
        kept.sort_by_key(|one| (one["account"].to_string(), one["region"].to_string()));
        Value::Array(kept)
    }

    /// Takes what was kept.
    pub(crate) fn load(&self, kept: &Value) {
        let mut places = self.lock();
        for one in kept.as_array().into_iter().flatten() {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            let place = Place {
                account: text("account"),
                region: text("region"),
            };
            let groups = one["groups"].as_object().into_iter().flatten();
            let groups = groups.map(|(name, group)| (name.clone(), Group::load(group)));
            places.entry(place).or_default().extend(groups);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Groups>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the groups of the caller's account and region.
    fn with<T>(&self, cx: &CallCx, act: impl FnOnce(&mut Groups) -> T) -> T {
        let place = Place {
            account: cx.account.clone(),
            region: cx.region.clone(),
        };
        act(self.lock().entry(place).or_default())
    }

    /// Does something with one group.
    fn with_group<T>(
        &self,
        cx: &CallCx,
        name: &str,
        act: impl FnOnce(&mut Group) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.with(cx, |groups| {
            let group = groups.get_mut(name).ok_or_else(no_group)?;
            group.expire(cx.cloud.clock.epoch_millis());
            act(group)
        })
    }
}

/// Serves one call.
///
/// # Errors
/// The service's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    match call.operation {
        "CreateLogGroup" => groups_api::create(&call),
        "DeleteLogGroup" => groups_api::delete(&call),
        "DescribeLogGroups" => groups_api::describe(&call),
        "PutRetentionPolicy" => groups_api::put_retention(&call),
        "DeleteRetentionPolicy" => groups_api::delete_retention(&call),
        "CreateLogStream" => streams_api::create(&call),
        "DeleteLogStream" => streams_api::delete(&call),
        "DescribeLogStreams" => streams_api::describe(&call),
        "PutLogEvents" => streams_api::put(&call),
        "GetLogEvents" => events_api::get(&call),
        "FilterLogEvents" => events_api::filter(&call),
        "TagLogGroup" | "TagResource" => tags_api::tag(&call),
        "UntagLogGroup" | "UntagResource" => tags_api::untag(&call),
        "ListTagsLogGroup" | "ListTagsForResource" => tags_api::list(&call),
        operation => Err(ApiError::not_served(Service::Logs, operation)),
    }
}

/// A group's ARN, without the `:*` that policies and `DescribeLogGroups` put behind it.
pub(crate) fn group_arn(region: &str, account: &str, group: &str) -> String {
    format!("arn:aws:logs:{region}:{account}:log-group:{group}")
}

/// What the service evaluates policies against: the stream's ARN, with an empty stream for the group.
/// Source: the service's denial messages name it so.
pub(crate) fn policy_arn(region: &str, account: &str, group: &str, stream: &str) -> String {
    format!("{}:log-stream:{stream}", group_arn(region, account, group))
}

/// Authorises an action on a group or a stream of the caller's.
fn authorize(call: &Call, action: &str, group: &str, stream: &str) -> Result<(), ApiError> {
    let cx = &call.cx;
    let arn = policy_arn(&cx.region, &cx.account, group, stream);
    cx.authorize(action, &arn, &[])
}

/// The group that a call names by `logGroupName` or by `logGroupIdentifier`, a name or an ARN.
fn group_name(call: &Call) -> Result<String, ApiError> {
    let name = call.text("logGroupName");
    let identifier = call.text("logGroupIdentifier");
    match (name, identifier) {
        (Some(_), Some(_)) => Err(invalid(
            "LogGroup name and LogGroup ARN are mutually exclusive parameters.",
        )),
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(identifier)) => Ok(name_of(identifier).to_owned()),
        (None, None) => Err(invalid("LogGroupName or LogGroupIdentifier is required.")),
    }
}

/// The group's name in an ARN, or the text itself.
fn name_of(identifier: &str) -> &str {
    let name = match identifier.split_once(":log-group:") {
        Some((_, name)) => name,
        None => identifier,
    };
    name.strip_suffix(":*").unwrap_or(name)
}

fn no_group() -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )
}

fn no_stream() -> ApiError {
    ApiError::new(
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// Hides the place where a list goes on. Tokens are opaque to callers.
fn token_of(place: &str) -> String {
    BASE64URL_NOPAD.encode(place.as_bytes())
}

/// The place in a token.
fn place_of(token: &str) -> Result<String, ApiError> {
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(bad_token)
}

fn bad_token() -> ApiError {
    invalid("The specified nextToken is invalid.")
}

/// A whole number of the input.
fn number(call: &Call, member: &str) -> Option<u64> {
    call.get(member).and_then(Value::as_u64)
}

/// A limit of the input, which the model has held against its range already.
fn limit(call: &Call, default: usize) -> usize {
    number(call, "limit").map_or(default, |limit| usize::try_from(limit).unwrap_or(default))
}

fn flag(call: &Call, member: &str) -> bool {
    call.get(member).and_then(Value::as_bool).unwrap_or(false)
}
