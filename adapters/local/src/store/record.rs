//! The record of one function: everything that says what is deployed.

use std::collections::BTreeMap;

use anyport_core::mark::{Mark, MarkError, Owner};
use anyport_core::plan::{Split, VersionId};
use anyport_core::spec::{Delivery, Name, Spec};
use anyport_core::{Digest, Error, ErrorKind};
use serde::{Deserialize, Serialize};

/// The format this program reads and writes.
pub(crate) const FORMAT: u32 = 1;

/// What is recorded about one function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) format: u32,
    pub(crate) name: Name,
    /// Counts writes, so that no two records are equal and no revision returns.
    pub(crate) serial: u64,
    /// The owner's mark; none after a release.
    pub(crate) mark: Option<String>,
    /// The owner in words.
    pub(crate) owner: Option<String>,
    /// The function was removed; what is left are events that wait to be purged.
    #[serde(default)]
    pub(crate) removed: bool,
    /// What holds for the function as a whole, whichever version serves.
    pub(crate) settings: Settings,
    /// Live traffic.
    pub(crate) split: Option<Split>,
    /// The number of the next version.
    pub(crate) next: u64,
    /// Versions, oldest first.
    pub(crate) versions: Vec<Release>,
}

/// Fields of the latest deployment that a rollback does not take back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) protect: bool,
    pub(crate) delivery: Delivery,
    pub(crate) log_retention_days: Option<u32>,
    pub(crate) tags: BTreeMap<String, String>,
}

impl Settings {
    pub(crate) fn of(spec: &Spec) -> Self {
        Self {
            protect: spec.protect,
            delivery: spec.delivery,
            log_retention_days: spec.log_retention_days,
            tags: spec.tags.clone(),
        }
    }

    /// The spec as it holds now.
    pub(crate) fn over(&self, spec: &Spec) -> Spec {
        let mut spec = spec.clone();
        spec.protect = self.protect;
        spec.delivery = self.delivery;
        spec.log_retention_days = self.log_retention_days;
        spec.tags.clone_from(&self.tags);
        spec
    }
}

/// One immutable version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: VersionId,
    /// Milliseconds since 1970.
    pub(crate) created_ms: u64,
    /// Whether it ever got traffic. One that never did is what an interrupted deployment left.
    pub(crate) routed: bool,
    pub(crate) spec: Box<Spec>,
}

impl Record {
    /// The record of a function that has no version yet.
    pub(crate) fn new(name: Name, owner: &Owner, spec: &Spec) -> Self {
        Self {
            format: FORMAT,
            name,
            serial: 1,
            mark: Some(Mark::new(owner, spec.hash()).to_string()),
            owner: Some(owner.to_string()),
            removed: false,
            settings: Settings::of(spec),
            split: None,
            next: 1,
            versions: Vec::new(),
        }
    }

    /// A version by its id.
    pub(crate) fn version(&self, id: &VersionId) -> Option<&Release> {
        self.versions.iter().find(|version| version.id == *id)
    }

    /// A version's share of the traffic in percent.
    pub(crate) fn share(&self, id: &VersionId) -> u8 {
        self.split.as_ref().map_or(0, |split| split.share(id))
    }

    /// The version that stands for the function: the largest share, the newest of equals.
    pub(crate) fn live(&self) -> Option<&Release> {
        let served = self.versions.iter().filter(|it| self.share(&it.id) > 0);
        served.max_by_key(|version| self.share(&version.id))
    }

    /// Whether a version runs this artifact.
    pub(crate) fn uses(&self, artifact: Digest) -> bool {
        self.versions
            .iter()
            .any(|version| version.spec.artifact.digest == artifact)
    }

    /// The bytes to write.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // A record is made of maps with text keys, numbers and text: it cannot fail to encode.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// The mark, where there is one that can be read.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark.as_ref()?.parse().ok()
    }
}

/// A record as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: Record,
    /// A digest of the bytes: it changes with any edit, also one made by hand.
    pub(crate) revision: String,
}

/// Why a record that is there cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// A newer program wrote it.
    Newer(u32),
    /// It is not a record.
    Corrupt(String),
}

impl Unreadable {
    /// Why, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Newer(format) => {
                format!("its record has format {format}, newer than this program understands")
            }
            Self::Corrupt(why) => format!("its record cannot be read: {why}"),
        }
    }

    /// The error of an operation that needs the record.
    pub(crate) fn error(&self, operation: &'static str, file: &std::path::Path) -> Error {
        match self {
            Self::Newer(format) => Error::new(
                ErrorKind::Unsupported {
                    capability: format!("record format {format}"),
                    hint: "update Anyport; the record is left as it is".to_owned(),
                },
                operation,
            )
            .because(self.words()),
            Self::Corrupt(_) => Error::new(ErrorKind::Unavailable, operation)
                .because(self.words())
                .hint(format_args!(
                    "restore {} from a copy, or remove it",
                    file.display()
                ))
                .with_retry(anyport_core::error::Retry::No),
        }
        .from_provider(crate::error::PROVIDER, None)
    }
}

impl Stored {
    /// Reads the record of `name` from its bytes.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn decode(name: &Name, bytes: &[u8]) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let corrupt = |error: serde_json::Error| Unreadable::Corrupt(shape(&error));
        let head: Head = serde_json::from_slice(bytes).map_err(corrupt)?;
        if head.format > FORMAT {
            return Err(Unreadable::Newer(head.format));
        }
        let record: Record = serde_json::from_slice(bytes).map_err(corrupt)?;
        if record.name != *name {
            let why = format!("it is the record of {}", record.name);
            return Err(Unreadable::Corrupt(why));
        }
        if let Some(Err(MarkError::Newer(format))) =
            record.mark.as_ref().map(|it| it.parse::<Mark>())
        {
            return Err(Unreadable::Newer(format));
        }
        if let Some(split) = &record.split
            && let Some((missing, _)) = split.shares().find(|(id, _)| record.version(id).is_none())
        {
            let why = format!("traffic goes to version {missing}, which it does not list");
            return Err(Unreadable::Corrupt(why));
        }
        Ok(Self {
            record,
            revision: revision(bytes),
        })
    }
}

/// The revision of a record's bytes.
pub(crate) fn revision(bytes: &[u8]) -> String {
    Digest::of(bytes).short()
}

/// Where reading failed. Never the text there: it may be an environment variable's value.
fn shape(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let what = match error.classify() {
        Category::Eof => "it ends early",
        Category::Data => "a field has a value that does not belong there",
        Category::Syntax | Category::Io => "it is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyport_core::spec::{Artifact, Packaging, Protocol};

    fn record() -> Record {
        let protocol = Protocol::RuntimeApi;
        let artifact = Artifact::new(Packaging::Zip { protocol }, Digest::of(b"zip"));
        let spec = Spec::builder("hello", artifact)
            .env("PASSWORD", "hunter2")
            .build()
            .unwrap();
        let mut record = Record::new(spec.name.clone(), &Owner::new("app", "dev"), &spec);
        record.versions.push(Release {
            id: VersionId::new("1"),
            created_ms: 1,
            routed: true,
            spec: Box::new(spec),
        });
        record.split = Some(Split::all_to(VersionId::new("1")));
        record
    }

    #[test]
    fn a_record_round_trips_and_any_edit_changes_its_revision() {
        let record = record();
        let bytes = record.encode();
        let stored = Stored::decode(&record.name, &bytes).unwrap();
        assert_eq!(stored.record, record);
        let edited = String::from_utf8(bytes.clone())
            .unwrap()
            .replace("hunter2", "hunter3");
        let edited = Stored::decode(&record.name, edited.as_bytes()).unwrap();
        assert_ne!(stored.revision, edited.revision);
    }

    #[test]
    fn what_cannot_be_used_is_told_apart_without_showing_values() {
        let record = record();
        let text = String::from_utf8(record.encode()).unwrap();
        let decode = |text: &str| Stored::decode(&record.name, text.as_bytes()).unwrap_err();
        assert_eq!(
            decode(&text.replace("\"format\": 1", "\"format\": 2")),
            Unreadable::Newer(2)
        );
        assert_eq!(
            decode(&text.replace("anyport1-", "anyport7-")),
            Unreadable::Newer(7)
        );
        for broken in [
            "",
            "{}",
            &text[..text.len() / 2],
            &text.replace("\"hunter2\"", "7"),
            &text.replace("\"name\": \"hello\"", "\"name\": \"other\""),
            &text.replace("\"id\": \"1\"", "\"id\": \"2\""),
        ] {
            let unreadable = decode(broken);
            assert!(
                matches!(unreadable, Unreadable::Corrupt(_)),
                "{unreadable:?}"
            );
            assert!(!unreadable.words().contains("hunter2"));
        }
    }

    #[test]
    fn the_largest_share_stands_for_the_function_and_the_newest_of_equals() {
        let mut record = record();
        let mut second = record.versions[0].clone();
        second.id = VersionId::new("2");
        record.versions.push(second);
        let split = |one, two| {
            let shares = [(VersionId::new("1"), one), (VersionId::new("2"), two)];
            Some(Split::new(shares).unwrap())
        };
        for (shares, live) in [
            (split(60, 40), "1"),
            (split(50, 50), "2"),
            (split(0, 100), "2"),
        ] {
            record.split = shares;
            assert_eq!(record.live().unwrap().id.as_str(), live);
        }
    }
}
