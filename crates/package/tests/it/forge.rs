//! Makes zip files byte by byte, so that any of their claims can be a lie.

/// One entry, with every field that a test may want to forge.
#[derive(Clone, Debug)]
pub(crate) struct Forged {
    pub(crate) name: Vec<u8>,
    /// The name in the local header, where it differs.
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) data: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    pub(crate) mode: u32,
    pub(crate) made_by: u16,
    pub(crate) crc: u32,
    pub(crate) plain: u32,
    pub(crate) packed: u32,
    /// Where the directory says that the entry starts, where that is not where it does.
    pub(crate) offset: Option<u32>,
    /// Claims of the local header, where they differ: crc, packed, plain.
    pub(crate) local_claims: Option<[u32; 3]>,
    /// The extra field of the directory's record.
    pub(crate) extra: Vec<u8>,
}

/// An honest stored file, or a folder where the name ends in a slash.
pub(crate) fn file(name: impl AsRef<[u8]>, data: &[u8]) -> Forged {
    let name = name.as_ref().to_vec();
    let folder = name.ends_with(b"/");
    Forged {
        name,
        local_name: None,
        data: data.to_vec(),
        method: 0,
        flags: 0,
        mode: if folder { 0o040_755 } else { 0o100_644 },
        made_by: 3,
        crc: crc(data),
        plain: data.len() as u32,
        packed: data.len() as u32,
        offset: None,
        local_claims: None,
        extra: Vec::new(),
    }
}

/// An honest symbolic link.
pub(crate) fn link(name: &str, target: &str) -> Forged {
    Forged {
        mode: 0o120_777,
        ..file(name, target.as_bytes())
    }
}

/// An honest deflated file.
pub(crate) fn deflated(name: &str, data: &[u8]) -> Forged {
    let packed = miniz_oxide::deflate::compress_to_vec(data, 9);
    Forged {
        method: 8,
        packed: packed.len() as u32,
        data: packed,
        ..plain(name, data)
    }
}

fn plain(name: &str, data: &[u8]) -> Forged {
    Forged {
        crc: crc(data),
        plain: data.len() as u32,
        ..file(name, b"")
    }
}

pub(crate) fn crc(data: &[u8]) -> u32 {
    crc32fast::hash(data)
}

/// A whole archive.
pub(crate) fn archive(entries: &[Forged]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let offset = entry.offset.unwrap_or(bytes.len() as u32);
        local(&mut bytes, entry);
        central(&mut directory, entry, offset);
    }
    let start = bytes.len() as u32;
    bytes.extend(&directory);
    end(
        &mut bytes,
        entries.len() as u16,
        directory.len() as u32,
        start,
        b"",
    );
    bytes
}

pub(crate) fn local(bytes: &mut Vec<u8>, entry: &Forged) {
    let name = entry.local_name.as_ref().unwrap_or(&entry.name);
    let [crc, packed, plain] = entry
        .local_claims
        .unwrap_or([entry.crc, entry.packed, entry.plain]);
    bytes.extend(0x0403_4b50u32.to_le_bytes());
    for field in [20, entry.flags, entry.method, 0, 33] {
        bytes.extend(field.to_le_bytes());
    }
    for field in [crc, packed, plain] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend(name);
    bytes.extend(&entry.data);
}

pub(crate) fn central(bytes: &mut Vec<u8>, entry: &Forged, offset: u32) {
    bytes.extend(0x0201_4b50u32.to_le_bytes());
    for field in [
        entry.made_by << 8 | 20,
        20,
        entry.flags,
        entry.method,
        0,
        33,
    ] {
        bytes.extend(field.to_le_bytes());
    }
    for field in [entry.crc, entry.packed, entry.plain] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend((entry.name.len() as u16).to_le_bytes());
    bytes.extend((entry.extra.len() as u16).to_le_bytes());
    bytes.extend([0; 6]);
    bytes.extend((entry.mode << 16).to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes.extend(&entry.name);
    bytes.extend(&entry.extra);
}

pub(crate) fn end(bytes: &mut Vec<u8>, entries: u16, size: u32, start: u32, comment: &[u8]) {
    bytes.extend(0x0605_4b50u32.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(entries.to_le_bytes());
    bytes.extend(entries.to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(start.to_le_bytes());
    bytes.extend((comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
}
