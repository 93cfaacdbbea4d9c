//! An embedded AWS in this process, and a target on it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyport::embedded::aws::{Config, Emulator};
use anyport::lambda;
use anyport::outcome::Outcome;
use anyport::spec::{Arch, Artifact, Spec};
use anyport::{Connect, Target};
use anyport_package::{FileContent, Packed, Packer};
use tempfile::TempDir;

use super::wire::REGION;
use crate::commands::Failure;
use crate::oracles::stage::{told, zip};

pub(super) struct Stage {
    pub(super) target: Target,
    pub(super) emulator: Emulator,
    work: TempDir,
}

impl Stage {
    pub(super) async fn open(config: Config) -> Result<Self, Failure> {
        let emulator = Emulator::start(config).await?;
        let keys = emulator.credentials();
        let role = format!("arn:aws:iam::{}:role/anyport-embedded", emulator.account());
        let config = lambda::Config::default()
            .endpoint(emulator.endpoint())
            .credentials(lambda::Credentials::keys(
                &keys.access_key,
                &keys.secret_key,
            ))
            .execution_role(role);
        let target = Connect::new(format!("lambda://{REGION}"))
            .lambda(config)
            .connect()
            .await?;
        let work = tempfile::Builder::new()
            .prefix("anyport-bench-")
            .tempdir()?;
        Ok(Self {
            target,
            emulator,
            work,
        })
    }

    /// Packs one executable as the `bootstrap` of an archive of this name.
    pub(super) fn pack(&self, archive: &str, program: &Path) -> Result<Packed, Failure> {
        Ok(Packer::default().file(program, &self.work.path().join(archive))?)
    }

    /// Ends everything.
    pub(super) async fn close(self) {
        self.emulator.shutdown().await;
    }
}

/// Deploys the archive under `name`, with 256 MB and 5 seconds.
pub(super) async fn deploy(
    target: &Target,
    name: &str,
    packed: &Packed,
    greeting: &str,
) -> Result<Outcome, Failure> {
    let artifact = Artifact::new(zip(), packed.digest)
        .with_sizes(packed.size, packed.unpacked_size)
        .with_arch(Arch::of_this_machine().ok_or("functions cannot run on this machine")?);
    let spec = Spec::builder(name, artifact)
        .env("GREETING", greeting)
        .memory_mb(256)
        .timeout(Duration::from_secs(5))
        .build()
        .map_err(|found| found.to_string())?;
    let content = Arc::new(FileContent::from(packed));
    target.deploy(spec, content).await.map_err(told)
}
