//! What is set on functions.

use super::*;

#[tokio::test]
async fn settings_of_functions_are_set_read_and_unset() {
    let aws = start().await;
    let client = Client::of(&aws);
    create(&client, "hello").await;
    // Reserved concurrency leaves a hundred for the others.
    let path = "/2017-10-31/functions/hello/concurrency";
    let wanted = |count: u32| json!({ "ReservedConcurrentExecutions": count });
    let reply = client.lambda("PUT", path, wanted(901)).await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "below its minimum value of [100].",
    );
    client.lambda("PUT", path, wanted(900)).await.expect(200);
    let account = client
        .lambda("GET", "/2016-08-19/account-settings", Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(
        account["AccountLimit"]["UnreservedConcurrentExecutions"],
        100
    );
    assert_eq!(get(&client, "hello").await["Concurrency"], wanted(900));
    client.lambda("DELETE", path, Value::Null).await.expect(204);
    let read = "/2019-09-30/functions/hello/concurrency";
    assert_eq!(
        client
            .lambda("GET", read, Value::Null)
            .await
            .expect(200)
            .json(),
        json!({})
    );

    let path = "/2019-09-25/functions/hello/event-invoke-config";
    refused(
        client.lambda("PUT", path, json!({})).await,
        400,
        "InvalidParameterValueException",
        "You must specify at least one",
    );
    let itself = json!({ "DestinationConfig": { "OnFailure": { "Destination": "arn:aws:lambda:us-east-1:000000000000:function:hello" } } });
    refused(
        client.lambda("PUT", path, itself).await,
        400,
        "InvalidParameterValueException",
        "as a destination for itself",
    );
    client
        .lambda(
            "PUT",
            path,
            json!({ "MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60 }),
        )
        .await
        .expect(200);
    let both = client
        .lambda("POST", path, json!({ "MaximumRetryAttempts": 0 }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &both["MaximumRetryAttempts"],
            &both["MaximumEventAgeInSeconds"]
        ),
        (&json!(0), &json!(60))
    );
    assert_eq!(
        both["FunctionArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:hello:$LATEST"
    );
    let one = client
        .lambda("PUT", path, json!({ "MaximumRetryAttempts": 2 }))
        .await
        .expect(200)
        .json();
    assert!(one.get("MaximumEventAgeInSeconds").is_none());
    client.lambda("DELETE", path, Value::Null).await.expect(204);
    refused(
        client.lambda("GET", path, Value::Null).await,
        404,
        "ResourceNotFoundException",
        "doesn't have an EventInvokeConfig",
    );

    let path = "/2021-10-31/functions/hello/url";
    let url = client
        .lambda("POST", path, json!({ "AuthType": "NONE" }))
        .await
        .expect(201)
        .json();
    assert!(
        url["FunctionUrl"]
            .as_str()
            .unwrap()
            .contains(".lambda-url.us-east-1.localhost:")
    );
    refused(
        client
            .lambda("POST", path, json!({ "AuthType": "NONE" }))
            .await,
        409,
        "ResourceConflictException",
        "FunctionUrlConfig exists for this Lambda function",
    );
    let url = client
        .lambda("PUT", path, json!({ "InvokeMode": "RESPONSE_STREAM" }))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&url["AuthType"], &url["InvokeMode"]),
        (&json!("NONE"), &json!("RESPONSE_STREAM"))
    );
    client.lambda("DELETE", path, Value::Null).await.expect(204);
    refused(
        client.lambda("GET", path, Value::Null).await,
        404,
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    );

    let arn = encode("arn:aws:lambda:us-east-1:000000000000:function:hello");
    let path = format!("/2017-03-31/tags/{arn}");
    let before = get(&client, "hello/configuration").await["RevisionId"].clone();
    client
        .lambda(
            "POST",
            &path,
            json!({ "Tags": { "team": "pay", "tier": "1" } }),
        )
        .await
        .expect(204);
    assert_ne!(
        get(&client, "hello/configuration").await["RevisionId"],
        before
    );
    client
        .lambda("DELETE", &format!("{path}?tagKeys=tier"), Value::Null)
        .await
        .expect(204);
    assert_eq!(
        get(&client, "hello").await["Tags"],
        json!({ "team": "pay" })
    );
    refused(
        client
            .lambda("GET", &format!("{path}%3A1"), Value::Null)
            .await,
        400,
        "InvalidParameterValueException",
        "Tags on function aliases and versions are not supported",
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn resource_policies_are_made_of_statements() {
    let aws = start().await;
    let client = Client::of(&aws);
    create(&client, "hello").await;
    let path = format!("{FUNCTIONS}/hello/policy");
    let statement = json!({
        "StatementId": "bucket", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
        "SourceArn": "arn:aws:s3:::pictures", "SourceAccount": "000000000000",
    });
    let added = client
        .lambda("POST", &path, statement.clone())
        .await
        .expect(201)
        .json();
    let added: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
    assert_eq!(added["Principal"]["Service"], "s3.amazonaws.com");
    assert_eq!(
        added["Condition"]["ArnLike"]["AWS:SourceArn"],
        "arn:aws:s3:::pictures"
    );
    refused(
        client.lambda("POST", &path, statement.clone()).await,
        409,
        "ResourceConflictException",
        "The statement id (bucket) provided already exists",
    );
    let policy = client
        .lambda("GET", &path, Value::Null)
        .await
        .expect(200)
        .json();
    let document: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    assert_eq!(document["Statement"], json!([added]));
    let mut stale = statement.clone();
    stale["StatementId"] = json!("two");
    stale["RevisionId"] = json!("00000000-0000-4000-8000-000000000000");
    refused(
        client.lambda("POST", &path, stale).await,
        412,
        "PreconditionFailedException",
        "GetPolicy",
    );
    let mut whoever = statement;
    whoever["StatementId"] = json!("three");
    whoever["Principal"] = json!("somebody");
    refused(
        client.lambda("POST", &path, whoever).await,
        400,
        "InvalidParameterValueException",
        "The provided principal was invalid",
    );
    refused(
        client
            .lambda("DELETE", &format!("{path}/other"), Value::Null)
            .await,
        404,
        "ResourceNotFoundException",
        "Statement other is not found",
    );
    client
        .lambda("DELETE", &format!("{path}/bucket"), Value::Null)
        .await
        .expect(204);
    refused(
        client.lambda("GET", &path, Value::Null).await,
        404,
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn enforced_code_signing_refuses_unsigned_code() {
    let aws = start().await;
    let client = Client::of(&aws);
    let configs = "/2020-04-22/code-signing-configs";
    let config = json!({
        "AllowedPublishers": { "SigningProfileVersionArns": ["arn:aws:signer:us-east-1:000000000000:/signing-profiles/ours/1"] },
        "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": "Enforce" },
    });
    let made = client
        .lambda("POST", configs, config)
        .await
        .expect(201)
        .json();
    let arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
        .as_str()
        .unwrap();
    let mut creation = creation("hello");
    creation["CodeSigningConfigArn"] = json!(arn);
    let reply = client.lambda("POST", FUNCTIONS, creation.clone()).await;
    refused(
        reply,
        400,
        "CodeVerificationFailedException",
        "Lambda cannot deploy the function.",
    );
    let warn = json!({ "CodeSigningPolicies": { "UntrustedArtifactOnDeployment": "Warn" } });
    let path = format!("{configs}/{}", encode(arn));
    client.lambda("PUT", &path, warn).await.expect(200);
    client.lambda("POST", FUNCTIONS, creation).await.expect(201);
    client
        .lambda("DELETE", &path, Value::Null)
        .await
        .expect(409);
    let of_function = "/2020-06-30/functions/hello/code-signing-config";
    let found = client
        .lambda("GET", of_function, Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(found["CodeSigningConfigArn"], arn);
    client
        .lambda("DELETE", of_function, Value::Null)
        .await
        .expect(204);
    client
        .lambda("DELETE", &path, Value::Null)
        .await
        .expect(204);
    aws.shutdown().await;
}
