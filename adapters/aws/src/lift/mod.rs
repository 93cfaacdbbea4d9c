//! What AWS answers, in the contract's words. Pure.

mod fields;
mod observed;

pub(crate) use fields::{content, digest};
pub(crate) use observed::{Condition, entry, leftover, newer, observed, state};

use anyport_core::spec::Arch;
use aws_sdk_lambda::types::{Architecture, FunctionConfiguration};

/// The number of a version; none for the draft.
pub(crate) fn number(config: &FunctionConfiguration) -> Option<u64> {
    config.version()?.parse().ok()
}

/// The architecture; x86-64 unless it says so.
pub(crate) fn arch(config: &FunctionConfiguration) -> Arch {
    match config.architectures().first() {
        Some(Architecture::Arm64) => Arch::Arm64,
        _ => Arch::X86_64,
    }
}
