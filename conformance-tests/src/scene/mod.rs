//! What a case works with: a fresh place, clients of it, and the probe.

mod client;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyport_client::{Options, Progress, Target, Timeouts};
use anyport_core::context::{RetryPolicy, Seam};
use anyport_core::mark::Owner;
use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use anyport_testkit::{Packed, ProbeKit, Variant};

use crate::harness::{Harness, Inventory, Reference, Site};
use crate::mutants::Mutant;
use crate::seam::Script;
use crate::verdict::Stop;

pub use client::Client;
pub(crate) use client::{answer, fitting, is_conflict, until, with_lag};

/// Everything a case may use. Made anew for each case.
pub struct Scene {
    harness: Arc<dyn Harness>,
    site: Box<dyn Site>,
    kit: Arc<ProbeKit>,
    seed: u64,
    mutant: Option<&'static Mutant>,
    scripts: Mutex<Vec<Arc<Script>>>,
}

/// In whose name the suite deploys.
#[must_use]
pub fn owner() -> Owner {
    Owner::new("conformance", "suite")
}

/// Somebody else.
#[must_use]
pub fn another_owner() -> Owner {
    Owner::new("conformance", "another")
}

impl Scene {
    pub(crate) fn new(
        harness: Arc<dyn Harness>,
        site: Box<dyn Site>,
        kit: Arc<ProbeKit>,
        seed: u64,
        mutant: Option<&'static Mutant>,
    ) -> Self {
        Self {
            harness,
            site,
            kit,
            seed,
            mutant,
            scripts: Mutex::default(),
        }
    }

    /// The case's seed.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// The place, for interfering with it.
    #[must_use]
    pub fn site(&self) -> &dyn Site {
        &*self.site
    }

    /// A function's name, made from `tag` (at most 18 characters) and the seed.
    #[must_use]
    pub fn name(&self, tag: &str) -> Name {
        Name::nearest(&format!("c-{tag}-{:08x}", self.seed as u32))
    }

    /// Opens the place as a new client process of the suite's owner.
    ///
    /// # Errors
    /// When the place cannot be opened, or its capabilities cannot be read.
    pub async fn client(&self) -> Result<Client, Stop> {
        self.client_as(owner(), None).await
    }

    /// Opens the place for `owner`, telling `progress` of every plan.
    ///
    /// # Errors
    /// As for [`client`](Self::client).
    pub async fn client_as(
        &self,
        owner: Owner,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Client, Stop> {
        let provider = self.provider().await?;
        self.client_over(provider, owner, progress).await
    }

    /// The adapter, with the mutant around it if there is one: what a client process opens.
    ///
    /// # Errors
    /// Whatever connecting fails with.
    pub async fn provider(&self) -> Result<Arc<dyn Provider>, Stop> {
        let provider = self.site.open().await?;
        Ok(match self.mutant {
            Some(mutant) => mutant.around(provider),
            None => provider,
        })
    }

    /// A client over a provider that [`provider`](Self::provider) gave, maybe with something around it.
    ///
    /// # Errors
    /// When the capabilities cannot be read.
    pub async fn client_over(
        &self,
        provider: Arc<dyn Provider>,
        owner: Owner,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Client, Stop> {
        let script = Script::new();
        self.scripts().push(Arc::clone(&script));
        let seam = Arc::clone(&script) as Arc<dyn Seam>;
        let mut options = Options::new(owner)
            .with_seam(match self.mutant {
                Some(mutant) => mutant.under(seam),
                None => seam,
            })
            .with_retry(RetryPolicy::default().attempts(3))
            .with_timeouts(
                Timeouts::default()
                    .read(Duration::from_secs(10))
                    .change(Duration::from_secs(60)),
            );
        options.progress = progress;
        #[cfg(feature = "mutants")]
        if let Some(mutant) = self.mutant {
            options = mutant.within(options);
        }
        let target = Target::new(provider, options);
        Client::new(target, script, self.package("")?).await
    }

    /// The probe as an artifact; another `salt` gives another artifact with the same probe.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn package(&self, salt: &str) -> Result<Packed, Stop> {
        let variant = Variant {
            salt: salt.to_owned(),
            fault: self.mutant.and_then(Mutant::fault),
            instead: None,
        };
        Ok(self.harness.package(&self.kit, &variant)?)
    }

    /// An artifact whose program is these bytes.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn package_instead(&self, bytes: &[u8]) -> Result<Packed, Stop> {
        Ok(self
            .harness
            .package(&self.kit, &Variant::instead(bytes.to_vec()))?)
    }

    /// Something that a spec names and others own.
    #[must_use]
    pub fn reference(&self, to: Reference) -> String {
        self.harness.reference(to)
    }

    /// What is there, seen from outside.
    ///
    /// # Errors
    /// When the harness cannot look.
    pub async fn inventory(&self) -> Result<Inventory, Stop> {
        Ok(self.site.inventory().await?)
    }

    /// Calls made by all clients so far.
    pub(crate) fn calls(&self) -> usize {
        self.scripts().iter().map(|script| script.count()).sum()
    }

    fn scripts(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Script>>> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
