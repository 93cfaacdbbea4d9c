//! The clients of one target, made once.

use std::sync::OnceLock;
use std::time::Duration;

use anyport_core::error::{Error, ErrorKind, Result, Violation};
use anyport_core::target::TargetUrl;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::config::{Config, Credentials, is_loopback};
use crate::pace::Pace;
use crate::wire::Wire;

/// The SDK's clients of one target, as [`Provider::raw`](anyport_core::provider::Provider::raw) gives them out.
///
/// Not covered by semantic versioning.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Raw {
    /// What the clients are made from: region, credentials, HTTP client.
    pub sdk: SdkConfig,
    /// Lambda, for everything but invocations.
    pub lambda: aws_sdk_lambda::Client,
    /// Lambda, for invocations: its reads wait for as long as a function may run.
    pub calls: aws_sdk_lambda::Client,
    /// The security token service.
    pub sts: aws_sdk_sts::Client,
    /// S3, for code that is too large to be sent directly.
    #[cfg(feature = "s3")]
    pub s3: aws_sdk_s3::Client,
}

/// What every part of the adapter works with.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: TargetUrl,
    pub(crate) region: String,
    /// The account that the URL names.
    pub(crate) pinned: Option<String>,
    /// The account, as soon as anything told it.
    pub(crate) account: OnceLock<String>,
    /// Set once STS has confirmed the pinned account.
    pub(crate) checked: OnceLock<()>,
    pub(crate) config: Config,
    /// How fast requests to Lambda's control plane go out.
    pub(crate) pace: Pace,
    pub(crate) raw: Raw,
    /// The services without an SDK crate of their own.
    pub(crate) wire: Wire,
}

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(60);
/// Functions run up to 15 minutes; Lambda answers soon after. Source: Lambda developer guide.
const INVOKE_READ: Duration = Duration::from_secs(15 * 60 + 30);

impl Session {
    pub(crate) async fn open(url: &TargetUrl, config: Config) -> Result<Self> {
        let (pinned, region) = place(url)
            .and_then(|place| reachable(url, &config).map(|()| place))
            .map_err(|violation| unusable(url, violation))?;
        let region = config.region.clone().unwrap_or(region);
        let sdk = sdk(&config, &region).await;
        // What the environment or the profile says is held to the same.
        if let (None, Some(found)) = (&config.endpoint, sdk.endpoint_url()) {
            in_secret("AWS_ENDPOINT_URL", found).map_err(|violation| unusable(url, violation))?;
        }
        let wire = Wire::new(&sdk, &region);
        let raw = Raw::new(sdk);
        Ok(Self {
            id: url.clone(),
            region,
            pinned,
            account: OnceLock::new(),
            checked: OnceLock::new(),
            config,
            pace: Pace::default(),
            raw,
            wire,
        })
    }
}

fn unusable(url: &TargetUrl, violation: Violation) -> Error {
    let kind = ErrorKind::InvalidSpec(vec![violation].into());
    Error::new(kind, "open the target").on(url)
}

impl Raw {
    fn new(sdk: SdkConfig) -> Self {
        let calls = aws_sdk_lambda::config::Builder::from(&sdk)
            .timeout_config(timeouts(INVOKE_READ))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self {
            lambda: aws_sdk_lambda::Client::new(&sdk),
            calls: aws_sdk_lambda::Client::from_conf(calls),
            sts: aws_sdk_sts::Client::new(&sdk),
            #[cfg(feature = "s3")]
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(&sdk)
                    .force_path_style(sdk.endpoint_url().is_some())
                    .build(),
            ),
            sdk,
        }
    }
}

async fn sdk(config: &Config, region: &str) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(READ));
    loader = match &config.credentials {
        Credentials::Default => loader,
        Credentials::Profile(name) => loader.profile_name(name),
        Credentials::Static {
            access_key,
            secret_key,
            session_token,
        } => loader.credentials_provider(aws_sdk_lambda::config::Credentials::new(
            access_key,
            secret_key,
            session_token.clone(),
            None,
            "anyport",
        )),
    };
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(client) = &config.http_client {
        loader = loader.http_client(client.clone());
    }
    loader.load().await
}

fn timeouts(read: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(read)
        .build()
}

/// The region that the embedded target stands for.
const EMBEDDED_REGION: &str = "us-east-1";

/// Credentials and code are sent to AWS, to this machine, or to somewhere else in secret; and never from the embedded target to AWS.
fn reachable(url: &TargetUrl, config: &Config) -> Result<(), Violation> {
    match &config.endpoint {
        None if url.is_embedded() => Err(Violation::new(
            "endpoint",
            "the embedded target needs the address of the embedded AWS",
        )),
        Some(endpoint) => in_secret("endpoint", endpoint),
        None => Ok(()),
    }
}

/// Refuses an address to which keys and code would travel in the open, or that is none.
fn in_secret(field: &str, endpoint: &str) -> Result<(), Violation> {
    if endpoint.starts_with("https://") || is_loopback(endpoint) {
        return Ok(());
    }
    let rest = endpoint.strip_prefix("http://").unwrap_or(endpoint);
    let rule = "must be an https address, or http on this machine";
    Err(Violation::new(field, rule)
        .value(endpoint)
        .nearest(format!("https://{rest}")))
}

/// The account, where it is named, and the region of `lambda://[ACCOUNT/]REGION`.
fn place(url: &TargetUrl) -> Result<(Option<String>, String), Violation> {
    let wrong = |rule: &str| {
        Violation::new("target", rule)
            .value(url)
            .nearest("lambda://eu-west-1")
    };
    if url.scheme() != "lambda" {
        return Err(wrong("a Lambda target's scheme is lambda"));
    }
    if url.is_embedded() {
        return Ok((None, EMBEDDED_REGION.to_owned()));
    }
    let (account, region) = match url.place().split_once('/') {
        Some((account, region)) => (Some(account), region),
        None => (None, url.place()),
    };
    if account.is_some_and(|it| it.len() != 12 || !it.bytes().all(|b| b.is_ascii_digit())) {
        return Err(wrong("an AWS account is twelve digits"));
    }
    let shaped = region
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if region.is_empty() || !shaped {
        return Err(wrong("a region is a name such as eu-west-1"));
    }
    Ok((account.map(str::to_owned), region.to_owned()))
}
