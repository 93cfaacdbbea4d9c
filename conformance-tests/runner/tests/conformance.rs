//! The whole suite over our own adapters, and the same on two of them.

use std::sync::Arc;

use anyport_conformance::{Options, differential, find_probe};
use anyport_conformance_runner::{Lambda, Local};

anyport_conformance::suite!(local_conforms, Local::new().expect("a temporary folder"));

anyport_conformance::suite!(lambda_conforms, Lambda::new());

#[test]
fn local_and_lambda_differ_only_as_declared() {
    let options = Options::new(find_probe(None).expect("the probe"));
    let local = Local::new().expect("a temporary folder");
    let report = differential(Arc::new(Lambda::new()), Arc::new(local), &options);
    let report = report.expect("a run to its end");
    println!("{report}");
    assert!(report.is_clean(), "{report}");
}
