//! The Anyport conformance suite: proves that an adapter keeps the contract.
//!
//! The contract is the table in [`rules`]. Every rule has [cases] that check it on any adapter, in both directions: what an adapter
//! declares must work, what it does not declare must be refused before anything is changed. Every rule also has [mutants]:
//! adapters, clients and functions that are broken on purpose, and that the suite must catch by that rule.
//!
//! An adapter's author writes a [`Harness`] and runs the suite with one macro:
//!
//! ```no_run
//! use std::path::PathBuf;
//! use std::sync::Arc;
//!
//! use anyport_conformance::harness::{Folder, Layout, Records};
//! # mod my_adapter {
//! #     use super::*;
//! #     pub fn open(folder: PathBuf) -> anyport_core::Result<Arc<dyn anyport_core::provider::Provider>> {
//! #         let kind = anyport_core::ErrorKind::Unavailable;
//! #         Err(anyport_core::Error::new(kind, "open").on(folder.display()))
//! #     }
//! # }
//!
//! /// An adapter that keeps everything in one folder, with a JSON record for each function.
//! fn my_harness() -> Folder<Records> {
//!     let layout = Layout {
//!         record: "functions/NAME.json",
//!         spec: "versions/-/spec",
//!         foreign: "functions/NAME/somebody-elses",
//!         secret: "secrets/NAME",
//!         secret_reference: "secret://file/NAME",
//!         passing: &["lock"],
//!         written: &["/logs/"],
//!     };
//!     let open = |folder| async { my_adapter::open(folder) };
//!     Folder::new("mine://", std::env::temp_dir().join("mine"), Records::new(layout, open))
//! }
//!
//! anyport_conformance::suite!(my_adapter_conforms, my_harness());
//! # fn main() {}
//! ```
//!
//! A case ends as passed, failed, refused (not declared, and verified to be refused), not run (with the reason) or over budget; never as
//! a silent pass. There are no retries; seeds are fixed and in the report; every case cleans up, and is checked to have.

pub mod cases;
mod differential;
pub mod harness;
pub mod leaks;
mod model;
pub mod mutants;
pub mod report;
pub mod rules;
mod run;
pub mod scene;
pub mod seam;
mod verdict;

pub use anyport_testkit::{NoProbe, find_probe};
pub use differential::{Difference, Differential, differential};
pub use harness::{Harness, Site};
pub use report::{CaseReport, Report, Summary};
pub use run::{Options, SEED, SuiteError, Watch, run};
pub use verdict::{Outcome, Pass, Stop, Verdict};

/// Builds or finds the probe, runs everything over a harness, prints the report, and panics unless it is clean: what [`suite!`] calls.
///
/// # Panics
/// When the probe cannot be had, or the report is not clean.
pub fn assert_conforms(harness: impl Harness + 'static) {
    let probe = match anyport_testkit::build_probe() {
        Ok(probe) => probe,
        Err(error) => panic!("{error}"),
    };
    let told: std::sync::Arc<Watch> = std::sync::Arc::new(|case| println!("{case}"));
    let options = Options::new(probe).with_progress(told);
    match run(std::sync::Arc::new(harness), &options) {
        Ok(report) => {
            println!("{report}");
            assert!(report.summary().is_clean(), "{report}");
        }
        Err(error) => panic!("{error}"),
    }
}

/// Defines a test that runs the whole suite over a harness: `suite!(my_adapter_conforms, my_harness());`. The crate's front page has an example.
#[macro_export]
macro_rules! suite {
    ($name:ident, $harness:expr) => {
        #[test]
        fn $name() {
            $crate::assert_conforms($harness);
        }
    };
}
