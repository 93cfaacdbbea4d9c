//! The embedded AWS behind `lambda://embedded`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};
use std::time::Duration;

use anyport_aws::Config as Adapter;
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use anyport_core::target::TargetUrl;
pub use anyport_emulator_aws::{
    Admin, Clock, Config, Credentials, Delays, Emulator, EmulatorError, Endpoint, Fault, FaultRule,
    Faults, Limits, StateError,
};
use tokio::sync::Mutex;

use crate::state::Keeper;

/// The port on which `anyport dev` serves the embedded AWS unless told otherwise.
pub const PORT: u16 = 4566;

/// The role that functions run as on a new embedded AWS.
const ROLE: &str = "anyport-embedded";

/// For how long a holder that has just begun or is about to end is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The user's folder for the embedded AWS: `embedded/aws` inside `$ANYPORT_STATE`, else inside `$XDG_STATE_HOME/anyport`, else inside
/// `~/.local/state/anyport`.
///
/// # Errors
/// `InvalidSpec` when `ANYPORT_STATE` is set to a path that is not absolute; `NotFound` when nothing says where.
pub fn state_folder() -> Result<PathBuf> {
    Keeper::Embedded("aws").folder()
}

/// The clouds that run in this process, by their folders: a folder has one holder, and its targets share it.
static RUNNING: LazyLock<Mutex<BTreeMap<PathBuf, Weak<Emulator>>>> = LazyLock::new(Mutex::default);

/// Where requests go, and what keeps it there.
struct Reached {
    url: String,
    access_key: String,
    secret_key: String,
    account: String,
    region: String,
    runtimes: Option<Vec<String>>,
    keep: Option<Arc<Emulator>>,
}

/// Settings of an embedded AWS whose execution role may do what functions of `lambda://` targets need.
#[must_use]
pub fn config() -> Config {
    let config = Config::new();
    match anyport_aws::policy("execution-role", &config.account, "*") {
        Some(policy) => config.execution_policy(policy),
        None => config,
    }
}

/// Starts an embedded AWS and makes it the one that `lambda://embedded` is in this process, until the last holder lets go.
///
/// # Errors
/// `Unavailable` when it cannot start: the port or the state folder is in use, or cannot be used.
pub async fn serve(config: Config) -> Result<Arc<Emulator>> {
    // Whatever folder it keeps: the user's is where it is looked for.
    let folder = state_folder()?;
    let mut running = RUNNING.lock().await;
    let emulator = Arc::new(Emulator::start(config).await.map_err(unusable)?);
    running.insert(folder, Arc::downgrade(&emulator));
    // Other processes are told.
    emulator.runtimes().await;
    Ok(emulator)
}

/// Settings for a `lambda://embedded` target in front of this embedded AWS, which ends with its last target.
pub async fn behind(aws: Arc<Emulator>) -> Adapter {
    settings(Adapter::default(), Reached::here(aws).await)
}

/// The adapter's settings with the user's embedded AWS behind them: the one that another process holds, else one in this process that ends with
/// its last target. Its state stays.
pub(crate) async fn behind_the_users(url: &TargetUrl, config: Adapter) -> Result<Adapter> {
    let reached = reach(&state_folder()?)
        .await
        .map_err(|error| error.on(format_args!("the embedded AWS of {url}")))?;
    Ok(settings(config, reached))
}

fn settings(mut config: Adapter, reached: Reached) -> Adapter {
    if config.execution_role.is_none() {
        config.execution_role = Some(format!("arn:aws:iam::{}:role/{ROLE}", reached.account));
    }
    config.endpoint = Some(reached.url);
    config.runtimes = reached.runtimes;
    config.region = Some(reached.region);
    config.credentials = anyport_aws::Credentials::Static {
        access_key: reached.access_key,
        secret_key: reached.secret_key,
        session_token: None,
    };
    // Nobody waits for what takes no time.
    config.settles_within = Delays::default().alias_staleness;
    config.logs_within = Duration::ZERO;
    if let Some(keep) = reached.keep {
        config.keep = Some(keep);
    }
    config
}

async fn reach(folder: &Path) -> Result<Reached> {
    let mut running = RUNNING.lock().await;
    if let Some(here) = running.get(folder).and_then(Weak::upgrade) {
        return Ok(Reached::here(here).await);
    }
    let began = tokio::time::Instant::now();
    loop {
        if let Some(there) = Endpoint::of(folder).map_err(unusable)? {
            return Ok(there.into());
        }
        match Emulator::start(config().state(folder)).await {
            Ok(emulator) => {
                let emulator = Arc::new(emulator);
                running.insert(folder.to_owned(), Arc::downgrade(&emulator));
                return Ok(Reached::here(emulator).await);
            }
            // Somebody was faster and says in a moment where it listens, or has not let go yet.
            Err(error) if is_held(&error) && began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(unusable(error)),
        }
    }
}

fn is_held(error: &EmulatorError) -> bool {
    matches!(error, EmulatorError::State(why) if matches!(why.downcast_ref(), Some(StateError::Held { .. })))
}

impl From<Endpoint> for Reached {
    fn from(there: Endpoint) -> Self {
        Self {
            url: there.url,
            access_key: there.access_key,
            secret_key: there.secret_key,
            account: there.account,
            region: there.region,
            runtimes: there.runtimes,
            keep: None,
        }
    }
}

impl Reached {
    async fn here(here: Arc<Emulator>) -> Self {
        Self {
            url: here.endpoint().to_owned(),
            access_key: here.credentials().access_key.clone(),
            secret_key: here.credentials().secret_key.clone(),
            account: here.account().to_owned(),
            region: here.region().to_owned(),
            runtimes: Some(here.runtimes().await),
            keep: Some(here),
        }
    }
}

fn unusable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Unavailable, "start")
        .on("the embedded AWS")
        .because("it can't have what it needs")
        .with_retry(Retry::No)
        .with_source(error)
}
