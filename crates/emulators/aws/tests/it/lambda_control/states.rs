//! What becomes of functions over time.

use super::*;

#[tokio::test]
async fn a_function_goes_through_its_states() {
    let (aws, client) = standing().await;
    let made = create(&client, "hello").await;
    assert_eq!(made["State"], "Pending");
    assert_eq!(made["StateReasonCode"], "Creating");
    assert_eq!(made["Version"], "$LATEST");
    assert!(made.get("LastUpdateStatus").is_none());
    let path = format!("{FUNCTIONS}/hello");
    let pending = "The function is currently in the following state: Pending";
    let code = json!({ "ZipFile": zip_file("two") });
    let reply = client
        .lambda("PUT", &format!("{path}/code"), code.clone())
        .await;
    refused(reply, 409, "ResourceConflictException", pending);
    let reply = client
        .lambda("POST", &format!("{path}/versions"), json!({}))
        .await;
    refused(reply, 409, "ResourceConflictException", pending);

    aws.cloud().advance(A_WHILE);
    let active = get(&client, "hello/configuration").await;
    assert_eq!(active["State"], "Active");
    assert_eq!(active["LastUpdateStatus"], "Successful");
    assert!(active.get("StateReason").is_none());
    assert_ne!(active["RevisionId"], made["RevisionId"]);

    let stale = json!({ "Timeout": 9, "RevisionId": made["RevisionId"] });
    let settings = format!("{path}/configuration");
    let reply = client.lambda("PUT", &settings, stale).await;
    refused(
        reply,
        412,
        "PreconditionFailedException",
        "The Revision Id provided does not match",
    );
    let fresh = json!({ "Timeout": 9, "RevisionId": active["RevisionId"] });
    let updating = client
        .lambda("PUT", &settings, fresh)
        .await
        .expect(200)
        .json();
    assert_eq!(updating["Timeout"], 9);
    assert_eq!(updating["State"], "Active");
    assert_eq!(updating["LastUpdateStatus"], "InProgress");
    let reply = client
        .lambda("PUT", &format!("{path}/code"), code.clone())
        .await;
    refused(
        reply,
        409,
        "ResourceConflictException",
        "An update is in progress for resource: arn:aws:lambda:us-east-1:000000000000:function:hello",
    );

    aws.cloud().advance(A_WHILE);
    let updated = get(&client, "hello/configuration").await;
    assert_eq!(updated["LastUpdateStatus"], "Successful");
    assert_ne!(updated["RevisionId"], updating["RevisionId"]);
    let changed = client
        .lambda("PUT", &format!("{path}/code"), code)
        .await
        .expect(200)
        .json();
    assert_ne!(changed["CodeSha256"], made["CodeSha256"]);
    client
        .lambda("DELETE", &path, Value::Null)
        .await
        .expect(204);
    let reply = client.lambda("GET", &path, Value::Null).await;
    refused(
        reply,
        404,
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello",
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn a_change_that_fails_says_why() {
    let (aws, client) = standing().await;
    aws.cloud()
        .fail_next_change("The role went away.", "InsufficientRolePermissions");
    create(&client, "hello").await;
    aws.cloud().advance(A_WHILE);
    let failed = get(&client, "hello/configuration").await;
    assert_eq!(failed["State"], "Failed");
    assert_eq!(failed["StateReason"], "The role went away.");
    assert_eq!(failed["StateReasonCode"], "InsufficientRolePermissions");
    aws.shutdown().await;
}

#[tokio::test]
async fn functions_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = Emulator::start(quick().state(folder.path())).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "hello").await;
    client
        .lambda("POST", &format!("{FUNCTIONS}/hello/versions"), json!({}))
        .await
        .expect(201);
    let live = json!({ "Name": "live", "FunctionVersion": "1" });
    client
        .lambda("POST", &format!("{FUNCTIONS}/hello/aliases"), live)
        .await
        .expect(201);
    let inventory = aws.cloud().inventory();
    let before = get(&client, "hello/configuration").await;
    aws.shutdown().await;

    let aws = Emulator::start(quick().state(folder.path())).await.unwrap();
    let client = Client::of(&aws);
    assert_eq!(aws.cloud().inventory(), inventory);
    assert_eq!(get(&client, "hello/configuration").await, before);
    let found = get(&client, "hello%3Alive").await;
    let url = found["Code"]["Location"].as_str().unwrap();
    let path = url.strip_prefix(aws.endpoint()).unwrap();
    let loaded = client
        .by(None)
        .send("s3", "GET", path, "")
        .await
        .expect(200);
    assert_eq!(loaded.body, package("#!/bin/sh\n"));
    aws.shutdown().await;
}

#[tokio::test]
async fn code_comes_from_s3_and_can_be_had_again() {
    let aws = start().await;
    let client = Client::of(&aws);
    let bytes = package("from s3");
    client.s3("PUT", "/artifacts", "").await.expect(200);
    client
        .s3("PUT", "/artifacts/code.zip", bytes.clone())
        .await
        .expect(200);
    let mut creation = creation("hello");
    creation["Code"] = json!({ "S3Bucket": "artifacts", "S3Key": "code.zip" });
    let made = client
        .lambda("POST", FUNCTIONS, creation.clone())
        .await
        .expect(201)
        .json();
    assert_eq!(made["CodeSize"], bytes.len());
    creation["FunctionName"] = json!("other");
    creation["Code"]["S3Key"] = json!("gone.zip");
    let reply = client.lambda("POST", FUNCTIONS, creation).await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "Error occurred while GetObject. S3 Error Code: NoSuchKey.",
    );
    let found = get(&client, "hello").await;
    assert_eq!(found["Code"]["RepositoryType"], "S3");
    let url = found["Code"]["Location"].as_str().unwrap();
    let path = url.strip_prefix(aws.endpoint()).unwrap();
    let anybody = client.by(None);
    let loaded = anybody.send("s3", "GET", path, "").await.expect(200);
    assert_eq!(loaded.body, bytes);
    let forged = path.replace("/hello-", "/other-");
    anybody.send("s3", "GET", &forged, "").await.expect(403);
    aws.shutdown().await;
}
