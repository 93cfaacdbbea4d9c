//! The manifest as one environment has it.

use std::collections::{BTreeMap, BTreeSet};

use anyport_core::mark::Owner;
use anyport_core::spec::{Artifact, Name, Spec};
use anyport_core::target::TargetUrl;

use super::Manifest;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::document::{Document, Environment};
use super::function::{self, Checked};
use super::nearest::suggestion;
use super::source::Source;
use super::spans::Spans;

/// The environment where none is named and there are several, or none.
const DEFAULT_ENVIRONMENT: &str = "dev";

/// An application in one environment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Application {
    /// The application's name.
    pub name: String,
    /// The environment's name.
    pub environment: String,
    /// Who deploys: the application, in this environment.
    pub owner: Owner,
    /// Places, bound to targets.
    pub places: BTreeMap<String, TargetUrl>,
    /// The functions and services, in the order of their names.
    pub functions: Vec<Function>,
}

/// A function or service of an application in one environment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Function {
    /// The name.
    pub name: Name,
    /// The place it runs at, if it is at one.
    pub place: Option<String>,
    /// The target that the place is bound to.
    pub target: Option<TargetUrl>,
    /// Where its code comes from.
    pub source: Source,
    /// Whether the manifest names the architecture; otherwise the program's own decides.
    pub arch_is_given: bool,
    draft: Spec,
}

impl Function {
    /// The spec of this function once its artifact is made.
    #[must_use]
    pub fn spec(&self, artifact: Artifact) -> Spec {
        let mut spec = self.draft.clone();
        spec.artifact = artifact;
        spec
    }

    /// The spec as far as it is known before the artifact is made: the digest and the sizes are missing.
    #[must_use]
    pub fn draft(&self) -> &Spec {
        &self.draft
    }
}

/// Checks everything that does not depend on the environment chosen.
pub(super) fn check(document: &Document, spans: &Spans, found: &mut Diagnostics) -> Vec<Checked> {
    if document.schema != super::FORMAT {
        let message = format!("there is no format {}", document.schema);
        let help = format!("write `schema = {}`", super::FORMAT);
        found.push(
            Diagnostic::new("wrong_value", message)
                .help(help)
                .at(spans.value_of(&["schema"])),
        );
    }
    label("app", &document.app, spans.value_of(&["app"]), found);
    for (name, environment) in &document.env {
        label(
            "an environment's name",
            name,
            spans.key(&["env", name]),
            found,
        );
        places(name, environment, spans, found);
    }
    let mut checked = Vec::new();
    for (table, workloads) in [
        ("function", &document.function),
        ("service", &document.service),
    ] {
        for (name, workload) in workloads {
            checked.extend(function::check(table, name, workload, spans, found));
            if let Some(place) = &workload.at {
                bound_somewhere(document, place, spans.value_of(&[table, name, "at"]), found);
            }
        }
    }
    for name in document
        .service
        .keys()
        .filter(|name| document.function.contains_key(*name))
    {
        found.push(
            Diagnostic::new(
                "duplicate_name",
                format!("a function and a service are both named `{name}`"),
            )
            .help("names are shared by functions and services; rename one")
            .at(spans.key(&["service", name])),
        );
    }
    checked.sort_by(|one, other| one.spec.name.cmp(&other.spec.name));
    checked
}

fn places(name: &str, environment: &Environment, spans: &Spans, found: &mut Diagnostics) {
    for (place, url) in &environment.at {
        if let Err(error) = url.parse::<TargetUrl>() {
            found.push(
                Diagnostic::new("invalid", error.to_string())
                    .at(spans.value_of(&["env", name, "at", place])),
            );
        }
        label(
            "a place's name",
            place,
            spans.key(&["env", name, "at", place]),
            found,
        );
    }
}

fn bound_somewhere(
    document: &Document,
    place: &str,
    span: Option<std::ops::Range<usize>>,
    found: &mut Diagnostics,
) {
    let bound: BTreeSet<&str> = document
        .env
        .values()
        .flat_map(|environment| environment.at.keys())
        .map(String::as_str)
        .collect();
    if !bound.contains(place) {
        found.push(function::unbound(place, "in any environment", bound).at(span));
    }
}

/// The rule for the names of applications, environments and places: they go into marks, labels and command lines.
fn label(what: &str, text: &str, span: Option<std::ops::Range<usize>>, found: &mut Diagnostics) {
    let valid = (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !valid {
        found.push(
            Diagnostic::new("invalid", format!("{what} is {text:?}"))
                .help("use 1 to 40 lower-case letters, digits and hyphens, starting with a letter, not ending with a hyphen")
                .at(span),
        );
    }
}

pub(super) fn resolve(
    manifest: &Manifest,
    wanted: Option<&str>,
) -> Result<Application, Diagnostics> {
    let document = &manifest.document;
    let (name, environment) = choose(document, wanted)?;
    let places: BTreeMap<String, TargetUrl> = environment
        .at
        .iter()
        .filter_map(|(place, url)| Some((place.clone(), url.parse().ok()?)))
        .collect();
    let mut found = Diagnostics::none();
    let mut functions = Vec::new();
    for checked in &manifest.functions {
        match place_of(checked, &name, &places) {
            Ok(place) => functions.push(Function {
                name: checked.spec.name.clone(),
                target: place.as_ref().and_then(|place| places.get(place).cloned()),
                place,
                source: checked.source.clone(),
                arch_is_given: checked.arch_is_given,
                draft: protected(&checked.spec, environment.protect),
            }),
            Err(problem) => {
                let path = [checked.table, checked.spec.name.as_str(), "at"];
                let span = manifest
                    .spans
                    .value_of(&path)
                    .or_else(|| manifest.spans.key(&path[..2]));
                found.push(problem.at(span));
            }
        }
    }
    found.or(Application {
        owner: Owner::new(&document.app, &name),
        name: document.app.clone(),
        environment: name,
        places,
        functions,
    })
}

fn protected(spec: &Spec, by_environment: bool) -> Spec {
    let mut spec = spec.clone();
    spec.protect |= by_environment;
    spec
}

/// The environment that is meant, by name. A manifest without any has an empty one.
fn choose(document: &Document, wanted: Option<&str>) -> Result<(String, Environment), Diagnostics> {
    let mut names = document.env.keys();
    let name = match (wanted, names.next(), names.next()) {
        (Some(name), ..) => name,
        (None, Some(only), None) => only,
        _ => DEFAULT_ENVIRONMENT,
    };
    if let Some(environment) = document.env.get(name) {
        return Ok((name.to_owned(), environment.clone()));
    }
    if document.env.is_empty() {
        return Ok((name.to_owned(), Environment::default()));
    }
    let known = document.env.keys().map(String::as_str);
    let problem = match wanted {
        Some(name) => Diagnostic::new(
            "unknown_environment",
            format!("there is no environment `{name}`"),
        )
        .help(suggestion(name, "the environments are", known)),
        None => Diagnostic::new(
            "unknown_environment",
            "there are several environments and none is `dev`",
        )
        .help(format!(
            "name one with --env: {}",
            known.collect::<Vec<_>>().join(", ")
        )),
    };
    Err(problem.into())
}

fn place_of(
    function: &Checked,
    environment: &str,
    places: &BTreeMap<String, TargetUrl>,
) -> Result<Option<String>, Diagnostic> {
    let mut names = places.keys();
    match (&function.at, names.next(), names.next()) {
        (Some(place), ..) if places.contains_key(place) => Ok(Some(place.clone())),
        (Some(place), ..) => {
            let wherever = format!("in environment `{environment}`");
            let problem = function::unbound(place, &wherever, []);
            Err(problem.help(format!(
                "add `{place} = \"TARGET\"` under [env.{environment}.at], such as \"local://\""
            )))
        }
        (None, Some(only), None) => Ok(Some(only.clone())),
        (None, None, _) => Ok(None),
        (None, ..) => {
            let name = &function.spec.name;
            let known: Vec<&str> = places.keys().map(String::as_str).collect();
            Err(Diagnostic::new(
                "unbound_place",
                format!("`{name}` names no place, and environment `{environment}` has several"),
            )
            .help(format!(
                "add `at = \"{}\"`; the places are {}",
                known[0],
                known.join(", ")
            )))
        }
    }
}
