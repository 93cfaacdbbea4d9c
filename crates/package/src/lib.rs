//! Artifacts for Anyport: what is sent to a platform, as reproducible zip archives.
//!
//! - [`Packer`] turns a folder or an executable into an archive; the same input gives the same
//!   bytes, so that an artifact's digest is its name. [`CargoBuild`] makes the executable.
//! - [`inspect`] and [`inspect_dir`] say what is inside, and [`Inspection::check`] what would
//!   keep it from starting, before anything is sent.
//! - [`unpack`] takes an archive apart without trusting it, whole or not at all.
//! - [`FileContent`] gives an archive to an adapter as a stream that is checked as it is read.
//!
//! All but the last are blocking: they read and write files. An async program calls them on a
//! thread for such work.

mod content;
mod error;
mod inspect;
mod limits;
mod pack;
mod refusal;
mod source;
mod zip;

pub use content::FileContent;
pub use error::Error;
pub use inspect::{
    FileInfo, Inspection, Linkage, Machine, Program, inspect, inspect_dir, inspect_program,
};
pub use limits::Limits;
pub use pack::{BOOTSTRAP, Packed, Packer};
pub use refusal::{Refusal, RefusalKind, Refusals};
pub use source::cargo::CargoBuild;
pub use zip::disk::{Disk, FileSystem};
pub use zip::unpack::{PARTIAL_PREFIX, Unpacked, unpack, unpack_onto};
