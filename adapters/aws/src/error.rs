//! One table from what AWS answers to the contract's kinds: by the error's name first, by the status only where the name is not known.

mod failure;
mod transport;
mod words;

pub(crate) use failure::{Failure, plain};
pub(crate) use transport::unanswered;

use anyport_core::context::Effect;
use anyport_core::error::{
    Error, ErrorKind, FunctionFailure, Limit, Result, Retry, TimedOut, Violation,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// How this adapter names itself on errors.
pub(crate) const PROVIDER: &str = "lambda";

/// The largest request payload of a synchronous call in bytes. Source: Lambda API model ("6 MB"); the exact number from the
/// service's own message.
pub(crate) const MAX_REQUEST: u64 = 6 * 1024 * 1024;

/// What an error's name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    NotFound,
    /// Somebody was faster, or a change is under way. For a call: the function is not ready yet.
    Conflict,
    /// The named field of the request is wrong. The service's words are the rule.
    Invalid(&'static str),
    /// The payload is not JSON. The service quotes it, so its words are not repeated.
    NotJson,
    Unauthorized,
    Forbidden,
    Throttled,
    Quota,
    TooLarge,
    Unsupported(&'static str),
    /// Nothing was done yet; the same call works later.
    NotReady,
    /// It failed inside AWS, perhaps after it was done.
    Broken,
    /// No instance can be started, until somebody changes something.
    CannotStart,
    /// Lambda stopped the function for what it does.
    Stopped,
}

/// The table: an error's name, what it means, what to do next.
///
/// Source: the errors of the service models of Lambda, S3, SQS, STS and CloudWatch Logs, and the errors common to all AWS services.
#[rustfmt::skip]
const TABLE: &[(&str, Means, &str)] = &[
    ("ResourceNotFoundException", Means::NotFound, ""),
    ("NoPublishedVersionException", Means::NotFound, "deploy it first"),
    ("ProvisionedConcurrencyConfigNotFoundException", Means::NotFound, ""),
    ("CodeSigningConfigNotFoundException", Means::NotFound, ""),
    ("NoSuchEntity", Means::NotFound, ""),
    ("NoSuchBucket", Means::NotFound, "name an existing bucket of the same region, or leave the bucket out"),
    ("NoSuchKey", Means::NotFound, ""),
    ("NotFound", Means::NotFound, ""),
    ("QueueDoesNotExist", Means::NotFound, ""),
    ("AWS.SimpleQueueService.NonExistentQueue", Means::NotFound, ""),

    ("ResourceConflictException", Means::Conflict, ""),
    ("PreconditionFailedException", Means::Conflict, ""),
    ("PreconditionFailed", Means::Conflict, ""),
    ("ConditionalRequestConflict", Means::Conflict, ""),
    ("ResourceInUseException", Means::Conflict, ""),
    ("ResourceAlreadyExistsException", Means::Conflict, ""),
    ("OperationAbortedException", Means::Conflict, ""),
    ("OperationAborted", Means::Conflict, ""),
    ("BucketAlreadyOwnedByYou", Means::Conflict, ""),
    ("BucketAlreadyExists", Means::Conflict, "name another bucket: this name belongs to another account"),
    ("QueueNameExists", Means::Conflict, ""),
    ("DurableExecutionAlreadyStartedException", Means::Conflict, ""),
    ("QueueDeletedRecently", Means::NotReady, "a queue's name is free again 60 seconds after it was deleted"),
    ("PurgeQueueInProgress", Means::NotReady, "a queue can be purged once every 60 seconds"),

    ("InvalidParameterValueException", Means::Invalid("request"), ""),
    ("InvalidParameterException", Means::Invalid("request"), ""),
    ("ValidationException", Means::Invalid("request"), ""),
    ("ValidationError", Means::Invalid("request"), ""),
    ("InvalidAttributeName", Means::Invalid("request"), ""),
    ("InvalidAttributeValue", Means::Invalid("request"), ""),
    ("InvalidRequest", Means::Invalid("request"), ""),
    ("InvalidArgument", Means::Invalid("request"), ""),
    ("InvalidBucketName", Means::Invalid("code_bucket"), ""),
    ("InvalidZipFileException", Means::Invalid("artifact"), "pack the artifact again"),
    ("InvalidCodeSignatureException", Means::Invalid("artifact"), "sign the artifact as the function's code signing configuration asks"),
    ("CodeVerificationFailedException", Means::Invalid("artifact"), "sign the artifact as the function's code signing configuration asks"),
    ("InvalidRuntimeException", Means::Invalid("artifact.runtime"), "choose a runtime that Lambda still has"),
    ("InvalidSecurityGroupIDException", Means::Invalid("network.security_groups"), ""),
    ("InvalidSubnetIDException", Means::Invalid("network.subnets"), ""),
    ("KMSDisabledException", Means::Invalid("encryption_key"), "enable the key, or name another one"),
    ("KMSInvalidStateException", Means::Invalid("encryption_key"), "name a key that can be used"),
    ("KMSNotFoundException", Means::Invalid("encryption_key"), "name a key that exists in this region"),
    ("SnapStartException", Means::Invalid("native.lambda.SnapStart"), ""),
    ("InvalidRequestContentException", Means::NotJson, ""),

    ("UnrecognizedClientException", Means::Unauthorized, KEYS),
    ("InvalidClientTokenId", Means::Unauthorized, KEYS),
    ("InvalidAccessKeyId", Means::Unauthorized, KEYS),
    ("InvalidSignatureException", Means::Unauthorized, SIGNATURE),
    ("SignatureDoesNotMatch", Means::Unauthorized, SIGNATURE),
    ("IncompleteSignature", Means::Unauthorized, SIGNATURE),
    ("IncompleteSignatureException", Means::Unauthorized, SIGNATURE),
    ("AuthorizationHeaderMalformed", Means::Unauthorized, SIGNATURE),
    ("MissingAuthenticationToken", Means::Unauthorized, KEYS),
    ("MissingAuthenticationTokenException", Means::Unauthorized, KEYS),
    ("ExpiredToken", Means::Unauthorized, EXPIRED),
    ("ExpiredTokenException", Means::Unauthorized, EXPIRED),
    ("TokenRefreshRequired", Means::Unauthorized, EXPIRED),
    ("InvalidToken", Means::Unauthorized, EXPIRED),
    ("InvalidSecurity", Means::Unauthorized, KEYS),
    ("RequestExpired", Means::Unauthorized, CLOCK),
    ("RequestTimeTooSkewed", Means::Unauthorized, CLOCK),
    ("AuthFailure", Means::Unauthorized, KEYS),
    ("OptInRequired", Means::Unauthorized, "enable the region for this account, or use another one"),

    ("AccessDeniedException", Means::Forbidden, ""),
    ("AccessDenied", Means::Forbidden, ""),
    ("AccountProblem", Means::Forbidden, "look at the state of the account"),
    ("PublicPolicyException", Means::Forbidden, "the account blocks public access; ask whoever owns it"),
    ("EC2AccessDeniedException", Means::Forbidden, "allow the execution role to manage network interfaces"),
    ("KMSAccessDeniedException", Means::Forbidden, "allow the execution role to decrypt with the function's key"),
    ("KmsAccessDenied", Means::Forbidden, "allow the caller to use the queue's key"),

    ("TooManyRequestsException", Means::Throttled, ""),
    ("ThrottlingException", Means::Throttled, ""),
    ("Throttling", Means::Throttled, ""),
    ("ThrottledException", Means::Throttled, ""),
    ("RequestThrottled", Means::Throttled, ""),
    ("RequestThrottledException", Means::Throttled, ""),
    ("RequestLimitExceeded", Means::Throttled, ""),
    ("EC2ThrottledException", Means::Throttled, ""),
    ("KmsThrottled", Means::Throttled, ""),
    ("SlowDown", Means::Throttled, ""),
    ("BandwidthLimitExceeded", Means::Throttled, ""),

    ("ServiceQuotaExceededException", Means::Quota, QUOTA),
    ("CodeStorageExceededException", Means::Quota, "remove functions or versions that are not needed, or ask for more code storage"),
    ("AliasLimitExceededException", Means::Quota, QUOTA),
    ("PolicyLengthExceededException", Means::Quota, QUOTA),
    ("LimitExceededException", Means::Quota, QUOTA),
    ("LimitExceeded", Means::Quota, QUOTA),
    ("OverLimit", Means::Quota, "messages are being received and not deleted; try again later"),
    ("CapacityProviderLimitExceededException", Means::Quota, QUOTA),
    ("FunctionVersionsPerCapacityProviderLimitExceededException", Means::Quota, QUOTA),
    ("ENILimitReachedException", Means::Quota, "ask for more network interfaces, or use another subnet"),
    ("SubnetIPAddressLimitReachedException", Means::Quota, "use a subnet with free addresses"),
    ("TooManyBuckets", Means::Quota, "name an existing bucket, or ask for more"),

    ("RequestTooLargeException", Means::TooLarge, SMALLER),
    ("SerializedRequestEntityTooLargeException", Means::TooLarge, SMALLER),
    ("RequestEntityTooLargeException", Means::TooLarge, SMALLER),
    ("EntityTooLarge", Means::TooLarge, SMALLER),

    ("ModeNotSupportedException", Means::Unsupported("invoke"), "call it in the way that it is configured for"),
    ("UnsupportedMediaTypeException", Means::Unsupported("invoke.media"), "send JSON"),
    ("UnsupportedOperation", Means::Unsupported("provider.operation"), "look at what the service can do here"),
    ("UnsupportedOperationException", Means::Unsupported("provider.operation"), "look at what the service can do here"),
    ("NotImplemented", Means::Unsupported("provider.operation"), "look at what the service can do here"),

    ("ResourceNotReadyException", Means::NotReady, ""),
    ("ENINotReadyException", Means::NotReady, ""),
    ("SnapStartNotReadyException", Means::NotReady, ""),
    ("CodeArtifactUserPendingException", Means::NotReady, ""),
    ("EC2UnexpectedException", Means::NotReady, ""),
    ("RequestTimeout", Means::Broken, ""),
    ("ServiceException", Means::Broken, ""),
    ("ServiceUnavailableException", Means::Broken, ""),
    ("ServiceUnavailable", Means::Broken, ""),
    ("InternalServerException", Means::Broken, ""),
    ("InternalServerError", Means::Broken, ""),
    ("InternalFailure", Means::Broken, ""),
    ("InternalError", Means::Broken, ""),

    ("EFSIOException", Means::CannotStart, ""),
    ("EFSMountConnectivityException", Means::CannotStart, "let the function's network reach the file system"),
    ("EFSMountFailureException", Means::CannotStart, "look at the file system's access point and permissions"),
    ("EFSMountTimeoutException", Means::CannotStart, "let the function's network reach the file system"),
    ("S3FilesMountConnectivityException", Means::CannotStart, "let the function's network reach the file system"),
    ("S3FilesMountFailureException", Means::CannotStart, "look at the file system's permissions"),
    ("S3FilesMountTimeoutException", Means::CannotStart, "let the function's network reach the file system"),
    ("SnapStartTimeoutException", Means::CannotStart, "make what runs before the first call faster"),
    ("SnapStartRegenerationFailureException", Means::CannotStart, "deploy it again"),
    ("CodeArtifactUserFailedException", Means::CannotStart, "deploy it again"),
    ("CodeArtifactUserDeletedException", Means::CannotStart, "deploy it again"),
    ("RuntimeVersionDeletedException", Means::CannotStart, "deploy it again with a runtime that Lambda still has"),
    ("RuntimeAliasDeletedException", Means::CannotStart, "deploy it again with a runtime that Lambda still has"),
    ("RecursiveInvocationException", Means::Stopped, "break the loop, or allow recursion for the function"),
];

const KEYS: &str =
    "check which credentials are used, and that they are for this account and region";
const SIGNATURE: &str = "check the secret key, the region, and this machine's clock";
const EXPIRED: &str = "get new temporary credentials";
const CLOCK: &str = "set this machine's clock";
const QUOTA: &str = "remove what is not needed, or ask AWS for a higher quota";
const SMALLER: &str = "send a reference to the data instead of the data";

/// An answer that failed, as an error of `operation`, which is in words.
pub(crate) fn answered(operation: &'static str, effect: Effect, failure: &Failure<'_>) -> Error {
    let code = failure.code.unwrap_or_default();
    let row = TABLE.iter().find(|(name, _, _)| *name == code);
    let (means, hint) = row.map_or_else(
        || (by_status(failure.status), ""),
        |(_, means, hint)| (*means, *hint),
    );
    let error = error(operation, effect, means, failure);
    // What the words of this very answer led to comes first.
    let error = match error.next_step() {
        Some(_) if means != Means::Conflict => error,
        _ if hint.is_empty() => error,
        _ => error.hint(hint),
    };
    let error = error
        .may_have_run(may_have_run(means, effect))
        .from_provider(PROVIDER, failure.code.map(str::to_owned));
    match failure.request_id {
        Some(id) => error.with_request_id(id),
        None => error,
    }
}

/// What to make of a name that is not in the table.
const fn by_status(status: u16) -> Means {
    match status {
        401 => Means::Unauthorized,
        403 => Means::Forbidden,
        404 => Means::NotFound,
        409 | 412 => Means::Conflict,
        413 => Means::TooLarge,
        429 => Means::Throttled,
        402 => Means::Quota,
        501 => Means::Unsupported("provider.operation"),
        400..=499 => Means::Invalid("request"),
        _ => Means::Broken,
    }
}

/// Only what broke inside AWS may have happened all the same; everything else is said before anything is done.
const fn may_have_run(means: Means, effect: Effect) -> bool {
    match means {
        Means::Broken => !matches!(effect, Effect::Read),
        Means::Stopped => true,
        _ => false,
    }
}

fn error(operation: &'static str, effect: Effect, means: Means, failure: &Failure<'_>) -> Error {
    let calls = matches!(effect, Effect::RunsUserCode { .. });
    let said = words::shown(failure);
    let because = |error: Error| match said.as_str() {
        // A proxy on the way answers without a name and without words.
        "" if failure.code.is_none() && failure.status >= 500 => error.because(format_args!(
            "the answer has status {} and says nothing",
            failure.status
        )),
        "" => error,
        said => error.because(said),
    };
    let code = failure.code.unwrap_or("an unnamed error");
    match means {
        Means::NotFound => because(Error::new(ErrorKind::NotFound, operation)),
        // A function that is being made or changed cannot be called yet.
        Means::Conflict if calls => because(Error::new(ErrorKind::Unavailable, operation)),
        Means::Conflict => because(Error::new(ErrorKind::Conflict, operation)),
        Means::CannotStart | Means::Invalid(_) if calls && means != Means::Invalid("request") => {
            let failed = FunctionFailure::new(false, code, said).not_started();
            Error::new(ErrorKind::Function(failed), operation)
        }
        Means::Invalid(field) => {
            let rule = if said.is_empty() { code } else { &said };
            let violation = Violation::new(words::field(field, &said), rule);
            Error::new(ErrorKind::InvalidSpec(vec![violation].into()), operation)
        }
        Means::NotJson => {
            let violation = Violation::new("payload", "must be JSON where it is sent as JSON");
            Error::new(ErrorKind::InvalidSpec(vec![violation].into()), operation)
                .hint("give the payload's own media type")
        }
        Means::Unauthorized => {
            let error = because(Error::new(ErrorKind::Unauthorized, operation));
            if words::is_about_time(&said) {
                error.hint(CLOCK)
            } else {
                error
            }
        }
        Means::Forbidden => forbidden(because(Error::new(ErrorKind::Forbidden, operation)), &said),
        Means::Throttled => throttled(operation, failure),
        Means::Quota => because(Error::new(ErrorKind::QuotaExceeded, operation)),
        Means::TooLarge => {
            let limit = Limit {
                what: "request payload".to_owned(),
                max: words::limit(&said).unwrap_or(MAX_REQUEST),
                actual: None,
            };
            Error::new(ErrorKind::PayloadTooLarge(limit), operation)
        }
        Means::Unsupported(capability) => {
            let kind = ErrorKind::Unsupported {
                capability: capability.to_owned(),
                hint: String::new(),
            };
            because(Error::new(kind, operation))
        }
        Means::NotReady => because(Error::new(ErrorKind::Unavailable, operation)),
        Means::Broken => {
            let error = because(Error::new(ErrorKind::Unavailable, operation));
            match failure.retry_after {
                Some(wait) => error.with_retry(Retry::After(wait)),
                None => error,
            }
        }
        Means::CannotStart => {
            because(Error::new(ErrorKind::Unavailable, operation)).with_retry(Retry::No)
        }
        Means::Stopped => Error::new(
            ErrorKind::Function(FunctionFailure::new(false, code, said)),
            operation,
        ),
    }
}

/// Names the action that is missing, and the file that lists what the verb needs.
fn forbidden(error: Error, said: &str) -> Error {
    match words::denied_action(said) {
        Some(action) => error.hint(format_args!(
            "allow {action}; all that is needed is in {}",
            words::policy_file(action)
        )),
        None => error.hint("compare what the caller may do with the adapter's policy files"),
    }
}

fn throttled(operation: &'static str, failure: &Failure<'_>) -> Error {
    let kind = ErrorKind::Throttled {
        retry_after: failure.retry_after,
    };
    let error = Error::new(kind, operation);
    // Source: Lambda API model, ThrottleReason.
    let (why, hint) = match failure.reason.as_deref() {
        Some("ReservedFunctionConcurrentInvocationLimitExceeded") => (
            "as many instances run as the function may have",
            "raise max_instances, or call it less often at a time",
        ),
        Some("ConcurrentInvocationLimitExceeded") => (
            "as many instances run as the account may have in this region",
            "ask AWS for more concurrency",
        ),
        Some(
            "FunctionInvocationRateLimitExceeded" | "ReservedFunctionInvocationRateLimitExceeded",
        ) => (
            "the function is called more often a second than its instances allow",
            "raise max_instances, or call it less often",
        ),
        Some("CallerRateLimitExceeded") => ("this caller sends too many requests", ""),
        Some("ConcurrentSnapshotCreateLimitExceeded") => {
            ("too many snapshots are being made at a time", "")
        }
        _ => ("", ""),
    };
    let error = if why.is_empty() {
        error
    } else {
        error.because(why)
    };
    if hint.is_empty() {
        error
    } else {
        error.hint(hint)
    }
}

/// An SDK call that failed, as an error of `operation`, which is in words.
pub(crate) fn sdk<E>(
    operation: &'static str,
    effect: Effect,
    error: SdkError<E, HttpResponse>,
) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match &error {
        SdkError::ServiceError(service) => {
            let meta = service.err().meta();
            answered(operation, effect, &Failure::of(meta, service.raw()))
        }
        SdkError::ResponseError(response) if !response.raw().status().is_success() => {
            let raw = response.raw();
            answered(operation, effect, &Failure::unnamed(raw))
        }
        _ => unanswered(operation, effect, error),
    }
}

/// The control plane did not finish in time.
pub(crate) fn too_slow(operation: &'static str) -> Error {
    Error::new(ErrorKind::Timeout(TimedOut::ControlPlane), operation).from_provider(PROVIDER, None)
}

/// Reads an answer that should be there.
pub(crate) fn missing(operation: &'static str, what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, operation)
        .because(format_args!("the answer has no {what}"))
        .with_retry(Retry::No)
        .from_provider(PROVIDER, None)
}

/// Whether something that was not found is fine.
pub(crate) fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
