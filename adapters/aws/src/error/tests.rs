use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

const READ: Effect = Effect::Read;
const CALL: Effect = Effect::RunsUserCode { repeatable: false };
const WRITE: Effect = Effect::Write { repeatable: true };

fn failure<'a>(code: &'a str, status: u16, message: &'a str) -> Failure<'a> {
    Failure {
        code: Some(code),
        message: Some(message.into()),
        status,
        request_id: Some("r-1"),
        ..Failure::default()
    }
}

fn kind(code: &str, status: u16, effect: Effect) -> &'static str {
    answered("try", effect, &failure(code, status, ""))
        .kind()
        .name()
}

#[test]
fn no_name_stands_in_the_table_twice() {
    let names: BTreeSet<_> = TABLE.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), TABLE.len());
}

#[test]
fn the_name_decides_before_the_status() {
    for (code, status, expected) in [
        ("ResourceNotFoundException", 404, "not_found"),
        ("PreconditionFailedException", 412, "conflict"),
        ("ResourceInUseException", 400, "conflict"),
        ("InvalidZipFileException", 502, "invalid_spec"),
        ("ServiceQuotaExceededException", 402, "quota_exceeded"),
        ("EC2ThrottledException", 502, "throttled"),
        ("KMSAccessDeniedException", 502, "forbidden"),
        ("ENILimitReachedException", 502, "quota_exceeded"),
        ("RequestTooLargeException", 413, "payload_too_large"),
        ("UnsupportedMediaTypeException", 415, "unsupported"),
        ("ExpiredTokenException", 403, "unauthorized"),
        ("AccessDenied", 403, "forbidden"),
        ("SomethingNew", 429, "throttled"),
        ("SomethingNew", 404, "not_found"),
        ("SomethingNew", 418, "invalid_spec"),
        ("SomethingNew", 503, "unavailable"),
    ] {
        assert_eq!(kind(code, status, READ), expected, "{code}");
    }
}

#[test]
fn a_function_that_changes_cannot_be_called_yet_and_one_that_cannot_start_has_not_run() {
    assert_eq!(kind("ResourceConflictException", 409, CALL), "unavailable");
    assert_eq!(kind("ResourceConflictException", 409, WRITE), "conflict");
    let pending = answered(
        "invoke",
        CALL,
        &failure("ResourceConflictException", 409, ""),
    );
    assert_eq!(pending.retry(), Retry::Safe);
    assert!(!pending.user_code_may_have_run());

    let broken = answered(
        "invoke",
        CALL,
        &failure("InvalidZipFileException", 502, "Could not unzip"),
    );
    let ErrorKind::Function(failed) = broken.kind() else {
        panic!("{broken:?}")
    };
    assert!(failed.not_started && !failed.handled);
    assert!(!broken.user_code_may_have_run());
}

#[test]
fn only_what_broke_inside_may_have_run() {
    for (code, effect, expected) in [
        ("ServiceException", CALL, true),
        ("ServiceException", WRITE, true),
        ("ServiceException", READ, false),
        ("EC2UnexpectedException", CALL, false),
        ("TooManyRequestsException", CALL, false),
        ("AccessDeniedException", WRITE, false),
        ("RecursiveInvocationException", CALL, true),
    ] {
        let error = answered("try", effect, &failure(code, 500, ""));
        assert_eq!(error.user_code_may_have_run(), expected, "{code}");
        assert_eq!(error.request_id(), Some("r-1"));
        assert_eq!(error.code(), Some(code));
    }
}

#[test]
fn throttling_says_why_and_for_how_long() {
    let mut headers = aws_smithy_runtime_api::http::Headers::new();
    headers.insert("retry-after", "2");
    headers.insert("x-amzn-requestid", "r-2");
    headers.insert(
        "x-amzn-errortype",
        "TooManyRequestsException:http://internal/",
    );
    let body = br#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    let error = answered("invoke", CALL, &Failure::read(429, &headers, body));
    assert_eq!(error.retry(), Retry::After(Duration::from_secs(2)));
    assert_eq!(
        error.to_string(),
        "cannot invoke: too many requests, asked to wait 2s: as many instances run as the function may have \
         (lambda says TooManyRequestsException); raise max_instances, or call it less often at a time"
    );
    for (text, expected) in [("0.5", Some(500)), ("x", None), ("-1", None)] {
        headers.insert("retry-after", text);
        let read = Failure::read(429, &headers, b"").retry_after;
        assert_eq!(read, expected.map(Duration::from_millis), "{text}");
    }
}

#[test]
fn a_denied_action_is_named_with_the_file_that_lists_it() {
    let said = "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: lambda:InvokeFunction on resource: \
                arn:aws:lambda:eu-west-1:111122223333:function:hello because no identity-based policy allows it";
    let error = answered("invoke", CALL, &failure("AccessDeniedException", 403, said));
    assert_eq!(
        error.next_step(),
        Some("allow lambda:InvokeFunction; all that is needed is in policy/invoke.json")
    );
    let silent = answered("deploy", WRITE, &failure("AccessDenied", 403, ""));
    assert!(silent.next_step().is_some());
}

#[test]
fn values_are_never_quoted() {
    for (code, said) in [
        (
            "InvalidRequestContentException",
            "Could not parse request body into json: Unrecognized token 'hunter2'",
        ),
        (
            "InvalidParameterValueException",
            "Lambda was unable to configure your environment variables because they exceeded the 4KB limit. \
             String measured: {\"PASSWORD\":\"hunter2\"}",
        ),
        (
            "ValidationException",
            "1 validation error detected: Value '{PASSWORD=hunter2's}' at 'environment.variables' failed to satisfy constraint",
        ),
        ("ValidationException", "Value 'hunter2"),
    ] {
        let error = answered("deploy", WRITE, &failure(code, 400, said));
        assert_eq!(error.kind().name(), "invalid_spec");
        assert!(
            !format!("{error} {error:?}").contains("hunter2"),
            "{error:?}"
        );
    }
}

#[test]
fn violations_name_the_field_where_the_message_does() {
    for (said, field) in [
        (
            "The role defined for the function cannot be assumed by Lambda.",
            "identity",
        ),
        (
            "Unzipped size must be smaller than 262144000 bytes",
            "artifact",
        ),
        ("something else", "request"),
    ] {
        let error = answered(
            "deploy",
            WRITE,
            &failure("InvalidParameterValueException", 400, said),
        );
        let ErrorKind::InvalidSpec(violations) = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!(violations.iter().next().unwrap().field, field);
    }
}

#[test]
fn clocks_and_limits_are_read_from_the_words() {
    let said = "Signature expired: 20261123T000000Z is now earlier than 20261123T010000Z";
    let error = answered(
        "list",
        READ,
        &failure("InvalidSignatureException", 403, said),
    );
    assert_eq!(error.next_step(), Some(CLOCK));
    let said = "Request must be smaller than 1048576 bytes for the InvokeFunction operation";
    let error = answered(
        "enqueue",
        CALL,
        &failure("RequestTooLargeException", 413, said),
    );
    let ErrorKind::PayloadTooLarge(limit) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(limit.max, 1_048_576);
}

#[test]
fn an_answer_without_name_and_words_is_told_by_its_status() {
    let silent = Failure {
        status: 502,
        ..Failure::default()
    };
    let error = answered("try", READ, &silent);
    assert_eq!(error.kind().name(), "unavailable");
    assert_eq!(
        error.why(),
        Some("the answer has status 502 and says nothing")
    );
}
