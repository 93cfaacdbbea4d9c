//! What is in a place, as far as it matters whether it is there.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;

/// Everything in a place: things by name, each with what tells whether it changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory(BTreeMap<String, String>);

impl Inventory {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thing.
    pub fn add(&mut self, name: impl Into<String>, state: impl Into<String>) {
        self.0.insert(name.into(), state.into());
    }

    /// Every file and link under `root` by path and size, except those that `ignore` names by their path from `root`. Folders do not count.
    ///
    /// A file that goes away while it is looked at is not there.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn of_folder(root: &Path, ignore: &dyn Fn(&str) -> bool) -> io::Result<Self> {
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
                if !ignore(&name) {
                    all.add(name, format!("{} bytes", meta.len()));
                }
            }
        }
        Ok(all)
    }

    /// Whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is only in one of the two, or differs, in words; nothing when they are equal.
    #[must_use]
    pub fn compare(&self, later: &Self) -> Vec<String> {
        let gone = self
            .0
            .keys()
            .filter(|name| !later.0.contains_key(*name))
            .map(|name| format!("{name} is gone"));
        let new = later
            .0
            .keys()
            .filter(|name| !self.0.contains_key(*name))
            .map(|name| format!("{name} is new"));
        let changed = self
            .0
            .iter()
            .filter(|(name, state)| later.0.get(*name).is_some_and(|other| other != *state))
            .map(|(name, _)| format!("{name} changed"));
        gone.chain(new).chain(changed).collect()
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.0.keys().enumerate() {
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
        let ignore = |name: &str| name.ends_with("lock");
        let before = Inventory::of_folder(&folder, &ignore).unwrap();
        assert_eq!(before.to_string(), "a/b/one");
        std::fs::write(folder.join("a/b/one"), "22").unwrap();
        std::fs::write(folder.join("a/two"), "2").unwrap();
        let after = Inventory::of_folder(&folder, &ignore).unwrap();
        assert_eq!(before.compare(&after), ["a/two is new", "a/b/one changed"]);
        assert_eq!(after.compare(&before).len(), 2);
        std::fs::remove_dir_all(&folder).unwrap();
        let gone = Inventory::of_folder(&folder, &ignore).unwrap();
        assert!(gone.is_empty());
    }
}
