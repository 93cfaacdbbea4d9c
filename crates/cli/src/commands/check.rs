//! `anyport check`

use anyport::ErrorKind;
use anyport::capability::fit;
use anyport::manifest::{Function, Manifest, SCHEMA, portable};
use serde_json::json;

use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::words;
use crate::session::Session;

/// Check the manifest, in every environment unless one is named. Builds nothing, connects to nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also check that every product can run it as it is
    #[arg(long)]
    portable: bool,
    /// Print the JSON Schema of the manifest, for editors
    #[arg(long)]
    schema: bool,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.schema {
        context.output.bytes(SCHEMA.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let session = Session::start(context)?;
    let project = session.project()?;
    let environments = environments(context, project)?;
    let functions = &project.application.functions;
    let mut rounded = Vec::new();
    if args.portable {
        rounded = outside(project, functions)?;
    }
    let output = &context.output;
    if output.json {
        let names: Vec<&str> = functions
            .iter()
            .map(|function| function.name.as_str())
            .collect();
        output.object(
            "check",
            json!({ "manifest": project.path, "environments": environments, "functions": names, "rounded": rounded }),
        )?;
    } else {
        for note in &rounded {
            output.line(note)?;
        }
        let portable = if args.portable {
            ", and fits every product"
        } else {
            ""
        };
        output.line(&format!(
            "{} is good: {} in {}{portable}",
            project.path.display(),
            words::count(functions.len(), "function"),
            words::count(environments.len().max(1), "environment"),
        ))?;
    }
    Ok(Exit::Clean)
}

/// Every environment resolves, unless one is named.
fn environments(context: &Context, project: &Project) -> Result<Vec<String>, Failure> {
    let all: Vec<String> = match &context.settings.environment {
        Some(one) => vec![one.clone()],
        None => Manifest::environments(&project.manifest)
            .map(str::to_owned)
            .collect(),
    };
    for name in &all {
        project
            .manifest
            .application(Some(name))
            .map_err(|found| Failure::manifest(&project.path, &project.text, &found))?;
    }
    Ok(all)
}

/// Everything outside the portable profile; what is only rounded somewhere is returned.
fn outside(project: &Project, functions: &[Function]) -> Result<Vec<String>, Failure> {
    let profile = portable();
    let mut rounded = Vec::new();
    let mut failed = Vec::new();
    for function in functions {
        match fit(&profile, "portable", function.draft()) {
            Ok(fitted) => rounded.extend(fitted.approximations.iter().map(|one| {
                format!(
                    "{}: {}: asked {}, may be {} elsewhere",
                    function.name, one.field, one.asked, one.actual
                )
            })),
            Err(error) => failed.push(match error.kind() {
                ErrorKind::InvalidSpec(violations) => {
                    let mut failure = project.locate(&function.name, violations);
                    failure.code = "not_portable".to_owned();
                    failure.message = format!("{} is outside the portable profile", function.name);
                    failure
                }
                ErrorKind::Unsupported { capability, hint } => Failure::new(
                    "not_portable",
                    format!(
                        "{} is outside the portable profile: {capability} is not on every product",
                        function.name
                    ),
                )
                .next(hint),
                _ => error.into(),
            }),
        }
    }
    match failed.len() {
        0 => Ok(rounded),
        1 => Err(failed.remove(0)),
        count => {
            let mut failure = Failure::several(0, failed);
            failure.message = format!("{count} functions are outside the portable profile");
            Err(failure)
        }
    }
}
