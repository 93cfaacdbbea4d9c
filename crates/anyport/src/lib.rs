//! Any port for your code: deploy, invoke and trigger functions anywhere.
//!
//! [`connect`] opens a [`Target`] by its URL; the rest is the same everywhere. Each adapter is a feature of this crate; [`schemes`] says which
//! are there.
//!
#![cfg_attr(feature = "local", doc = "```")]
#![cfg_attr(not(feature = "local"), doc = "```ignore")]
//! use anyport::{ErrorKind, Removal};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path().display();
//! let target = anyport::connect(format!("local://{folder}")).await?;
//!
//! let capabilities = target.capabilities().await?;
//! assert!(capabilities.artifacts.zip.is_supported());
//!
//! let name = "thumbnails".parse()?;
//! let error = target.status(&name).await.unwrap_err();
//! assert_eq!(error.kind(), &ErrorKind::NotFound);
//!
//! let outcome = target.remove(&name, Removal::default()).await?;
//! assert_eq!(outcome.change.word(), "absent");
//! # Ok(())
//! # }
//! ```
//!
//! Deploying takes a [spec](spec::Spec) and the artifact's bytes; deploying the same again changes nothing:
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use anyport::call::Call;
//! use anyport::content::{Content, InMemory};
//! use anyport::spec::{Artifact, Packaging, Protocol, Spec};
//! use anyport::{Error, ErrorKind, Target};
//!
//! /// Deploys a zip with a `bootstrap` and asks it for one thumbnail.
//! async fn release(target: &Target, zip: Vec<u8>, image: Vec<u8>) -> Result<(), Error> {
//!     let content = Arc::new(InMemory::new(zip));
//!     let packaging = Packaging::Zip { protocol: Protocol::RuntimeApi };
//!     let artifact = Artifact::new(packaging, content.digest()).with_sizes(content.size(), 0);
//!     let spec = Spec::builder("thumbnails", artifact)
//!         .memory_mb(256)
//!         .timeout(Duration::from_secs(10))
//!         .env("WIDTH", "160")
//!         .build()
//!         .map_err(|found| Error::new(ErrorKind::InvalidSpec(found), "describe the function"))?;
//!     let name = spec.name.clone();
//!
//!     let outcome = target.deploy(spec, content).await?;
//!     println!("{} version {:?}", outcome.change.word(), outcome.version);
//!
//!     let mut call = Call::new(name, image);
//!     call.content_type = "image/png".to_owned();
//!     let reply = target.invoke(call).await?;
//!     println!("{} of {:?}", reply.content_type, reply.body);
//!     Ok(())
//! }
//! ```

mod connect;
#[cfg(feature = "embedded-aws")]
pub mod embedded;
#[cfg(feature = "aws")]
pub mod lambda;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "manifest")]
pub mod manifest;
mod scheme;
#[cfg(any(feature = "local", feature = "embedded-aws"))]
mod state;

pub use anyport_client::{
    Calls, Cancel, Counts, Event, Halted, InvokeOptions, LiveSeam, Observer, Options, Progress,
    Removal, Target, Timeouts,
};
pub use anyport_core::{
    Digest, Error, ErrorKind, InvalidDigest, Result, call, capability, content, context, error,
    event, mark, outcome, plan, provider, spec, target,
};
/// Making artifacts: pack, inspect and check zips.
#[cfg(feature = "package")]
pub use anyport_package as package;
pub use connect::{Connect, connect};
pub use scheme::{Scheme, schemes};

/// The examples of the front page compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FrontPage;
