//! The contract: every rule with its cases and mutants. CONTRACT.md and every report are made from this table.
//!
//! Ids are never reused. A rule that changes its meaning gets a new id.

mod deploy;
mod errors;
mod invoke;
mod plan;

use serde::Serialize;

/// One rule of the contract.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rule {
    /// Its id, such as `D12`.
    pub id: &'static str,
    /// The version of Anyport that first had it.
    pub since: &'static str,
    /// The rule.
    pub text: &'static str,
    /// The capability it depends on, and what holds without it; `None` when it always holds.
    pub condition: Option<&'static str>,
    /// The cases that check it.
    pub cases: &'static [&'static str],
    /// The mutants that break it.
    pub mutants: &'static [&'static str],
}

/// A part of the contract.
#[derive(Debug, Clone, Copy)]
pub struct Chapter {
    /// Its title.
    pub title: &'static str,
    /// Its rules.
    pub rules: &'static [Rule],
}

/// The contract in its order.
pub const CHAPTERS: [Chapter; 4] = [
    Chapter {
        title: "Plan",
        rules: &plan::RULES,
    },
    Chapter {
        title: "Deploy",
        rules: &deploy::RULES,
    },
    Chapter {
        title: "Invoke",
        rules: &invoke::RULES,
    },
    Chapter {
        title: "Errors",
        rules: &errors::RULES,
    },
];

/// Every rule in its order.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    CHAPTERS.iter().flat_map(|chapter| chapter.rules)
}

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id == id)
}

/// The ids of the rules that a case checks.
#[must_use]
pub fn of_case(case: &str) -> Vec<&'static str> {
    all()
        .filter(|rule| rule.cases.contains(&case))
        .map(|rule| rule.id)
        .collect()
}

/// The ids of the rules that a mutant breaks.
#[must_use]
pub fn of_mutant(mutant: &str) -> Vec<&'static str> {
    all()
        .filter(|rule| rule.mutants.contains(&mutant))
        .map(|rule| rule.id)
        .collect()
}

/// What is wrong with the table: a rule without case or mutant, a name that nothing has, a case or mutant of no rule, an id used twice.
#[must_use]
pub fn problems() -> Vec<String> {
    let mut found = Vec::new();
    let cases: Vec<&str> = crate::cases::all().iter().map(|case| case.id).collect();
    let mutants: Vec<&str> = crate::mutants::all()
        .iter()
        .map(|mutant| mutant.id)
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for rule in all() {
        if !ids.insert(rule.id) {
            found.push(format!("{} is in the table twice", rule.id));
        }
        for (kind, named, known) in [
            ("case", rule.cases, &cases),
            ("mutant", rule.mutants, &mutants),
        ] {
            if named.is_empty() {
                found.push(format!("{} has no {kind}", rule.id));
            }
            for name in named.iter().filter(|name| !known.contains(name)) {
                found.push(format!("{} names the unknown {kind} {name}", rule.id));
            }
        }
    }
    for (kind, known, rules) in [
        ("case", &cases, of_case as fn(&str) -> Vec<&'static str>),
        ("mutant", &mutants, of_mutant),
    ] {
        let mut names = std::collections::BTreeSet::new();
        for name in known {
            if !names.insert(name) {
                found.push(format!("two {kind}s are called {name}"));
            }
            if rules(name).is_empty() {
                found.push(format!("the {kind} {name} belongs to no rule"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_case_and_a_mutant_and_every_name_is_known() {
        assert_eq!(problems(), Vec::<String>::new());
    }
}
