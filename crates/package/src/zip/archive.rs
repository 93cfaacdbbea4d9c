//! An archive that has been checked from end to end, and the way to its contents.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use super::codec::{self, Broken};
use super::directory::{self, Record, Unreadable};
use super::layout::{DEFLATED, FLAG_DESCRIPTOR, Fields, LOCAL, LOCAL_LEN, widen};
use super::{links, verify};
use crate::limits::Limits;
use crate::refusal::{Refusal, RefusalKind, Refusals};

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File {
        executable: bool,
    },
    Directory,
    /// A symbolic link and its target, which stays inside the folder.
    Link(String),
}

/// One checked entry.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Relative, `/`-separated, without `.` and `..`.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    /// Bytes, unpacked.
    pub(crate) plain: u64,
    /// Bytes in the archive.
    pub(super) packed: u64,
    pub(super) crc: u32,
    pub(super) method: u16,
    /// Where the data starts.
    pub(super) data: u64,
}

/// A checked archive.
#[derive(Debug)]
pub(crate) struct Archive<R> {
    file: R,
    entries: Vec<Entry>,
}

/// Why an archive, or an entry of it, could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// The file could not be read.
    Io(io::Error),
    /// The receiver of an entry's bytes failed.
    Sink(io::Error),
    /// The archive breaks a rule.
    Refused(Refusals),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Unreadable> for ReadError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Io(error) => Self::Io(error),
            Unreadable::Refused(refusal) => Self::Refused(refusal.into()),
        }
    }
}

impl<R: Read + Seek> Archive<R> {
    /// For each link the file that it leads to, by their places among the entries. A link to a folder or to nothing is not in it.
    pub(crate) fn link_ends(&self) -> HashMap<usize, usize> {
        let mut targets = HashMap::new();
        let mut files = HashMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            match &entry.kind {
                Kind::Link(target) => drop(targets.insert(entry.path.as_str(), target.as_str())),
                Kind::File { .. } => drop(files.insert(entry.path.clone(), index)),
                Kind::Directory => {}
            }
        }
        // As many parts are looked up as when they were checked, all together.
        let mut budget = links::BUDGET;
        let all = self.entries.iter().enumerate();
        all.filter(|(_, entry)| matches!(entry.kind, Kind::Link(_)))
            .filter_map(|(index, entry)| {
                let path = links::follow(&entry.path, &targets, &mut budget)?;
                Some((index, *files.get(&path)?))
            })
            .collect()
    }

    /// Checks everything that can be checked without unpacking.
    ///
    /// # Errors
    /// [`ReadError::Refused`] with every reason found.
    pub(crate) fn open(mut file: R, limits: &Limits) -> Result<Self, ReadError> {
        let directory = directory::read(&mut file, limits.entries)?;
        let mut refusals = Refusals::default();
        let mut entries = Vec::with_capacity(directory.records.len());
        let mut records = Vec::with_capacity(directory.records.len());
        for record in directory.records {
            match verify::entry(&record) {
                Ok(Some(entry)) => {
                    entries.push(entry);
                    records.push(record);
                }
                Ok(None) => {}
                Err(refusal) => refusals.push(refusal),
            }
        }
        // An archive whose every entry was refused is not also an empty one.
        if !entries.is_empty() || refusals.is_empty() {
            verify::totals(&entries, limits, &mut refusals);
        }
        verify::names(&entries, &mut refusals);
        let mut spans = Vec::with_capacity(entries.len());
        for (index, (entry, record)) in entries.iter_mut().zip(&records).enumerate() {
            match locate(&mut file, record, directory.start)? {
                Some(data) => {
                    entry.data = data;
                    spans.push((record.offset, data.saturating_add(record.packed), index));
                }
                None => {
                    let detail = "has a header that contradicts the directory; pack it again";
                    refusals.push(Refusal::entry(RefusalKind::Malformed, &entry.path, detail));
                }
            }
        }
        verify::overlaps(&entries, spans, directory.start, &mut refusals);
        let mut archive = Self { file, entries };
        if refusals.is_empty() {
            archive.read_links()?;
            verify::link_targets(&archive.entries, &mut refusals);
        }
        if refusals.is_empty() {
            Ok(archive)
        } else {
            Err(ReadError::Refused(refusals))
        }
    }

    /// The entries, in the order of the archive's directory.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Passes an entry's bytes on and checks their number and checksum at the end.
    ///
    /// # Errors
    /// [`ReadError::Refused`] where the content is not what the headers say; by then `sink` may
    /// have seen part of it, never more than the announced size.
    pub(crate) fn extract(
        &mut self,
        index: usize,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), ReadError> {
        let entry = &self.entries[index];
        let refuse = |kind, detail: &str| {
            Err(ReadError::Refused(
                Refusal::entry(kind, &entry.path, detail).into(),
            ))
        };
        self.file.seek(SeekFrom::Start(entry.data))?;
        let passed = if entry.method == DEFLATED {
            codec::decompress(&mut self.file, entry.packed, entry.plain, sink)
        } else {
            codec::copy(&mut self.file, entry.packed, sink)
        };
        match passed {
            Ok(passed) if passed.plain != entry.plain => {
                refuse(RefusalKind::SizeMismatch, WRONG_SIZE)
            }
            Ok(passed) if passed.crc != entry.crc => {
                let detail =
                    "does not match its checksum: the file was damaged; pack or fetch it again";
                refuse(RefusalKind::Checksum, detail)
            }
            Ok(_) => Ok(()),
            Err(Broken::Read(error)) => Err(ReadError::Io(error)),
            Err(Broken::Sink(error)) => Err(ReadError::Sink(error)),
            Err(Broken::TooMany | Broken::WrongLength) => {
                refuse(RefusalKind::SizeMismatch, WRONG_SIZE)
            }
            Err(Broken::NotDeflate) => refuse(
                RefusalKind::Malformed,
                "is not compressed as its header says; pack it again",
            ),
        }
    }

    /// The first bytes of an entry, at most `most`.
    ///
    /// # Errors
    /// As [`Archive::extract`], for what was looked at.
    pub(crate) fn head(&mut self, index: usize, most: usize) -> Result<Vec<u8>, ReadError> {
        let mut head = Vec::new();
        let outcome = self.extract(index, &mut |bytes| {
            head.extend_from_slice(&bytes[..bytes.len().min(most - head.len())]);
            if head.len() < most {
                Ok(())
            } else {
                Err(io::ErrorKind::Other.into())
            }
        });
        match outcome {
            // Our own way to stop early.
            Err(ReadError::Sink(_)) | Ok(()) => Ok(head),
            Err(error) => Err(error),
        }
    }

    fn read_links(&mut self) -> Result<(), ReadError> {
        for index in 0..self.entries.len() {
            if !matches!(self.entries[index].kind, Kind::Link(_)) {
                continue;
            }
            let mut target = Vec::new();
            self.extract(index, &mut |bytes| {
                target.extend_from_slice(bytes);
                Ok(())
            })?;
            // A target that is not text cannot be followed; the empty one is refused right after.
            self.entries[index].kind = Kind::Link(String::from_utf8(target).unwrap_or_default());
        }
        Ok(())
    }
}

const WRONG_SIZE: &str = "holds more or fewer bytes than its header says; pack or fetch it again";

/// Where an entry's data starts; `None` where its local header is not there or says otherwise
/// than the directory does. Readers that stream believe the one, readers that seek the other.
fn locate<R: Read + Seek>(file: &mut R, record: &Record, end: u64) -> io::Result<Option<u64>> {
    if record.offset.saturating_add(LOCAL_LEN as u64) > end {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(record.offset))?;
    let mut head = [0; LOCAL_LEN];
    file.read_exact(&mut head)?;
    let mut fields = Fields(&head);
    let mark = fields.u32();
    fields.skip(2);
    let (flags, method) = (fields.u16(), fields.u16());
    fields.skip(4);
    let (crc, packed, plain) = (fields.u32(), fields.u32(), fields.u32());
    let (name_len, extra_len) = (fields.u16(), fields.u16());
    let data = record.offset + (LOCAL_LEN as u64) + u64::from(name_len) + u64::from(extra_len);
    if mark != LOCAL || data > end {
        return Ok(None);
    }
    let mut rest = vec![0; usize::from(name_len) + usize::from(extra_len)];
    file.read_exact(&mut rest)?;
    let (name, extra) = rest.split_at(usize::from(name_len));
    let deferred = flags & FLAG_DESCRIPTOR != 0 && record.flags & FLAG_DESCRIPTOR != 0;
    let sizes_agree = match widen([plain, packed, 0], extra) {
        _ if deferred => true,
        Some([plain, packed, _]) => {
            (plain, packed, crc) == (record.plain, record.packed, record.crc)
        }
        None => false,
    };
    let agrees = sizes_agree && name == record.name && method == record.method;
    Ok(agrees.then_some(data))
}
