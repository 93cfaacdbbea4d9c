//! One verification, from the scope to the body.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use subtle::ConstantTimeEq;

use super::authorization::{self, Authorization};
use super::canonical::{self, PathForm};
use super::chunked::{self, ChunkSigner, Framing};
use super::fault::{BodyProblem, Mismatch, Problem};
use super::{Verified, key};
use crate::access::{Caller, Key};
use crate::call::Service;

/// One verification.
pub(super) struct Check<'a> {
    pub(super) service: Service,
    pub(super) parts: &'a Parts,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// What the body's hash is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content<'a> {
    /// The hash of the body as it is.
    Exact(&'a str),
    /// Not said: the body is not signed.
    Unsigned,
    /// The body is in chunks.
    Chunked { signed: bool, trailer: bool },
}

impl<'a> Check<'a> {
    /// Verifies the request; `key` finds an access key by its id, and `region` is that of anonymous requests.
    pub(super) fn verify(
        &self,
        body: Bytes,
        key: impl FnOnce(&str) -> Option<Arc<Key>>,
        region: &str,
    ) -> Result<Verified, Problem> {
        let found = authorization::find(self.parts, self.service)?;
        let Some(authorization) = found else {
            return self.anonymous(body, region);
        };
        self.check_scope(&authorization)?;
        self.check_signed_headers(&authorization)?;
        let key = key(&authorization.key)
            .filter(|key| key.active)
            .ok_or_else(|| self.unknown(&authorization))?;
        self.check_token(&key, &authorization)?;
        self.check_time(&authorization)?;
        let content = self.content(&authorization)?;
        let signer = self.check_signature(&authorization, &key, content, &body)?;
        let (body, trailers) = self.take_body(content, body, signer)?;
        Ok(Verified {
            caller: key.caller.clone(),
            region: authorization.region.into_owned(),
            body,
            trailers,
        })
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    fn anonymous(&self, body: Bytes, region: &str) -> Result<Verified, Problem> {
        if self.service != Service::S3 {
            return Err(Problem::Unsigned);
        }
        let content = match self.header("x-amz-content-sha256").map(content) {
            Some(Some(Content::Chunked { signed: true, .. })) => return Err(Problem::Unsigned),
            Some(Some(content)) => content,
            _ => Content::Unsigned,
        };
        let (body, trailers) = self.take_body(content, body, None)?;
        Ok(Verified {
            caller: Caller::anonymous(),
            region: region.to_owned(),
            body,
            trailers,
        })
    }

    /// The scope must name this day, this service and the terminator. Every region is served, but what is
    /// no region's name is refused.
    fn check_scope(&self, given: &Authorization<'_>) -> Result<(), Problem> {
        let mut said = String::new();
        let mut reason = None;
        let mut wrong = |text: String, on_s3: String| {
            said.push_str(&text);
            reason.get_or_insert(on_s3);
        };
        let region = &given.region;
        let named = (1..=32).contains(&region.len())
            && region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !named {
            wrong(
                format!("Credential should be scoped to a valid region, not '{region}'. "),
                format!("the region '{region}' is wrong; expecting 'us-east-1'"),
            );
        }
        let service = self.service.name();
        if given.service != service {
            wrong(
                format!("Credential should be scoped to correct service: '{service}'. "),
                format!(
                    "incorrect service \"{}\". This endpoint belongs to \"{service}\".",
                    given.service
                ),
            );
        }
        let terminator = &given.terminator;
        if terminator != "aws4_request" {
            wrong(
                format!(
                    "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
                ),
                format!(
                    "incorrect terminal \"{terminator}\". This endpoint uses \"aws4_request\"."
                ),
            );
        }
        let day = &given.at[..8];
        if given.date != day {
            wrong(
                format!(
                    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{day}', from '{}'.",
                    given.date, given.at
                ),
                format!(
                    "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{day}\".",
                    given.date
                ),
            );
        }
        match reason {
            None => Ok(()),
            Some(reason) if self.service == Service::S3 && given.presigned.is_some() => {
                Err(Problem::MalformedQuery {
                    reason: format!("Error parsing the X-Amz-Credential parameter; {reason}"),
                })
            }
            Some(reason) => Err(Problem::Scope { said, reason }),
        }
    }

    /// `host` must be signed, and so must every `x-amz-` header there is.
    fn check_signed_headers(&self, given: &Authorization<'_>) -> Result<(), Problem> {
        if !given.signs("host") {
            return Err(Problem::HeaderNotSigned {
                name: if self.service == Service::S3 {
                    "host"
                } else {
                    "Host"
                }
                .to_owned(),
            });
        }
        let unsigned = self
            .parts
            .headers
            .keys()
            .map(http::HeaderName::as_str)
            .find(|name| name.starts_with("x-amz-") && !given.signs(name));
        match unsigned {
            // A presigned URL of S3 may be used with the hash of a body that its signer did not know.
            Some("x-amz-content-sha256") if given.presigned.is_some() => Ok(()),
            Some(name) => Err(Problem::HeaderNotSigned {
                name: name.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn unknown(&self, given: &Authorization<'_>) -> Problem {
        Problem::UnknownKey {
            key: given.key.clone().into_owned(),
        }
    }

    fn check_token(&self, key: &Key, given: &Authorization<'_>) -> Result<(), Problem> {
        match (&key.token, &given.token) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Problem::BadToken),
            (Some(_), None) => Err(self.unknown(given)),
            (Some(token), Some(given)) => {
                if !bool::from(token.as_bytes().ct_eq(given.as_bytes())) {
                    return Err(Problem::BadToken);
                }
                match key.expires() {
                    Some(end) if end <= self.now => Err(Problem::ExpiredToken),
                    _ => Ok(()),
                }
            }
        }
    }

    fn check_time(&self, given: &Authorization<'_>) -> Result<(), Problem> {
        let (signed, now) = (given.seconds, self.now);
        // Source: messages of the services: Lambda and CloudWatch Logs allow five minutes, the others fifteen.
        let minutes = match self.service {
            Service::Lambda | Service::Logs => 5,
            Service::S3 | Service::Sqs | Service::Sts | Service::Iam => 15,
        };
        if signed > now + minutes * 60 {
            return Err(Problem::TooNew {
                signed,
                now,
                minutes,
            });
        }
        match given.presigned.flatten() {
            Some(expires) if now > signed + expires => Err(Problem::PresignedPast {
                signed,
                expires,
                now,
            }),
            Some(_) => Ok(()),
            None if now > signed + minutes * 60 => Err(Problem::TooOld {
                signed,
                now,
                minutes,
            }),
            None => Ok(()),
        }
    }

    /// What the body's hash is said to be. Only S3 goes by the header; elsewhere the body is hashed.
    fn content(&self, given: &Authorization<'_>) -> Result<Content<'a>, Problem> {
        if self.service != Service::S3 {
            return Ok(Content::Exact(""));
        }
        match self.header("x-amz-content-sha256") {
            None if given.presigned.is_some() => Ok(Content::Unsigned),
            None => Err(Problem::ContentHashMissing),
            Some(text) => content(text).ok_or_else(|| Problem::ContentHashUnknown {
                given: text.to_owned(),
            }),
        }
    }

    /// Checks the signature, and returns what signs the chunks of a body that has signed ones.
    fn check_signature(
        &self,
        given: &Authorization<'_>,
        key: &Key,
        content: Content<'_>,
        body: &[u8],
    ) -> Result<Option<ChunkSigner>, Problem> {
        let s3 = self.service == Service::S3;
        let mut canonical = String::with_capacity(512);
        canonical.push_str(self.parts.method.as_str());
        canonical.push('\n');
        let form = if s3 { PathForm::Once } else { PathForm::Twice };
        canonical::push_path(&mut canonical, self.parts.uri.path(), form);
        canonical.push('\n');
        canonical::push_query(&mut canonical, self.parts.uri.query().unwrap_or_default());
        canonical.push('\n');
        canonical::push_headers(&mut canonical, &self.parts.headers, &given.signed_headers)?;
        canonical.push('\n');
        canonical.push_str(&given.signed_headers);
        canonical.push('\n');
        match self.header("x-amz-content-sha256") {
            // A presigned URL that was signed without the header signs the word.
            Some(_) if s3 && !given.signs("x-amz-content-sha256") => {
                canonical.push_str("UNSIGNED-PAYLOAD");
            }
            Some(text) if s3 => canonical.push_str(text),
            None if s3 && content == Content::Unsigned => canonical.push_str("UNSIGNED-PAYLOAD"),
            _ => canonical.push_str(&key::sha256_hex(body)),
        }
        let scope = given.scope();
        let string = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            given.at,
            key::sha256_hex(canonical.as_bytes())
        );
        let signer = key
            .secret
            .signer(&given.date, &given.region, &given.service);
        if !key::agrees(signer.clone(), string.as_bytes(), &given.signature) {
            return Err(Problem::Mismatch(Box::new(Mismatch {
                key: given.key.clone().into_owned(),
                provided: given.signature.clone().into_owned(),
                string_to_sign: string,
                canonical,
            })));
        }
        let chunked = matches!(content, Content::Chunked { signed: true, .. });
        Ok(chunked.then(|| ChunkSigner {
            signer,
            key: given.key.clone().into_owned(),
            at: given.at.clone().into_owned(),
            scope,
            previous: given.signature.clone().into_owned(),
        }))
    }

    /// Holds the body against its hash, or takes the chunks' framing off.
    fn take_body(
        &self,
        content: Content<'_>,
        body: Bytes,
        signed: Option<ChunkSigner>,
    ) -> Result<(Bytes, HeaderMap), Problem> {
        match content {
            Content::Exact(given) if self.service == Service::S3 => {
                let computed = key::sha256_hex(&body);
                if given != computed {
                    return Err(Problem::ContentHashWrong {
                        given: given.to_owned(),
                        computed,
                    });
                }
                Ok((body, HeaderMap::new()))
            }
            Content::Exact(_) | Content::Unsigned => Ok((body, HeaderMap::new())),
            Content::Chunked { trailer, .. } => {
                let length = self
                    .header("x-amz-decoded-content-length")
                    .and_then(|text| text.parse().ok())
                    .ok_or(Problem::Body(BodyProblem::LengthMissing))?;
                let announced = self.header("x-amz-trailer");
                if trailer && announced.is_none() {
                    return Err(Problem::Body(BodyProblem::Trailer));
                }
                chunked::decode(
                    body,
                    Framing {
                        signed,
                        trailer: announced.filter(|_| trailer),
                        length,
                    },
                )
            }
        }
    }
}

/// Reads `x-amz-content-sha256`.
fn content(text: &str) -> Option<Content<'_>> {
    let chunked = |signed, trailer| Some(Content::Chunked { signed, trailer });
    match text {
        "UNSIGNED-PAYLOAD" => Some(Content::Unsigned),
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => chunked(false, true),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => chunked(true, false),
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => chunked(true, true),
        _ => {
            let hash = text.len() == 64
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            hash.then_some(Content::Exact(text))
        }
    }
}
