//! Runs every mutant against the cases of the rules it breaks.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyport_testkit::ProbeKit;
use serde::Serialize;

use super::{Mutant, all};
use crate::cases;
use crate::harness::Harness;
use crate::report::CaseReport;
use crate::rules;
use crate::run::{Bench, Options, SuiteError};
use crate::verdict::Outcome;

/// What the mutants came to.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MutantReport {
    /// Rules in the contract.
    pub rules: usize,
    /// Rules of which at least one mutant was killed by a case of that rule.
    pub rules_covered: usize,
    /// Mutants that were run.
    pub mutants: usize,
    /// Mutants that failed a case of each rule they are said to break.
    pub killed: usize,
    /// Those that were not killed.
    #[serde(skip)]
    pub survivors: Vec<Survivor>,
}

/// A mutant that was not killed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Survivor {
    /// The mutant's id.
    pub id: &'static str,
    /// The rule that did not notice.
    pub rule: &'static str,
    /// How the rule's cases ended.
    pub cases: Vec<CaseReport>,
}

impl MutantReport {
    /// Whether every mutant was killed and every rule killed one.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.killed == self.mutants && self.rules_covered == self.rules
    }

    /// The numbers as one line of JSON: `rules`, `rules_covered`, `mutants`, `killed`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Four numbers always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Runs each mutant against the cases of the rules it breaks, until one of each rule fails. `only` of the options selects mutants by id or by rule.
///
/// `told` hears of each mutant and whether it was killed.
///
/// # Errors
/// [`SuiteError`] when nothing could be run.
pub fn run_mutants(
    harness: Arc<dyn Harness>,
    options: &Options,
    told: &mut dyn FnMut(&Mutant, bool),
) -> Result<MutantReport, SuiteError> {
    let kit = Arc::new(ProbeKit::new(&options.probe).map_err(SuiteError::Probe)?);
    let mutants = selected(options)?;
    let mut covered = BTreeSet::new();
    let mut survivors = Vec::new();
    let mut killed = 0;
    for mutant in &mutants {
        let bench = Bench {
            harness: Arc::clone(&harness),
            kit: Arc::clone(&kit),
            seed: options.seed,
            mutant: Some(mutant),
        };
        let mut noticed = true;
        for rule in rules::of_mutant(mutant.id) {
            match survives(&bench, rule) {
                None => {
                    covered.insert(rule);
                }
                Some(cases) => {
                    noticed = false;
                    survivors.push(Survivor {
                        id: mutant.id,
                        rule,
                        cases,
                    });
                }
            }
        }
        killed += usize::from(noticed);
        told(mutant, noticed);
    }
    Ok(MutantReport {
        rules: rules::all().count(),
        rules_covered: covered.len(),
        mutants: mutants.len(),
        killed,
        survivors,
    })
}

fn selected(options: &Options) -> Result<Vec<&'static Mutant>, SuiteError> {
    let known =
        |name: &String| rules::find(name).is_some() || all().iter().any(|mutant| mutant.id == name);
    if let Some(unknown) = options.only.iter().find(|name| !known(name)) {
        return Err(SuiteError::Unknown(unknown.clone()));
    }
    let wanted = |mutant: &&Mutant| {
        options.only.is_empty()
            || options.only.iter().any(|name| {
                mutant.id == name || rules::of_mutant(mutant.id).contains(&name.as_str())
            })
    };
    Ok(all().into_iter().filter(wanted).collect())
}

/// How the cases of a rule ended, when none of them failed.
fn survives(bench: &Bench, rule: &str) -> Option<Vec<CaseReport>> {
    let mut ended = Vec::new();
    for case in rules::find(rule)?
        .cases
        .iter()
        .filter_map(|id| cases::find(id))
    {
        let report = bench.run(case);
        if report.outcome == Outcome::Failed {
            return None;
        }
        ended.push(report);
    }
    Some(ended)
}
