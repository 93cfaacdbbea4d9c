//! Both forms against each other and against the official JSON schema (`cloudevents-1.0.2.schema.json`, cloudevents/spec v1.0.2, Apache-2.0).

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schema() -> jsonschema::Validator {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("cloudevents-1.0.2.schema.json")).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

fn events() -> impl Strategy<Value = Event> {
    let text = "[a-zA-Z0-9/ %\"äß€-]{1,12}";
    let data = prop_oneof![
        Just(None),
        Just(Some(Ok(json!({"a": [1, null, "x"]})))),
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(|bytes| Some(Err(bytes))),
    ];
    (
        text,
        "[a-z/]{1,9}",
        "[a-z.]{1,9}",
        proptest::option::of(text),
        data,
        any::<bool>(),
    )
        .prop_map(|(id, source, kind, subject, data, timed)| {
            let mut builder = Event::builder(id, source, kind)
                .extension("traceparent", Extension::Text("00-a b".to_owned()));
            if let Some(subject) = subject {
                builder = builder.subject(subject);
            }
            if timed {
                builder = builder.time("2026-11-23T08:00:00.5Z");
            }
            match data {
                None => builder,
                Some(Ok(value)) => builder.json(value),
                Some(Err(bytes)) => builder.bytes("image/png", bytes),
            }
            .build()
            .unwrap()
        })
}

proptest! {
    #[test]
    fn both_forms_round_trip_and_the_official_schema_agrees(event in events()) {
        let document = event.to_json();
        prop_assert!(schema().is_valid(&document), "{document}");
        prop_assert_eq!(&Event::from_json(document).unwrap(), &event);
        let (headers, body) = event.to_http();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        prop_assert_eq!(&Event::from_http(headers, body).unwrap(), &event);
    }
}

#[test]
fn what_the_schema_refuses_is_refused_here_too() {
    let valid = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
    assert!(schema().is_valid(&valid) && Event::from_json(valid.clone()).is_ok());
    for (key, value) in [
        ("id", json!("")),
        ("id", json!(7)),
        ("source", json!("")),
        ("type", json!(null)),
        ("subject", json!("")),
        ("time", json!("yesterday")),
        ("time", json!("2026-11-23 99:00:00Z")),
        ("dataschema", json!("not absolute")),
        ("data_base64", json!(1)),
    ] {
        let mut document = valid.clone();
        document[key] = value.clone();
        assert!(
            !schema().is_valid(&document),
            "schema accepts {key}: {value}"
        );
        assert!(Event::from_json(document).is_err(), "{key}: {value}");
    }
}

#[test]
fn every_violation_is_reported_at_once() {
    let found =
        Event::from_json(json!({"specversion": "0.3", "id": 1, "data": 1, "data_base64": "AA=="}))
            .unwrap_err();
    let fields: Vec<&str> = found
        .iter()
        .map(|violation| violation.field.as_str())
        .collect();
    for field in ["data", "id", "source", "specversion", "type"] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
}

#[test]
fn text_data_of_another_type_stays_text() {
    let event = Event::from_json(json!({
        "specversion": "1.0", "id": "1", "source": "/s", "type": "t",
        "datacontenttype": "text/xml", "data": "<a/>"
    }))
    .unwrap();
    assert!(event.data() == &Data::Bytes(Bytes::from_static(b"<a/>")));
}
