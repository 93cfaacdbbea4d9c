//! Where the probe's executable comes from.

use std::path::{Path, PathBuf};

use anyport_package::CargoBuild;

const PACKAGE: &str = "anyport-testkit";
const BINARY: &str = "anyport-probe";

/// The probe could not be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "no probe function: {tried}; build it with `cargo build -p anyport-testkit --bin anyport-probe` and name its path"
)]
pub struct NoProbe {
    tried: String,
    #[source]
    source: Option<anyport_package::Error>,
}

/// Builds the probe with cargo, in the development profile and the usual target folder, and returns its path.
///
/// Uses the cargo that runs the current test (`CARGO`), or the one on the path, and the workspace that this crate was built in.
///
/// # Errors
/// [`NoProbe`] when the workspace is not there any more or cargo fails.
pub fn build_probe() -> Result<PathBuf, NoProbe> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !folder.join("Cargo.toml").is_file() {
        return Err(NoProbe {
            tried: "its source is not on this machine".to_owned(),
            source: None,
        });
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    CargoBuild::new(PACKAGE)
        .binary(BINARY)
        .profile("dev")
        .folder(folder)
        .cargo(cargo)
        .run(&mut |_| {})
        .map_err(|source| NoProbe {
            tried: "cargo could not build it".to_owned(),
            source: Some(source),
        })
}

/// The probe's executable: the path given; else a fresh build where the workspace is at hand; else a sibling of the running program.
///
/// # Errors
/// [`NoProbe`] when the given path is no file, or there is neither a workspace that builds nor a sibling.
pub fn find_probe(given: Option<&Path>) -> Result<PathBuf, NoProbe> {
    if let Some(path) = given {
        if path.is_file() {
            return Ok(path.to_owned());
        }
        return Err(NoProbe {
            tried: format!("there is no file {}", path.display()),
            source: None,
        });
    }
    // A sibling that an older build left would prove nothing about this one.
    build_probe().or_else(|error| sibling().ok_or(error))
}

fn sibling() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let probe = program.with_file_name(format!("{BINARY}{}", std::env::consts::EXE_SUFFIX));
    probe.is_file().then_some(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_no_file_is_refused_and_named() {
        let error = find_probe(Some(Path::new("/nonexistent/probe"))).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/probe"), "{error}");
    }
}
