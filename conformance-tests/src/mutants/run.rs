//! Runs every mutant against the cases of the rules it breaks.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use anyport_testkit::ProbeKit;
use serde::Serialize;

use super::all;
use crate::cases;
use crate::harness::Harness;
use crate::report::CaseReport;
use crate::rules;
use crate::run::{Bench, Options, SuiteError, alone};
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
}

/// How one mutant fared.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Trial {
    /// The mutant's id.
    pub id: &'static str,
    /// The rules it is said to break, each with the first of its cases that failed, if one did.
    pub rules: Vec<(&'static str, Option<CaseReport>)>,
}

impl Trial {
    /// Whether a case of every rule failed.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.rules.iter().all(|(_, failed)| failed.is_some())
    }
}

/// One line for each rule: by what it was killed, or that it was not.
impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (rule, failed)) in self.rules.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            match failed {
                Some(case) => write!(
                    f,
                    "killed   {:<30} {rule:<4} {}: {}",
                    self.id, case.id, case.why
                )?,
                None => write!(f, "SURVIVED {:<30} {rule:<4} no case of it failed", self.id)?,
            }
        }
        Ok(())
    }
}

impl MutantReport {
    /// Of no mutant yet.
    #[must_use]
    pub fn none() -> Self {
        Self {
            rules: rules::all().count(),
            rules_covered: 0,
            mutants: 0,
            killed: 0,
        }
    }

    /// The numbers with those of another run, whose rules are among the same contract's.
    #[must_use]
    pub fn and(mut self, trial: &Trial) -> Self {
        self.mutants += 1;
        self.killed += usize::from(trial.is_killed());
        self
    }

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

/// Runs a harness that is broken by itself against the cases of the rules that it is said to break, until one of each fails: for mutants
/// that the suite cannot make, such as those on a vendor's wire.
///
/// # Errors
/// [`SuiteError`] when nothing could be run.
pub fn trial(
    harness: Arc<dyn Harness>,
    options: &Options,
    id: &'static str,
    broken: &[&'static str],
) -> Result<Trial, SuiteError> {
    let _alone = alone();
    let kit = Arc::new(ProbeKit::new(&options.probe).map_err(SuiteError::Probe)?);
    let bench = Bench {
        harness,
        kit,
        seed: options.seed,
        mutant: None,
    };
    let rules = broken.iter();
    Ok(Trial {
        id,
        rules: rules
            .map(|rule| (*rule, first_failure(&bench, rule)))
            .collect(),
    })
}

/// Runs each mutant against the cases of the rules it breaks, until one of each rule fails. `only` of the options selects mutants by id or by
/// rule. `told` hears of each mutant when it has been tried.
///
/// # Errors
/// [`SuiteError`] when nothing could be run.
pub fn run_mutants(
    harness: Arc<dyn Harness>,
    options: &Options,
    told: &mut dyn FnMut(&Trial),
) -> Result<MutantReport, SuiteError> {
    let _alone = alone();
    let kit = Arc::new(ProbeKit::new(&options.probe).map_err(SuiteError::Probe)?);
    let mutants = selected(options)?;
    let mut covered = BTreeSet::new();
    let mut killed = 0;
    for mutant in &mutants {
        let bench = Bench {
            harness: Arc::clone(&harness),
            kit: Arc::clone(&kit),
            seed: options.seed,
            mutant: Some(mutant),
        };
        let rules = rules::of_mutant(mutant.id).into_iter();
        let trial = Trial {
            id: mutant.id,
            rules: rules
                .map(|rule| (rule, first_failure(&bench, rule)))
                .collect(),
        };
        let noticed = trial.rules.iter().filter(|(_, failed)| failed.is_some());
        covered.extend(noticed.map(|(rule, _)| *rule));
        killed += usize::from(trial.is_killed());
        told(&trial);
    }
    Ok(MutantReport {
        rules: rules::all().count(),
        rules_covered: covered.len(),
        mutants: mutants.len(),
        killed,
    })
}

fn selected(options: &Options) -> Result<Vec<&'static super::Mutant>, SuiteError> {
    let known =
        |name: &String| rules::find(name).is_some() || all().iter().any(|mutant| mutant.id == name);
    if let Some(unknown) = options.only.iter().find(|name| !known(name)) {
        return Err(SuiteError::Unknown(unknown.clone()));
    }
    let wanted = |mutant: &&super::Mutant| {
        options.only.is_empty()
            || options.only.iter().any(|name| {
                mutant.id == name || rules::of_mutant(mutant.id).contains(&name.as_str())
            })
    };
    Ok(all().into_iter().filter(wanted).collect())
}

/// The first case of a rule that fails.
fn first_failure(bench: &Bench, rule: &str) -> Option<CaseReport> {
    let cases = rules::find(rule)?.cases.iter();
    cases
        .filter_map(|id| cases::find(id))
        .map(|case| bench.run(case))
        .find(|ended| ended.outcome == Outcome::Failed)
}
