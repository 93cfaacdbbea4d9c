//! Which service a request is for.

use http::request::Parts;

use super::host::Host;
use crate::call::Service;
use crate::model::{Model, Query};
use crate::sigv4;

/// What a request is for, as far as its line and headers tell.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination {
    Service(Service),
    /// The body tells: an unsigned form.
    Form,
}

/// Finds the service: the scope of the signature, else the target header, the host, the path.
pub(super) fn find(parts: &Parts, host: &Host) -> Destination {
    if let Some(service) = sigv4::scope_service(parts)
        .or_else(|| by_target(parts))
        .or_else(|| by_host(host))
    {
        return Destination::Service(service);
    }
    let path = parts.uri.path();
    if is_dated(path) {
        return Destination::Service(Service::Lambda);
    }
    let query = parts.uri.query().unwrap_or_default();
    if let Some(service) = by_version(&Query::parse(query)) {
        return Destination::Service(service);
    }
    if is_form(parts) {
        return Destination::Form;
    }
    Destination::Service(Service::S3)
}

/// Whether the body is a form.
pub(super) fn is_form(parts: &Parts) -> bool {
    parts
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

/// The service of a query request, by the API version that it names.
pub(super) fn by_version(form: &Query) -> Option<Service> {
    form.get("Action")?;
    let version = form.get("Version")?;
    [Service::Sts, Service::Iam, Service::Sqs]
        .into_iter()
        .find(|service| Model::of(*service).version == version)
}

fn by_target(parts: &Parts) -> Option<Service> {
    let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
    let (prefix, _) = target.split_once('.')?;
    [Service::Sqs, Service::Logs]
        .into_iter()
        .find(|service| Model::of(*service).target_prefix == Some(prefix))
}

fn by_host(host: &Host) -> Option<Service> {
    match host {
        Host::Service(name) if name == "queue" => Some(Service::Sqs),
        Host::Service(name) => Service::by_name(name),
        Host::Bucket(_) => Some(Service::S3),
        _ => None,
    }
}

/// Whether a path starts with a date, as all of Lambda's do.
fn is_dated(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default().as_bytes();
    first.len() == 10
        && first.iter().enumerate().all(|(index, byte)| match index {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(uri: &str, headers: &[(&'static str, &'static str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn an_unsigned_request_is_told_by_what_it_looks_like() {
        let found = |uri, headers: &[_]| find(&parts(uri, headers), &Host::Plain);
        let is = Destination::Service;
        assert_eq!(found("/2015-03-31/functions", &[]), is(Service::Lambda));
        assert_eq!(
            found("/", &[("x-amz-target", "AmazonSQS.SendMessage")]),
            is(Service::Sqs)
        );
        assert_eq!(
            found("/?Action=GetCallerIdentity&Version=2011-06-15", &[]),
            is(Service::Sts)
        );
        assert_eq!(
            found(
                "/",
                &[(
                    "content-type",
                    "application/x-www-form-urlencoded; charset=utf-8"
                )]
            ),
            Destination::Form
        );
        assert_eq!(found("/bucket/key", &[]), is(Service::S3));
    }
}
