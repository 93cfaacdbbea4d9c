//! AWS's API as somebody else uses it, past the adapter: signed requests, built and read here.

use std::time::SystemTime;

use anyport::embedded::aws::Credentials;
use anyport_conformance::harness::Missing;
use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{
    PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::host::Running;

/// Who signs, and for where.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) region: String,
}

impl Signer {
    /// Signs a request to `service`, whose URI is absolute.
    pub(crate) fn sign(
        &self,
        service: &str,
        request: &mut Request<Full<Bytes>>,
        body: &[u8],
    ) -> Result<(), Missing> {
        let keys = Keys::new(&self.access_key, &self.secret_key, None, None, "suite");
        let identity = keys.into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Double;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(Missing::because)?
            .into();
        let headers = request.headers().iter();
        let headers =
            headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let uri = request.uri().to_string();
        let method = request.method().as_str();
        let signable = SignableRequest::new(method, uri, headers, SignableBody::Bytes(body))
            .map_err(Missing::because)?;
        let (instructions, _) = sign(signable, &params)
            .map_err(Missing::because)?
            .into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

/// Sends a request whose URI is absolute and reads the whole answer.
pub(crate) async fn send(request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
    let (parts, body) = open(request).await?.into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// Sends a request whose URI is absolute, on a connection of its own.
pub(crate) async fn open(
    mut request: Request<Full<Bytes>>,
) -> Result<Response<hyper::body::Incoming>, String> {
    let say = |error: &dyn std::error::Error| error.to_string();
    let Some(authority) = request.uri().authority().cloned() else {
        return Err("the request says no host".to_owned());
    };
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    *request.uri_mut() = path
        .parse()
        .map_err(|error: http::uri::InvalidUri| say(&error))?;
    let stream = TcpStream::connect(authority.as_str())
        .await
        .map_err(|error| say(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| say(&error))?;
    tokio::spawn(connection);
    sender
        .send_request(request)
        .await
        .map_err(|error| say(&error))
}

/// The API in the name of whoever may do everything.
#[derive(Clone)]
pub(super) struct Api {
    running: Running,
    signer: Signer,
}

impl Api {
    pub(super) fn new(running: &Running) -> Self {
        let Credentials {
            access_key,
            secret_key,
            ..
        } = running.credentials.clone();
        Self {
            signer: Signer {
                access_key,
                secret_key,
                region: running.region.clone(),
            },
            running: running.clone(),
        }
    }

    /// An operation of Lambda: `path` follows `/2015-03-31`.
    pub(super) async fn lambda(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Missing> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let what = format!("{method} {path}");
        let path = format!("/2015-03-31{path}");
        let answer = self
            .call("lambda", method, &path, "application/json", body)
            .await?;
        let odd = |error| Missing::because(format!("{what}: the answer is no JSON: {error}"));
        match answer.is_empty() {
            true => Ok(Value::Null),
            false => serde_json::from_slice(&answer).map_err(odd),
        }
    }

    /// An operation of IAM; the answer is XML.
    pub(super) async fn iam(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Missing> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2010-05-08")
            .extend_pairs(parameters)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        let answer = self.call("iam", Method::POST, "/", kind, form).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    async fn call(
        &self,
        service: &str,
        method: Method,
        path: &str,
        content_type: &str,
        body: String,
    ) -> Result<Bytes, Missing> {
        let what = format!("{service} {method} {path}");
        let body = Bytes::from(body);
        let endpoint = &self.running.endpoint;
        let host = endpoint.trim_start_matches("http://");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{endpoint}{path}"))
            .header("host", host)
            .header("content-type", content_type)
            .body(Full::new(body.clone()))
            .map_err(|error| Missing::because(format!("{what}: {error}")))?;
        self.signer.sign(service, &mut request, &body)?;
        // On the cloud's own runtime: a case's runtime must hold nothing but what the case does.
        let sending = self.running.runtime.spawn(send(request));
        let answer = match sending.await {
            Ok(answer) => answer,
            Err(error) => Err(error.to_string()),
        };
        let answer = answer.map_err(|error| Missing::because(format!("{what}: {error}")))?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let said = String::from_utf8_lossy(answer.body()).into_owned();
        Err(Missing::because(format!(
            "{what}: {} {said}",
            answer.status()
        )))
    }
}
