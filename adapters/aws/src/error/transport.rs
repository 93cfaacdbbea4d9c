//! Requests that got no answer: was anything sent, and what is in the way.

use std::error::Error as StdError;
use std::fmt;

use anyport_core::context::Effect;
use anyport_core::error::{Error, ErrorKind, Retry};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use hyper_util::client::legacy::Error as ClientError;

use super::PROVIDER;

/// The innermost cause in words: the layers between repeat each other.
#[derive(Debug)]
struct Cause(String);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Cause {}

/// A request that was not answered, as an error of `operation`, which is in words.
pub(crate) fn unanswered<E, R>(
    operation: &'static str,
    effect: Effect,
    error: SdkError<E, R>,
) -> Error
where
    E: StdError + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let timed_out = match &error {
        SdkError::TimeoutError(_) => true,
        SdkError::DispatchFailure(failure) => failure.is_timeout(),
        _ => false,
    };
    let never_sent = matches!(error, SdkError::ConstructionFailure(_));
    let garbled = matches!(error, SdkError::ResponseError(_));
    let source: Box<dyn StdError + Send + Sync> = match error.into_source() {
        Ok(source) => source,
        // Never happens: every variant has one.
        Err(_) => Box::new(Cause("no cause was given".to_owned())),
    };
    let writes = !matches!(effect, Effect::Read);
    let made = if let Some(error) = find::<CredentialsError>(&*source) {
        credentials(operation, error)
    } else if never_sent {
        Error::new(ErrorKind::Unavailable, operation)
            .because("the request could not be made")
            .with_retry(Retry::No)
    } else if connecting(&*source) {
        Error::new(ErrorKind::Unavailable, operation)
            .because("no connection could be made")
            .hint("check the network, the region and the endpoint")
    } else {
        let why = match (timed_out, garbled) {
            (true, _) => "no answer came in time",
            (_, true) => "the answer cannot be read",
            _ => "the connection broke before the answer was there",
        };
        Error::new(ErrorKind::Unavailable, operation)
            .because(why)
            .may_have_run(writes)
    };
    let mut innermost: &dyn StdError = &*source;
    while let Some(below) = innermost.source() {
        innermost = below;
    }
    made.with_source(Cause(innermost.to_string()))
        .from_provider(PROVIDER, None)
}

fn credentials(operation: &'static str, error: &CredentialsError) -> Error {
    let why = match error {
        CredentialsError::CredentialsNotLoaded(_) => "there are none",
        CredentialsError::ProviderTimedOut(_) => "they could not be had in time",
        CredentialsError::InvalidConfiguration(_) => "their configuration is wrong",
        _ => "they could not be had",
    };
    Error::new(ErrorKind::Unauthorized, operation)
        .because(why)
        .hint("set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role is attached")
}

/// Whether it failed before there was a connection, so that nothing can have been sent.
fn connecting(error: &(dyn StdError + 'static)) -> bool {
    find::<ClientError>(error).is_some_and(ClientError::is_connect)
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}
