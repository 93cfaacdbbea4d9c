//! The Runtime API's server, as the vendor documents it, played step by step by the test.

use std::io::ErrorKind;
use std::net::TcpListener;

use super::await_that;
use super::message::{Message, Wire};
use super::process::Probe;

pub(crate) const ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

pub(crate) struct Api {
    listener: TcpListener,
}

impl Api {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener }
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// Starts the probe as this platform's function.
    pub(crate) fn start(&self, vars: &[(&str, &str)]) -> Probe {
        let address = self.address();
        let mut all = vec![("AWS_LAMBDA_RUNTIME_API", address.as_str())];
        all.extend(vars);
        Probe::start(&all)
    }

    pub(crate) fn accept(&self) -> Wire {
        let mut accepted = None;
        await_that("the probe connects", || match self.listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                accepted = Some(stream);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        });
        Wire::new(accepted.unwrap())
    }

    /// Accepts the probe and its first question for work.
    pub(crate) fn accept_ready(&self) -> Wire {
        let mut wire = self.accept();
        wire.expect_next();
        wire
    }
}

impl Wire {
    pub(crate) fn expect_next(&mut self) {
        let request = self.receive().expect("the probe hung up");
        assert_eq!(
            request.start,
            "GET /2018-06-01/runtime/invocation/next HTTP/1.1"
        );
        assert!(request.header("host").is_some());
        assert!(
            request
                .header("user-agent")
                .unwrap()
                .starts_with("anyport-runtime/")
        );
    }

    /// Hands over an invocation with the headers that the vendor always sends, and these.
    pub(crate) fn hand_over(&mut self, headers: &[(&str, &str)], body: &[u8]) {
        let mut all = vec![
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", ID),
            ("Lambda-Runtime-Deadline-Ms", "1942409706888"),
            (
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-2:123456789012:function:probe",
            ),
            (
                "Lambda-Runtime-Trace-Id",
                "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
            ),
        ];
        all.retain(|(name, _)| {
            !headers
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name))
        });
        all.extend(headers);
        self.send("HTTP/1.1 200 OK", &all, body);
    }

    /// Reads what the probe posts, and accepts it.
    pub(crate) fn expect_post(&mut self, path: &str) -> Message {
        let request = self.receive().expect("the probe hung up");
        assert_eq!(
            request.start,
            format!("POST /2018-06-01/runtime{path} HTTP/1.1")
        );
        self.accepted();
        request
    }

    pub(crate) fn accepted(&mut self) {
        self.send("HTTP/1.1 202 Accepted", &[JSON], br#"{"status":"OK"}"#);
    }

    /// One whole invocation that asks the probe to do something: what it answers.
    pub(crate) fn invoke(&mut self, headers: &[(&str, &str)], body: &[u8]) -> Message {
        self.hand_over(headers, body);
        let answer = self.expect_post(&format!("/invocation/{ID}/response"));
        self.expect_next();
        answer
    }

    /// One whole invocation that fails.
    pub(crate) fn invoke_failing(&mut self, body: &[u8]) -> Message {
        self.hand_over(&[], body);
        let error = self.expect_post(&format!("/invocation/{ID}/error"));
        self.expect_next();
        error
    }
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
