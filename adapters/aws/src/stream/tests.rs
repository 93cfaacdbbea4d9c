use anyport_core::call::Call;
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

use super::*;
use crate::testing::{self, hello, reply, scripted};

fn frame(kind: &'static str, content_type: &'static str, payload: &[u8]) -> Vec<u8> {
    let text = |text: &'static str| HeaderValue::String(text.into());
    let message = Message::new(payload.to_vec())
        .add_header(Header::new(":message-type", text("event")))
        .add_header(Header::new(":event-type", text(kind)))
        .add_header(Header::new(":content-type", text(content_type)));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn chunk(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame("PayloadChunk", "application/octet-stream", payload.as_ref())
}

fn complete(json: &str) -> Vec<u8> {
    frame("InvokeComplete", "application/json", json.as_bytes())
}

async fn streamed(frames: Vec<Vec<u8>>) -> Result<Reply> {
    let body = SdkBody::from(frames.concat());
    let answer = reply(200, body)
        .header("content-type", "application/vnd.amazon.eventstream")
        .header("x-amz-executed-version", "3");
    let aws = scripted([answer]).await;
    let call = Call::new(hello(), "{}").streaming();
    let result = crate::invoke::invoke(&aws.session, &aws.cx, call).await;
    assert_eq!(
        aws.sent()[0].uri(),
        "https://lambda.eu-west-1.amazonaws.com/2021-11-15/functions/hello/response-streaming-invocations?Qualifier=live"
    );
    result
}

/// The pieces, and the error that ended them.
async fn drained(reply: Reply) -> (Vec<Bytes>, Option<Error>) {
    let mut stream = reply.body.into_stream();
    let mut pieces = Vec::new();
    while let Some(piece) = stream.next().await {
        match piece {
            Ok(piece) => pieces.push(piece),
            Err(error) => return (pieces, Some(error)),
        }
    }
    (pieces, None)
}

const PRELUDE: &str =
    "{\"statusCode\":200,\"headers\":{\"content-type\":\"text/plain\"}}\0\0\0\0\0\0\0\0";

#[tokio::test]
async fn pieces_come_as_they_were_made_with_their_type() {
    let (head, tail) = PRELUDE.split_at(20);
    let reply = streamed(vec![
        chunk(head),
        chunk(tail),
        chunk("one"),
        chunk(""),
        chunk("two"),
        complete("{}"),
    ])
    .await
    .unwrap();
    assert_eq!(
        (reply.content_type.as_str(), reply.status),
        ("text/plain", None)
    );
    assert_eq!(reply.version, Some(VersionId::new("3")));
    assert_eq!(reply.request_id, testing::ID);
    assert!(matches!(reply.body, Body::Stream(_)));
    let (pieces, error) = drained(reply).await;
    assert_eq!(pieces, ["one", "two"]);
    assert!(error.is_none());
}

#[tokio::test]
async fn streams_without_a_prelude_keep_their_bytes() {
    let reply = streamed(vec![chunk("data: 1\n"), chunk("data: 2\n"), complete("{}")])
        .await
        .unwrap();
    assert_eq!(reply.content_type, "application/octet-stream");
    assert_eq!(drained(reply).await.0, ["data: 1\n", "data: 2\n"]);
    let reply = streamed(vec![chunk("{\"a\":1}"), complete("{}")])
        .await
        .unwrap();
    assert_eq!(reply.content_type, "application/json");
    assert_eq!(drained(reply).await.0, ["{\"a\":1}"]);
    let reply = streamed(vec![complete("{}")]).await.unwrap();
    assert!(reply.body.is_empty());
}

#[tokio::test]
async fn an_answer_in_an_envelope_is_whole() {
    let reply = streamed(vec![
        chunk("{\"anyport\":{\"v\":1,\"ct\":\"image/png\","),
        chunk("\"b64\":\"AP8=\"}}"),
        complete("{}"),
    ])
    .await
    .unwrap();
    assert_eq!(reply.content_type, "image/png");
    assert_eq!(reply.body.collect(10).await.unwrap(), &[0, 255][..]);
}

const FAILED: &str = "{\"ErrorCode\":\"Asked\",\"ErrorDetails\":\"{\\\"errorType\\\":\\\"Asked\\\",\\\"errorMessage\\\":\\\"as asked\\\"}\"}";

#[tokio::test]
async fn what_fails_before_the_first_piece_fails_the_call() {
    let error = streamed(vec![complete(FAILED)]).await.unwrap_err();
    let ErrorKind::Function(failure) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(
        (failure.error_type.as_str(), failure.message.as_str()),
        ("Asked", "as asked")
    );
    assert!(failure.handled && error.user_code_may_have_run());
}

#[tokio::test]
async fn what_fails_later_ends_the_stream() {
    for (end, kind) in [(Some(complete(FAILED)), "function"), (None, "unavailable")] {
        let mut frames = vec![chunk(PRELUDE), chunk("one")];
        frames.extend(end);
        let (pieces, error) = drained(streamed(frames).await.unwrap()).await;
        assert_eq!(pieces, ["one"]);
        let error = error.unwrap();
        assert_eq!(error.kind().name(), kind);
        assert!(error.user_code_may_have_run());
        assert_eq!(
            (error.retry(), error.resource()),
            (Retry::No, Some("hello"))
        );
    }
}

#[tokio::test]
async fn a_frame_that_is_damaged_ends_the_stream() {
    let mut damaged = chunk("two");
    let end = damaged.len() - 6;
    damaged[end] ^= 1;
    let reply = streamed(vec![chunk(PRELUDE), chunk("one"), damaged])
        .await
        .unwrap();
    let (pieces, error) = drained(reply).await;
    assert_eq!(pieces, ["one"]);
    assert_eq!(error.unwrap().kind().name(), "unavailable");
}
