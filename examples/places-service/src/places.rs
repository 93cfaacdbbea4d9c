//! The places of a manifest: functions are deployed to them, and found again by name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyport::content::Content as _;
use anyport::manifest::{Application, Function, Manifest, Source};
use anyport::package::{FileContent, Limits, Packer, inspect};
use anyport::spec::{Artifact, Name};
use anyport::target::TargetUrl;
use anyport::{Connect, Target};

/// Anything that can go wrong while it starts; the caller shows it and ends.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Where each function of an application is.
pub(crate) struct Places {
    targets: BTreeMap<Name, Target>,
}

impl Places {
    /// Reads the manifest in `folder` and deploys every function to its place in `environment`. What is there and the same is left alone.
    ///
    /// # Errors
    /// What is wrong with the manifest or an artifact, and what a target says.
    pub(crate) async fn deploy(folder: &Path, environment: &str) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(folder.join("anyport.toml"))?;
        let application = Manifest::parse(&text)?.application(Some(environment))?;
        let mut open: BTreeMap<TargetUrl, Target> = BTreeMap::new();
        let mut targets = BTreeMap::new();
        for function in &application.functions {
            let url = function
                .target
                .clone()
                .ok_or_else(|| format!("{} has no place in {environment}", function.name))?;
            let target = match open.get(&url) {
                Some(target) => target.clone(),
                None => {
                    let target = connect(&url, &application).await?;
                    open.insert(url, target.clone());
                    target
                }
            };
            let word = deploy(&target, function, folder).await?;
            println!("{} at {}: {word}", function.name, target.id());
            targets.insert(function.name.clone(), target);
        }
        Ok(Self { targets })
    }

    /// Where a function is.
    pub(crate) fn of(&self, function: &str) -> Option<(&Name, &Target)> {
        self.targets
            .iter()
            .find(|(name, _)| name.as_str() == function)
    }
}

async fn connect(url: &TargetUrl, application: &Application) -> anyport::Result<Target> {
    Connect::new(url.as_str())
        .owner(application.owner.clone())
        .connect()
        .await
}

async fn deploy(
    target: &Target,
    function: &Function,
    folder: &Path,
) -> Result<&'static str, Failure> {
    let Source::Bin { path, .. } = &function.source else {
        return Err(format!("{}: this service takes `source.bin` only", function.name).into());
    };
    let scratch =
        std::env::temp_dir().join(format!("{}-{}.zip", function.name, std::process::id()));
    let packed = Packer::default().file(&folder.join(path), &scratch)?;
    let found = inspect(&packed.path, &Limits::default())?;
    let content = Arc::new(FileContent::from(&packed));
    let artifact = Artifact::new(function.source.packaging(), content.digest())
        .with_sizes(content.size(), found.unpacked_size);
    let outcome = target.deploy(function.spec(artifact), content).await;
    let _ = std::fs::remove_file(&scratch);
    Ok(outcome?.change.word())
}
