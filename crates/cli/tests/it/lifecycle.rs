//! A function's whole life.

use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::{Sandbox, probe_manifest};

#[test]
fn from_plan_to_removal() {
    let sandbox = Sandbox::with_probe("memory_mb = 256\nenv = { GREETING = \"hello\" }");
    assert_snapshot!(
        "first_deploy",
        sandbox.session(&[
            &["status"],
            &["plan"],
            &["deploy"],
            &["deploy"],
            &["plan"],
            &["status", "probe"],
            &["list"],
            &["versions", "probe"],
        ])
    );
    assert_snapshot!(
        "calls",
        sandbox.session(&[
            &[
                "invoke",
                "probe",
                "--data",
                "{\"do\":\"env\",\"names\":[\"GREETING\"]}"
            ],
            &[
                "invoke",
                "probe",
                "--data",
                "bytes as they are",
                "--content-type",
                "text/plain"
            ],
            &[
                "invoke",
                "probe",
                "--data",
                "{\"do\":\"fail\",\"kind\":\"OutOfStock\",\"message\":\"no carts left\"}"
            ],
            &[
                "invoke",
                "probe",
                "--data",
                "{\"do\":\"log\",\"text\":\"counting carts\"}",
                "-q"
            ],
            &["logs", "probe", "--tail", "1"],
        ])
    );

    sandbox.write(
        "anyport.toml",
        &probe_manifest("shop", "memory_mb = 256\nenv = { GREETING = \"bonjour\" }"),
    );
    assert_snapshot!(
        "second_version",
        sandbox.session(&[
            &["plan"],
            &["deploy"],
            &["traffic", "probe", "1=50", "2=50"],
            &["status"],
            &["traffic", "probe", "1=50", "2=10"],
            &["traffic", "probe", "1=50", "7=50"],
        ])
    );
    sandbox.write("anyport.toml", &probe_manifest("shop", "memory_mb = 512"));
    assert_snapshot!(
        "during_a_split",
        sandbox.session(&[
            &["deploy"],
            &["deploy", "--force", "split"],
            &[
                "invoke",
                "probe",
                "--version-id",
                "1",
                "--data",
                "{\"do\":\"env\",\"names\":[\"GREETING\"]}"
            ],
            &["rollback", "probe"],
            &["rollback", "probe", "1"],
            &["versions", "probe"],
        ])
    );
    assert_snapshot!(
        "removal",
        sandbox.session(&[
            &["remove", "probe"],
            &["remove", "probe", "--yes"],
            &["remove", "probe", "--yes"],
            &["list"],
            &["invoke", "probe"],
        ])
    );
}

#[test]
fn every_result_is_one_versioned_object() {
    let sandbox = Sandbox::with_probe("env = { GREETING = \"not to be shown\" }");
    for (code, arguments) in [
        (2, &["plan"][..]),
        (0, &["deploy"]),
        (0, &["invoke", "probe", "--data", "{\"do\":\"who\"}"]),
        (0, &["status"]),
        (0, &["list"]),
        (0, &["versions", "probe"]),
        (0, &["check"]),
        (0, &["remove", "probe", "--yes"]),
    ] {
        let text = sandbox.expect(code, &[arguments, &["--json"]].concat());
        let object: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(object["schema"], 1, "{arguments:?}");
        assert_eq!(object["command"], arguments[0], "{arguments:?}");
        assert!(!text.contains("not to be shown"), "{text}");
    }
    assert_snapshot!(
        sandbox.session(&[&["deploy", "--json", "-q"], &["invoke", "prob", "--json"]])
    );
}

#[test]
fn standard_error_is_json_too() {
    let sandbox = Sandbox::with_probe("delivery = { attempts = 1 }");
    for (code, arguments) in [
        (2, &["plan", "-o", "a.plan"][..]),
        (0, &["apply", "a.plan"]),
        (0, &["deploy"]),
        (0, &["invoke", "probe", "--async"]),
        (1, &["traffic", "probe", "7=100"]),
        (0, &["release", "probe"]),
        (0, &["adopt", "probe"]),
        (1, &["remove", "probe"]),
        (0, &["remove", "probe", "--yes"]),
        (0, &["list"]),
    ] {
        for more in [&["--json"][..], &["--json", "-v"]] {
            let output = sandbox.output(&[arguments, more].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            if more.len() == 1 {
                assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
                let lines = usize::from(code == 1);
                assert_eq!(said.lines().count(), lines, "{arguments:?}: {said}");
            }
            for line in said.lines() {
                let object: Value = serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"));
                assert_eq!(object["schema"], 1, "{line}");
            }
        }
    }
}

#[test]
fn binary_answers_are_bytes_on_standard_output_and_base64_in_json() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    let bytes: Vec<u8> = (0..=255).collect();
    std::fs::write(sandbox.path("all.bin"), &bytes).unwrap();
    let plain = sandbox.output(&["invoke", "probe", "--file", "all.bin", "-q"]);
    assert_eq!((plain.status.code(), &plain.stdout), (Some(0), &bytes));
    let text = sandbox.expect(0, &["invoke", "probe", "--file", "all.bin", "--json"]);
    let object: Value = serde_json::from_str(&text).unwrap();
    assert!(
        object["body_base64"]
            .as_str()
            .unwrap()
            .starts_with("AAECAwQF"),
        "{object}"
    );
    assert_eq!(object["content_type"], "application/octet-stream");
}

#[test]
fn a_target_can_be_named_without_a_manifest() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy", "--on", "here"]);
    let elsewhere = Sandbox::new();
    let on = format!("local://{}", sandbox.state().display());
    let said = elsewhere.expect(0, &["invoke", "probe", "--on", &on, "--data", "[1,2]"]);
    assert_eq!(said, "[1,2]");
    assert!(
        elsewhere
            .expect(0, &["list", "--on", &on])
            .contains("shop/dev")
    );
}
