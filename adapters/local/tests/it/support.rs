//! A state folder of its own for each test, and short words for what every test does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use anyport_client::{Options, Removal, Target};
use anyport_core::call::{Call, Qualifier, Reply};
use anyport_core::content::Content as _;
use anyport_core::error::{Error, Result};
use anyport_core::mark::Owner;
use anyport_core::outcome::Outcome;
use anyport_core::plan::VersionId;
use anyport_core::spec::{Arch, Artifact, Name, Packaging, Protocol, Spec, SpecBuilder};
use anyport_local::Config;
use anyport_package::{FileContent, Packer};
use anyport_testkit::build_probe;
use anyport_testkit::probe::{Command, VARIANT};
use serde_json::Value;

/// Where this run keeps the archives that it deploys. Other processes that the tests start share it.
pub(crate) const ARCHIVES: &str = "ANYPORT_LOCAL_TEST_ARCHIVES";

/// The folder of the archives, with a copy of the probe as it was when the run began.
pub(crate) static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    if let Some(folder) = std::env::var_os(ARCHIVES) {
        return folder.into();
    }
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("anyport-local");
    for old in std::fs::read_dir(&root).into_iter().flatten().flatten() {
        // Runs that have ended left theirs: nothing in a test program runs at its very end.
        if !Path::new("/proc").join(old.file_name()).exists() {
            std::fs::remove_dir_all(old.path()).unwrap();
        }
    }
    let folder = root.join(std::process::id().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let probe = build_probe().expect("the probe builds");
    std::fs::copy(probe, folder.join("probe")).unwrap();
    folder
});

/// An artifact and its bytes.
#[derive(Clone)]
pub(crate) struct Packed {
    pub(crate) artifact: Artifact,
    pub(crate) content: Arc<FileContent>,
}

/// The probe as a zip; another salt makes it another artifact.
pub(crate) fn packed(salt: &str) -> Packed {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    let archive = FOLDER.join(format!("probe-{salt}.zip"));
    if !archive.exists() {
        let source = tempfile::tempdir_in(&*FOLDER).unwrap();
        let bootstrap = source.path().join("bootstrap");
        std::fs::copy(FOLDER.join("probe"), bootstrap).unwrap();
        std::fs::write(source.path().join("salt"), salt).unwrap();
        Packer::default().dir(source.path(), &archive).unwrap();
    }
    describe(&archive)
}

/// A zip whose `bootstrap` holds these bytes.
pub(crate) fn packed_instead(bytes: &[u8]) -> Packed {
    let source = tempfile::tempdir_in(&*FOLDER).unwrap();
    let bootstrap = source.path().join("bootstrap");
    std::fs::write(&bootstrap, bytes).unwrap();
    let digest = anyport_core::Digest::of(bytes).short();
    let archive = FOLDER.join(format!("{digest}.zip"));
    Packer::default().file(&bootstrap, &archive).unwrap();
    describe(&archive)
}

fn describe(archive: &Path) -> Packed {
    let content = FileContent::of(archive).unwrap();
    let protocol = Protocol::RuntimeApi;
    let artifact = Artifact::new(Packaging::Zip { protocol }, content.digest())
        .with_arch(Arch::of_this_machine().unwrap_or_default());
    Packed {
        artifact,
        content: Arc::new(content),
    }
}

/// A state folder that vanishes with the test.
pub(crate) struct State {
    folder: tempfile::TempDir,
}

impl State {
    pub(crate) fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        let folder = builder.prefix("anyport-local-test-").tempdir().unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// A client of its own, as another process would have one.
    pub(crate) fn open(&self) -> Target {
        self.open_as("app", Config::new(self.path()))
    }

    pub(crate) fn open_as(&self, application: &str, config: Config) -> Target {
        target(&config.state.clone(), application, config)
    }

    /// Every file and folder below the state folder, without the lock file and the folders that every state folder has.
    pub(crate) fn inventory(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.path(), &mut found);
        found.sort();
        let root = self.path().display().to_string();
        let found = found.into_iter().map(|path| path.replace(&root, ""));
        let frame = ["/lock", "/functions", "/secrets"];
        found
            .filter(|path| !frame.contains(&path.as_str()))
            .collect()
    }
}

pub(crate) fn target(state: &Path, application: &str, config: Config) -> Target {
    let url = format!("local://{}", state.display()).parse().unwrap();
    let provider = anyport_local::connect(&url, config).unwrap();
    Target::new(provider, Options::new(Owner::new(application, "test")))
}

fn walk(dir: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        found.push(entry.path().display().to_string());
        if entry.path().is_dir() {
            walk(&entry.path(), found);
        }
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A spec of the probe that reports `variant`.
pub(crate) fn probe(name: &str, variant: &str) -> SpecBuilder {
    spec_of(name, &packed("")).env(VARIANT, variant)
}

pub(crate) fn spec_of(name: &str, packed: &Packed) -> SpecBuilder {
    Spec::builder(name, packed.artifact.clone())
        .memory_mb(256)
        .timeout(Duration::from_secs(20))
}

pub(crate) async fn deploy(target: &Target, builder: SpecBuilder) -> Result<Outcome> {
    target
        .deploy(builder.build().unwrap(), packed("").content)
        .await
}

pub(crate) fn call(name: &str, command: &Command) -> Call {
    Call::new(self::name(name), command.to_payload())
}

pub(crate) async fn invoke(target: &Target, name: &str, command: &Command) -> Result<Reply> {
    target.invoke(call(name, command)).await
}

pub(crate) async fn json(reply: Reply) -> Value {
    let bytes = reply.body.collect(1 << 20).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

/// The variant that answers.
pub(crate) async fn who(target: &Target, name: &str) -> Result<String> {
    let answer = json(invoke(target, name, &Command::Who).await?).await;
    Ok(answer["variant"].as_str().unwrap().to_owned())
}

pub(crate) async fn who_is(target: &Target, name: &str, version: &str) -> Result<String> {
    let mut call = call(name, &Command::Who);
    call.qualifier = Qualifier::Version(VersionId::new(version));
    let answer = json(target.invoke(call).await?).await;
    Ok(answer["variant"].as_str().unwrap().to_owned())
}

pub(crate) async fn remove(target: &Target, name: &str) -> Result<Outcome> {
    target.remove(&self::name(name), Removal::default()).await
}

pub(crate) fn kind(error: &Error) -> &'static str {
    error.kind().name()
}

/// Whether no cause repeats what an error above it said, and no reason stands in one text twice.
pub(crate) fn says_nothing_twice(error: &Error) {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(below) = cause {
        said.push_str(" | ");
        said.push_str(&below.to_string());
        cause = below.source();
    }
    if let Some(code) = error.code() {
        assert_eq!(said.matches(code).count(), 1, "{said}");
    }
    let why: Vec<&str> = said.split(": ").filter(|it| it.len() > 20).collect();
    for part in &why {
        assert_eq!(said.matches(part).count(), 1, "{part:?} in {said}");
    }
}

/// Counts of the calls made, by operation, of those that were sent.
pub(crate) fn sent(target: &Target) -> BTreeMap<&'static str, u64> {
    let calls = target.calls().by_operation();
    calls
        .into_iter()
        .map(|(name, counts)| (name, counts.sent()))
        .collect()
}

/// Waits until something holds; fails the test when it does not within a minute.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = std::time::Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
