//! The manifest, `anyport.toml`: one function or a whole application, and where each environment runs it.
//!
//! [`Manifest::parse`] is pure: text in, either a manifest in which every function's spec is valid or every problem at once, each with the
//! place in the text that it is about. [`Manifest::application`] then picks one environment. Reading files, packing artifacts and
//! connecting to targets is left to the caller.
//!
//! ```
//! use anyport::manifest::Manifest;
//!
//! let manifest = Manifest::parse(
//!     r#"
//!     schema = 1
//!     app = "greetings"
//!
//!     [env.dev.at]
//!     laptop = "local://"
//!
//!     [function.hello]
//!     source = { cargo = "hello" }
//!     timeout = "10s"
//!     "#,
//! )?;
//! let application = manifest.application(None)?;
//! assert_eq!(application.functions[0].target.as_ref().map(|url| url.as_str()), Some("local://"));
//!
//! let problems = Manifest::parse("schema = 1\napp = \"x\"\n[function.hello]\nsuorce = { cargo = \"hello\" }").unwrap_err();
//! assert!(problems.to_string().contains("did you mean `source`?"));
//! # Ok::<(), anyport::manifest::Diagnostics>(())
//! ```

mod application;
mod diagnostic;
mod document;
mod duration;
mod function;
mod nearest;
mod portable;
mod private;
mod prune;
#[cfg(test)]
mod schema;
mod shape;
mod source;
mod spans;
#[cfg(test)]
mod tests;

pub use application::{Application, Function};
pub use diagnostic::{Diagnostic, Diagnostics, Position};
pub use duration::{InvalidDuration, parse_duration};
pub use nearest::nearest;
pub use portable::portable;
pub use private::private;
pub use source::Source;

use anyport_core::error::Violations;
use anyport_core::spec::Name;
use toml::de::DeTable;

use document::Document;
use spans::Spans;

/// The JSON Schema of the manifest. It is what [`Manifest::parse`] checks the shape against, so an editor that uses it agrees.
pub const SCHEMA: &str = include_str!("anyport.schema.json");

/// The version of the format that this build reads.
pub const FORMAT: i64 = 1;

/// The name of the manifest's file.
pub const FILE_NAME: &str = "anyport.toml";

/// A manifest without problems of its own.
#[derive(Debug, Clone)]
pub struct Manifest {
    document: Document,
    functions: Vec<function::Checked>,
    spans: Spans,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Every problem found: syntax, unknown and doubled keys, wrong types, bad names, places that no environment binds, and everything
    /// that would make a function's spec invalid on any target.
    pub fn parse(text: &str) -> Result<Self, Diagnostics> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut found = Diagnostics::none();
        for error in without_consequences(&errors, text) {
            found.push(Diagnostic::of_syntax(error, text));
        }
        // What was recovered from broken syntax is a guess; a doubled key leaves the rest as it is.
        if !errors.iter().all(Diagnostic::is_doubled_key) {
            return Err(found);
        }
        shape::check(&table, &mut found);
        let spans = Spans::of(&table);
        if !found.is_empty() {
            // The rest is judged as if what has the wrong shape was not there.
            if let Some(document) = prune::without(table, &found) {
                application::check(&document, &spans, &mut found);
            }
            return Err(found);
        }
        let document: Document =
            toml::from_str(text).map_err(|error| Diagnostic::of_syntax(&error, text))?;
        let functions = application::check(&document, &spans, &mut found);
        found.or(Self {
            document,
            functions,
            spans,
        })
    }

    /// The application's name.
    #[must_use]
    pub fn app(&self) -> &str {
        &self.document.app
    }

    /// The environments, in the order of their names.
    pub fn environments(&self) -> impl ExactSizeIterator<Item = &str> {
        self.document.env.keys().map(String::as_str)
    }

    /// The application as one environment has it: the one named, else the only one, else `dev`.
    ///
    /// # Errors
    /// No such environment, or a function whose place this environment does not bind.
    pub fn application(&self, environment: Option<&str>) -> Result<Application, Diagnostics> {
        application::resolve(self, environment)
    }

    /// Points violations of one function's spec, such as those that a target adds, into the manifest.
    #[must_use]
    pub fn locate(&self, name: &Name, violations: &Violations) -> Diagnostics {
        let table = self
            .functions
            .iter()
            .find(|function| function.spec.name == *name)
            .map_or("function", |function| function.table);
        violations
            .iter()
            .map(|violation| {
                Diagnostic::of_violation(violation, &self.spans, &[table, name.as_str()])
            })
            .collect()
    }
}

/// The keys of a table that is there twice are doubled only because the table is: they are left out.
fn without_consequences<'a>(
    errors: &'a [toml::de::Error],
    text: &'a str,
) -> impl Iterator<Item = &'a toml::de::Error> {
    let mut doubled = 0..0;
    errors.iter().filter(move |error| {
        let Some(span) = error.span().filter(|_| Diagnostic::is_doubled_key(error)) else {
            return true;
        };
        if doubled.contains(&span.start) {
            return false;
        }
        let line = text[..span.start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        if text[line..].starts_with('[') {
            let end = text[span.end..]
                .find("\n[")
                .map_or(text.len(), |next| span.end + next);
            doubled = span.end..end;
        }
        true
    })
}
