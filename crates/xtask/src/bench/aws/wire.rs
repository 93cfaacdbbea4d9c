//! Signed requests over one connection, with nothing in between: what any client of AWS pays at least.

use std::time::SystemTime;

use aws_sdk_lambda::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::commands::Failure;

/// The region of everything that is measured.
pub(super) const REGION: &str = "us-east-1";

/// An access key.
#[derive(Clone)]
pub(super) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: String,
}

impl Keys {
    pub(super) fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
        }
    }
}

/// An AWS, embedded or a peer's.
#[derive(Clone)]
pub(super) struct Place {
    /// `http://127.0.0.1:PORT`.
    pub(super) endpoint: String,
    pub(super) account: String,
    pub(super) keys: Keys,
}

/// One connection. Ends with the value.
pub(super) struct Wire {
    sender: SendRequest<Full<Bytes>>,
    place: Place,
    connection: JoinHandle<()>,
}

impl Wire {
    /// Connects.
    pub(super) async fn open(place: &Place) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address(&place.endpoint)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(async move {
            // A connection that breaks fails the request on it.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            place: place.clone(),
            connection,
        })
    }

    /// A request of Lambda, signed now.
    pub(super) fn request(
        &self,
        method: &Method,
        path: &str,
        body: &'static str,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        self.request_with(method, path, body, &[])
    }

    /// A request of Lambda with more headers, signed now.
    pub(super) fn request_with(
        &self,
        method: &Method,
        path: &str,
        body: &'static str,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let Keys {
            access_key,
            secret_key,
        } = &self.place.keys;
        let identity = Credentials::new(access_key, secret_key, None, None, "measured").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name("lambda")
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let url = format!("{}{path}", self.place.endpoint);
        let content = SignableBody::Bytes(body.as_bytes());
        let signable =
            SignableRequest::new(method.as_str(), url, headers.iter().copied(), content)?;
        let (signature, _) = sign(signable, &params)?.into_parts();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, address(&self.place.endpoint));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Full::new(Bytes::from_static(body.as_bytes())))?;
        signature.apply_to_request_http1x(&mut request);
        Ok(request)
    }

    /// The answer, read to its end.
    pub(super) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// The end of the function's log, where it was asked for.
    pub(super) fn log(&self) -> Result<String, Failure> {
        let tail = self.headers.get("x-amz-log-result");
        let tail = tail.ok_or("there is no log in an answer")?;
        Ok(String::from_utf8(BASE64.decode(tail.as_bytes())?)?)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn address(endpoint: &str) -> &str {
    endpoint.trim_start_matches("http://")
}

/// Where a function is invoked.
pub(super) fn invocations(function: &str) -> String {
    format!("/2015-03-31/functions/{function}/invocations")
}
