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
        &["init", "python", "hello"],
        &["init", "python", "greeter"],
        &["init", "node", "greeter"],
        &["init", "node", "My Function!"],
        &["init", "ruby", "greeter"],
        &["init", "node", "named", "--name", "No Name"],
        &["init", "rust", "elsewhere", "--runtime", "hello"],
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

fn runs(template: &str, prepare: impl Fn(&mut Command, &Path)) {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("greeter");
    sandbox.expect(0, &["init", template, "greeter"]);
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
        runs("python", |_, _| {});
    }
}

#[test]
fn the_node_template_runs() {
    if has("node") {
        runs("node", |_, _| {});
    }
}

#[test]
fn the_rust_template_runs() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // The executable is in the checkout's target folder: that is where the runtime is taken from.
    runs("rust", |command, folder| {
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

/// The lines of the README are what a new user types first.
#[test]
fn the_readme_starts_a_function_as_the_command_line_does() {
    let readme = include_str!("../../../../README.md");
    let line = readme
        .lines()
        .find_map(|line| line.strip_prefix("anyport init "))
        .unwrap();
    let arguments: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
    let sandbox = Sandbox::new();
    sandbox.expect(0, &[&["init"], arguments.as_slice()].concat());
    assert!(sandbox.path("hello/anyport.toml").exists(), "{line}");
    let installed = readme
        .find("cargo install --locked --path crates/cli")
        .unwrap();
    assert!(
        installed < readme.find("anyport init ").unwrap(),
        "`anyport` is used before it is on the path"
    );
}
