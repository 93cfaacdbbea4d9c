//! Ctrl-C, and readers that go away.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::sandbox::{Sandbox, probe_manifest};

fn interrupt(child: &Child) {
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
}

#[test]
fn following_logs_ends_with_ctrl_c() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    sandbox.expect(
        0,
        &[
            "invoke",
            "probe",
            "--data",
            "{\"do\":\"log\",\"text\":\"here\"}",
        ],
    );
    let mut logs = sandbox.start(&["logs", "-f", "probe"]);
    let line = BufReader::new(logs.stdout.take().unwrap())
        .lines()
        .next()
        .unwrap()
        .unwrap();
    assert!(line.ends_with("here 0"), "{line}");
    interrupt(&logs);
    let mut said = String::new();
    logs.stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(logs.wait().unwrap().code(), Some(130));
    // It is how following ends: nothing went wrong.
    assert!(!said.contains("error"), "{said}");
}

#[test]
fn a_call_that_is_interrupted_says_what_may_have_happened() {
    let sandbox = Sandbox::with_probe("timeout = \"60s\"");
    sandbox.expect(0, &["deploy"]);
    let mut call = sandbox.start(&[
        "--json",
        "invoke",
        "probe",
        "--data",
        "{\"do\":\"sleep\",\"ms\":50000,\"mark\":\"asleep\"}",
    ]);
    // The function's own first word says that the call is under way.
    let mut logs = sandbox.start(&["logs", "-f", "probe"]);
    let mut lines = BufReader::new(logs.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("asleep")));
    interrupt(&logs);
    logs.wait().unwrap();
    interrupt(&call);
    let mut said = String::new();
    call.stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(call.wait().unwrap().code(), Some(130));
    let last: serde_json::Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["error"]["exit"], &last["error"]["code"]),
        (&130.into(), &"cancelled".into()),
        "{said}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["completions", "bash"][..],
        &["--help"],
        &["check", "--schema"],
    ] {
        let mut child = sandbox
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        let status = child.wait().unwrap();
        assert_eq!(
            (status.code(), said.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

#[test]
fn a_deployment_that_is_interrupted_names_its_state_and_the_next_one_finishes() {
    let sandbox = Sandbox::with_probe("env = { PROBE_START = \"hang\" }");
    let mut deploy = sandbox.start(&["deploy"]);
    let mut said = BufReader::new(deploy.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("[3/5]") {
        line.clear();
        assert!(
            said.read_line(&mut line).unwrap() > 0,
            "it ended before it was interrupted"
        );
    }
    interrupt(&deploy);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(deploy.wait().unwrap().code(), Some(130), "{rest}");
    for part in ["done: create the function", "left: start the new version"] {
        assert!(rest.contains(part), "{rest}");
    }
    sandbox.write("anyport.toml", &probe_manifest("shop", ""));
    let next = sandbox.expect(0, &["deploy"]);
    assert!(next.contains("an earlier run had left"), "{next}");
    assert_eq!(
        sandbox.expect(0, &["invoke", "probe", "--data", "[]"]),
        "[]"
    );
}

#[test]
fn what_a_killed_command_left_is_cleared_away_by_the_next() {
    let sandbox = Sandbox::with_probe("env = { PROBE_START = \"hang\" }");
    let packed = || -> Vec<std::path::PathBuf> {
        std::fs::read_dir(sandbox.path(""))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.display().to_string().contains("anyport-pack-"))
            .collect()
    };
    let mut deploy = sandbox.start(&["deploy"]);
    let mut said = BufReader::new(deploy.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("[3/5]") {
        line.clear();
        assert!(
            said.read_line(&mut line).unwrap() > 0,
            "it ended before it was killed"
        );
    }
    let [folder] = packed().try_into().unwrap();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "code is in it");
    sandbox.expect(0, &["package", "-o", "out"]);
    assert_eq!(packed(), [folder], "what is in use stays");
    deploy.kill().unwrap();
    deploy.wait().unwrap();
    sandbox.expect(0, &["package", "-o", "out"]);
    assert!(packed().is_empty(), "{:?}", packed());
}
