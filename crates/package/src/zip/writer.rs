//! Writes zip files whose bytes depend on names, contents and executable bits alone.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::codec;
use super::layout::{
    CENTRAL, DATE_ZERO, DEFLATED, END, FLAG_UTF8, LOCAL, MADE_BY_UNIX, MODE_DIRECTORY, MODE_FILE,
    STORED, VERSION_NEEDED,
};

/// Writes entries in the order given; nothing but the list of entries stays in memory.
pub(crate) struct Writer<W> {
    out: W,
    /// Where the next entry starts.
    at: u64,
    directory: Vec<u8>,
    entries: u16,
}

impl<W: Write + Seek> Writer<W> {
    /// Starts an archive at the beginning of `out`, which must be empty.
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            at: 0,
            directory: Vec::new(),
            entries: 0,
        }
    }

    /// Adds a file and returns its size.
    ///
    /// # Errors
    /// Whatever reading the file or writing the archive reports.
    pub(crate) fn file(
        &mut self,
        name: &str,
        executable: bool,
        content: &mut dyn Read,
    ) -> io::Result<u64> {
        let mode = MODE_FILE | if executable { 0o755 } else { 0o644 };
        let mut header = Header::new(name, DEFLATED);
        // Sizes are known only afterwards: written as zero first, then in place, because an
        // archive with its sizes in front is readable by streaming readers as well.
        self.out.write_all(&header.local()?)?;
        header.sizes = Some(codec::compress(content, &mut self.out)?);
        let end = self.out.stream_position()?;
        self.out.seek(SeekFrom::Start(self.at))?;
        self.out.write_all(&header.local()?)?;
        self.out.seek(SeekFrom::Start(end))?;
        self.record(&header, mode, end)?;
        Ok(header.sizes.map_or(0, |sizes| sizes.plain))
    }

    /// Adds a directory, which needs an entry only when it is empty.
    ///
    /// # Errors
    /// Whatever writing the archive reports.
    pub(crate) fn directory(&mut self, name: &str) -> io::Result<()> {
        let header = Header::new(&format!("{name}/"), STORED);
        self.out.write_all(&header.local()?)?;
        let end = self.out.stream_position()?;
        self.record(&header, MODE_DIRECTORY | 0o755, end)
    }

    /// Writes the directory of the archive and gives the sink back, flushed.
    ///
    /// # Errors
    /// Whatever writing the archive reports.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let mut end = Vec::with_capacity(22);
        end.extend(END.to_le_bytes());
        end.extend([0; 4]); // one disk
        end.extend(self.entries.to_le_bytes());
        end.extend(self.entries.to_le_bytes());
        end.extend(narrow(self.directory.len() as u64)?.to_le_bytes());
        end.extend(narrow(self.at)?.to_le_bytes());
        end.extend([0; 2]); // no comment
        self.out.write_all(&self.directory)?;
        self.out.write_all(&end)?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn record(&mut self, header: &Header, mode: u32, end: u64) -> io::Result<()> {
        let record = header.central(mode, narrow(self.at)?)?;
        self.directory.extend(record);
        self.entries = self
            .entries
            .checked_add(1)
            .filter(|n| *n < u16::MAX)
            .ok_or_else(too_big)?;
        self.at = end;
        Ok(())
    }
}

struct Header {
    name: String,
    method: u16,
    sizes: Option<codec::Passed>,
}

impl Header {
    fn new(name: &str, method: u16) -> Self {
        Self {
            name: name.to_owned(),
            method,
            sizes: None,
        }
    }

    /// The fields that both records share, in their common order.
    fn common(&self) -> io::Result<Vec<u8>> {
        let flags = if self.name.is_ascii() { 0 } else { FLAG_UTF8 };
        let (crc, packed, plain) = self
            .sizes
            .map_or((0, 0, 0), |sizes| (sizes.crc, sizes.packed, sizes.plain));
        let name_len = u16::try_from(self.name.len()).map_err(|_| too_big())?;
        let mut fields = Vec::with_capacity(26);
        fields.extend(VERSION_NEEDED.to_le_bytes());
        fields.extend(flags.to_le_bytes());
        fields.extend(self.method.to_le_bytes());
        fields.extend([0; 2]); // midnight
        fields.extend(DATE_ZERO.to_le_bytes());
        fields.extend(crc.to_le_bytes());
        fields.extend(narrow(packed)?.to_le_bytes());
        fields.extend(narrow(plain)?.to_le_bytes());
        fields.extend(name_len.to_le_bytes());
        fields.extend([0; 2]); // no extra field
        Ok(fields)
    }

    fn local(&self) -> io::Result<Vec<u8>> {
        let mut record = LOCAL.to_le_bytes().to_vec();
        record.extend(self.common()?);
        record.extend(self.name.as_bytes());
        Ok(record)
    }

    fn central(&self, mode: u32, offset: u32) -> io::Result<Vec<u8>> {
        let mut record = CENTRAL.to_le_bytes().to_vec();
        record.extend(MADE_BY_UNIX.to_le_bytes());
        record.extend(self.common()?);
        record.extend([0; 6]); // no comment, disk 0, no internal attributes
        record.extend((mode << 16).to_le_bytes());
        record.extend(offset.to_le_bytes());
        record.extend(self.name.as_bytes());
        Ok(record)
    }
}

fn narrow(value: u64) -> io::Result<u32> {
    u32::try_from(value)
        .ok()
        .filter(|value| *value < u32::MAX)
        .ok_or_else(too_big)
}

fn too_big() -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        "a zip holds at most 65,534 entries and 4 GiB",
    )
}
