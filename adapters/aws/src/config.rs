//! What the target is told once, when it is opened.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

/// Settings of a Lambda target.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where requests go instead of AWS: an emulator on loopback, or an `https` address. Default: AWS.
    pub endpoint: Option<String>,
    /// The region, where the URL's place is another name for it, as in `lambda://embedded`. Default: the URL's.
    pub region: Option<String>,
    /// Who asks. Default: the SDK's chain (environment, profile, container and instance roles).
    pub credentials: Credentials,
    /// The ARN of the role that functions run as when their spec has no `identity`.
    pub execution_role: Option<String>,
    /// The bucket for code that is too large to be sent directly.
    /// Default: `anyport-code-ACCOUNT-REGION`, made by the first plan that needs it.
    pub code_bucket: Option<String>,
    /// The language runtimes that bundles may ask for. Default: those that Lambda lets one create today.
    pub runtimes: Option<Vec<String>>,
    /// How long Lambda may serve what was there before a deploy returned. Default: 5 seconds.
    pub settles_within: Duration,
    /// Kept for as long as the target is: an embedded cloud ends with its last target.
    pub keep: Option<Arc<dyn Any + Send + Sync>>,
    /// The HTTP client to use instead of the SDK's own; for tests.
    pub http_client: Option<SharedHttpClient>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: None,
            credentials: Credentials::Default,
            execution_role: None,
            code_bucket: None,
            runtimes: None,
            settles_within: Duration::from_secs(5),
            keep: None,
            http_client: None,
        }
    }
}

/// Who asks.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Credentials {
    /// The SDK's chain: environment, shared profile, web identity, container and instance roles.
    #[default]
    Default,
    /// This profile of the shared configuration.
    Profile(String),
    /// These keys.
    Static {
        /// The access key's id.
        access_key: String,
        /// The secret.
        secret_key: String,
        /// The session's token, with temporary credentials.
        session_token: Option<String>,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Profile(name) => f.debug_tuple("Profile").field(name).finish(),
            Self::Static { access_key, .. } => f
                .debug_struct("Static")
                .field("access_key", access_key)
                .finish_non_exhaustive(),
        }
    }
}
