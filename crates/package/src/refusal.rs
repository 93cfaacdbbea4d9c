//! Why an archive is refused: one typed reason per finding, each with what to do about it.

use std::fmt;

/// What is wrong with an archive or one entry of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// There is no zip directory at the end of the file.
    NotAZip,
    /// The file can be read as two different archives.
    Ambiguous,
    /// The archive's own records contradict each other or the file.
    Malformed,
    /// The archive uses the 64-bit extension for its directory, or is split over several files.
    Unsupported,
    /// There is no file in it.
    Empty,
    /// More entries than the limit.
    TooManyEntries,
    /// More unpacked bytes than the limit.
    TooLarge,
    /// It unpacks to so much more than it holds that it can only be meant to fill a disk.
    Ratio,
    /// A name that starts at the root of the file system or of a drive.
    AbsoluteName,
    /// A name that climbs out of the folder with `..`.
    ClimbingName,
    /// A name that not every system can hold or reads the same way.
    UnportableName,
    /// Two entries with one name, or one as a file and as a directory.
    Duplicate,
    /// Two names that differ only in the case of letters.
    CaseCollision,
    /// A link that leads out of the folder, or an entry that goes through a link.
    Link,
    /// A device, pipe or socket.
    SpecialFile,
    /// An encrypted entry.
    Encrypted,
    /// A compression method other than stored or deflate.
    Method,
    /// Two entries share bytes of the file.
    Overlap,
    /// An entry holds more or fewer bytes than its headers say.
    SizeMismatch,
    /// An entry's bytes do not match its checksum.
    Checksum,
}

/// One reason to refuse an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What is wrong.
    pub kind: RefusalKind,
    /// The entry concerned, made safe to print (escaped and shortened); `None` for the archive as a whole.
    pub entry: Option<String>,
    /// What was found and what to do about it, without the entry's name.
    pub detail: String,
}

impl Refusal {
    pub(crate) fn archive(kind: RefusalKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            entry: None,
            detail: detail.into(),
        }
    }

    pub(crate) fn entry(kind: RefusalKind, name: &str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            entry: Some(printable(name)),
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "entry `{entry}` {}", self.detail),
            None => f.write_str(&self.detail),
        }
    }
}

/// All reasons found, in the order of the archive; at least one. Long lists are cut at [`Refusals::SHOWN`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    found: Vec<Refusal>,
    more: usize,
}

impl Refusals {
    /// How many reasons are kept; an archive with a thousand bad names does not need a thousand lines.
    pub const SHOWN: usize = 20;

    pub(crate) fn push(&mut self, refusal: Refusal) {
        if self.found.len() < Self::SHOWN {
            self.found.push(refusal);
        } else {
            self.more += 1;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The reasons kept.
    #[must_use]
    pub fn as_slice(&self) -> &[Refusal] {
        &self.found
    }

    /// How many more there were.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// Whether one of the reasons kept is of this kind.
    #[must_use]
    pub fn has(&self, kind: RefusalKind) -> bool {
        self.found.iter().any(|refusal| refusal.kind == kind)
    }
}

impl From<Refusal> for Refusals {
    fn from(refusal: Refusal) -> Self {
        Self {
            found: vec![refusal],
            more: 0,
        }
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.found.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            refusal.fmt(f)?;
        }
        if self.more > 0 {
            write!(f, "; and {} more", self.more)?;
        }
        Ok(())
    }
}

/// A name from an untrusted archive, fit for a terminal and a log line.
pub(crate) fn printable(name: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = name
        .chars()
        .take(SHOWN)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_escaped_and_cut() {
        assert_eq!(printable("a\u{1b}[2J\n"), r"a\u{1b}[2J\n");
        assert_eq!(printable(&"x".repeat(500)).chars().count(), 81);
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let mut all = Refusals::default();
        for index in 0..25 {
            all.push(Refusal::entry(
                RefusalKind::Duplicate,
                &format!("e{index}"),
                "is there twice",
            ));
        }
        assert_eq!(all.as_slice().len(), Refusals::SHOWN);
        assert_eq!(all.more(), 5);
        assert!(
            all.to_string()
                .ends_with("entry `e19` is there twice; and 5 more")
        );
    }
}
