//! From the vendor's files to shapes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Model;
use super::pattern::Pattern;
use super::shape::{
    Bounds, Kind, ListShape, Location, MapShape, Member, Operation, Protocol, Segment, Shape,
    ShapeId, Structure, TimeFormat,
};
use crate::call::Service;

#[derive(Deserialize)]
struct RawModel<'a> {
    #[serde(borrow)]
    metadata: RawMetadata<'a>,
    #[serde(borrow)]
    operations: BTreeMap<&'a str, RawOperation<'a>>,
    #[serde(borrow)]
    shapes: BTreeMap<&'a str, RawShape<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMetadata<'a> {
    api_version: &'a str,
    protocol: &'a str,
    json_version: Option<&'a str>,
    target_prefix: Option<&'a str>,
    xml_namespace: Option<&'a str>,
}

#[derive(Deserialize)]
struct RawOperation<'a> {
    #[serde(borrow)]
    http: RawHttp<'a>,
    #[serde(borrow)]
    input: Option<RawReference<'a>>,
    #[serde(borrow)]
    output: Option<RawReference<'a>>,
    #[serde(borrow)]
    errors: Option<Vec<&'a str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawHttp<'a> {
    method: &'a str,
    request_uri: &'a str,
    response_code: Option<u16>,
}

/// A member, element, key, value, input or output.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawReference<'a> {
    shape: &'a str,
    location: Option<&'a str>,
    location_name: Option<&'a str>,
    result_wrapper: Option<&'a str>,
    #[serde(default)]
    flattened: bool,
    #[serde(default)]
    xml_attribute: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawShape<'a> {
    r#type: &'a str,
    #[serde(borrow, default)]
    members: BTreeMap<&'a str, RawReference<'a>>,
    #[serde(borrow, default)]
    required: Vec<&'a str>,
    payload: Option<&'a str>,
    #[serde(borrow)]
    member: Option<RawReference<'a>>,
    #[serde(borrow)]
    key: Option<RawReference<'a>>,
    #[serde(borrow)]
    value: Option<RawReference<'a>>,
    #[serde(default)]
    flattened: bool,
    min: Option<f64>,
    max: Option<f64>,
    #[serde(borrow)]
    pattern: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "enum")]
    values: Vec<Cow<'a, str>>,
    timestamp_format: Option<&'a str>,
    #[serde(default)]
    exception: bool,
    #[serde(borrow)]
    error: Option<RawError<'a>>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    eventstream: bool,
    #[serde(rename = "streaming")]
    _streaming: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawError<'a> {
    http_status_code: Option<u16>,
    code: Option<&'a str>,
}

/// Reads one of the files that are compiled in.
pub(super) fn model(service: Service, text: &'static str) -> Model {
    let raw: RawModel<'static> = match serde_json::from_str(text) {
        Ok(raw) => raw,
        // A test reads each of them.
        Err(error) => unreachable!("the model of {} is no model: {error}", service.name()),
    };
    let ids: HashMap<&'static str, ShapeId> = raw
        .shapes
        .keys()
        .enumerate()
        .map(|(index, name)| (*name, ShapeId(index)))
        .collect();
    let mut shapes: Vec<Shape> = raw
        .shapes
        .into_iter()
        .map(|(name, raw)| shape(name, raw, &ids))
        .collect();
    if service == Service::Sqs {
        name_as_in_forms(&mut shapes);
    }
    let operations: Vec<Operation> = raw
        .operations
        .into_iter()
        .map(|(name, raw)| operation(name, raw, &ids))
        .collect();
    let by_name = operations
        .iter()
        .enumerate()
        .map(|(index, operation)| (operation.name, index))
        .collect();
    Model {
        service,
        protocol: match raw.metadata.protocol {
            "rest-json" => Protocol::RestJson,
            "rest-xml" => Protocol::RestXml,
            "json" => Protocol::Json(raw.metadata.json_version.unwrap_or("1.0")),
            _ => Protocol::Query,
        },
        target_prefix: raw.metadata.target_prefix,
        // S3's model names it at each payload only.
        namespace: raw
            .metadata
            .xml_namespace
            .or((service == Service::S3).then_some("http://s3.amazonaws.com/doc/2006-03-01/"))
            .or((service == Service::Sqs).then_some("http://queue.amazonaws.com/doc/2012-11-05/")),
        version: raw.metadata.api_version,
        operations,
        by_name,
        shapes,
        shapes_by_name: ids,
    }
}

fn operation(
    name: &'static str,
    raw: RawOperation<'static>,
    ids: &HashMap<&'static str, ShapeId>,
) -> Operation {
    let (path, query) = raw
        .http
        .request_uri
        .split_once('?')
        .unwrap_or((raw.http.request_uri, ""));
    Operation {
        name,
        method: raw.http.method,
        path: path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(segment)
            .collect(),
        literals: query
            .split('&')
            .filter(|literal| !literal.is_empty())
            .map(|literal| match literal.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (literal, None),
            })
            .collect(),
        status: raw.http.response_code.unwrap_or(200),
        input: raw.input.and_then(|input| ids.get(input.shape)).copied(),
        wrapper: raw.output.as_ref().and_then(|output| output.result_wrapper),
        output: raw.output.and_then(|output| ids.get(output.shape)).copied(),
        served: raw.errors.is_some(),
        errors: raw.errors.unwrap_or_default(),
    }
}

fn segment(text: &'static str) -> Segment {
    match text
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
    {
        Some(label) => match label.strip_suffix('+') {
            Some(label) => Segment::Greedy(label),
            None => Segment::Label(label),
        },
        None => Segment::Literal(text),
    }
}

fn shape(
    name: &'static str,
    raw: RawShape<'static>,
    ids: &HashMap<&'static str, ShapeId>,
) -> Shape {
    let bounds = Bounds {
        min: raw.min.map(whole),
        max: raw.max.map(whole),
    };
    let id = |reference: &Option<RawReference<'static>>| {
        reference
            .as_ref()
            .map_or(ShapeId(0), |reference| find(ids, reference.shape))
    };
    let wire = |reference: &Option<RawReference<'static>>| {
        reference
            .as_ref()
            .and_then(|reference| reference.location_name)
    };
    let kind = match raw.r#type {
        "structure" => Kind::Structure(structure(&raw, ids)),
        "list" => Kind::List(ListShape {
            member: id(&raw.member),
            wire: wire(&raw.member),
            flattened: raw.flattened,
            size: bounds,
        }),
        "map" => Kind::Map(MapShape {
            key: id(&raw.key),
            key_wire: wire(&raw.key).unwrap_or("key"),
            value: id(&raw.value),
            value_wire: wire(&raw.value).unwrap_or("value"),
            flattened: raw.flattened,
            size: bounds,
        }),
        "integer" | "long" => Kind::Integer(bounds),
        "float" | "double" => Kind::Float(bounds),
        "boolean" => Kind::Boolean,
        "blob" => Kind::Blob(bounds),
        "timestamp" => Kind::Timestamp(match raw.timestamp_format {
            Some("rfc822") => Some(TimeFormat::Rfc822),
            Some("iso8601") => Some(TimeFormat::Iso8601),
            Some("unixTimestamp") => Some(TimeFormat::Unix),
            _ => None,
        }),
        _ => Kind::Text {
            length: bounds,
            pattern: raw.pattern.map(Pattern::new),
            values: raw.values,
        },
    };
    Shape {
        name,
        kind,
        exception: raw.exception,
        status: raw.error.as_ref().and_then(|error| error.http_status_code),
        code: raw.error.as_ref().and_then(|error| error.code),
        sensitive: raw.sensitive,
    }
}

/// The shape of this name. A test reads every model, and each refers to its own shapes only.
fn find(ids: &HashMap<&'static str, ShapeId>, name: &str) -> ShapeId {
    match ids.get(name) {
        Some(id) => *id,
        None => unreachable!("a model refers to the shape {name}, which it does not have"),
    }
}

/// The bound as a whole number: none of those in use has a fraction.
#[allow(clippy::cast_possible_truncation)]
fn whole(bound: f64) -> i64 {
    bound as i64
}

fn structure(raw: &RawShape<'static>, ids: &HashMap<&'static str, ShapeId>) -> Structure {
    let members: Vec<Member> = raw
        .members
        .iter()
        .map(|(name, reference)| Member {
            name,
            shape: find(ids, reference.shape),
            required: raw.required.contains(name),
            location: match reference.location {
                Some("uri") => Location::Path,
                Some("querystring") => Location::Query,
                Some("header") => Location::Header,
                Some("headers") => Location::Headers,
                Some("statusCode") => Location::Status,
                _ => Location::Body,
            },
            wire: reference.location_name.unwrap_or(name),
            named: reference.location_name.is_some(),
            flattened: reference.flattened,
            attribute: reference.xml_attribute,
        })
        .collect();
    Structure {
        payload: raw
            .payload
            .and_then(|payload| members.iter().position(|member| member.name == payload)),
        members,
        event_stream: raw.eventstream,
    }
}

/// SQS's model knows JSON only. In forms and XML its lists and maps are named by one element.
/// Source: the SQS API reference's examples of query requests.
fn name_as_in_forms(shapes: &mut [Shape]) {
    let names: Vec<&'static str> = shapes.iter().map(|shape| shape.name).collect();
    for shape in shapes {
        match &mut shape.kind {
            Kind::Structure(structure) => {
                for member in &mut structure.members {
                    member.wire = match member.name {
                        "Entries" | "Successful" | "Failed" => {
                            let list = names.get(member.shape.0).copied().unwrap_or_default();
                            list.strip_suffix("List").unwrap_or(member.name)
                        }
                        "tags" => "Tag",
                        "queueUrls" => "QueueUrl",
                        "AttributeNames"
                        | "Attributes"
                        | "MessageAttributeNames"
                        | "MessageAttributes"
                        | "MessageSystemAttributeNames"
                        | "MessageSystemAttributes"
                        | "Messages"
                        | "QueueUrls"
                        | "TagKeys"
                        | "Tags" => member.name.trim_end_matches('s'),
                        name => name,
                    };
                }
            }
            Kind::Map(map) => {
                map.key_wire = if shape.name == "TagMap" {
                    "Key"
                } else {
                    "Name"
                };
                map.value_wire = "Value";
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_read() {
        for service in Service::ALL {
            let model = Model::of(service);
            assert!(model.operations().iter().any(|operation| operation.served));
            for operation in model.operations() {
                if operation.served {
                    for label in &operation.path {
                        if let Segment::Label(name) | Segment::Greedy(name) = label {
                            let input = operation.input.map(|id| model.shape(id));
                            let Some(Kind::Structure(input)) = input.map(|shape| &shape.kind)
                            else {
                                panic!("{} has no input", operation.name);
                            };
                            assert!(
                                input.members.iter().any(|member| member.wire == *name
                                    && member.location == Location::Path),
                                "{}: {name}",
                                operation.name
                            );
                        }
                    }
                }
            }
        }
        let lambda = Model::of(Service::Lambda);
        assert_eq!(lambda.protocol, Protocol::RestJson);
        assert_eq!(lambda.operations().len(), 91);
        let invoke = lambda.operation("Invoke").unwrap();
        assert_eq!((invoke.method, invoke.status), ("POST", 200));
        assert!(!lambda.operation("PublishLayerVersion").unwrap().served);
        assert_eq!(
            lambda.error("TooManyRequestsException").unwrap().status,
            Some(429)
        );
    }
}
