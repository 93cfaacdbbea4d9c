//! Who may do what to functions.

use anyport_emulator_aws::Credentials;

use super::*;

/// A user with this policy, who signs from now on.
async fn user(admin: &Client, name: &str, statements: Value) -> Client {
    let named = [("UserName", name)];
    admin.query("iam", "CreateUser", &named).await.expect(200);
    allow(admin, name, statements).await;
    let key = admin
        .query("iam", "CreateAccessKey", &named)
        .await
        .expect(200);
    let credentials = Credentials::new(
        key.element("AccessKeyId").unwrap(),
        key.element("SecretAccessKey").unwrap(),
    );
    admin.by(Some(credentials))
}

async fn allow(admin: &Client, name: &str, statements: Value) {
    let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let policy = [
        ("UserName", name),
        ("PolicyName", "own"),
        ("PolicyDocument", document.as_str()),
    ];
    admin
        .query("iam", "PutUserPolicy", &policy)
        .await
        .expect(200);
}

const DENIED: &str = "AccessDeniedException";

#[tokio::test]
async fn a_deployer_needs_each_permission_that_aws_asks_for() {
    let aws = start().await;
    let admin = Client::of(&aws);
    let on_ours = "arn:aws:lambda:us-east-1:000000000000:function:ours-*";
    let mut statements = json!([{
        "Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:GetFunction"], "Resource": on_ours,
    }]);
    let deployer = user(&admin, "deployer", statements.clone()).await;
    let create = async |name: &str, tags: Value| {
        let mut creation = creation(name);
        creation["Tags"] = tags;
        deployer.lambda("POST", FUNCTIONS, creation).await
    };
    refused(
        create("theirs", json!({})).await,
        403,
        DENIED,
        "User: arn:aws:iam::000000000000:user/deployer is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:000000000000:function:theirs because no identity-based policy allows the lambda:CreateFunction action",
    );
    refused(
        create("ours-1", json!({})).await,
        403,
        DENIED,
        &format!("perform: iam:PassRole on resource: {ROLE}"),
    );
    let pass = json!({
        "Effect": "Allow", "Action": "iam:PassRole", "Resource": ROLE,
        "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } },
    });
    statements.as_array_mut().unwrap().push(pass);
    allow(&admin, "deployer", statements.clone()).await;
    let tags = json!({ "team": "pay" });
    refused(
        create("ours-1", tags.clone()).await,
        403,
        DENIED,
        "perform: lambda:TagResource",
    );
    let tag = json!({
        "Effect": "Allow", "Action": "lambda:TagResource", "Resource": on_ours,
        "Condition": { "StringEquals": { "aws:RequestTag/team": "pay" } },
    });
    statements.as_array_mut().unwrap().push(tag);
    allow(&admin, "deployer", statements.clone()).await;
    refused(
        create("ours-1", json!({ "team": "other" })).await,
        403,
        DENIED,
        "perform: lambda:TagResource",
    );
    create("ours-1", tags.clone()).await.expect(201);

    // Tags are told to those who may list them.
    let found = get(&deployer, "ours-1").await;
    assert!(found.get("Tags").is_none());
    assert_eq!(found["TagsError"]["ErrorCode"], DENIED);
    assert_eq!(get(&admin, "ours-1").await["Tags"], tags);

    // What a function's own tags decide.
    let by_tag = json!({
        "Effect": "Allow", "Action": "lambda:DeleteFunction", "Resource": "*",
        "Condition": { "StringEquals": { "aws:ResourceTag/team": "pay" } },
    });
    statements.as_array_mut().unwrap().push(by_tag);
    allow(&admin, "deployer", statements).await;
    super::create(&admin, "ours-2").await;
    let delete = async |name: &str| {
        let path = format!("{FUNCTIONS}/{name}");
        deployer.lambda("DELETE", &path, Value::Null).await
    };
    refused(
        delete("ours-2").await,
        403,
        DENIED,
        "perform: lambda:DeleteFunction",
    );
    delete("ours-1").await.expect(204);
    aws.shutdown().await;
}

#[tokio::test]
async fn code_is_read_from_s3_with_the_callers_permissions() {
    let aws = start().await;
    let admin = Client::of(&aws);
    admin.s3("PUT", "/artifacts", "").await.expect(200);
    let object = "/artifacts/code.zip";
    admin.s3("PUT", object, package("x")).await.expect(200);
    let statements =
        json!([{ "Effect": "Allow", "Action": ["lambda:*", "iam:PassRole"], "Resource": "*" }]);
    let deployer = user(&admin, "deployer", statements).await;
    let mut creation = creation("hello");
    creation["Code"] = json!({ "S3Bucket": "artifacts", "S3Key": "code.zip" });
    let reply = deployer.lambda("POST", FUNCTIONS, creation).await;
    refused(
        reply,
        403,
        DENIED,
        "please make sure your request credentials have permission to GetObject for artifacts/code.zip",
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn a_role_must_be_able_to_send_what_its_function_leaves_behind() {
    let aws = start().await;
    let admin = Client::of(&aws);
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "Service": "lambda.amazonaws.com" },
        }],
    })
    .to_string();
    let role = [
        ("RoleName", "poor"),
        ("AssumeRolePolicyDocument", trust.as_str()),
    ];
    admin.query("iam", "CreateRole", &role).await.expect(200);
    let queue = "arn:aws:sqs:us-east-1:000000000000:left";
    let mut creation = creation("hello");
    creation["Role"] = json!("arn:aws:iam::000000000000:role/poor");
    creation["DeadLetterConfig"] = json!({ "TargetArn": queue });
    let reply = admin.lambda("POST", FUNCTIONS, creation.clone()).await;
    let invalid = "InvalidParameterValueException";
    refused(
        reply,
        400,
        invalid,
        "The provided execution role does not have permissions to call SendMessage on SQS",
    );
    creation.as_object_mut().unwrap().remove("DeadLetterConfig");
    admin.lambda("POST", FUNCTIONS, creation).await.expect(201);
    let path = "/2019-09-25/functions/hello/event-invoke-config";
    let config = json!({ "DestinationConfig": { "OnFailure": { "Destination": queue } } });
    let reply = admin.lambda("PUT", path, config.clone()).await;
    refused(
        reply,
        400,
        invalid,
        "does not have permissions to call SendMessage on",
    );
    let document = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue }],
    })
    .to_string();
    let policy = [
        ("RoleName", "poor"),
        ("PolicyName", "send"),
        ("PolicyDocument", document.as_str()),
    ];
    admin
        .query("iam", "PutRolePolicy", &policy)
        .await
        .expect(200);
    admin.lambda("PUT", path, config).await.expect(200);
    aws.shutdown().await;
}
