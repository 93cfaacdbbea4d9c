//! Inspects a folder as it would be packed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{Inspection, file_info};
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
        let meta = fs::metadata(&file).map_err(Error::io("read", &file))?;
        let info = file_info(&file, &item.path, &meta)?;
        inspection.add(item.path, info);
    }
    Ok(inspection)
}
