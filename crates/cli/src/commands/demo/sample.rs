//! The sample function of the demo: the one in the repository, or a copy that is made where there is no repository.

use std::fs;
use std::path::{Path, PathBuf};

use crate::commands::init;
use crate::failure::Failure;

/// A cargo package with a function that greets.
pub(super) struct Sample {
    /// Where cargo is started.
    pub folder: PathBuf,
    pub package: &'static str,
}

/// The sample's place in the repository.
const QUICKSTART: &str = "examples/quickstart/Cargo.toml";

pub(super) fn find(scratch: &Path) -> Result<Sample, Failure> {
    let here = std::env::current_dir().unwrap_or_default();
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let repository = here
        .ancestors()
        .chain([built_in.as_path()])
        .find(|folder| folder.join(QUICKSTART).is_file());
    if let Some(folder) = repository {
        return Ok(Sample {
            folder: folder.to_owned(),
            package: "quickstart",
        });
    }
    let folder = scratch.join("sample");
    for (path, text) in init::rust_files("greeter") {
        let to = folder.join(path);
        let written = to
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&to, text));
        written.map_err(|error| Failure::file("write", &to, &error))?;
    }
    Ok(Sample {
        folder,
        package: "greeter",
    })
}
