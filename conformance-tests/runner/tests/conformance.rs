//! The whole suite over `local://`.

use anyport_conformance_runner::Local;

anyport_conformance::suite!(local_conforms, Local::new().expect("a temporary folder"));
