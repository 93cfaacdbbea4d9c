//! The embedded AWS, as the oracles need it.

use std::process::Command;
use std::time::Duration;

use anyport_emulator_aws::{Config, Delays, Emulator, Limits};

use crate::commands::Failure;

/// One cloud without rate limits, so that a story is told without waiting, and one with strict ones.
pub(super) struct Clouds {
    free: Emulator,
    limited: Emulator,
}

impl Clouds {
    /// Starts both.
    ///
    /// # Errors
    /// What starting fails with.
    pub(super) async fn start() -> Result<Self, Failure> {
        // Long enough that what is refused meanwhile is refused on a busy machine, too.
        let mut delays = Delays::default();
        delays.update = Duration::from_secs(1);
        let config = Config::new().delays(delays);
        let free = Emulator::start(config.clone().limits(Limits::off())).await?;
        // Lower than AWS's, so that one client on a busy machine reaches them.
        let mut limits = Limits::default();
        limits.get_function_rate = Some(2.0);
        limits.get_policy_rate = Some(2.0);
        limits.control_rate = Some(2.0);
        let config = config
            .credentials(free.credentials().clone())
            .limits(limits);
        let limited = Emulator::start(config).await?;
        Ok(Self { free, limited })
    }

    /// Stops both.
    pub(super) async fn stop(self) {
        self.free.shutdown().await;
        self.limited.shutdown().await;
    }

    /// The endpoint without rate limits.
    pub(super) fn endpoint(&self) -> &str {
        self.free.endpoint()
    }

    /// The endpoint with strict rate limits.
    pub(super) fn limited_endpoint(&self) -> &str {
        self.limited.endpoint()
    }

    /// The account of the admin.
    pub(super) fn account(&self) -> &str {
        self.free.account()
    }

    /// Gives `command` the admin's key pair and the endpoint, and nothing else of AWS.
    pub(super) fn sign_in<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        let keys = self.free.credentials();
        command
            .env("AWS_ENDPOINT_URL", self.endpoint())
            .env("AWS_ACCESS_KEY_ID", &keys.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_key)
            .env("AWS_REGION", REGION)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_CONFIG_FILE", "/dev/null")
            .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    }
}

/// Where everything is.
pub(super) const REGION: &str = "eu-west-1";
