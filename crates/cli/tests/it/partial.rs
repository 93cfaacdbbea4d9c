//! Several functions, of which some fail.

use insta::assert_snapshot;

use crate::sandbox::{Sandbox, probe};

fn two(second: &str) -> String {
    let source = format!("source = {{ bin = {:?} }}", probe());
    format!(
        "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = \"local://\"\n[function.cart]\n{source}\n[function.mail]\n{source}\n{second}\n"
    )
}

#[test]
fn one_that_cannot_start_does_not_stop_the_other() {
    let sandbox = Sandbox::with(&two("env = { PROBE_START = \"exit\" }"));
    let text = sandbox.run(&["deploy", "-q"]);
    assert_snapshot!("one_of_two", text);
    sandbox.write("anyport.toml", &two(""));
    assert_snapshot!("mended", sandbox.run(&["deploy", "-q"]));
}

#[test]
fn what_a_target_refuses_is_pointed_at_in_the_manifest() {
    let sandbox = Sandbox::with(&two("memory_mb = 1_000_000\nidentity = \"role/mail\""));
    assert_snapshot!("unsupported", sandbox.run(&["deploy", "mail", "-q"]));
    sandbox.write("anyport.toml", &two("memory_mb = 1_000_000"));
    assert_snapshot!("out_of_range", sandbox.run(&["deploy", "mail", "-q"]));
    assert_snapshot!("unknown_name", sandbox.run(&["deploy", "mial"]));
}
