//! The few calls of IAM that tests need, signed and sent by hand.

use std::time::SystemTime;

use anyport_emulator_aws::Emulator;
use aws_sdk_lambda::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Makes one call as the account's administrator, and returns the answer's body.
pub(crate) async fn call(emulator: &Emulator, fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        text.bytes()
            .map(|byte| match byte {
                byte if plain(byte) => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    let body = pairs.collect::<Vec<_>>().join("&");
    let keys = emulator.credentials();
    let identity = Credentials::new(&keys.access_key, &keys.secret_key, None, None, "test").into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("iam")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let host = emulator.endpoint().trim_start_matches("http://");
    let uri = format!("http://{host}/");
    let kind = "application/x-www-form-urlencoded";
    let headers = [("host", host), ("content-type", kind)];
    let request = SignableRequest::new(
        "POST",
        &uri,
        headers.into_iter(),
        SignableBody::Bytes(body.as_bytes()),
    );
    let (signed, _) = sign(request.unwrap(), &params).unwrap().into_parts();
    let (signed, _) = signed.into_parts();
    let mut text = format!(
        "POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    for header in signed {
        text.push_str(&format!("{}: {}\r\n", header.name(), header.value()));
    }
    let mut connection = TcpStream::connect(host).await.unwrap();
    let whole = format!("{text}\r\n{body}");
    connection.write_all(whole.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}
