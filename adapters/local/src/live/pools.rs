//! The pools of one function, by version.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyport_core::error::Result;
use anyport_core::plan::VersionId;
use anyport_core::spec::Spec;
use anyport_engine::Pool;

use crate::error;
use crate::store::{Record, Release, SecretStamp, Store};

/// The pools that calls have made so far.
#[derive(Default)]
pub(super) struct Pools(Mutex<HashMap<VersionId, Slot>>);

#[derive(Clone)]
struct Slot {
    pool: Pool,
    /// What the pool was made from: a version is immutable, and still an edit by hand must not go unnoticed.
    spec: Box<Spec>,
    secrets: Vec<SecretStamp>,
}

impl Pools {
    /// Those that a newer record still calls for. The others stop as soon as their calls have ended.
    pub(super) fn carried(&self, record: &Record) -> Self {
        let mut kept = self.lock().clone();
        kept.retain(|id, slot| {
            record.version(id).is_some_and(|release| {
                // A version that was only just checked waits for its traffic.
                (!release.routed || record.share(id) > 0) && release.spec == slot.spec
            })
        });
        Self(Mutex::new(kept))
    }

    /// Drops the pool of a version.
    pub(super) fn discard(&self, id: &VersionId) {
        self.lock().remove(id);
    }

    /// The pool of a version, made when there is none or a secret's file has changed. `make` is given the environment with the secrets.
    ///
    /// # Errors
    /// When a secret cannot be used, or what `make` fails with.
    pub(super) fn get_or_make(
        &self,
        store: &Store,
        release: &Release,
        make: impl FnOnce(BTreeMap<String, String>) -> Result<Pool>,
    ) -> Result<Pool> {
        let secrets = stamps(store, &release.spec);
        let mut pools = self.lock();
        if let Some(slot) = pools
            .get(&release.id)
            .filter(|slot| slot.secrets == secrets)
        {
            return Ok(slot.pool.clone());
        }
        let pool = make(environment(store, &release.spec)?)?;
        let slot = Slot {
            pool: pool.clone(),
            spec: release.spec.clone(),
            secrets,
        };
        pools.insert(release.id.clone(), slot);
        Ok(pool)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<VersionId, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(store: &Store, spec: &Spec) -> Vec<SecretStamp> {
    let references = spec.secrets.values();
    references.map(|it| store.secret_stamp(it)).collect()
}

/// The environment of a version, its secrets resolved.
fn environment(store: &Store, spec: &Spec) -> Result<BTreeMap<String, String>> {
    let mut env = spec.env.clone();
    for (name, reference) in &spec.secrets {
        let value = store.secret(reference).map_err(error::secret)?;
        env.insert(name.clone(), value);
    }
    Ok(env)
}
