//! Code that is too large to be sent directly: which that is, and the way through a bucket.

use anyport_core::content::Content;
use anyport_core::spec::Spec;

/// Whether this program can send code through a bucket.
pub(crate) const AVAILABLE: bool = cfg!(feature = "s3");

/// The largest request that makes or changes a function, in bytes. Source: Lambda's own message.
const MAX_REQUEST: u64 = 69_905_067;
/// What a request holds beside the code: environment, tags, names.
const ROOM: u64 = 32 << 10;
/// The largest archive in bytes that is sent in the request itself, as base64.
pub(crate) const MAX_DIRECT: u64 = (MAX_REQUEST - ROOM) / 4 * 3;

/// Whether the code has to go through a bucket.
pub(crate) fn is_large(spec: &Spec, content: Option<&dyn Content>) -> bool {
    let size = content.map_or(spec.artifact.size, Content::size);
    size > MAX_DIRECT
}

/// The object that holds the code with this digest.
#[cfg(feature = "s3")]
pub(crate) fn key(spec: &Spec) -> String {
    let digest = spec.artifact.digest.to_string();
    format!("code/{}.zip", digest.trim_start_matches("sha256:"))
}
