//! Events that wait for somebody to hold the target open.

use std::io::{BufRead as _, BufReader};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::sandbox::Sandbox;

#[test]
fn an_event_waits_until_the_target_is_held_open() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    let id = sandbox.expect(
        0,
        &[
            "invoke",
            "probe",
            "--async",
            "--data",
            "{\"do\":\"log\",\"text\":\"delivered\"}",
        ],
    );
    let id = id.trim();
    let mut dev = sandbox.start(&["dev", "--json"]);
    let lines = BufReader::new(dev.stdout.take().unwrap()).lines();
    let line = lines
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .find(|line| line["text"] == "delivered 0")
        .unwrap();
    assert_eq!(
        (line["request_id"].as_str(), &line["schema"]),
        (Some(id), &1.into())
    );
    kill(Pid::from_raw(dev.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(dev.wait().unwrap().code(), Some(130));
}
