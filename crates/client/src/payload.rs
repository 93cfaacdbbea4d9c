//! What is checked of a payload before it is sent.

use anyport_core::call::{Body, Call};
use anyport_core::capability::{Capabilities, Media};
use anyport_core::error::{Error, ErrorKind, Limit, Result, Violation, Violations};
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::capabilities::{need, unsupported};
use crate::mutation::Mutation;
use crate::target::Target;

/// The longest idempotency key in bytes.
const KEY: usize = 255;
/// The longest media type in bytes.
const MEDIA_TYPE: usize = 255;

/// Checks `call` against the target, and makes a streamed payload end with an error as soon as it passes `max` bytes.
pub(crate) fn check(
    target: &Target,
    call: &mut Call,
    caps: &Capabilities,
    max: u64,
    verb: &'static str,
) -> Result<()> {
    let name = call.name.as_str();
    headers(call, verb)?;
    if call.idempotency_key.is_some() {
        need(
            &caps.invoke.idempotency_key,
            "invoke.idempotency_key",
            verb,
            name,
        )?;
    }
    if caps.invoke.media == Media::Json {
        json(call, verb)?;
    }
    if target.mutated(Mutation::SkipsSizeCheck) {
        return Ok(());
    }
    match &call.body {
        Body::Bytes(bytes) if bytes.len() as u64 > max => {
            Err(too_large(Some(bytes.len() as u64), max, verb, name))
        }
        Body::Bytes(_) => Ok(()),
        Body::Stream(_) => {
            let name = call.name.clone();
            let body = std::mem::take(&mut call.body);
            call.body = limited(body, max, move || too_large(None, max, verb, name.as_str()));
            Ok(())
        }
    }
}

/// The media type and the idempotency key travel as headers on most targets.
fn headers(call: &Call, verb: &'static str) -> Result<()> {
    let visible = |text: &str, most: usize, spaces: bool| {
        (1..=most).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_graphic() || (spaces && b == b' '))
    };
    let type_is_valid =
        visible(&call.content_type, MEDIA_TYPE, true) && call.content_type.contains('/');
    let key_is_valid = call
        .idempotency_key
        .as_ref()
        .is_none_or(|key| visible(key, KEY, false));
    if type_is_valid && key_is_valid {
        return Ok(());
    }
    let mut found = Violations::none();
    if !type_is_valid {
        found.push(
            Violation::new(
                "content_type",
                "must be a media type of at most 255 visible ASCII characters",
            )
            .value(call.content_type.escape_default())
            .nearest("application/octet-stream"),
        );
    }
    if !key_is_valid {
        // A key may be derived from customer data: it is not shown.
        found.push(Violation::new(
            "idempotency_key",
            "must be 1 to 255 visible ASCII characters without spaces",
        ));
    }
    Err(Error::new(ErrorKind::InvalidSpec(found), verb).on(&call.name))
}

fn json(call: &Call, verb: &'static str) -> Result<()> {
    let name = call.name.as_str();
    if !call.is_json() {
        return Err(unsupported(
            "invoke.media",
            "this target takes JSON only; send a JSON payload as application/json",
            verb,
            name,
        ));
    }
    let whole = match &call.body {
        Body::Bytes(bytes) => serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
        Body::Stream(_) => true,
    };
    if whole {
        return Ok(());
    }
    let violation = Violation::new(
        "payload",
        "this target takes JSON only, and the payload is not JSON",
    );
    let found = Violations::from(vec![violation]);
    Err(Error::new(ErrorKind::InvalidSpec(found), verb).on(name))
}

fn too_large(actual: Option<u64>, max: u64, verb: &'static str, name: &str) -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge(Limit {
            what: "request payload".to_owned(),
            max,
            actual,
        }),
        verb,
    )
    .on(name)
    .hint("send a reference to the data instead of the data")
}

/// `body` as a stream that fails instead of passing `max` bytes.
fn limited(body: Body, max: u64, too_large: impl Fn() -> Error + Send + 'static) -> Body {
    let mut left = Some(max);
    let stream = body.into_stream().scan((), move |(), piece| {
        let next = match (left, piece) {
            (None, _) => None,
            (Some(room), Ok(piece)) => {
                left = room.checked_sub(piece.len() as u64);
                Some(left.map(|_| piece).ok_or_else(&too_large))
            }
            (Some(_), Err(error)) => {
                left = None;
                Some(Err(error))
            }
        };
        std::future::ready(next as Option<Result<Bytes>>)
    });
    Body::Stream(stream.boxed())
}
