//! The description of a function: the owner's mark, what Lambda has no place for, and the owner's name for people.
//!
//! ```text
//! anyport1-OWNER-SPEC release=3 protect data=personal attempts=1 | payments/prod
//! ```
//!
//! It is part of the configuration, so that it changes in one write with what it describes, and publishing a version freezes it.
//! Without the mark it is what a released function keeps, so that whoever adopts it finds it as it was.

use std::fmt;

use anyport_core::Digest;
use anyport_core::mark::{Mark, MarkError, Owner};
use anyport_core::plan::Owned;
use anyport_core::spec::{DataClass, Delivery, Spec};
use data_encoding::BASE32_NOPAD;

use crate::native;

/// The longest description in characters. Source: Lambda API model.
const LONGEST: usize = 256;
/// What stands in the place of the mark when there is none.
const RELEASED: &str = "anyport-released";
const SEPARATOR: &str = " | ";

/// Everything that a description holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) mark: Option<Mark>,
    /// The mark is of a newer format.
    pub(crate) newer: Option<u32>,
    /// Which release this is to be, counted up with each: no two are equal, so that each makes a version. 0 for what was adopted.
    pub(crate) release: u64,
    pub(crate) protect: bool,
    pub(crate) data: DataClass,
    pub(crate) backoff_ms: Option<u64>,
    /// Attempts or age were asked, other than Lambda's defaults: what is there is worth reading.
    pub(crate) delivery: bool,
    /// A retention of logs was asked.
    pub(crate) retention: bool,
    /// A role was asked, in this form.
    pub(crate) identity: Option<Form>,
    /// A key was asked, in this form.
    pub(crate) key: Option<Form>,
    /// The runtime as it was asked, where Lambda's name for it is another.
    pub(crate) runtime: Option<String>,
    /// Members of `native.lambda` that were asked, one letter each.
    pub(crate) native: String,
    /// Short hashes of the keys of the tags that were asked.
    pub(crate) tags: Vec<String>,
    /// The owner, in words.
    pub(crate) owner: String,
}

/// How a reference to something of another service was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As an ARN.
    Arn,
    /// As `KIND/NAME`, the last part of the ARN.
    Part,
    /// As the name alone.
    Name,
}

impl Form {
    pub(crate) fn of(text: &str, kind: &str) -> Self {
        if text.starts_with("arn:") {
            Self::Arn
        } else if text.split('/').next() == Some(kind) || text.starts_with("alias/") {
            Self::Part
        } else {
            Self::Name
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Arn => "arn",
            Self::Part => "part",
            Self::Name => "name",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Arn, Self::Part, Self::Name]
            .into_iter()
            .find(|form| form.word() == word)
    }
}

impl Words {
    /// The description of a release of `spec`.
    pub(crate) fn of(owner: &Owner, spec: &Spec, release: u64) -> Self {
        let usual = Delivery::default();
        let delivery = &spec.delivery;
        let millis = u64::try_from(delivery.backoff.as_millis()).unwrap_or(u64::MAX);
        Self {
            mark: Some(Mark::new(owner, spec.hash())),
            newer: None,
            release,
            protect: spec.protect,
            data: spec.data,
            backoff_ms: (delivery.backoff != usual.backoff).then_some(millis),
            delivery: delivery.attempts != usual.attempts || delivery.max_age != usual.max_age,
            retention: spec.log_retention_days.is_some(),
            identity: spec.identity.as_ref().map(|text| Form::of(text, "role")),
            key: spec
                .encryption_key
                .as_ref()
                .map(|text| Form::of(text, "key")),
            runtime: crate::lower::renamed(&spec.artifact.packaging),
            native: native::letters(spec),
            tags: spec.tags.keys().map(|key| tag_hash(key)).collect(),
            owner: owner.to_string(),
        }
    }

    /// Reads a description, whoever wrote it.
    pub(crate) fn read(description: &str) -> Self {
        let mut words = Self::default();
        let (settings, owner) = description
            .split_once(SEPARATOR)
            .unwrap_or((description, ""));
        let mut tokens = settings.split(' ');
        match tokens.next().map(str::parse::<Mark>) {
            Some(Ok(mark)) => words.mark = Some(mark),
            Some(Err(MarkError::Newer(format))) => {
                words.newer = Some(format);
                return words;
            }
            _ if settings.starts_with(RELEASED) => {}
            _ => return words,
        }
        words.owner = owner.to_owned();
        for token in tokens {
            let (key, value) = token.split_once('=').unwrap_or((token, ""));
            match key {
                "release" => words.release = value.parse().unwrap_or_default(),
                "protect" => words.protect = true,
                "data" => words.data = data_class(value),
                "backoff" => words.backoff_ms = value.parse().ok(),
                "delivery" => words.delivery = true,
                "retention" => words.retention = true,
                "role" => words.identity = Form::read(value),
                "key" => words.key = Form::read(value),
                "runtime" => words.runtime = Some(value.to_owned()),
                "native" => value.clone_into(&mut words.native),
                "tags" => words.tags = hashes(value),
                _ => {}
            }
        }
        words
    }

    /// The same release, in the name of `owner`, or of nobody.
    pub(crate) fn owned_by(mut self, owner: Option<&Owner>, spec: Digest) -> Self {
        self.mark = owner.map(|owner| Mark::new(owner, spec));
        self.owner = owner.map(ToString::to_string).unwrap_or_default();
        self
    }

    /// Whose the function is.
    pub(crate) fn owned(&self, foreign: impl FnOnce() -> String) -> Owned {
        match self.mark {
            Some(mark) => Owned::Marked {
                mark,
                owner: match self.owner.as_str() {
                    "" => "an unnamed owner".to_owned(),
                    owner => owner.to_owned(),
                },
            },
            None => Owned::Foreign(foreign()),
        }
    }

    /// Whether a tag with this key was asked.
    pub(crate) fn has_tag(&self, key: &str) -> bool {
        self.tags.contains(&tag_hash(key))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self
            .mark
            .map_or_else(|| RELEASED.to_owned(), |mark| mark.to_string());
        let mut add = |token: String| {
            text.push(' ');
            text.push_str(&token);
        };
        add(format!("release={}", self.release));
        if self.protect {
            add("protect".to_owned());
        }
        if self.data != DataClass::default() {
            add(format!("data={}", data_word(self.data)));
        }
        if let Some(millis) = self.backoff_ms {
            add(format!("backoff={millis}"));
        }
        for (asked, word) in [(self.delivery, "delivery"), (self.retention, "retention")] {
            if asked {
                add(word.to_owned());
            }
        }
        for (form, word) in [(self.identity, "role"), (self.key, "key")] {
            if let Some(form) = form {
                add(format!("{word}={}", form.word()));
            }
        }
        if let Some(runtime) = &self.runtime {
            add(format!("runtime={runtime}"));
        }
        if !self.native.is_empty() {
            add(format!("native={}", self.native));
        }
        if !self.tags.is_empty() {
            add(format!("tags={}", self.tags.concat()));
        }
        if !self.owner.is_empty() {
            text.push_str(SEPARATOR);
            let room = LONGEST.saturating_sub(text.chars().count());
            text.extend(
                self.owner
                    .chars()
                    .map(|c| if c.is_control() { ' ' } else { c })
                    .take(room),
            );
        }
        f.write_str(&text)
    }
}

const fn data_word(class: DataClass) -> &'static str {
    match class {
        DataClass::Public => "public",
        DataClass::Personal => "personal",
        _ => "internal",
    }
}

fn data_class(word: &str) -> DataClass {
    [DataClass::Public, DataClass::Personal]
        .into_iter()
        .find(|class| data_word(*class) == word)
        .unwrap_or_default()
}

const HASH: usize = 3;

/// Fifteen bits of a key's digest: enough to tell sixteen keys from those that others add, most of the time.
fn tag_hash(key: &str) -> String {
    let mut hash = BASE32_NOPAD.encode(&Digest::of(key.as_bytes()).as_bytes()[..3]);
    hash.truncate(HASH);
    hash.make_ascii_lowercase();
    hash
}

fn hashes(text: &str) -> Vec<String> {
    text.as_bytes()
        .chunks_exact(HASH)
        .map(|hash| String::from_utf8_lossy(hash).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyport_core::spec::{Artifact, Packaging, Protocol};
    use std::time::Duration;

    fn full() -> Spec {
        let packaging = Packaging::Bundle {
            runtime: "nodejs22".parse().unwrap(),
            handler: "app.handler".to_owned(),
        };
        let mut spec = Spec::builder("hello", Artifact::new(packaging, Digest::of(b"zip")))
            .protect(true)
            .data(DataClass::Personal)
            .delivery(Delivery {
                attempts: 1,
                backoff: Duration::from_millis(u32::MAX.into()),
                max_age: Duration::from_secs(60),
            })
            .log_retention_days(3653)
            .identity("role/hello")
            .encryption_key("alias/hello")
            .native(
                "lambda",
                serde_json::json!({
                    "TracingConfig": {"Mode": "Active"}, "EphemeralStorage": {"Size": 1024}, "Layers": [],
                    "SnapStart": {"ApplyOn": "None"}, "LoggingConfig": {"LogFormat": "JSON"}
                }),
            );
        for number in 0..16 {
            spec = spec.tag(format!("key-{number}"), "x");
        }
        spec.build().unwrap()
    }

    #[test]
    fn everything_fits_and_comes_back() {
        let owner = Owner::new("a".repeat(200), "prod");
        let words = Words::of(&owner, &full(), 123_456_789);
        let text = words.to_string();
        assert!(text.chars().count() <= LONGEST, "{text}");
        let read = Words::read(&text);
        assert!(
            owner.to_string().starts_with(&read.owner) && read.owner.len() >= 10,
            "{text}"
        );
        assert_eq!(
            read,
            Words {
                owner: read.owner.clone(),
                ..words
            }
        );
    }

    #[test]
    fn a_plain_release_says_little() {
        let protocol = Protocol::RuntimeApi;
        let artifact = Artifact::new(Packaging::Zip { protocol }, Digest::of(b"zip"));
        let spec = Spec::builder("hello", artifact).build().unwrap();
        let owner = Owner::new("payments", "prod");
        let words = Words::of(&owner, &spec, 1);
        let text = words.to_string();
        assert!(text.ends_with(" release=1 | payments/prod"), "{text}");
        assert!(Words::read(&text).owned(String::new).is_by(&owner));
    }

    #[test]
    fn others_descriptions_are_foreign_and_a_newer_mark_is_told() {
        for text in ["", "my function", "managed by terraform | x", "anyport"] {
            assert_eq!(Words::read(text), Words::default(), "{text}");
        }
        assert_eq!(Words::read("anyport7-a-b release=1").newer, Some(7));
    }

    #[test]
    fn what_is_released_keeps_its_settings() {
        let owner = Owner::new("payments", "prod");
        let words = Words::of(&owner, &full(), 4);
        let released = words.clone().owned_by(None, Digest::of(b""));
        let read = Words::read(&released.to_string());
        assert_eq!(read, released);
        assert_eq!((read.mark, read.protect, read.release), (None, true, 4));
        assert_eq!(read.tags, words.tags);
    }
}
