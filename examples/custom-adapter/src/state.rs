//! Where the platform remembers what is deployed.
//!
//! ```text
//! STATE/NAME/record.json         what is live: replaced whole, by rename
//! STATE/NAME/3/launch.json       what the daemon of release 3 runs
//! STATE/NAME/3/code/             the unpacked artifact
//! STATE/NAME/3/socket            where it takes calls
//! ```
//!
//! The lock is on `STATE` itself: one change at a time. Reading needs no lock.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyport_core::mark::{Mark, Owner};
use anyport_core::plan::{Owned, VersionId};
use anyport_core::spec::Spec;
use anyport_core::{Digest, Result};
use serde::{Deserialize, Serialize};

use crate::error;
use crate::protocol::SOCKET;

const RECORD: &str = "record.json";

/// The record on its way; never counted as part of the function.
const NEW_RECORD: &str = "record.json.new";

/// What is deployed under one name.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    /// Whose it is; nobody's after a release.
    pub mark: Option<Mark>,
    /// The owner in words.
    pub owner: String,
    /// Counts every change, so that no two states look the same.
    pub serial: u64,
    /// What serves.
    pub live: Option<Live>,
}

/// A release that serves.
#[derive(Clone, Serialize, Deserialize)]
pub struct Live {
    /// Its number, and the name of its directory.
    pub number: u64,
    /// What was asked, and is.
    pub spec: Spec,
}

impl Live {
    /// The release's number, as the contract names it.
    #[must_use]
    pub fn version(&self) -> VersionId {
        VersionId::new(self.number.to_string())
    }
}

impl Record {
    /// A record of `owner`'s, before anything serves.
    #[must_use]
    pub fn new(owner: &Owner) -> Self {
        Self {
            mark: None,
            owner: owner.to_string(),
            serial: 0,
            live: None,
        }
    }

    /// Marks it as `owner`'s, with the spec that serves.
    pub fn mark(&mut self, owner: &Owner) {
        let spec = match &self.live {
            Some(live) => live.spec.hash(),
            None => Digest::of(b""),
        };
        self.mark = Some(Mark::new(owner, spec));
        self.owner = owner.to_string();
    }

    /// Whose it is.
    #[must_use]
    pub fn owned(&self) -> Owned {
        match self.mark {
            Some(mark) => Owned::Marked {
                mark,
                owner: self.owner.clone(),
            },
            None => Owned::Foreign("nobody; it was released".to_owned()),
        }
    }
}

/// What is found under a name.
pub enum Found {
    /// Nothing.
    Nothing,
    /// A function, and its revision.
    Function(Box<Record>, String),
    /// Something that is none of the platform's.
    Stranger,
}

/// The platform's state directory.
#[derive(Debug, Clone)]
pub struct State(PathBuf);

impl State {
    /// Opens the directory, and makes it where it is missing, for this user alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root)
            .map_err(error::io("open the state directory", root))?;
        Ok(Self(root.to_owned()))
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// One function's part of it.
    #[must_use]
    pub fn home(&self, name: &str) -> Home {
        Home(self.0.join(name))
    }

    /// Every name in order, whoever made it.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = fs::read_dir(&self.0)
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                    .collect::<io::Result<Vec<_>>>()
            })
            .map_err(error::io("list", &self.0))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Waits until no other change is under way, and holds others back while the guard lives.
    ///
    /// # Errors
    /// When the directory cannot be locked.
    pub async fn lock(&self) -> Result<File> {
        let root = self.0.clone();
        let locked = tokio::task::spawn_blocking(move || {
            let dir = File::open(root)?;
            dir.lock()?;
            Ok(dir)
        });
        locked
            .await
            .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
            .map_err(error::io("lock", &self.0))
    }

    /// Whether a change is under way now.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        File::open(&self.0).is_ok_and(|dir| dir.try_lock_shared().is_err())
    }
}

/// One function's directory.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is there.
    ///
    /// # Errors
    /// When it cannot be read, or was written by something newer.
    pub fn read(&self) -> Result<Found> {
        match fs::read(self.0.join(RECORD)) {
            Ok(bytes) => {
                let record = serde_json::from_slice(&bytes)
                    .map_err(|why| error::unreadable(&self.0, why))?;
                Ok(Found::Function(record, Digest::of(&bytes).short()))
            }
            // The name may be a plain file, or a directory without a record; an empty one is nothing.
            Err(_) if fs::symlink_metadata(&self.0).is_err() => Ok(Found::Nothing),
            Err(why) if why.kind() == io::ErrorKind::NotFound => {
                match self.entries().map(|entries| entries.is_empty()) {
                    Ok(true) => Ok(Found::Nothing),
                    _ => Ok(Found::Stranger),
                }
            }
            Err(why) if why.kind() == io::ErrorKind::NotADirectory => Ok(Found::Stranger),
            Err(why) => Err(error::io("read the record of", &self.0)(why)),
        }
    }

    /// Replaces the record whole, counts the change, and says the new revision.
    ///
    /// # Errors
    /// When it cannot be written; the old record is then still there.
    pub fn write(&self, record: &mut Record) -> Result<String> {
        record.serial += 1;
        let bytes = serde_json::to_vec_pretty(record).map_err(|e| error::unreadable(&self.0, e))?;
        let replace = || {
            fs::create_dir_all(&self.0)?;
            let path = self.0.join(NEW_RECORD);
            let mut new = File::create(&path)?;
            new.write_all(&bytes)?;
            new.sync_all()?;
            fs::rename(path, self.0.join(RECORD))?;
            File::open(&self.0)?.sync_all()
        };
        replace().map_err(error::io("write the record of", &self.0))?;
        Ok(Digest::of(&bytes).short())
    }

    /// The directory of a release.
    #[must_use]
    pub fn release(&self, number: u64) -> PathBuf {
        self.0.join(number.to_string())
    }

    /// The socket of a release.
    #[must_use]
    pub fn socket(&self, live: &Live) -> PathBuf {
        self.release(live.number).join(SOCKET)
    }

    /// What an interrupted change left: everything but the record and the live release.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn leftovers(&self, live: Option<&Live>) -> Result<Vec<PathBuf>> {
        let live = live.map(|live| self.release(live.number));
        let mut found = self.entries()?;
        found.retain(|path| !path.ends_with(RECORD) && Some(path) != live.as_ref());
        Ok(found)
    }

    /// Removes the empty directory with its record.
    ///
    /// # Errors
    /// When something is left in it, or it cannot be removed.
    pub fn remove(&self) -> Result<()> {
        let remove = || {
            fs::remove_file(self.0.join(RECORD))?;
            let _ = fs::remove_file(self.0.join(NEW_RECORD));
            fs::remove_dir(&self.0)
        };
        remove().map_err(error::io("remove", &self.0))
    }

    fn entries(&self) -> Result<Vec<PathBuf>> {
        let mut entries: Vec<PathBuf> = fs::read_dir(&self.0)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
            .map_err(error::io("list", &self.0))?;
        entries.retain(|path| !path.ends_with(NEW_RECORD));
        Ok(entries)
    }
}
