//! What is in a place, as far as it matters whether it is there.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

/// Everything in a place: things by name, each with what tells whether it changed.
///
/// What functions write by themselves, such as logs, is kept apart: it may change at any time, and still has to go with its function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    things: BTreeMap<String, String>,
    written: BTreeMap<String, String>,
}

impl Inventory {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thing.
    pub fn add(&mut self, name: impl Into<String>, state: impl Into<String>) {
        self.things.insert(name.into(), state.into());
    }

    /// Adds something that functions write by themselves.
    pub fn add_written(&mut self, name: impl Into<String>, state: impl Into<String>) {
        self.written.insert(name.into(), state.into());
    }

    /// Every file and link under `root` by path and size, as `kind` says by its path from `root`. Folders do not count.
    ///
    /// A file that goes away while it is looked at is not there.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn of_folder(root: &Path, kind: &dyn Fn(&str) -> FileKind) -> io::Result<Self> {
        let mut all = Self::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let path = entry?.path();
                let Ok(meta) = path.symlink_metadata() else {
                    continue;
                };
                if meta.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                let size = format!("{} bytes", meta.len());
                match kind(&name) {
                    FileKind::Passing => {}
                    FileKind::Written => all.add_written(name, size),
                    FileKind::Thing => all.add(name, size),
                }
            }
        }
        Ok(all)
    }

    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.things.is_empty() && self.written.is_empty()
    }

    /// What is only in one of the two, or differs, in words; nothing when they are equal. What functions write does not count.
    #[must_use]
    pub fn compare(&self, later: &Self) -> Vec<String> {
        differences(&self.things, &later.things)
    }

    /// The same, and what functions write counts: for when the functions should be gone.
    #[must_use]
    pub fn compare_all(&self, later: &Self) -> Vec<String> {
        let mut found = self.compare(later);
        // What the functions that are still there write goes on changing.
        let written = differences(&self.written, &later.written);
        found.extend(
            written
                .into_iter()
                .filter(|found| !found.ends_with(CHANGED)),
        );
        found
    }
}

const CHANGED: &str = " changed";

fn differences(
    earlier: &BTreeMap<String, String>,
    later: &BTreeMap<String, String>,
) -> Vec<String> {
    let gone = earlier
        .keys()
        .filter(|name| !later.contains_key(*name))
        .map(|name| format!("{name} is gone"));
    let new = later
        .keys()
        .filter(|name| !earlier.contains_key(*name))
        .map(|name| format!("{name} is new"));
    let changed = earlier
        .iter()
        .filter(|(name, state)| later.get(*name).is_some_and(|other| other != *state))
        .map(|(name, _)| format!("{name}{CHANGED}"));
    gone.chain(new).chain(changed).collect()
}

/// What a file is to an [`Inventory`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// Something that is there until somebody removes it.
    Thing,
    /// Something that functions write by themselves.
    Written,
    /// Something that comes and goes by itself: a lock, a lease.
    Passing,
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.things.keys().enumerate() {
            if place > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_compared_by_its_files() {
        let folder = std::env::temp_dir().join(format!("anyport-inventory-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        std::fs::write(folder.join("a/b/one"), "1").unwrap();
        std::fs::write(folder.join("a/lock"), "").unwrap();
        let kind = |name: &str| match name {
            "a/lock" => FileKind::Passing,
            name if name.ends_with("log") => FileKind::Written,
            _ => FileKind::Thing,
        };
        let before = Inventory::of_folder(&folder, &kind).unwrap();
        assert_eq!(before.to_string(), "a/b/one");
        std::fs::write(folder.join("a/b/one"), "22").unwrap();
        std::fs::write(folder.join("a/two"), "2").unwrap();
        std::fs::write(folder.join("a/log"), "line").unwrap();
        let after = Inventory::of_folder(&folder, &kind).unwrap();
        assert_eq!(before.compare(&after), ["a/two is new", "a/b/one changed"]);
        assert_eq!(after.compare(&before).len(), 2);
        assert_eq!(before.compare_all(&after).last().unwrap(), "a/log is new");
        std::fs::remove_dir_all(&folder).unwrap();
        let gone = Inventory::of_folder(&folder, &kind).unwrap();
        assert!(gone.is_empty());
    }
}
