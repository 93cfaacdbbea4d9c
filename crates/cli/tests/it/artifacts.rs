//! Artifacts that cannot start, or must not be unpacked: found before anything is sent.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::sandbox::Sandbox;

fn manifest(source: &str) -> String {
    format!(
        "schema = 1\napp = \"shop\"\n[env.dev.at]\nhere = \"local://\"\n[function.cart]\nsource = {source}\n"
    )
}

/// What deploying this source says; nothing may have been sent.
fn refused(source: &str, prepare: impl FnOnce(&Sandbox)) -> String {
    let sandbox = Sandbox::with(&manifest(source));
    prepare(&sandbox);
    let text = sandbox.run(&["deploy"]);
    // Asking a target what it can do leaves nothing of a function behind.
    assert!(
        !sandbox.state().join("functions/cart.json").exists(),
        "something was sent: {text}"
    );
    text
}

fn archive(path: &Path, entries: &[(&str, u32, &[u8])]) {
    let mut zip = ZipWriter::new(File::create(path).unwrap());
    for (name, mode, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode))
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

/// The start of an ELF program for another machine than this.
fn foreign_program() -> Vec<u8> {
    let machine: u16 = if cfg!(target_arch = "x86_64") {
        183
    } else {
        62
    };
    let mut head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0".to_vec();
    head.extend(machine.to_le_bytes());
    head.extend([1, 0, 0, 0]);
    head.resize(64, 0);
    head[52] = 64;
    head
}

#[test]
fn a_bootstrap_is_missing_or_cannot_be_executed() {
    assert_snapshot!(
        "missing_bootstrap",
        refused("{ zip = \"cart.zip\" }", |sandbox| {
            archive(
                &sandbox.path("cart.zip"),
                &[("cart/bootstrap", 0o755, b"#!/bin/sh\n")],
            );
        })
    );
    assert_snapshot!(
        "not_executable",
        refused("{ zip = \"cart.zip\" }", |sandbox| {
            archive(
                &sandbox.path("cart.zip"),
                &[("bootstrap", 0o644, b"#!/bin/sh\n")],
            );
        })
    );
    assert_snapshot!("no_such_file", refused("{ bin = \"cart\" }", |_| {}));
}

#[test]
fn a_program_for_another_machine_is_found_before_anything_is_sent() {
    let text = refused("{ bin = \"cart\" }", |sandbox| {
        fs::write(sandbox.path("cart"), foreign_program()).unwrap();
        fs::set_permissions(sandbox.path("cart"), fs::Permissions::from_mode(0o755)).unwrap();
    });
    let (other, this) = if cfg!(target_arch = "x86_64") {
        ("arm64", "x86_64")
    } else {
        ("x86_64", "arm64")
    };
    assert!(
        text.contains("exit: 1")
            && text.contains("artifact.arch")
            && text.contains(other)
            && text.contains(this),
        "{text}"
    );
}

#[test]
fn an_archive_that_would_leave_its_folder_is_refused() {
    assert_snapshot!(
        "zip_slip",
        refused("{ zip = \"cart.zip\" }", |sandbox| {
            archive(
                &sandbox.path("cart.zip"),
                &[
                    ("bootstrap", 0o755, b"#!/bin/sh\n"),
                    ("../evil", 0o644, b"x"),
                    ("/etc/evil", 0o644, b"x"),
                    ("a\\..\\b", 0o644, b"x"),
                ],
            );
        })
    );
}

#[test]
fn empty_broken_and_oversized_archives_are_refused() {
    assert_snapshot!(
        "empty_archive",
        refused("{ zip = \"cart.zip\" }", |sandbox| archive(
            &sandbox.path("cart.zip"),
            &[]
        ))
    );
    assert_snapshot!(
        "not_an_archive",
        refused("{ zip = \"cart.zip\" }", |sandbox| sandbox
            .write("cart.zip", "hello"))
    );
    assert_snapshot!(
        "empty_folder",
        refused("{ dir = \"src\", command = [\"./web\"] }", |sandbox| {
            fs::create_dir(sandbox.path("src")).unwrap();
        })
    );
    assert_snapshot!(
        "oversized",
        refused("{ dir = \"src\", command = [\"./web\"] }", |sandbox| {
            fs::create_dir(sandbox.path("src")).unwrap();
            // A file with a hole: 300 MB to whoever reads it, nothing on the disk.
            File::create(sandbox.path("src/big"))
                .unwrap()
                .set_len(300_000_000)
                .unwrap();
        })
    );
}

#[test]
fn a_handler_that_is_not_there_is_named_with_those_that_are() {
    assert_snapshot!(refused(
        "{ dir = \"src\", runtime = \"python3\", handler = \"main.handler\" }",
        |sandbox| {
            sandbox.write("src/app.py", "def handler(event, context): pass\n");
        }
    ));
}

#[test]
fn a_build_that_fails_shows_what_the_compiler_says() {
    let text = refused("{ cargo = \"cart\" }", |sandbox| {
        sandbox.write(
            "Cargo.toml",
            "[package]\nname = \"cart\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
        );
        sandbox.write("src/main.rs", "fn main() { undefined() }\n");
    });
    for part in [
        "exit: 1",
        "cannot build `cart` with cargo",
        "cargo says:",
        "cannot find function `undefined`",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn packing_gives_the_same_bytes_again() {
    let sandbox = Sandbox::with(&manifest("{ bin = \"cart.sh\" }"));
    sandbox.write("cart.sh", "#!/bin/sh\nexit 0\n");
    assert_snapshot!(sandbox.session(&[&["package"], &["package", "-o", "out", "--json"]]));
    let bytes = |name: &str| fs::read(sandbox.path(name)).unwrap();
    assert_eq!(bytes("cart.zip"), bytes("out/cart.zip"));
}
