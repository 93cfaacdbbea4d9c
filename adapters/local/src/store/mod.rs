//! What is on disk. Everything here blocks, and is called on threads for such work.

mod artifact;
pub(crate) mod file;
mod lock;
mod record;
mod residue;
mod secret;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyport_core::Digest;
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use anyport_core::plan::EventCounts;
use anyport_core::spec::{Name, SecretRef};

pub(crate) use lock::{Lock, Place};
pub(crate) use record::{Record, Release, Settings, Stored, Unreadable, revision};
pub(crate) use secret::{SECRET_STORE, SecretStamp, Unusable};

use crate::error;

/// How a folder of artifacts names what is not whole.
const HIDDEN: char = '.';

/// No record is longer, with a full environment and every version kept, in bytes.
const LONGEST_RECORD: u64 = 16 << 20;

/// The state folder.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

/// What changes when a file is replaced or edited: one `stat` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    inode: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a file, `None` when it is not there.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::metadata(path) {
            Ok(meta) => Ok(Some(Self::from(&meta))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Stamp {
    /// Whether both are of one file, whatever was written to it between.
    pub(crate) fn same_file(&self, other: &Self) -> bool {
        self.inode == other.inode
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(meta: &fs::Metadata) -> Self {
        #[cfg(unix)]
        let (inode, changed) = {
            use std::os::unix::fs::MetadataExt as _;
            (meta.ino(), (meta.ctime(), meta.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let (inode, changed) = (0, (0, 0));
        Self {
            modified: meta.modified().ok(),
            size: meta.len(),
            inode,
            changed,
        }
    }
}

/// What is under one name.
#[derive(Debug)]
pub(crate) enum Sight {
    /// A folder without a record: not ours.
    Foreign,
    /// A function.
    Function(Box<Function>),
}

/// A function as it is on disk.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) stored: Stored,
    /// Artifacts that versions need and that are not there.
    pub(crate) missing: BTreeSet<Digest>,
    /// What an interrupted run left, in words.
    pub(crate) residue: Vec<String>,
    /// Whether a step is under way.
    pub(crate) busy: bool,
    pub(crate) events: EventCounts,
}

impl Store {
    /// Opens the folder. Where it is not there nothing is deployed, and the first change [makes](Self::make) it.
    ///
    /// # Errors
    /// `Forbidden` when others may change what is in it; when it is no folder, or cannot be looked at.
    pub(crate) fn open(root: PathBuf) -> Result<Self> {
        let store = Self { root };
        store.trusted()?;
        Ok(store)
    }

    /// Makes the folder where it is not there, readable by its owner only.
    ///
    /// # Errors
    /// As [`open`](Self::open); when it cannot be made.
    pub(crate) fn make(&self) -> Result<()> {
        let dirs = [self.root.clone(), self.functions(), self.secrets()];
        if dirs.iter().all(|dir| dir.is_dir()) {
            return Ok(());
        }
        for dir in dirs {
            file::make_dirs(&dir).map_err(error::io("make the state folder of", &dir))?;
        }
        self.trusted()
    }

    /// Whoever may write a record decides what runs here.
    fn trusted(&self) -> Result<()> {
        let root = &self.root;
        let place = root.display();
        let meta = match fs::metadata(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Ok(meta) if !meta.is_dir() => Err(io::ErrorKind::NotADirectory.into()),
            other => other,
        };
        let meta = meta.map_err(error::io("open the state folder of", root))?;
        match file::others_may_change(&meta) {
            None => Ok(()),
            Some(who) => Err(Error::new(ErrorKind::Forbidden, "open the state folder of")
                .because(format_args!("{who} could change what runs from {place}"))
                .hint(format_args!(
                    "make it yours with `chown` and `chmod go-w {place}`, or use another folder"
                ))
                .from_provider(error::PROVIDER, None)),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn functions(&self) -> PathBuf {
        self.root.join("functions")
    }

    pub(crate) fn record(&self, name: &Name) -> PathBuf {
        self.functions().join(format!("{name}.json"))
    }

    fn staged(&self, name: &Name) -> PathBuf {
        self.functions().join(format!("{HIDDEN}{name}.json"))
    }

    pub(crate) fn home(&self, name: &Name) -> PathBuf {
        self.functions().join(name.as_str())
    }

    pub(crate) fn queue(&self, name: &Name) -> PathBuf {
        self.home(name).join("queue")
    }

    pub(crate) fn dead(&self, name: &Name) -> PathBuf {
        self.home(name).join("dead")
    }

    pub(crate) fn logs(&self, name: &Name) -> PathBuf {
        self.home(name).join("logs")
    }

    pub(crate) fn secrets(&self) -> PathBuf {
        self.root.join("secrets")
    }

    fn artifacts(&self, name: &Name) -> PathBuf {
        self.home(name).join("artifacts")
    }

    /// The unpacked code of an artifact.
    pub(crate) fn artifact(&self, name: &Name, digest: Digest) -> PathBuf {
        let hex = data_encoding::HEXLOWER.encode(digest.as_bytes());
        self.artifacts(name).join(hex)
    }

    /// The archive that an artifact was unpacked from.
    pub(crate) fn archive(&self, name: &Name, digest: Digest) -> PathBuf {
        self.artifact(name, digest).with_extension("zip")
    }

    /// The value of a secret.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn secret(&self, reference: &SecretRef) -> Result<String, Unusable> {
        secret::read(&self.secrets(), reference)
    }

    /// What changes when a secret is replaced.
    pub(crate) fn secret_stamp(&self, reference: &SecretRef) -> SecretStamp {
        secret::stamp(&self.secrets(), reference)
    }

    /// Takes a lock if it is free.
    ///
    /// # Errors
    /// When the lock file cannot be used.
    pub(crate) fn try_lock(&self, place: Place) -> Result<Option<Lock>> {
        let path = self.root.join("lock");
        Lock::try_take(&path, place).map_err(error::io("lock", &path))
    }

    /// The record of a function, `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or used.
    pub(crate) fn read(&self, name: &Name) -> Result<Option<Stored>> {
        const OPERATION: &str = "read the record of";
        let path = self.record(name);
        match self.peek(name) {
            Ok(None) => Ok(None),
            Ok(Some(Ok(stored))) => Ok(Some(stored)),
            Ok(Some(Err(unreadable))) => Err(unreadable.error(OPERATION, &path).on(name)),
            Err(error) => Err(error::io(OPERATION, &path)(error).on(name)),
        }
    }

    /// The record of a function, or why it cannot be used.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn peek(&self, name: &Name) -> io::Result<Option<Result<Stored, Unreadable>>> {
        match file::read(&self.record(name), LONGEST_RECORD) {
            Ok(bytes) => Ok(Some(Stored::decode(name, &bytes))),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => Ok(None),
                io::ErrorKind::InvalidData => Ok(Some(Err(Unreadable::Corrupt(error.to_string())))),
                _ => Err(error),
            },
        }
    }

    /// Makes a function's first record. That the same bytes are there is fine: an earlier attempt wrote them.
    ///
    /// # Errors
    /// `Conflict` when another record is there.
    pub(crate) fn create(&self, name: &Name, bytes: &[u8]) -> Result<()> {
        const OPERATION: &str = "create the record of";
        let path = self.record(name);
        match file::create(&path, &[bytes]) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match file::read(&path, LONGEST_RECORD) {
                    Ok(there) if there == bytes => Ok(()),
                    _ => Err(changed(OPERATION, name)),
                }
            }
            other => other.map_err(error::io(OPERATION, &path)),
        }
    }

    /// Replaces the record that has revision `expected`. That the new bytes are there is fine: an earlier attempt wrote them.
    ///
    /// # Errors
    /// `Conflict` when another revision is there.
    pub(crate) fn replace(&self, name: &Name, expected: &str, bytes: &[u8]) -> Result<()> {
        const OPERATION: &str = "write the record of";
        let path = self.record(name);
        let there = match file::read(&path, LONGEST_RECORD) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(changed(OPERATION, name));
            }
            Err(error) => return Err(error::io(OPERATION, &path)(error)),
        };
        if there == bytes {
            return Ok(());
        }
        if revision(&there) != expected {
            return Err(changed(OPERATION, name));
        }
        file::replace(&path, &self.staged(name), bytes).map_err(error::io(OPERATION, &path))
    }

    /// Removes the files of a function that is not recorded as deployed any more. Events stay unless `purge`.
    /// Returns whether nothing is left.
    ///
    /// # Errors
    /// What the system says; what is gone stays gone.
    pub(crate) fn remove_files(&self, name: &Name, purge: bool) -> Result<bool> {
        let outcome = || -> io::Result<bool> {
            file::remove_tree(&self.artifacts(name))?;
            file::remove_tree(&self.logs(name))?;
            if purge {
                self.purge(name)?;
            }
            let queue = file::remove_if_empty(&self.queue(name))?;
            let dead = file::remove_if_empty(&self.dead(name))?;
            Ok(queue && dead)
        };
        outcome().map_err(error::io("remove the files of", &self.home(name)))
    }

    /// Removes what is left of a function: its empty folder and its record.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn remove_record(&self, name: &Name) -> Result<()> {
        let home = self.home(name);
        let outcome = || -> io::Result<()> {
            file::remove_tree(&home)?;
            file::remove(&self.staged(name))?;
            file::remove(&self.record(name))?;
            file::sync_dir(&self.functions())
        };
        outcome().map_err(error::io("remove the record of", &home))
    }

    /// Removes all events of a function.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn purge(&self, name: &Name) -> io::Result<()> {
        file::remove_tree(&self.queue(name))?;
        file::remove_tree(&self.dead(name))
    }

    /// How many events wait and how many were given up.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn events(&self, name: &Name) -> io::Result<EventCounts> {
        let count = |dir: PathBuf| -> io::Result<u64> {
            let names = file::names(&dir)?;
            Ok(names
                .iter()
                .filter(|it| it.ends_with(crate::queue::EVENT))
                .count() as u64)
        };
        Ok(EventCounts {
            waiting: count(self.queue(name))?,
            dead: count(self.dead(name))?,
        })
    }

    /// Everything about one name.
    ///
    /// # Errors
    /// When the record cannot be read or used.
    pub(crate) fn look(&self, name: &Name) -> Result<Option<Sight>> {
        let Some(stored) = self.read(name)? else {
            return Ok(self.home(name).exists().then_some(Sight::Foreign));
        };
        let home = self.home(name);
        let io = |error| error::io("read the files of", &home)(error).on(name);
        let mut residue = self.residue(name, &stored.record).map_err(io)?;
        // What looks left over may be a step under way; its lock tells.
        let busy = !residue.is_empty() && self.try_lock(Place::of(name))?.is_none();
        if busy {
            residue.clear();
        }
        let artifacts = stored.record.versions.iter();
        let artifacts: BTreeSet<Digest> = artifacts.map(|it| it.spec.artifact.digest).collect();
        let missing = artifacts.into_iter();
        Ok(Some(Sight::Function(Box::new(Function {
            missing: missing
                .filter(|it| !self.artifact(name, *it).is_dir())
                .collect(),
            events: self.events(name).map_err(io)?,
            residue,
            busy,
            stored,
        }))))
    }

    /// The names of everything in the functions folder, sorted: records, and folders without one.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn list(&self) -> Result<Vec<String>> {
        let dir = self.functions();
        let names = file::names(&dir).map_err(error::io("list the functions at", &dir))?;
        let names = names.into_iter().filter(|name| !name.starts_with(HIDDEN));
        let mut names: Vec<String> = names
            .map(|name| {
                name.strip_suffix(".json")
                    .map(str::to_owned)
                    .unwrap_or(name)
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

/// Somebody else was faster.
pub(crate) fn changed(operation: &'static str, name: &Name) -> Error {
    Error::new(ErrorKind::Conflict, operation)
        .on(name)
        .with_retry(Retry::No)
        .from_provider(error::PROVIDER, None)
}
