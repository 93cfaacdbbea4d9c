//! Reading what is there: as little as the verb needs.
//!
//! A deploy that changes nothing reads the draft and the alias, whose description tells whether the draft is the version that serves.
//! Everything else is read when it says otherwise, when the function's description says that there is something to compare, or when the
//! verb shows it.

use std::collections::BTreeMap;

use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::plan::Observed;
use anyport_core::provider::{Cursor, Entry, Page, Scope};
use anyport_core::spec::Name;
use aws_sdk_lambda::types::FunctionConfiguration;

use crate::alias::{self, Alias, Label};
use crate::auth::Session;
use crate::error;
use crate::lift::{self, Condition};
use crate::lower::{self, LIVE};
use crate::sight::{Delivery, Queue, Sight};
use crate::wait::{self, Pauses};
use crate::wire::{logs, sqs};
use crate::words::Words;

/// What a verb needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Need {
    /// The versions, even when the draft is the one that serves.
    versions: bool,
    /// How many dead letters there are.
    letters: bool,
    /// The function in a settled state: something is to be changed.
    settled: bool,
}

impl Need {
    /// A verb that this adapter does not know is shown everything.
    fn of(verb: &str) -> Self {
        let all = Self {
            versions: true,
            letters: true,
            settled: true,
        };
        match verb {
            "deploy" => Self {
                versions: false,
                letters: false,
                ..all
            },
            "remove" => Self {
                versions: false,
                ..all
            },
            "read the status of" | "list the versions of" | "export" => Self {
                settled: false,
                ..all
            },
            _ => all,
        }
    }
}

/// What is there under `name`.
///
/// # Errors
/// `Timeout` when a change does not come to an end; `Unsupported` when its mark is of a newer format; as for every read.
pub(crate) async fn observe(session: &Session, cx: &Ctx, name: &Name) -> Result<Option<Observed>> {
    let need = Need::of(cx.verb());
    let Some(mut sight) = draft(session, cx, name, need).await? else {
        let queue = leftover(session, cx, name).await?;
        return Ok(queue.map(|queue| lift::leftover(name, &queue)));
    };
    let words = Words::read(sight.draft.description().unwrap_or_default());
    if let Some(format) = words.newer {
        let kind = ErrorKind::Unsupported {
            capability: format!("mark format {format}"),
            hint: "update Anyport; the function is left as it is".to_owned(),
        };
        return Err(Error::new(kind, cx.verb())
            .on(name)
            .because(lift::newer(format)));
    }
    if let Some(arn) = sight.draft.function_arn() {
        session.learn(arn);
    }
    sight.alias = alias(session, cx, name).await?;
    let serves = sight.alias.as_ref().is_some_and(|alias| {
        let only = alias.split.as_ref().and_then(|split| split.only());
        let newest = alias.label.released.map(|number| number.to_string());
        alias.label.content == lift::content(&sight.draft)
            && newest.is_some()
            && only.map(|id| id.as_str().to_owned()) == newest
    });
    if need.versions || !serves {
        sight.versions = versions(session, cx, name).await?;
    }
    if words.delivery && sight.alias.is_some() {
        sight.delivery = delivery(session, cx, name).await?;
    }
    if words.retention {
        let group = logs::find(&session.wire, cx, &logs::group(name.as_str())).await?;
        sight.retention = group.and_then(|group| group.retention_in_days);
    }
    if need.letters {
        sight.queue = queue(session, cx, name).await?;
    }
    let role = default_role(session);
    Ok(Some(lift::observed(name, &sight, role)))
}

/// The role of specs that name none, as an ARN; a bare name is compared as it is written.
pub(crate) fn default_role(session: &Session) -> Option<&str> {
    session.config.execution_role.as_deref()
}

async fn draft(session: &Session, cx: &Ctx, name: &Name, need: Need) -> Result<Option<Sight>> {
    let mut pauses = Pauses::default();
    loop {
        let Some(found) = wait::read(session, cx, name.as_str(), None).await? else {
            return Ok(None);
        };
        let Some(config) = found.configuration else {
            return Err(error::missing("read the function", "configuration").on(name));
        };
        if let Condition::Changing(state) = lift::state(&config)
            && need.settled
        {
            if pauses.pause(cx).await? {
                continue;
            }
            return Err(wait::stuck(cx, name.as_str(), &state));
        }
        let mut sight = Sight::new(config);
        sight.tags = found.tags.unwrap_or_default().into_iter().collect();
        let reserved = found
            .concurrency
            .and_then(|it| it.reserved_concurrent_executions());
        sight.reserved = reserved.and_then(|it| u32::try_from(it).ok());
        return Ok(Some(sight));
    }
}

/// The alias as it is there.
///
/// # Errors
/// As for every read.
pub(crate) async fn alias(session: &Session, cx: &Ctx, name: &Name) -> Result<Option<Alias>> {
    const WORDS: &str = "read the alias of";
    let request = session.raw.lambda.get_alias();
    let request = request.function_name(name.as_str()).name(LIVE);
    let found = session
        .call(cx, "GetAlias", WORDS, Effect::Read, name.as_str(), || {
            request.clone().send()
        })
        .await;
    let Some(found) = error::found(found)? else {
        return Ok(None);
    };
    Ok(Some(Alias {
        arn: found.alias_arn().unwrap_or_default().to_owned(),
        revision: found.revision_id().unwrap_or_default().to_owned(),
        split: alias::split(found.function_version(), found.routing_config()),
        label: Label::read(found.description().unwrap_or_default()),
    }))
}

/// Every version, oldest first, without the draft.
///
/// # Errors
/// As for every read.
pub(crate) async fn versions(
    session: &Session,
    cx: &Ctx,
    name: &Name,
) -> Result<Vec<FunctionConfiguration>> {
    const WORDS: &str = "list the versions of";
    let mut all = Vec::new();
    let mut marker = None;
    loop {
        let request = session.raw.lambda.list_versions_by_function();
        let request = request
            .function_name(name.as_str())
            .set_marker(marker.take());
        let page = session
            .call(
                cx,
                "ListVersionsByFunction",
                WORDS,
                Effect::Read,
                name.as_str(),
                || request.clone().send(),
            )
            .await;
        let Some(page) = error::found(page)? else {
            return Ok(all);
        };
        let published = page.versions.unwrap_or_default().into_iter();
        all.extend(published.filter(|version| lift::number(version).is_some()));
        match page.next_marker.filter(|marker| !marker.is_empty()) {
            Some(next) => marker = Some(next),
            None => break,
        }
    }
    all.sort_by_key(lift::number);
    Ok(all)
}

async fn delivery(session: &Session, cx: &Ctx, name: &Name) -> Result<Option<Delivery>> {
    const WORDS: &str = "read how events are delivered to";
    let request = session.raw.lambda.get_function_event_invoke_config();
    let request = request.function_name(name.as_str()).qualifier(LIVE);
    let found = session
        .call(
            cx,
            "GetFunctionEventInvokeConfig",
            WORDS,
            Effect::Read,
            name.as_str(),
            || request.clone().send(),
        )
        .await;
    Ok(error::found(found)?.map(|found| {
        let retries = found.maximum_retry_attempts().unwrap_or(2);
        let age = found.maximum_event_age_in_seconds().unwrap_or(21_600);
        Delivery {
            attempts: u8::try_from(retries).unwrap_or_default().saturating_add(1),
            max_age_s: u64::try_from(age).unwrap_or_default(),
        }
    }))
}

/// The queue for dead letters of a function that is there.
async fn queue(session: &Session, cx: &Ctx, name: &Name) -> Result<Option<Queue>> {
    let Some(url) = sqs::find(&session.wire, cx, &lower::queue(name)).await? else {
        return Ok(None);
    };
    let letters = sqs::depth(&session.wire, cx, &url).await?.total();
    Ok(Some(Queue {
        url,
        letters,
        ..Queue::default()
    }))
}

/// The queue for dead letters where there is no function: what a removal kept, or a deploy began with.
async fn leftover(session: &Session, cx: &Ctx, name: &Name) -> Result<Option<Queue>> {
    let Some(mut queue) = queue(session, cx, name).await? else {
        return Ok(None);
    };
    let tags = sqs::tags(&session.wire, cx, &queue.url).await?;
    (queue.mark, queue.owner) = read_queue_tags(&tags);
    Ok(Some(queue))
}

/// The tags that say whose a queue is.
pub(crate) const MARK_TAG: &str = "anyport:mark";
pub(crate) const OWNER_TAG: &str = "anyport:owner";

fn read_queue_tags(tags: &BTreeMap<String, String>) -> (Option<anyport_core::mark::Mark>, String) {
    let mark = tags.get(MARK_TAG).and_then(|text| text.parse().ok());
    let owner = tags.get(OWNER_TAG).cloned();
    (mark, owner.unwrap_or_else(|| "an unnamed owner".to_owned()))
}

/// One page of the listing, ordered by name.
///
/// # Errors
/// As for every read.
pub(crate) async fn list(
    session: &Session,
    cx: &Ctx,
    scope: &Scope,
    after: Option<Cursor>,
) -> Result<Page> {
    const WORDS: &str = "list the functions at";
    let request = session.raw.lambda.list_functions();
    let request = request.set_marker(after.map(|cursor| cursor.0));
    let page = session
        .call(
            cx,
            "ListFunctions",
            WORDS,
            Effect::Read,
            session.id.as_str(),
            || request.clone().send(),
        )
        .await?;
    let mut entries: Vec<Entry> = page
        .functions()
        .iter()
        .filter_map(lift::entry)
        .filter(|entry| match (scope, entry) {
            (Scope::Owned(owner), Entry::Function(summary)) => summary.owned.is_by(owner),
            _ => true,
        })
        .collect();
    entries.sort_by(|a, b| entry_name(a).cmp(entry_name(b)));
    let next = page.next_marker.filter(|marker| !marker.is_empty());
    Ok(Page::new(entries, next.map(Cursor)))
}

fn entry_name(entry: &Entry) -> &str {
    match entry {
        Entry::Function(summary) => &summary.name,
        Entry::Unreadable { name, .. } => name,
        _ => "",
    }
}
