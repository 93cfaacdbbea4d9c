//! Answers and errors as clients see them.

use http_body_util::BodyExt;
use serde_json::json;

use super::*;
use crate::answer::ApiError;

fn cx(service: Service) -> Context<'static> {
    let model = Model::of(service);
    Context {
        model,
        form: model.protocol == Protocol::Query,
        head: false,
        request_id: "0a1b2c3d-0000-4000-8000-000000000000",
    }
}

async fn text(response: Response<ReplyBody>) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

/// JSON with its keys in the order of the alphabet: they keep another one where something else in the build asks for it.
fn sorted(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    value.sort_all_objects();
    value.to_string()
}

fn reply(service: Service, operation: &str, output: Value) -> Response<ReplyBody> {
    let cx = cx(service);
    let operation = cx.model.operation(operation).unwrap();
    answer(cx, operation, Answer::json(output)).unwrap()
}

#[tokio::test]
async fn lambda_answers_in_headers_and_body() {
    let operation = Model::of(Service::Lambda).operation("Invoke").unwrap();
    let invoked = Answer::json(json!({ "ExecutedVersion": "3", "StatusCode": 202 }))
        .payload(AnswerBody::Bytes(Bytes::from_static(b"{}")));
    let response = answer(cx(Service::Lambda), operation, invoked).unwrap();
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["x-amz-executed-version"], "3");
    assert_eq!(
        response.headers()["x-amzn-requestid"],
        "0a1b2c3d-0000-4000-8000-000000000000"
    );
    assert_eq!(text(response).await, "{}");
    let response = reply(
        Service::Lambda,
        "PutFunctionEventInvokeConfig",
        json!({ "LastModified": 1_795_433_271.5, "FunctionArn": null }),
    );
    assert_eq!(text(response).await, r#"{"LastModified":1795433271.5}"#);
    let response = reply(Service::Lambda, "DeleteAlias", json!({}));
    assert_eq!(response.status(), 204);
    assert_eq!(text(response).await, "");
}

#[test]
fn an_answer_that_the_model_does_not_have_is_an_error() {
    let cx = cx(Service::Lambda);
    let operation = cx.model.operation("GetFunction").unwrap();
    let wrong = Answer::json(json!({ "Configuration": { "FuncName": "f" } }));
    assert_eq!(
        answer(cx, operation, wrong).map(|_| ()).unwrap_err(),
        Unknown("Configuration.FuncName".to_owned())
    );
    let wrong = Answer::json(json!({ "Configuration": { "Timeout": "3" } }));
    assert_eq!(
        answer(cx, operation, wrong).map(|_| ()).unwrap_err(),
        Unknown("Configuration.Timeout (of the shape Timeout)".to_owned())
    );
}

#[tokio::test]
async fn s3_answers_in_xml() {
    let response = reply(
        Service::S3,
        "ListObjectsV2",
        json!({
            "Name": "b", "KeyCount": 1, "IsTruncated": false, "CommonPrefixes": [{ "Prefix": "a&/" }],
            "Contents": [{ "Key": "k", "Size": 3, "ETag": "\"e\"", "LastModified": 1_795_433_271.0 }],
        }),
    );
    let text = text(response).await;
    assert!(text.contains("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    assert!(
        text.contains("<CommonPrefixes><Prefix>a&amp;/</Prefix></CommonPrefixes>"),
        "{text}"
    );
    assert!(text.contains("<LastModified>2026-11-23T11:27:51.000Z</LastModified>"));
    assert!(text.contains("<ETag>&quot;e&quot;</ETag>"));
}

#[tokio::test]
async fn s3_has_answers_of_its_own_kind() {
    let location = reply(
        Service::S3,
        "GetBucketLocation",
        json!({ "LocationConstraint": "eu-west-1" }),
    );
    assert!(
        text(location)
            .await
            .ends_with(">eu-west-1</LocationConstraint>")
    );
    let copied = reply(
        Service::S3,
        "CopyObject",
        json!({ "CopyObjectResult": { "ETag": "\"e\"" }, "VersionId": "v" }),
    );
    assert_eq!(copied.headers()["x-amz-version-id"], "v");
    assert!(text(copied).await.contains("<CopyObjectResult xmlns"));
    let policy = reply(Service::S3, "GetBucketPolicy", json!({ "Policy": "{}" }));
    assert_eq!(text(policy).await, "{}");
    let operation = Model::of(Service::S3).operation("HeadObject").unwrap();
    let head = Context {
        head: true,
        ..cx(Service::S3)
    };
    let output = Answer::json(json!({
        "ContentLength": 7, "LastModified": 1_795_433_271, "Metadata": { "a": "1" }, "ContentType": "text/plain",
    }));
    let response = answer(head, operation, output).unwrap();
    assert_eq!(response.headers()["content-length"], "7");
    assert_eq!(response.headers()["x-amz-meta-a"], "1");
    assert_eq!(response.headers()["content-type"], "text/plain");
    assert_eq!(
        response.headers()["last-modified"],
        "Mon, 23 Nov 2026 11:27:51 GMT"
    );
    assert_eq!(response.headers()["x-amz-request-id"], "0A1B2C3D00004000");
}

#[tokio::test]
async fn forms_are_answered_in_xml() {
    let identity = json!({ "Account": "0", "Arn": "a", "UserId": "u" });
    assert_eq!(
        text(reply(Service::Sts, "GetCallerIdentity", identity)).await,
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Account>0</Account><Arn>a</Arn><UserId>u</UserId></GetCallerIdentityResult><ResponseMetadata><RequestId>0a1b2c3d-0000-4000-8000-000000000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    );
    let users = text(reply(
        Service::Iam,
        "ListUsers",
        json!({ "Users": [], "IsTruncated": false }),
    ))
    .await;
    assert!(users.contains("<Users></Users>"), "{users}");
    let operation = Model::of(Service::Sqs)
        .operation("GetQueueAttributes")
        .unwrap();
    let form = Context {
        form: true,
        ..cx(Service::Sqs)
    };
    let output = Answer::json(json!({ "Attributes": { "DelaySeconds": "0" } }));
    let queue = text(answer(form, operation, output).unwrap()).await;
    assert!(
        queue.contains("<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute></GetQueueAttributesResult>"),
        "{queue}"
    );
}

#[tokio::test]
async fn errors_are_written_as_each_service_does() {
    let not_found = ApiError::new("ResourceNotFoundException", "Function not found: f");
    let response = error(cx(Service::Lambda), &not_found);
    assert_eq!(response.status(), 404);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "ResourceNotFoundException"
    );
    assert_eq!(
        sorted(&text(response).await),
        r#"{"Message":"Function not found: f","Type":"User"}"#
    );

    let throttled = ApiError::new("TooManyRequestsException", "Rate exceeded")
        .with("Reason", "CallerRateLimitExceeded")
        .with("retryAfterSeconds", "2");
    let response = error(cx(Service::Lambda), &throttled);
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(
        sorted(&text(response).await),
        r#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate exceeded"}"#
    );

    let gone = ApiError::new("QueueDoesNotExist", "The specified queue does not exist.");
    let response = error(cx(Service::Sqs), &gone);
    assert_eq!(response.status(), 400);
    assert_eq!(
        response.headers()["x-amzn-query-error"],
        "AWS.SimpleQueueService.NonExistentQueue;Sender"
    );
    assert_eq!(
        sorted(&text(response).await),
        r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#
    );

    let entity = ApiError::new("NoSuchEntityException", "no <role>");
    let response = error(cx(Service::Iam), &entity);
    assert_eq!(response.status(), 404);
    assert_eq!(
        text(response).await,
        "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>no &lt;role&gt;</Message></Error><RequestId>0a1b2c3d-0000-4000-8000-000000000000</RequestId></ErrorResponse>"
    );

    let key = ApiError::new("NoSuchKey", "The specified key does not exist.").with("Key", "k");
    let response = error(cx(Service::S3), &key);
    assert_eq!(response.status(), 404);
    assert!(text(response).await.ends_with(
        "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>k</Key><RequestId>0A1B2C3D00004000</RequestId><HostId>0a1b2c3d-0000-4000-8000-000000000000</HostId></Error>"
    ));
}
