//! From a source in the manifest to an artifact that was looked into: what cannot start is found before anything is sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport::content::Content;
use anyport::manifest::{Function, Source};
use anyport::package::{
    CargoBuild, FileContent, Inspection, Limits, Machine, Packer, Program, inspect,
};
use anyport::spec::{Arch, Artifact, Packaging, Spec};

use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::Output;

/// A function that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Ready {
    pub spec: Spec,
    /// The archive; `None` for an image, which is in its registry already.
    pub archive: Option<Archive>,
}

/// A packed archive on this machine.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub path: PathBuf,
    pub inspection: Arc<Inspection>,
    content: FileContent,
}

impl Archive {
    pub(crate) fn content(&self) -> Arc<dyn Content> {
        Arc::new(self.content.clone())
    }
}

impl Ready {
    /// The bytes, empty for an image.
    pub(crate) fn content(&self) -> Arc<dyn Content> {
        match &self.archive {
            Some(archive) => archive.content(),
            None => Arc::new(anyport::content::InMemory::new(Vec::new())),
        }
    }
}

/// Makes the artifacts of functions, one after the other, in `folder`.
pub(crate) async fn prepare(
    context: &Context,
    project: &Project,
    functions: &[&Function],
    folder: &Path,
) -> Result<Vec<Ready>, Failure> {
    let mut ready = Vec::with_capacity(functions.len());
    let mut failed = Vec::new();
    for function in functions {
        match one(context, project, function, folder).await {
            Ok(one) => ready.push(one),
            Err(failure) => failed.push(failure),
        }
        if context.cancel.is_cancelled() {
            return Err(Failure::new(
                "cancelled",
                "stopped before anything was sent",
            ));
        }
    }
    match failed.len() {
        0 => Ok(ready),
        1 => Err(failed.remove(0)),
        _ => {
            let mut failure = Failure::several(0, failed);
            failure.message = "some artifacts cannot be made; nothing was sent".to_owned();
            Err(failure)
        }
    }
}

async fn one(
    context: &Context,
    project: &Project,
    function: &Function,
    folder: &Path,
) -> Result<Ready, Failure> {
    let name = function.name.to_string();
    let job = Job {
        source: function.source.clone(),
        root: project.folder.clone(),
        to: folder.join(format!("{name}.zip")),
        output: context.output.clone(),
    };
    if let Source::Cargo {
        package, profile, ..
    } = &function.source
    {
        context.output.note(&format!(
            "{name}: building package {package} with cargo (profile {profile})"
        ));
    }
    let archive = tokio::task::spawn_blocking(move || job.run())
        .await
        .map_err(|error| {
            Failure::new("internal", "the packing of an artifact broke off").with_source(error)
        })?
        .map_err(|failure| match failure.code.as_str() {
            "artifact" => project.source_failed(&function.name, failure),
            // What a compiler says names the package, and is shown as it is.
            _ => failure,
        })?;
    let Some(archive) = archive else {
        let spec = function.draft().clone();
        return Ok(Ready {
            spec,
            archive: None,
        });
    };
    let found = &archive.inspection;
    let packaging = function.source.packaging();
    let wanted = function.draft().artifact.arch;
    let arch = if function.arch_is_given {
        wanted
    } else {
        own_arch(found, &packaging).unwrap_or(wanted)
    };
    let violations = found.check(&packaging, arch);
    if !violations.is_empty() {
        let mut failure = project.locate(&function.name, &violations);
        failure.code = "artifact".to_owned();
        failure.message = format!("the artifact of {name} cannot start");
        return Err(failure);
    }
    let artifact = Artifact::new(packaging, archive.content.digest())
        .with_sizes(archive.content.size(), found.unpacked_size)
        .with_arch(arch);
    Ok(Ready {
        spec: function.spec(artifact),
        archive: Some(archive),
    })
}

/// The architecture of the program that is started.
fn own_arch(found: &Inspection, packaging: &Packaging) -> Option<Arch> {
    let file = match packaging {
        Packaging::Command { command } => {
            let program = command.first()?;
            found
                .files
                .get(program.strip_prefix("./").unwrap_or(program))?
        }
        _ => found.bootstrap()?,
    };
    match &file.program {
        Some(Program::Elf {
            machine: Machine::Known(arch),
            ..
        }) => Some(*arch),
        _ => None,
    }
}

/// The blocking part: files and a compiler.
struct Job {
    source: Source,
    root: PathBuf,
    to: PathBuf,
    output: Output,
}

impl Job {
    fn run(self) -> Result<Option<Archive>, Failure> {
        let packer = Packer::default();
        let path = match &self.source {
            Source::Zip { path, .. } => self.root.join(path),
            Source::Bin { path, .. } => packer.file(&self.root.join(path), &self.to)?.path,
            Source::Cargo {
                package,
                binary,
                profile,
                ..
            } => {
                let mut build = CargoBuild::new(package).profile(profile).folder(
                    if self.root.as_os_str().is_empty() {
                        Path::new(".")
                    } else {
                        &self.root
                    },
                );
                if let Some(binary) = binary {
                    build = build.binary(binary);
                }
                let output = &self.output;
                let built = build.run(&mut |line| output.detail(line))?;
                packer.file(&built, &self.to)?.path
            }
            Source::Bundle { dir, .. } | Source::Command { dir, .. } => {
                packer.dir(&self.root.join(dir), &self.to)?.path
            }
            _ => return Ok(None),
        };
        let inspection = inspect(&path, &Limits::default())?;
        let content = match inspection.digest {
            Some(digest) => FileContent::known(&path, digest, inspection.size),
            None => FileContent::of(&path)?,
        };
        Ok(Some(Archive {
            path,
            inspection: Arc::new(inspection),
            content,
        }))
    }
}
