//! What is refused: protected functions, and those of others. Exit code 3.

use insta::assert_snapshot;

use crate::sandbox::{Sandbox, probe_manifest};

#[test]
fn what_is_protected_stays_until_insisted() {
    let sandbox = Sandbox::with_probe("protect = true");
    sandbox.expect(0, &["deploy"]);
    sandbox.write(
        "anyport.toml",
        &probe_manifest("shop", "protect = true\nmemory_mb = 1024"),
    );
    assert_snapshot!(sandbox.session(&[
        &["remove", "probe", "--yes"],
        &["deploy"],
        &["--json", "deploy"],
        &["deploy", "--force", "protected"],
        &["remove", "probe", "--yes", "--force", "protected"],
    ]));
}

#[test]
fn what_belongs_to_others_is_left_alone_until_adopted() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    sandbox.write(
        "anyport.toml",
        &probe_manifest("market", "memory_mb = 1024"),
    );
    assert_snapshot!(sandbox.session(&[
        &["deploy"],
        &["remove", "probe", "--yes"],
        &["status"],
        &["list"],
        &["list", "--all"],
        &["adopt", "probe"],
        &["deploy"],
        &["release", "probe"],
        &["remove", "probe", "--yes"],
    ]));
}
