//! The zip container: a writer whose output depends on its input alone, and a reader that trusts nothing.
//!
//! Both are our own, small, and share one record layout. A reader that shares its parser with the
//! checks cannot be shown one archive while it checks another, and a writer that calls the
//! compressor directly gives the same bytes whichever compressor other crates of a build select.

pub(crate) mod archive;
mod codec;
mod directory;
pub(crate) mod disk;
mod layout;
mod links;
pub(crate) mod name;
pub(crate) mod unpack;
mod verify;
pub(crate) mod writer;
