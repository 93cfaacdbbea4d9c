//! IAM: what it keeps, and that it is what decides.

use anyport_emulator_aws::{Credentials, Emulator};
use serde_json::{Value, json};

use crate::client::{Client, Reply, start};

pub(crate) const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}]}"#;

/// Calls IAM, and expects this error.
async fn fails(
    client: &Client,
    operation: &str,
    members: &[(&str, &str)],
    status: u16,
    said: (&str, &str),
) {
    let reply = client.query("iam", operation, members).await.expect(status);
    assert_eq!(reply.element("Code"), Some(said.0), "{operation}");
    assert_eq!(reply.element("Message"), Some(said.1), "{operation}");
}

/// A user with a policy of its own, and its key.
async fn user(aws: &Emulator, name: &str, policy: &Value) -> Client {
    let admin = Client::of(aws);
    admin
        .query("iam", "CreateUser", &[("UserName", name)])
        .await
        .expect(200);
    let policy = policy.to_string();
    let members = [
        ("UserName", name),
        ("PolicyName", "p"),
        ("PolicyDocument", policy.as_str()),
    ];
    admin
        .query("iam", "PutUserPolicy", &members)
        .await
        .expect(200);
    let key = admin
        .query("iam", "CreateAccessKey", &[("UserName", name)])
        .await
        .expect(200);
    admin.by(Some(credentials(&key)))
}

pub(crate) fn credentials(reply: &Reply) -> Credentials {
    let text = |name| reply.element(name).unwrap().to_owned();
    let credentials = Credentials::new(text("AccessKeyId"), text("SecretAccessKey"));
    match reply.element("SessionToken") {
        Some(token) => credentials.session_token(token),
        None => credentials,
    }
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": actions, "Resource": resource }
    ]})
}

#[tokio::test]
async fn a_user_may_do_what_its_policies_allow_and_nothing_else() {
    let aws = start().await;
    let own = allow(
        &["lambda:ListFunctions", "iam:GetUser", "s3:ListAllMyBuckets"],
        "*",
    );
    let ann = user(&aws, "ann", &own).await;
    ann.lambda("GET", "/2015-03-31/functions", Value::Null)
        .await
        .expect(200);
    let reply = ann.query("iam", "GetUser", &[]).await.expect(200);
    assert_eq!(reply.element("UserName"), Some("ann"));
    ann.query("sts", "GetCallerIdentity", &[]).await.expect(200);

    let reply = ann
        .lambda("GET", "/2015-03-31/functions/app", Value::Null)
        .await
        .expect(403);
    assert_eq!(reply.header("x-amzn-errortype"), "AccessDeniedException");
    assert_eq!(
        reply.json()["Message"],
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: lambda:GetFunction on resource: \
         arn:aws:lambda:us-east-1:000000000000:function:app because no identity-based policy allows the \
         lambda:GetFunction action"
    );
    let reply = ann
        .sqs("CreateQueue", json!({ "QueueName": "q" }))
        .await
        .expect(403);
    assert_eq!(
        reply.json()["message"],
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sqs:createqueue on resource: \
         arn:aws:sqs:us-east-1:000000000000:q because no identity-based policy allows the sqs:createqueue action"
    );
    let reply = ann.s3("PUT", "/bucket", "").await.expect(403);
    assert_eq!(reply.element("Code"), Some("AccessDenied"));

    let admin = Client::of(&aws);
    let deny = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Deny", "Action": "lambda:*", "Resource": "*" }
    ]});
    let deny = deny.to_string();
    let members = [("PolicyName", "deny"), ("PolicyDocument", deny.as_str())];
    let policy = admin
        .query("iam", "CreatePolicy", &members)
        .await
        .expect(200);
    let arn = policy.element("Arn").unwrap();
    let members = [("UserName", "ann"), ("PolicyArn", arn)];
    admin
        .query("iam", "AttachUserPolicy", &members)
        .await
        .expect(200);
    let reply = ann
        .lambda("GET", "/2015-03-31/functions", Value::Null)
        .await
        .expect(403);
    let message = reply.json()["Message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("with an explicit deny in an identity-based policy"),
        "{message}"
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn keys_come_and_go() {
    let aws = start().await;
    let admin = Client::of(&aws);
    let ann = user(&aws, "ann", &allow(&["iam:GetUser"], "*")).await;
    let keys = admin
        .query("iam", "ListAccessKeys", &[("UserName", "ann")])
        .await
        .expect(200);
    let id = keys.element("AccessKeyId").unwrap().to_owned();
    admin
        .query("iam", "CreateAccessKey", &[("UserName", "ann")])
        .await
        .expect(200);
    let limit = (
        "LimitExceeded",
        "Cannot exceed quota for AccessKeysPerUser: 2",
    );
    fails(
        &admin,
        "CreateAccessKey",
        &[("UserName", "ann")],
        409,
        limit,
    )
    .await;

    let inactive = [
        ("UserName", "ann"),
        ("AccessKeyId", id.as_str()),
        ("Status", "Inactive"),
    ];
    admin
        .query("iam", "UpdateAccessKey", &inactive)
        .await
        .expect(200);
    let invalid = (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    );
    fails(&ann, "GetUser", &[], 403, invalid).await;
    let active = [inactive[0], inactive[1], ("Status", "Active")];
    admin
        .query("iam", "UpdateAccessKey", &active)
        .await
        .expect(200);
    ann.query("iam", "GetUser", &[]).await.expect(200);
    let conflict = (
        "DeleteConflict",
        "Cannot delete entity, must delete access keys first.",
    );
    fails(&admin, "DeleteUser", &[("UserName", "ann")], 409, conflict).await;
    admin
        .query("iam", "DeleteAccessKey", &inactive[..2])
        .await
        .expect(200);
    fails(&ann, "GetUser", &[], 403, invalid).await;
    let said = format!("The Access Key with id {id} cannot be found.");
    fails(
        &admin,
        "DeleteAccessKey",
        &inactive[..2],
        404,
        ("NoSuchEntity", &said),
    )
    .await;
    aws.shutdown().await;
}

#[tokio::test]
async fn roles_live_and_end_as_on_aws() {
    let aws = start().await;
    let admin = Client::of(&aws);
    let named = ("RoleName", "deploy");
    let create = |trust: &'static str| {
        [
            named,
            ("AssumeRolePolicyDocument", trust),
            ("Tags.member.1.Key", "team"),
            ("Tags.member.1.Value", "a"),
        ]
    };
    let bad = (
        "MalformedPolicyDocument",
        "This policy contains invalid Json",
    );
    fails(&admin, "CreateRole", &create("{"), 400, bad).await;
    let trusts_nobody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/nobody"},"Action":"sts:AssumeRole"}]}"#;
    let reply = admin
        .query("iam", "CreateRole", &create(trusts_nobody))
        .await
        .expect(400);
    assert!(
        reply.text().contains("Invalid principal in policy"),
        "{}",
        reply.text()
    );
    let role = admin
        .query("iam", "CreateRole", &create(TRUST))
        .await
        .expect(200);
    assert_eq!(
        role.element("Arn"),
        Some("arn:aws:iam::000000000000:role/deploy")
    );
    assert!(role.element("RoleId").unwrap().starts_with("AROA"));
    assert!(
        role.element("AssumeRolePolicyDocument")
            .unwrap()
            .starts_with("%7B%22Version%22%3A")
    );
    let twice = (
        "EntityAlreadyExists",
        "Role with name deploy already exists.",
    );
    fails(&admin, "CreateRole", &create(TRUST), 409, twice).await;

    let tags = admin
        .query("iam", "ListRoleTags", &[named])
        .await
        .expect(200);
    assert_eq!(tags.element("Key"), Some("team"));
    admin
        .query("iam", "UntagRole", &[named, ("TagKeys.member.1", "Team")])
        .await
        .expect(200);
    let tags = admin
        .query("iam", "ListRoleTags", &[named])
        .await
        .expect(200);
    assert_eq!(tags.element("Key"), None);

    let basic = (
        "PolicyArn",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    );
    admin
        .query("iam", "AttachRolePolicy", &[named, basic])
        .await
        .expect(200);
    let attached = admin
        .query("iam", "ListAttachedRolePolicies", &[named])
        .await
        .expect(200);
    assert_eq!(
        attached.element("PolicyName"),
        Some("AWSLambdaBasicExecutionRole")
    );
    let conflict = (
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
    );
    fails(&admin, "DeleteRole", &[named], 409, conflict).await;
    admin
        .query("iam", "DetachRolePolicy", &[named, basic])
        .await
        .expect(200);
    let own = [
        named,
        ("PolicyName", "p"),
        (
            "PolicyDocument",
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"GetFunction","Resource":"*"}]}"#,
        ),
    ];
    let vendor = (
        "MalformedPolicyDocument",
        "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    );
    fails(&admin, "PutRolePolicy", &own, 400, vendor).await;
    let gone = (
        "NoSuchEntity",
        "The role policy with name p cannot be found.",
    );
    fails(&admin, "GetRolePolicy", &own[..2], 404, gone).await;
    admin.query("iam", "DeleteRole", &[named]).await.expect(200);
    let gone = ("NoSuchEntity", "The role with name deploy cannot be found.");
    fails(&admin, "GetRole", &[named], 404, gone).await;
    aws.shutdown().await;
}

#[tokio::test]
async fn policies_have_versions_and_lists_have_pages() {
    let aws = start().await;
    let admin = Client::of(&aws);
    let document = allow(&["s3:*"], "*").to_string();
    let document = ("PolicyDocument", document.as_str());
    for name in ["a", "b", "c"] {
        admin
            .query("iam", "CreatePolicy", &[("PolicyName", name), document])
            .await
            .expect(200);
    }
    let mut names = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let mut members = vec![("Scope", "Local"), ("MaxItems", "2")];
        members.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = admin
            .query("iam", "ListPolicies", &members)
            .await
            .expect(200);
        let found = page.text().split("<PolicyName>").skip(1);
        names.extend(found.map(|rest| rest[..1].to_owned()));
        marker = page.element("Marker").map(str::to_owned);
        if page.element("IsTruncated") == Some("false") {
            break;
        }
    }
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(marker, None);

    let arn = ("PolicyArn", "arn:aws:iam::000000000000:policy/a");
    for _ in 2..=5 {
        admin
            .query("iam", "CreatePolicyVersion", &[arn, document])
            .await
            .expect(200);
    }
    let reply = admin
        .query("iam", "CreatePolicyVersion", &[arn, document])
        .await
        .expect(409);
    assert_eq!(reply.element("Code"), Some("LimitExceeded"));
    let conflict = (
        "DeleteConflict",
        "Cannot delete the default version of a policy.",
    );
    fails(
        &admin,
        "DeletePolicyVersion",
        &[arn, ("VersionId", "v1")],
        409,
        conflict,
    )
    .await;
    admin
        .query(
            "iam",
            "SetDefaultPolicyVersion",
            &[arn, ("VersionId", "v5")],
        )
        .await
        .expect(200);
    for version in ["v1", "v2", "v3", "v4"] {
        admin
            .query("iam", "DeletePolicyVersion", &[arn, ("VersionId", version)])
            .await
            .expect(200);
    }
    let policy = admin.query("iam", "GetPolicy", &[arn]).await.expect(200);
    assert_eq!(policy.element("DefaultVersionId"), Some("v5"));
    admin.query("iam", "DeletePolicy", &[arn]).await.expect(200);
    let gone = (
        "NoSuchEntity",
        "Policy arn:aws:iam::000000000000:policy/a was not found.",
    );
    fails(&admin, "GetPolicy", &[arn], 404, gone).await;
    aws.shutdown().await;
}
