//! `local://`.

use std::io;
use std::sync::Arc;

use anyport::local::Config;
use anyport::{Connect, Target};
use anyport_conformance::harness::{Folder, Harness, Layout, Missing, Records, Site};
use async_trait::async_trait;

/// How `local://` keeps its state, as far as the suite interferes with it.
pub const LAYOUT: Layout = Layout {
    record: "functions/NAME.json",
    spec: "versions/-/spec",
    foreign: "functions/NAME/somebody-elses",
    secret: "secrets/NAME",
    secret_reference: "secret://file/NAME",
    passing: &["lock"],
    written: &["/logs/"],
};

/// `local://`, every place a state folder of its own.
pub struct Local {
    folders: Folder<Records>,
    // Removed with everything in it when the harness is dropped.
    _parent: tempfile::TempDir,
}

impl Local {
    /// Places in a temporary folder.
    ///
    /// # Errors
    /// When none can be made.
    pub fn new() -> io::Result<Self> {
        let parent = tempfile::Builder::new()
            .prefix("anyport-conformance-")
            .tempdir()?;
        let hooks = Records::new(LAYOUT, |folder| async move {
            let url = format!("local://{}", folder.display());
            let mut config = Config::new(&folder);
            // The suite deploys no bundles, and looking for interpreters starts two programs for every client.
            config.python = folder.join("no-python");
            config.node = folder.join("no-node");
            let target = Connect::new(url).local(config).connect().await?;
            Ok(Arc::clone(Target::provider(&target)))
        });
        Ok(Self {
            folders: Folder::new("local://", parent.path(), hooks),
            _parent: parent,
        })
    }
}

#[async_trait]
impl Harness for Local {
    fn target(&self) -> String {
        self.folders.target()
    }

    async fn fresh(&self, seed: u64) -> Result<Box<dyn Site>, Missing> {
        self.folders.fresh(seed).await
    }
}
