//! `lambda://`: functions on AWS Lambda, and on an embedded AWS as `lambda://embedded`.

use std::sync::Arc;

pub use anyport_aws::{Config, Credentials, EXECUTION_ROLE, Raw, policies, policy};
use anyport_core::error::Result;
use anyport_core::provider::Provider;
use anyport_core::target::TargetUrl;
use futures_core::future::BoxFuture;

use crate::connect::{Connect, Settings};

impl Connect {
    /// Settings for a `lambda://` target. Without them, credentials and endpoint come from where the AWS SDK finds them: environment, shared
    /// profile, or the role of the machine.
    #[must_use]
    pub fn lambda(mut self, config: Config) -> Self {
        self.settings.lambda = Some(config);
        self
    }
}

pub(crate) fn open(
    url: TargetUrl,
    settings: Settings,
) -> BoxFuture<'static, Result<Arc<dyn Provider>>> {
    Box::pin(async move {
        let config = settings.lambda.unwrap_or_default();
        let config = match url.place() {
            "embedded" => embedded(&url, config).await?,
            _ => config,
        };
        anyport_aws::connect(&url, config).await
    })
}

/// The settings with the embedded AWS behind them; who names another endpoint gets that.
#[cfg(feature = "embedded-aws")]
async fn embedded(url: &TargetUrl, config: Config) -> Result<Config> {
    match config.endpoint {
        Some(_) => Ok(config),
        None => crate::embedded::aws::behind_the_users(url, config).await,
    }
}

#[cfg(not(feature = "embedded-aws"))]
async fn embedded(url: &TargetUrl, _: Config) -> Result<Config> {
    use anyport_core::error::{Error, ErrorKind};
    let kind = ErrorKind::Unsupported {
        capability: "the embedded AWS".to_owned(),
        hint: "switch on the feature `embedded-aws` of the crate `anyport`".to_owned(),
    };
    Err(Error::new(kind, "connect to").on(url))
}
