//! Runs the suite over `local://` and `lambda://embedded` as they are, then once for each mutant with the cases of the rules it breaks: over
//! `local://`, and over `lambda://embedded` those on the wire to AWS.
//!
//! `mutants [--json] [MUTANT|RULE]..`: prints what became of each mutant to standard error and the counts to standard output, and ends with
//! 0 only if every mutant was killed. With names, only those are tried, and the run without mutants is left out.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use anyport_conformance::mutants::{MutantReport, Trial, run_mutants, trial};
use anyport_conformance::{Harness, Options, find_probe, rules, run};
use anyport_conformance_runner::{FAULTS, Fault, Lambda, Local};

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
    let local: Arc<dyn Harness> = Arc::new(Local::new()?);
    let mut options = Options::new(find_probe(None)?);
    let all = only.is_empty();
    if all {
        for harness in [Arc::clone(&local), Arc::new(Lambda::new())] {
            let report = run(harness, &options)?;
            eprintln!("{report}");
            if !report.summary().is_clean() {
                return Err(
                    "the suite is not clean without any mutant, so nothing would be proven".into(),
                );
            }
        }
    }
    let asked = |fault: &&Fault| {
        all || only
            .iter()
            .any(|name| name == fault.id || fault.rules.contains(&name.as_str()))
    };
    let faults: Vec<&'static Fault> = FAULTS.iter().filter(asked).collect();
    // What the suite itself makes: everything but what is on the wire to AWS.
    let (on_the_wire, others): (Vec<String>, Vec<String>) = only
        .into_iter()
        .partition(|name| FAULTS.iter().any(|fault| fault.id == name));
    options.only = others;
    let mut told = |trial: &Trial| eprintln!("{trial}");
    let mut report = match on_the_wire.is_empty() || !options.only.is_empty() {
        true => run_mutants(local, &options, &mut told)?,
        false => MutantReport::none(),
    };
    options.only = Vec::new();
    for fault in faults {
        let broken = Arc::new(Lambda::broken(fault));
        let trial = trial(broken, &options, fault.id, fault.rules)?;
        told(&trial);
        report = report.and(&trial);
    }
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
