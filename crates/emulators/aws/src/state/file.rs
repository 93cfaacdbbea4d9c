//! The state file: written whole, beside the old one, and put in its place at once.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::StateError;

/// What the first line of the file starts with.
const MAGIC: &str = "anyport-embedded-aws-state";

/// The format that is written. A change that older versions would misread raises it.
pub(super) const FORMAT: u32 = 1;

/// The largest file that is read.
const LARGEST: u64 = 1 << 30;

/// What is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The admin access key id.
    pub(super) access_key: String,
    /// Its secret.
    pub(super) secret_key: String,
    /// What each service keeps, by its name.
    pub(super) services: Map<String, Value>,
}

/// Options that open a file for its owner alone.
pub(super) fn private() -> OpenOptions {
    #[allow(unused_mut)]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

/// Makes a folder for its owner alone, and those above it; fine if it exists.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    #[allow(unused_mut)]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.recursive(true).create(path)
}

/// Writes a file whole or not at all: a reader, or the next start after a crash, sees the old or the new one.
pub(super) fn replace(path: &Path, content: &[&[u8]]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let mut file = private()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&temporary)?;
    for part in content {
        file.write_all(part)?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path)?;
    if let Some(folder) = path.parent() {
        sync_folder(folder);
    }
    Ok(())
}

/// Makes a rename last. Systems that can't sync a folder don't need it.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// The state file of a folder.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Up to which change it is written; the lock keeps writers in order.
    written: Mutex<u64>,
}

impl StateFile {
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            path: folder.join("state.json"),
            written: Mutex::new(0),
        }
    }

    /// What is kept; `None` in a new folder.
    ///
    /// # Errors
    /// What can't be read or is not what was written.
    pub(super) fn read(&self) -> Result<Option<Kept>, StateError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::io("open", &self.path)(error)),
        };
        let mut content = Vec::new();
        file.take(LARGEST)
            .read_to_end(&mut content)
            .map_err(StateError::io("read", &self.path))?;
        let corrupt = |reason: &str| StateError::corrupt(&self.path, reason);
        let end = content
            .iter()
            .take(256)
            .position(|byte| *byte == b'\n')
            .ok_or_else(|| corrupt("its first line is missing"))?;
        let (header, body) = (&content[..end], &content[end + 1..]);
        let header =
            std::str::from_utf8(header).map_err(|_| corrupt("its first line is not text"))?;
        let mut words = header.split(' ');
        if words.next() != Some(MAGIC) {
            return Err(corrupt("it was not written by this program"));
        }
        let format: u32 = words
            .next()
            .and_then(|word| word.parse().ok())
            .ok_or_else(|| corrupt("its format is not said"))?;
        if format > FORMAT {
            return Err(StateError::Newer {
                path: self.path.clone(),
                format,
                known: FORMAT,
            });
        }
        if words.next() != Some(digest(body).as_str()) {
            return Err(corrupt("its content does not match its checksum"));
        }
        serde_json::from_slice(body)
            .map(Some)
            .map_err(|_| corrupt("its content is not what this version writes"))
    }

    /// Writes what `take` gives, which holds all changes up to `change`, unless that is written already.
    ///
    /// # Errors
    /// What can't be written; the file is then as it was.
    pub(super) fn write(&self, change: u64, take: impl FnOnce() -> Kept) -> Result<(), StateError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if change != 0 && *written >= change {
            return Ok(());
        }
        let body = serde_json::to_vec(&take())
            .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
        let header = format!("{MAGIC} {FORMAT} {}\n", digest(&body));
        replace(&self.path, &[header.as_bytes(), &body])
            .map_err(StateError::io("write", &self.path))?;
        *written = change;
        Ok(())
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn digest(body: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> StateFile {
        let file = StateFile::new(folder);
        file.write(1, || Kept {
            access_key: "AKIA".to_owned(),
            secret_key: "secret".to_owned(),
            services: [("s3".to_owned(), Value::from(1))].into_iter().collect(),
        })
        .unwrap();
        file
    }

    #[test]
    fn gives_back_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let kept = written(folder.path()).read().unwrap().unwrap();
        assert_eq!(kept.access_key, "AKIA");
        assert_eq!(kept.services["s3"], 1);
    }

    #[test]
    fn does_not_go_back_to_an_older_change() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path());
        file.write(1, || panic!("is written already")).unwrap();
    }

    #[test]
    fn refuses_damage_and_leaves_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path());
        let whole = fs::read(file.path()).unwrap();
        for damage in [&whole[..whole.len() - 1], &whole[..10], b"", b"{}\n"] {
            fs::write(file.path(), damage).unwrap();
            assert!(matches!(file.read(), Err(StateError::Corrupt { .. })));
            assert_eq!(fs::read(file.path()).unwrap(), damage);
        }
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        fs::write(file.path(), &flipped).unwrap();
        assert!(matches!(file.read(), Err(StateError::Corrupt { .. })));
    }

    #[test]
    fn refuses_a_newer_format_whatever_follows() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path());
        fs::write(
            file.path(),
            format!("{MAGIC} 7 what comes then\nnew things"),
        )
        .unwrap();
        let error = file.read().unwrap_err();
        assert!(matches!(error, StateError::Newer { format: 7, .. }));
        assert!(error.to_string().contains("format 7"));
    }

    #[cfg(unix)]
    #[test]
    fn is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = written(folder.path());
        let mode = fs::metadata(file.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
