//! Versions: what runs, as it was when it was made.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

use crate::state::{Blob, Blobs};

use super::ids;
use super::names;

pub(crate) use super::lifecycle::{Change, Failure, State, Version};

/// All that decides how a version runs. It never changes: an update makes another one, with another id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct VersionConfig {
    /// Unique among all that ever were: what pools of instances are kept by.
    pub(crate) id: String,
    /// The account.
    pub(crate) account: String,
    /// The region.
    pub(crate) region: String,
    /// The function's name.
    pub(crate) function: String,
    /// `$LATEST` or a number.
    pub(crate) version: String,
    /// The deployment package.
    pub(crate) code: Code,
    /// Everything that `UpdateFunctionConfiguration` sets.
    pub(crate) settings: Settings,
    /// When code or settings were last changed.
    pub(crate) modified: SystemTime,
}

impl VersionConfig {
    /// The same with other code or settings, as of `now`.
    pub(crate) fn changed(&self, code: Code, settings: Settings, now: SystemTime) -> Self {
        Self {
            id: ids::uuid(),
            code,
            settings,
            modified: now,
            ..self.clone()
        }
    }

    /// The same as a version of this number.
    pub(crate) fn published(&self, number: u64, description: Option<String>) -> Self {
        let mut published = Self {
            id: ids::uuid(),
            version: number.to_string(),
            ..self.clone()
        };
        if let Some(description) = description {
            published.settings.description = description;
        }
        published
    }

    /// The ARN of the function, without a qualifier.
    pub(crate) fn function_arn(&self) -> String {
        names::function_arn(&self.account, &self.region, &self.function)
    }

    /// The ARN of the version.
    pub(crate) fn arn(&self) -> String {
        format!("{}:{}", self.function_arn(), self.version)
    }
}

/// A deployment package: a zip archive on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Code {
    /// SHA-256 of the archive, hexadecimal.
    pub(crate) sha256: String,
    /// Bytes of the archive.
    pub(crate) size: u64,
    /// Bytes of all files in it.
    pub(crate) unpacked: u64,
    /// The archive. `None` only between reading kept state and finding its blobs.
    #[serde(skip)]
    blob: Option<Blob>,
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl Code {
    /// The package in `blob`, whose files hold so many bytes.
    pub(crate) fn new(blob: Blob, unpacked: u64) -> Self {
        Self {
            sha256: blob.sha256(),
            size: blob.size(),
            unpacked,
            blob: Some(blob),
        }
    }

    /// Finds the archive again after it was kept; false if it is gone.
    pub(crate) fn find(&mut self, blobs: &Blobs) -> bool {
        self.blob = blobs.get(&self.sha256, self.size);
        self.blob.is_some()
    }

    /// The archive.
    pub(crate) fn blob(&self) -> Option<&Blob> {
        self.blob.as_ref()
    }

    /// The digest as Lambda shows it.
    pub(crate) fn base64(&self) -> String {
        HEXLOWER
            .decode(self.sha256.as_bytes())
            .map(|digest| BASE64.encode(&digest))
            .unwrap_or_default()
    }
}

/// What `UpdateFunctionConfiguration` sets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) description: String,
    /// The execution role's ARN.
    pub(crate) role: String,
    /// `provided.al2023`, `python3.12`, ...
    pub(crate) runtime: String,
    pub(crate) handler: String,
    /// Seconds.
    pub(crate) timeout: u32,
    /// MiB.
    pub(crate) memory: u32,
    /// `x86_64` or `arm64`.
    pub(crate) architecture: String,
    /// MiB of `/tmp`.
    pub(crate) ephemeral_storage: u32,
    /// The function's own variables; `None` when none were ever set.
    pub(crate) environment: Option<Variables>,
    /// The key that encrypts the variables.
    pub(crate) kms_key: Option<String>,
    /// Where events go that could not be handled: the ARN of a queue or a topic.
    pub(crate) dead_letter: Option<String>,
    /// `PassThrough` or `Active`.
    pub(crate) tracing: String,
    pub(crate) vpc: Option<Vpc>,
    pub(crate) logging: Logging,
    /// `None` or `PublishedVersions`.
    pub(crate) snap_start: String,
}

impl Settings {
    /// How long one call may take.
    pub(crate) fn time_limit(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout))
    }
}

/// A function's own variables. `Debug` shows no value: they may be secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Variables(pub(crate) BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A connection to a VPC. It is kept and shown; the embedded one has no networks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vpc {
    pub(crate) subnets: Vec<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) dual_stack: bool,
}

/// How a function logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logging {
    /// `Text` or `JSON`.
    pub(crate) format: String,
    /// The log group; `/aws/lambda/NAME` by default.
    pub(crate) group: String,
    /// `TRACE` to `FATAL`, for `JSON`.
    pub(crate) application_level: Option<String>,
    /// `DEBUG` to `WARN`, for `JSON`.
    pub(crate) system_level: Option<String>,
}

impl Logging {
    /// How the function `name` logs that says nothing about it.
    pub(crate) fn of(name: &str) -> Self {
        Self {
            format: "Text".to_owned(),
            group: format!("/aws/lambda/{name}"),
            application_level: None,
            system_level: None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn config() -> VersionConfig {
        VersionConfig {
            id: ids::uuid(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            function: "hello".to_owned(),
            version: names::LATEST.to_owned(),
            code: Code {
                sha256: "00".repeat(32),
                size: 1,
                unpacked: 1,
                blob: None,
            },
            settings: Settings {
                description: String::new(),
                role: "arn:aws:iam::000000000000:role/r".to_owned(),
                runtime: "provided.al2023".to_owned(),
                handler: "bootstrap".to_owned(),
                timeout: 3,
                memory: 128,
                architecture: "x86_64".to_owned(),
                ephemeral_storage: 512,
                environment: None,
                kms_key: None,
                dead_letter: None,
                tracing: "PassThrough".to_owned(),
                vpc: None,
                logging: Logging::of("hello"),
                snap_start: "None".to_owned(),
            },
            modified: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn debug_shows_no_value_of_a_variable() {
        let variables = Variables(BTreeMap::from([("KEY".into(), "hidden".into())]));
        let shown = format!("{variables:?}");
        assert!(shown.contains("KEY") && !shown.contains("hidden"));
    }
}
