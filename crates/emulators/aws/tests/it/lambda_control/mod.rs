//! Lambda's control plane: functions, versions, aliases and what is set on them.

mod names;
mod permissions;
mod settings;
mod states;
mod versions;

use std::time::{Duration, SystemTime};

use anyport_emulator_aws::{Clock, Config, Emulator, Limits};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::client::{Client, Reply, encode, quick, start};

pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/anyport-embedded";
const FUNCTIONS: &str = "/2015-03-31/functions";

/// A package whose `bootstrap` is this text.
pub(crate) fn package(text: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("source");
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("bootstrap"), text).unwrap();
    let archive = dir.path().join("code.zip");
    let packer = anyport_package::Packer::new(anyport_package::Limits::default());
    packer.dir(&source, &archive).unwrap();
    std::fs::read(&archive).unwrap()
}

fn zip_file(text: &str) -> String {
    BASE64.encode(&package(text))
}

fn creation(name: &str) -> Value {
    json!({
        "FunctionName": name, "Runtime": "provided.al2023", "Role": ROLE,
        "Handler": "bootstrap", "Code": { "ZipFile": zip_file("#!/bin/sh\n") },
    })
}

async fn create(client: &Client, name: &str) -> Value {
    let reply = client.lambda("POST", FUNCTIONS, creation(name)).await;
    reply.expect(201).json()
}

async fn get(client: &Client, path: &str) -> Value {
    let path = format!("{FUNCTIONS}/{path}");
    client
        .lambda("GET", &path, Value::Null)
        .await
        .expect(200)
        .json()
}

#[track_caller]
fn refused(reply: Reply, status: u16, code: &str, message: &str) {
    let reply = reply.expect(status);
    assert_eq!(reply.header("x-amzn-errortype"), code, "{reply:?}");
    let body = reply.json();
    let said = body["message"].as_str().or(body["Message"].as_str());
    let said = said.unwrap_or_else(|| panic!("no message: {body}"));
    assert!(said.contains(message), "{said}");
}

/// An AWS whose time stands still until it is moved.
async fn standing() -> (Emulator, Client) {
    let clock = Clock::manual(SystemTime::now());
    let mut delays = anyport_emulator_aws::Delays::default();
    delays.role = Duration::ZERO;
    let config = Config::new()
        .clock(clock)
        .limits(Limits::off())
        .delays(delays);
    let aws = Emulator::start(config).await.unwrap();
    let client = Client::of(&aws);
    (aws, client)
}

const A_WHILE: Duration = Duration::from_secs(1);
