//! Where a new Rust function gets `anyport-runtime` from.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::failure::Failure;

const PACKAGE: &str = "anyport-runtime";

/// What to know when neither a folder was named nor a checkout is around.
pub(super) const UNPUBLISHED: &str = "no Anyport checkout is around, so Cargo.toml names `anyport-runtime` by its version: where no registry has \
     that, the build fails; make the function anew with --runtime CHECKOUT/crates/runtime";

/// The dependency as `Cargo.toml` has it: by path, or by the version of this build.
pub(super) fn dependency(folder: Option<&Path>) -> String {
    match folder {
        // A JSON string is a TOML string too.
        Some(path) => format!("{{ path = {} }}", json!(path)),
        None => json!(env!("CARGO_PKG_VERSION")).to_string(),
    }
}

/// The folder that was named, if the crate is there.
pub(super) fn named(path: &Path) -> Result<PathBuf, Failure> {
    let folder = fs::canonicalize(path).map_err(|error| Failure::file("find", path, &error))?;
    if is_runtime(&folder) {
        return Ok(folder);
    }
    Err(Failure::new(
        "not_the_runtime",
        format!("{} is not the crate `{PACKAGE}`", path.display()),
    )
    .next("name the folder crates/runtime of an Anyport checkout"))
}

/// The crate in a checkout around this folder or the executable, or in the one that this build was made from.
pub(super) fn find() -> Option<PathBuf> {
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"));
    [std::env::current_dir(), std::env::current_exe()]
        .into_iter()
        .flatten()
        .find_map(|start| above(&start))
        .or_else(|| above(built_in))
}

fn above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .map(|folder| folder.join("crates/runtime"))
        .find(|folder| is_runtime(folder))
        .and_then(|folder| fs::canonicalize(folder).ok())
}

fn is_runtime(folder: &Path) -> bool {
    let line = format!("name = \"{PACKAGE}\"");
    fs::read_to_string(folder.join("Cargo.toml"))
        .is_ok_and(|text| text.lines().any(|one| one.trim() == line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_runtime_itself_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        let runtime = root.path().join("crates/runtime");
        fs::create_dir_all(&deep).unwrap();
        fs::create_dir_all(&runtime).unwrap();
        assert_eq!(above(&deep), None);
        fs::write(runtime.join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
        assert_eq!(above(&deep), None);
        assert!(named(&runtime).is_err());
        fs::write(
            runtime.join("Cargo.toml"),
            "[package]\nname = \"anyport-runtime\"\n",
        )
        .unwrap();
        let found = fs::canonicalize(&runtime).unwrap();
        assert_eq!(above(&deep), Some(found.clone()));
        assert_eq!(named(&runtime).unwrap(), found);
    }

    #[test]
    fn a_dependency_is_a_path_or_a_version() {
        assert_eq!(
            dependency(Some(Path::new("/a b/\"c"))),
            r#"{ path = "/a b/\"c" }"#
        );
        assert_eq!(
            dependency(None),
            format!("\"{}\"", env!("CARGO_PKG_VERSION"))
        );
    }
}
