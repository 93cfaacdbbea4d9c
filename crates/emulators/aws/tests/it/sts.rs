//! STS: sessions, their limits and their end.

use serde_json::Value;

use crate::client::{Client, start};
use crate::iam::{TRUST, credentials};

const ROLE: &str = "arn:aws:iam::000000000000:role/deploy";
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:*","iam:GetRole"],"Resource":"*"}]}"#;

/// A role that everybody in the account may assume, if their own policies say so.
async fn with_role(admin: &Client) {
    let trust = ("AssumeRolePolicyDocument", TRUST);
    admin
        .query("iam", "CreateRole", &[("RoleName", "deploy"), trust])
        .await
        .expect(200);
    let members = [
        ("RoleName", "deploy"),
        ("PolicyName", "p"),
        ("PolicyDocument", READ),
    ];
    admin
        .query("iam", "PutRolePolicy", &members)
        .await
        .expect(200);
}

#[tokio::test]
async fn an_assumed_role_may_what_the_role_and_the_session_allow() {
    let aws = start().await;
    let admin = Client::of(&aws);
    with_role(&admin).await;
    let limit = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:List*","Resource":"*"}]}"#;
    let members = [
        ("RoleArn", ROLE),
        ("RoleSessionName", "s1"),
        ("Policy", limit),
    ];
    let reply = admin.query("sts", "AssumeRole", &members).await.expect(200);
    assert!(reply.element("PackedPolicySize").is_some());
    let session = admin.by(Some(credentials(&reply)));
    let who = session
        .query("sts", "GetCallerIdentity", &[])
        .await
        .expect(200);
    assert_eq!(
        who.element("Arn"),
        Some("arn:aws:sts::000000000000:assumed-role/deploy/s1")
    );
    session
        .lambda("GET", "/2015-03-31/functions", Value::Null)
        .await
        .expect(200);
    let reply = session
        .lambda("GET", "/2015-03-31/functions/app", Value::Null)
        .await
        .expect(403);
    let message = reply.json()["Message"].as_str().unwrap().to_owned();
    assert!(
        message.ends_with("because no session policy allows the lambda:GetFunction action"),
        "{message}"
    );
    let key = session.credentials.as_ref().unwrap();
    assert!(aws.cloud().expire_credentials(&key.access_key));
    let reply = session
        .lambda("GET", "/2015-03-31/functions", Value::Null)
        .await
        .expect(403);
    assert_eq!(reply.header("x-amzn-errortype"), "ExpiredTokenException");
    assert_eq!(
        reply.json()["message"],
        "The security token included in the request is expired"
    );
    let reply = session
        .query("sts", "GetCallerIdentity", &[])
        .await
        .expect(403);
    assert_eq!(reply.element("Code"), Some("ExpiredToken"));
    let reply = session.s3("GET", "/", "").await.expect(400);
    assert_eq!(reply.element("Code"), Some("ExpiredToken"));
    aws.shutdown().await;
}

#[tokio::test]
async fn who_is_not_trusted_is_told_nothing_about_why() {
    let aws = start().await;
    let admin = Client::of(&aws);
    with_role(&admin).await;
    admin
        .query("iam", "CreateUser", &[("UserName", "ann")])
        .await
        .expect(200);
    let key = admin
        .query("iam", "CreateAccessKey", &[("UserName", "ann")])
        .await
        .expect(200);
    let ann = admin.by(Some(credentials(&key)));
    for role in [ROLE, "arn:aws:iam::000000000000:role/none"] {
        let members = [("RoleArn", role), ("RoleSessionName", "s1")];
        let reply = ann.query("sts", "AssumeRole", &members).await.expect(403);
        assert_eq!(reply.element("Code"), Some("AccessDenied"));
        let said = format!(
            "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:AssumeRole on resource: {role}"
        );
        assert_eq!(reply.element("Message"), Some(said.as_str()));
    }
    // Named itself, she needs no policy of her own.
    let trust = TRUST.replace("\"000000000000\"", "\"arn:aws:iam::000000000000:user/ann\"");
    let members = [("RoleName", "deploy"), ("PolicyDocument", trust.as_str())];
    admin
        .query("iam", "UpdateAssumeRolePolicy", &members)
        .await
        .expect(200);
    let members = [("RoleArn", ROLE), ("RoleSessionName", "s1")];
    ann.query("sts", "AssumeRole", &members).await.expect(200);
    aws.shutdown().await;
}

#[tokio::test]
async fn sessions_are_no_longer_than_allowed() {
    let aws = start().await;
    let admin = Client::of(&aws);
    with_role(&admin).await;
    let assume = |seconds| {
        [
            ("RoleArn", ROLE),
            ("RoleSessionName", "s1"),
            ("DurationSeconds", seconds),
        ]
    };
    for (seconds, code) in [("3601", "ValidationError"), ("899", "ValidationError")] {
        let reply = admin
            .query("sts", "AssumeRole", &assume(seconds))
            .await
            .expect(400);
        assert_eq!(reply.element("Code"), Some(code));
    }
    admin
        .query("sts", "AssumeRole", &assume("900"))
        .await
        .expect(200);
    let token = admin.query("sts", "GetSessionToken", &[]).await.expect(200);
    let temporary = admin.by(Some(credentials(&token)));
    temporary
        .lambda("GET", "/2015-03-31/functions", Value::Null)
        .await
        .expect(200);
    let reply = temporary
        .query("sts", "GetSessionToken", &[])
        .await
        .expect(403);
    assert_eq!(reply.element("Code"), Some("AccessDenied"));
    let reply = temporary.query("iam", "ListRoles", &[]).await.expect(403);
    assert_eq!(reply.element("Code"), Some("InvalidClientTokenId"));
    aws.shutdown().await;
}
