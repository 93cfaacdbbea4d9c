//! The demo's manifest, and the artifact that is made from it.

use std::path::Path;

use super::Teller;
use super::sample::Sample;
use crate::artifact::{self, Ready};
use crate::context::Context;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::words;

const FUNCTION: &str = "greeter";

fn manifest(sample: &Sample, state: &Path, profile: &str) -> String {
    format!(
        r#"schema = 1
app = "demo"
[env.demo.at]
laptop = "local://{}"
[function.{FUNCTION}]
source = {{ cargo = "{}", profile = "{profile}" }}
timeout = "10s"
[function.{FUNCTION}.env]
GREETING = "hello"
[function.{FUNCTION}.delivery]
attempts = 2
backoff = "100ms"
"#,
        state.display(),
        sample.package
    )
}

/// Shows the manifest, builds the sample and packs it.
pub(super) async fn build(
    context: &Context,
    teller: &mut Teller<'_>,
    sample: &Sample,
    state: &Path,
    profile: &str,
) -> Result<Ready, Failure> {
    let text = manifest(sample, state, profile);
    teller.say("The manifest, anyport.toml:\n")?;
    for line in text.lines() {
        teller.say(&format!("      {line}"))?;
    }
    teller.say("")?;
    let project = Project::of(&sample.folder, "anyport.toml".into(), text, None)?;
    let folder = state.with_file_name("artifacts");
    let functions: Vec<_> = project.application.functions.iter().collect();
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
    let mut ready = artifact::prepare(context, &project, &functions, &folder).await?;
    let artifact = &ready[0].spec.artifact;
    let kind = if profile == "dev" {
        "a debug build; `anyport deploy` ships release builds"
    } else {
        "a release build"
    };
    teller.step(
        "Build and pack",
        &[
            format!("cargo built the package `{}` ({kind})", sample.package),
            format!(
                "packed {} into {}, {}: the same source gives the same bytes",
                words::size(artifact.unpacked_size),
                words::size(artifact.size),
                artifact.digest.short()
            ),
        ],
    )?;
    Ok(ready.remove(0))
}
