//! Where a request says who signed it, when and how: the `Authorization` header, or the query of a presigned URL.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::canonical::percent_decode;
use super::date;
use super::fault::Problem;
use crate::call::Service;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A week, the longest that a presigned URL may last.
const LONGEST: i64 = 604_800;

/// What a request says about its signature.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Authorization<'a> {
    /// The access key id.
    pub(crate) key: Cow<'a, str>,
    pub(crate) date: Cow<'a, str>,
    pub(crate) region: Cow<'a, str>,
    pub(crate) service: Cow<'a, str>,
    pub(crate) terminator: Cow<'a, str>,
    /// Names of the signed headers, split by semicolons.
    pub(crate) signed_headers: Cow<'a, str>,
    /// In hexadecimal.
    pub(crate) signature: Cow<'a, str>,
    pub(crate) token: Option<Cow<'a, str>>,
    /// When it was signed, in the basic form of ISO 8601.
    pub(crate) at: Cow<'a, str>,
    /// The same, in seconds since 1970.
    pub(crate) seconds: i64,
    /// Present for a presigned URL: for how many seconds, where that is said.
    pub(crate) presigned: Option<Option<i64>>,
}

impl Authorization<'_> {
    /// `date/region/service/aws4_request`.
    pub(crate) fn scope(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.date, self.region, self.service, self.terminator
        )
    }

    /// Whether this header is among the signed ones. `name` is in lowercase.
    pub(crate) fn signs(&self, name: &str) -> bool {
        self.signed_headers.split(';').any(|signed| signed == name)
    }
}

/// Finds and reads the signature; `None` when there is nothing of the kind.
///
/// # Errors
/// What is there and can't be read.
pub(crate) fn find<'a>(
    parts: &'a Parts,
    service: Service,
) -> Result<Option<Authorization<'a>>, Problem> {
    let query = parts.uri.query().unwrap_or_default();
    if let Some(header) = parts.headers.get(http::header::AUTHORIZATION) {
        let header = header.to_str().map_err(|_| Problem::Garbled)?;
        return from_header(header, &parts.headers, service).map(Some);
    }
    let has = |name: &str| parameter(query, name).is_some();
    if has("X-Amz-Algorithm") || has("X-Amz-Credential") || has("X-Amz-Signature") {
        return from_query(query, &parts.headers, service).map(Some);
    }
    if has("AWSAccessKeyId") && has("Signature") {
        return Err(Problem::OtherScheme);
    }
    Ok(None)
}

/// The service named in the credential scope, wherever it is.
pub(crate) fn scope_service(parts: &Parts) -> Option<String> {
    let service = |credential: &str| credential.split('/').rev().nth(1).map(str::to_owned);
    if let Some(header) = parts.headers.get(http::header::AUTHORIZATION) {
        let (_, rest) = header.to_str().ok()?.split_once("Credential=")?;
        return service(rest.split(',').next()?.trim_end());
    }
    service(&parameter(parts.uri.query()?, "X-Amz-Credential")?)
}

/// The value of a query parameter, decoded.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (given, value) = pair.split_once('=').unwrap_or((pair, ""));
        if given != name {
            return None;
        }
        if !value.contains(['%', '+']) {
            return Some(Cow::Borrowed(value));
        }
        String::from_utf8(percent_decode(value, true))
            .ok()
            .map(Cow::Owned)
    })
}

fn from_header<'a>(
    header: &'a str,
    headers: &'a HeaderMap,
    service: Service,
) -> Result<Authorization<'a>, Problem> {
    let text_of = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(fields) = header
        .strip_prefix(ALGORITHM)
        .filter(|rest| rest.starts_with([' ', '\t']))
    else {
        if service == Service::S3 {
            return Err(Problem::OtherScheme);
        }
        return Err(lacking(header, [true; 3], !dated(headers)));
    };
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for field in fields
        .split(',')
        .map(str::trim)
        .filter(|field| !field.is_empty())
    {
        let Some((name, value)) = field.split_once('=') else {
            return Err(Problem::Incomplete {
                said: format!(
                    "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '{}'.",
                    hashed(field)
                ),
            });
        };
        match name {
            "Credential" => credential = Some(value),
            "SignedHeaders" => signed_headers = Some(value),
            "Signature" => signature = Some(value),
            _ => {}
        }
    }
    let at = text_of("x-amz-date").or_else(|| text_of("date"));
    let (Some(credential), Some(signed_headers), Some(signature), Some(at)) =
        (credential, signed_headers, signature, at)
    else {
        if service == Service::S3 && at.is_none() && signature.is_some() {
            return Err(Problem::Malformed {
                reason: "AWS authentication requires a valid Date or x-amz-date header".to_owned(),
            });
        }
        let absent = [
            credential.is_none(),
            signature.is_none(),
            signed_headers.is_none(),
        ];
        return Err(lacking(header, absent, at.is_none()));
    };
    let (seconds, at) = moment(at)?;
    let [key, date, region, name, terminator] = credential_parts(credential).ok_or_else(|| {
        if service == Service::S3 {
            Problem::Malformed {
                reason: malformed_credential().to_owned(),
            }
        } else {
            not_five(credential)
        }
    })?;
    Ok(Authorization {
        key: key.into(),
        date: date.into(),
        region: region.into(),
        service: name.into(),
        terminator: terminator.into(),
        signed_headers: signed_headers.into(),
        signature: signature.into(),
        token: text_of("x-amz-security-token").map(Cow::Borrowed),
        at,
        seconds,
        presigned: None,
    })
}

fn from_query<'a>(
    query: &'a str,
    headers: &'a HeaderMap,
    service: Service,
) -> Result<Authorization<'a>, Problem> {
    let s3 = service == Service::S3;
    let need = |name: &str| {
        parameter(query, name).ok_or_else(|| {
            if s3 {
                bad_query("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
            } else {
                Problem::Incomplete {
                    said: format!("AWS query-string parameters must include '{name}'. Re-examine the query-string parameters."),
                }
            }
        })
    };
    if need("X-Amz-Algorithm")? != ALGORITHM {
        return Err(if s3 {
            bad_query(
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"",
            )
        } else {
            Problem::OtherScheme
        });
    }
    let credential = need("X-Amz-Credential")?;
    let signature = need("X-Amz-Signature")?;
    let signed_headers = need("X-Amz-SignedHeaders")?;
    let at = need("X-Amz-Date")?;
    let seconds = date::parse_basic(&at).ok_or_else(|| {
        if s3 {
            bad_query("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        } else {
            bad_date(&at)
        }
    })?;
    let expires = match parameter(query, "X-Amz-Expires") {
        None if s3 => return Err(need("X-Amz-Expires").err().unwrap_or(Problem::Unsigned)),
        None => None,
        Some(text) => Some(lifetime(&text)?),
    };
    let owned = credential_parts(&credential)
        .map(|parts| parts.map(str::to_owned))
        .ok_or_else(|| {
            if s3 {
                bad_query(&format!(
                    "Error parsing the X-Amz-Credential parameter; {}",
                    malformed_credential()
                ))
            } else {
                not_five(&credential)
            }
        })?;
    let [key, date, region, name, terminator] = owned.map(Cow::Owned);
    let header = || headers.get("x-amz-security-token")?.to_str().ok();
    Ok(Authorization {
        key,
        date,
        region,
        service: name,
        terminator,
        signed_headers,
        signature,
        token: parameter(query, "X-Amz-Security-Token").or_else(|| header().map(Cow::Borrowed)),
        at,
        seconds,
        presigned: Some(expires),
    })
}

/// Seconds that a presigned URL lasts.
fn lifetime(text: &str) -> Result<i64, Problem> {
    let seconds: i64 = text
        .parse()
        .map_err(|_| bad_query("X-Amz-Expires should be a number"))?;
    match seconds {
        ..0 => Err(bad_query("X-Amz-Expires must be non-negative")),
        0..=LONGEST => Ok(seconds),
        _ => Err(bad_query(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        )),
    }
}

fn bad_query(reason: &str) -> Problem {
    Problem::MalformedQuery {
        reason: reason.to_owned(),
    }
}

/// The five parts of a credential. The key id may hold slashes, the rest may not.
fn credential_parts(text: &str) -> Option<[&str; 5]> {
    let mut parts = text.rsplitn(5, '/');
    let [terminator, service, region, date, key] = [
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ];
    (!key.is_empty()).then_some([key, date, region, service, terminator])
}

fn malformed_credential() -> &'static str {
    "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."
}

fn not_five(credential: &str) -> Problem {
    Problem::Incomplete {
        said: format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        ),
    }
}

fn bad_date(text: &str) -> Problem {
    Problem::Incomplete {
        said: format!(
            "Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601"
        ),
    }
}

fn dated(headers: &HeaderMap) -> bool {
    headers.contains_key("x-amz-date") || headers.contains_key(http::header::DATE)
}

/// When a header says that the request was signed. A `Date` header has another form than the string to sign.
fn moment(text: &str) -> Result<(i64, Cow<'_, str>), Problem> {
    if let Some(seconds) = date::parse_basic(text) {
        return Ok((seconds, Cow::Borrowed(text)));
    }
    let seconds = date::parse_http(text).ok_or_else(|| bad_date(text))?;
    Ok((seconds, Cow::Owned(date::basic(seconds))))
}

/// Everything that an `Authorization` header lacks, in one message as the vendor gives it.
fn lacking(header: &str, [credential, signature, headers]: [bool; 3], date: bool) -> Problem {
    let mut said = String::new();
    for (absent, name) in [
        (credential, "Credential"),
        (signature, "Signature"),
        (headers, "SignedHeaders"),
    ] {
        if absent {
            said.push_str(&format!(
                "Authorization header requires '{name}' parameter. "
            ));
        }
    }
    if date {
        said.push_str(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
        );
    }
    said.push_str(&format!(
        "(Hashed with SHA-256 and encoded with Base64) Authorization={}",
        hashed(header)
    ));
    Problem::Incomplete { said }
}

fn hashed(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}
