//! The disk: full, or not ours to write to. An error in plain words, and nothing lost.

use anyport_core::target::TargetUrl;
use anyport_local::Config;

use crate::child;
use crate::support::*;

/// Deploys in a process that may not write files above `blocks` of 512 bytes.
fn limited(state: &State, blocks: u32) -> String {
    let child = child::process("deploy", &state.path());
    let mut shell = std::process::Command::new("/bin/sh");
    // A signal that is ignored makes the write fail instead, as a full disk does.
    shell.args([
        "-c",
        &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""),
    ]);
    shell.arg(child.get_program()).args(child.get_args());
    for (name, value) in child.get_envs() {
        shell.env(name, value.unwrap());
    }
    let output = shell.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    child::answers(&text).join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_a_release_and_the_old_one_keeps_serving() {
    let state = State::new();
    let target = state.open();
    // Another artifact than the child's, which therefore has to upload its own.
    let first = packed("first");
    let spec = spec_of("hello", &first).env("PROBE_VARIANT", "first");
    target
        .deploy(spec.build().unwrap(), first.content)
        .await
        .unwrap();
    let before = state.inventory();

    let said = limited(&state, 200);
    assert!(
        said.contains("a quota is used up") && said.contains("make room"),
        "{said}"
    );
    assert_eq!(who(&target, "hello").await.unwrap(), "first");
    let left: Vec<String> = state.inventory();
    let new: Vec<&String> = left.iter().filter(|path| !before.contains(path)).collect();
    assert_eq!(new, Vec::<&String>::new());

    assert_eq!(said.matches("make room").count(), 1, "{said}");
    assert!(!said.contains("No space left"), "{said}");

    // Not even the record can be written.
    let said = limited(&state, 0);
    assert!(said.contains("a quota is used up"), "{said}");
    assert_eq!(who(&state.open(), "hello").await.unwrap(), "first");
    deploy(&target, probe("hello", "child")).await.unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "child");
}

#[tokio::test]
async fn a_state_folder_that_cannot_be_made_is_refused_with_its_reason() {
    for (url, words) in [
        ("local:///dev/null/state", "/dev/null/state"),
        ("local://relative/state", "absolute path"),
        ("lambda://embedded", "scheme is local"),
    ] {
        let url: TargetUrl = url.parse().unwrap();
        let error = anyport_local::connect(&url, Config::new("/nonexistent"))
            .err()
            .unwrap();
        assert!(error.to_string().contains(words), "{error}");
    }
}
