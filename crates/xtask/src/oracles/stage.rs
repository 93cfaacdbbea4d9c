//! A local target of its own for each comparison, reached as every user reaches it: by URL.

use std::path::Path;
use std::sync::Arc;

use anyport::call::{Call, LogQuery, Reply};
use anyport::error::FunctionFailure;
use anyport::outcome::Outcome;
use anyport::spec::{Arch, Artifact, Name, Packaging, Protocol, Spec};
use anyport::{ErrorKind, Removal, Target};
use anyport_package::{FileContent, Packed, Packer};
use futures_util::TryStreamExt as _;
use serde_json::Value;
use tempfile::TempDir;

use crate::commands::Failure;

/// The largest answer that is read.
const LIMIT: u64 = 64 << 20;

/// A target in a temporary folder.
pub(crate) struct Stage {
    pub(crate) target: Target,
    work: TempDir,
}

impl Stage {
    /// Opens one.
    ///
    /// # Errors
    /// What connecting fails with.
    pub(crate) async fn open() -> Result<Self, Failure> {
        let work = tempfile::Builder::new()
            .prefix("anyport-oracle-")
            .tempdir()?;
        let url = format!("local://{}", work.path().join("state").display());
        let target = anyport::connect(&url).await?;
        Ok(Self { target, work })
    }

    /// Opens the same target once more, as another program would.
    ///
    /// # Errors
    /// What connecting fails with.
    pub(crate) async fn reopen(&self) -> Result<Target, Failure> {
        Ok(anyport::connect(self.target.id().as_str()).await?)
    }

    /// Packs a folder.
    ///
    /// # Errors
    /// What packing fails with.
    pub(crate) fn pack(&self, folder: &Path) -> Result<Packed, Failure> {
        self.pack_as("function.zip", folder)
    }

    /// Packs a folder into an archive of this name.
    ///
    /// # Errors
    /// What packing fails with.
    pub(crate) fn pack_as(&self, archive: &str, folder: &Path) -> Result<Packed, Failure> {
        Ok(Packer::default().dir(folder, &self.work.path().join(archive))?)
    }

    /// Packs one executable as the `bootstrap`.
    ///
    /// # Errors
    /// What packing fails with.
    pub(crate) fn pack_program(&self, program: &Path) -> Result<Packed, Failure> {
        self.pack_program_as("function.zip", program)
    }

    /// Packs one executable as the `bootstrap` of an archive of this name.
    ///
    /// # Errors
    /// What packing fails with.
    pub(crate) fn pack_program_as(&self, archive: &str, program: &Path) -> Result<Packed, Failure> {
        Ok(Packer::default().file(program, &self.work.path().join(archive))?)
    }

    /// A folder for what is not packed yet.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn folder(&self, name: &str) -> Result<std::path::PathBuf, Failure> {
        let path = self.work.path().join(name);
        std::fs::create_dir(&path)?;
        Ok(path)
    }

    /// Deploys the archive under `name`, with `UNIT` and `GREETING` set, 256 MB and 5 seconds.
    ///
    /// # Errors
    /// What deploying fails with.
    pub(crate) async fn deploy(
        &self,
        name: &str,
        packaging: Packaging,
        packed: &Packed,
    ) -> Result<Function<'_>, Failure> {
        let outcome = self.deploy_again(name, packaging, packed).await?;
        let version = outcome.version.ok_or("the deployment names no version")?;
        Ok(Function {
            stage: self,
            version: version.to_string(),
            name: outcome.name,
        })
    }

    /// As [`deploy`](Self::deploy), and says what it came to.
    ///
    /// # Errors
    /// What deploying fails with.
    pub(crate) async fn deploy_again(
        &self,
        name: &str,
        packaging: Packaging,
        packed: &Packed,
    ) -> Result<Outcome, Failure> {
        let artifact = Artifact::new(packaging, packed.digest)
            .with_sizes(packed.size, packed.unpacked_size)
            .with_arch(Arch::of_this_machine().ok_or("functions cannot run on this machine")?);
        let spec = Spec::builder(name, artifact)
            .env("UNIT", "test")
            .env("GREETING", "good day")
            .memory_mb(256)
            .timeout(std::time::Duration::from_secs(5))
            .build()
            .map_err(|found| found.to_string())?;
        let content = Arc::new(FileContent::from(packed));
        self.target.deploy(spec, content).await.map_err(told)
    }
}

/// A portable zip that pulls from the Runtime API.
pub(crate) const fn zip() -> Packaging {
    Packaging::Zip {
        protocol: Protocol::RuntimeApi,
    }
}

/// A deployed function.
pub(crate) struct Function<'a> {
    stage: &'a Stage,
    pub(crate) version: String,
    name: Name,
}

impl Function<'_> {
    /// Its name.
    pub(crate) const fn name(&self) -> &Name {
        &self.name
    }

    /// A call of it.
    pub(crate) fn call(&self, payload: impl Into<anyport::call::Body>) -> Call {
        Call::new(self.name.clone(), payload)
    }

    /// Calls it.
    ///
    /// # Errors
    /// What the call fails with.
    pub(crate) async fn reply(&self, call: Call) -> Result<(Reply, Vec<u8>), Failure> {
        let mut reply = self.stage.target.invoke(call).await.map_err(told)?;
        let body = std::mem::take(&mut reply.body)
            .collect(LIMIT)
            .await
            .map_err(told)?;
        Ok((reply, body.to_vec()))
    }

    /// Calls it with JSON and reads JSON.
    ///
    /// # Errors
    /// What the call fails with, or an answer that is not JSON.
    pub(crate) async fn json(&self, payload: &Value) -> Result<Value, Failure> {
        let (_, body) = self.reply(self.call(payload.to_string())).await?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Calls it with any text, and reads JSON where it answers.
    ///
    /// # Errors
    /// What the call fails with, as it is.
    pub(crate) async fn try_json(&self, payload: &str) -> anyport::Result<Value> {
        let reply = self
            .stage
            .target
            .invoke(self.call(payload.to_owned()))
            .await?;
        let body = reply.body.collect(LIMIT).await?;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Calls it and expects that it fails by itself.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn failure(
        &self,
        payload: impl Into<anyport::call::Body>,
    ) -> Result<FunctionFailure, Failure> {
        match self.stage.target.invoke(self.call(payload)).await {
            Ok(_) => Err("it answered where it should fail".into()),
            Err(error) => match error.into_kind() {
                ErrorKind::Function(failure) => Ok(failure),
                other => Err(format!("it failed otherwise: {other}").into()),
            },
        }
    }

    /// Expects a line that contains `text` among its logs.
    ///
    /// # Errors
    /// When there is none, with the lines there are.
    pub(crate) async fn logged(&self, text: &str) -> Result<(), Failure> {
        let query = LogQuery::new(self.name.clone());
        let stream = self.stage.target.logs(query).await.map_err(told)?;
        let lines: Vec<_> = stream.try_collect().await.map_err(told)?;
        if lines.iter().any(|line| line.text.contains(text)) {
            return Ok(());
        }
        let lines: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        Err(format!(
            "no log line says {text:?}; there are:\n{}",
            lines.join("\n")
        )
        .into())
    }

    /// Removes it and expects that nothing is left to list.
    ///
    /// # Errors
    /// What removing fails with, or what is left.
    pub(crate) async fn remove(self) -> Result<(), Failure> {
        let removal = Removal::default();
        self.stage
            .target
            .remove(&self.name, removal)
            .await
            .map_err(told)?;
        let scope = anyport::provider::Scope::Everything;
        let left: Vec<_> = self
            .stage
            .target
            .list(scope)
            .try_collect()
            .await
            .map_err(told)?;
        same("functions left", left.len(), 0)
    }
}

/// An error of ours with its whole chain and, for a function's failure, its logs.
pub(crate) fn told(error: anyport::Error) -> Failure {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!("\n  caused by: {cause}");
        source = cause.source();
    }
    let logs = match error.kind() {
        ErrorKind::Function(failure) => failure.logs.clone(),
        ErrorKind::RolloutFailed(failure) => failure.logs.clone(),
        _ => Vec::new(),
    };
    for line in logs {
        text += &format!("\n  | {line}");
    }
    text.into()
}

/// Expects two things to be equal.
///
/// # Errors
/// When they are not, with both.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: T,
    expected: T,
) -> Result<(), Failure> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}:\n  found    {found:?}\n  expected {expected:?}").into())
}
