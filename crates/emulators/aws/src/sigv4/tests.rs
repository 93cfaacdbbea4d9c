//! Whole requests: those that the vendor published, some that botocore signed, and what was done to them.

use std::sync::Arc;

use super::check::Check;
use super::fault::Problem;
use super::*;
use crate::access::{Identity, Key};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// One request as a text: request line, headers, an empty line, a body.
fn request(text: &str) -> (Parts, Bytes) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut first = lines.next().unwrap().split(' ');
    let mut builder = http::Request::builder()
        .method(first.next().unwrap())
        .uri(first.next().unwrap());
    for line in lines {
        let (name, value) = line.split_once(':').unwrap();
        builder = builder.header(name, value);
    }
    let (parts, ()) = builder.body(()).unwrap().into_parts();
    (parts, Bytes::copy_from_slice(body.as_bytes()))
}

fn key(secret: &str, token: Option<&str>, expires: i64) -> Arc<Key> {
    Arc::new(Key::for_tests(
        "AKIDEXAMPLE",
        secret,
        token,
        expires,
        Identity::Anonymous,
    ))
}

fn verify_at(text: &str, service: Service, at: &str, key: Arc<Key>) -> Result<Verified, Problem> {
    let (parts, body) = request(text);
    let check = Check {
        service,
        parts: &parts,
        now: date::parse_basic(at).unwrap(),
    };
    check.verify(body, |id| (id != "AKIDUNKNOWN").then_some(key), "us-east-1")
}

fn verify(text: &str, service: Service) -> Result<Verified, Problem> {
    verify_at(
        text,
        service,
        "20150830T123600Z",
        key(SECRET, None, i64::MAX),
    )
}

/// The example that the vendor's guide signs step by step.
const LIST_USERS: &str = "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1
content-type:application/x-www-form-urlencoded; charset=utf-8
host:iam.amazonaws.com
x-amz-date:20150830T123600Z
authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

#[test]
fn the_guides_example_is_believed() {
    let verified = verify(LIST_USERS, Service::Iam).unwrap();
    assert_eq!(verified.region, "us-east-1");
    let (parts, _) = request(LIST_USERS);
    assert_eq!(scope_service(&parts), Some(Service::Iam));
    assert!(is_signed(&parts));
}

#[test]
fn whatever_is_changed_is_seen() {
    for (from, to) in [
        ("GET /", "POST /"),
        ("ListUsers", "ListRoles"),
        ("charset=utf-8", "charset=utf-9"),
        ("host:iam.amazonaws.com", "host:iam.amazonaws.org"),
        ("2b5d7", "2b5d8"),
        ("Signature=5d67", "Signature=5D67"),
        ("Signature=5d67", "Signature="),
    ] {
        let text = LIST_USERS.replacen(from, to, 1);
        assert_ne!(text, LIST_USERS);
        let problem = verify(&text, Service::Iam).unwrap_err();
        assert!(matches!(problem, Problem::Mismatch(_)), "{to}: {problem:?}");
    }
    let with_body = format!("{LIST_USERS}\n\nbody");
    assert!(matches!(
        verify(&with_body, Service::Iam),
        Err(Problem::Mismatch(_))
    ));
}

#[test]
fn each_service_says_it_in_its_own_words() {
    let answer = |from: &str, to: &str, service: Service| {
        let text = LIST_USERS.replace("/iam/", &format!("/{}/", service.name()));
        let error = verify(&text.replacen(from, to, 1), service).unwrap_err();
        let error = error.answer(service);
        (error.code, error.status, error.message)
    };
    for (service, code, status) in [
        (Service::Lambda, "InvalidSignatureException", 403),
        (Service::Logs, "InvalidSignatureException", 400),
        (Service::Iam, "SignatureDoesNotMatch", 403),
        (Service::Sqs, "SignatureDoesNotMatch", 403),
    ] {
        let (given, given_status, message) = answer("2b5d7", "2b5d8", service);
        assert_eq!((given, given_status), (code, Some(status)));
        assert!(message.starts_with("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."));
        let said = message.contains(
            "The Canonical String for this request should have been\n'GET\n/\nAction=ListUsers",
        );
        assert_eq!(said, service == Service::Lambda);
    }
    for (service, code, status) in [
        (Service::Lambda, "UnrecognizedClientException", 403),
        (Service::Sts, "InvalidClientTokenId", 403),
        (Service::Logs, "UnrecognizedClientException", 400),
    ] {
        let (given, given_status, message) = answer("AKIDEXAMPLE", "AKIDUNKNOWN", service);
        assert_eq!((given, given_status), (code, Some(status)));
        assert_eq!(
            message,
            "The security token included in the request is invalid."
        );
    }
    let (code, status, message) = answer("authorization", "x-other", Service::Lambda);
    assert_eq!(
        (code, status),
        ("MissingAuthenticationTokenException", Some(403))
    );
    assert_eq!(message, "Missing Authentication Token");
    let (code, _, message) = answer("/aws4_request,", "/aws5_request,", Service::Iam);
    assert_eq!(code, "SignatureDoesNotMatch");
    assert_eq!(
        message,
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. "
    );
    let (_, _, message) = answer("/iam/", "/ec2/", Service::Iam);
    assert_eq!(
        message,
        "Credential should be scoped to correct service: 'iam'. "
    );
    let (_, _, message) = answer("/20150830/", "/20150831/", Service::Iam);
    assert_eq!(
        message,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'."
    );
    let (code, _, message) = answer("content-type;host;", "content-type;", Service::Iam);
    assert_eq!(
        (code, message.as_str()),
        (
            "SignatureDoesNotMatch",
            "'Host' must be a 'SignedHeader' in the AWS Authorization."
        )
    );
    let (code, status, message) = answer(
        "SignedHeaders=content-type;host;x-amz-date, ",
        "",
        Service::Iam,
    );
    assert_eq!((code, status), ("IncompleteSignature", Some(400)));
    assert!(message.starts_with("Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization="));
    let (_, _, message) = answer(
        "AWS4-HMAC-SHA256 Credential",
        "Bearer Credential",
        Service::Lambda,
    );
    assert!(message.starts_with("Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed"));
}

#[test]
fn clocks_may_differ_by_minutes() {
    let at = |time: &str, service: Service| {
        let text = LIST_USERS.replace("/iam/", &format!("/{}/", service.name()));
        match verify_at(&text, service, time, key(SECRET, None, i64::MAX)) {
            Err(problem @ (Problem::TooOld { .. } | Problem::TooNew { .. })) => {
                problem.answer(service).message
            }
            _ => String::new(),
        }
    };
    assert_eq!(at("20150830T125100Z", Service::Iam), "");
    assert_eq!(
        at("20150830T125101Z", Service::Iam),
        "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T125101Z - 15 min.)"
    );
    assert_eq!(
        at("20150830T122000Z", Service::Iam),
        "Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T122000Z + 15 min.)"
    );
    assert!(at("20150830T124101Z", Service::Lambda).ends_with("(20150830T124101Z - 5 min.)"));
}

#[test]
fn temporary_keys_need_their_token() {
    let with = |given: Option<&str>, expires| {
        let text = match given {
            Some(token) => LIST_USERS
                .replace(
                    "authorization:",
                    &format!("x-amz-security-token:{token}\nauthorization:"),
                )
                .replace("x-amz-date,", "x-amz-date;x-amz-security-token,"),
            None => LIST_USERS.to_owned(),
        };
        let at = "20150830T123600Z";
        verify_at(&text, Service::Iam, at, key(SECRET, Some("right"), expires)).unwrap_err()
    };
    assert!(matches!(with(None, i64::MAX), Problem::UnknownKey { .. }));
    assert_eq!(with(Some("wrong"), i64::MAX), Problem::BadToken);
    assert_eq!(with(Some("right"), 0), Problem::ExpiredToken);
    assert!(matches!(
        with(Some("right"), i64::MAX),
        Problem::Mismatch(_)
    ));
    let unexpected = LIST_USERS.replace("x-amz-date:", "x-amz-security-token:x\nx-amz-date:");
    assert_eq!(
        verify(&unexpected, Service::Iam).unwrap_err(),
        Problem::HeaderNotSigned {
            name: "x-amz-security-token".to_owned()
        }
    );
}

/// Signed by botocore 1.44 with its clock held still.
mod botocore {
    use super::*;

    #[test]
    fn its_requests_are_believed() {
        let token = Some("to/ken+=");
        for (service, token, text) in [
            (
                Service::Lambda,
                None,
                "POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3Aapp%3Alive/invocations?Qualifier=%24LATEST&x=%C3%A9%20%2B HTTP/1.1
host:localhost:4566
x-amz-date:20150830T123600Z
authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/lambda/aws4_request, SignedHeaders=host;x-amz-date, Signature=c61382bfdd43d26c1a6be5566a512e13b93adae7ab65a9c06b1f1fd97eaa4e47

{\"a\":1}",
            ),
            (
                Service::Sts,
                token,
                "GET /?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Feu-west-1%2Fsts%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=to%2Fken%2B%3D&X-Amz-Signature=f17cdd03ead99947d307fcc9e518d6c7aea2a9d39910652cfb4401703d6ceb23 HTTP/1.1
host:localhost:4566",
            ),
            (
                Service::S3,
                token,
                "PUT /bucket/a//../%C3%A9%20%2B%24 HTTP/1.1
host:localhost:4566
x-amz-date:20150830T123600Z
x-amz-security-token:to/ken+=
x-amz-content-sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, Signature=86bc77d13bcf2a28bb6af297c3d5889c2683c162b40979449fa91f5ade52139d

hello",
            ),
        ] {
            let key = key(SECRET, token, i64::MAX);
            let verified = verify_at(text, service, "20150830T123630Z", key).unwrap();
            assert_eq!(verified.region, "eu-west-1");
        }
    }
}

/// Examples of S3's guide to header and query authentication.
mod s3 {
    use super::*;

    const S3_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn verify(text: &str, at: &str) -> Result<Verified, Problem> {
        verify_at(text, Service::S3, at, key(S3_SECRET, None, i64::MAX))
    }

    const GET: &str = "GET /test.txt HTTP/1.1
host:examplebucket.s3.amazonaws.com
authorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41
range:bytes=0-9
x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
x-amz-date:20130524T000000Z";

    const PUT: &str = "PUT /test$file.text HTTP/1.1
host:examplebucket.s3.amazonaws.com
date:Fri, 24 May 2013 00:00:00 GMT
authorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd
x-amz-date:20130524T000000Z
x-amz-storage-class:REDUCED_REDUNDANCY
x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072

Welcome to Amazon S3.";

    const PRESIGNED: &str = "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 HTTP/1.1
host:examplebucket.s3.amazonaws.com";

    #[test]
    fn published_requests_are_believed() {
        let at = "20130524T000000Z";
        assert!(verify(GET, at).is_ok());
        assert_eq!(verify(PUT, at).unwrap().body, "Welcome to Amazon S3.");
        assert!(verify(PRESIGNED, "20130524T235959Z").is_ok());
        let lifecycle = "GET /?lifecycle HTTP/1.1
host:examplebucket.s3.amazonaws.com
authorization:AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543
x-amz-date:20130524T000000Z
x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(verify(lifecycle, at).is_ok());
    }

    #[test]
    fn problems_have_s3s_codes() {
        let code = |text: &str, at: &str| {
            let error = verify(text, at).unwrap_err().answer(Service::S3);
            (error.code, error.status)
        };
        let at = "20130524T000000Z";
        let mismatch = ("SignatureDoesNotMatch", Some(403));
        assert_eq!(code(&GET.replace("bytes=0-9", "bytes=0-8"), at), mismatch);
        assert_eq!(
            code(&PUT.replace("Welcome", "Goodbye"), at),
            ("XAmzContentSHA256Mismatch", Some(400))
        );
        assert_eq!(
            code(GET, "20130524T010000Z"),
            ("RequestTimeTooSkewed", Some(403))
        );
        assert_eq!(
            code(PRESIGNED, "20130525T000001Z"),
            ("AccessDenied", Some(403))
        );
        assert_eq!(
            code(&PRESIGNED.replace("86400", "604801"), at),
            ("AuthorizationQueryParametersError", Some(400))
        );
        assert_eq!(
            code(&PRESIGNED.replace("X-Amz-Date=20130524T000000Z&", ""), at),
            ("AuthorizationQueryParametersError", Some(400))
        );
        assert_eq!(
            code(&GET.replace("/s3/", "/sqs/"), at),
            ("AuthorizationHeaderMalformed", Some(400))
        );
        assert_eq!(
            code(&GET.replace("range:", "x-amz-acl:private\nrange:"), at),
            ("AccessDenied", Some(403))
        );
        assert_eq!(
            code(&GET.replace("AWS4-HMAC-SHA256 ", "AWS "), at),
            ("InvalidRequest", Some(400))
        );
        assert_eq!(
            code(&GET.replace("AKIAIOSFODNN7EXAMPLE", "AKIDUNKNOWN"), at),
            ("InvalidAccessKeyId", Some(403))
        );
        let mismatch = verify(&GET.replace("bytes=0-9", "bytes=0-8"), at).unwrap_err();
        let fields = mismatch.answer(Service::S3).fields;
        let canonical = fields["CanonicalRequest"].as_str().unwrap();
        assert!(canonical.starts_with("GET\n/test.txt\n\nhost:examplebucket"));
        assert!(
            fields["StringToSignBytes"]
                .as_str()
                .unwrap()
                .starts_with("41 57 53 34 2d")
        );
    }

    #[test]
    fn unsigned_requests_are_anonymous() {
        let verified = verify(
            "GET /bucket/key HTTP/1.1\nhost:localhost",
            "20130524T000000Z",
        )
        .unwrap();
        assert!(verified.caller.is_anonymous());
        assert_eq!(verified.region, "us-east-1");
    }
}
