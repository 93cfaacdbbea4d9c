//! Our archives read by another implementation, and another's by ours.

use std::fs::{self, File};
use std::io::{Cursor, Read as _, Write as _};

use anyport_package::{Limits, Packer, inspect, unpack};
use zip::write::SimpleFileOptions;

use crate::tree::{self, Node};

#[test]
fn our_archives_are_plain_zip_files() {
    let dir = tempfile::tempdir().unwrap();
    let source = tree::tree([
        ("bootstrap", tree::program(b"#!/bin/sh\necho hi\n")),
        ("lib/données/ключ.txt", tree::file("текст".as_bytes())),
        ("lib/zeros", tree::file(&[0; 200_000])),
        ("none", Node::Folder),
    ]);
    tree::write(&source, &dir.path().join("src"));
    let to = dir.path().join("a.zip");
    Packer::default().dir(&dir.path().join("src"), &to).unwrap();
    let mut theirs = zip::ZipArchive::new(File::open(&to).unwrap()).unwrap();
    let mut seen = tree::Tree::new();
    for index in 0..theirs.len() {
        let mut entry = theirs.by_index(index).unwrap();
        let name = entry.name().unwrap().trim_end_matches('/').to_owned();
        let node = if entry.is_dir() {
            Node::Folder
        } else {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            let mode = entry.unix_mode().unwrap() & 0o777;
            assert!(mode == 0o755 || mode == 0o644, "{mode:o}");
            Node::File {
                bytes,
                executable: mode == 0o755,
            }
        };
        seen.insert(name, node);
    }
    assert_eq!(seen, source);
}

#[test]
fn archives_of_others_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut theirs = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    theirs.add_directory("lib", options).unwrap();
    theirs
        .start_file("bootstrap", options.unix_permissions(0o755))
        .unwrap();
    theirs.write_all(b"#!/bin/sh\n").unwrap();
    // Announces its sizes in the 64-bit field, as writers do that do not know them yet.
    theirs
        .start_file("lib/big.txt", options.large_file(true))
        .unwrap();
    theirs.write_all(&[b'x'; 100_000]).unwrap();
    theirs.add_symlink("lib/link", "big.txt", options).unwrap();
    let to = dir.path().join("a.zip");
    fs::write(&to, theirs.finish().unwrap().into_inner()).unwrap();
    assert_eq!(inspect(&to, &Limits::default()).unwrap().files.len(), 3);
    unpack(&to, &dir.path().join("out"), &Limits::default()).unwrap();
    assert_eq!(
        tree::read(&dir.path().join("out")),
        tree::tree([
            ("bootstrap", tree::program(b"#!/bin/sh\n")),
            ("lib/big.txt", tree::file(&[b'x'; 100_000])),
            ("lib/link", Node::Link("big.txt".into())),
        ])
    );
}

#[test]
fn archives_written_to_a_pipe_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut theirs = zip::ZipWriter::new_stream(Vec::new());
    theirs
        .start_file("app.py", SimpleFileOptions::default())
        .unwrap();
    theirs
        .write_all(b"def handler(event, context): return event\n")
        .unwrap();
    let to = dir.path().join("a.zip");
    fs::write(&to, theirs.finish().unwrap().into_inner()).unwrap();
    unpack(&to, &dir.path().join("out"), &Limits::default()).unwrap();
    assert_eq!(tree::names(&dir.path().join("out")), ["app.py"]);
}
