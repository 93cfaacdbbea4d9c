//! What is wrong with a signature, and how each service says so.
//!
//! Source: the common errors in the services' API references, S3's list of error codes, and messages that clients
//! of the real services have reported. Statuses of the JSON and XML services differ as they do there.

use crate::answer::ApiError;
use crate::call::Service;

use super::date;

/// Why a request is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It is not signed, and must be.
    Unsigned,
    /// A scheme that is not served, such as signature version 2.
    OtherScheme,
    /// The `Authorization` header lacks something; `said` is the vendor's wording outside S3.
    Incomplete { said: String },
    /// S3: the header can't be used, for `reason`.
    Malformed { reason: String },
    /// S3: the query parameters of a presigned URL can't be used, for `reason`.
    MalformedQuery { reason: String },
    /// Bytes that are no text where text is needed.
    Garbled,
    /// It is said to be signed and is not there.
    SignedHeaderMissing { name: String },
    /// It must be signed and is not.
    HeaderNotSigned { name: String },
    /// The scope names another day, service, region or terminator.
    Scope { said: String, reason: String },
    /// Nobody has this access key, or it is inactive, or it is temporary and came without its token.
    UnknownKey { key: String },
    /// The session token belongs to no session, or to another key.
    BadToken,
    /// The session has ended.
    ExpiredToken,
    /// Signed too long ago.
    TooOld { signed: i64, now: i64, minutes: i64 },
    /// Signed in the future.
    TooNew { signed: i64, now: i64, minutes: i64 },
    /// A presigned URL that is past its time.
    PresignedPast { signed: i64, expires: i64, now: i64 },
    /// The signature is another one.
    Mismatch(Box<Mismatch>),
    /// S3: `x-amz-content-sha256` is absent.
    ContentHashMissing,
    /// S3: `x-amz-content-sha256` is neither a hash nor a known word.
    ContentHashUnknown { given: String },
    /// S3: the body has another hash.
    ContentHashWrong { given: String, computed: String },
    /// S3: the body can't be decoded, or its trailing checksum is wrong.
    Body(BodyProblem),
}

/// Both sides of a signature that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) key: String,
    pub(crate) provided: String,
    pub(crate) string_to_sign: String,
    /// Empty for the signature of a chunk.
    pub(crate) canonical: String,
}

/// What is wrong with an `aws-chunked` body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BodyProblem {
    /// It ends too early, or is longer or shorter than announced.
    Incomplete,
    /// `x-amz-decoded-content-length` is absent.
    LengthMissing,
    /// A chunk before the last is too small.
    SmallChunk { chunk: usize, size: usize },
    /// The trailer is not what was announced, or is no trailer.
    Trailer,
    /// The trailing checksum is no checksum.
    ChecksumFormat { header: String },
    /// The body has another checksum.
    Checksum { algorithm: &'static str },
}

const LAMBDA_MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const S3_MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
const INVALID_TOKEN: &str = "The security token included in the request is invalid.";

impl Problem {
    /// The error as `service` words it.
    pub(crate) fn answer(self, service: Service) -> ApiError {
        match service {
            Service::S3 => self.on_s3(),
            _ => self.elsewhere(service),
        }
    }

    fn elsewhere(self, service: Service) -> ApiError {
        let names = Names::of(service);
        let wrong = |said: String| ApiError::new(names.mismatch, said).status(names.status);
        let incomplete =
            |said: String| ApiError::new(names.incomplete, said).status(names.incomplete_status);
        match self {
            Self::Unsigned => ApiError::new(names.missing, names.missing_said).status(names.status),
            Self::OtherScheme => incomplete(
                "Unsupported AWS 'algorithm': only 'AWS4-HMAC-SHA256' is served.".to_owned(),
            ),
            Self::Incomplete { said } => incomplete(said),
            Self::Malformed { reason } | Self::MalformedQuery { reason } => incomplete(reason),
            Self::Garbled => incomplete("A signed header is not valid UTF-8.".to_owned()),
            Self::SignedHeaderMissing { name } => incomplete(format!(
                "'{name}' is named as a SignedHeader, but it does not exist in the HTTP request."
            )),
            Self::HeaderNotSigned { name } => wrong(format!(
                "'{name}' must be a 'SignedHeader' in the AWS Authorization."
            )),
            Self::Scope { said, .. } => wrong(said),
            Self::UnknownKey { .. } | Self::BadToken => {
                ApiError::new(names.unknown, INVALID_TOKEN).status(names.status)
            }
            Self::ExpiredToken => ApiError::new(
                names.expired,
                "The security token included in the request is expired",
            )
            .status(names.status),
            Self::TooOld {
                signed,
                now,
                minutes,
            } => wrong(format!(
                "Signature expired: {} is now earlier than {} ({} - {minutes} min.)",
                date::basic(signed),
                date::basic(now - minutes * 60),
                date::basic(now),
            )),
            Self::TooNew {
                signed,
                now,
                minutes,
            } => wrong(format!(
                "Signature not yet current: {} is still later than {} ({} + {minutes} min.)",
                date::basic(signed),
                date::basic(now + minutes * 60),
                date::basic(now),
            )),
            Self::PresignedPast {
                signed,
                expires,
                now,
            } => wrong(format!(
                "Signature expired: {} is now earlier than {} ({} - {expires} sec.)",
                date::basic(signed),
                date::basic(now - expires),
                date::basic(now),
            )),
            Self::Mismatch(both) if service == Service::Lambda => wrong(format!(
                "{LAMBDA_MISMATCH}\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should have been\n'{}'\n",
                both.canonical, both.string_to_sign
            )),
            // Only S3 looks at the header of the body's hash; nothing else gives these.
            Self::Mismatch(_)
            | Self::ContentHashMissing
            | Self::ContentHashUnknown { .. }
            | Self::ContentHashWrong { .. }
            | Self::Body(_) => wrong(LAMBDA_MISMATCH.to_owned()),
        }
    }

    fn on_s3(self) -> ApiError {
        let malformed = |reason: &str| {
            ApiError::new(
                "AuthorizationHeaderMalformed",
                format!("The authorization header is malformed; {reason}"),
            )
            .status(400)
        };
        let denied = |said: &str| ApiError::new("AccessDenied", said).status(403);
        let not_signed = |name: String| {
            denied("There were headers present in the request which were not signed")
                .with("HeadersNotSigned", name)
        };
        match self {
            Self::Unsigned => denied("Access Denied"),
            Self::OtherScheme => ApiError::new(
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            )
            .status(400),
            Self::Incomplete { .. } => malformed(
                "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
            ),
            Self::Malformed { reason } => malformed(&reason),
            Self::MalformedQuery { reason } => {
                ApiError::new("AuthorizationQueryParametersError", reason).status(400)
            }
            Self::Garbled => malformed("a signed header is not valid UTF-8."),
            Self::Scope { reason, .. } => malformed(&reason),
            Self::SignedHeaderMissing { name } | Self::HeaderNotSigned { name } => not_signed(name),
            Self::UnknownKey { key } => ApiError::new(
                "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.",
            )
            .status(403)
            .with("AWSAccessKeyId", key),
            Self::BadToken => ApiError::new(
                "InvalidToken",
                "The provided token is malformed or otherwise invalid.",
            )
            .status(400),
            Self::ExpiredToken => {
                ApiError::new("ExpiredToken", "The provided token has expired.").status(400)
            }
            Self::TooOld { signed, now, minutes } | Self::TooNew { signed, now, minutes } => {
                ApiError::new(
                    "RequestTimeTooSkewed",
                    "The difference between the request time and the current time is too large.",
                )
                .status(403)
                .with("RequestTime", date::basic(signed))
                .with("ServerTime", date::extended(now))
                .with("MaxAllowedSkewMilliseconds", (minutes * 60_000).to_string())
            }
            Self::PresignedPast { signed, expires, now } => denied("Request has expired")
                .with("X-Amz-Expires", expires.to_string())
                .with("Expires", date::extended(signed + expires))
                .with("ServerTime", date::extended(now)),
            Self::Mismatch(both) => s3_mismatch(*both),
            Self::ContentHashMissing => ApiError::new(
                "InvalidRequest",
                "Missing required header for this request: x-amz-content-sha256",
            )
            .status(400),
            Self::ContentHashUnknown { given } => ApiError::new(
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            )
            .status(400)
            .with("ArgumentName", "x-amz-content-sha256")
            .with("ArgumentValue", given),
            Self::ContentHashWrong { given, computed } => ApiError::new(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
            .status(400)
            .with("ClientComputedContentSHA256", given)
            .with("S3ComputedContentSHA256", computed),
            Self::Body(problem) => problem.answer(),
        }
    }
}

fn s3_mismatch(both: Mismatch) -> ApiError {
    let bytes = |text: &str| {
        let pairs: Vec<String> = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        pairs.join(" ")
    };
    let mut error = ApiError::new("SignatureDoesNotMatch", S3_MISMATCH)
        .status(403)
        .with("AWSAccessKeyId", both.key)
        .with("StringToSignBytes", bytes(&both.string_to_sign))
        .with("StringToSign", both.string_to_sign)
        .with("SignatureProvided", both.provided);
    if !both.canonical.is_empty() {
        error = error
            .with("CanonicalRequestBytes", bytes(&both.canonical))
            .with("CanonicalRequest", both.canonical);
    }
    error
}

impl BodyProblem {
    fn answer(self) -> ApiError {
        match self {
            Self::Incomplete => ApiError::new(
                "IncompleteBody",
                "The request body terminated unexpectedly",
            )
            .status(400),
            Self::LengthMissing => ApiError::new(
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
            )
            .status(411),
            Self::SmallChunk { chunk, size } => ApiError::new(
                "InvalidChunkSizeError",
                "Only the last chunk is allowed to have a size less than 8192 bytes",
            )
            .status(403)
            .with("Chunk", chunk.to_string())
            .with("BadChunkSize", size.to_string()),
            Self::Trailer => ApiError::new(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published schema.",
            )
            .status(400),
            Self::ChecksumFormat { header } => ApiError::new(
                "InvalidRequest",
                format!("Value for {header} trailing header is invalid."),
            )
            .status(400),
            Self::Checksum { algorithm } => ApiError::new(
                "BadDigest",
                format!("The {algorithm} you specified did not match the calculated checksum."),
            )
            .status(400),
        }
    }
}

/// What a service other than S3 calls these errors, and with which status.
struct Names {
    status: u16,
    missing: &'static str,
    missing_said: &'static str,
    incomplete: &'static str,
    incomplete_status: u16,
    unknown: &'static str,
    expired: &'static str,
    mismatch: &'static str,
}

impl Names {
    fn of(service: Service) -> Self {
        let json = Self {
            status: 403,
            missing: "MissingAuthenticationTokenException",
            missing_said: "Missing Authentication Token",
            incomplete: "IncompleteSignatureException",
            incomplete_status: 403,
            unknown: "UnrecognizedClientException",
            expired: "ExpiredTokenException",
            mismatch: "InvalidSignatureException",
        };
        match service {
            Service::Lambda | Service::S3 => json,
            Service::Logs => Self {
                status: 400,
                incomplete_status: 400,
                ..json
            },
            Service::Sts | Service::Iam | Service::Sqs => Self {
                status: 403,
                missing: "MissingAuthenticationToken",
                missing_said: "Request is missing Authentication Token",
                incomplete: "IncompleteSignature",
                incomplete_status: 400,
                unknown: "InvalidClientTokenId",
                expired: "ExpiredToken",
                mismatch: "SignatureDoesNotMatch",
            },
        }
    }
}
