//! Inspects a folder as it would be packed.

use std::collections::BTreeMap;
use std::path::Path;

use super::{FileInfo, Inspection, inspect_program, worth_a_look};
use crate::error::Error;
use crate::limits::Limits;
use crate::source::walk;

/// Inspects the folder `source` as [`Packer::dir`](crate::Packer::dir) would pack it: without what
/// is ignored, with links followed.
///
/// # Errors
/// Those of [`Packer::dir`](crate::Packer::dir).
pub fn inspect_dir(source: &Path, limits: &Limits) -> Result<Inspection, Error> {
    let mut inspection = Inspection {
        digest: None,
        size: 0,
        unpacked_size: 0,
        files: BTreeMap::new(),
    };
    for item in walk::list(source, &[], limits)? {
        let Some(file) = item.file else { continue };
        let program = if worth_a_look(&item.path, item.executable) {
            Some(inspect_program(&file)?)
        } else {
            None
        };
        let info = FileInfo {
            size: item.size,
            executable: item.executable,
            program,
            link: false,
        };
        inspection.add(item.path, info);
    }
    Ok(inspection)
}
