//! An observation of what was read, and an entry of a listing.

use std::collections::BTreeSet;
use std::time::SystemTime;

use anyport_core::Digest;
use anyport_core::plan::{EventCounts, Health, Observed, Owned, Version, VersionId};
use anyport_core::provider::{Entry, Summary};
use anyport_core::spec::{Fields, Name};
use aws_sdk_lambda::types::{FunctionConfiguration, LastUpdateStatus, State};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use data_encoding::HEXLOWER;

use super::fields::{content, digest, fields};
use super::number;
use crate::plan::CHANGES;
use crate::sight::{Queue, Sight};
use crate::stand::Stand;
use crate::words::Words;

/// What is there, as an observation. `role` is the role of a spec that names none.
pub(crate) fn observed(name: &Name, sight: &Sight, role: Option<&str>) -> Observed {
    let words = Words::read(sight.draft.description().unwrap_or_default());
    let owned = words.owned(|| foreign(sight));
    let view = View::of(sight, role);
    let mut stand = view.stand.clone();
    stand.rest = rest(sight);
    let mut observed = Observed::new(name.clone(), owned, stand.to_string());
    observed.fields = view.fields;
    observed.residue = view.residue;
    observed.split = sight.alias.as_ref().and_then(|alias| alias.split.clone());
    observed.versions = versions(sight, &stand);
    observed.health = health(sight, &words);
    if let Some(arn) = sight.draft.function_arn() {
        observed.ids.insert("function".to_owned(), plain_arn(arn));
    }
    if let Some(alias) = &sight.alias {
        observed.ids.insert("alias".to_owned(), alias.arn.clone());
        observed.endpoint = Some(alias.arn.clone());
    }
    if let Some(queue) = &sight.queue {
        queue_into(&mut observed, queue);
    }
    observed
}

/// What is left of a function that was removed: its dead letters, or the beginning of a deploy.
pub(crate) fn leftover(name: &Name, queue: &Queue) -> Observed {
    let owned = match queue.mark {
        Some(mark) => Owned::Marked {
            mark,
            owner: queue.owner.clone(),
        },
        None => Owned::Foreign("somebody who made a queue of that name by hand".to_owned()),
    };
    let stand = Stand {
        queue: Some(queue.url.clone()),
        bare: true,
        rest: queue.letters.to_string(),
        ..Stand::default()
    };
    let mut observed = Observed::new(name.clone(), owned, stand.to_string());
    observed.health = Health::Empty;
    if queue.letters == 0 {
        let what = "a queue for dead letters without a function";
        observed.residue.push(what.to_owned());
    }
    queue_into(&mut observed, queue);
    observed
}

fn queue_into(observed: &mut Observed, queue: &Queue) {
    observed
        .ids
        .insert("dead_letters".to_owned(), queue.url.clone());
    // What waits for delivery is inside Lambda and cannot be counted.
    observed.events = EventCounts {
        waiting: 0,
        dead: queue.letters,
    };
}

/// The draft beside the version that serves.
struct View {
    fields: Fields,
    stand: Stand,
    residue: Vec<String>,
}

impl View {
    fn of(sight: &Sight, role: Option<&str>) -> Self {
        let draft = &sight.draft;
        let of_draft = fields(sight, draft, role);
        let mut stand = Stand {
            draft: draft.revision_id().map(str::to_owned),
            alias: sight.alias.as_ref().map(|alias| alias.revision.clone()),
            code: digest(draft),
            arch: Some(super::arch(draft)),
            bare: sight.alias.as_ref().is_none_or(|alias| {
                alias.label.released.is_none() || alias.label.content.is_empty()
            }),
            queue: sight.queue.as_ref().map(|queue| queue.url.clone()),
            ..Stand::default()
        };
        let newest = sight.versions.iter().filter_map(number).max();
        let label = sight.alias.as_ref().map(|alias| &alias.label);
        // Behind an alias that others made, every version may have served.
        stand.released = match label {
            Some(label) => label.released.or(newest).unwrap_or_default(),
            None => 0,
        };
        let mut residue = Vec::new();
        if sight.versions.is_empty() {
            // The alias says that the draft is the version that serves.
            return Self {
                fields: of_draft,
                stand,
                residue,
            };
        }
        let find = |wanted: u64| {
            let mut versions = sight.versions.iter();
            versions.find(|version| number(version) == Some(wanted))
        };
        let live = favoured(sight).and_then(find);
        let released = find(stand.released);
        let of = |version: Option<&FunctionConfiguration>| {
            version.map(|version| fields(sight, version, role))
        };
        let of_released = of(released);
        let drafted = of_released.as_ref() != Some(&of_draft);
        stand.rolled_back = !drafted && favoured(sight) != Some(stand.released);
        let is_ours = Words::read(draft.description().unwrap_or_default());
        let unreleased = sight.versions.iter().filter(|version| {
            number(version).is_some_and(|it| it > stand.released) && share(sight, version) == 0
        });
        // What others publish is theirs.
        if is_ours.release > 0 {
            for version in unreleased {
                let Some(it) = number(version) else { continue };
                residue.push(format!("version {it}, which was never put into service"));
                if content(version) == content(draft) {
                    stand.ready = stand.ready.max(Some(it));
                } else {
                    stand.loose.push(it);
                }
            }
        }
        if stand.bare && label.is_some_and(|label| label.released.is_some()) {
            residue
                .push("an alias that says nothing of where events go that are given up".to_owned());
        }
        let fields = if drafted {
            of_draft
        } else {
            of(live).unwrap_or(of_draft)
        };
        if drafted && sight.alias.is_some() && stand.ready.is_none() {
            residue.push(CHANGES.to_owned());
        }
        Self {
            fields,
            stand,
            residue,
        }
    }
}

/// The version with the largest share, the newest of equals.
fn favoured(sight: &Sight) -> Option<u64> {
    let split = sight.alias.as_ref()?.split.as_ref()?;
    let shares = split.shares();
    let numbered = shares.filter_map(|(id, share)| Some((share, id.as_str().parse().ok()?)));
    numbered.max().map(|(_, number)| number)
}

fn share(sight: &Sight, version: &FunctionConfiguration) -> u8 {
    let split = sight.alias.as_ref().and_then(|alias| alias.split.as_ref());
    let id = version.version().map(VersionId::new);
    split.zip(id).map_or(0, |(split, id)| split.share(&id))
}

/// The versions that were put into service, oldest first.
fn versions(sight: &Sight, stand: &Stand) -> Vec<Version> {
    let mut served: Vec<(u64, Version)> = sight
        .versions
        .iter()
        .filter_map(|config| Some((number(config)?, config)))
        .filter(|(it, config)| {
            sight.alias.is_some() && *it <= stand.released || share(sight, config) > 0
        })
        .map(|(it, config)| (it, version(config, it, share(sight, config))))
        .collect();
    if served.is_empty() {
        // Only what the alias names is known.
        let split = sight.alias.as_ref().and_then(|alias| alias.split.as_ref());
        let named = split.into_iter().flat_map(|split| split.shares());
        served = named
            .map(|(id, share)| {
                let number = id.as_str().parse().unwrap_or_default();
                let mut version = Version::new(id.clone(), share);
                version.artifact = digest(&sight.draft).filter(|_| number == stand.released);
                (number, version)
            })
            .collect();
    }
    served.sort_by_key(|(number, _)| *number);
    served.into_iter().map(|(_, version)| version).collect()
}

fn version(config: &FunctionConfiguration, number: u64, share: u8) -> Version {
    let mut version = Version::new(VersionId::new(number.to_string()), share);
    version.artifact = digest(config);
    version.created = config.last_modified().and_then(time);
    version
}

/// `2026-01-31T12:00:00.000+0000`. Source: Lambda API model.
fn time(text: &str) -> Option<SystemTime> {
    let text = text
        .strip_suffix("+0000")
        .map_or_else(|| text.to_owned(), |time| format!("{time}Z"));
    let time = DateTime::from_str(&text, Format::DateTimeWithOffset).ok()?;
    SystemTime::try_from(time).ok()
}

fn health(sight: &Sight, words: &Words) -> Health {
    match state(&sight.draft) {
        Condition::Changing(_) => Health::Pending,
        Condition::Failed(why) => Health::Failed(why),
        Condition::Settled if sight.alias.is_none() && words.release > 0 => Health::Empty,
        Condition::Settled => Health::Ready,
    }
}

/// Whether Lambda is done with a version or the draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It is.
    Settled,
    /// It is not; in which state it is.
    Changing(String),
    /// It gave up; why.
    Failed(String),
}

/// The condition of a version or the draft. Where states are not told, as in listings, it counts as settled.
pub(crate) fn state(config: &FunctionConfiguration) -> Condition {
    let why = |code: Option<&str>, reason: Option<&str>| {
        [code, reason]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": ")
    };
    match (config.state(), config.last_update_status()) {
        (Some(State::Failed), _) => Condition::Failed(why(
            config.state_reason_code().map(|code| code.as_str()),
            config.state_reason(),
        )),
        (Some(state @ (State::Pending | State::Deleting)), _) => {
            Condition::Changing(state.as_str().to_owned())
        }
        (_, Some(status @ LastUpdateStatus::InProgress)) => {
            Condition::Changing(status.as_str().to_owned())
        }
        (_, Some(LastUpdateStatus::Failed)) => Condition::Failed(why(
            config
                .last_update_status_reason_code()
                .map(|code| code.as_str()),
            config.last_update_status_reason(),
        )),
        _ => Condition::Settled,
    }
}

/// Whoever made a function that carries no mark, as far as it can be told.
fn foreign(sight: &Sight) -> String {
    let stack = sight
        .tags
        .iter()
        .find(|(key, _)| *key == "aws:cloudformation:stack-name");
    let description = sight.draft.description().unwrap_or_default();
    match stack {
        Some((_, stack)) => format!("the CloudFormation stack {stack}"),
        None if description.starts_with("anyport") => "nobody (it was released)".to_owned(),
        None => "somebody else (it carries no mark)".to_owned(),
    }
}

/// What a change of shows in the revision, beyond the draft's and the alias's own revisions.
fn rest(sight: &Sight) -> String {
    let versions: BTreeSet<_> = sight.versions.iter().filter_map(number).collect();
    let text = format!(
        "{:?} {:?} {:?} {:?} {versions:?}",
        sight.tags, sight.reserved, sight.delivery, sight.retention
    );
    HEXLOWER.encode(&Digest::of(text.as_bytes()).as_bytes()[..8])
}

/// An ARN without its version.
fn plain_arn(arn: &str) -> String {
    arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":")
}

/// A function in a listing.
pub(crate) fn entry(config: &FunctionConfiguration) -> Option<Entry> {
    let name = config.function_name()?.to_owned();
    let words = Words::read(config.description().unwrap_or_default());
    if let Some(format) = words.newer {
        let why = newer(format);
        return Some(Entry::Unreadable { name, why });
    }
    let mut summary = Summary::new(name, words.owned(|| foreign(&Sight::new(config.clone()))));
    summary.health = match state(config) {
        Condition::Settled => Health::Ready,
        Condition::Changing(_) => Health::Pending,
        Condition::Failed(why) => Health::Failed(why),
    };
    Some(Entry::Function(summary))
}

/// Why a mark of another format is not touched.
pub(crate) fn newer(format: u32) -> String {
    format!("its mark has format {format}, newer than this program understands")
}
