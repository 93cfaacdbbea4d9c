use anyport_core::ErrorKind;

use super::*;
use crate::testing::{self, header, hello, json, reply, scripted};

#[tokio::test]
async fn an_event_is_handed_over_and_its_id_is_lambdas() {
    let aws = scripted([reply(202, "")]).await;
    let mut call = Call::new(hello(), "{\"a\":1}");
    call.trace = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00"
        .parse()
        .ok();
    let accepted = enqueue(&aws.session, &aws.cx, call).await.unwrap();
    assert_eq!(accepted.id, testing::ID);
    assert_eq!(
        accepted.dead_letter,
        "arn:aws:sqs:eu-west-1:111122223333:anyport-hello-dead"
    );
    let sent = aws.sent();
    assert_eq!(header(sent[0], "x-amz-invocation-type"), "Event");
    assert_eq!(header(sent[0], "x-amz-log-type"), "");
    assert_eq!(header(sent[0], "x-amz-client-context"), "");
    assert_eq!(
        header(sent[0], TRACE),
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
    );
    assert_eq!(sent[0].body().bytes().unwrap(), b"{\"a\":1}");
}

#[tokio::test]
async fn a_key_travels_in_the_payload_and_makes_it_safe_to_ask_again() {
    let broken = reply(503, "{}").header("x-amzn-errortype", "ServiceUnavailableException");
    let aws = scripted([broken, reply(202, "")]).await;
    let mut call = Call::new(hello(), "{}");
    call.idempotency_key = Some("k-1".to_owned());
    enqueue(&aws.session, &aws.cx, call).await.unwrap();
    let sent = aws.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!(json(sent[1])["anyport"]["key"], "k-1");
}

#[tokio::test]
async fn what_is_not_there_or_too_large_is_not_accepted() {
    let missing = reply(404, "{\"Message\":\"Function not found\"}")
        .header("x-amzn-errortype", "ResourceNotFoundException");
    let aws = scripted([missing]).await;
    let error = enqueue(&aws.session, &aws.cx, Call::new(hello(), "{}"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::NotFound);
    assert!(!error.user_code_may_have_run());

    let aws = scripted([]).await;
    let mut call = Call::new(hello(), vec![0; 900_000]);
    call.content_type = "image/png".to_owned();
    let error = enqueue(&aws.session, &aws.cx, call).await.unwrap_err();
    assert_eq!(error.kind().name(), "payload_too_large");
    assert!(aws.sent().is_empty());
}
