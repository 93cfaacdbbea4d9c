//! Finds and reads the directory at the end of a zip file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::layout::{CENTRAL, CENTRAL_LEN, END, END_LEN, Fields, IN_EXTRA, widen};
use crate::refusal::{Refusal, RefusalKind};

/// One record of the directory, as it stands in the file.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) made_by: u16,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) packed: u64,
    pub(crate) plain: u64,
    pub(crate) attributes: u32,
    /// Where the local header starts.
    pub(crate) offset: u64,
    pub(crate) name: Vec<u8>,
}

/// Why the directory could not be read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Io(io::Error),
    Refused(Refusal),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Refusal> for Unreadable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The directory: its records and where it starts, which is where the entries end.
pub(crate) struct Directory {
    pub(crate) records: Vec<Record>,
    pub(crate) start: u64,
}

/// Reads the directory of `file`, refusing before it reads where it announces over `most` records.
///
/// # Errors
/// [`Unreadable::Refused`] where the file is not one plain, complete zip.
pub(crate) fn read<R: Read + Seek>(file: &mut R, most: usize) -> Result<Directory, Unreadable> {
    let end = find_end(file)?;
    let mut fields = Fields(&end.record[4..]);
    let (disk, first_disk) = (fields.u16(), fields.u16());
    let (here, total) = (fields.u16(), fields.u16());
    let (size, start) = (fields.u32(), fields.u32());
    if total == u16::MAX || size == IN_EXTRA || start == IN_EXTRA {
        let detail = "the archive has 65,535 entries or more, or passes 4 GiB; pack fewer files";
        return Err(Refusal::archive(RefusalKind::Unsupported, detail).into());
    }
    if disk != 0 || first_disk != 0 || here != total {
        let detail = "the archive is split over several files; pack it as one";
        return Err(Refusal::archive(RefusalKind::Unsupported, detail).into());
    }
    let (size, start) = (u64::from(size), u64::from(start));
    if start + size != end.at {
        let detail = "the archive's directory is not where its end record says: the file is cut, \
                      or something was put in front of it; pack it again";
        return Err(Refusal::archive(RefusalKind::Malformed, detail).into());
    }
    if usize::from(total) > most {
        let detail =
            format!("the archive has {total} entries, the limit is {most}; pack fewer files");
        return Err(Refusal::archive(RefusalKind::TooManyEntries, detail).into());
    }
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = BufReader::new(file.take(size));
    let mut records = Vec::with_capacity(usize::from(total));
    for _ in 0..total {
        records.push(read_record(&mut bytes)?);
    }
    if bytes.read(&mut [0])? != 0 {
        let detail = "the archive's directory lists more than its end record counts; pack it again";
        return Err(Refusal::archive(RefusalKind::Malformed, detail).into());
    }
    Ok(Directory { records, start })
}

struct End {
    at: u64,
    record: [u8; END_LEN],
}

/// The end record is found by its mark, searching backwards, because a comment may follow it.
fn find_end<R: Read + Seek>(file: &mut R) -> Result<End, Unreadable> {
    let not_a_zip = |detail: &str| Refusal::archive(RefusalKind::NotAZip, detail).into();
    let len = file.seek(SeekFrom::End(0))?;
    if len == 0 {
        return Err(not_a_zip("the file is empty; pack it again"));
    }
    let tail_len = len.min((END_LEN + usize::from(u16::MAX)) as u64);
    file.seek(SeekFrom::Start(len - tail_len))?;
    let mut tail = Vec::new();
    file.take(tail_len).read_to_end(&mut tail)?;
    let mut found = None;
    for (at, window) in tail.windows(END_LEN).enumerate() {
        let comment = usize::from(u16::from_le_bytes([window[20], window[21]]));
        if window[..4] != END.to_le_bytes() || at + END_LEN + comment != tail.len() {
            continue;
        }
        // An end record inside the comment of another: readers disagree which one counts.
        if found.is_some() {
            let detail = "the archive ends in two directories, and readers differ in which they \
                          follow; pack it again without a comment";
            return Err(Refusal::archive(RefusalKind::Ambiguous, detail).into());
        }
        let mut record = [0; END_LEN];
        record.copy_from_slice(window);
        found = Some(End {
            at: len - tail_len + at as u64,
            record,
        });
    }
    found.ok_or_else(|| not_a_zip("the file is not a zip archive, or it is cut; pack it again"))
}

fn read_record(bytes: &mut impl Read) -> Result<Record, Unreadable> {
    let mut head = [0; CENTRAL_LEN];
    exactly(bytes, &mut head)?;
    let mut fields = Fields(&head);
    if fields.u32() != CENTRAL {
        return Err(malformed().into());
    }
    let made_by = fields.u16();
    fields.skip(2);
    let (flags, method) = (fields.u16(), fields.u16());
    fields.skip(4);
    let (crc, packed, plain) = (fields.u32(), fields.u32(), fields.u32());
    let lens = [fields.u16(), fields.u16(), fields.u16()].map(usize::from);
    fields.skip(4);
    let (attributes, offset) = (fields.u32(), fields.u32());
    let mut rest = vec![0; lens.iter().sum()];
    exactly(bytes, &mut rest)?;
    let extra = &rest[lens[0]..lens[0] + lens[1]];
    let [plain, packed, offset] = widen([plain, packed, offset], extra).ok_or_else(malformed)?;
    rest.truncate(lens[0]);
    Ok(Record {
        made_by,
        flags,
        method,
        crc,
        packed,
        plain,
        attributes,
        offset,
        name: rest,
    })
}

fn exactly(bytes: &mut impl Read, into: &mut [u8]) -> Result<(), Unreadable> {
    bytes.read_exact(into).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => malformed().into(),
        _ => error.into(),
    })
}

fn malformed() -> Refusal {
    Refusal::archive(
        RefusalKind::Malformed,
        "the archive's directory is damaged; pack it again",
    )
}
