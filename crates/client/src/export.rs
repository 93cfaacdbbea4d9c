//! `export`: what is deployed under a name, so that it can be deployed elsewhere.

use std::fmt;
use std::sync::Arc;

use anyport_core::content::Content;
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::spec::{Name, Spec};
use tracing::Instrument as _;

use crate::capabilities::need;
use crate::target::Target;

const VERB: &str = "export";

/// A deployed function as it would be deployed again: what [`Target::deploy`] takes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Export {
    /// Everything that was asked of it, as far as the target shows it.
    pub spec: Spec,
    /// The artifact's bytes.
    pub content: Arc<dyn Content>,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("spec", &self.spec)
            .field("content", &self.content)
            .finish()
    }
}

impl Target {
    /// What is deployed under `name`, whoever made it, as a spec and the bytes of its artifact.
    ///
    /// Values of environment variables are in the spec; secrets stay references. The bytes are fetched when the content is opened.
    ///
    /// # Errors
    /// `Unsupported` where the target does not give artifacts back; `NotFound`, naming the nearest function; `InvalidSpec` when what is there
    /// cannot be said as a spec; and whatever reading can fail with.
    pub async fn export(&self, name: &Name) -> Result<Export> {
        async {
            let export = &self.caps().await?.artifacts.export;
            need(export, "artifacts.export", VERB, name.as_str())?;
            let seen = self.seen(VERB, name).await?;
            let mut spec = Spec::from_fields(name, &seen.fields)
                .map_err(|broken| Error::new(ErrorKind::InvalidSpec(broken), VERB).on(name))?;
            let cx = self.read_cx(VERB);
            let content = self
                .provider()
                .artifact(&cx, name, spec.artifact.digest)
                .await?;
            spec.artifact.size = content.size();
            Ok(Export { spec, content })
        }
        .instrument(self.span("export", name.as_str()))
        .await
    }
}
