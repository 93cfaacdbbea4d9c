//! What may be sent to a function, and what may not.

use std::fs::File;
use std::io::Write as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

/// What `local://` takes at most.
const MOST: u64 = 32 << 20;

#[test]
fn payloads_that_are_wrong_are_refused_before_they_are_sent() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    File::create(sandbox.path("big.bin"))
        .unwrap()
        .set_len(MOST + 1)
        .unwrap();
    assert_snapshot!(sandbox.session(&[
        &["invoke", "probe", "--data", "not json"],
        &["invoke", "probe", "--data", ""],
        &[
            "invoke",
            "probe",
            "--data",
            "",
            "--content-type",
            "text/plain"
        ],
        &["invoke", "probe", "--file", "nowhere.json"],
        &["invoke", "probe", "--file", "big.bin"],
        &["invoke", "probe", "--file", "big.bin", "--async"],
        &["invoke", "prboe", "--data", "{}"],
        &["invoke", "probe", "--version-id", "9"],
        &["logs", "prboe"],
    ]));
}

#[test]
fn what_is_piped_is_the_payload() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    let send = |bytes: &[u8], more: &[&str]| {
        let arguments = [&["invoke", "probe", "-q"], more].concat();
        let mut child = sandbox
            .command(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may stop reading when it has had too much.
        let _ = child.stdin.take().unwrap().write_all(bytes);
        child.wait_with_output().unwrap()
    };
    // Named or not, what is piped is what is sent.
    for more in [&["--file", "-"][..], &[]] {
        let echo = send(b"{\"a\": [1, 2]}", more);
        assert_eq!(
            (echo.status.code(), echo.stdout.as_slice()),
            (Some(0), &b"{\"a\": [1, 2]}"[..]),
            "{more:?}"
        );
    }
    // Nothing is piped: an empty object; and what is on the command line comes first.
    assert_eq!(send(b"", &[]).stdout, b"{}");
    assert_eq!(send(b"[1]", &["--data", "[2]"]).stdout, b"[2]");
    let not_json = send(b"plain", &[]);
    assert_eq!(
        not_json.status.code(),
        Some(1),
        "it is not dropped in silence"
    );
    let too_long = send(
        &vec![b' '; usize::try_from(MOST).unwrap() + 1],
        &["--content-type", "text/plain"],
    );
    assert_snapshot!(sandbox.seen(&too_long));
}
