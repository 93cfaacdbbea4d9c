//! What kind of program a file is.

use super::elf::{self, Linkage, Machine};

/// What kind of program a file is, from its first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// Machine code for Linux.
    Elf {
        /// The processor it is for.
        machine: Machine,
        /// What it needs from the system.
        linkage: Linkage,
    },
    /// A script with a `#!` line.
    Script {
        /// The interpreter, as the line names it; may end in a carriage return, which no system finds.
        interpreter: String,
    },
    /// Machine code for macOS.
    MachO,
    /// Machine code for Windows.
    Windows,
    /// Nothing at all.
    Empty,
    /// Something else: a script without a `#!` line, data.
    Unknown,
}

impl Program {
    pub(super) fn of(head: &[u8]) -> Self {
        const MACH_O: [[u8; 4]; 5] = [
            [0xcf, 0xfa, 0xed, 0xfe],
            [0xce, 0xfa, 0xed, 0xfe],
            [0xfe, 0xed, 0xfa, 0xcf],
            [0xfe, 0xed, 0xfa, 0xce],
            [0xca, 0xfe, 0xba, 0xbe],
        ];
        if head.is_empty() {
            return Self::Empty;
        }
        if let Some((machine, linkage)) = elf::read(head) {
            return Self::Elf { machine, linkage };
        }
        if let Some(line) = head.strip_prefix(b"#!") {
            return Self::script(line);
        }
        if MACH_O.iter().any(|mark| head.starts_with(mark)) {
            return Self::MachO;
        }
        if head.starts_with(b"MZ") {
            Self::Windows
        } else {
            Self::Unknown
        }
    }

    fn script(line: &[u8]) -> Self {
        // Linux looks at 256 bytes of the line.
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(&line[..line.len().min(254)]).into_owned();
        // The carriage return stays: it is the usual reason why an interpreter is not found.
        let blank = [' ', '\t'];
        let interpreter = line
            .trim_matches(blank)
            .split(blank)
            .next()
            .unwrap_or_default();
        Self::Script {
            interpreter: interpreter.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::elf::tests::program;

    #[test]
    fn programs_are_told_apart() {
        let script = |line: &[u8]| match Program::of(line) {
            Program::Script { interpreter } => interpreter,
            other => panic!("{other:?}"),
        };
        assert_eq!(script(b"#!/bin/sh\necho"), "/bin/sh");
        assert_eq!(script(b"#! /usr/bin/env python3\n"), "/usr/bin/env");
        assert_eq!(script(b"#!/bin/sh\r\necho"), "/bin/sh\r");
        assert_eq!(script(b"#!"), "");
        assert!(matches!(
            Program::of(&program(62, None)),
            Program::Elf { .. }
        ));
        assert_eq!(Program::of(b"MZ\x90\0"), Program::Windows);
        assert_eq!(Program::of(&[0xcf, 0xfa, 0xed, 0xfe, 7]), Program::MachO);
        assert_eq!(Program::of(b""), Program::Empty);
        assert_eq!(Program::of(b"\x7fELF"), Program::Unknown);
    }
}
