//! Secrets by reference: `secret://file/NAME` is the file `secrets/NAME` of the state folder.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyport_core::spec::SecretRef;

/// The name of the only store.
pub(crate) const SECRET_STORE: &str = "file";

/// The largest secret in bytes.
const LARGEST: u64 = 64 << 10;

/// A secret that cannot be used: which and why, and what to do; never what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) why: String,
    pub(crate) next: String,
}

/// What changes when a secret's file is replaced or edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecretStamp(Option<super::Stamp>);

/// The file of a reference. A pinned version is its own file: `NAME@VERSION`.
pub(crate) fn file(dir: &Path, reference: &SecretRef) -> PathBuf {
    dir.join(match reference.version() {
        Some(version) => format!("{}@{version}", reference.name()),
        None => reference.name().to_owned(),
    })
}

/// What the file of a reference is now.
pub(crate) fn stamp(dir: &Path, reference: &SecretRef) -> SecretStamp {
    SecretStamp(super::Stamp::of(&file(dir, reference)).ok().flatten())
}

/// A secret's value: the file's text without one line end at its end.
///
/// # Errors
/// When there is no such file, others may read it, it is too large or not text.
pub(crate) fn read(dir: &Path, reference: &SecretRef) -> Result<String, Unusable> {
    let path = file(dir, reference);
    let place = path.display();
    let refuse = |why: String, next: String| Unusable {
        why: format!("the secret {reference} cannot be used: {why}"),
        next,
    };
    let put = || format!("put the secret into {place}, readable by its owner only");
    let system = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => refuse("there is no file for it".to_owned(), put()),
        kind => refuse(kind.to_string(), format!("make {place} readable")),
    };
    let file = File::open(&path).map_err(system)?;
    let meta = file.metadata().map_err(system)?;
    if !meta.is_file() {
        return Err(refuse("what is there is not a file".to_owned(), put()));
    }
    if let Some(mode) = open_to_others(&meta) {
        return Err(refuse(
            format!("others may read it (mode {mode:o})"),
            format!("run chmod 600 {place}"),
        ));
    }
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    match read {
        Ok(size) if size as u64 > LARGEST => {
            return Err(refuse(format!("it is larger than {LARGEST} bytes"), put()));
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(refuse("it is not UTF-8 text".to_owned(), put()));
        }
        other => other.map_err(system)?,
    };
    if text.contains('\0') {
        return Err(refuse("it holds a NUL character".to_owned(), put()));
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(value.strip_suffix('\r').unwrap_or(value).to_owned())
}

#[cfg(unix)]
fn open_to_others(meta: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = meta.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn put(dir: &Path, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap_or(dir))?;
        fs::write(&path, bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
    }

    #[test]
    fn values_are_read_and_versions_are_files_of_their_own() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "db/password", b"hunter2\n", 0o600).unwrap();
        put(dir.path(), "db/password@2", b"two\nlines\n\n", 0o400).unwrap();
        let read = |text: &str| read(dir.path(), &text.parse().unwrap());
        assert_eq!(read("secret://file/db/password").unwrap(), "hunter2");
        assert_eq!(read("secret://file/db/password@2").unwrap(), "two\nlines\n");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "open", b"hunter2", 0o644).unwrap();
        put(dir.path(), "binary", b"hunter2\xff", 0o600).unwrap();
        put(dir.path(), "nul", b"hunter2\0", 0o600).unwrap();
        put(
            dir.path(),
            "large",
            &vec![b'x'; LARGEST as usize + 1],
            0o600,
        )
        .unwrap();
        fs::create_dir(dir.path().join("folder")).unwrap();
        for (name, why) in [
            ("open", "chmod 600"),
            ("binary", "UTF-8"),
            ("nul", "NUL"),
            ("large", "larger"),
            ("folder", "not a file"),
            ("missing", "no file"),
        ] {
            let reference = format!("secret://file/{name}").parse().unwrap();
            let Unusable { why: said, next } = read(dir.path(), &reference).unwrap_err();
            let words = format!("{said}; {next}");
            assert!(words.contains(why) && !words.contains("hunter2"), "{words}");
        }
    }
}
