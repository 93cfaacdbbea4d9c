//! What an answer that failed says, whichever service it is from.

use std::borrow::Cow;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::error::ErrorMetadata;
use serde::Deserialize;

/// The longest pause that an answer may ask for: what asks for more is not throttling.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What an answer that failed says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failure<'a> {
    /// The error's name, without its namespace.
    pub(crate) code: Option<&'a str>,
    pub(crate) message: Option<Cow<'a, str>>,
    pub(crate) status: u16,
    pub(crate) request_id: Option<&'a str>,
    pub(crate) retry_after: Option<Duration>,
    /// Why it was throttled.
    pub(crate) reason: Option<String>,
}

/// What Lambda adds to some errors.
#[derive(Default, Deserialize)]
struct Extra {
    #[serde(rename = "Reason")]
    reason: Option<String>,
}

impl<'a> Failure<'a> {
    /// What the SDK read of an answer.
    pub(crate) fn of(meta: &'a ErrorMetadata, raw: &'a HttpResponse) -> Self {
        let mut failure = Self::unnamed(raw);
        failure.code = meta.code().map(plain);
        failure.message = meta.message().map(Cow::Borrowed);
        failure
    }

    /// An answer without a name that could be read.
    pub(crate) fn unnamed(raw: &'a HttpResponse) -> Self {
        let body = raw.body().bytes().unwrap_or_default();
        Self::read(raw.status().as_u16(), raw.headers(), body)
    }

    /// What the head of an answer says.
    pub(crate) fn read(status: u16, headers: &'a Headers, body: &[u8]) -> Self {
        Self {
            code: headers.get("x-amzn-errortype").map(plain),
            message: None,
            status,
            request_id: headers
                .get("x-amzn-requestid")
                .or_else(|| headers.get("x-amz-request-id")),
            retry_after: headers.get("retry-after").and_then(seconds),
            reason: serde_json::from_slice::<Extra>(body)
                .unwrap_or_default()
                .reason,
        }
    }
}

/// `namespace#Name:https://...` as `Name`.
pub(crate) fn plain(code: &str) -> &str {
    let name = code.split(':').next().unwrap_or(code);
    name.rsplit('#').next().unwrap_or(name).trim()
}

/// `Retry-After` in seconds, also with a fraction; dates are not used by AWS.
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().parse().ok()?;
    let wait = Duration::try_from_secs_f64(seconds).ok()?;
    Some(wait.min(LONGEST_WAIT))
}
