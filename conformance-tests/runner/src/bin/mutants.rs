//! Runs the suite over `local://` as it is, then once for each mutant with the cases of the rules it breaks.
//!
//! `mutants [--json] [MUTANT|RULE]..`: prints what became of each mutant to standard error and the counts to standard output, and ends with
//! 0 only if every mutant was killed. With names, only those are tried, and the run without mutants is left out.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use anyport_conformance::mutants::run_mutants;
use anyport_conformance::{Harness, Options, find_probe, rules, run};
use anyport_conformance_runner::Local;

fn main() -> ExitCode {
    let (flags, only): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|argument| argument.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| *flag != "--json") {
        eprintln!("error: there is no option {unknown}");
        return ExitCode::FAILURE;
    }
    match try_all(!flags.is_empty(), only) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn try_all(json: bool, only: Vec<String>) -> Result<bool, Box<dyn Error>> {
    let problems = rules::problems();
    if !problems.is_empty() {
        return Err(problems.join("; ").into());
    }
    let harness: Arc<dyn Harness> = Arc::new(Local::new()?);
    let mut options = Options::new(find_probe(None)?);
    let all = only.is_empty();
    if all {
        let report = run(Arc::clone(&harness), &options)?;
        eprintln!("{report}");
        if !report.summary().is_clean() {
            return Err(
                "the suite is not clean without any mutant, so nothing would be proven".into(),
            );
        }
    }
    options.only = only;
    let report = run_mutants(harness, &options, &mut |trial| eprintln!("{trial}"))?;
    if json {
        println!("{}", report.to_json());
    } else {
        println!(
            "{} of {} mutants killed; {} of {} rules covered",
            report.killed, report.mutants, report.rules_covered, report.rules
        );
    }
    Ok(report.killed == report.mutants && (report.is_clean() || !all))
}
