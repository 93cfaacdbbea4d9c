//! What a step asks, as the next record; a version, as what the engine runs. Pure.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::mark::{Mark, Owner};
use anyport_core::plan::{Split, VersionId};
use anyport_core::spec::{Family, Packaging, Protocol, Spec};
use anyport_engine::{Launch, LogSink, Overload, PoolSpec};

use crate::capability::{MAX_PAYLOAD, MAX_STREAM};
use crate::config::Config;
use crate::store::{Record, Release, Settings};

/// The record with one more version, which gets no traffic yet.
pub(crate) fn published(record: &Record, spec: &Spec, now_ms: u64) -> (Record, VersionId) {
    let mut next = record.clone();
    let id = VersionId::new(record.next.to_string());
    next.next += 1;
    next.removed = false;
    next.versions.push(Release {
        id: id.clone(),
        created_ms: now_ms,
        routed: false,
        spec: Box::new(spec.clone()),
    });
    (next, id)
}

/// The record with the new version serving alone, and its spec's settings in force.
pub(crate) fn released(record: &Record, owner: &Owner, spec: &Spec, id: &VersionId) -> Record {
    let mut next = routed(record, &Split::all_to(id.clone()));
    next.settings = Settings::of(spec);
    next.mark = Some(Mark::new(owner, spec.hash()).to_string());
    next.owner = Some(owner.to_string());
    next
}

/// The record with other traffic.
pub(crate) fn routed(record: &Record, split: &Split) -> Record {
    let mut next = record.clone();
    for release in &mut next.versions {
        release.routed |= split.share(&release.id) > 0;
    }
    next.split = Some(split.clone());
    next
}

/// The record without some versions. Those with traffic stay.
pub(crate) fn without(record: &Record, drop: impl Fn(&Release) -> bool) -> Record {
    let mut next = record.clone();
    next.versions
        .retain(|release| record.share(&release.id) > 0 || !drop(release));
    next
}

/// The record of a function that serves no more.
pub(crate) fn retired(record: &Record) -> Record {
    let mut next = record.clone();
    next.removed = true;
    next.split = None;
    next.versions.clear();
    next
}

/// The record with this owner's mark, or none.
pub(crate) fn marked(record: &Record, owner: Option<&Owner>) -> Record {
    let mut next = record.clone();
    next.owner = owner.map(ToString::to_string);
    next.mark = owner.map(|owner| {
        let hash = record.live().map_or_else(
            || anyport_core::Digest::of(&[]),
            |live| record.settings.over(&live.spec).hash(),
        );
        Mark::new(owner, hash).to_string()
    });
    next
}

/// How a packaging is started.
///
/// # Errors
/// `Unsupported` for what does not run here.
pub(crate) fn launch(packaging: &Packaging) -> Result<Launch> {
    Ok(match packaging {
        Packaging::Zip {
            protocol: Protocol::RuntimeApi,
        } => Launch::Bootstrap,
        Packaging::Zip {
            protocol: Protocol::Http,
        } => Launch::HttpBootstrap,
        Packaging::Bundle { runtime, handler } => {
            let handler = handler.clone();
            match runtime.family() {
                Family::Python => Launch::Python { handler },
                Family::Node => Launch::Node { handler },
                _ => return Err(unsupported("artifacts.bundle")),
            }
        }
        Packaging::Command { command } => Launch::Http {
            command: command.clone(),
        },
        other => return Err(unsupported(&format!("artifacts.{}", other.name()))),
    })
}

fn unsupported(capability: &str) -> Error {
    let kind = ErrorKind::Unsupported {
        capability: capability.to_owned(),
        hint: "deploy a zip, a bundle or a command".to_owned(),
    };
    Error::new(kind, "start the function")
}

/// Requests one instance gets at a time: only HTTP can carry more than one.
pub(crate) fn concurrency(spec: &Spec) -> u32 {
    match &spec.artifact.packaging {
        Packaging::Zip {
            protocol: Protocol::Http,
        }
        | Packaging::Command { .. } => spec.concurrency,
        _ => 1,
    }
}

/// A version as the engine runs it. `env` holds the secrets already.
///
/// # Errors
/// `Unsupported` for what does not run here.
pub(crate) fn pool(
    config: &Config,
    release: &Release,
    code: PathBuf,
    env: BTreeMap<String, String>,
    logs: Arc<dyn LogSink>,
) -> Result<PoolSpec> {
    let spec = &release.spec;
    let launch = launch(&spec.artifact.packaging)?;
    let mut pool = PoolSpec::new(spec.name.as_str(), release.id.as_str(), code, launch);
    let max = spec.max_instances.unwrap_or(config.max_instances);
    let as_usize = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    pool.env = env;
    pool.memory_mb = spec.memory_mb;
    pool.timeout = spec.timeout;
    pool.init_timeout = config.start_limit;
    pool.max_instances = as_usize(max.max(1));
    pool.min_instances = as_usize(spec.min_instances);
    pool.per_instance_concurrency = as_usize(concurrency(spec));
    pool.idle_after = config.idle_after;
    pool.overload = Overload::Reject;
    pool.media_any = true;
    pool.max_response_bytes = MAX_PAYLOAD;
    pool.max_stream_bytes = MAX_STREAM;
    pool.logs = logs;
    Ok(pool)
}
