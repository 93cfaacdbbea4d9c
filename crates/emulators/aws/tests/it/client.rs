//! A small client that signs by itself: it shares no code with what it calls.

use anyport_emulator_aws::{Config, Credentials, Delays, Emulator, Limits};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

/// An AWS that answers at once and refuses nobody for being fast.
pub(crate) async fn start() -> Emulator {
    Emulator::start(quick()).await.unwrap()
}

/// Its settings.
pub(crate) fn quick() -> Config {
    Config::new().delays(Delays::zero()).limits(Limits::off())
}

/// Who asks, and where.
#[derive(Clone)]
pub(crate) struct Client {
    /// `127.0.0.1:PORT`.
    address: String,
    /// The `Host` header; the address unless changed.
    pub(crate) host: String,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) region: String,
    /// More headers of each request.
    pub(crate) headers: Vec<(String, String)>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The text of the first XML element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        let after = self.text().split_once(&format!("<{name}>"))?.1;
        Some(after.split_once(&format!("</{name}>"))?.0)
    }

    /// Itself, if its status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}

impl Client {
    /// The admin of an emulator.
    pub(crate) fn of(emulator: &Emulator) -> Self {
        Self::at(emulator.endpoint(), emulator.credentials().clone())
    }

    /// Who has these credentials, at the endpoint with this URL.
    pub(crate) fn at(endpoint: &str, credentials: Credentials) -> Self {
        let address = endpoint.trim_start_matches("http://").to_owned();
        Self {
            host: address.clone(),
            address,
            credentials: Some(credentials),
            region: "us-east-1".to_owned(),
            headers: Vec::new(),
        }
    }

    /// The same with other credentials, or unsigned.
    pub(crate) fn by(&self, credentials: Option<Credentials>) -> Self {
        Self {
            credentials,
            ..self.clone()
        }
    }

    /// The same with another `Host` name; the port stays.
    pub(crate) fn host(&self, name: &str) -> Self {
        let port = self.address.rsplit_once(':').unwrap().1;
        Self {
            host: format!("{name}:{port}"),
            ..self.clone()
        }
    }

    /// The same with one more header.
    pub(crate) fn header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The port and address that it connects to.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn lambda(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send("lambda", method, path, body).await
    }

    pub(crate) async fn s3(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send("s3", method, path, body).await
    }

    pub(crate) async fn sqs(&self, operation: &str, input: Value) -> Reply {
        self.header("x-amz-target", &format!("AmazonSQS.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .send("sqs", "POST", "/", input.to_string())
            .await
    }

    pub(crate) async fn logs(&self, operation: &str, input: Value) -> Reply {
        self.header("x-amz-target", &format!("Logs_20140328.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            .send("logs", "POST", "/", input.to_string())
            .await
    }

    /// A request of the query protocol to `sts`, `iam` or `sqs`.
    pub(crate) async fn query(
        &self,
        service: &str,
        operation: &str,
        members: &[(&str, &str)],
    ) -> Reply {
        let version = match service {
            "sts" => "2011-06-15",
            "iam" => "2010-05-08",
            _ => "2012-11-05",
        };
        let mut form = format!("Action={operation}&Version={version}");
        for (name, value) in members {
            form.push_str(&format!("&{}={}", encode(name), encode(value)));
        }
        self.header("content-type", "application/x-www-form-urlencoded")
            .send(service, "POST", "/", form)
            .await
    }

    /// Sends a request. `path` is percent-encoded and may have a query.
    pub(crate) async fn send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Reply {
        self.try_send(service, method, path, body).await.unwrap()
    }

    /// Sends a request, of which the connection may break.
    pub(crate) async fn try_send(
        &self,
        service: &str,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Reply, hyper::Error> {
        let response = self.open(self.request(service, method, path, body)).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Reply {
            status,
            headers,
            body,
        })
    }

    /// A signed request.
    pub(crate) fn request(
        &self,
        service: &str,
        method: &str,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Request<Full<Bytes>> {
        let body = body.into();
        let mut headers: Vec<(String, String)> = self
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        headers.push(("host".to_owned(), self.host.clone()));
        if let Some(credentials) = &self.credentials {
            let now = jiff::Timestamp::now()
                .strftime("%Y%m%dT%H%M%SZ")
                .to_string();
            sign(
                credentials,
                (service, &self.region, &now),
                (method, path, &body),
                &mut headers,
            );
        }
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body)).unwrap()
    }

    /// Sends a request and gives the answer whose body is still to come.
    pub(crate) async fn open(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<hyper::body::Incoming>, hyper::Error> {
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the sender and the body.
        tokio::spawn(connection);
        sender.send_request(request).await
    }
}

fn sign(
    credentials: &Credentials,
    (service, region, now): (&str, &str, &str),
    (method, path, body): (&str, &str, &Bytes),
    headers: &mut Vec<(String, String)>,
) {
    let digest = HEXLOWER.encode(&Sha256::digest(body));
    headers.push(("x-amz-date".to_owned(), now.to_owned()));
    headers.push(("x-amz-content-sha256".to_owned(), digest.clone()));
    if let Some(token) = &credentials.session_token {
        headers.push(("x-amz-security-token".to_owned(), token.clone()));
    }
    headers.sort();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let path = if service == "s3" {
        path.to_owned()
    } else {
        path.replace('%', "%25")
    };
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            if pair.contains('=') {
                pair.to_owned()
            } else {
                format!("{pair}=")
            }
        })
        .collect();
    // By name first: `select=` comes before `select-type=`.
    pairs.sort_by(|a, b| a.split('=').cmp(b.split('=')));
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    let canonical = format!(
        "{method}\n{path}\n{}\n{lines}\n{names}\n{digest}",
        pairs.join("&")
    );
    let scope = format!("{}/{region}/{service}/aws4_request", &now[..8]);
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{now}\n{scope}\n{}",
        HEXLOWER.encode(&Sha256::digest(&canonical))
    );
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for part in [&now[..8], region, service, "aws4_request", &to_sign] {
        key = hmac(&key, part);
    }
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
        credentials.access_key,
        HEXLOWER.encode(&key)
    );
    headers.push(("authorization".to_owned(), authorization));
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Percent-encodes as the vendor does: all but letters, digits and `-_.~`.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
