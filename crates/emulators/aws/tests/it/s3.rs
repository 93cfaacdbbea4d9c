//! Buckets and objects over HTTP.

use anyport_emulator_aws::Emulator;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::client::{Client, quick, start};

async fn with_bucket() -> (Emulator, Client) {
    let aws = start().await;
    let client = Client::of(&aws);
    client.s3("PUT", "/bucket", "").await.expect(200);
    (aws, client)
}

fn code(reply: &crate::client::Reply) -> &str {
    reply.element("Code").unwrap_or_default()
}

#[tokio::test]
async fn objects_come_back_with_what_was_said_of_them() {
    let (aws, client) = with_bucket().await;
    let put = client
        .header("content-type", "text/plain")
        .header("x-amz-meta-colour", "blue")
        .header("x-amz-tagging", "team=pay%20ments&x=1")
        .s3("PUT", "/bucket/a/%C3%BC%20b%2Bc", "hello world")
        .await
        .expect(200);
    assert_eq!(put.header("etag"), "\"5eb63bbbe01eeed093cb22bb8f5acdc3\"");
    assert_eq!(put.header("x-amz-checksum-type"), "FULL_OBJECT");
    let get = client
        .s3("GET", "/bucket/a/%C3%BC%20b%2Bc", "")
        .await
        .expect(200);
    assert_eq!(get.text(), "hello world");
    assert_eq!(get.header("content-type"), "text/plain");
    assert_eq!(get.header("x-amz-meta-colour"), "blue");
    assert_eq!(get.header("x-amz-tagging-count"), "2");
    assert_eq!(get.header("etag"), put.header("etag"));
    assert_eq!(get.header("accept-ranges"), "bytes");
    let head = client
        .s3("HEAD", "/bucket/a/%C3%BC%20b%2Bc", "")
        .await
        .expect(200);
    assert_eq!(head.header("content-length"), "11");
    assert!(head.body.is_empty());
    let part = client
        .header("range", "bytes=6-")
        .s3("GET", "/bucket/a/%C3%BC%20b%2Bc", "")
        .await
        .expect(206);
    assert_eq!(
        (part.text(), part.header("content-range")),
        ("world", "bytes 6-10/11")
    );
    let none = client
        .header("range", "bytes=11-")
        .s3("GET", "/bucket/a/%C3%BC%20b%2Bc", "")
        .await
        .expect(416);
    assert_eq!(code(&none), "InvalidRange");
    aws.shutdown().await;
}

#[tokio::test]
async fn conditions_hold_for_reads_and_writes() {
    let (aws, client) = with_bucket().await;
    let create = client.header("if-none-match", "*");
    create.s3("PUT", "/bucket/k", "1").await.expect(200);
    let again = create.s3("PUT", "/bucket/k", "2").await.expect(412);
    assert_eq!(code(&again), "PreconditionFailed");
    let etag = client.s3("HEAD", "/bucket/k", "").await;
    let etag = etag.header("etag").to_owned();
    let replace = client.header("if-match", &etag);
    replace.s3("PUT", "/bucket/k", "2").await.expect(200);
    replace.s3("PUT", "/bucket/k", "3").await.expect(412);
    assert_eq!(
        code(&replace.s3("PUT", "/bucket/none", "3").await.expect(404)),
        "NoSuchKey"
    );
    replace.s3("GET", "/bucket/k", "").await.expect(412);
    let known = client.s3("HEAD", "/bucket/k", "").await;
    let known = client.header("if-none-match", known.header("etag"));
    let same = known.s3("GET", "/bucket/k", "").await.expect(304);
    assert!(same.body.is_empty());
    aws.shutdown().await;
}

#[tokio::test]
async fn digests_are_verified() {
    let (aws, client) = with_bucket().await;
    let crc = STANDARD.encode(crc32fast::hash(b"body").to_be_bytes());
    let right = client.header("x-amz-checksum-crc32", &crc);
    let put = right.s3("PUT", "/bucket/k", "body").await.expect(200);
    assert_eq!(put.header("x-amz-checksum-crc32"), crc);
    let wrong = right.s3("PUT", "/bucket/k", "other").await.expect(400);
    assert_eq!(code(&wrong), "BadDigest");
    let wrong = client.header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(
        code(&wrong.s3("PUT", "/bucket/k", "x").await.expect(400)),
        "BadDigest"
    );
    let bad = client.header("content-md5", "x");
    assert_eq!(
        code(&bad.s3("PUT", "/bucket/k", "x").await.expect(400)),
        "InvalidDigest"
    );
    assert_eq!(
        client.s3("GET", "/bucket/k", "").await.text(),
        "body",
        "nothing was replaced"
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn lists_are_paged_and_grouped() {
    let (aws, client) = with_bucket().await;
    for key in ["a/1", "a/2", "b", "c/", "d%20e%2Bf"] {
        client
            .s3("PUT", &format!("/bucket/{key}"), "x")
            .await
            .expect(200);
    }
    let all = client
        .s3(
            "GET",
            "/bucket?list-type=2&delimiter=%2F&encoding-type=url",
            "",
        )
        .await
        .expect(200);
    assert_eq!(all.element("KeyCount"), Some("4"));
    for shown in [
        "<Prefix>a/</Prefix>",
        "<Prefix>c/</Prefix>",
        "<Key>b</Key>",
        "<Key>d+e%2Bf</Key>",
    ] {
        assert!(all.text().contains(shown), "{shown}: {}", all.text());
    }
    let (mut keys, mut next) = (Vec::new(), String::new());
    loop {
        let page = client
            .s3("GET", &format!("/bucket?list-type=2&max-keys=2{next}"), "")
            .await
            .expect(200);
        keys.extend(page.text().split("<Key>").skip(1).map(|rest| {
            let key = rest.split_once("</Key>").unwrap().0;
            key.to_owned()
        }));
        match page.element("NextContinuationToken") {
            None => break,
            Some(token) => {
                next = format!("&continuation-token={}", crate::client::encode(token));
            }
        }
    }
    assert_eq!(keys, ["a/1", "a/2", "b", "c/", "d e+f"]);
    let bad = client
        .s3("GET", "/bucket?list-type=2&continuation-token=%25", "")
        .await;
    assert_eq!(code(&bad.expect(400)), "InvalidArgument");
    aws.shutdown().await;
}

#[tokio::test]
async fn versions_are_kept_and_marked() {
    let (aws, client) = with_bucket().await;
    let enable = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    client
        .s3("PUT", "/bucket?versioning", enable)
        .await
        .expect(200);
    let first = client.s3("PUT", "/bucket/k", "1").await.expect(200);
    let first = first.header("x-amz-version-id").to_owned();
    client.s3("PUT", "/bucket/k", "2").await.expect(200);
    let marker = client.s3("DELETE", "/bucket/k", "").await.expect(204);
    assert_eq!(marker.header("x-amz-delete-marker"), "true");
    client.s3("GET", "/bucket/k", "").await.expect(404);
    let old = client
        .s3("GET", &format!("/bucket/k?versionId={first}"), "")
        .await;
    assert_eq!(old.expect(200).text(), "1");
    let marker = marker.header("x-amz-version-id");
    let read = client
        .s3("GET", &format!("/bucket/k?versionId={marker}"), "")
        .await;
    assert_eq!(code(&read.expect(405)), "MethodNotAllowed");
    let full = client.s3("DELETE", "/bucket", "").await.expect(409);
    assert_eq!(code(&full), "BucketNotEmpty");
    client
        .s3("DELETE", &format!("/bucket/k?versionId={marker}"), "")
        .await
        .expect(204);
    assert_eq!(
        client.s3("GET", "/bucket/k", "").await.expect(200).text(),
        "2"
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn parts_become_one_object() {
    let (aws, client) = with_bucket().await;
    let upload = client
        .s3("POST", "/bucket/big?uploads", "")
        .await
        .expect(200);
    let id = upload.element("UploadId").unwrap();
    let part = |number: u32| format!("/bucket/big?partNumber={number}&uploadId={id}");
    let first = vec![b'x'; 5 << 20];
    let one = client.s3("PUT", &part(1), first.clone()).await.expect(200);
    let two = client.s3("PUT", &part(2), "end").await.expect(200);
    let list = |parts: &[(u32, &str)]| {
        let parts: String = parts
            .iter()
            .map(|(number, etag)| {
                format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
            })
            .collect();
        format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
    };
    let (one, two) = (one.header("etag"), two.header("etag"));
    let complete = format!("/bucket/big?uploadId={id}");
    for (parts, error) in [
        (list(&[(2, two), (1, one)]), "InvalidPartOrder"),
        (list(&[(1, two)]), "InvalidPart"),
        (list(&[(1, one), (3, two)]), "InvalidPart"),
        (list(&[]), "MalformedXML"),
    ] {
        let refused = client.s3("POST", &complete, parts).await.expect(400);
        assert_eq!(code(&refused), error);
    }
    client.s3("GET", "/bucket/big", "").await.expect(404);
    let done = client
        .s3("POST", &complete, list(&[(1, one), (2, two)]))
        .await
        .expect(200);
    assert!(done.element("ETag").unwrap().contains("-2"));
    let whole = client.s3("GET", "/bucket/big", "").await.expect(200);
    assert_eq!(whole.body.len(), first.len() + 3);
    assert!(whole.body.ends_with(b"xend"));
    let last = client
        .s3("GET", "/bucket/big?partNumber=2", "")
        .await
        .expect(206);
    assert_eq!(
        (last.text(), last.header("x-amz-mp-parts-count")),
        ("end", "2")
    );
    let gone = client
        .s3("POST", &complete, list(&[(1, one)]))
        .await
        .expect(404);
    assert_eq!(code(&gone), "NoSuchUpload");
    aws.shutdown().await;
}

#[tokio::test]
async fn small_parts_are_refused() {
    let (aws, client) = with_bucket().await;
    let upload = client.s3("POST", "/bucket/k?uploads", "").await.expect(200);
    let id = upload.element("UploadId").unwrap();
    let mut parts = String::new();
    for number in 1..=2 {
        let path = format!("/bucket/k?partNumber={number}&uploadId={id}");
        let part = client.s3("PUT", &path, "small").await.expect(200);
        let etag = part.header("etag");
        parts += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
    }
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    let refused = client
        .s3("POST", &format!("/bucket/k?uploadId={id}"), body)
        .await;
    assert_eq!(code(&refused.expect(400)), "EntityTooSmall");
    client
        .s3("DELETE", &format!("/bucket/k?uploadId={id}"), "")
        .await
        .expect(204);
    aws.shutdown().await;
}

#[tokio::test]
async fn copies_share_bytes_and_outlive_their_source() {
    let (aws, client) = with_bucket().await;
    client
        .header("x-amz-meta-a", "1")
        .s3("PUT", "/bucket/from", "bytes")
        .await
        .expect(200);
    let copy = client.header("x-amz-copy-source", "/bucket/from");
    copy.s3("PUT", "/bucket/to", "").await.expect(200);
    let itself = copy.s3("PUT", "/bucket/from", "").await.expect(400);
    assert_eq!(code(&itself), "InvalidRequest");
    client.s3("DELETE", "/bucket/from", "").await.expect(204);
    let to = client.s3("GET", "/bucket/to", "").await.expect(200);
    assert_eq!((to.text(), to.header("x-amz-meta-a")), ("bytes", "1"));
    let gone = copy.s3("PUT", "/bucket/to2", "").await.expect(404);
    assert_eq!(code(&gone), "NoSuchKey");
    aws.shutdown().await;
}

#[tokio::test]
async fn buckets_have_a_region_and_one_owner() {
    let aws = start().await;
    let client = Client::of(&aws);
    let mut eu = client.clone();
    eu.region = "eu-west-1".to_owned();
    let unsaid = eu.s3("PUT", "/bucket", "").await.expect(400);
    assert_eq!(code(&unsaid), "IllegalLocationConstraintException");
    let place = "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    eu.s3("PUT", "/bucket", place).await.expect(200);
    let again = eu.s3("PUT", "/bucket", place).await.expect(409);
    assert_eq!(code(&again), "BucketAlreadyOwnedByYou");
    let elsewhere = client.s3("GET", "/bucket/k", "").await.expect(400);
    assert_eq!(code(&elsewhere), "AuthorizationHeaderMalformed");
    assert_eq!(elsewhere.element("Region"), Some("eu-west-1"));
    let head = client.s3("HEAD", "/bucket", "").await.expect(301);
    assert_eq!(head.header("x-amz-bucket-region"), "eu-west-1");
    let name = client.s3("PUT", "/Not_A_Name", "").await.expect(400);
    assert_eq!(code(&name), "InvalidBucketName");
    let owned = eu.header("x-amz-expected-bucket-owner", "111122223333");
    owned.s3("HEAD", "/bucket", "").await.expect(403);
    aws.shutdown().await;
}

#[tokio::test]
async fn bucket_policies_deny_and_are_held_against_their_bucket() {
    let (aws, client) = with_bucket().await;
    client.s3("PUT", "/bucket/k", "x").await.expect(200);
    let policy = |effect: &str, resource: &str| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": resource,
            }],
        })
        .to_string()
    };
    let deny = policy("Deny", "arn:aws:s3:::bucket/*");
    client
        .s3("PUT", "/bucket?policy", deny.clone())
        .await
        .expect(204);
    assert_eq!(
        client
            .s3("GET", "/bucket?policy", "")
            .await
            .expect(200)
            .text(),
        deny
    );
    let denied = client.s3("GET", "/bucket/k", "").await.expect(403);
    assert_eq!(code(&denied), "AccessDenied");
    client.s3("DELETE", "/bucket?policy", "").await.expect(204);
    client.s3("GET", "/bucket/k", "").await.expect(200);
    let other = policy("Deny", "arn:aws:s3:::other/*");
    assert_eq!(
        code(&client.s3("PUT", "/bucket?policy", other).await.expect(400)),
        "MalformedPolicy"
    );
    let public = policy("Allow", "arn:aws:s3:::bucket/*");
    assert_eq!(
        code(&client.s3("PUT", "/bucket?policy", public).await.expect(403)),
        "AccessDenied"
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn who_may_not_list_does_not_learn_what_is_there() {
    let (aws, admin) = with_bucket().await;
    admin
        .query("iam", "CreateUser", &[("UserName", "reader")])
        .await
        .expect(200);
    let document = json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*" },
    })
    .to_string();
    admin
        .query(
            "iam",
            "PutUserPolicy",
            &[
                ("UserName", "reader"),
                ("PolicyName", "p"),
                ("PolicyDocument", &document),
            ],
        )
        .await
        .expect(200);
    let key = admin
        .query("iam", "CreateAccessKey", &[("UserName", "reader")])
        .await
        .expect(200);
    let reader = admin.by(Some(anyport_emulator_aws::Credentials::new(
        key.element("AccessKeyId").unwrap(),
        key.element("SecretAccessKey").unwrap(),
    )));
    admin.s3("PUT", "/bucket/k", "x").await.expect(200);
    assert_eq!(
        reader.s3("GET", "/bucket/k", "").await.expect(200).text(),
        "x"
    );
    assert_eq!(
        code(&reader.s3("GET", "/bucket/none", "").await.expect(403)),
        "AccessDenied"
    );
    reader.s3("PUT", "/bucket/k", "y").await.expect(403);
    reader
        .s3("GET", "/bucket?list-type=2", "")
        .await
        .expect(403);
    assert_eq!(
        code(&admin.s3("GET", "/bucket/none", "").await.expect(404)),
        "NoSuchKey"
    );
    aws.shutdown().await;
}

#[tokio::test]
async fn the_inventory_is_as_before_once_all_is_removed() {
    let aws = Emulator::start(quick()).await.unwrap();
    let client = Client::of(&aws);
    let before = aws.cloud().inventory();
    client.s3("PUT", "/bucket", "").await.expect(200);
    client.s3("PUT", "/bucket/k", "x").await.expect(200);
    let during = aws.cloud().inventory();
    assert!(during.contains_key("arn:aws:s3:::bucket/k"));
    client.s3("DELETE", "/bucket/k", "").await.expect(204);
    client.s3("DELETE", "/bucket", "").await.expect(204);
    assert_eq!(aws.cloud().inventory(), before);
    aws.shutdown().await;
}
