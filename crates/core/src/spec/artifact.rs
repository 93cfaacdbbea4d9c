//! What runs: an artifact names its bytes and how they are started.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A processor architecture.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Arch {
    /// 64-bit x86, also called amd64.
    #[default]
    X86_64,
    /// 64-bit Arm, also called aarch64.
    Arm64,
}

impl Arch {
    /// The architecture this program was built for, if it is one that functions can use.
    #[must_use]
    pub const fn of_this_machine() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Arm64)
        } else {
            None
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

/// A text that names no known architecture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture: expected x86_64 or arm64")]
pub struct UnknownArch;

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "x86_64" | "amd64" => Ok(Self::X86_64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            _ => Err(UnknownArch),
        }
    }
}

/// How a zip's `bootstrap` takes its requests.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Protocol {
    /// It pulls from AWS Lambda's Runtime API, as `anyport-runtime` and every Lambda custom runtime do.
    #[default]
    RuntimeApi,
    /// It is an HTTP server on the port that `PORT` names.
    Http,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RuntimeApi => "runtime-api",
            Self::Http => "http",
        })
    }
}

/// A language runtime of a bundle, such as `python3.13` or `nodejs22`: a family and a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Runtime(String);

impl Runtime {
    /// The language family.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.0.starts_with("python") {
            Family::Python
        } else {
            Family::Node
        }
    }

    /// The version part, empty when any version will do.
    #[must_use]
    pub fn version(&self) -> &str {
        self.0
            .strip_prefix("python")
            .or_else(|| self.0.strip_prefix("nodejs"))
            .unwrap_or_default()
            .trim_end_matches(".x")
    }

    /// The runtime as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A family of language runtimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Family {
    /// CPython 3.
    Python,
    /// Node.js.
    Node,
}

/// A text that names no runtime that bundles can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown runtime: expected python3, python3.N, nodejs or nodejsN")]
pub struct UnknownRuntime;

impl FromStr for Runtime {
    type Err = UnknownRuntime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let version = match text.strip_prefix("python") {
            Some(version) if version.starts_with('3') => version.strip_prefix("3").unwrap_or(""),
            Some(_) => return Err(UnknownRuntime),
            None => text.strip_prefix("nodejs").ok_or(UnknownRuntime)?,
        };
        let digits = version.trim_start_matches('.').trim_end_matches(".x");
        if digits.chars().all(|c| c.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownRuntime)
        }
    }
}

impl TryFrom<String> for Runtime {
    type Error = UnknownRuntime;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Runtime> for String {
    fn from(runtime: Runtime) -> Self {
        runtime.0
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is inside an artifact and how it is started.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Packaging {
    /// A portable zip with an executable `bootstrap` at its root.
    Zip {
        /// How `bootstrap` takes requests.
        #[serde(default)]
        protocol: Protocol,
    },
    /// A zip of source files, started by a language runtime.
    Bundle {
        /// The language runtime.
        runtime: Runtime,
        /// What the runtime calls: `module.function`.
        handler: String,
    },
    /// A zip of files started by a command; the command is an HTTP server on the port that `PORT` names.
    Command {
        /// The program, relative to the archive's root or found on the path, then its arguments.
        command: Vec<String>,
    },
    /// An OCI image, by digest.
    Image {
        /// The repository, without tag or digest: `registry.example/team/ledger`.
        repository: String,
    },
}

impl Packaging {
    /// The packaging's name, as capabilities and messages use it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Zip { .. } => "zip",
            Self::Bundle { .. } => "bundle",
            Self::Command { .. } => "command",
            Self::Image { .. } => "image",
        }
    }
}

/// The bytes to run, by digest, with what is known of them before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Artifact {
    /// What is inside and how it starts.
    #[serde(flatten)]
    pub packaging: Packaging,
    /// The digest of the archive, or of the image's manifest.
    pub digest: Digest,
    /// The size of the archive in bytes; 0 for an image.
    #[serde(default)]
    pub size: u64,
    /// The size of the unpacked files in bytes; 0 where it is not known.
    #[serde(default)]
    pub unpacked_size: u64,
    /// The architecture its machine code needs.
    #[serde(default)]
    pub arch: Arch,
}

impl Artifact {
    /// Describes an artifact of `packaging` with the given digest; sizes are unknown and the architecture is the default.
    #[must_use]
    pub const fn new(packaging: Packaging, digest: Digest) -> Self {
        Self {
            packaging,
            digest,
            size: 0,
            unpacked_size: 0,
            arch: Arch::X86_64,
        }
    }

    /// Sets the packed and unpacked sizes in bytes.
    #[must_use]
    pub const fn with_sizes(mut self, size: u64, unpacked_size: u64) -> Self {
        self.size = size;
        self.unpacked_size = unpacked_size;
        self
    }

    /// Sets the architecture.
    #[must_use]
    pub const fn with_arch(mut self, arch: Arch) -> Self {
        self.arch = arch;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtimes_parse_by_family_and_version() {
        let python: Runtime = "python3.13".parse().unwrap();
        assert_eq!(
            (python.family(), python.version()),
            (Family::Python, "3.13")
        );
        let node: Runtime = "nodejs22.x".parse().unwrap();
        assert_eq!((node.family(), node.version()), (Family::Node, "22"));
        for text in ["python2.7", "ruby3", "node20", "python3.x1", ""] {
            assert_eq!(text.parse::<Runtime>(), Err(UnknownRuntime), "{text}");
        }
    }
}
