//! What an interrupted run left.

use std::io;

use anyport_core::error::Result;
use anyport_core::spec::Name;

use super::{Record, Store, file};
use crate::error;

impl Store {
    /// What is there and belongs to no finished change, in words.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn residue(&self, name: &Name, record: &Record) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let strays = self.stray_artifacts(name, |digest| record.uses(digest))?;
        if record.removed {
            let files = !strays.unused.is_empty();
            let events = self.events(name)?;
            if files || (events.waiting, events.dead) == (0, 0) {
                found.push("a removal that was not finished".to_owned());
            }
        } else if record.versions.iter().all(|version| !version.routed) {
            found.push("a first deployment that did not get into service".to_owned());
        }
        for version in record.versions.iter().filter(|version| !version.routed) {
            found.push(format!(
                "version {}, which was never put into service",
                version.id
            ));
        }
        for digest in &strays.unused {
            found.push(format!(
                "artifact {}, which no version uses",
                digest.short()
            ));
        }
        if !strays.unfinished.is_empty() {
            found.push("files of an upload or a removal that was not finished".to_owned());
        }
        if self.staged(name).exists() {
            found.push("a record that was not put in place".to_owned());
        }
        Ok(found)
    }

    /// Removes stray files: everything in [`residue`](Self::residue) that is not in the record itself.
    /// Returns whether there was any.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn clear(&self, name: &Name, record: &Record) -> Result<bool> {
        let outcome = || -> io::Result<bool> {
            let strays = self.stray_artifacts(name, |digest| record.uses(digest))?;
            let staged = self.staged(name);
            let any = !strays.unused.is_empty() || !strays.unfinished.is_empty() || staged.exists();
            self.remove_strays(name, &strays)?;
            file::remove(&staged)?;
            Ok(any)
        };
        outcome().map_err(error::io("clear what was left of", &self.home(name)))
    }
}
