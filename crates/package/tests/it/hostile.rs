//! Archives that mean harm, or are merely broken: each is refused for the right reason, by
//! looking and by unpacking, and leaves nothing behind.

use std::fs;
use std::path::Path;

use anyport_package::{Error, Limits, RefusalKind, Refusals, inspect, unpack};

use crate::forge::{self, Forged, archive, deflated, file, link};
use crate::tree;

/// Unpacks an archive in a folder of its own; what must not happen is checked here.
fn attempt(bytes: &[u8], limits: &Limits) -> Result<tree::Tree, Error> {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("a.zip");
    fs::write(&zip, bytes).unwrap();
    let inner = dir.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let outcome = unpack(&zip, &inner.join("out"), limits);
    assert_eq!(
        tree::names(dir.path()),
        ["a.zip", "inner"],
        "something was written outside"
    );
    match outcome {
        Ok(_) => {
            assert_eq!(tree::names(&inner), ["out"]);
            Ok(tree::read(&inner.join("out")))
        }
        Err(error) => {
            assert_eq!(
                tree::names(&inner),
                Vec::<String>::new(),
                "something was left behind"
            );
            Err(error)
        }
    }
}

fn refusals(bytes: &[u8], limits: &Limits) -> Refusals {
    match attempt(bytes, limits) {
        Err(Error::Refused { refusals, .. }) => refusals,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn kinds(entries: &[Forged]) -> Vec<RefusalKind> {
    kinds_of(&archive(entries), &Limits::default())
}

fn kinds_of(bytes: &[u8], limits: &Limits) -> Vec<RefusalKind> {
    refusals(bytes, limits)
        .as_slice()
        .iter()
        .map(|refusal| refusal.kind)
        .collect()
}

fn good() -> Forged {
    file("bootstrap", b"#!/bin/sh\n")
}

#[test]
fn honest_archives_unpack() {
    let tree = attempt(
        &archive(&[
            Forged {
                mode: 0o100_755,
                ..good()
            },
            deflated("lib/data", &[7; 100_000]),
            file("empty/", b""),
            link("lib/also", "../bootstrap"),
            link("lib/nowhere", "missing"),
        ]),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        tree,
        tree::tree([
            ("bootstrap", tree::program(b"#!/bin/sh\n")),
            ("lib/data", tree::file(&[7; 100_000])),
            ("empty", tree::Node::Folder),
            ("lib/also", tree::Node::Link("../bootstrap".into())),
            ("lib/nowhere", tree::Node::Link("missing".into())),
        ])
    );
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    use RefusalKind::{AbsoluteName, ClimbingName, UnportableName};
    for (name, kind) in [
        ("../evil", ClimbingName),
        ("a/../../evil", ClimbingName),
        ("/etc/evil", AbsoluteName),
        ("C:\\evil", AbsoluteName),
        ("C:evil", AbsoluteName),
        ("..\\evil", UnportableName),
        ("\\\\host\\share\\evil", UnportableName),
        ("a\0b", UnportableName),
        ("a//b", UnportableName),
    ] {
        assert_eq!(kinds(&[good(), file(name, b"x")]), [kind], "{name:?}");
    }
    assert_eq!(kinds(&[good(), file(b"\xff\xfe", b"x")]), [UnportableName]);
}

#[test]
fn every_reason_is_given_at_once() {
    let found = refusals(
        &archive(&[
            file("../a", b""),
            file("/b", b""),
            Forged {
                flags: 1,
                ..file("c", b"")
            },
        ]),
        &Limits::default(),
    );
    assert_eq!(
        found.to_string(),
        "entry `../a` has `..` in its name; store names inside the folder; \
         entry `/b` has an absolute name; store names relative to the folder; \
         entry `c` is encrypted; pack without a password"
    );
}

#[test]
fn links_out_of_the_folder_are_refused() {
    for (name, target) in [
        ("l", "/etc/passwd"),
        ("l", "../x"),
        ("a/l", "../../x"),
        ("l", "l"),
    ] {
        assert_eq!(
            kinds(&[good(), link(name, target)]),
            [RefusalKind::Link],
            "{name} -> {target}"
        );
    }
    // Each looks harmless alone: `up` leads to the root, `out` through it to above.
    assert_eq!(
        kinds(&[good(), link("a/b/up", "../.."), link("out", "a/b/up/../x")]),
        [RefusalKind::Link]
    );
    let long = Forged {
        mode: 0o120_777,
        ..file("l", &[b'a'; 5000])
    };
    assert_eq!(kinds(&[good(), long]), [RefusalKind::Link]);
    let binary = Forged {
        mode: 0o120_777,
        ..file("l", b"\xff")
    };
    assert_eq!(kinds(&[good(), binary]), [RefusalKind::Link]);
}

#[test]
fn nothing_is_written_through_a_link() {
    let through = [link("d", "."), file("d/evil", b"x")];
    assert_eq!(kinds(&through), [RefusalKind::Link]);
    let reversed = [file("d/evil", b"x"), link("d", ".")];
    assert_eq!(kinds(&reversed), [RefusalKind::Link]);
    // On a file system that ignores case this would be the same trick.
    let cased = [link("D", "."), file("d/evil", b"x")];
    assert_eq!(kinds(&cased), [RefusalKind::CaseCollision]);
}

#[test]
fn names_that_meet_are_refused() {
    use RefusalKind::{CaseCollision, Duplicate};
    assert_eq!(kinds(&[good(), good()]), [Duplicate]);
    assert_eq!(kinds(&[good(), file("./bootstrap", b"other")]), [Duplicate]);
    assert_eq!(kinds(&[good(), file("Bootstrap", b"")]), [CaseCollision]);
    assert_eq!(kinds(&[file("a", b""), file("a/b", b"")]), [Duplicate]);
    assert_eq!(kinds(&[file("a/b", b""), file("a", b"")]), [Duplicate]);
    assert_eq!(
        kinds(&[file("é/x", b""), file("É/y", b"")]),
        [CaseCollision]
    );
}

#[test]
fn what_is_not_a_plain_file_is_refused() {
    for mode in [0o020_644, 0o060_644, 0o010_644, 0o140_755] {
        let device = Forged {
            mode,
            ..file("dev", b"")
        };
        assert_eq!(
            kinds(&[good(), device]),
            [RefusalKind::SpecialFile],
            "{mode:o}"
        );
    }
    let folder_by_mode = Forged {
        mode: 0o040_755,
        ..file("d", b"")
    };
    assert_eq!(kinds(&[good(), folder_by_mode]), [RefusalKind::Malformed]);
    let folder_with_content = Forged {
        mode: 0o040_755,
        ..file("d/", b"x")
    };
    assert_eq!(
        kinds(&[good(), folder_with_content]),
        [RefusalKind::SizeMismatch]
    );
}

#[test]
fn set_user_id_and_foreign_modes_are_not_taken_over() {
    let tree = attempt(
        &archive(&[
            Forged {
                mode: 0o104_777,
                ..file("suid", b"")
            },
            // Made on Windows: the upper bits mean nothing.
            Forged {
                made_by: 0,
                mode: 0o020_777,
                ..file("dos", b"")
            },
        ]),
        &Limits::default(),
    )
    .unwrap();
    assert_eq!(
        tree,
        tree::tree([("suid", tree::program(b"")), ("dos", tree::file(b""))])
    );
}

#[test]
fn unreadable_entries_are_refused_by_name() {
    for flags in [1, 1 << 6, 1 << 13] {
        let secret = Forged {
            flags,
            ..file("secret", b"x")
        };
        assert_eq!(kinds(&[good(), secret]), [RefusalKind::Encrypted]);
    }
    for (method, name) in [
        (9, "deflate64"),
        (12, "bzip2"),
        (14, "lzma"),
        (93, "zstd"),
        (77, "77"),
    ] {
        let found = refusals(
            &archive(&[
                good(),
                Forged {
                    method,
                    ..file("x", b"x")
                },
            ]),
            &Limits::default(),
        );
        assert!(
            found.has(RefusalKind::Method) && found.to_string().contains(name),
            "{found}"
        );
    }
}

#[test]
fn sizes_and_checksums_that_lie_are_found() {
    use RefusalKind::{Checksum, Malformed, SizeMismatch};
    let data = [3; 50_000];
    // Bigger than it says: the rest must not reach the disk.
    let short = Forged {
        plain: 10,
        ..deflated("x", &data)
    };
    assert_eq!(kinds(&[short]), [SizeMismatch]);
    let long = Forged {
        plain: 60_000,
        ..deflated("x", &data)
    };
    assert_eq!(kinds(&[long]), [SizeMismatch]);
    let stored = Forged {
        plain: 4,
        ..file("x", b"12345")
    };
    assert_eq!(kinds(&[stored]), [SizeMismatch]);
    let mut trailing = deflated("x", &data);
    trailing.data.push(0);
    trailing.packed += 1;
    assert_eq!(kinds(&[trailing]), [SizeMismatch]);
    let wrong = Forged {
        crc: 1,
        ..deflated("x", &data)
    };
    assert_eq!(kinds(&[wrong]), [Checksum]);
    let noise = Forged {
        method: 8,
        plain: 9,
        ..file("x", &[0xff; 64])
    };
    assert_eq!(kinds(&[noise]), [Malformed]);
}

#[test]
fn local_headers_must_agree_with_the_directory() {
    use RefusalKind::Malformed;
    let renamed = Forged {
        local_name: Some(b"../evil".to_vec()),
        ..good()
    };
    assert_eq!(kinds(&[renamed]), [Malformed]);
    let resized = Forged {
        local_claims: Some([0, 1, 1]),
        ..good()
    };
    assert_eq!(kinds(&[resized]), [Malformed]);
    let elsewhere = Forged {
        offset: Some(5),
        ..good()
    };
    assert_eq!(kinds(&[elsewhere]), [Malformed]);
    let past_the_end = Forged {
        offset: Some(1 << 30),
        ..good()
    };
    assert_eq!(kinds(&[past_the_end]), [Malformed]);
    // With a data descriptor the local header may leave them open.
    let streamed = Forged {
        flags: 1 << 3,
        local_claims: Some([0; 3]),
        ..good()
    };
    assert!(attempt(&archive(&[streamed]), &Limits::default()).is_ok());
}

#[test]
fn entries_that_share_bytes_are_refused() {
    // The kind of bomb that packs 281 TB into 10 MB: every entry quotes the next one's header.
    let kernel = deflated("b", &[0; 100_000]);
    let mut bytes = Vec::new();
    let mut quoted = Vec::new();
    forge::local(&mut quoted, &kernel);
    let outer = file("a", &quoted);
    let inside = 30 + 1;
    forge::local(&mut bytes, &outer);
    let start = bytes.len() as u32;
    let mut directory = Vec::new();
    forge::central(&mut directory, &outer, 0);
    forge::central(&mut directory, &kernel, inside);
    bytes.extend(&directory);
    forge::end(&mut bytes, 2, directory.len() as u32, start, b"");
    assert_eq!(kinds_of(&bytes, &Limits::default()), [RefusalKind::Overlap]);
    // And the simplest: two records for one entry's bytes.
    let one = file("a", b"data");
    let two = Forged {
        local_name: None,
        offset: Some(0),
        ..file("a", b"data")
    };
    let found = kinds(&[one, two]);
    assert!(found.contains(&RefusalKind::Overlap), "{found:?}");
}

#[test]
fn bombs_are_refused_before_anything_is_written() {
    use RefusalKind::{Ratio, TooLarge, TooManyEntries};
    let zeros = deflated("zeros", &vec![0; 32 << 20]);
    assert_eq!(kinds(std::slice::from_ref(&zeros)), [Ratio]);
    let mut limits = Limits::default();
    limits.ratio = 2000;
    assert!(attempt(&archive(&[zeros]), &limits).is_ok());

    let claimed = Forged {
        plain: 300 << 20,
        ..deflated("big", b"x")
    };
    assert_eq!(kinds(&[claimed]), [TooLarge, Ratio]);
    limits.unpacked_bytes = 9;
    let found = refusals(&archive(&[good()]), &limits);
    assert_eq!(
        found.to_string(),
        "the archive unpacks to 10 bytes, the limit is 9; leave out what the function does not need"
    );
    limits = Limits::default();
    limits.entries = 2;
    let many: Vec<_> = (0..3).map(|index| file(format!("f{index}"), b"")).collect();
    assert_eq!(kinds_of(&archive(&many), &limits), [TooManyEntries]);
}

#[test]
fn files_that_are_no_archive_are_refused() {
    use RefusalKind::{Ambiguous, Empty, Malformed, NotAZip, Unsupported};
    let limits = Limits::default();
    assert_eq!(kinds_of(b"", &limits), [NotAZip]);
    assert_eq!(kinds_of(b"hello", &limits), [NotAZip]);
    assert_eq!(kinds(&[]), [Empty]);
    assert_eq!(kinds(&[file("./", b"")]), [Empty]);
    assert_eq!(kinds(&[file("only/", b"")]), [Empty]);
    let whole = archive(&[good(), deflated("x", &[1; 999])]);
    for len in 0..whole.len() {
        assert!(attempt(&whole[..len], &limits).is_err(), "cut at {len}");
    }
    let prefixed = [b"#!/bin/sh\n".as_slice(), &whole].concat();
    assert_eq!(kinds_of(&prefixed, &limits), [Malformed]);

    let mut nested = archive(&[good()]);
    nested.truncate(nested.len() - 2);
    let mut inner = Vec::new();
    forge::end(&mut inner, 0, 0, 0, b"");
    nested.extend((inner.len() as u16).to_le_bytes());
    nested.extend(inner);
    assert_eq!(kinds_of(&nested, &limits), [Ambiguous]);

    let mut wide = Vec::new();
    forge::end(&mut wide, u16::MAX, 0, 0, b"");
    assert_eq!(kinds_of(&wide, &limits), [Unsupported]);

    let mut uncounted = archive(&[good(), file("second", b"")]);
    let counts = uncounted.len() - 14;
    uncounted[counts..counts + 4].copy_from_slice(&[1, 0, 1, 0]);
    assert_eq!(kinds_of(&uncounted, &limits), [Malformed]);
}

#[test]
fn a_comment_is_no_harm() {
    let mut bytes = archive(&[good()]);
    bytes.truncate(bytes.len() - 2);
    bytes.extend([5, 0]);
    bytes.extend(b"hello");
    assert!(attempt(&bytes, &Limits::default()).is_ok());
}

#[test]
fn inspecting_refuses_what_unpacking_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("a.zip");
    fs::write(&zip, archive(&[good(), file("../x", b"")])).unwrap();
    let error = inspect(&zip, &Limits::default()).unwrap_err();
    assert!(
        matches!(&error, Error::Refused { refusals, .. } if refusals.has(RefusalKind::ClimbingName)),
        "{error}"
    );
}

#[test]
fn what_is_at_the_destination_stays() {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("a.zip");
    fs::write(&zip, archive(&[good()])).unwrap();
    let out = dir.path().join("out");
    for make in [
        |path: &Path| fs::create_dir(path),
        |path: &Path| fs::write(path, b"mine"),
    ] {
        make(&out).unwrap();
        let before = tree::names(dir.path());
        let error = unpack(&zip, &out, &Limits::default()).unwrap_err();
        assert!(matches!(error, Error::Exists { .. }), "{error}");
        assert_eq!(tree::names(dir.path()), before);
        fs::remove_dir(&out)
            .or_else(|_| fs::remove_file(&out))
            .unwrap();
    }
}
