//! What is on disk and what the engine says, in the contract's words. Pure.

use std::collections::BTreeMap;
use std::path::Path;

use anyport_core::call::{Body, Reply};
use anyport_core::plan::{Health, Observed, Owned, Version, VersionId};
use anyport_core::provider::{Entry, Summary};
use anyport_core::spec::Name;
use anyport_engine::{Pool, Response};
use futures_util::StreamExt as _;

use crate::store::{Function, Record, Sight};
use crate::{error, ids};

/// What is there, as an observation.
pub(crate) fn observed(root: &Path, name: &Name, sight: Sight) -> Observed {
    match sight {
        Sight::Foreign => {
            let mut observed = Observed::new(name.clone(), foreign_folder(), "foreign");
            observed.health = Health::Failed(NO_RECORD.to_owned());
            observed
        }
        Sight::Function(function) => self::function(root, name, *function),
    }
}

fn function(root: &Path, name: &Name, function: Function) -> Observed {
    let Function {
        stored,
        missing,
        residue,
        busy,
        events,
    } = function;
    let record = &stored.record;
    let mut observed = Observed::new(name.clone(), owned(record), stored.revision);
    observed.health = health(record);
    if let Some(live) = record.live() {
        observed.fields = record.settings.over(&live.spec).fields();
        if missing.contains(&live.spec.artifact.digest) {
            observed.fields.remove("artifact.digest");
            let why = format!("the code of version {} is not there any more", live.id);
            observed.health = Health::Failed(why);
        }
    }
    if busy {
        observed.health = Health::Pending;
    }
    observed.versions = record
        .versions
        .iter()
        .filter(|release| release.routed)
        .map(|release| {
            let artifact = release.spec.artifact.digest;
            let mut version = Version::new(release.id.clone(), record.share(&release.id));
            version.created = Some(ids::from_millis(release.created_ms));
            version.artifact = (!missing.contains(&artifact)).then_some(artifact);
            version
        })
        .collect();
    observed.split.clone_from(&record.split);
    observed.endpoint = Some(endpoint(root, name));
    observed.ids = ids_of(root, name);
    observed.residue = residue;
    observed.events = events;
    observed
}

/// Why a folder is not a function.
const NO_RECORD: &str = "a folder that no record describes";

fn foreign_folder() -> Owned {
    Owned::Foreign(format!("something else ({NO_RECORD})"))
}

/// Whether an observation is of a folder that is no function.
pub(crate) fn is_folder(observed: &Observed) -> bool {
    matches!(&observed.health, Health::Failed(why) if why == NO_RECORD)
}

/// Where a function is, the same through all releases.
pub(crate) fn endpoint(root: &Path, name: &Name) -> String {
    format!("local://{}#{name}", root.display())
}

/// This target's own ids of a function.
pub(crate) fn ids_of(root: &Path, name: &Name) -> BTreeMap<String, String> {
    let record = root.join("functions").join(format!("{name}.json"));
    BTreeMap::from([("record".to_owned(), record.display().to_string())])
}

fn owned(record: &Record) -> Owned {
    match (record.mark(), &record.owner) {
        (Some(mark), owner) => Owned::Marked {
            mark,
            owner: owner
                .clone()
                .unwrap_or_else(|| "an unnamed owner".to_owned()),
        },
        (None, _) => Owned::Foreign("nobody (it was released)".to_owned()),
    }
}

fn health(record: &Record) -> Health {
    if record.split.is_some() {
        Health::Ready
    } else {
        Health::Empty
    }
}

/// A function in a listing, `None` for one that was removed and only has events left.
pub(crate) fn entry(name: &str, record: &Record) -> Option<Entry> {
    if record.removed {
        return None;
    }
    let mut summary = Summary::new(name, owned(record));
    summary.health = health(record);
    summary.version = latest(record);
    Some(Entry::Function(summary))
}

/// Something in a listing that is no function.
pub(crate) fn foreign_entry(name: &str) -> Entry {
    let mut summary = Summary::new(name, foreign_folder());
    summary.health = Health::Failed(NO_RECORD.to_owned());
    Entry::Function(summary)
}

fn latest(record: &Record) -> Option<VersionId> {
    let routed = record.versions.iter().rfind(|release| release.routed);
    routed.map(|release| release.id.clone())
}

/// A function's answer. The pool is kept until the last byte was read.
pub(crate) fn reply(request_id: String, response: Response, pool: Pool, http: bool) -> Reply {
    let Response {
        content_type,
        status,
        body,
        streaming,
        version,
        cold,
        metrics,
        ..
    } = response;
    let default = if http {
        "application/octet-stream"
    } else {
        "application/json"
    };
    let on = pool.spec().function.clone();
    let body = body.map(move |piece| {
        // The stream owns a clone of the pool: dropping the last one would stop the instance.
        let _keep = &pool;
        piece.map_err(|failure| error::invoke(failure).on(&on))
    });
    let mut reply = Reply::new(request_id, Body::empty());
    reply.body = if streaming {
        Body::Stream(body.boxed())
    } else {
        whole(body)
    };
    reply.content_type = content_type.unwrap_or_else(|| default.to_owned());
    reply.status = http.then_some(status);
    reply.version = Some(VersionId::new(version));
    reply.duration = Some(metrics.duration);
    reply.cold = Some(cold);
    reply
}

/// A body that is whole already, as bytes.
fn whole(
    mut body: impl futures_core::Stream<Item = anyport_core::Result<bytes::Bytes>>
    + Send
    + Unpin
    + 'static,
) -> Body {
    use futures_util::FutureExt as _;
    match body.next().now_or_never() {
        Some(None) => Body::empty(),
        Some(Some(Ok(bytes))) => match body.next().now_or_never() {
            Some(None) => Body::Bytes(bytes),
            // More follows after all: nothing is lost, it is only read piece by piece.
            Some(Some(next)) => {
                let head = futures_util::stream::iter([Ok(bytes), next]);
                Body::Stream(head.chain(body).boxed())
            }
            None => {
                let head = futures_util::stream::iter([Ok(bytes)]);
                Body::Stream(head.chain(body).boxed())
            }
        },
        Some(Some(Err(error))) => Body::Stream(futures_util::stream::iter([Err(error)]).boxed()),
        None => Body::Stream(body.boxed()),
    }
}
