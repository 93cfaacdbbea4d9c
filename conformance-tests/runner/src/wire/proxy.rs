//! A proxy on loopback that passes requests on and is wrong about some.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyport_conformance::harness::Missing;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header, request};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Fault;
use super::fault::{How, operation};
use crate::aws::{Signer, open};

/// Why a connection is closed.
type Failure = String;
type Body = BoxBody<Bytes, hyper::Error>;

/// The most bytes of a body.
const MOST: usize = 128 << 20;

/// A running proxy; it ends when it is dropped.
pub(crate) struct Proxy {
    endpoint: String,
    serving: JoinHandle<()>,
}

impl Proxy {
    /// Starts one on the current runtime.
    pub(crate) async fn start(
        upstream: String,
        fault: &'static Fault,
        signer: Signer,
    ) -> Result<Self, Missing> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(Missing::because)?;
        let address = listener.local_addr().map_err(Missing::because)?;
        let wire = Arc::new(Wire {
            upstream,
            fault,
            signer,
            remembered: Mutex::default(),
        });
        Ok(Self {
            endpoint: format!("http://{address}"),
            serving: tokio::spawn(serve(listener, wire)),
        })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, wire: Arc<Wire>) {
    while let Ok((stream, _)) = listener.accept().await {
        let wire = Arc::clone(&wire);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let wire = Arc::clone(&wire);
                async move { wire.pass(request).await }
            });
            let connection = hyper::server::conn::http1::Builder::new();
            // A client that goes away ends its connection; one that should lose its reply is cut off here.
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// What was answered, to be answered again.
#[derive(Clone)]
struct Kept {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

struct Wire {
    upstream: String,
    fault: &'static Fault,
    signer: Signer,
    remembered: Mutex<BTreeMap<String, Kept>>,
}

impl Wire {
    async fn pass(&self, request: Request<Incoming>) -> Result<Response<Body>, Failure> {
        let (mut parts, body) = request.into_parts();
        let mut body = collected(body).await?;
        let struck = self.fault.on.contains(&operation(&parts));
        if !struck {
            return Ok(self.send(&parts, &body).await?.map(BodyExt::boxed));
        }
        match self.fault.how {
            How::Request(change) => {
                change(&mut parts, &mut body);
                self.sign(&mut parts, &body)?;
                Ok(self.send(&parts, &body).await?.map(BodyExt::boxed))
            }
            How::Reply(change) => {
                let kept = self.whole(&parts, &body).await?;
                let (mut parts, ()) = Response::new(()).into_parts();
                (parts.status, parts.headers) = (kept.status, kept.headers);
                let mut body = kept.body;
                change(&mut parts, &mut body);
                Ok(Response::from_parts(parts, full(body)))
            }
            How::Twice => {
                self.whole(&parts, &body).await?;
                Ok(self.send(&parts, &body).await?.map(BodyExt::boxed))
            }
            How::LosesReply => {
                self.whole(&parts, &body).await?;
                Err("the reply is lost on purpose".to_owned())
            }
            How::Remembers => {
                let key = format!("{} {}", parts.method, parts.uri);
                let known = self.remembered().get(&key).cloned();
                let kept = match known {
                    Some(kept) => kept,
                    None => self.whole(&parts, &body).await?,
                };
                if kept.status.is_success() {
                    self.remembered().insert(key, kept.clone());
                }
                let mut reply = Response::new(full(kept.body));
                (*reply.status_mut(), *reply.headers_mut()) = (kept.status, kept.headers);
                Ok(reply)
            }
        }
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Kept>> {
        self.remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Signs a request that was changed. Only its own headers are signed: those that hyper adds are not there yet.
    fn sign(&self, parts: &mut request::Parts, body: &Bytes) -> Result<(), Failure> {
        let told = parts.headers.get(header::AUTHORIZATION);
        // `Credential=KEY/DATE/REGION/SERVICE/aws4_request`
        let service = told
            .and_then(|told| told.to_str().ok())
            .and_then(|told| told.split('/').nth(3))
            .ok_or("the request is not signed")?
            .to_owned();
        for name in ["authorization", "x-amz-date", "x-amz-content-sha256"] {
            parts.headers.remove(name);
        }
        parts
            .headers
            .insert(header::CONTENT_LENGTH, body.len().into());
        let host = parts
            .headers
            .get(header::HOST)
            .ok_or("the request has no host")?;
        let host = host.to_str().map_err(|error| error.to_string())?;
        let uri = format!("http://{host}{}", parts.uri);
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = parts.method.clone();
        *request.headers_mut() = parts.headers.clone();
        *request.uri_mut() = parsed(&uri)?;
        self.signer
            .sign(&service, &mut request, body)
            .map_err(|missing| missing.to_string())?;
        parts.headers = request.headers().clone();
        Ok(())
    }

    async fn send(
        &self,
        parts: &request::Parts,
        body: &Bytes,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = parts.method.clone();
        *request.headers_mut() = parts.headers.clone();
        *request.uri_mut() = parsed(&format!("{}{}", self.upstream, parts.uri))?;
        open(request).await
    }

    async fn whole(&self, parts: &request::Parts, body: &Bytes) -> Result<Kept, Failure> {
        let (parts, body) = self.send(parts, body).await?.into_parts();
        let body = collected(body).await?;
        let mut headers = parts.headers;
        // They are the connection's, and the body's length may change.
        for name in [
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
            header::CONNECTION,
        ] {
            headers.remove(name);
        }
        Ok(Kept {
            status: parts.status,
            headers,
            body,
        })
    }
}

async fn collected(body: Incoming) -> Result<Bytes, Failure> {
    let body = Limited::new(body, MOST).collect().await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|error| error.to_string())
}

fn parsed(uri: &str) -> Result<http::Uri, Failure> {
    uri.parse()
        .map_err(|error: http::uri::InvalidUri| error.to_string())
}

fn full(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed()
}
