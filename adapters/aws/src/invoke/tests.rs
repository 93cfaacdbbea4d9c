use std::time::Duration;

use data_encoding::BASE64;

use super::*;
use crate::testing::{self, header, hello, reply, scripted};

#[test]
fn traces_are_written_as_aws_does() {
    let trace: TraceContext = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        .parse()
        .unwrap();
    assert_eq!(
        xray(&trace),
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    );
}

#[test]
fn what_grows_beyond_the_limit_in_its_envelope_is_refused() {
    let max = 100;
    let body = Bytes::from(vec![0; 90]);
    let sealed = envelope::of_call(&body, "image/png");
    let error = fits(&body, &sealed, max, VERB).unwrap_err();
    let ErrorKind::PayloadTooLarge(limit) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!((limit.max, limit.actual), (100, Some(sealed.len() as u64)));
    assert!(fits(&body, &body, max, VERB).is_ok());
}

#[test]
fn an_envelope_of_a_newer_runtime_is_named() {
    let newer = Bytes::from("{\"anyport\":{\"v\":9,\"b64\":\"\"}}");
    let error = open("r-1".to_owned(), newer).unwrap_err();
    assert!(error.to_string().contains("version 9"), "{error}");
    assert_eq!(
        (error.retry(), error.request_id()),
        (Retry::No, Some("r-1"))
    );
}

const REPORT: &str = "START RequestId: r Version: 3\nhi\nEND RequestId: r\nREPORT RequestId: r\tDuration: 1.50 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 30 MB\t\n";

fn answered(body: &'static str) -> testing::Reply {
    reply(200, body)
        .header("x-amz-executed-version", "3")
        .header("x-amz-log-result", BASE64.encode(REPORT.as_bytes()))
}

#[tokio::test]
async fn a_plain_call_is_sent_without_a_copy_and_lifted_with_its_figures() {
    let aws = scripted([answered("{\"b\":2}")]).await;
    let body = Bytes::from(b"{\"a\":1}".to_vec());
    let call = Call::new(hello(), body.clone());
    let answer = invoke(&aws.session, &aws.cx, call).await.unwrap();
    assert_eq!(answer.request_id, testing::ID);
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(answer.version, Some(VersionId::new("3")));
    assert_eq!(answer.duration, Some(Duration::from_micros(1_500)));
    assert_eq!((answer.cold, answer.status), (Some(false), None));
    assert_eq!(answer.body.collect(100).await.unwrap(), "{\"b\":2}");

    let sent = aws.sent();
    assert_eq!(
        sent[0].uri(),
        "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/hello/invocations?Qualifier=live"
    );
    assert_eq!(header(sent[0], "x-amz-log-type"), "Tail");
    assert_eq!(header(sent[0], "x-amz-client-context"), "");
    assert_eq!(header(sent[0], TRACE), "");
    let bytes = sent[0].body().bytes().unwrap();
    assert_eq!(bytes.as_ptr(), body.as_ptr(), "the payload was copied");
}

#[tokio::test]
async fn what_is_beside_a_call_goes_into_the_client_context_and_the_trace_into_its_header() {
    let aws = scripted([answered("{}")]).await;
    let mut call = Call::new(hello(), "{}");
    call.content_type = "application/problem+json".to_owned();
    call.idempotency_key = Some("k-1".to_owned());
    call.trace = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"
        .parse()
        .ok();
    call.qualifier = Qualifier::Version(VersionId::new("7"));
    invoke(&aws.session, &aws.cx, call).await.unwrap();
    let sent = aws.sent();
    assert!(sent[0].uri().ends_with("?Qualifier=7"));
    let context = BASE64
        .decode(header(sent[0], "x-amz-client-context").as_bytes())
        .unwrap();
    let context: serde_json::Value = serde_json::from_slice(&context).unwrap();
    assert_eq!(context["custom"]["anyport-idempotency-key"], "k-1");
    assert_eq!(
        context["custom"]["anyport-content-type"],
        "application/problem+json"
    );
    assert_eq!(
        header(sent[0], TRACE),
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    );
    assert_eq!(sent[0].body().bytes().unwrap(), b"{}");
}

#[tokio::test]
async fn two_hundred_with_a_function_error_is_an_error() {
    let aws = scripted([reply(
        200,
        "{\"errorType\":\"Asked\",\"errorMessage\":\"as asked\"}",
    )
    .header("x-amz-function-error", "Unhandled")
    .header("x-amz-log-result", BASE64.encode(REPORT.as_bytes()))])
    .await;
    let error = invoke(&aws.session, &aws.cx, Call::new(hello(), "{}"))
        .await
        .unwrap_err();
    let ErrorKind::Function(failure) = error.kind() else {
        panic!("{error:?}")
    };
    assert!(failure.handled);
    assert_eq!(failure.logs, ["hi"]);
    assert_eq!(error.resource(), Some("hello"));
    assert_eq!(aws.sent().len(), 1);
}

#[tokio::test]
async fn throttled_calls_are_made_again_and_broken_ones_only_when_that_is_safe() {
    let throttled = || {
        reply(429, "{\"Reason\":\"CallerRateLimitExceeded\"}")
            .header("x-amzn-errortype", "TooManyRequestsException")
            .header("retry-after", "1")
    };
    let aws = scripted([throttled(), answered("1")]).await;
    let started = aws.cx.now();
    invoke(&aws.session, &aws.cx, Call::new(hello(), "{}"))
        .await
        .unwrap();
    assert!(aws.cx.now() - started >= Duration::from_secs(1));

    let broken = || reply(500, "{}").header("x-amzn-errortype", "ServiceException");
    let aws = scripted([broken(), answered("1")]).await;
    let error = invoke(&aws.session, &aws.cx, Call::new(hello(), "{}"))
        .await
        .unwrap_err();
    assert!(error.user_code_may_have_run());
    assert_eq!(aws.sent().len(), 1);

    let aws = scripted([broken(), answered("1")]).await;
    let mut call = Call::new(hello(), "{}");
    call.idempotency_key = Some("k".to_owned());
    invoke(&aws.session, &aws.cx, call).await.unwrap();
    assert_eq!(aws.sent().len(), 2);
}
