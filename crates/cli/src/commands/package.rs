//! `anyport package`

use std::path::{Path, PathBuf};

use anyport::package::{Inspection, Linkage, Program};
use serde_json::{Value, json};

use crate::artifact::{self, Archive};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::words;
use crate::scratch::Scratch;
use crate::session::Session;

/// Make a function's artifact and say what is in it. The same input gives the same bytes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The functions; all of the manifest when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Where to put the archives, as NAME.zip
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
}

pub(crate) async fn run(args: Args, context: &Context) -> Result<Exit, Failure> {
    let session = Session::start(context)?;
    let project = session.project()?;
    let functions = project.functions(&args.names)?;
    let folder = Scratch::new()?;
    let ready = artifact::prepare(context, project, &functions, folder.path()).await?;
    let output = &context.output;
    let mut objects = Vec::new();
    for one in ready {
        let name = &one.spec.name;
        let Some(archive) = &one.archive else {
            output.note(&format!("{name} is an image; there is nothing to make"));
            continue;
        };
        let to = args.output.join(format!("{name}.zip"));
        put(archive, &args.output, &to)?;
        let kind = one.spec.artifact.packaging.name();
        if output.json {
            objects.push(object(name.as_str(), kind, &to, archive));
        } else {
            output.line(&lines(name.as_str(), kind, &to, archive))?;
        }
    }
    if output.json {
        output.object("package", json!({ "artifacts": objects }))?;
    }
    Ok(Exit::Clean)
}

fn put(archive: &Archive, folder: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    // A source that is a zip already may be named as its own destination.
    if std::fs::canonicalize(to).ok() == std::fs::canonicalize(&archive.path).ok() {
        return Ok(());
    }
    std::fs::copy(&archive.path, to)
        .map(drop)
        .map_err(|error| Failure::file("write", to, &error))
}

fn object(name: &str, kind: &str, to: &Path, archive: &Archive) -> Value {
    json!({
        "function": name,
        "kind": kind,
        "path": to,
        "digest": archive.content().digest(),
        "size": archive.content().size(),
        "unpacked_size": archive.inspection.unpacked_size,
        "files": archive.inspection.files.len(),
        "program": program(&archive.inspection),
    })
}

fn lines(name: &str, kind: &str, to: &Path, archive: &Archive) -> String {
    let found = &archive.inspection;
    let mut out = format!(
        "{name}: {} ({kind})\n  digest: {}\n  size: {}, unpacked {}, {}",
        to.display(),
        archive.content().digest(),
        words::size(archive.content().size()),
        words::size(found.unpacked_size),
        words::count(found.files.len(), "file"),
    );
    if let Some(program) = program(found) {
        out.push_str(&format!("\n  bootstrap: {program}"));
    }
    out
}

/// What the bootstrap is, in words.
fn program(found: &Inspection) -> Option<String> {
    Some(match found.bootstrap()?.program.as_ref()? {
        Program::Elf { machine, linkage } => match linkage {
            Linkage::Static => format!("a static program for {machine}"),
            _ => format!("a program for {machine} that needs the system's libraries"),
        },
        Program::Script { interpreter } => format!("a script for {interpreter}"),
        _ => "a program of another kind".to_owned(),
    })
}
