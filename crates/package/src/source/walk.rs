//! Lists a folder's files in an order that depends on their names alone.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::ignore::{self, Ignore};
use crate::error::Error;
use crate::limits::Limits;
use crate::zip::name;

/// One thing to pack.
#[derive(Debug)]
pub(crate) struct Item {
    /// Relative to the root, `/`-separated.
    pub(crate) path: String,
    /// Where its bytes are; `None` for an empty directory.
    pub(crate) file: Option<PathBuf>,
    pub(crate) executable: bool,
    pub(crate) size: u64,
}

/// Lists all that is below `root` and not ignored, sorted by name.
///
/// Symbolic links are followed, because not every platform unpacks them: what a link leads to is
/// packed in its place. A link that leads out of the folder, nowhere or to a folder above itself
/// is an error.
///
/// # Errors
/// [`Error::Source`] where a file cannot go into a portable archive or a limit is passed,
/// [`Error::Ignore`], [`Error::Io`].
pub(crate) fn list(
    root: &Path,
    leave_out: &[PathBuf],
    limits: &Limits,
) -> Result<Vec<Item>, Error> {
    let canonical = fs::canonicalize(root).map_err(Error::io("open", root))?;
    if !canonical.is_dir() {
        return Err(Error::source(root, "it is not a folder"));
    }
    let rules = canonical.join(ignore::FILE);
    let ignore = match fs::read_to_string(&rules) {
        Ok(text) => Ignore::parse(&text, &rules)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ignore::default(),
        Err(error) => return Err(Error::io("read", &rules)(error)),
    };
    let mut walk = Walk {
        root: &canonical,
        leave_out,
        limits,
        ignore,
        items: Vec::new(),
        bytes: 0,
        folded: HashMap::new(),
    };
    walk.folder(&canonical, "", &mut vec![canonical.clone()])?;
    let mut items = walk.items;
    items.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(items)
}

struct Walk<'a> {
    root: &'a Path,
    leave_out: &'a [PathBuf],
    limits: &'a Limits,
    ignore: Ignore,
    items: Vec<Item>,
    bytes: u64,
    /// Names as a file system that ignores case sees them.
    folded: HashMap<String, String>,
}

impl Walk<'_> {
    /// Adds what is in the folder at `dir`; `above` are the real folders on the way to it.
    fn folder(
        &mut self,
        dir: &Path,
        prefix: &str,
        above: &mut Vec<PathBuf>,
    ) -> Result<bool, Error> {
        let mut any = false;
        let listing = fs::read_dir(dir).map_err(Error::io("list", dir))?;
        for child in listing {
            let child = child.map_err(Error::io("list", dir))?;
            let path = child.path();
            let name = child.file_name().into_string().map_err(|_| {
                Error::source(&path, "its name is not UTF-8; rename it or ignore it")
            })?;
            let name = if prefix.is_empty() {
                name
            } else {
                format!("{prefix}/{name}")
            };
            any |= self.child(path, name, above)?;
        }
        Ok(any)
    }

    /// Adds one child; `false` where it stays out.
    fn child(
        &mut self,
        path: PathBuf,
        name: String,
        above: &mut Vec<PathBuf>,
    ) -> Result<bool, Error> {
        let own = fs::symlink_metadata(&path).map_err(Error::io("read", &path))?;
        // A folder's rule applies to what a link leads to as well.
        let leads_to_folder = own.is_dir() || (own.is_symlink() && path.is_dir());
        if self.ignore.skips(&name, leads_to_folder) || self.leave_out.contains(&path) {
            return Ok(false);
        }
        let (path, meta) = if own.is_symlink() {
            let real = self.inside(&path)?;
            let meta = fs::metadata(&real).map_err(Error::io("read", &real))?;
            (real, meta)
        } else {
            (path, own)
        };
        self.claim(&path, &name)?;
        if meta.is_dir() {
            if above.contains(&path) {
                return Err(Error::source(
                    &path,
                    format!("`{name}` links back to a folder above it; remove or ignore the link"),
                ));
            }
            above.push(path.clone());
            let any = self.folder(&path, &name, above)?;
            above.pop();
            if !any {
                self.add(Item {
                    path: name,
                    file: None,
                    executable: false,
                    size: 0,
                })?;
            }
        } else if meta.is_file() {
            let executable = is_executable(&meta, &name);
            self.add(Item {
                path: name,
                size: meta.len(),
                file: Some(path),
                executable,
            })?;
        } else {
            return Err(Error::source(
                &path,
                "it is a device, pipe or socket; remove or ignore it",
            ));
        }
        Ok(true)
    }

    /// Where a link leads, which must be inside the folder.
    fn inside(&self, link: &Path) -> Result<PathBuf, Error> {
        let real = fs::canonicalize(link).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::source(link, "it is a link to nothing; remove or ignore it")
            }
            _ => Error::io("follow", link)(error),
        })?;
        if real.starts_with(self.root) {
            Ok(real)
        } else {
            let problem = "it is a link out of the folder; copy what it leads to into the folder";
            Err(Error::source(link, problem))
        }
    }

    /// Takes a name, which must be portable and not differ from another in case alone.
    fn claim(&mut self, path: &Path, name: &str) -> Result<(), Error> {
        if let Err((_, problem)) = name::check(name.as_bytes()) {
            return Err(Error::source(path, format!("it {problem}, or ignore it")));
        }
        match self.folded.insert(name::folded(name), name.to_owned()) {
            None => Ok(()),
            Some(other) => Err(Error::source(
                path,
                format!("`{name}` and `{other}` differ only in upper and lower case; rename one"),
            )),
        }
    }

    fn add(&mut self, item: Item) -> Result<(), Error> {
        self.bytes = self.bytes.saturating_add(item.size);
        self.items.push(item);
        let (files, bytes) = (self.limits.entries, self.limits.unpacked_bytes);
        if self.items.len() > files {
            let problem =
                format!("it holds more than {files} files; ignore what the function does not need");
            return Err(Error::source(self.root, problem));
        }
        if self.bytes > bytes {
            let problem =
                format!("it holds more than {bytes} bytes; ignore what the function does not need");
            return Err(Error::source(self.root, problem));
        }
        Ok(())
    }
}

#[cfg(unix)]
fn is_executable(meta: &fs::Metadata, _: &str) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    meta.permissions().mode() & 0o100 != 0
}

/// Without permission bits, the one file that has to be executable is.
#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata, name: &str) -> bool {
    name == crate::pack::BOOTSTRAP
}
