//! A disk that fails at the k-th write, for every k.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyport_package::{Disk, Error, FileSystem, Limits, unpack_onto};

use crate::forge::{archive, deflated, file, link};
use crate::tree;

/// Lets a number of operations through, then says that the disk is full.
struct Full {
    left: Arc<AtomicUsize>,
    real: FileSystem,
}

impl Full {
    fn after(operations: usize) -> Self {
        let real = FileSystem { volatile: true };
        Self {
            left: Arc::new(AtomicUsize::new(operations)),
            real,
        }
    }
}

fn spend(left: &AtomicUsize) -> io::Result<()> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    })
    .map(drop)
    .map_err(|_| io::ErrorKind::StorageFull.into())
}

impl Disk for Full {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.real.create_dir(path)
    }

    fn create_file(&self, path: &Path, executable: bool) -> io::Result<Box<dyn Write>> {
        spend(&self.left)?;
        let file = self.real.create_file(path, executable)?;
        Ok(Box::new(Filling {
            file,
            left: Arc::clone(&self.left),
        }))
    }

    fn symlink(&self, target: &str, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.real.symlink(target, path)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.real.sync(path)
    }
}

struct Filling {
    file: Box<dyn Write>,
    left: Arc<AtomicUsize>,
}

impl Write for Filling {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        spend(&self.left)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        spend(&self.left)?;
        self.file.flush()
    }
}

#[test]
fn a_full_disk_leaves_nothing_behind_wherever_it_strikes() {
    let dir = tempfile::tempdir().unwrap();
    let zip = dir.path().join("a.zip");
    let entries = [
        file("bootstrap", b"#!/bin/sh\n"),
        deflated("lib/data", &[9; 300_000]),
        file("empty/", b""),
        link("lib/also", "data"),
    ];
    fs::write(&zip, archive(&entries)).unwrap();
    let out = dir.path().join("out");
    let mut failures = 0;
    loop {
        let outcome = unpack_onto(&Full::after(failures), &zip, &out, &Limits::default());
        match outcome {
            Ok(_) => break,
            Err(error) => {
                assert!(error.is_out_of_space(), "after {failures}: {error}");
                assert!(matches!(error, Error::Io { .. }));
                // Syncing the parent comes last, when the folder is whole and in place.
                let left = tree::names(dir.path());
                if left != ["a.zip"] {
                    assert_eq!(left, ["a.zip", "out"]);
                    assert_eq!(tree::read(&out).len(), entries.len());
                    fs::remove_dir_all(&out).unwrap();
                }
            }
        }
        failures += 1;
    }
    assert!(
        failures > 12,
        "the disk was written to {failures} times only"
    );
    assert_eq!(tree::names(dir.path()), ["a.zip", "out"]);
}
