//! How much an artifact may hold.

/// Bounds on an artifact, the same for packing, inspecting and unpacking.
///
/// The defaults are the smallest that the supported products agree on, so that what packs here
/// also deploys there.
///
/// ```
/// let mut limits = anyport_package::Limits::default();
/// limits.unpacked_bytes = 10 * 1024 * 1024;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes that all files may hold together, unpacked. Default 250 MiB.
    pub unpacked_bytes: u64,
    /// Files, directories and links together. Default (and most) 65,534: what a zip without the
    /// 64-bit extension can list.
    pub entries: usize,
    /// Unpacked bytes per packed byte, over the whole archive. Default 200: text seldom packs
    /// tighter than 20 to 1. Not looked at below [`Limits::RATIO_FLOOR`] unpacked bytes, where a bomb is harmless.
    pub ratio: u64,
}

impl Limits {
    /// Unpacked size, in bytes, from which the ratio counts.
    pub const RATIO_FLOOR: u64 = 16 * 1024 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unpacked_bytes: 250 * 1024 * 1024,
            entries: 65_534,
            ratio: 200,
        }
    }
}
