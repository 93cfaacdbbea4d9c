//! Versions and aliases.

use super::*;

#[tokio::test]
async fn versions_are_published_only_when_something_changed() {
    let aws = start().await;
    let client = Client::of(&aws);
    let made = create(&client, "hello").await;
    let versions = format!("{FUNCTIONS}/hello/versions");
    let wrong = json!({ "CodeSha256": "AAAA" });
    let reply = client.lambda("POST", &versions, wrong).await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "CodeSHA256 (AAAA) is different from current CodeSHA256 in $LATEST",
    );
    let one = json!({ "CodeSha256": made["CodeSha256"], "Description": "first" });
    let one = client
        .lambda("POST", &versions, one)
        .await
        .expect(201)
        .json();
    assert_eq!(one["Version"], "1");
    assert_eq!(one["Description"], "first");
    assert_eq!(
        one["FunctionArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:hello:1"
    );
    let again = client
        .lambda("POST", &versions, json!({}))
        .await
        .expect(201)
        .json();
    assert_eq!(again["Version"], "1");
    let code = json!({ "ZipFile": zip_file("two"), "Publish": true });
    let path = format!("{FUNCTIONS}/hello/code");
    let two = client.lambda("PUT", &path, code).await.expect(200).json();
    assert_eq!(two["Version"], "2");
    let dry = json!({ "ZipFile": zip_file("three"), "DryRun": true });
    let dry = client.lambda("PUT", &path, dry).await.expect(200).json();
    assert_ne!(dry["CodeSha256"], two["CodeSha256"]);
    assert_eq!(
        get(&client, "hello/configuration").await["CodeSha256"],
        two["CodeSha256"]
    );
    let list = get(&client, "hello/versions").await;
    let names: Vec<&str> = list["Versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["Version"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["$LATEST", "1", "2"]);
    assert!(list["Versions"][0].get("State").is_none());
    // A version that was there is never there again.
    client
        .lambda(
            "DELETE",
            &format!("{FUNCTIONS}/hello?Qualifier=2"),
            Value::Null,
        )
        .await
        .expect(204);
    client
        .lambda(
            "DELETE",
            &format!("{FUNCTIONS}/hello?Qualifier=99"),
            Value::Null,
        )
        .await
        .expect(204);
    let three = client
        .lambda("POST", &versions, json!({}))
        .await
        .expect(201)
        .json();
    assert_eq!(three["Version"], "3");
    let reply = client
        .lambda(
            "DELETE",
            &format!("{FUNCTIONS}/hello?Qualifier=%24LATEST"),
            Value::Null,
        )
        .await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "$LATEST version cannot be deleted without deleting the function.",
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn aliases_point_to_versions_and_hold_them() {
    let aws = start().await;
    let client = Client::of(&aws);
    let mut creation = creation("hello");
    creation["Publish"] = json!(true);
    let made = client
        .lambda("POST", FUNCTIONS, creation)
        .await
        .expect(201)
        .json();
    assert_eq!(made["Version"], "1");
    let code = json!({ "ZipFile": zip_file("two"), "Publish": true });
    client
        .lambda("PUT", &format!("{FUNCTIONS}/hello/code"), code)
        .await
        .expect(200);
    let aliases = format!("{FUNCTIONS}/hello/aliases");
    let live = json!({ "Name": "live", "FunctionVersion": "1" });
    let made = client
        .lambda("POST", &aliases, live.clone())
        .await
        .expect(201)
        .json();
    assert_eq!(
        made["AliasArn"],
        "arn:aws:lambda:us-east-1:000000000000:function:hello:live"
    );
    assert_eq!(made["Description"], "");
    let reply = client.lambda("POST", &aliases, live).await;
    refused(
        reply,
        409,
        "ResourceConflictException",
        "Alias already exists: ",
    );
    let reply = client
        .lambda(
            "POST",
            &aliases,
            json!({ "Name": "9", "FunctionVersion": "1" }),
        )
        .await;
    refused(
        reply,
        400,
        "ValidationException",
        "'name' failed to satisfy constraint",
    );
    let reply = client
        .lambda(
            "POST",
            &aliases,
            json!({ "Name": "x", "FunctionVersion": "7" }),
        )
        .await;
    refused(reply, 404, "ResourceNotFoundException", "function:hello:7");

    let path = format!("{aliases}/live");
    let weights =
        |weights: Value| json!({ "RoutingConfig": { "AdditionalVersionWeights": weights } });
    let reply = client
        .lambda("PUT", &path, weights(json!({ "1": 0.5 })))
        .await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "already included in routing configuration",
    );
    let reply = client
        .lambda("PUT", &path, weights(json!({ "1": 0.5, "2": 0.1 })))
        .await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "cannot be greater than 1",
    );
    let split = client
        .lambda("PUT", &path, weights(json!({ "2": 0.25 })))
        .await
        .expect(200)
        .json();
    assert_eq!(
        split["RoutingConfig"]["AdditionalVersionWeights"]["2"],
        0.25
    );
    assert_ne!(split["RevisionId"], made["RevisionId"]);
    let stale = json!({ "FunctionVersion": "2", "RevisionId": made["RevisionId"] });
    refused(
        client.lambda("PUT", &path, stale).await,
        412,
        "PreconditionFailedException",
        "GetFunction/GetAlias",
    );
    for version in ["1", "2"] {
        let path = format!("{FUNCTIONS}/hello?Qualifier={version}");
        let reply = client.lambda("DELETE", &path, Value::Null).await;
        refused(
            reply,
            409,
            "ResourceConflictException",
            "Unable to delete version because the following aliases reference it: [live]",
        );
    }
    let moved =
        json!({ "FunctionVersion": "2", "RoutingConfig": { "AdditionalVersionWeights": {} } });
    let moved = client.lambda("PUT", &path, moved).await.expect(200).json();
    assert!(moved.get("RoutingConfig").is_none());
    assert_eq!(
        get(&client, "hello?Qualifier=live").await["Configuration"]["Version"],
        "2"
    );
    assert_eq!(
        get(&client, "hello/aliases?FunctionVersion=1").await["Aliases"],
        json!([])
    );
    client
        .lambda("DELETE", &path, Value::Null)
        .await
        .expect(204);
    client
        .lambda("DELETE", &path, Value::Null)
        .await
        .expect(204);
    refused(
        client.lambda("GET", &path, Value::Null).await,
        404,
        "ResourceNotFoundException",
        "Cannot find alias arn: ",
    );
    aws.shutdown().await;
}
