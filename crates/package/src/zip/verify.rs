//! What must hold of the entries of an archive, one by one and together.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::archive::{Entry, Kind};
use super::directory::Record;
use super::layout::{
    DEFLATED, FLAGS_ENCRYPTED, MODE_DIRECTORY, MODE_FILE, MODE_LINK, MODE_TYPE, STORED,
};
use super::{links, name};
use crate::limits::Limits;
use crate::refusal::{Refusal, RefusalKind, Refusals};

const UNIX: u16 = 3;
const APPLE: u16 = 19;

/// Reads a record as an entry; `Ok(None)` for the root folder itself.
///
/// # Errors
/// Why the record is refused.
pub(super) fn entry(record: &Record) -> Result<Option<Entry>, Refusal> {
    let shown = String::from_utf8_lossy(&record.name);
    let refuse = |kind, detail: &str| Err(Refusal::entry(kind, &shown, detail));
    let name = match name::check(&record.name) {
        Ok(name) => name,
        Err((kind, detail)) => return refuse(kind, detail),
    };
    if record.flags & FLAGS_ENCRYPTED != 0 {
        return refuse(
            RefusalKind::Encrypted,
            "is encrypted; pack without a password",
        );
    }
    let mode = match record.made_by >> 8 {
        UNIX | APPLE => record.attributes >> 16,
        _ => 0,
    };
    let directory = match mode & MODE_TYPE {
        0 => name.directory,
        MODE_FILE if !name.directory => false,
        MODE_DIRECTORY if name.directory => true,
        MODE_LINK if !name.directory => false,
        MODE_FILE | MODE_DIRECTORY | MODE_LINK => {
            let detail = "is a directory by its name or its mode, but not by both; pack it again";
            return refuse(RefusalKind::Malformed, detail);
        }
        _ => {
            return refuse(
                RefusalKind::SpecialFile,
                "is a device, pipe or socket; leave it out",
            );
        }
    };
    let sizes_agree = match record.method {
        STORED => record.packed == record.plain,
        DEFLATED => record.packed > 0,
        other => {
            let detail = format!("uses {}; pack with deflate", method_name(other));
            return refuse(RefusalKind::Method, &detail);
        }
    };
    if !sizes_agree || (directory && record.plain > 0) {
        return refuse(
            RefusalKind::SizeMismatch,
            "has sizes that contradict each other; pack it again",
        );
    }
    if directory && name.path.is_empty() {
        return Ok(None);
    }
    let kind = if directory {
        Kind::Directory
    } else if mode & MODE_TYPE == MODE_LINK {
        if record.plain > links::LONGEST_TARGET {
            return refuse(
                RefusalKind::Link,
                "is a link with a target of more than 4,096 bytes",
            );
        }
        // The target is the entry's content and is filled in when the content can be read.
        Kind::Link(String::new())
    } else {
        Kind::File {
            executable: mode & 0o100 != 0,
        }
    };
    Ok(Some(Entry {
        path: name.path,
        kind,
        plain: record.plain,
        packed: record.packed,
        crc: record.crc,
        method: record.method,
        data: 0,
    }))
}

fn method_name(method: u16) -> String {
    let name = match method {
        9 => "deflate64",
        12 => "bzip2",
        14 => "lzma",
        93 => "zstd",
        95 => "xz",
        99 => "AES encryption",
        _ => return format!("compression method {method}"),
    };
    format!("{name} (method {method})")
}

/// Checks sizes of the whole archive, as its directory announces them.
pub(super) fn totals(entries: &[Entry], limits: &Limits, refusals: &mut Refusals) {
    let sum = |size: fn(&Entry) -> u64| {
        entries
            .iter()
            .fold(0u64, |sum, entry| sum.saturating_add(size(entry)))
    };
    let (plain, packed) = (sum(|entry| entry.plain), sum(|entry| entry.packed));
    let files = entries
        .iter()
        .filter(|entry| entry.kind != Kind::Directory)
        .count();
    if files == 0 {
        let detail = "the archive holds no file; pack the folder that has the function in it";
        refusals.push(Refusal::archive(RefusalKind::Empty, detail));
    }
    if plain > limits.unpacked_bytes {
        let detail = format!(
            "the archive unpacks to {plain} bytes, the limit is {}; leave out what the function \
             does not need",
            limits.unpacked_bytes
        );
        refusals.push(Refusal::archive(RefusalKind::TooLarge, detail));
    }
    if plain > Limits::RATIO_FLOOR && plain > packed.saturating_mul(limits.ratio) {
        let detail = format!(
            "the archive unpacks to {plain} bytes from {packed}, over {} times as much; it looks \
             like a zip bomb",
            limits.ratio
        );
        refusals.push(Refusal::archive(RefusalKind::Ratio, detail));
    }
}

/// Checks that no two names meet on any file system.
pub(super) fn names(entries: &[Entry], refusals: &mut Refusals) {
    let mut seen: HashMap<String, Seen<'_>> = HashMap::with_capacity(entries.len());
    for entry in entries {
        let own = Seen {
            path: &entry.path,
            kind: Some(&entry.kind),
        };
        let above = name::parents(&entry.path).map(|path| Seen { path, kind: None });
        let clash = above
            .chain([own])
            .find_map(|new| match seen.entry(name::folded(new.path)) {
                Slot::Vacant(slot) => {
                    slot.insert(new);
                    None
                }
                Slot::Occupied(mut slot) => {
                    let clash = slot.get().clash(&new);
                    if slot.get().kind.is_none() {
                        slot.insert(new);
                    }
                    clash
                }
            });
        if let Some((kind, detail)) = clash {
            refusals.push(Refusal::entry(kind, &entry.path, detail));
        }
    }
}

/// A name that is taken, by an entry (`Some`) or as the folder above one (`None`).
struct Seen<'a> {
    path: &'a str,
    kind: Option<&'a Kind>,
}

impl Seen<'_> {
    fn clash(&self, new: &Seen<'_>) -> Option<(RefusalKind, &'static str)> {
        if self.path != new.path {
            let detail = "differs from another name only in upper and lower case; rename one";
            return Some((RefusalKind::CaseCollision, detail));
        }
        match (self.kind, new.kind) {
            (Some(_), Some(_)) => Some((RefusalKind::Duplicate, "is there twice; keep one")),
            (None, None) => None,
            (Some(kind), None) | (None, Some(kind)) => match kind {
                Kind::Directory => None,
                Kind::Link(_) => {
                    let detail = "is a link, and another entry goes through it; store real folders";
                    Some((RefusalKind::Link, detail))
                }
                Kind::File { .. } => Some((
                    RefusalKind::Duplicate,
                    "is a file and a folder at once; rename one",
                )),
            },
        }
    }
}

/// Checks that every link, its target now known, stays inside the folder.
pub(super) fn link_targets(entries: &[Entry], refusals: &mut Refusals) {
    let targets: HashMap<&str, &str> = entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            Kind::Link(target) => Some((entry.path.as_str(), target.as_str())),
            _ => None,
        })
        .collect();
    let mut budget = links::BUDGET;
    for entry in entries
        .iter()
        .filter(|entry| matches!(entry.kind, Kind::Link(_)))
    {
        if !links::stays_inside(&entry.path, &targets, &mut budget) {
            let detail =
                "is a link that leads out of the folder or in a circle; store the file itself";
            refusals.push(Refusal::entry(RefusalKind::Link, &entry.path, detail));
        }
    }
}

/// Checks that no two entries share bytes and that none reaches into the directory.
///
/// `spans` are start, end and index of each entry in the file.
pub(super) fn overlaps(
    entries: &[Entry],
    mut spans: Vec<(u64, u64, usize)>,
    directory: u64,
    refusals: &mut Refusals,
) {
    spans.sort_unstable();
    for (at, (_, end, index)) in spans.iter().enumerate() {
        let next = spans.get(at + 1).map_or(directory, |(start, ..)| *start);
        if *end > next {
            let detail =
                "shares its bytes with another entry or the directory; it looks like a zip bomb";
            refusals.push(Refusal::entry(
                RefusalKind::Overlap,
                &entries[*index].path,
                detail,
            ));
        }
    }
}
