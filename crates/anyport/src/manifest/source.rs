//! Where a function's code comes from.

use std::path::PathBuf;

use anyport_core::Digest;
use anyport_core::spec::{Packaging, Protocol, Runtime};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::document::{ProtocolName, SourceTable};
use super::spans::Spans;

/// Where a function's code comes from. Paths are as written, relative to the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A cargo package, built and packed as a zip.
    Cargo {
        /// The package.
        package: String,
        /// The binary, where the package has several.
        binary: Option<String>,
        /// The profile, `release` unless said.
        profile: String,
        /// How it takes its requests.
        protocol: Protocol,
    },
    /// A zip with a `bootstrap`.
    Zip {
        /// The archive.
        path: PathBuf,
        /// How it takes its requests.
        protocol: Protocol,
    },
    /// A single executable, packed as a zip's `bootstrap`.
    Bin {
        /// The executable.
        path: PathBuf,
        /// How it takes its requests.
        protocol: Protocol,
    },
    /// A folder for a language runtime.
    Bundle {
        /// The folder.
        dir: PathBuf,
        /// The runtime.
        runtime: Runtime,
        /// The handler, module and function.
        handler: String,
    },
    /// A folder with a command that is an HTTP server.
    Command {
        /// The folder.
        dir: PathBuf,
        /// Program and arguments.
        command: Vec<String>,
    },
    /// An OCI image.
    Image {
        /// The repository, without tag or digest.
        repository: String,
        /// The manifest's digest.
        digest: Digest,
    },
}

impl Source {
    /// How the artifact made from this source is packaged.
    #[must_use]
    pub fn packaging(&self) -> Packaging {
        match self {
            Self::Cargo { protocol, .. }
            | Self::Zip { protocol, .. }
            | Self::Bin { protocol, .. } => Packaging::Zip {
                protocol: *protocol,
            },
            Self::Bundle {
                runtime, handler, ..
            } => Packaging::Bundle {
                runtime: runtime.clone(),
                handler: handler.clone(),
            },
            Self::Command { command, .. } => Packaging::Command {
                command: command.clone(),
            },
            Self::Image { repository, .. } => Packaging::Image {
                repository: repository.clone(),
            },
        }
    }
}

/// The kinds of source, with the keys that go with each.
const KINDS: [(&str, &[&str]); 5] = [
    ("cargo", &["binary", "profile", "protocol"]),
    ("zip", &["protocol"]),
    ("bin", &["protocol"]),
    ("dir", &["runtime", "handler", "command"]),
    ("image", &[]),
];

/// Reads the table `at`, or says what is wrong with it.
pub(super) fn read(
    table: &SourceTable,
    spans: &Spans,
    at: &[&str],
    found: &mut Diagnostics,
) -> Option<Source> {
    let set = keys(table);
    let kinds: Vec<_> = KINDS
        .iter()
        .filter(|(kind, _)| set.contains(kind))
        .collect();
    let [(kind, companions)] = kinds.as_slice() else {
        let message = if kinds.is_empty() {
            "the source names nothing to run".to_owned()
        } else {
            let names: Vec<_> = kinds.iter().map(|(kind, _)| format!("`{kind}`")).collect();
            format!("the source is {} at once", names.join(" and "))
        };
        found.push(
            Diagnostic::new("wrong_source", message)
                .help("give exactly one of cargo, zip, bin, dir, image")
                .at(spans.value_of(at)),
        );
        return None;
    };
    let before = found.len();
    for stray in set
        .iter()
        .filter(|key| *key != kind && !companions.contains(key))
    {
        found.push(
            Diagnostic::new(
                "wrong_source",
                format!("`{stray}` does not go with `{kind}`"),
            )
            .help(if companions.is_empty() {
                format!("`{kind}` stands alone; leave `{stray}` out")
            } else {
                format!(
                    "with `{kind}` go {}; leave `{stray}` out",
                    companions.join(", ")
                )
            })
            .at(spans.key(&[at, &[stray]].concat())),
        );
    }
    let source = one(kind, table, spans, at, found)?;
    (found.len() == before).then_some(source)
}

fn one(
    kind: &str,
    table: &SourceTable,
    spans: &Spans,
    at: &[&str],
    found: &mut Diagnostics,
) -> Option<Source> {
    let protocol = match table.protocol {
        Some(ProtocolName::Http) => Protocol::Http,
        Some(ProtocolName::RuntimeApi) | None => Protocol::RuntimeApi,
    };
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    match kind {
        "cargo" => Some(Source::Cargo {
            package: text(&table.cargo),
            binary: table.binary.clone(),
            profile: table
                .profile
                .clone()
                .unwrap_or_else(|| "release".to_owned()),
            protocol,
        }),
        "zip" => Some(Source::Zip {
            path: text(&table.zip).into(),
            protocol,
        }),
        "bin" => Some(Source::Bin {
            path: text(&table.bin).into(),
            protocol,
        }),
        "image" => image(&text(&table.image), spans, at, found),
        _ => folder(table, spans, at, found),
    }
}

fn folder(
    table: &SourceTable,
    spans: &Spans,
    at: &[&str],
    found: &mut Diagnostics,
) -> Option<Source> {
    let dir = PathBuf::from(table.dir.clone().unwrap_or_default());
    match (&table.runtime, &table.handler, &table.command) {
        (None, None, Some(command)) => Some(Source::Command {
            dir,
            command: command.clone(),
        }),
        (Some(runtime), Some(handler), None) => match runtime.parse() {
            Ok(runtime) => Some(Source::Bundle {
                dir,
                runtime,
                handler: handler.clone(),
            }),
            Err(error) => {
                found.push(
                    Diagnostic::new("invalid", format!("runtime is {runtime:?}: {error}"))
                        .at(spans.value_of(&[at, &["runtime"]].concat())),
                );
                None
            }
        },
        _ => {
            found.push(
                Diagnostic::new(
                    "wrong_source",
                    "a folder runs either by `runtime` and `handler` or by `command`",
                )
                .help("such as `runtime = \"python3\", handler = \"app.handler\"`, or `command = [\"./server\"]`")
                .at(spans.value_of(at)),
            );
            None
        }
    }
}

fn image(text: &str, spans: &Spans, at: &[&str], found: &mut Diagnostics) -> Option<Source> {
    let parsed = text
        .split_once('@')
        .and_then(|(repository, digest)| Some((repository, digest.parse().ok()?)))
        .filter(|(repository, _)| !repository.is_empty());
    if let Some((repository, digest)) = parsed {
        return Some(Source::Image {
            repository: repository.to_owned(),
            digest,
        });
    }
    found.push(
        Diagnostic::new(
            "invalid",
            "an image is named by its digest, which never changes what it means",
        )
        .help("write REPOSITORY@sha256:... with 64 hex digits, without a tag")
        .at(spans.value_of(&[at, &["image"]].concat())),
    );
    None
}

/// The keys that are set.
fn keys(table: &SourceTable) -> Vec<&'static str> {
    let all = [
        ("cargo", table.cargo.is_some()),
        ("binary", table.binary.is_some()),
        ("profile", table.profile.is_some()),
        ("zip", table.zip.is_some()),
        ("bin", table.bin.is_some()),
        ("protocol", table.protocol.is_some()),
        ("dir", table.dir.is_some()),
        ("runtime", table.runtime.is_some()),
        ("handler", table.handler.is_some()),
        ("command", table.command.is_some()),
        ("image", table.image.is_some()),
    ];
    all.into_iter()
        .filter(|(_, set)| *set)
        .map(|(key, _)| key)
        .collect()
}
