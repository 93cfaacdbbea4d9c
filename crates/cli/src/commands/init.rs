//! `anyport init`

mod runtime;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyport::manifest::FILE_NAME;
use anyport::spec::Name;
use clap::ValueEnum;
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Start a function: a manifest and code, in this folder or a new one. Nothing that is there is overwritten.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The language
    #[arg(value_name = "TEMPLATE", default_value = "rust")]
    template: Template,
    /// The folder; this one unless named
    #[arg(value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// The function's name; made from the folder's unless named
    #[arg(long)]
    name: Option<String>,
    /// Use the crate `anyport-runtime` from this folder; unless named, from the Anyport checkout that is around, else from the registry
    #[arg(long, value_name = "FOLDER")]
    runtime: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    Rust,
    Python,
    Node,
}

/// The files of a template, by path, with `{{name}}` and `{{runtime}}` to be filled in.
fn files(template: Template) -> &'static [(&'static str, &'static str)] {
    match template {
        Template::Rust => &[
            (FILE_NAME, include_str!("../templates/rust/anyport.toml")),
            (
                "Cargo.toml",
                include_str!("../templates/rust/Cargo.toml.in"),
            ),
            ("src/main.rs", include_str!("../templates/rust/src/main.rs")),
            (".gitignore", include_str!("../templates/rust/gitignore")),
        ],
        Template::Python => &[
            (FILE_NAME, include_str!("../templates/python/anyport.toml")),
            ("src/app.py", include_str!("../templates/python/app.py")),
        ],
        Template::Node => &[
            (FILE_NAME, include_str!("../templates/node/anyport.toml")),
            ("src/app.mjs", include_str!("../templates/node/app.mjs")),
        ],
    }
}

/// The Rust template's files, filled in, for the demo.
pub(super) fn rust_files(name: &str) -> impl Iterator<Item = (&'static str, String)> {
    let runtime = runtime::dependency(runtime::find().as_deref());
    files(Template::Rust)
        .iter()
        .map(move |(path, text)| (*path, fill(text, name, &runtime)))
}

fn fill(text: &str, name: &str, runtime: &str) -> String {
    text.replace("{{name}}", name)
        .replace("{{runtime}}", runtime)
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let name = name(args)?;
    let runtime = match &args.runtime {
        Some(path) => Some(runtime::named(path)?),
        None => runtime::find(),
    };
    let files = files(args.template);
    let there: Vec<String> = files
        .iter()
        .map(|(path, _)| args.folder.join(path))
        .filter(|path| fs::symlink_metadata(path).is_ok())
        .map(|path| path.display().to_string())
        .collect();
    if !there.is_empty() {
        return Err(Failure::new(
            "exists",
            format!("nothing was written: {} is there already", there.join(", ")),
        )
        .next("choose another folder: anyport init TEMPLATE FOLDER"));
    }
    let mut written = Vec::new();
    for (path, text) in files {
        let to = args.folder.join(path);
        let text = fill(
            text,
            name.as_str(),
            &runtime::dependency(runtime.as_deref()),
        );
        create(&to, &text).map_err(|error| Failure::file("write", &to, &error))?;
        written.push(to);
    }
    let output = &context.output;
    if args.template == Template::Rust && runtime.is_none() {
        output.warn(runtime::UNPUBLISHED);
    }
    if output.json {
        output.object("init", json!({ "function": name, "files": written }))?;
        return Ok(Exit::Clean);
    }
    for path in &written {
        output.line(&format!("wrote {}", path.display()))?;
    }
    let there = if args.folder == Path::new(".") {
        String::new()
    } else {
        format!("cd {} && ", args.folder.display())
    };
    output.note(&format!(
        "next: {there}anyport deploy && anyport invoke {name} --data '{{\"name\": \"Ada\"}}'"
    ));
    Ok(Exit::Clean)
}

fn name(args: &Args) -> Result<Name, Failure> {
    if let Some(name) = &args.name {
        return crate::session::name(name);
    }
    let folder = if args.folder.file_name().is_some() {
        args.folder.clone()
    } else {
        std::path::absolute(&args.folder)
            .and_then(|_| std::env::current_dir())
            .map_err(|error| Failure::file("find", &args.folder, &error))?
    };
    let text = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(text.parse().unwrap_or_else(|_| Name::nearest(&text)))
}

/// Creates a file that is not there: also one that appeared since it was looked for is left alone.
fn create(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::File::create_new(path)?.write_all(text.as_bytes())
}
