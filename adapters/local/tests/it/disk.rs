//! The disk: full, or not ours to write to. An error in plain words, and nothing lost.

use anyport_core::plan::{self, Change};
use anyport_core::target::TargetUrl;
use anyport_local::Config;

use crate::child;
use crate::support::*;

/// Does `task` in a process that may not write files above `blocks` of 512 bytes.
fn limited(task: &str, state: &State, blocks: u32) -> String {
    // What the child deploys has to be there: it could not write it.
    packed("");
    let child = child::process(task, &state.path());
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

    let said = limited("deploy", &state, 200);
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
    let said = limited("deploy", &state, 0);
    assert!(said.contains("a quota is used up"), "{said}");
    assert_eq!(who(&state.open(), "hello").await.unwrap(), "first");
    deploy(&target, probe("hello", "child")).await.unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "child");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_can_be_removed_while_nothing_can_be_written() {
    let state = State::new();
    let target = state.open();
    deploy(&target, probe("hello", "one")).await.unwrap();
    assert_eq!(who(&target, "hello").await.unwrap(), "one");
    assert_eq!(limited("remove", &state, 0), "ok");
    assert_eq!(state.inventory(), Vec::<String>::new());
    assert_eq!(kind(&who(&target, "hello").await.unwrap_err()), "not_found");
    // Again, with nothing there: that needs no room either.
    assert_eq!(limited("remove", &state, 0), "ok");
}

#[tokio::test]
async fn looking_at_a_state_folder_that_is_not_there_makes_none() {
    let state = State::new();
    let target = state.open();
    let identity = target.identify().await.unwrap();
    assert!(
        identity.principal.ends_with("on this machine"),
        "{identity:?}"
    );
    assert_eq!(
        kind(&target.status(&name("hello")).await.unwrap_err()),
        "not_found"
    );
    let spec = probe("hello", "one").build().unwrap();
    let desired = target
        .desired(name("hello"), plan::State::Present(Box::new(spec)))
        .with_content(packed("").content);
    assert_eq!(target.plan(desired).await.unwrap().change, Change::Created);
    assert_eq!(
        remove(&target, "hello").await.unwrap().change,
        Change::Absent
    );
    assert!(!state.path().exists());
}

#[tokio::test]
async fn a_state_folder_that_others_may_change_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let state = State::new();
    let url: TargetUrl = format!("local://{}", state.path().display())
        .parse()
        .unwrap();
    std::fs::create_dir(state.path()).unwrap();
    for (mode, refused) in [(0o777, true), (0o770, true), (0o755, false), (0o700, false)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(state.path(), permissions).unwrap();
        let opened = anyport_local::connect(&url, Config::new(state.path()));
        assert_eq!(opened.is_err(), refused, "{mode:o}");
        if let Err(error) = opened {
            assert_eq!(kind(&error), "forbidden");
            assert!(error.next_step().unwrap().contains("chmod go-w"), "{error}");
        }
    }
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
