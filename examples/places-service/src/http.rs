//! The service's own interface.

use std::convert::Infallible;
use std::sync::Arc;

use anyport::ErrorKind;
use anyport::call::Call;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::places::Places;

/// The largest body that is taken, and passed on.
const MOST: usize = 4 << 20;

/// Serves until it is dropped.
pub(crate) async fn serve(listener: TcpListener, places: Arc<Places>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let places = Arc::clone(&places);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let places = Arc::clone(&places);
                async move { Ok::<_, Infallible>(answer(&places, request).await) }
            });
            // Whatever breaks a connection, its peer is gone.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

async fn answer(places: &Places, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Some((name, target)) = places.of(request.uri().path().trim_start_matches('/')) else {
        return say(StatusCode::NOT_FOUND, "there is no such function");
    };
    let (name, target) = (name.clone(), target.clone());
    let content_type = request.headers().get(CONTENT_TYPE).cloned();
    let Ok(body) = Limited::new(request.into_body(), MOST).collect().await else {
        return say(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    };
    let mut call = Call::new(name, body.to_bytes());
    if let Some(kind) = content_type.as_ref().and_then(|kind| kind.to_str().ok()) {
        call.content_type = kind.to_owned();
    }
    match invoke(target, call).await {
        Ok(response) => response,
        Err(error) => {
            // The caller learns what kind it was; the operator reads the rest.
            eprintln!("error: {error}");
            match error.kind() {
                ErrorKind::Function(_) => say(StatusCode::BAD_GATEWAY, "the function failed"),
                ErrorKind::Timeout(_) => say(StatusCode::GATEWAY_TIMEOUT, "it took too long"),
                ErrorKind::Throttled { .. } => say(StatusCode::TOO_MANY_REQUESTS, "too many calls"),
                _ => say(StatusCode::SERVICE_UNAVAILABLE, "it cannot be reached now"),
            }
        }
    }
}

async fn invoke(target: anyport::Target, call: Call) -> anyport::Result<Response<Full<Bytes>>> {
    let reply = target.invoke(call).await?;
    let body = reply.body.collect(MOST as u64).await?;
    let mut response = Response::new(Full::new(body));
    if let Ok(kind) = reply.content_type.parse() {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    Ok(response)
}

fn say(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use anyport_testkit::find_probe;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;

    fn manifest(folder: &Path) -> String {
        let probe = find_probe(None).unwrap();
        let (probe, folder) = (probe.display(), folder.display());
        format!(
            r#"
            schema = 1
            app = "test"
            [env.dev.at]
            here = "local://{folder}/here"
            there = "local://{folder}/there"
            [function.first]
            at = "here"
            source = {{ bin = "{probe}" }}
            [function.second]
            at = "there"
            source = {{ bin = "{probe}" }}
            "#
        )
    }

    #[tokio::test]
    async fn functions_are_called_by_name_wherever_they_are() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("anyport.toml"), manifest(folder.path())).unwrap();
        let places = Arc::new(Places::deploy(folder.path(), "dev").await.unwrap());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(serve(listener, places));
        for (path, status, body) in [
            ("first", "200", r#"{"do":"echo"}"#),
            ("second", "200", r#"{"do":"echo"}"#),
            ("third", "404", "{}"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let length = body.len();
            let request = format!(
                "POST /{path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
        }
        server.abort();
    }
}
