//! Policy documents: what they say, and whether they allow something.
//!
//! Source: the IAM user guide's reference of policy elements, of condition operators and of the evaluation logic.

mod condition;
mod evaluate;
mod grammar;
mod parse;
mod pattern;
mod principal;
#[cfg(test)]
mod tests;

pub(crate) use self::evaluate::{Layer, Layers, Question, Verdict, decide};
pub(crate) use self::grammar::Kind;
pub(crate) use self::principal::Who;

use self::condition::Condition;
use self::pattern::{ArnPattern, Pattern};
use self::principal::Principals;

/// A parsed policy document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq)]
struct Statement {
    allows: bool,
    /// Absent in policies of identities, which apply to whom they are attached to.
    principals: Option<Listed<Principals>>,
    actions: Listed<Vec<Pattern>>,
    /// Absent in trust policies, which apply to the role.
    resources: Option<Listed<Vec<ArnPattern>>>,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, and so on.
#[derive(Debug, Clone, PartialEq)]
struct Listed<T> {
    /// Whether all but these are meant.
    others: bool,
    what: T,
}

/// What a request is about, for conditions and policy variables.
pub(crate) trait Context {
    /// The values of a context key, whose name has no case; none when the request does not have the key.
    fn values(&self, key: &str) -> Vec<String>;
}

/// Keys given one by one.
impl Context for [(&str, &str)] {
    fn values(&self, key: &str) -> Vec<String> {
        self.iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(key))
            .map(|(_, value)| (*value).to_owned())
            .collect()
    }
}
