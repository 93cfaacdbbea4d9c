//! Help, versions, completions and wrong arguments.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn help_names_every_command_and_exit_code() {
    assert_snapshot!(Sandbox::new().run(&["--help"]));
}

#[test]
fn wrong_arguments_end_with_1_because_2_means_changes() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.session(&[
        &["deplyo"],
        &["deploy", "--colour", "never"],
        &["invoke"],
        &["traffic", "hello", "1=150"],
        &["invoke", "hello", "--timeout", "soon"],
        &["--json", "deploy", "--forc", "split"],
        &["--json", "invoke"],
        &["--json", "rollback"],
        &["rollback", "hello", "--force", "split"],
        &["list", "--on", ""],
    ]));
}

#[test]
fn what_is_missing_is_said() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.session(&[
        &["deploy"],
        &["invoke", "hello"],
        &["invoke", "Hello!", "--on", "local://"],
        &["list", "--on", "here"],
        &["list", "--on", "lambda//x://"],
        &["list", "--on", "cloud-run://project/region"],
        &["check", "--manifest", "nowhere.toml"],
        &["--json", "check", "--manifest", "nowhere.toml"],
    ]));
}

#[test]
fn every_shell_gets_completions() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = sandbox.expect(0, &["completions", shell]);
        assert!(
            script.contains("rollback") && script.contains("idempotency-key"),
            "{shell}"
        );
    }
}

#[test]
fn the_doctor_judges_everything_it_looks_at() {
    let sandbox = Sandbox::new();
    let text = sandbox.expect(0, &["doctor", "--json"]);
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&object["schema"], &object["command"]),
        (&1.into(), &"doctor".into())
    );
    let findings = object["findings"].as_array().unwrap();
    for what in [
        "system",
        "processor",
        "guardian",
        "memory limit",
        "state folder",
        "disk",
        "Python",
        "Node.js",
        "cargo",
    ] {
        let one = findings.iter().find(|one| one["what"] == what).unwrap();
        let good = one["verdict"] == "good";
        // What is missing is never left without its meaning.
        assert!(good || one["means"].is_string(), "{one}");
    }
    let unwritable = sandbox
        .command(&["doctor"])
        .env("ANYPORT_STATE", "/proc/anyport")
        .output()
        .unwrap();
    assert_eq!(unwritable.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unwritable.stdout).contains("set ANYPORT_STATE"));
}
