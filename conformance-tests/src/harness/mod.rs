//! What an adapter's author gives the suite: fresh places, a look at them that does not go through the adapter, and ways to interfere.

mod folder;
mod inventory;
mod records;

use std::fmt;
use std::sync::Arc;

use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use anyport_testkit::{Packed, ProbeKit, Variant};
use async_trait::async_trait;

pub use folder::{Folder, FolderHooks};
pub use inventory::{FileKind, Inventory};
pub use records::{Layout, Records};

/// Something a harness cannot provide, with the reason: the case is reported as not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(String);

impl Missing {
    /// Because of this.
    #[must_use]
    pub fn because(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One adapter under test.
///
/// The suite owns the client and the seam under it; the harness only opens providers, each time as a new client process would.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The target's URL, for the report.
    fn target(&self) -> String;

    /// A place where nothing is and that nobody else uses. `seed` differs from case to case.
    ///
    /// # Errors
    /// [`Missing`] when no place can be had; the case is not run.
    async fn fresh(&self, seed: u64) -> Result<Box<dyn Site>, Missing>;

    /// Something that a spec names and others own, in the shape that the adapter takes. Nothing is deployed with it: it need not be there.
    fn reference(&self, to: Reference) -> String {
        to.word().to_owned()
    }

    /// The probe as an artifact that the adapter takes; a portable zip for the Lambda Runtime API unless overridden.
    ///
    /// # Errors
    /// [`Missing`] when the probe cannot be packed.
    fn package(&self, kit: &ProbeKit, variant: &Variant) -> Result<Packed, Missing> {
        kit.zip(variant).map_err(Missing::because)
    }
}

/// What a spec names and others own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reference {
    /// What functions run as.
    Identity,
    /// A subnet.
    Subnet,
    /// A security group.
    SecurityGroup,
    /// An encryption key.
    EncryptionKey,
}

impl Reference {
    const fn word(self) -> &'static str {
        match self {
            Self::Identity => "role/probe",
            Self::Subnet => "subnet-1",
            Self::SecurityGroup => "group-1",
            Self::EncryptionKey => "key/probe",
        }
    }
}

/// One isolated place of an adapter.
#[async_trait]
pub trait Site: Send + Sync {
    /// Opens the place as a new client process would. Called again, it gives a second client of the same place.
    ///
    /// # Errors
    /// Whatever connecting fails with.
    async fn open(&self) -> anyport_core::Result<Arc<dyn Provider>>;

    /// Everything that is there, taken without asking the adapter. What comes and goes by itself (locks, leases) is left out.
    ///
    /// # Errors
    /// [`Missing`] when the place cannot be looked at from outside.
    async fn inventory(&self) -> Result<Inventory, Missing>;

    /// How many connections a client may keep open for its next calls, beyond those of its first ones: an HTTP client's pool is no leak.
    /// None unless overridden.
    fn pooled(&self) -> usize {
        0
    }

    /// Puts something called `name` there that carries no mark.
    ///
    /// # Errors
    /// [`Missing`] when that cannot be done.
    async fn foreign(&self, name: &Name) -> Result<(), Missing>;

    /// Changes one field of a deployed function behind the adapter's back.
    ///
    /// # Errors
    /// [`Missing`] when that cannot be done.
    async fn tamper(&self, name: &Name, edit: &Edit) -> Result<(), Missing>;

    /// Makes a deployed function unreadable, as a newer format or a lost permission would.
    ///
    /// # Errors
    /// [`Missing`] when that cannot be done.
    async fn spoil(&self, name: &Name) -> Result<(), Missing>;

    /// Stores a secret where functions of the place can get it, and returns the reference for a spec.
    ///
    /// # Errors
    /// [`Missing`] when that cannot be done.
    async fn secret(&self, name: &str, value: &str) -> Result<String, Missing>;

    /// Opens the place with requests sent to `endpoint` instead of where they usually go; `None` when the adapter has no such setting.
    async fn with_endpoint(
        &self,
        endpoint: &str,
    ) -> Option<anyport_core::Result<Arc<dyn Provider>>>;

    /// Removes the place with everything in it. Every client is closed by then.
    async fn clean(&self);
}

/// An edit behind the adapter's back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// The environment variable is set to another value.
    Env {
        /// Its name.
        name: String,
        /// The new value.
        value: String,
    },
    /// The memory is set to this many MB.
    MemoryMb(u32),
}

impl Edit {
    /// The field of the spec that it changes.
    #[must_use]
    pub fn field(&self) -> String {
        match self {
            Self::Env { name, .. } => format!("env.{name}"),
            Self::MemoryMb(_) => "memory_mb".to_owned(),
        }
    }

    /// The field's new value.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Env { value, .. } => value.clone(),
            Self::MemoryMb(mb) => mb.to_string(),
        }
    }
}
