//! Makes `NotFound` helpful: names the nearest function. Only on the error path.

use std::time::Duration;

use anyport_core::error::{Error, ErrorKind};
use anyport_core::provider::{Entry, Scope};
use anyport_core::spec::Name;

use crate::mutation::Mutation;
use crate::plan::named;
use crate::target::Target;

/// How long looking for the nearest name may delay the error.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many names are looked at.
const MOST: usize = 1000;

impl Target {
    /// `NotFound`, naming the nearest function.
    pub(crate) async fn not_found(&self, verb: &'static str, name: &Name) -> Error {
        self.explain(Error::new(ErrorKind::NotFound, verb).on(name), name)
            .await
    }

    /// Names the function in any error, and the nearest function in a `NotFound` that is about the function itself.
    pub(crate) async fn explain(&self, error: Error, name: &Name) -> Error {
        let error = named(error, name);
        let says = error.why().is_some_and(|why| why.contains("nearest"));
        if *error.kind() != ErrorKind::NotFound || says || self.mutated(Mutation::NamesNoNeighbour)
        {
            return error;
        }
        match self.nearest(name).await {
            // It is there, so something else is missing; or nobody knows.
            Nearest::Same | Nearest::Unknown => error,
            Nearest::None => because(error, "there is no function here"),
            Nearest::Other(other) => because(error, &format!("the nearest is {other}")),
        }
    }

    async fn nearest(&self, name: &Name) -> Nearest {
        let cx = self.cx(PATIENCE.min(self.timeouts().read));
        let mut best: Option<(usize, String)> = None;
        let (mut after, mut looked_at) = (None, 0);
        loop {
            let Ok(page) = self.provider().list(&cx, &Scope::Everything, after).await else {
                return Nearest::Unknown;
            };
            looked_at += page.entries.len().max(1);
            for entry in page.entries {
                let other = match entry {
                    Entry::Function(summary) => summary.name,
                    Entry::Unreadable { name, .. } => name,
                    _ => continue,
                };
                if other == name.as_str() {
                    return Nearest::Same;
                }
                let distance = strsim::damerau_levenshtein(name.as_str(), &other);
                if best.as_ref().is_none_or(|(least, _)| distance < *least) {
                    best = Some((distance, other));
                }
            }
            after = page.next;
            if after.is_none() || looked_at >= MOST {
                break;
            }
        }
        best.map_or(Nearest::None, |(_, other)| Nearest::Other(other))
    }
}

/// Adds to the reason that the error has, if it has one.
fn because(error: Error, more: &str) -> Error {
    let why = error.why().unwrap_or("no function of that name").to_owned();
    error.because(format_args!("{why}; {more}"))
}

enum Nearest {
    Same,
    Other(String),
    None,
    Unknown,
}
