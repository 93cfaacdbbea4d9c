//! The way to functions' URLs.

use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Incoming;

use super::body::{self, ReadError, ReplyBody};
use super::handle::{Front, Hangup, plain};
use super::host::Host;
use super::{faults, ids, limits};
use crate::call::Service;
use crate::fault::Fault;
use crate::services::lambda::url;

/// Where functions' URLs are for clients that can't resolve `*.localhost`.
const URL_PATH: &str = "/_anyport/url/";

/// What the calls are noted as; the vendor's name of the permission.
const OPERATION: &str = "InvokeFunctionUrl";

/// A function's URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    id: String,
    region: String,
    /// What the function sees.
    path_and_query: String,
}

/// The address, if it is a function's URL.
pub(super) fn address(host: &Host, parts: &Parts) -> Option<Address> {
    let path_and_query = parts.uri.path_and_query()?.as_str();
    if let Host::FunctionUrl { id, region } = host {
        return Some(Address {
            id: id.clone(),
            region: region.clone(),
            path_and_query: path_and_query.to_owned(),
        });
    }
    let rest = path_and_query.strip_prefix(URL_PATH)?;
    let (region, rest) = rest.split_once('/')?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (id, rest) = rest.split_at(end);
    let slash = if rest.starts_with('/') { "" } else { "/" };
    Some(Address {
        id: id.to_owned(),
        region: region.to_owned(),
        path_and_query: format!("{slash}{rest}"),
    })
}

impl Front {
    /// Answers a request to a function's URL.
    pub(super) async fn function_url(
        &self,
        address: Address,
        parts: Parts,
        body: Incoming,
    ) -> Result<Response<ReplyBody>, Hangup> {
        let body = match body::read(body, limits::FUNCTION_URL).await {
            Ok(body) => body,
            Err(ReadError::Broken) => return Err(Hangup),
            Err(ReadError::TooLarge) => return Ok(self.refused(StatusCode::PAYLOAD_TOO_LARGE)),
        };
        let fault = self.cloud.faults.strike("lambda", OPERATION);
        if let Some(fault) = &fault
            && let Some(error) = faults::before(Service::Lambda, fault).await?
        {
            let status = error.status.unwrap_or(500);
            return Ok(self.refused(StatusCode::from_u16(status).unwrap_or_default()));
        }
        let call = url::UrlCall {
            url_id: address.id,
            region: address.region,
            parts,
            path_and_query: address.path_and_query,
            body,
            request_id: ids::uuid(),
            cloud: Arc::clone(&self.cloud),
        };
        let response = self
            .until_the_end(url::serve(call))
            .await
            .ok_or(Hangup)?
            .map(ReplyBody::from);
        match fault {
            Some(Fault::ResetAfter) => {
                self.cloud.calls.add("lambda", OPERATION, 0);
                Err(Hangup)
            }
            Some(Fault::FailAfter(status)) => {
                Ok(self.refused(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)))
            }
            fault => {
                let status = response.status().as_u16();
                self.cloud.calls.add("lambda", OPERATION, status);
                Ok(match fault {
                    Some(fault) => faults::spoil(&fault, response),
                    None => response,
                })
            }
        }
    }

    /// An error as function URLs have them: they tell nothing more.
    fn refused(&self, status: StatusCode) -> Response<ReplyBody> {
        self.cloud.calls.add("lambda", OPERATION, status.as_u16());
        plain(status, "{\"Message\":null}")
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn a_functions_url_has_two_forms() {
        let parts = |uri: &str| {
            let request = Request::builder().uri(uri).body(()).unwrap();
            request.into_parts().0
        };
        let host = Host::FunctionUrl {
            id: "abc".to_owned(),
            region: "eu-west-1".to_owned(),
        };
        let is = |id: &str, rest: &str| {
            Some(Address {
                id: id.to_owned(),
                region: "eu-west-1".to_owned(),
                path_and_query: rest.to_owned(),
            })
        };
        assert_eq!(address(&host, &parts("/a?b=c")), is("abc", "/a?b=c"));
        let plain = |uri| address(&Host::Plain, &parts(uri));
        assert_eq!(
            plain("/_anyport/url/eu-west-1/abc/a/?b"),
            is("abc", "/a/?b")
        );
        assert_eq!(plain("/_anyport/url/eu-west-1/abc"), is("abc", "/"));
        assert_eq!(plain("/_anyport/url/eu-west-1/abc?b=c"), is("abc", "/?b=c"));
        assert_eq!(plain("/_anyport/other"), None);
    }
}
