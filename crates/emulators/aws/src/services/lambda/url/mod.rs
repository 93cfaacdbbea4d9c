//! Function URLs.

use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;

use crate::answer::AnswerBody;
use crate::cloud::Cloud;

/// A request to `http://URL-ID.lambda-url.REGION.localhost:PORT/...`, or to the path form
/// `/_anyport/url/REGION/URL-ID/...`, in which the front has rewritten `parts.uri` to the function's path
/// and query. Not verified: a function's URL may be open to all ([`crate::sigv4::verify`] otherwise,
/// against the request as it came).
#[derive(Debug)]
pub(crate) struct UrlCall {
    /// The first label of the host.
    pub(crate) url_id: String,
    /// The region in the host.
    pub(crate) region: String,
    /// The request's line and headers as they came.
    pub(crate) parts: Parts,
    /// Path and query that the function sees; differs from `parts.uri` in the path form.
    pub(crate) path_and_query: String,
    /// The body.
    pub(crate) body: Bytes,
    /// A UUID; what the reply's request id header says.
    pub(crate) request_id: String,
    /// Everything else.
    pub(crate) cloud: Arc<Cloud>,
}

/// Serves a function's URL; errors are answers too.
pub(crate) async fn serve(_call: UrlCall) -> http::Response<AnswerBody> {
    let mut reply =
        http::Response::new(AnswerBody::Bytes(Bytes::from_static(b"{\"Message\":null}")));
    *reply.status_mut() = http::StatusCode::FORBIDDEN;
    reply
}
