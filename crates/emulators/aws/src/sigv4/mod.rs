//! AWS Signature Version 4: whether a request was made by who it says.
//!
//! Source: the vendor's guide to signing requests, S3's notes on header and query authentication and on chunked
//! uploads, and the messages of the real services as their clients report them. The machine's clock is used, since
//! clients sign by it.

mod authorization;
mod canonical;
mod check;
mod checksum;
mod chunked;
mod date;
mod fault;
mod key;
#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, header};

use crate::access::Caller;
use crate::answer::ApiError;
use crate::call::Service;
use crate::cloud::Cloud;

use self::check::Check;

pub(crate) use self::checksum::{Checksum, Running};
pub(crate) use self::key::{Secret, sha256_hex};

/// A request whose signature is right.
#[derive(Debug)]
pub(crate) struct Verified {
    /// Whose credentials signed it; [`Caller::anonymous`] where there is no signature and the service
    /// has anonymous calls (S3).
    pub(crate) caller: Caller,
    /// The region of the credential scope.
    pub(crate) region: String,
    /// The body, with chunk signatures and trailers taken off.
    pub(crate) body: Bytes,
    /// Trailing headers that were part of the body (`x-amz-checksum-...`).
    pub(crate) trailers: HeaderMap,
}

/// Which service's credential scope the request has, if it is signed at all.
pub(crate) fn scope_service(parts: &Parts) -> Option<Service> {
    Service::by_name(&authorization::scope_service(parts)?)
}

/// Whether a request carries a signature at all, right or wrong.
pub(crate) fn is_signed(parts: &Parts) -> bool {
    parts.headers.contains_key(header::AUTHORIZATION)
        || authorization::scope_service(parts).is_some()
}

/// Verifies a request for `service`.
///
/// # Errors
/// What AWS answers to a signature that is absent, malformed, expired or wrong.
pub(crate) fn verify(
    cloud: &Cloud,
    service: Service,
    parts: &Parts,
    body: Bytes,
) -> Result<Verified, ApiError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed());
    let check = Check {
        service,
        parts,
        now,
    };
    check
        .verify(body, |id| cloud.access.key(id), &cloud.config.region)
        .map_err(|problem| problem.answer(service))
}
