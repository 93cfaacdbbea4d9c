//! Packing: the same bytes every time, what stays out, and what is refused.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyport_core::Digest;
use anyport_package::{Error, Limits, Packer, unpack};

use crate::tree::{self, Node, Tree};

fn sample() -> Tree {
    tree::tree([
        ("bootstrap", tree::program(b"#!/bin/sh\n")),
        ("node_modules/dep/index.js", tree::file(b"exports.x = 1")),
        ("a.txt", tree::file(b"a")),
        ("a/b.txt", tree::file(b"b")),
        (
            "text",
            tree::file("a line of text\n".repeat(10_000).as_bytes()),
        ),
        ("z", Node::Folder),
    ])
}

fn packed(source: &Path, to: &Path) -> Vec<u8> {
    Packer::default().dir(source, to).unwrap();
    fs::read(to).unwrap()
}

fn problem(source: &Path, to: &Path) -> String {
    let before = to.exists();
    let error = Packer::default().dir(source, to).unwrap_err();
    assert_eq!(to.exists(), before, "a failed packing left an archive");
    error.to_string()
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    tree::write(&sample(), &one);
    // Made in another order, at another time, with other bits that must not matter.
    for (path, node) in sample().into_iter().rev() {
        tree::write(&Tree::from([(path, node)]), &two);
    }
    let file = File::options()
        .append(true)
        .open(two.join("a.txt"))
        .unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
        .unwrap();
    let mut mode = fs::metadata(two.join("a.txt")).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o600);
    fs::set_permissions(two.join("a.txt"), mode).unwrap();
    let first = packed(&one, &dir.path().join("1.zip"));
    assert_eq!(first, packed(&two, &dir.path().join("2.zip")));
    // Known for good: a change of these bytes renames every artifact that anyone has deployed.
    assert_eq!(
        Digest::of(&first).to_string(),
        "sha256:b5e19e046410b2b1b32448856bd34697261e364469605e0c19a97cf355173e29"
    );
}

#[test]
fn an_archive_says_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    tree::write(&sample(), &dir.path().join("src"));
    let to = dir.path().join("new/folder/a.zip");
    let packed = Packer::default().dir(&dir.path().join("src"), &to).unwrap();
    let bytes = fs::read(&to).unwrap();
    assert_eq!(packed.digest, Digest::of(&bytes));
    assert_eq!(packed.size, bytes.len() as u64);
    assert_eq!((packed.entries, packed.unpacked_size), (6, 150_025));
    assert_eq!(tree::names(to.parent().unwrap()), ["a.zip"]);
}

#[test]
fn an_archive_inside_its_own_source_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    tree::write(&sample(), dir.path());
    let to = dir.path().join("a.zip");
    assert_eq!(packed(dir.path(), &to), packed(dir.path(), &to));
}

#[test]
fn ignored_files_stay_out() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("src");
    tree::write(
        &tree::tree([
            (
                ".anyportignore",
                tree::file(b"# notes\n*.md\n!README.md\n/build/\n__pycache__/\n"),
            ),
            (".git/HEAD", tree::file(b"ref")),
            ("app.py", tree::file(b"")),
            ("notes.md", tree::file(b"")),
            ("README.md", tree::file(b"")),
            ("build/out", tree::file(b"")),
            ("lib/build/kept", tree::file(b"")),
            ("lib/__pycache__/x.pyc", tree::file(b"")),
        ]),
        &source,
    );
    let to = dir.path().join("a.zip");
    Packer::default().dir(&source, &to).unwrap();
    unpack(&to, &dir.path().join("out"), &Limits::default()).unwrap();
    let kept: Vec<_> = tree::read(&dir.path().join("out")).into_keys().collect();
    assert_eq!(kept, ["README.md", "app.py", "lib/build/kept"]);

    fs::write(source.join(".anyportignore"), "fine\n[broken\n").unwrap();
    let text = problem(&source, &to);
    assert!(
        text.starts_with("line 2 of ") && text.contains("has a `[` without `]`"),
        "{text}"
    );
}

#[test]
fn links_are_followed_inside_and_refused_outside() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("src");
    let link = |target: &str| Node::Link(target.to_owned());
    tree::write(
        &tree::tree([
            ("pkg/cli.js", tree::program(b"cli")),
            ("bin/cli", link("../pkg/cli.js")),
            ("also", link("pkg")),
        ]),
        &source,
    );
    let to = dir.path().join("a.zip");
    Packer::default().dir(&source, &to).unwrap();
    unpack(&to, &dir.path().join("out"), &Limits::default()).unwrap();
    let cli = tree::program(b"cli");
    assert_eq!(
        tree::read(&dir.path().join("out")),
        tree::tree([
            ("pkg/cli.js", cli.clone()),
            ("bin/cli", cli.clone()),
            ("also/cli.js", cli)
        ])
    );
    fs::write(dir.path().join("secret"), b"s").unwrap();
    for (target, reason) in [
        ("../secret", "it is a link out of the folder"),
        ("/etc/hostname", "it is a link out of the folder"),
        ("missing", "it is a link to nothing"),
        (".", "links back to a folder above it"),
    ] {
        tree::write(&tree::tree([("bad", link(target))]), &source);
        let text = problem(&source, &dir.path().join("b.zip"));
        assert!(text.contains(reason), "{target}: {text}");
        fs::remove_file(source.join("bad")).unwrap();
    }
}

#[test]
fn what_cannot_be_packed_is_refused_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.zip");
    let source = dir.path().join("src");
    fs::create_dir(&source).unwrap();
    assert!(problem(&source, &to).contains("it holds no file"));
    assert!(problem(&dir.path().join("absent"), &to).starts_with("could not open"));
    fs::write(source.join("Readme"), b"").unwrap();
    assert!(problem(&source.join("Readme"), &to).contains("it is not a folder"));
    fs::write(source.join("README"), b"").unwrap();
    assert!(problem(&source, &to).contains("differ only in upper and lower case"));
    fs::remove_file(source.join("README")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(source.join("s")).unwrap();
    assert!(problem(&source, &to).contains("it is a device, pipe or socket"));
    drop(socket);
    fs::remove_file(source.join("s")).unwrap();
    fs::write(source.join("a\\b"), b"").unwrap();
    assert!(problem(&source, &to).contains("backslash"));
}

#[test]
fn limits_hold_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("src");
    fs::create_dir(&source).unwrap();
    // Sparse: 300 MB that cost nothing.
    File::create(source.join("big"))
        .unwrap()
        .set_len(300_000_000)
        .unwrap();
    let text = problem(&source, &dir.path().join("a.zip"));
    assert!(
        text.contains("it holds more than 262144000 bytes"),
        "{text}"
    );
    let mut limits = Limits::default();
    limits.entries = 1;
    fs::write(source.join("small"), b"").unwrap();
    let packer = Packer::new(limits);
    let error = packer.dir(&source, &dir.path().join("a.zip")).unwrap_err();
    assert!(matches!(error, Error::Source { .. }), "{error}");
}

#[test]
fn a_program_alone_becomes_the_bootstrap() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("thumbnails");
    fs::write(&program, b"\x7fELF...").unwrap();
    let to = dir.path().join("a.zip");
    let first = Packer::default().file(&program, &to).unwrap();
    assert_eq!(Packer::default().file(&program, &to).unwrap(), first);
    unpack(&to, &dir.path().join("out"), &Limits::default()).unwrap();
    assert_eq!(
        tree::read(&dir.path().join("out")),
        tree::tree([("bootstrap", tree::program(b"\x7fELF..."))])
    );
    let error = Packer::default().file(dir.path(), &to).unwrap_err();
    assert!(error.to_string().contains("it is not a file"), "{error}");
}

/// Forty megabytes that do not compress, from a folder and back.
#[test]
fn a_large_artifact_is_packed_and_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(5 << 20)
    .flatten()
    .collect();
    let source = tree::tree([
        ("bootstrap", tree::program(b"#!/bin/sh\n")),
        ("noise", tree::file(&noise)),
    ]);
    tree::write(&source, &dir.path().join("src"));
    let to = dir.path().join("a.zip");
    let packed = Packer::default().dir(&dir.path().join("src"), &to).unwrap();
    assert!(packed.size > 40 << 20, "{}", packed.size);
    unpack(&to, &dir.path().join("out"), &Limits::default()).unwrap();
    assert!(tree::read(&dir.path().join("out")) == source);
}
