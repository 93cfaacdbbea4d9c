//! Real builds of tiny packages with the cargo that runs this test.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyport_package::{CargoBuild, Error};

fn package(dir: &Path, sources: &[(&str, &str)]) {
    let manifest =
        "[package]\nname = \"tiny\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(dir.join("Cargo.toml"), manifest).unwrap();
    for (path, text) in sources {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn build(dir: &Path) -> CargoBuild {
    CargoBuild::new("tiny")
        .folder(dir)
        .target_folder(dir.join("target"))
        .profile("dev")
        .cargo(env!("CARGO"))
}

fn failure(build: &CargoBuild) -> String {
    match build.run(&mut |_| {}) {
        Err(Error::Cargo { package, problem }) => {
            assert!(!package.is_empty());
            problem
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_executable_is_built_and_found() {
    let dir = tempfile::tempdir().unwrap();
    package(
        dir.path(),
        &[("src/main.rs", "fn main() { println!(\"works\"); }")],
    );
    let mut lines = Vec::new();
    let program = build(dir.path())
        .run(&mut |line| lines.push(line.to_owned()))
        .unwrap();
    assert!(
        lines.iter().any(|line| line.contains("Compiling tiny")),
        "{lines:?}"
    );
    let output = Command::new(program).output().unwrap();
    assert_eq!(output.stdout, b"works\n");
}

#[test]
fn the_compilers_own_text_is_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    package(
        dir.path(),
        &[("src/main.rs", "fn main() { let x: u8 = \"text\"; }")],
    );
    let problem = failure(&build(dir.path()));
    assert!(
        problem.contains("error[E0308]") && problem.contains("src/main.rs:1:25"),
        "{problem}"
    );
}

#[test]
fn a_choice_of_executables_is_left_to_the_caller() {
    let dir = tempfile::tempdir().unwrap();
    let empty = "fn main() {}";
    package(
        dir.path(),
        &[("src/bin/one.rs", empty), ("src/bin/two.rs", empty)],
    );
    let problem = failure(&build(dir.path()));
    assert!(
        problem.starts_with("it has several executables (") && problem.contains("two"),
        "{problem}"
    );
    let chosen = build(dir.path()).binary("two").run(&mut |_| {}).unwrap();
    assert_eq!(chosen.file_stem().unwrap(), "two");
}

#[test]
fn a_package_without_an_executable_and_one_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    package(dir.path(), &[("src/lib.rs", "")]);
    assert!(failure(&build(dir.path())).contains("it has no executable"));
    let absent = CargoBuild::new("--help")
        .folder(dir.path())
        .cargo(env!("CARGO"));
    assert!(
        failure(&absent).contains("--help"),
        "an option must not be taken from a name"
    );
    let no_cargo = build(dir.path())
        .cargo(dir.path().join("none"))
        .run(&mut |_| {});
    assert!(matches!(
        no_cargo,
        Err(Error::Io {
            action: "start",
            ..
        })
    ));
}
