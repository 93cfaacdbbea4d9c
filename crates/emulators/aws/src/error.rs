//! Why an emulator does not start.

use std::io;
use std::path::PathBuf;

/// Why an [`Emulator`](crate::Emulator) did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The loopback port can't be listened on.
    #[error("the embedded AWS can't listen on 127.0.0.1:{port}; choose another port, or 0 for any")]
    #[non_exhaustive]
    Listen {
        /// The port asked for.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No folder to work in.
    #[error("the embedded AWS can't work in {}; check that it may be written", path.display())]
    #[non_exhaustive]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A setting that AWS does not know.
    #[error("the embedded AWS can't start with {setting} = {value:?}: {rule}")]
    #[non_exhaustive]
    Setting {
        /// Its name in [`Config`](crate::Config).
        setting: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        rule: &'static str,
    },
    /// The engine that runs functions did not start.
    #[error("the embedded AWS has no engine to run functions")]
    Engine(#[source] anyport_engine::EngineError),
    /// The kept state can't be used.
    #[error("the embedded AWS can't use the state that it keeps")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
}
