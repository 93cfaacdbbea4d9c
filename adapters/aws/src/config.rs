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
    /// How long after it was written a log line may still be missing. Default: 10 seconds.
    /// Guessed: minutes are rare, seconds are usual.
    pub logs_within: Duration,
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
            logs_within: Duration::from_secs(10),
            keep: None,
            http_client: None,
        }
    }
}

impl Config {
    /// Sends requests to this address instead of AWS.
    #[must_use]
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets who asks.
    #[must_use]
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets the role of functions whose spec has no `identity`.
    #[must_use]
    pub fn execution_role(mut self, role: impl Into<String>) -> Self {
        self.execution_role = Some(role.into());
        self
    }

    /// Sets the bucket for code that is too large to be sent directly.
    #[must_use]
    pub fn code_bucket(mut self, bucket: impl Into<String>) -> Self {
        self.code_bucket = Some(bucket.into());
        self
    }

    /// Sets the language runtimes that bundles may ask for, as Lambda names them.
    #[must_use]
    pub fn runtimes(mut self, runtimes: Vec<String>) -> Self {
        self.runtimes = Some(runtimes);
        self
    }

    /// Sets how long Lambda may serve what was there before a deploy returned.
    #[must_use]
    pub const fn settles_within(mut self, time: Duration) -> Self {
        self.settles_within = time;
        self
    }

    /// Sets the HTTP client; for tests.
    #[must_use]
    pub fn http_client(mut self, client: SharedHttpClient) -> Self {
        self.http_client = Some(client);
        self
    }
}

/// Whether an `http` address is on this machine.
pub(crate) fn is_loopback(endpoint: &str) -> bool {
    let Ok(uri) = endpoint.parse::<http::Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<std::net::IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

/// Whether an address is one of AWS's own. Source: the partitions file that the AWS SDKs carry.
pub(crate) fn is_aws(endpoint: &str) -> bool {
    const SUFFIXES: [&str; 4] = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".api.aws",
        ".amazonaws.eu",
    ];
    let uri = endpoint.parse::<http::Uri>();
    uri.is_ok_and(|uri| {
        let host = uri.host().unwrap_or_default();
        SUFFIXES.iter().any(|suffix| host.ends_with(suffix))
    })
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

impl Credentials {
    /// These keys, without a session's token.
    #[must_use]
    pub fn keys(access_key: impl Into<String>, secret_key: impl Into<String>) -> Self {
        Self::Static {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            session_token: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_address_is() {
        for (address, loopback, aws) in [
            ("http://127.0.0.1:4566", true, false),
            ("http://localhost:4566", true, false),
            ("http://[::1]:4566", true, false),
            ("http://127.0.0.1.evil.example", false, false),
            ("http://10.0.0.1", false, false),
            ("https://lambda.eu-west-1.amazonaws.com", false, true),
            ("nonsense", false, false),
        ] {
            assert_eq!(
                (is_loopback(address), is_aws(address)),
                (loopback, aws),
                "{address}"
            );
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let config = Config::default().credentials(Credentials::keys("AKID", "hunter2"));
        let shown = format!("{config:?}");
        assert!(
            shown.contains("AKID") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
