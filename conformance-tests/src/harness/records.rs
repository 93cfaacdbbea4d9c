//! Folders in which every function has one JSON record.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use async_trait::async_trait;
use futures_core::future::BoxFuture;
use serde_json::Value;

use super::{Edit, FileKind, FolderHooks, Missing};

/// Where things are in the folder. `NAME` in a path stands for the name of a function or secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The record of a function.
    pub record: &'static str,
    /// Where in the record the deployed spec is, with its `env` and `memory_mb`: keys separated by slashes, `-` for the last of a list.
    pub spec: &'static str,
    /// A file whose being there makes something that carries no mark.
    pub foreign: &'static str,
    /// A secret's value; the file is readable by its owner only.
    pub secret: &'static str,
    /// A reference to that secret.
    pub secret_reference: &'static str,
    /// Files that come and go by themselves, by their path.
    pub passing: &'static [&'static str],
    /// What the paths of files contain that functions write by themselves.
    pub written: &'static [&'static str],
}

type Open =
    dyn Fn(PathBuf) -> BoxFuture<'static, anyport_core::Result<Arc<dyn Provider>>> + Send + Sync;

/// A [`FolderHooks`] made of a [`Layout`] and a way to open the folder.
pub struct Records {
    layout: Layout,
    open: Box<Open>,
}

impl Records {
    /// Folders of this layout, opened by `open`.
    pub fn new<F, Fut>(layout: Layout, open: F) -> Self
    where
        F: Fn(PathBuf) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = anyport_core::Result<Arc<dyn Provider>>> + Send + 'static,
    {
        Self {
            layout,
            open: Box::new(move |folder| Box::pin(open(folder))),
        }
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records")
            .field("layout", &self.layout)
            .finish_non_exhaustive()
    }
}

fn at(folder: &Path, pattern: &str, name: &str) -> PathBuf {
    folder.join(pattern.replace("NAME", name))
}

fn missing(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Missing {
    let said = format!("cannot {what} {}", path.display());
    move |error| Missing::because(format!("{said}: {error}"))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Missing> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(missing("create", parent))?;
    }
    std::fs::write(path, bytes).map_err(missing("write", path))
}

#[async_trait]
impl FolderHooks for Records {
    async fn open(&self, folder: &Path) -> anyport_core::Result<Arc<dyn Provider>> {
        (self.open)(folder.to_owned()).await
    }

    fn kind(&self, path: &str) -> FileKind {
        if self.layout.passing.contains(&path) {
            FileKind::Passing
        } else if self.layout.written.iter().any(|part| path.contains(part)) {
            FileKind::Written
        } else {
            FileKind::Thing
        }
    }

    fn foreign(&self, folder: &Path, name: &Name) -> Result<(), Missing> {
        let path = at(folder, self.layout.foreign, name.as_str());
        put(&path, b"somebody else's\n")
    }

    fn tamper(&self, folder: &Path, name: &Name, edit: &Edit) -> Result<(), Missing> {
        let path = at(folder, self.layout.record, name.as_str());
        let bytes = std::fs::read(&path).map_err(missing("read", &path))?;
        let odd = || Missing::because(format!("{} is no record", path.display()));
        let mut record: Value = serde_json::from_slice(&bytes).map_err(|_| odd())?;
        let mut keys = self.layout.spec.split('/');
        let spec = keys.try_fold(&mut record, |value, key| match key {
            "-" => value.as_array_mut()?.last_mut(),
            key => value.get_mut(key),
        });
        let spec = spec.ok_or_else(odd)?;
        match edit {
            Edit::Env { name, value } => spec["env"][name] = value.as_str().into(),
            Edit::MemoryMb(mb) => spec["memory_mb"] = (*mb).into(),
        }
        let bytes = serde_json::to_vec_pretty(&record).map_err(|_| odd())?;
        put(&path, &bytes)
    }

    fn spoil(&self, folder: &Path, name: &Name) -> Result<(), Missing> {
        let path = at(folder, self.layout.record, name.as_str());
        put(&path, b"{ not a record")
    }

    fn secret(&self, folder: &Path, name: &str, value: &str) -> Result<String, Missing> {
        let path = at(folder, self.layout.secret, name);
        put(&path, value.as_bytes())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
                .map_err(missing("protect", &path))?;
        }
        Ok(self.layout.secret_reference.replace("NAME", name))
    }
}
