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
        let error = Error::new(ErrorKind::NotFound, verb).on(name);
        self.explain(verb, error, name).await
    }

    /// Names the function in any error, and the nearest function in a `NotFound` that is about the function itself.
    pub(crate) async fn explain(&self, verb: &'static str, error: Error, name: &Name) -> Error {
        let error = named(error, name);
        if *error.kind() != ErrorKind::NotFound {
            return error;
        }
        // An adapter finds nothing on the way to what the caller asked for, which is what cannot be done.
        let error = error.for_verb(verb);
        if error.next_step().is_some() || self.mutated(Mutation::NamesNoNeighbour) {
            return error;
        }
        match self.nearest(verb, name).await {
            // It is there, so something else is missing; or nobody knows.
            Nearest::Same | Nearest::Unknown => error,
            Nearest::None if error.why().is_none() => error.because("there is no function here"),
            Nearest::None => error,
            Nearest::Other(other) => error.hint(format_args!("did you mean {other}?")),
        }
    }

    async fn nearest(&self, verb: &'static str, name: &Name) -> Nearest {
        let cx = self.cx(verb, PATIENCE.min(self.timeouts().read));
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

enum Nearest {
    Same,
    Other(String),
    None,
    Unknown,
}
