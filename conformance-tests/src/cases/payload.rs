//! Payloads: bytes, types, sizes, and what travels beside them.

use anyport_core::ErrorKind;
use anyport_core::call::{Call, Reply};
use anyport_core::capability::Media;
use anyport_core::context::TraceContext;
use anyport_core::spec::Name;
use anyport_testkit::probe::Command;
use bytes::Bytes;

use super::{Case, case, fit};
use crate::scene::{Client, Scene, answer};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("invoke/bytes", bytes),
    case!("invoke/largest", largest),
    case!("invoke/too-large", too_large),
    case!("invoke/trace", trace),
    case!("invoke/idempotency-key", idempotency_key),
];

/// The largest payload that the suite makes: beyond it a limit is not reached here.
const MOST: u64 = 64 << 20;

async fn sends(
    client: &Client,
    name: &Name,
    payload: &Bytes,
    content_type: &str,
) -> anyport_core::Result<(Bytes, String)> {
    let mut call = Call::new(name.clone(), payload.clone());
    call.content_type = content_type.to_owned();
    let Reply {
        body, content_type, ..
    } = client.invoke(call).await?;
    Ok((body.collect(2 * MOST).await?, content_type))
}

/// What is sent back is what was sent, with its type; where only JSON passes, the rest is refused.
async fn bytes(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("bytes");
    client.deployed(&name, "a").await?;
    samples_pass(&client, &name).await
}

/// The samples for every way in which a function takes its calls.
pub(super) async fn samples_pass(client: &Client, name: &Name) -> Verdict {
    let binary: Vec<u8> = (0..=255).cycle().take(70_000).collect();
    let samples: [(&str, &str, Bytes); 9] = [
        (
            "JSON",
            "application/json",
            Bytes::from_static(b"{\"a\": [1, 2.50, null]}"),
        ),
        (
            "JSON text",
            "application/json",
            Bytes::from_static("\"gr\u{fc}\u{df}e \u{1f600} \\u0000\"".as_bytes()),
        ),
        (
            "odd JSON",
            "application/json",
            Bytes::from_static(b"  { \"b\":1,\"a\" : 1e400 }\n"),
        ),
        (
            "problem",
            "application/problem+json",
            Bytes::from_static(b"{\"title\":\"x\"}"),
        ),
        ("nothing", "application/octet-stream", Bytes::new()),
        ("binary", "application/octet-stream", Bytes::from(binary)),
        (
            "an image",
            "image/png",
            Bytes::from_static(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ),
        (
            "text",
            "text/plain; charset=utf-8",
            Bytes::from_static("na\u{ef}ve \u{2014} \u{65e5}\u{672c}\r\n".as_bytes()),
        ),
        (
            "not UTF-8",
            "text/plain",
            Bytes::from_static(b"\xff\xfe\0a"),
        ),
    ];
    for (what, content_type, payload) in samples {
        let is_json = content_type.ends_with("json");
        let from = client.script().count();
        match sends(client, name, &payload, content_type).await {
            Ok((back, back_type)) => {
                ensure!(
                    is_json || client.caps().invoke.media == Media::Any,
                    "{what}: only JSON is declared, and this passed"
                );
                ensure!(
                    back == payload,
                    "{what}: {} bytes were sent and {} other ones came back",
                    payload.len(),
                    back.len()
                );
                ensure!(
                    back_type == content_type,
                    "{what}: {content_type} was sent and {back_type} came back"
                );
            }
            Err(error) if !is_json && client.caps().invoke.media == Media::Json => {
                fit::refusal(client, &error, from)?;
            }
            Err(error) => fail!("{what}: {}", Chain(&error)),
        }
    }
    Ok(Pass::Holds)
}

/// A payload of exactly the limit passes both ways.
async fn largest(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("largest");
    client.deployed(&name, "a").await?;
    let invoke = &client.caps().invoke;
    let size = invoke.max_request.min(invoke.max_reply);
    if size > MOST {
        return Err(Stop::NotRun(format!(
            "the limit of {size} bytes is more than the {MOST} that the suite sends"
        )));
    }
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut payload: Vec<u8> = (b'a'..=b'z').cycle().take(size).collect();
    payload[0] = b'"';
    payload[size - 1] = b'"';
    let payload = Bytes::from(payload);
    let (back, _) = sends(&client, &name, &payload, "application/json").await?;
    ensure!(
        back == payload,
        "{size} bytes were sent, and {} other ones came back",
        back.len()
    );
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// One byte more than the limit is refused before anything is sent.
async fn too_large(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("too-large");
    client.deployed(&name, "a").await?;
    let mut limits = vec![("invoke", client.caps().invoke.max_request)];
    if let Some(enqueue) = client.caps().enqueue.get() {
        limits.push(("enqueue", enqueue.max_payload));
    }
    for (verb, limit) in limits {
        if limit > MOST {
            return Err(Stop::NotRun(format!(
                "the limit of {limit} bytes is more than the {MOST} that the suite sends"
            )));
        }
        let size = usize::try_from(limit).unwrap_or(usize::MAX) + 1;
        let call = Call::new(name.clone(), vec![b'1'; size]);
        let from = client.script().count();
        let error = match verb {
            "invoke" => client.invoke(call).await.map(|_| ()),
            _ => client.enqueue(call).await.map(|_| ()),
        };
        let Err(error) = error else {
            fail!("{verb}: {size} bytes passed a limit of {limit}");
        };
        match error.kind() {
            ErrorKind::PayloadTooLarge(said) => ensure!(
                said.max == limit && said.actual == Some(limit + 1),
                "{verb}: the limit is {limit} and the error says {said}"
            ),
            _ => fail!(
                "{verb}: too large must be PayloadTooLarge, not {}",
                Chain(&error)
            ),
        }
        ensure!(
            error.to_string().contains(&limit.to_string()),
            "{verb}: the message does not name the limit: {error}"
        );
        let sent = client.script().since(from).len();
        ensure!(sent == 0, "{verb}: refused only after {sent} calls");
    }
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// The caller's trace reaches the function, whose own span is another one in it.
async fn trace(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("trace");
    client.deployed(&name, "a").await?;
    for sampled in [true, false] {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&scene.seed().to_be_bytes());
        let caller = TraceContext::new(id, [3; 8], sampled)
            .map_err(|broken| Stop::Failed(broken.to_string()))?;
        let mut call = client.call(&name, &Command::Context);
        call.trace = Some(caller);
        let seen = answer(client.invoke(call).await?).await?;
        let parse = |field: &str| seen[field].as_str().and_then(|text| text.parse().ok());
        let (received, own): (Option<TraceContext>, Option<TraceContext>) =
            (parse("trace"), parse("span"));
        let (Some(received), Some(own)) = (received, own) else {
            fail!("{caller} was sent and the function saw {}", seen["trace"]);
        };
        ensure!(
            received.trace_id() == caller.trace_id() && received.sampled() == sampled,
            "{caller} was sent and {received} arrived"
        );
        ensure!(
            own.trace_id() == caller.trace_id() && own.span_id() != caller.span_id(),
            "the caller's span is {caller} and the function's {own}"
        );
    }
    Ok(Pass::Holds)
}

/// An idempotency key reaches the function, or is refused.
async fn idempotency_key(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("key");
    client.deployed(&name, "a").await?;
    let from = client.script().count();
    let mut call = client.call(&name, &Command::Context);
    let key = format!("key-{:x}", scene.seed());
    call.idempotency_key = Some(key.clone());
    match client.invoke(call).await {
        Ok(reply) => {
            let seen = answer(reply).await?;
            ensure!(
                seen["idempotency_key"].as_str() == Some(&key),
                "{key} was sent and the function saw {}",
                seen["idempotency_key"]
            );
            let without = client.ask(&name, &Command::Context).await?;
            ensure!(
                without["idempotency_key"].is_null(),
                "no key was sent and the function saw one"
            );
            Ok(Pass::Holds)
        }
        Err(error) if !client.caps().invoke.idempotency_key.is_supported() => {
            fit::refusal(&client, &error, from)?;
            Ok(Pass::Refused)
        }
        Err(error) => Err(error.into()),
    }
}
