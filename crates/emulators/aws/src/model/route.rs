//! Which operation a path, a method and a query mean.

use std::borrow::Cow;

use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::shape::{Kind, Location, Operation, Segment};
use super::{Model, Structure};

/// A parsed query string, or a form.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, Option<String>)>);

impl Query {
    /// Takes a query string apart. `+` is a space. What is not UTF-8 is replaced.
    pub(crate) fn parse(text: &str) -> Self {
        Self(
            text.split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| match pair.split_once('=') {
                    Some((name, value)) => (decode(name), Some(decode(value))),
                    None => (decode(pair), None),
                })
                .collect(),
        )
    }

    /// Whether there is a parameter of this name, with or without a value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(is, _)| is == name)
    }

    /// The first value of a parameter; empty where it has none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(is, _)| *is == name)
            .map(|(_, value)| value)
    }

    /// All values of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(is, _)| *is == name)
            .map(|(_, value)| value)
    }

    /// Adds a parameter unless it is there.
    pub(crate) fn add_default(&mut self, name: &str, value: String) {
        if !self.has(name) {
            self.0.push((name.to_owned(), Some(value)));
        }
    }

    /// All parameters in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref().unwrap_or_default()))
    }
}

fn decode(text: &str) -> String {
    let spaced = if text.contains('+') {
        Cow::Owned(text.replace('+', " "))
    } else {
        Cow::Borrowed(text)
    };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// An operation that was found, and what its path says.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: &'static Operation,
    /// Label and decoded text.
    pub(crate) labels: Vec<(&'static str, String)>,
}

impl Model {
    /// Finds the operation of a REST request. `path` is percent-encoded, as it came.
    pub(crate) fn route(
        &'static self,
        method: &Method,
        path: &str,
        query: &Query,
        headers: &HeaderMap,
    ) -> Option<Route> {
        let mut best: Option<(Rank, Route)> = None;
        for operation in self.operations() {
            if operation.method != method.as_str() {
                continue;
            }
            let Some(labels) = labels(&operation.path, path) else {
                continue;
            };
            let meant = operation.literals.iter().all(|(name, value)| match value {
                Some(value) => query.get(name) == Some(value),
                None => query.has(name),
            });
            if !meant {
                continue;
            }
            let rank = self.rank(operation, query, headers);
            if best.as_ref().is_none_or(|(than, _)| rank > *than) {
                best = Some((rank, Route { operation, labels }));
            }
        }
        best.map(|(_, route)| route)
    }

    /// How well an operation fits whose path does: with everything that it requires, by the query
    /// parameters that make it, by the required parameters and headers that are there.
    fn rank(&self, operation: &Operation, query: &Query, headers: &HeaderMap) -> Rank {
        let (mut complete, mut present) = (true, 0);
        if let Some(input) = operation.input.and_then(|id| self.structure(id)) {
            for member in input.members.iter().filter(|member| member.required) {
                let there = match member.location {
                    Location::Query => query.has(member.wire),
                    Location::Header => headers.contains_key(member.wire),
                    _ => continue,
                };
                complete &= there;
                present += usize::from(there);
            }
        }
        (
            complete,
            operation.literals.len(),
            present,
            operation.served,
        )
    }

    /// The structure of this id.
    pub(crate) fn structure(&self, id: super::ShapeId) -> Option<&Structure> {
        match &self.shape(id).kind {
            Kind::Structure(structure) => Some(structure),
            _ => None,
        }
    }
}

type Rank = (bool, usize, usize, bool);

/// What a path says for an operation's labels, if it is of that form. A slash at the end is nothing.
fn labels(pattern: &[Segment], path: &str) -> Option<Vec<(&'static str, String)>> {
    let mut rest = path.strip_prefix('/')?;
    let mut labels = Vec::new();
    for segment in pattern {
        if let Segment::Greedy(name) = segment {
            if rest.is_empty() {
                return None;
            }
            labels.push((*name, label(rest)));
            return Some(labels);
        }
        let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
        rest = after;
        match segment {
            Segment::Literal(literal) if part == *literal => {}
            Segment::Label(name) if !part.is_empty() => labels.push((*name, label(part))),
            _ => return None,
        }
    }
    rest.is_empty().then_some(labels)
}

fn label(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::call::Service;

    fn route(service: Service, method: &str, uri: &str, header: Option<&'static str>) -> String {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut headers = HeaderMap::new();
        if let Some(name) = header {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Model::of(service)
            .route(&method, path, &Query::parse(query), &headers)
            .map_or_else(
                || "-".to_owned(),
                |route| {
                    let labels: Vec<_> = route
                        .labels
                        .iter()
                        .map(|(name, value)| format!(" {name}={value}"))
                        .collect();
                    format!("{}{}", route.operation.name, labels.concat())
                },
            )
    }

    #[test]
    fn lambda_is_routed_by_path() {
        let lambda = |method, uri| route(Service::Lambda, method, uri, None);
        let functions = "/2015-03-31/functions";
        assert_eq!(lambda("GET", functions), "ListFunctions");
        assert_eq!(lambda("GET", "/2015-03-31/functions/"), "ListFunctions");
        assert_eq!(
            lambda(
                "GET",
                "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Af"
            ),
            "GetFunction FunctionName=arn:aws:lambda:eu-west-1:1:function:f"
        );
        assert_eq!(
            lambda("DELETE", "/2017-03-31/tags/arn%3Aaws?tagKeys=a&tagKeys=b"),
            "UntagResource Resource=arn:aws"
        );
        assert_eq!(
            lambda(
                "GET",
                "/2019-09-30/functions/f/provisioned-concurrency?List=ALL"
            ),
            "ListProvisionedConcurrencyConfigs FunctionName=f"
        );
        assert_eq!(
            lambda(
                "GET",
                "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1"
            ),
            "GetProvisionedConcurrencyConfig FunctionName=f"
        );
        assert_eq!(lambda("GET", "/2015-03-31/functions//policy"), "-");
        assert_eq!(lambda("GET", "/2015-03-31/nothing"), "-");
        assert_eq!(lambda("PATCH", functions), "-");
    }

    #[test]
    fn s3_is_routed_by_query_and_headers_too() {
        let s3 = |method, uri| route(Service::S3, method, uri, None);
        assert_eq!(s3("GET", "/"), "ListBuckets");
        assert_eq!(s3("GET", "/b"), "ListObjects Bucket=b");
        assert_eq!(s3("GET", "/b/"), "ListObjects Bucket=b");
        assert_eq!(
            s3("GET", "/b?list-type=2&prefix=a"),
            "ListObjectsV2 Bucket=b"
        );
        assert_eq!(s3("GET", "/b?versioning"), "GetBucketVersioning Bucket=b");
        assert_eq!(
            s3("GET", "/b?lifecycle"),
            "GetBucketLifecycleConfiguration Bucket=b"
        );
        assert_eq!(
            s3("GET", "/b/a%20b//c%2Bd+/"),
            "GetObject Bucket=b Key=a b//c+d+/"
        );
        assert_eq!(s3("PUT", "/b/k"), "PutObject Bucket=b Key=k");
        assert_eq!(
            route(Service::S3, "PUT", "/b/k", Some("x-amz-copy-source")),
            "CopyObject Bucket=b Key=k"
        );
        assert_eq!(
            s3("PUT", "/b/k?partNumber=1&uploadId=u"),
            "UploadPart Bucket=b Key=k"
        );
        assert_eq!(
            s3("DELETE", "/b/k?uploadId=u"),
            "AbortMultipartUpload Bucket=b Key=k"
        );
        assert_eq!(
            s3("POST", "/b/k?uploads"),
            "CreateMultipartUpload Bucket=b Key=k"
        );
        assert_eq!(s3("POST", "/b?delete"), "DeleteObjects Bucket=b");
        assert_eq!(s3("GET", "/b?acl"), "GetBucketAcl Bucket=b");
    }

    #[test]
    fn queries_are_decoded() {
        let query = Query::parse("a=1+2%2B3&flag&a=%C3%A9&=x&b==");
        assert_eq!(query.all("a").collect::<Vec<_>>(), ["1 2+3", "é"]);
        assert!(query.has("flag"));
        assert_eq!(query.get("flag"), Some(""));
        assert_eq!(query.get("b"), Some("="));
        assert_eq!(query.get("c"), None);
    }
}
