//! A function that listens.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::acts::{End, act};

static AT_ONCE: AtomicU32 = AtomicU32::new(0);

pub(crate) fn run(port: u16) {
    let began = Instant::now();
    let unready: u64 = std::env::var("UNREADY_MS").map_or(0, |ms| ms.parse().unwrap());
    if let Ok(stage) = std::env::var("LOSE_PORT") {
        lose_port(port, &stage);
    }
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    if bound.is_err() && std::env::var_os("STAY").is_some() {
        // As servers do that try again for ever.
        thread::sleep(Duration::from_secs(600));
    }
    let listener = bound.expect("the port is free");
    for stream in listener.incoming() {
        let ready = began.elapsed() >= Duration::from_millis(unready);
        thread::spawn(move || serve(stream.unwrap(), ready));
    }
}

/// Names its port in a file and waits until somebody has taken it, for as many starts as asked.
fn lose_port(port: u16, stage: &str) {
    let times: u32 = std::env::var("LOSE_TIMES").unwrap().parse().unwrap();
    for start in 0..times {
        let taken = format!("{stage}/taken-{start}");
        if !std::path::Path::new(&taken).exists() {
            std::fs::write(format!("{stage}/port-{start}.tmp"), port.to_string()).unwrap();
            std::fs::rename(
                format!("{stage}/port-{start}.tmp"),
                format!("{stage}/port-{start}"),
            )
            .unwrap();
            while !std::path::Path::new(&taken).exists() {
                thread::sleep(Duration::from_millis(2));
            }
            return;
        }
    }
}

fn serve(stream: TcpStream, ready: bool) {
    stream.set_nodelay(true).unwrap();
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let mut headers = serde_json::Map::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_ascii_lowercase(), json!(value.trim()));
        }
        let size = headers
            .get("content-length")
            .and_then(Value::as_str)
            .map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; size];
        stream.read_exact(&mut body).unwrap();
        if path == "/_anyport/health" {
            let status = if ready {
                "200 OK"
            } else {
                "503 Service Unavailable"
            };
            reply(&mut stream, status, "", b"");
            continue;
        }
        answer(&mut stream, &headers, &body);
    }
}

fn answer(
    stream: &mut BufReader<TcpStream>,
    headers: &serde_json::Map<String, Value>,
    body: &[u8],
) {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let status = event["status"].as_str().unwrap_or("200 OK");
    match event["do"].as_str().unwrap_or_default() {
        "headers" => reply(
            stream,
            status,
            "Content-Type: application/json\r\n",
            Value::from(headers.clone()).to_string().as_bytes(),
        ),
        "status" => reply(stream, status, "", b"plain words"),
        "panic" => reply(
            stream,
            "500 Oops",
            "x-anyport-error: unhandled\r\nContent-Type: application/json\r\n",
            br#"{"errorType":"Runtime.Panic","errorMessage":"it did"}"#,
        ),
        "together" => {
            // Answers only once as many calls are here at the same time.
            AT_ONCE.fetch_add(1, Ordering::SeqCst);
            while u64::from(AT_ONCE.load(Ordering::SeqCst)) < event["count"].as_u64().unwrap() {
                thread::sleep(Duration::from_millis(2));
            }
            reply(stream, status, "", b"together");
        }
        "chunks" => {
            stream
                .get_mut()
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                .unwrap();
            for number in 0..3 {
                while let Some(gate) = event["gate"].as_str()
                    && !std::path::Path::new(&format!("{gate}/{number}")).exists()
                {
                    thread::sleep(Duration::from_millis(2));
                }
                let piece = format!("8\r\npiece {number}\n\r\n");
                if stream.get_mut().write_all(piece.as_bytes()).is_err() {
                    return;
                }
                if event["break"].as_u64() == Some(number) {
                    std::process::exit(4);
                }
            }
            stream.get_mut().write_all(b"0\r\n\r\n").unwrap();
        }
        "" => {
            let kind = headers
                .get("content-type")
                .and_then(Value::as_str)
                .unwrap_or("none");
            reply(stream, status, &format!("Content-Type: {kind}\r\n"), body);
        }
        _ => match act(&event) {
            End::Answer(value) => reply(
                stream,
                "200 OK",
                "Content-Type: application/json\r\n",
                value.to_string().as_bytes(),
            ),
            End::Error(kind, message) => {
                let body = json!({"errorType": kind, "errorMessage": message}).to_string();
                reply(
                    stream,
                    "500 Error",
                    "x-anyport-error: handled\r\nContent-Type: application/json\r\n",
                    body.as_bytes(),
                );
            }
        },
    }
}

fn reply(stream: &mut BufReader<TcpStream>, status: &str, headers: &str, body: &[u8]) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    // The engine may have killed the connection on purpose.
    let _ = stream
        .get_mut()
        .write_all(&[head.as_bytes(), body].concat());
}
