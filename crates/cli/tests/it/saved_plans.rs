//! Plans that are saved, carried away and applied later.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::sandbox::{Sandbox, probe_manifest};

#[test]
fn a_saved_plan_is_applied_once() {
    let sandbox = Sandbox::with_probe("env = { TOKEN = \"in the plan\" }");
    assert_snapshot!(sandbox.session(&[
        &["plan", "-o", "first.plan"],
        &["apply", "first.plan"],
        &["apply", "first.plan"],
        &["plan", "-o", "second.plan"],
        &["apply", "second.plan"],
    ]));
    let mode = fs::metadata(sandbox.path("first.plan"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "a plan holds environment variables");
    let folder = sandbox.path("first.plan.d");
    let private = |path: &std::path::Path| {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: code is in it", path.display());
    };
    private(&folder);
    let archives = || -> Vec<_> {
        fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect()
    };
    let first = archives();
    first.iter().for_each(|path| private(path));
    // Another artifact under the same plan's name takes the place of the first.
    sandbox.write("other", "#!/bin/sh\n");
    fs::set_permissions(sandbox.path("other"), fs::Permissions::from_mode(0o755)).unwrap();
    sandbox.write(
        "anyport.toml",
        &probe_manifest("shop", "").replace(&format!("{:?}", crate::sandbox::probe()), "\"other\""),
    );
    sandbox.expect(2, &["plan", "-o", "first.plan"]);
    assert_eq!((first.len(), archives().len()), (1, 1));
    assert_ne!(archives(), first);
}

#[test]
fn a_plan_is_not_applied_on_what_changed_since() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(0, &["deploy"]);
    sandbox.write("anyport.toml", &probe_manifest("shop", "memory_mb = 1024"));
    sandbox.expect(2, &["plan", "-o", "late.plan"]);
    sandbox.write("anyport.toml", &probe_manifest("shop", "memory_mb = 2048"));
    sandbox.expect(0, &["deploy"]);
    let text = sandbox.run(&["apply", "late.plan"]);
    assert!(
        text.contains("exit: 1") && text.contains("it changed in the meantime"),
        "{text}"
    );
}

#[test]
fn files_that_are_no_plans_are_refused() {
    let sandbox = Sandbox::with_probe("");
    sandbox.expect(2, &["plan", "-o", "good.plan"]);
    let good = fs::read_to_string(sandbox.path("good.plan")).unwrap();
    sandbox.write(
        "newer.plan",
        &good.replace("\"anyport_plan\": 1", "\"anyport_plan\": 9"),
    );
    sandbox.write("text.plan", "hello");
    sandbox.write("cut.plan", &good[..good.len() / 2]);
    let name = good
        .split("\"archive\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    sandbox.write("away.plan", &good.replace(name, "../../etc/passwd"));
    // The artifact was exchanged after the plan was made.
    sandbox.write("other.plan", &good);
    sandbox.write(&format!("other.plan.d/{name}"), "other bytes");
    // The plan was carried away without its artifact.
    sandbox.write("alone.plan", &good);
    assert_snapshot!(sandbox.session(&[
        &["apply", "nowhere.plan"],
        &["apply", "alone.plan"],
        &["apply", "newer.plan"],
        &["apply", "text.plan"],
        &["apply", "cut.plan"],
        &["apply", "away.plan"],
        &["apply", "other.plan"],
    ]));
    assert!(
        !sandbox
            .expect(0, &["list", "--on", "local://"])
            .contains("probe")
    );
}
