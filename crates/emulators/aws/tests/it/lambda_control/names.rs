//! Names, lists and refusals.

use super::*;

#[tokio::test]
async fn a_function_has_many_names() {
    let aws = start().await;
    let client = Client::of(&aws);
    create(&client, "hello").await;
    client
        .lambda("POST", &format!("{FUNCTIONS}/hello/versions"), json!({}))
        .await
        .expect(201);
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:hello";
    for (name, version) in [
        ("hello".to_owned(), "$LATEST"),
        ("000000000000:function:hello".to_owned(), "$LATEST"),
        (arn.to_owned(), "$LATEST"),
        (format!("{arn}:1"), "1"),
        ("hello:1".to_owned(), "1"),
    ] {
        let path = format!("{}/configuration", encode(&name));
        assert_eq!(get(&client, &path).await["Version"], version, "{name}");
    }
    let elsewhere = encode(&arn.replace("us-east-1", "eu-west-1"));
    let reply = client
        .lambda("GET", &format!("{FUNCTIONS}/{elsewhere}"), Value::Null)
        .await;
    refused(
        reply,
        404,
        "ResourceNotFoundException",
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    );
    let reply = client
        .lambda(
            "GET",
            &format!("{FUNCTIONS}/hello%3A1?Qualifier=2"),
            Value::Null,
        )
        .await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "does not match the specified qualifier",
    );
    let reply = client
        .lambda(
            "PUT",
            &format!("{FUNCTIONS}/hello%3A1/configuration"),
            json!({ "Timeout": 4 }),
        )
        .await;
    refused(
        reply,
        400,
        "InvalidParameterValueException",
        "does not support versions other than $LATEST",
    );
    // Each region has its own functions.
    let mut other = client.clone();
    other.region = "eu-west-1".to_owned();
    other
        .lambda("GET", &format!("{FUNCTIONS}/hello"), Value::Null)
        .await
        .expect(404);
    aws.shutdown().await;
}

#[tokio::test]
async fn lists_come_in_pages_of_fifty_without_gaps() {
    let aws = start().await;
    let client = Client::of(&aws);
    let names: Vec<String> = (0..60).map(|number| format!("f{number:02}")).collect();
    for name in &names {
        create(&client, name).await;
    }
    let (mut seen, mut marker) = (Vec::new(), String::new());
    let mut pages = 0;
    loop {
        let path = format!("{FUNCTIONS}/?MaxItems=1000{marker}");
        let page = client
            .lambda("GET", &path, Value::Null)
            .await
            .expect(200)
            .json();
        for function in page["Functions"].as_array().unwrap() {
            seen.push(function["FunctionName"].as_str().unwrap().to_owned());
        }
        pages += 1;
        // What is removed behind the marker hides nothing after it.
        let last = seen.last().unwrap().clone();
        client
            .lambda("DELETE", &format!("{FUNCTIONS}/{last}"), Value::Null)
            .await
            .expect(204);
        match page["NextMarker"].as_str() {
            Some(next) => marker = format!("&Marker={}", encode(next)),
            None => break,
        }
    }
    assert_eq!((pages, &seen), (2, &names));
    let reply = client
        .lambda("GET", &format!("{FUNCTIONS}/?Marker=%21"), Value::Null)
        .await;
    refused(reply, 400, "InvalidParameterValueException", "token");
    aws.shutdown().await;
}

#[tokio::test]
async fn what_aws_refuses_is_refused() {
    let aws = start().await;
    let client = Client::of(&aws);
    let invalid = "InvalidParameterValueException";
    let cases: [(&str, Value, u16, &str, &str); 17] = [
        (
            "Code",
            json!({ "ZipFile": BASE64.encode(b"garbage") }),
            400,
            invalid,
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ),
        (
            "Code",
            json!({}),
            400,
            invalid,
            "Please provide a source for function code.",
        ),
        (
            "Code",
            json!({ "ZipFile": zip_file("x"), "S3Bucket": "bucket", "S3Key": "key" }),
            400,
            invalid,
            "Please do not provide other FunctionCode parameters when providing a ZipFile.",
        ),
        (
            "Code",
            json!({ "S3Bucket": "missing", "S3Key": "key" }),
            400,
            invalid,
            "Error occurred while GetObject. S3 Error Code: NoSuchBucket",
        ),
        (
            "Code",
            json!({ "ImageUri": "image" }),
            400,
            invalid,
            "not served",
        ),
        (
            "Handler",
            Value::Null,
            400,
            invalid,
            "Runtime and Handler are mandatory parameters",
        ),
        (
            "Runtime",
            json!("go1.x"),
            400,
            invalid,
            "The runtime parameter of go1.x is no longer supported",
        ),
        ("Runtime", json!("java21"), 400, invalid, "java21"),
        (
            "Runtime",
            json!("cobol"),
            400,
            invalid,
            "Value cobol at 'runtime' failed to satisfy constraint",
        ),
        (
            "Timeout",
            json!(901),
            400,
            "ValidationException",
            "less than or equal to 900",
        ),
        (
            "Timeout",
            json!(0),
            400,
            "ValidationException",
            "'timeout' failed to satisfy constraint",
        ),
        (
            "MemorySize",
            json!(127),
            400,
            "ValidationException",
            "'memorySize' failed to satisfy constraint",
        ),
        (
            "MemorySize",
            json!(10241),
            400,
            invalid,
            "less than or equal to 10240",
        ),
        (
            "FunctionName",
            json!("a b"),
            400,
            "ValidationException",
            "'functionName' failed to satisfy constraint",
        ),
        (
            "Role",
            json!("arn:aws:iam::000000000000:role/nobody"),
            400,
            invalid,
            "The role defined for the function cannot be assumed by Lambda.",
        ),
        (
            "Role",
            json!("arn:aws:iam::111122223333:role/other"),
            403,
            "AccessDeniedException",
            "Cross-account pass role is not allowed.",
        ),
        (
            "Environment",
            json!({ "Variables": { "AWS_REGION": "x" } }),
            400,
            invalid,
            "Reserved keys used in this request: AWS_REGION",
        ),
    ];
    for (member, value, status, code, message) in cases {
        let mut creation = creation("hello");
        creation[member] = value;
        if creation[member].is_null() {
            creation.as_object_mut().unwrap().remove(member);
        }
        let reply = client.lambda("POST", FUNCTIONS, creation).await;
        refused(reply, status, code, message);
    }
    let none = client
        .lambda("GET", &format!("{FUNCTIONS}/"), Value::Null)
        .await
        .expect(200)
        .json();
    assert_eq!(none["Functions"], json!([]));
    aws.shutdown().await;
}
