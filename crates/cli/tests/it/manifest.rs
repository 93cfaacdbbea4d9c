//! What `check` and everything else says about a manifest.

use insta::assert_snapshot;

use crate::sandbox::Sandbox;

#[test]
fn a_good_manifest_is_counted() {
    let sandbox = Sandbox::with(
        "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = \"local://\"\n[env.prod]\nprotect = true\nat = { here = \"lambda://eu-west-1\" }\n[function.cart]\nsource = { bin = \"cart\" }\nmemory_mb = 600\n",
    );
    std::fs::create_dir(sandbox.path("deeper")).unwrap();
    let deeper = sandbox
        .command(&["check"])
        .current_dir(sandbox.path("deeper"))
        .output()
        .unwrap();
    let found_above = sandbox.seen(&deeper);
    assert_snapshot!(format!(
        "{}\n(from a folder below)\n{found_above}",
        sandbox.session(&[
            &["check"],
            &["check", "--env", "prod"],
            &["check", "--portable"],
            &["check", "--json", "--portable"]
        ])
    ));
}

#[test]
fn every_problem_is_shown_in_its_place() {
    let sandbox = Sandbox::with(
        "schema = 1\napp = \"shop\"\ncolour = \"red\"\n\n[function.cart]\nsource = { bin = \"cart\" }\nmemroy_mb = 512\ndata = \"personel\"\n",
    );
    assert_snapshot!(sandbox.session(&[&["check"], &["deploy"], &["--json", "check"]]));
}

#[test]
fn values_are_judged_by_the_rules_of_specs() {
    let sandbox = Sandbox::with(
        "schema = 1\napp = \"shop\"\n[env.dev.at]\ncore = \"local://\"\n\n[function.Cart]\nat = \"coer\"\nsource = { bin = \"cart\" }\ntimeout = \"soon\"\n\n[function.Cart.env]\nPORT = \"80\"\n",
    );
    assert_snapshot!(sandbox.run(&["check"]));
}

#[test]
fn values_of_variables_and_secrets_are_never_quoted() {
    let manifest = |lines: &str| {
        format!(
            "schema = 1\napp = \"shop\"\n[env.dev.at]\ncore = \"local://\"\n[function.cart]\nsource = {{ bin = \"cart\" }}\n{lines}\n"
        )
    };
    let sandbox = Sandbox::with(&manifest(
        "env = { PATH = \"hunter2\" }\n[function.cart.secrets]\nTOKEN = \"hunter2\"",
    ));
    let seen = sandbox.session(&[&["check"], &["--json", "deploy"]]);
    assert_snapshot!(seen);
    assert!(!seen.contains("hunter2"));
    for broken in [
        "env = { TOKEN = \"hunter2 }",
        "[function.cart.env]\nTOKEN = hunter2",
    ] {
        let seen = Sandbox::with(&manifest(broken)).run(&["check"]);
        assert!(
            seen.contains("anyport.toml:8:") || seen.contains("anyport.toml:7:"),
            "{seen}"
        );
        assert!(!seen.contains("hunter2"), "{seen}");
    }
}

#[test]
fn malformed_doubled_and_unbound() {
    for (name, text) in [
        ("malformed", "schema = 1\napp = \"shop\n[function.cart]\n"),
        (
            "doubled",
            "schema = 1\napp = \"shop\"\n[function.cart]\nsource = { bin = \"a\" }\n[function.cart]\nsource = { bin = \"b\" }\n",
        ),
        (
            "doubled_across_kinds",
            "schema = 1\napp = \"shop\"\n[function.cart]\nsource = { bin = \"a\" }\n[service.cart]\nsource = { bin = \"b\" }\n",
        ),
        (
            "unbound",
            "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = \"local://\"\n[env.prod.at]\nthere = \"local://\"\n[function.cart]\nat = \"there\"\nsource = { bin = \"a\" }\n",
        ),
        ("newer", "schema = 7\nspells = true\n"),
        ("empty", ""),
    ] {
        let sandbox = Sandbox::with(text);
        assert_snapshot!(name, sandbox.run(&["check"]));
        assert!(!sandbox.state().exists());
    }
    let binary = Sandbox::new();
    std::fs::write(binary.path("anyport.toml"), [0xff, 0xfe, 0, 1]).unwrap();
    assert_snapshot!("not_text", binary.run(&["check"]));
    let huge = Sandbox::new();
    std::fs::write(huge.path("anyport.toml"), vec![b'#'; (1 << 20) + 1]).unwrap();
    assert_snapshot!("too_long", huge.run(&["check"]));
}

#[test]
fn what_is_not_portable_is_named() {
    let sandbox = Sandbox::with(
        "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = \"local://\"\n[function.cart]\nsource = { bin = \"cart\" }\ntimeout = \"10m\"\nconcurrency = 8\n[service.site]\nsource = { dir = \".\", command = [\"./web\"] }\n[service.site.secrets]\nTOKEN = \"secret://file/token\"\n",
    );
    let text = sandbox.run(&["check", "--portable"]);
    assert_snapshot!(text);
}

#[test]
fn the_schema_is_the_published_one() {
    let published = include_str!("../../../anyport/src/manifest/anyport.schema.json");
    assert_eq!(Sandbox::new().expect(0, &["check", "--schema"]), published);
}
