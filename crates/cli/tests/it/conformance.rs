//! The suite from the command line. That it passes is for the runner's own test to say.

use serde_json::Value;

use crate::sandbox::{Sandbox, probe};

#[test]
fn a_rule_is_proven_and_reported_in_every_form() {
    let sandbox = Sandbox::new();
    let probe = probe().to_str().unwrap();
    let text = sandbox.expect(
        0,
        &[
            "conformance",
            "--on",
            "local://",
            "--rule",
            "D8",
            "--probe",
            probe,
            "--json",
            "--junit",
            "report.xml",
            "--markdown",
            "report.md",
        ],
    );
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&report["target"], &report["summary"]["failed"]),
        (&"local://".into(), &0.into())
    );
    let cases = report["cases"].as_array().unwrap();
    assert!(
        !cases.is_empty()
            && cases
                .iter()
                .all(|case| case["rules"].as_array().unwrap().contains(&"D8".into()))
    );
    assert!(
        std::fs::read_to_string(sandbox.path("report.xml"))
            .unwrap()
            .contains("<testsuite")
    );
    assert!(
        std::fs::read_to_string(sandbox.path("report.md"))
            .unwrap()
            .contains("D8")
    );
    assert!(
        !sandbox.state().exists(),
        "the suite works in places of its own"
    );
}

#[test]
fn what_cannot_be_proven_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("a-file", "");
    insta::assert_snapshot!(sandbox.session(&[
        &["conformance"],
        &["conformance", "--on", "lambda://eu-west-1"],
        &["conformance", "--on", "local://", "--probe", "nowhere"],
        &[
            "conformance",
            "--on",
            "local://",
            "--rule",
            "Z9",
            "--probe",
            "a-file"
        ],
    ]));
}
