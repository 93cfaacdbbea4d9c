//! What the cloud is told when it starts.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyport_engine::{Groups, Interpreters};

use crate::access::Document;
use crate::clock::Clock;
use crate::error::EmulatorError;

/// Settings of an [`Emulator`](crate::Emulator). The default suits a developer's machine.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The loopback port; 0 for any free one.
    pub port: u16,
    /// The account of the admin credentials: twelve digits.
    pub account: String,
    /// The region of requests that name none. Any region that a request names is its own.
    pub region: String,
    /// Whose time drives states, retries, visibility and rate limits.
    pub clock: Clock,
    /// How long things take that take time on AWS.
    pub delays: Delays,
    /// How much of what is allowed per time.
    pub limits: Limits,
    /// Whether calls are held against policies. Signatures are verified in any case.
    pub enforce_permissions: bool,
    /// Where the cloud's state is kept; without a folder it ends with the emulator.
    pub state: Option<PathBuf>,
    /// The credentials that may do everything; made anew for each start unless given or kept in the
    /// state folder.
    pub credentials: Option<Credentials>,
    /// What the execution role that exists from the start may do, beside writing its logs: a policy
    /// document.
    pub execution_policy: Option<String>,
    /// Where interpreters of language bundles are found.
    pub interpreters: Interpreters,
    /// How control groups are used for functions.
    pub groups: Groups,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            port: 0,
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            clock: Clock::system(),
            delays: Delays::default(),
            limits: Limits::default(),
            enforce_permissions: true,
            state: None,
            credentials: None,
            execution_policy: None,
            interpreters: Interpreters::default(),
            groups: Groups::default(),
        }
    }
}

impl Config {
    /// The default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether AWS could be like this.
    pub(crate) fn check(&self) -> Result<(), EmulatorError> {
        let wrong = |setting, value: &str, rule| {
            Err(EmulatorError::Setting {
                setting,
                value: value.to_owned(),
                rule,
            })
        };
        if self.account.len() != 12 || !self.account.bytes().all(|byte| byte.is_ascii_digit()) {
            return wrong("account", &self.account, "an account is twelve digits");
        }
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.region.is_empty() || self.region.len() > 32 || !self.region.bytes().all(letters) {
            return wrong(
                "region",
                &self.region,
                "a region is small letters, digits and hyphens, such as eu-west-1",
            );
        }
        if let Some(document) = &self.execution_policy
            && Document::read(document).is_err()
        {
            return wrong("execution_policy", document, "it must be a policy document");
        }
        Ok(())
    }

    /// Listens on this loopback port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Puts the admin credentials into this account.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Uses this region where a request names none.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Goes by this clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes this long for things.
    #[must_use]
    pub fn delays(mut self, delays: Delays) -> Self {
        self.delays = delays;
        self
    }

    /// Allows this much.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Holds calls against policies, or not.
    #[must_use]
    pub fn enforce_permissions(mut self, enforce: bool) -> Self {
        self.enforce_permissions = enforce;
        self
    }

    /// Keeps the cloud's state in this folder.
    #[must_use]
    pub fn state(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state = Some(folder.into());
        self
    }

    /// Uses these as the admin credentials.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Lets the execution role that exists from the start do this too: a policy document.
    #[must_use]
    pub fn execution_policy(mut self, document: impl Into<String>) -> Self {
        self.execution_policy = Some(document.into());
        self
    }

    /// Finds interpreters here.
    #[must_use]
    pub fn interpreters(mut self, interpreters: Interpreters) -> Self {
        self.interpreters = interpreters;
        self
    }

    /// Uses control groups in this way.
    #[must_use]
    pub fn groups(mut self, groups: Groups) -> Self {
        self.groups = groups;
        self
    }
}

/// An access key. Its secret is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The access key id: `AKIA...`, or `ASIA...` with a session token.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
}

impl Credentials {
    /// A long-lived access key.
    #[must_use]
    pub fn new(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            session_token: None,
        }
    }

    /// With this session token.
    #[must_use]
    pub fn session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(token.into());
        self
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

/// How long things take, on the cloud's clock. The order of events is AWS's; the lengths are guessed,
/// and shorter than AWS's usual ones.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delays {
    /// From `CreateFunction` to the state `Active`.
    pub create: Duration,
    /// From an update of code or configuration to `Successful`.
    pub update: Duration,
    /// From `PublishVersion` to the version's state `Active`.
    pub publish: Duration,
    /// For how long invokes by an alias may still reach what it pointed to before.
    pub alias_staleness: Duration,
    /// After how long without an invocation a version becomes `Inactive`; never, when `None`.
    pub inactive: Option<Duration>,
    /// For how long a new role can't be assumed.
    pub role: Duration,
    /// For how long a deleted queue's name can't be used again (on AWS 60 s).
    pub queue_deletion: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            create: Duration::from_millis(300),
            update: Duration::from_millis(150),
            publish: Duration::from_millis(150),
            alias_staleness: Duration::from_millis(100),
            inactive: None,
            role: Duration::from_secs(2),
            queue_deletion: Duration::from_secs(60),
        }
    }
}

impl Delays {
    /// Everything at once.
    #[must_use]
    pub fn zero() -> Self {
        Self {
            create: Duration::ZERO,
            update: Duration::ZERO,
            publish: Duration::ZERO,
            alias_staleness: Duration::ZERO,
            inactive: None,
            role: Duration::ZERO,
            queue_deletion: Duration::ZERO,
        }
    }
}

/// How much is allowed. Source of the numbers: the Lambda developer guide's quotas.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// Calls of `GetFunction` per second.
    pub get_function_rate: Option<f64>,
    /// Calls of `GetPolicy` per second.
    pub get_policy_rate: Option<f64>,
    /// Calls per second of all other control plane operations of Lambda together.
    pub control_rate: Option<f64>,
    /// Concurrent invocations of an account in a region.
    pub concurrency: u32,
    /// Synchronous invocations per second and unit of concurrency.
    pub invokes_per_concurrency: Option<f64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            get_function_rate: Some(100.0),
            get_policy_rate: Some(15.0),
            control_rate: Some(15.0),
            concurrency: 1000,
            invokes_per_concurrency: Some(10.0),
        }
    }
}

impl Limits {
    /// No rate limits; the account's concurrency stays.
    #[must_use]
    pub fn off() -> Self {
        Self {
            get_function_rate: None,
            get_policy_rate: None,
            control_rate: None,
            concurrency: 1000,
            invokes_per_concurrency: None,
        }
    }

    /// Allows so many concurrent invocations of an account in a region.
    #[must_use]
    pub fn concurrency(mut self, concurrency: u32) -> Self {
        self.concurrency = concurrency;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_aws_is_like_is_refused() {
        Config::new().check().unwrap();
        for config in [
            Config::new().account("1"),
            Config::new().account("00000000000x"),
            Config::new().region(""),
            Config::new().region("eu-west-1.example.com"),
        ] {
            assert!(matches!(config.check(), Err(EmulatorError::Setting { .. })));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = Credentials::new("AKIA", "very-secret").session_token("very-secret");
        let config = Config::new().credentials(credentials);
        assert!(!format!("{config:?}").contains("very-secret"));
    }
}
