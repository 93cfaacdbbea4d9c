//! What cannot start is found before anything is sent, in archives and in folders alike.

use std::fs;
use std::path::Path;

use anyport_core::spec::{Arch, Packaging, Protocol};
use anyport_package::{
    Inspection, Limits, Linkage, Machine, Packer, Program, inspect, inspect_dir, inspect_program,
};

use crate::forge::{self, Forged};
use crate::tree::{self, Tree};

const ZIP: Packaging = Packaging::Zip {
    protocol: Protocol::RuntimeApi,
};

fn bundle(runtime: &str, handler: &str) -> Packaging {
    Packaging::Bundle {
        runtime: runtime.parse().unwrap(),
        handler: handler.to_owned(),
    }
}

fn command(parts: &[&str]) -> Packaging {
    Packaging::Command {
        command: parts.iter().map(|part| (*part).to_owned()).collect(),
    }
}

/// A static 64-bit program for a machine, as far as its header goes.
fn elf(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 120];
    bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[32] = 64;
    bytes[54] = 56;
    bytes
}

/// Looks into the tree as a folder and as an archive; both must show the same.
fn look(tree: &Tree) -> Inspection {
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("src");
    tree::write(tree, &source);
    let to = dir.path().join("a.zip");
    let packed = Packer::default().dir(&source, &to).unwrap();
    let limits = Limits::default();
    let (folder, archive) = (
        inspect_dir(&source, &limits).unwrap(),
        inspect(&to, &limits).unwrap(),
    );
    assert_eq!(folder.files, archive.files);
    assert_eq!(folder.unpacked_size, archive.unpacked_size);
    assert_eq!(
        (archive.digest, archive.size),
        (Some(packed.digest), packed.size)
    );
    archive
}

fn found(tree: &Tree, packaging: &Packaging) -> Vec<String> {
    let violations = look(tree).check(packaging, Arch::X86_64);
    violations.iter().map(ToString::to_string).collect()
}

#[test]
fn a_sound_bootstrap_passes() {
    for bytes in [elf(62), b"#!/bin/sh\necho\n".to_vec()] {
        assert_eq!(
            found(&tree::tree([("bootstrap", tree::program(&bytes))]), &ZIP),
            [""; 0]
        );
    }
    let inspection = look(&tree::tree([("bootstrap", tree::program(&elf(183)))]));
    let program = inspection.bootstrap().unwrap().program.clone();
    let machine = Machine::Known(Arch::Arm64);
    assert_eq!(
        program,
        Some(Program::Elf {
            machine,
            linkage: Linkage::Static
        })
    );
    assert!(inspection.check(&ZIP, Arch::Arm64).is_empty());
}

#[test]
fn a_bootstrap_that_cannot_start_is_found_with_a_remedy() {
    let chmod = "artifact.bootstrap: must be executable: run `chmod +x` on it and pack again; \
                 archives made on Windows lose this bit, `anyport package` keeps it";
    for (node, expected) in [
        (tree::file(b"#!/bin/sh\n"), chmod),
        (
            tree::program(&elf(183)),
            "artifact.bootstrap: must be built for x86_64, it is built for arm64",
        ),
        (
            tree::program(b"\xcf\xfa\xed\xfe"),
            "artifact.bootstrap: must be built for Linux on x86_64, it is built for macOS",
        ),
        (
            tree::program(b"MZ"),
            "artifact.bootstrap: must be built for Linux on x86_64, it is built for Windows",
        ),
        (
            tree::program(b""),
            "artifact.bootstrap: must be a program, it is empty",
        ),
        (
            tree::program(b"#!/bin/sh\r\n"),
            "artifact.bootstrap: must have Unix line ends: its `#!` line ends in a carriage return",
        ),
        (
            tree::program(b"#!python3\n"),
            "artifact.bootstrap: must name its interpreter by an absolute path, its `#!` line names `python3`",
        ),
        (
            tree::program(b"echo hi\n"),
            "artifact.bootstrap: must be an ELF program or start with a `#!` line, it is neither",
        ),
    ] {
        assert_eq!(found(&tree::tree([("bootstrap", node)]), &ZIP), [expected]);
    }
    // Both at once.
    let both = tree::tree([("bootstrap", tree::file(&elf(183)))]);
    assert_eq!(found(&both, &ZIP).len(), 2);
}

#[test]
fn a_missing_bootstrap_is_looked_for_one_folder_down() {
    let missing = tree::tree([("main.sh", tree::program(b"#!/bin/sh\n"))]);
    assert_eq!(
        found(&missing, &ZIP),
        ["artifact.bootstrap: must hold an executable file `bootstrap` at its root"]
    );
    let deeper = tree::tree([
        ("app/bootstrap", tree::program(b"#!/bin/sh\n")),
        ("app/lib", tree::file(b"")),
    ]);
    assert_eq!(
        found(&deeper, &ZIP),
        [
            "artifact.bootstrap = \"app/bootstrap\": must hold an executable file `bootstrap` at its \
          root; pack the folder's contents, not the folder (nearest: bootstrap)"
        ]
    );
}

#[test]
fn handlers_must_name_a_module() {
    let files = tree::tree([
        ("app.py", tree::file(b"")),
        ("pkg/__init__.py", tree::file(b"")),
        ("pkg/sub.py", tree::file(b"")),
        ("index.mjs", tree::file(b"")),
        ("src/job.js", tree::file(b"")),
    ]);
    for good in [
        "app.handler",
        "pkg.handler",
        "pkg.sub.handler",
        "pkg/sub.handler",
    ] {
        assert_eq!(
            found(&files, &bundle("python3.13", good)),
            [""; 0],
            "{good}"
        );
    }
    for good in ["index.handler", "src/job.a.b", "./index.handler"] {
        assert_eq!(found(&files, &bundle("nodejs22", good)), [""; 0], "{good}");
    }
    assert_eq!(
        found(&files, &bundle("python3.13", "main.handler")),
        [
            "artifact.handler = \"main.handler\": must name a module in the artifact; looked for \
          `main/__init__.py`, `main.py`, `main.pyc` (nearest: app.py)"
        ]
    );
    assert_eq!(
        found(&files, &bundle("nodejs22", "handler")),
        [
            "artifact.handler = \"handler\": must name a module and a function, with a dot between \
          (nearest: app.handler)"
        ]
    );
    let deeper = tree::tree([("app/app.py", tree::file(b""))]);
    let text = found(&deeper, &bundle("python3", "app.handler")).remove(0);
    assert!(
        text.contains("pack the folder's contents, not the folder"),
        "{text}"
    );
}

#[test]
fn commands_must_name_a_program() {
    let files = tree::tree([
        ("server", tree::program(b"#!/bin/sh\n")),
        ("bin/tool", tree::program(b"#!/bin/sh\n")),
        ("data", tree::file(b"x")),
    ]);
    for good in [
        &["./server", "-v"][..],
        &["server"],
        &["bin/tool"],
        &["python3", "x"],
        &["/bin/sh"],
    ] {
        assert_eq!(found(&files, &command(good)), [""; 0], "{good:?}");
    }
    assert_eq!(
        found(&files, &command(&["./missing"])),
        [
            "artifact.command = \"./missing\": must name a program in the artifact, or one on the path"
        ]
    );
    assert_eq!(
        found(&files, &command(&[])),
        ["artifact.command: must name a program"]
    );
    assert!(found(&files, &command(&["data"]))[0].contains("must be executable"));
}

#[test]
fn an_archive_from_windows_has_no_executables() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.zip");
    let windows = Forged {
        made_by: 0,
        mode: 0,
        ..forge::file("bootstrap", b"#!/bin/sh\n")
    };
    fs::write(&to, forge::archive(&[windows])).unwrap();
    let violations = inspect(&to, &Limits::default())
        .unwrap()
        .check(&ZIP, Arch::X86_64);
    assert!(
        violations
            .to_string()
            .contains("archives made on Windows lose this bit"),
        "{violations}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_real_program_is_read() {
    let program = inspect_program(Path::new("/proc/self/exe")).unwrap();
    let Program::Elf { machine, linkage } = program else {
        panic!("{program:?}")
    };
    assert_eq!(Some(machine), Arch::of_this_machine().map(Machine::Known));
    assert!(matches!(linkage, Linkage::Static | Linkage::Dynamic { .. }));
}

#[test]
fn a_bootstrap_that_is_a_link_is_judged_by_what_it_leads_to() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("a.zip");
    let check = |target: &str, bytes: &[u8]| {
        let mut real = forge::file("bin/real", bytes);
        real.mode = 0o100_755;
        let entries = [forge::link("bootstrap", target), real];
        fs::write(&to, forge::archive(&entries)).unwrap();
        let inspection = inspect(&to, &Limits::default()).unwrap();
        assert_eq!(inspection.unpacked_size, bytes.len() as u64);
        let violations = inspection.check(&ZIP, Arch::X86_64);
        violations
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(check("bin/real", b"#!/bin/sh\n"), [""; 0]);
    let wrong = check("./bin/real", &elf(183));
    assert!(wrong[0].contains("must be built for x86_64"), "{wrong:?}");
    let dangling = check("bin/other", b"#!/bin/sh\n");
    assert!(
        dangling[0].contains("leads to no executable file"),
        "{dangling:?}"
    );
}
