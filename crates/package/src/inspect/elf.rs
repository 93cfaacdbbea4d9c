//! Reads as much of an ELF header as tells where a program can run.

use std::fmt;

use anyport_core::spec::Arch;

/// The processor that machine code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Machine {
    /// One that functions run on.
    Known(Arch),
    /// Another, by its number in the ELF specification.
    Other(u16),
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(arch) => arch.fmt(f),
            Self::Other(3) => f.write_str("32-bit x86"),
            Self::Other(40) => f.write_str("32-bit Arm"),
            Self::Other(243) => f.write_str("RISC-V"),
            Self::Other(number) => write!(f, "ELF machine {number}"),
        }
    }
}

/// What a program needs from the system it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Linkage {
    /// Nothing but the kernel.
    Static,
    /// The loader at this path, and shared libraries.
    Dynamic {
        /// The loader, such as `/lib64/ld-linux-x86-64.so.2`.
        loader: String,
    },
}

/// Machine and linkage of a program, from its first bytes; `None` where they are not a sound
/// 64- or 32-bit little-endian ELF header.
pub(super) fn read(head: &[u8]) -> Option<(Machine, Linkage)> {
    const LITTLE_ENDIAN: u8 = 1;
    if !head.starts_with(b"\x7fELF") || *head.get(5)? != LITTLE_ENDIAN {
        return None;
    }
    let layout = match head.get(4)? {
        1 => &NARROW,
        2 => &WIDE,
        _ => return None,
    };
    let machine = match u16::try_from(number(head, 18, 2)?).ok()? {
        62 if layout.word == 8 => Machine::Known(Arch::X86_64),
        183 => Machine::Known(Arch::Arm64),
        other => Machine::Other(other),
    };
    Some((machine, linkage(head, layout)?))
}

/// Where the fields of interest are, for one word size.
struct Layout {
    word: usize,
    table_at: usize,
    entry_len_at: usize,
    count_at: usize,
    segment_offset: usize,
    segment_len: usize,
}

const WIDE: Layout = Layout {
    word: 8,
    table_at: 32,
    entry_len_at: 54,
    count_at: 56,
    segment_offset: 8,
    segment_len: 32,
};

const NARROW: Layout = Layout {
    word: 4,
    table_at: 28,
    entry_len_at: 42,
    count_at: 44,
    segment_offset: 4,
    segment_len: 16,
};

fn linkage(head: &[u8], layout: &Layout) -> Option<Linkage> {
    const INTERPRETER: u64 = 3;
    let table = number(head, layout.table_at, layout.word)?;
    let entry_len = number(head, layout.entry_len_at, 2)?;
    for index in 0..number(head, layout.count_at, 2)? {
        let entry = usize::try_from(table.checked_add(index * entry_len)?).ok()?;
        if number(head, entry, 4)? != INTERPRETER {
            continue;
        }
        let field =
            |at: usize| usize::try_from(number(head, entry.checked_add(at)?, layout.word)?).ok();
        let (start, len) = (field(layout.segment_offset)?, field(layout.segment_len)?);
        let loader = head.get(start..start.checked_add(len)?)?;
        let loader = loader.strip_suffix(b"\0").unwrap_or(loader);
        return Some(Linkage::Dynamic {
            loader: std::str::from_utf8(loader).ok()?.to_owned(),
        });
    }
    Some(Linkage::Static)
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = bytes.get(at..at.checked_add(len)?)?;
    Some(
        field
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A 64-bit ELF header with one segment, an interpreter if one is given.
    pub(crate) fn program(machine: u16, loader: Option<&str>) -> Vec<u8> {
        let mut bytes = vec![0; 120];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 1;
        bytes[64] = if loader.is_some() { 3 } else { 1 };
        bytes[72] = 120;
        if let Some(loader) = loader {
            bytes[96] = loader.len() as u8 + 1;
            bytes.extend(loader.as_bytes());
            bytes.push(0);
        }
        bytes
    }

    #[test]
    fn machine_and_linkage_are_read() {
        assert_eq!(
            read(&program(62, None)),
            Some((Machine::Known(Arch::X86_64), Linkage::Static))
        );
        let loader = "/lib/ld-linux-aarch64.so.1";
        assert_eq!(
            read(&program(183, Some(loader))),
            Some((
                Machine::Known(Arch::Arm64),
                Linkage::Dynamic {
                    loader: loader.into()
                }
            ))
        );
        assert_eq!(read(&program(243, None)).unwrap().0.to_string(), "RISC-V");
    }

    #[test]
    fn every_cut_of_a_program_is_survived() {
        let whole = program(62, Some("/lib64/ld-linux-x86-64.so.2"));
        for len in 0..whole.len() {
            assert_eq!(read(&whole[..len]), None, "{len}");
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn this_very_program_is_recognised() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(
            read(&own[..16_384]).unwrap().0,
            Machine::Known(Arch::X86_64)
        );
    }
}
