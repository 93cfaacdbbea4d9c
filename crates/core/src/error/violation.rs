//! What is wrong with a spec: every violation at once, in a stable order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One broken rule: field, value, rule, nearest valid value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violation {
    /// The field's path in the spec, such as `env.GREETING` or `memory_mb`.
    pub field: String,
    /// The rule, in words.
    pub rule: String,
    /// What was asked, shortened; never an environment value.
    pub value: Option<String>,
    /// The nearest value that is valid.
    pub nearest: Option<String>,
}

impl Violation {
    /// A violation of `rule` by `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            rule: rule.into(),
            value: None,
            nearest: None,
        }
    }

    /// Shows the value that was asked, shortened to 80 characters.
    #[must_use]
    pub fn value(mut self, value: impl fmt::Display) -> Self {
        const SHOWN: usize = 80;
        let mut text = value.to_string();
        if text.chars().count() > SHOWN {
            text = text.chars().take(SHOWN).chain(['…']).collect();
        }
        self.value = Some(text);
        self
    }

    /// Names the nearest valid value.
    #[must_use]
    pub fn nearest(mut self, nearest: impl fmt::Display) -> Self {
        self.nearest = Some(nearest.to_string());
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        if let Some(value) = &self.value {
            write!(f, " = {value:?}")?;
        }
        write!(f, ": {}", self.rule)?;
        match &self.nearest {
            Some(nearest) => write!(f, " (nearest: {nearest})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Violation {}

/// Every violation found, sorted by field and without repetition. Never empty inside an error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Violation>")]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// None so far.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds one, keeping the order.
    pub fn push(&mut self, violation: Violation) {
        if let Err(place) = self.0.binary_search(&violation) {
            self.0.insert(place, violation);
        }
    }

    /// Whether none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many were found.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The violations in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.0.iter()
    }

    /// `Ok(value)` when there is none.
    ///
    /// # Errors
    /// The violations themselves, when there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() {
            Ok(value)
        } else {
            Err(self)
        }
    }
}

impl From<Vec<Violation>> for Violations {
    fn from(list: Vec<Violation>) -> Self {
        list.into_iter().collect()
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(iter: I) -> Self {
        let mut all = Self::none();
        all.extend(iter);
        all
    }
}

impl Extend<Violation> for Violations {
    fn extend<I: IntoIterator<Item = Violation>>(&mut self, iter: I) {
        for violation in iter {
            self.push(violation);
        }
    }
}

impl IntoIterator for Violations {
    type Item = Violation;
    type IntoIter = std::vec::IntoIter<Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, violation) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_depend_on_the_order_of_discovery() {
        let a = Violation::new("a", "must be set");
        let b = Violation::new("b", "must be set").value("x").nearest("y");
        let one: Violations = [a.clone(), b.clone(), a.clone()].into_iter().collect();
        let other: Violations = [b, a].into_iter().collect();
        assert_eq!(one, other);
        assert_eq!(
            one.to_string(),
            "a: must be set; b = \"x\": must be set (nearest: y)"
        );
    }
}
