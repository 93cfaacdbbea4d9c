//! The probe as an artifact, in as many variants as a test needs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyport_core::content::Content;
use anyport_core::spec::{Arch, Artifact, Packaging, Protocol};
use anyport_package::{BOOTSTRAP, FileContent, Packer};

use crate::probe::{FAULT_FILE, Fault};

/// What a probe's archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Variant {
    /// A text beside the probe that makes the archive another one; empty for none.
    pub salt: String,
    /// The promise that the probe breaks, if any.
    pub fault: Option<Fault>,
    /// What is there instead of the probe, if anything.
    pub instead: Option<Vec<u8>>,
}

impl Variant {
    /// The probe, in an archive that differs from those with another salt.
    #[must_use]
    pub fn salted(salt: impl Into<String>) -> Self {
        Self {
            salt: salt.into(),
            ..Self::default()
        }
    }

    /// A `bootstrap` with these bytes instead of the probe.
    #[must_use]
    pub fn instead(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            instead: Some(bytes.into()),
            ..Self::default()
        }
    }
}

/// An archive and its description.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The description, for a spec.
    pub artifact: Artifact,
    /// The bytes, for the deployment.
    pub content: Arc<dyn Content>,
}

/// Packs the probe. Each variant is packed once and kept until the kit is dropped.
#[derive(Debug)]
pub struct ProbeKit {
    probe: PathBuf,
    folder: tempfile::TempDir,
    packed: Mutex<BTreeMap<Variant, Packed>>,
}

impl ProbeKit {
    /// A kit around the probe's executable.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn new(probe: impl Into<PathBuf>) -> std::io::Result<Self> {
        let probe = probe.into();
        let folder = tempfile::Builder::new()
            .prefix("anyport-probe-")
            .tempdir()?;
        let lean = folder.path().join("lean");
        Ok(Self {
            probe: if strip(&probe, &lean) { lean } else { probe },
            folder,
            packed: Mutex::default(),
        })
    }

    /// The probe's executable, without symbols where that could be had.
    #[must_use]
    pub fn probe(&self) -> &Path {
        &self.probe
    }

    /// The archive of a variant: a portable zip for the Lambda Runtime API.
    ///
    /// # Errors
    /// When the executable cannot be read or the archive cannot be written.
    pub fn zip(&self, variant: &Variant) -> Result<Packed, anyport_package::Error> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(done) = packed.get(variant) {
            return Ok(done.clone());
        }
        let done = self.pack(variant, packed.len())?;
        packed.insert(variant.clone(), done.clone());
        Ok(done)
    }

    fn pack(&self, variant: &Variant, number: usize) -> Result<Packed, anyport_package::Error> {
        let source = self.folder.path().join(format!("{number}"));
        let fail = |action, path: &Path| {
            let path = path.to_owned();
            move |source| anyport_package::Error::Io {
                action,
                path,
                source,
            }
        };
        fs::create_dir(&source).map_err(fail("create", &source))?;
        let bootstrap = source.join(BOOTSTRAP);
        match &variant.instead {
            Some(bytes) => {
                fs::write(&bootstrap, bytes).map_err(fail("write", &bootstrap))?;
                make_executable(&bootstrap).map_err(fail("write", &bootstrap))?;
            }
            None => {
                fs::copy(&self.probe, &bootstrap).map_err(fail("read", &self.probe))?;
            }
        }
        if !variant.salt.is_empty() {
            let salt = source.join("salt");
            fs::write(&salt, &variant.salt).map_err(fail("write", &salt))?;
        }
        if let Some(fault) = variant.fault {
            let path = source.join(FAULT_FILE);
            fs::write(&path, fault.name()).map_err(fail("write", &path))?;
        }
        let archive = self.folder.path().join(format!("{number}.zip"));
        let packed = Packer::default().dir(&source, &archive)?;
        fs::remove_dir_all(&source).map_err(fail("remove", &source))?;
        let packaging = Packaging::Zip {
            protocol: Protocol::RuntimeApi,
        };
        let artifact = Artifact::new(packaging, packed.digest)
            .with_sizes(packed.size, packed.unpacked_size)
            .with_arch(Arch::of_this_machine().unwrap_or_default());
        Ok(Packed {
            artifact,
            content: Arc::new(FileContent::from(&packed)),
        })
    }
}

/// Copies the program without its symbols: a development build is four times as large with them, and is packed and unpacked often.
/// False where there is no `strip`, or it does not know the program.
fn strip(program: &Path, to: &Path) -> bool {
    std::process::Command::new("strip")
        .arg("-o")
        .args([to, program])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[cfg(unix)]
fn make_executable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_one_archive_and_another_variant_another() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, "#!/bin/sh\n").unwrap();
        let kit = ProbeKit::new(&program).unwrap();
        let plain = kit.zip(&Variant::default()).unwrap();
        assert_eq!(
            plain.artifact,
            kit.zip(&Variant::default()).unwrap().artifact
        );
        assert_eq!(plain.content.digest(), plain.artifact.digest);
        let salted = kit.zip(&Variant::salted("1")).unwrap();
        let faulty = kit
            .zip(&Variant {
                fault: Some(Fault::DropsTrace),
                ..Variant::default()
            })
            .unwrap();
        let other = kit.zip(&Variant::instead(b"nothing".as_slice())).unwrap();
        let digests = [&plain, &salted, &faulty, &other].map(|packed| packed.artifact.digest);
        for (place, digest) in digests.iter().enumerate() {
            assert!(!digests[..place].contains(digest));
        }
    }
}
