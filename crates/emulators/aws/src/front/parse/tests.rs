//! Requests as clients send them, and garbage.

use http::{HeaderName, HeaderValue, Method};
use proptest::prelude::*;
use serde_json::json;

use super::*;

struct Sent<'a> {
    service: Service,
    method: &'a str,
    uri: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: &'a [u8],
}

fn rest(sent: &Sent<'_>) -> Result<Input, ApiError> {
    let model = Model::of(sent.service);
    let (path, query) = sent.uri.split_once('?').unwrap_or((sent.uri, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in sent.headers {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    let query = Query::parse(query);
    let method = Method::from_bytes(sent.method.as_bytes()).unwrap();
    let route = model.route(&method, path, &query, &headers).unwrap();
    input(Raw {
        model,
        operation: route.operation,
        labels: route.labels,
        query: &query,
        headers: &headers,
        body: Bytes::copy_from_slice(sent.body),
        form: None,
    })
}

fn body(service: Service, operation: &str, body: &[u8]) -> Result<Input, ApiError> {
    let model = Model::of(service);
    input(Raw {
        model,
        operation: model.operation(operation).unwrap(),
        labels: Vec::new(),
        query: &Query::default(),
        headers: &HeaderMap::new(),
        body: Bytes::copy_from_slice(body),
        form: None,
    })
}

fn form(service: Service, text: &str) -> Result<Input, ApiError> {
    let model = Model::of(service);
    let form = Query::parse(text);
    input(Raw {
        model,
        operation: model.operation(form.get("Action").unwrap()).unwrap(),
        labels: Vec::new(),
        query: &Query::default(),
        headers: &HeaderMap::new(),
        body: Bytes::new(),
        form: Some(&form),
    })
}

#[test]
fn lambda_members_come_from_everywhere() {
    let input = rest(&Sent {
        service: Service::Lambda,
        method: "POST",
        uri: "/2015-03-31/functions/f/invocations?Qualifier=live",
        headers: &[
            ("x-amz-invocation-type", "Event"),
            ("x-amz-log-type", "Tail"),
        ],
        body: b"{\"a\": 1}",
    })
    .unwrap();
    assert_eq!(
        Value::Object(input.members),
        json!({ "FunctionName": "f", "Qualifier": "live", "InvocationType": "Event", "LogType": "Tail" })
    );
    assert_eq!(input.payload, "{\"a\": 1}");
}

#[test]
fn lambda_bodies_are_typed() {
    let create = |body: &str| {
        rest(&Sent {
            service: Service::Lambda,
            method: "POST",
            uri: "/2015-03-31/functions",
            headers: &[],
            body: body.as_bytes(),
        })
    };
    let input = create(
        r#"{"FunctionName":"f","Role":"arn:aws:iam::000000000000:role/r","Code":{"ZipFile":"AAAA"},
            "Timeout":3.0,"Publish":true,"Unknown":1,"Description":null}"#,
    )
    .unwrap();
    assert_eq!(
        Value::Object(input.members),
        json!({
            "FunctionName": "f", "Role": "arn:aws:iam::000000000000:role/r",
            "Code": { "ZipFile": "AAAA" }, "Timeout": 3, "Publish": true,
        })
    );
    let refused = |body: &str| {
        let error = create(body).unwrap_err();
        format!("{} {}", error.code, error.message)
    };
    assert_eq!(
        refused(r#"{"FunctionName":1}"#),
        "SerializationException NUMBER_VALUE can not be converted to a String"
    );
    assert_eq!(
        refused(r#"{"Code":[]}"#),
        "SerializationException Start of list found where not expected"
    );
    assert!(
        refused("{")
            .starts_with("InvalidRequestContentException Could not parse request body into json")
    );
    assert!(
        refused("{}")
            .starts_with("ValidationException 3 validation errors detected: Value null at ")
    );
    assert!(refused(r#"{"Code":{"ZipFile":"a"}}"#).starts_with("SerializationException"));
}

#[test]
fn s3_members_come_from_headers_and_xml() {
    let sent = |method, uri, body| Sent {
        service: Service::S3,
        method,
        uri,
        headers: &[
            ("x-amz-meta-a", "1"),
            ("x-amz-meta-b-c", "2"),
            ("content-length", "3"),
            ("if-modified-since", "Mon, 23 Nov 2026 11:27:51 GMT"),
        ],
        body,
    };
    let put = rest(&sent("PUT", "/b/k", b"abc")).unwrap();
    assert_eq!(
        Value::Object(put.members),
        json!({ "Bucket": "b", "Key": "k", "ContentLength": 3, "Metadata": { "a": "1", "b-c": "2" } })
    );
    assert_eq!(put.payload, "abc");
    let get = rest(&sent("GET", "/b/k", b"")).unwrap();
    assert_eq!(get.members["IfModifiedSince"], json!(1_795_433_271.0));
    let list = rest(&sent("GET", "/b?list-type=2&max-keys=5&prefix=a%2F", b"")).unwrap();
    assert_eq!(
        Value::Object(list.members),
        json!({ "Bucket": "b", "MaxKeys": 5, "Prefix": "a/" })
    );
    let delete = rest(&sent(
        "POST",
        "/b?delete",
        b"<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object><Quiet>true</Quiet></Delete>",
    ))
    .unwrap();
    assert_eq!(
        delete.members["Delete"],
        json!({ "Objects": [{ "Key": "a&b" }, { "Key": "c", "VersionId": "1" }], "Quiet": true })
    );
    let tags = rest(&sent(
        "PUT",
        "/b?tagging",
        b"<Tagging><TagSet><Tag><Key>k</Key><Value/></Tag></TagSet></Tagging>",
    ))
    .unwrap();
    assert_eq!(
        tags.members["Tagging"],
        json!({ "TagSet": [{ "Key": "k", "Value": "" }] })
    );
    let code = |method, uri, body| rest(&sent(method, uri, body)).unwrap_err().code;
    assert_eq!(code("POST", "/b?delete", b"<Delete>"), "MalformedXML");
    assert_eq!(code("POST", "/b?delete", b"<Other/>"), "MalformedXML");
    assert_eq!(code("POST", "/b?delete", b""), "MissingRequestBodyError");
    assert_eq!(code("GET", "/b?max-keys=x", b""), "InvalidArgument");
}

#[test]
fn forms_have_lists_and_structures() {
    let role = form(
        Service::Iam,
        "Action=CreateRole&Version=2010-05-08&RoleName=r&AssumeRolePolicyDocument=%7B%7D&MaxSessionDuration=3600&Tags.member.2.Key=c&Tags.member.2.Value=d&Tags.member.1.Key=a&Tags.member.1.Value=b+c",
    )
    .unwrap();
    assert_eq!(
        Value::Object(role.members),
        json!({
            "RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 3600,
            "Tags": [{ "Key": "a", "Value": "b c" }, { "Key": "c", "Value": "d" }],
        })
    );
    let error = form(Service::Iam, "Action=GetRole&Version=2010-05-08").unwrap_err();
    assert_eq!(error.code, "ValidationError");
    assert_eq!(
        error.message,
        "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null"
    );
}

#[test]
fn queues_are_called_by_form_too() {
    let queue = form(
        Service::Sqs,
        "Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b",
    )
    .unwrap();
    assert_eq!(
        Value::Object(queue.members),
        json!({ "QueueName": "q", "Attributes": { "DelaySeconds": "5" }, "tags": { "a": "b" } })
    );
    let batch = form(
        Service::Sqs,
        "Action=SendMessageBatch&QueueUrl=u&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=b&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=v",
    )
    .unwrap();
    assert_eq!(
        Value::Object(batch.members),
        json!({ "QueueUrl": "u", "Entries": [{
            "Id": "a", "MessageBody": "b",
            "MessageAttributes": { "n": { "DataType": "String", "StringValue": "v" } },
        }] })
    );
}

#[test]
fn json_services_take_an_empty_body_for_an_empty_object() {
    assert!(
        body(Service::Logs, "DescribeLogGroups", b"")
            .unwrap()
            .members
            .is_empty()
    );
    assert_eq!(
        body(Service::Sqs, "GetQueueUrl", b"{}").unwrap_err().code,
        "MissingParameter"
    );
    assert_eq!(
        body(Service::Sqs, "GetQueueUrl", b"[1]").unwrap_err().code,
        "SerializationException"
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "FunctionName",
        "Code",
        "ZipFile",
        "Environment",
        "Variables",
        "Tags",
        "Layers",
        "Timeout",
        "x",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6).prop_map(|map| {
                Value::Object(
                    map.into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_body_is_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for (service, operation) in [
            (Service::Sqs, "SendMessage"),
            (Service::Logs, "PutLogEvents"),
        ] {
            let _ = body(service, operation, &bytes);
        }
    }

    #[test]
    fn any_json_is_parsed_or_refused(value in any_json()) {
        let _ = rest(&Sent {
            service: Service::Lambda, method: "POST", uri: "/2015-03-31/functions", headers: &[],
            body: value.to_string().as_bytes(),
        });
    }

    #[test]
    fn any_form_is_parsed_or_refused(rest in "[A-Za-z0-9.&=%+]{0,200}") {
        let _ = form(Service::Iam, &format!("Action=CreateRole&{rest}"));
        let _ = form(Service::Sqs, &format!("Action=SendMessageBatch&{rest}"));
    }

    #[test]
    fn any_address_is_routed_or_not(path in "/[ -~]{0,40}", query in "[ -~]{0,40}") {
        let query = Query::parse(&query);
        for service in [Service::Lambda, Service::S3] {
            for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD] {
                let _ = Model::of(service).route(&method, &path, &query, &HeaderMap::new());
            }
        }
    }
}
