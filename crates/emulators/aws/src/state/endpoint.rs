//! Where the holder of a state folder listens.

use std::fmt;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StateError;
use super::{file, lock};

/// The largest file that is read.
const LARGEST: u64 = 64 * 1024;

/// How to reach the process that holds a state folder. Its secret is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// The endpoint URL, on loopback.
    pub url: String,
    /// The admin access key id.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// The account of that key.
    pub account: String,
    /// The region of requests that name none.
    pub region: String,
    /// The process.
    pub pid: u32,
    /// The language runtimes that it runs, once it has looked.
    #[serde(default)]
    pub runtimes: Option<Vec<String>>,
}

impl Endpoint {
    /// Where the process listens that holds this state folder now; `None` when none does.
    ///
    /// # Errors
    /// [`StateError`] when the folder says something that can't be read.
    pub fn of(folder: impl AsRef<Path>) -> Result<Option<Self>, StateError> {
        let folder = folder.as_ref();
        let path = path(folder);
        let Ok(file) = File::open(&path) else {
            return Ok(None);
        };
        // A process that was killed left the file, and no lock.
        if !lock::is_held(folder) {
            return Ok(None);
        }
        let mut content = Vec::new();
        file.take(LARGEST)
            .read_to_end(&mut content)
            .map_err(StateError::io("read", &path))?;
        serde_json::from_slice(&content)
            .map(Some)
            .map_err(|_| StateError::corrupt(&path, "it does not say where the process listens"))
    }

    /// Says it to other processes of the same user.
    ///
    /// # Errors
    /// What can't be written.
    pub(super) fn publish(&self, folder: &Path) -> Result<(), StateError> {
        let path = path(folder);
        let content = serde_json::to_vec(self)
            .map_err(|error| StateError::io("write", &path)(error.into()))?;
        file::replace(&path, &[&content]).map_err(StateError::io("write", &path))
    }

    /// Takes it back.
    pub(super) fn withdraw(folder: &Path) {
        let _ = fs::remove_file(path(folder));
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("endpoint.json")
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("access_key", &self.access_key)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_said_only_while_the_folder_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = Endpoint {
            url: "http://127.0.0.1:1".to_owned(),
            access_key: "AKIA".to_owned(),
            secret_key: "hidden".to_owned(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            pid: 7,
            runtimes: None,
        };
        assert_eq!(Endpoint::of(folder.path()).unwrap(), None);
        endpoint.publish(folder.path()).unwrap();
        assert_eq!(
            Endpoint::of(folder.path()).unwrap(),
            None,
            "nobody holds it"
        );
        let held = lock::Lock::take(folder.path()).unwrap();
        assert_eq!(Endpoint::of(folder.path()).unwrap(), Some(endpoint.clone()));
        assert!(!format!("{endpoint:?}").contains("hidden"));
        Endpoint::withdraw(folder.path());
        assert_eq!(Endpoint::of(folder.path()).unwrap(), None);
        drop(held);
    }
}
