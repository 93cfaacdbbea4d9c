//! The manifest on disk, as the environment that was chosen has it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyport::error::Violations;
use anyport::manifest::{Application, Diagnostics, FILE_NAME, Function, Manifest, nearest};
use anyport::spec::Name;

use crate::failure::Failure;
use crate::settings::Settings;

/// No manifest is this long; what is, is another file.
const LONGEST: u64 = 1 << 20;

/// A manifest that was read.
#[derive(Debug)]
pub(crate) struct Project {
    /// The file, as it is shown.
    pub path: PathBuf,
    /// The folder that sources are relative to.
    pub folder: PathBuf,
    pub text: String,
    pub manifest: Manifest,
    pub application: Application,
}

impl Project {
    /// Reads the manifest that is named, or the nearest one; `None` when there is none.
    pub(crate) fn find(settings: &Settings) -> Result<Option<Self>, Failure> {
        let path = match &settings.manifest {
            Some(path) if path.is_dir() => path.join(FILE_NAME),
            Some(path) => path.clone(),
            None => match nearest_file()? {
                Some(path) => path,
                None => return Ok(None),
            },
        };
        let text = read(&path)?;
        // Empty for this folder: paths are shown as they are written.
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::of(&folder, path, text, settings.environment.as_deref()).map(Some)
    }

    /// A manifest's text as one environment has it; sources are relative to `folder`.
    pub(crate) fn of(
        folder: &Path,
        path: PathBuf,
        text: String,
        environment: Option<&str>,
    ) -> Result<Self, Failure> {
        let refuse = |found: Diagnostics| Failure::manifest(&path, &text, &found);
        let manifest = Manifest::parse(&text).map_err(refuse)?;
        let application = manifest.application(environment).map_err(refuse)?;
        Ok(Self {
            folder: folder.to_owned(),
            path,
            text,
            manifest,
            application,
        })
    }

    /// The functions of these names, all when none is named.
    pub(crate) fn functions(&self, names: &[String]) -> Result<Vec<&Function>, Failure> {
        if names.is_empty() {
            return Ok(self.application.functions.iter().collect());
        }
        names.iter().map(|name| self.function(name)).collect()
    }

    pub(crate) fn function(&self, name: &str) -> Result<&Function, Failure> {
        let known = &self.application.functions;
        known
            .iter()
            .find(|function| function.name.as_str() == name)
            .ok_or_else(|| {
                let names = known.iter().map(|function| function.name.as_str());
                let message = format!("there is no function `{name}` in {}", self.path.display());
                let failure = Failure::new("unknown_function", message);
                match nearest(name, names.clone()) {
                    Some(near) => failure.next(format!("did you mean `{near}`?")),
                    None => failure.next(format!(
                        "the functions are: {}",
                        names.collect::<Vec<_>>().join(", ")
                    )),
                }
            })
    }

    /// Says whose artifact cannot be made, and where the manifest names its source.
    pub(crate) fn source_failed(&self, name: &Name, failure: Failure) -> Failure {
        let at_source = Violations::from(vec![anyport::error::Violation::new("source", "")]);
        let place = self
            .manifest
            .locate(name, &at_source)
            .iter()
            .find_map(|found| found.position(&self.text))
            .map(|at| format!("{}:{}:{}", self.path.display(), at.line, at.column))
            .unwrap_or_else(|| self.path.display().to_string());
        let mut outer = Failure::new(
            failure.code.clone(),
            format!("cannot make the artifact of {name}: {failure}"),
        );
        outer.causes.clone_from(&failure.causes);
        let next = failure.next.clone();
        outer.next(next.unwrap_or_else(|| format!("mend it, or name another `source` at {place}")))
    }

    /// Points what is wrong with a function's spec into the manifest.
    pub(crate) fn locate(&self, name: &Name, violations: &Violations) -> Failure {
        let found = self.manifest.locate(name, violations);
        let mut failure = Failure::manifest(&self.path, &self.text, &found);
        failure.code = "invalid_spec".to_owned();
        failure.message = format!("{name} cannot be deployed as it is");
        failure
    }
}

fn nearest_file() -> Result<Option<PathBuf>, Failure> {
    let start = std::env::current_dir().map_err(|error| {
        Failure::new("file", "cannot read the current folder").with_source(error)
    })?;
    let found = start
        .ancestors()
        .find(|folder| folder.join(FILE_NAME).is_file());
    Ok(found.map(|folder| {
        // Paths are shown as short as they can be.
        let depth = start.ancestors().take_while(|one| one != &folder).count();
        let mut path: PathBuf = std::iter::repeat_n("..", depth).collect();
        path.push(FILE_NAME);
        path
    }))
}

/// Reads a manifest's text.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            Failure::file("read", path, &error)
                .next("make one with `anyport init`, or name one with --manifest")
        })?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::new(
            "file",
            format!(
                "{} is longer than a manifest can be (1 MiB)",
                path.display()
            ),
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid]
            .split(|byte| *byte == b'\n')
            .count();
        Failure::new(
            "file",
            format!(
                "{} is not UTF-8 text: byte 0x{:02x} in line {line}",
                path.display(),
                error.as_bytes()[valid]
            ),
        )
        .next("save it as UTF-8")
    })
}
