//! Templates: what they make runs.

use std::fs;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use crate::sandbox::{Sandbox, has};

#[test]
fn nothing_is_overwritten() {
    let sandbox = Sandbox::new();
    sandbox.write("hello/src/app.py", "mine");
    assert_snapshot!(sandbox.session(&[
        &["init", "hello", "-t", "python"],
        &["init", "greeter", "-t", "python"],
        &["init", "greeter", "-t", "node"],
        &["init", "My Function!", "-t", "node"],
        &["init", "ruby", "-t", "ruby"],
        &["init", "named", "--name", "No Name", "-t", "node"],
    ]));
    assert_eq!(
        fs::read_to_string(sandbox.path("hello/src/app.py")).unwrap(),
        "mine"
    );
    assert!(
        !sandbox.path("hello/anyport.toml").exists(),
        "nothing is written where anything is there"
    );
}

fn runs(template: &str, more: &[&str], prepare: impl Fn(&mut Command, &Path)) {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("greeter");
    sandbox.expect(
        0,
        &[&["init", "greeter", "--template", template], more].concat(),
    );
    let inside = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.current_dir(&folder);
        prepare(&mut command, &folder);
        command.output().unwrap()
    };
    for arguments in [&["check"][..], &["deploy"]] {
        let output = inside(arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{template}: {}",
            sandbox.seen(&output)
        );
    }
    let output = inside(&["invoke", "greeter", "--data", "{\"name\":\"Ada\"}", "-q"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Hello, Ada"), "{template}: {said}");
    let output = inside(&["invoke", "greeter", "--data", "{\"name\":\"\"}", "-q"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("name must not be empty"));
}

#[test]
fn the_python_template_runs() {
    if has("python3") {
        runs("python", &[], |_, _| {});
    }
}

#[test]
fn the_node_template_runs() {
    if has("node") {
        runs("node", &[], |_, _| {});
    }
}

#[test]
fn the_rust_template_runs() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runtime = repository.join("crates/runtime");
    let more = ["--runtime", runtime.to_str().unwrap()];
    runs("rust", &more, |command, folder| {
        // The versions that the workspace has on this machine already; nothing is looked for on the network.
        fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        command
            .env(
                "CARGO_TARGET_DIR",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("template"),
            )
            .env("CARGO_PROFILE_RELEASE_LTO", "false")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    });
}
