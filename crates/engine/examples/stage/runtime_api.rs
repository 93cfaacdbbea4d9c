//! A function over the Lambda Runtime API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use crate::acts::{End, act};

/// One kept connection.
struct Api {
    stream: BufReader<TcpStream>,
    host: String,
}

struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }
}

impl Api {
    fn connect(host: &str) -> Self {
        let stream = TcpStream::connect(host).expect("the Runtime API is there");
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
            host: host.to_owned(),
        }
    }

    fn send(&mut self, method: &str, path: &str, headers: &str, body: Option<&[u8]>) -> Reply {
        let mut request = format!(
            "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {}\r\n{headers}",
            self.host
        )
        .into_bytes();
        if let Some(body) = body {
            request.extend(format!("Content-Length: {}\r\n", body.len()).into_bytes());
        }
        request.extend(b"\r\n");
        request.extend(body.unwrap_or_default());
        self.stream
            .get_mut()
            .write_all(&request)
            .expect("the Runtime API takes a request");
        self.read()
    }

    fn read(&mut self) -> Reply {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status");
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut reply = Reply {
            status,
            headers,
            body: Vec::new(),
        };
        if reply.header("transfer-encoding").is_some() {
            loop {
                let mut line = String::new();
                self.stream.read_line(&mut line).unwrap();
                let size = usize::from_str_radix(line.trim(), 16).unwrap();
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk).unwrap();
                reply.body.extend(&chunk[..size]);
                if size == 0 {
                    break;
                }
            }
        } else {
            let size = reply
                .header("content-length")
                .map_or(0, |size| size.parse().unwrap());
            reply.body = vec![0; size];
            self.stream.read_exact(&mut reply.body).unwrap();
        }
        reply
    }

    fn chunk(&mut self, bytes: &[u8]) {
        let head = format!("{:x}\r\n", bytes.len());
        let whole = [head.as_bytes(), bytes, b"\r\n"].concat();
        self.stream.get_mut().write_all(&whole).unwrap();
    }
}

pub(crate) fn run(host: &str) {
    let mut api = Api::connect(host);
    match std::env::var("INIT").as_deref() {
        Ok("exit") => {
            eprintln!("about to give up");
            std::process::exit(7);
        }
        Ok("hang") => sleep(Duration::from_secs(600)),
        Ok("error") => {
            let body =
                json!({"errorType": "Stage.Unready", "errorMessage": "not today"}).to_string();
            let status = api
                .send(
                    "POST",
                    "init/error",
                    "Lambda-Runtime-Function-Error-Type: Stage.Unready\r\n",
                    Some(body.as_bytes()),
                )
                .status;
            std::process::exit(i32::from(status != 202));
        }
        Ok("alloc") => {
            crate::acts::act(&json!({"do": "alloc", "mb": 512}));
        }
        _ => {}
    }
    loop {
        let call = api.send("GET", "invocation/next", "", None);
        if call.status != 200 {
            std::process::exit(0);
        }
        let id = call
            .header("lambda-runtime-aws-request-id")
            .expect("a request id")
            .to_owned();
        serve(&mut api, &id, &call);
    }
}

fn serve(api: &mut Api, id: &str, call: &Reply) {
    let respond = format!("invocation/{id}/response");
    let event: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    match event["do"].as_str().unwrap_or_default() {
        "headers" => {
            let seen: serde_json::Map<_, _> = call
                .headers
                .iter()
                .map(|(k, v)| (k.clone(), json!(v)))
                .collect();
            api.send(
                "POST",
                &respond,
                "Content-Type: application/json\r\n",
                Some(Value::from(seen).to_string().as_bytes()),
            );
        }
        "twice" => {
            let first = api.send("POST", &respond, "", Some(b"1"));
            let second = api.send("POST", &respond, "", Some(b"2"));
            let stranger = api.send("POST", "invocation/other/response", "", Some(b"3"));
            println!("{} {} {}", first.status, second.status, stranger.status);
            println!("{}", String::from_utf8_lossy(&second.body));
            println!("{}", String::from_utf8_lossy(&stranger.body));
        }
        "stream" => stream(api, &respond, &event),
        "half" => {
            // Promises more than it sends, and goes.
            let head = format!(
                "POST /2018-06-01/runtime/{respond} HTTP/1.1\r\nHost: {}\r\nContent-Length: 100\r\n\r\nhalf",
                api.host
            );
            api.stream.get_mut().write_all(head.as_bytes()).unwrap();
            std::process::exit(3);
        }
        "parting" => {
            // Answers and goes, without waiting to hear that the answer arrived.
            let head = format!(
                "POST /2018-06-01/runtime/{respond} HTTP/1.1\r\nHost: {}\r\nContent-Length: 6\r\n\r\n\"bye!\"",
                api.host
            );
            api.stream.get_mut().write_all(head.as_bytes()).unwrap();
            std::process::exit(0);
        }
        "linger" => {
            // Answers, and does not come back.
            api.send("POST", &respond, "", Some(b"null"));
            sleep(Duration::from_secs(600));
        }
        "raw" | "" if event.is_null() || event["do"] == "raw" => {
            let kind = call.header("content-type").unwrap_or("none").to_owned();
            api.send(
                "POST",
                &respond,
                &format!("Content-Type: {kind}\r\n"),
                Some(&call.body),
            );
        }
        _ => match act(&event) {
            End::Answer(value) => {
                let status = api
                    .send(
                        "POST",
                        &respond,
                        "Content-Type: application/json\r\n",
                        Some(value.to_string().as_bytes()),
                    )
                    .status;
                if status == 413 {
                    println!("too large, it said");
                }
            }
            End::Error(kind, message) => {
                let body =
                    json!({"errorType": kind, "errorMessage": message, "stackTrace": ["here"]})
                        .to_string();
                let headers = format!(
                    "Lambda-Runtime-Function-Error-Type: {kind}\r\nContent-Type: application/json\r\n"
                );
                api.send(
                    "POST",
                    &format!("invocation/{id}/error"),
                    &headers,
                    Some(body.as_bytes()),
                );
            }
        },
    }
}

/// Streams numbered pieces; each waits for a file of its number, so that the test sets the pace.
fn stream(api: &mut Api, respond: &str, event: &Value) {
    let head = format!(
        "POST /2018-06-01/runtime/{respond} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\
         Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: text/plain\r\n\
         Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n",
        api.host
    );
    api.stream.get_mut().write_all(head.as_bytes()).unwrap();
    let count = event["count"].as_u64().unwrap_or(3);
    let size = usize::try_from(event["size"].as_u64().unwrap_or(0)).unwrap();
    for number in 0..count {
        if let Some(gate) = event["gate"].as_str() {
            let file = format!("{gate}/{number}");
            while !std::path::Path::new(&file).exists() {
                sleep(Duration::from_millis(2));
            }
        }
        let mut piece = format!("piece {number}\n").into_bytes();
        piece.resize(piece.len().max(size), b'.');
        api.chunk(&piece);
        if let Some(done) = event["progress"].as_str() {
            std::fs::write(done, number.to_string()).unwrap();
        }
    }
    match event["end"].as_str() {
        Some("exit") => std::process::exit(9),
        Some("hang") => sleep(Duration::from_secs(600)),
        Some("error") => {
            // {"errorType":"Stage.Late","errorMessage":"too late"}
            let body = "eyJlcnJvclR5cGUiOiJTdGFnZS5MYXRlIiwiZXJyb3JNZXNzYWdlIjoidG9vIGxhdGUifQ==";
            let tail = format!(
                "0\r\nLambda-Runtime-Function-Error-Type: Stage.Late\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n"
            );
            api.stream.get_mut().write_all(tail.as_bytes()).unwrap();
        }
        _ => api.stream.get_mut().write_all(b"0\r\n\r\n").unwrap(),
    }
    api.read();
}
