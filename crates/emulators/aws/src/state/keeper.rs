//! Holds the folder, reads it at the start and writes to it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::blobs::Blobs;
use super::endpoint::Endpoint;
use super::error::StateError;
use super::file::{self, Kept, StateFile};
use super::lock::Lock;
use crate::cloud::Cloud;
use crate::config::{Config, Credentials};
use crate::error::EmulatorError;

/// For how long changes nobody waits for are gathered before they are written.
const PAUSE: Duration = Duration::from_millis(100);

/// At most this part of the time is spent on writing what nobody waits for.
const SHARE: u32 = 10;

/// After a write that failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Holds the folder, and writes to it. Dropped, it writes the last changes.
#[derive(Debug)]
pub(crate) struct Keeper {
    place: Place,
    blobs: Blobs,
    credentials: Credentials,
    /// What was kept, until the cloud takes it.
    kept: Option<Map<String, Value>>,
    url: String,
    running: Option<Running>,
}

/// Where things are.
#[derive(Debug)]
enum Place {
    /// Gone at the end.
    Passing(tempfile::TempDir),
    /// Kept.
    Lasting {
        folder: PathBuf,
        file: Arc<StateFile>,
        _lock: Lock,
    },
}

/// The cloud whose changes are kept.
#[derive(Debug)]
struct Running {
    cloud: Arc<Cloud>,
    writer: JoinHandle<()>,
}

impl Keeper {
    /// Takes the folder, or a temporary one.
    ///
    /// # Errors
    /// What can't be used.
    pub(crate) fn open(config: &Config, endpoint: &str) -> Result<Self, EmulatorError> {
        let state = |error| EmulatorError::State(Box::new(error));
        let (place, kept) = match &config.state {
            None => (Place::passing()?, None),
            Some(folder) => Place::lasting(folder).map_err(state)?,
        };
        let blobs = place.folder().join("blobs");
        let blobs = Blobs::open(&blobs, matches!(place, Place::Lasting { .. }))
            .map_err(StateError::io("write", &blobs))
            .map_err(state)?;
        let credentials = match (&config.credentials, &kept) {
            (Some(given), _) => given.clone(),
            (None, Some(kept)) => Credentials::new(&kept.access_key, &kept.secret_key),
            (None, None) => fresh_credentials().map_err(|source| EmulatorError::Folder {
                path: place.folder().to_owned(),
                source,
            })?,
        };
        Ok(Self {
            place,
            blobs,
            credentials,
            kept: kept.map(|kept| kept.services),
            url: endpoint.to_owned(),
            running: None,
        })
    }

    /// Where everything is kept that is too large for memory.
    pub(crate) fn folder(&self) -> &Path {
        self.place.folder()
    }

    /// Code and objects.
    pub(crate) fn blobs(&self) -> Blobs {
        self.blobs.clone()
    }

    /// Where functions have their temporary files; never kept. The engine clears it, even when killed.
    pub(crate) fn scratch(&self) -> PathBuf {
        std::env::temp_dir()
    }

    /// The admin credentials: given, kept or new.
    pub(crate) fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// Gives the cloud what was kept, and keeps its changes from now on.
    ///
    /// # Errors
    /// What was kept and can't be used.
    pub(crate) fn attach(&mut self, cloud: &Arc<Cloud>) -> Result<(), EmulatorError> {
        let kept = self.kept.take();
        let Place::Lasting { folder, file, .. } = &self.place else {
            return Ok(());
        };
        let begin = || {
            if let Some(kept) = &kept {
                give(cloud, kept).map_err(|reason| StateError::corrupt(file.path(), reason))?;
            }
            // The credentials last from here on, and the folder is known to be writable.
            file.write(0, || take(cloud, &self.credentials))?;
            self.blobs
                .sweep_strays()
                .map_err(StateError::io("clear", folder.join("blobs")))?;
            self.endpoint(cloud, None).publish(folder)
        };
        begin().map_err(|error| EmulatorError::State(Box::new(error)))?;
        cloud.changes.begin();
        let writer = tokio::spawn(write(
            Arc::downgrade(cloud),
            Arc::clone(file),
            self.blobs.clone(),
            self.credentials.clone(),
        ));
        self.running = Some(Running {
            cloud: Arc::clone(cloud),
            writer,
        });
        Ok(())
    }

    fn endpoint(&self, cloud: &Cloud, runtimes: Option<Vec<String>>) -> Endpoint {
        Endpoint {
            url: self.url.clone(),
            access_key: self.credentials.access_key.clone(),
            secret_key: self.credentials.secret_key.clone(),
            account: cloud.config.account.clone(),
            region: cloud.config.region.clone(),
            pid: std::process::id(),
            runtimes,
        }
    }

    /// Lets other processes know which language runtimes can be used.
    pub(crate) fn tell_runtimes(&self, runtimes: &[String]) {
        if let (Some(running), Place::Lasting { folder, .. }) = (&self.running, &self.place) {
            // Without it others take every runtime for possible, and are refused by the cloud itself.
            let _ = self
                .endpoint(&running.cloud, Some(runtimes.to_vec()))
                .publish(folder);
        }
    }

    /// Keeps the last changes and says no longer that anybody listens.
    pub(crate) async fn close(&mut self) {
        if let Some(last) = self.last() {
            let _ = tokio::task::spawn_blocking(last).await;
        }
    }

    /// What is to be done at the end, on a thread that may block; once.
    fn last(&mut self) -> Option<impl FnOnce() + Send + 'static> {
        let Running { cloud, writer } = self.running.take()?;
        writer.abort();
        let Place::Lasting { folder, file, .. } = &self.place else {
            return None;
        };
        let (folder, file) = (folder.clone(), Arc::clone(file));
        let (blobs, credentials) = (self.blobs.clone(), self.credentials.clone());
        Some(move || {
            // There is nobody left to tell: where it fails, what is on disk is the state before.
            let _ = keep(&cloud, &file, &blobs, &credentials);
            Endpoint::withdraw(&folder);
            cloud.changes.end();
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(last) = self.last() {
            last();
        }
    }
}

impl Place {
    fn passing() -> Result<Self, EmulatorError> {
        tempfile::Builder::new()
            .prefix("anyport-aws-")
            .tempdir()
            .map(Self::Passing)
            .map_err(|source| EmulatorError::Folder {
                path: std::env::temp_dir(),
                source,
            })
    }

    fn lasting(folder: &Path) -> Result<(Self, Option<Kept>), StateError> {
        file::private_folder(folder).map_err(StateError::io("make", folder))?;
        // Functions run elsewhere; what they are given must not depend on where this process is.
        let folder = folder
            .canonicalize()
            .map_err(StateError::io("open", folder))?;
        let lock = Lock::take(&folder)?;
        let file = StateFile::new(&folder);
        let kept = file.read()?;
        let place = Self::Lasting {
            folder,
            file: Arc::new(file),
            _lock: lock,
        };
        Ok((place, kept))
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Passing(folder) => folder.path(),
            Self::Lasting { folder, .. } => folder,
        }
    }
}

/// Writes changes until the cloud is gone.
async fn write(cloud: Weak<Cloud>, file: Arc<StateFile>, blobs: Blobs, credentials: Credentials) {
    let mut pause = PAUSE;
    loop {
        let Some(held) = cloud.upgrade() else { return };
        // The writer may not keep the cloud alive while it waits.
        let changes = Arc::clone(&held.changes);
        drop(held);
        changes.wait(pause).await;
        let Some(held) = cloud.upgrade() else { return };
        let (file, blobs, credentials) = (Arc::clone(&file), blobs.clone(), credentials.clone());
        let began = Instant::now();
        let kept =
            tokio::task::spawn_blocking(move || keep(&held, &file, &blobs, &credentials)).await;
        pause = match kept {
            Ok(Ok(())) => PAUSE.max(began.elapsed() * SHARE),
            _ => AFTER_FAILURE,
        };
    }
}

/// Writes all changes so far.
fn keep(
    cloud: &Cloud,
    file: &StateFile,
    blobs: &Blobs,
    credentials: &Credentials,
) -> Result<(), StateError> {
    let change = cloud.changes.latest();
    // Those that a state that is taken later does not name.
    let doomed = blobs.doomed();
    let written = file.write(change, || take(cloud, credentials));
    cloud.changes.tried(change, written.is_ok());
    if written.is_ok() {
        blobs.sweep(doomed);
    }
    written
}

/// What is kept of the cloud. Where one service hands something over to another, the giver comes first:
/// it may then be kept by both, never by neither.
fn take(cloud: &Cloud, credentials: &Credentials) -> Kept {
    let mut services = Map::new();
    services.insert("lambda".to_owned(), cloud.lambda.save());
    services.insert("logs".to_owned(), cloud.logs.save());
    services.insert("sqs".to_owned(), cloud.sqs.save());
    services.insert("s3".to_owned(), cloud.s3.save());
    services.insert("access".to_owned(), cloud.access.save());
    Kept {
        access_key: credentials.access_key.clone(),
        secret_key: credentials.secret_key.clone(),
        services,
    }
}

/// Gives the cloud what was kept.
fn give(cloud: &Cloud, kept: &Map<String, Value>) -> Result<(), String> {
    let part = |service: &str| kept.get(service).unwrap_or(&Value::Null);
    cloud.access.load(part("access"))?;
    cloud.s3.load(part("s3"))?;
    cloud.sqs.load(part("sqs"))?;
    cloud.logs.load(part("logs"));
    cloud.lambda.load(part("lambda"), &cloud.blobs)?;
    Ok(())
}

/// An access key like those of AWS.
fn fresh_credentials() -> std::io::Result<Credentials> {
    let mut random = [0_u8; 40];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let key = data_encoding::BASE32_NOPAD.encode(&random[..10]);
    let secret = data_encoding::BASE64.encode(&random[10..]);
    Ok(Credentials::new(format!("AKIA{key}"), secret))
}
