//! Looking at a program before it is run, so that a bad artifact is told apart from a crash.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::error::StartFailureKind;

/// Bytes read from the start of a program: its headers or its first line.
const HEAD: u64 = 4 << 10;

/// Checks that `path` is a program that this machine can run.
pub(crate) fn check(path: &Path) -> Result<(), StartFailureKind> {
    let not_executable = |reason: &str| StartFailureKind::NotExecutable {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let Ok(info) = fs::metadata(path) else {
        return Err(StartFailureKind::Missing {
            path: path.to_owned(),
        });
    };
    if !info.is_file() {
        return Err(not_executable("it is not a file"));
    }
    if !executable(&info) {
        return Err(not_executable(
            "its permissions don't allow it; set the executable bit (chmod +x) before packaging",
        ));
    }
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|error| not_executable(&error.to_string()))?;
    judge(path, &head)
}

#[cfg(unix)]
fn executable(info: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&info.permissions()) & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_info: &fs::Metadata) -> bool {
    true
}

fn judge(path: &Path, head: &[u8]) -> Result<(), StartFailureKind> {
    if head.is_empty() {
        return Err(StartFailureKind::NotExecutable {
            path: path.to_owned(),
            reason: "it is empty".to_owned(),
        });
    }
    if let Some(rest) = head.strip_prefix(b"#!") {
        return script(path, rest);
    }
    let other = |found: &str| StartFailureKind::WrongArchitecture {
        path: path.to_owned(),
        found: found.to_owned(),
        host: host(),
    };
    match head {
        [0x7f, b'E', b'L', b'F', ..] => elf(path, head),
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..]
        | [0xfe, 0xed, 0xfa, 0xcf | 0xce, ..]
        | [0xca, 0xfe, 0xba, 0xbe, ..] => Err(other("macOS")),
        [b'M', b'Z', ..] => Err(other("Windows")),
        _ => Err(StartFailureKind::NotExecutable {
            path: path.to_owned(),
            reason: "it is neither a Linux program nor a script; a script needs a first line like #!/bin/sh".to_owned(),
        }),
    }
}

/// A script's interpreter must exist.
fn script(path: &Path, rest: &[u8]) -> Result<(), StartFailureKind> {
    let line = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    // Blanks end the name; a carriage return does not, for the kernel.
    let name = line
        .trim_start_matches([' ', '\t'])
        .split([' ', '\t'])
        .next()
        .unwrap_or_default();
    if !name.is_empty() && Path::new(name).is_file() {
        return Ok(());
    }
    // A carriage return is the usual reason, and can't be seen.
    let hint = if line.ends_with('\r') {
        "; its lines end in CRLF, save it with LF"
    } else {
        ""
    };
    Err(StartFailureKind::MissingInterpreter {
        name: name.trim_end().to_owned(),
        searched: format!("named by the first line of {}{hint}", path.display()),
    })
}

fn elf(path: &Path, head: &[u8]) -> Result<(), StartFailureKind> {
    let little = head.get(5) == Some(&1);
    let short = |at: usize| {
        let bytes = [*head.get(at)?, *head.get(at + 1)?];
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let machine = short(18).unwrap_or(0);
    let (name, bits) = match (machine, head.get(4)) {
        (62, Some(2)) => ("x86_64".to_owned(), 64),
        (183, Some(2)) => ("aarch64".to_owned(), 64),
        (3, _) => ("x86".to_owned(), 32),
        (40, _) => ("arm".to_owned(), 32),
        (243, _) => ("riscv".to_owned(), 64),
        (number, _) => (format!("ELF machine {number}"), 0),
    };
    if name != host() && !(name == "x86" && host() == "x86_64") {
        return Err(StartFailureKind::WrongArchitecture {
            path: path.to_owned(),
            found: name,
            host: host(),
        });
    }
    if bits == 64
        && little
        && let Some(loader) = loader(head)
        && !Path::new(&loader).exists()
    {
        return Err(StartFailureKind::MissingInterpreter {
            name: loader,
            searched: format!("the dynamic loader that {} asks for", path.display()),
        });
    }
    Ok(())
}

/// The dynamic loader of a little-endian 64-bit program, if its headers lie in what was read.
fn loader(head: &[u8]) -> Option<String> {
    let long = |at: usize| {
        let bytes: [u8; 8] = head.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let short = |at: usize| {
        let bytes: [u8; 2] = head.get(at..at + 2)?.try_into().ok()?;
        Some(usize::from(u16::from_le_bytes(bytes)))
    };
    let (table, size, count) = (long(32)?, short(54)?, short(56)?);
    for index in 0..count.min(64) {
        let at = table.checked_add(index.checked_mul(size)?)?;
        if head.get(at..at.checked_add(4)?)? == [3, 0, 0, 0] {
            let (offset, length) = (long(at + 8)?, long(at + 32)?);
            let name = head.get(offset..offset.checked_add(length)?)?;
            let name = name.strip_suffix(&[0]).unwrap_or(name);
            return String::from_utf8(name.to_vec()).ok();
        }
    }
    None
}

/// This machine's processor, as `uname -m` names it.
fn host() -> &'static str {
    std::env::consts::ARCH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(head: &[u8]) -> Result<(), StartFailureKind> {
        judge(Path::new("/code/bootstrap"), head)
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_test_is_a_program_this_machine_can_run() {
        check(&std::env::current_exe().unwrap()).unwrap();
    }

    #[test]
    fn other_machines_are_named() {
        let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        elf.resize(64, 0);
        let machine = if host() == "x86_64" { 183 } else { 62 };
        elf[18] = machine;
        let kind = judged(&elf).unwrap_err();
        assert!(
            matches!(&kind, StartFailureKind::WrongArchitecture { found, .. }
            if found == if machine == 183 { "aarch64" } else { "x86_64" }),
            "{kind}"
        );
        let kind = judged(b"MZ\x90\0").unwrap_err();
        assert!(
            matches!(&kind, StartFailureKind::WrongArchitecture { found, .. } if found == "Windows")
        );
        let kind = judged(&[0xcf, 0xfa, 0xed, 0xfe]).unwrap_err();
        assert!(
            matches!(&kind, StartFailureKind::WrongArchitecture { found, .. } if found == "macOS")
        );
    }

    #[test]
    fn hostile_headers_are_refused_without_panic() {
        for size in 0..120 {
            let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
            elf.resize(size.max(4), 0xff);
            let _ = judged(&elf);
            if elf.len() > 20 {
                (elf[18], elf[19]) = if host() == "x86_64" {
                    (62, 0)
                } else {
                    (183, 0)
                };
            }
            let _ = judged(&elf);
        }
    }

    #[test]
    fn scripts_need_their_interpreter() {
        judged(b"#!/bin/sh\necho\n").unwrap();
        let kind = judged(b"#!/bin/sh\r\necho\r\n").unwrap_err();
        assert!(kind.to_string().contains("CRLF"), "{kind}");
        let kind = judged(b"#!/no/such/interpreter -x\n").unwrap_err();
        assert!(
            matches!(&kind, StartFailureKind::MissingInterpreter { name, .. } if name == "/no/such/interpreter")
        );
        let kind = judged(b"echo hello\n").unwrap_err();
        assert!(matches!(kind, StartFailureKind::NotExecutable { .. }));
        assert!(kind.is_bad_artifact());
    }
}
