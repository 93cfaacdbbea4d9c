//! The portable schedule: five fields that every platform's own dialect can express.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Violation;

/// Five fields: minute, hour, day of month, month, day of week (0 to 6, Sunday is 0); numbers, `*`, `,`, `-` and `/` only; day of month
/// and day of week not both restricted. The time zone is the trigger's, UTC unless said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron(String);

const FIELDS: [(&str, u32, u32); 5] = [
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 6),
];

impl Cron {
    /// The expression as written, with single spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Cron {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |rule: String| Violation::new("cron", rule).value(text);
        let parts: Vec<&str> = text.split_whitespace().collect();
        if parts.len() != FIELDS.len() {
            return Err(refuse(format!(
                "five fields are needed (minute hour day month weekday), here are {}",
                parts.len()
            )));
        }
        for (part, (name, min, max)) in parts.iter().zip(FIELDS) {
            for item in part.split(',') {
                item_is_valid(item, min, max).map_err(|why| {
                    refuse(format!(
                        "the {name} field {part:?} {why}; {min} to {max} are valid"
                    ))
                })?;
            }
        }
        if parts[2] != "*" && parts[4] != "*" {
            return Err(refuse(
                "day of month and day of week are both restricted; platforms disagree on what that means, so leave one *".to_owned(),
            ));
        }
        Ok(Self(parts.join(" ")))
    }
}

fn item_is_valid(item: &str, min: u32, max: u32) -> Result<(), &'static str> {
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    if let Some(step) = step {
        let step: u32 = number(step)?;
        if step == 0 || step > max {
            return Err("has a step out of range");
        }
    }
    if range == "*" {
        return Ok(());
    }
    let (low, high) = match range.split_once('-') {
        Some((low, high)) => (number(low)?, number(high)?),
        None if step.is_some() => return Err("has a step on a single number"),
        None => {
            let one = number(range)?;
            (one, one)
        }
    };
    if low < min || high > max {
        Err("is out of range")
    } else if low > high {
        Err("runs backwards")
    } else {
        Ok(())
    }
}

fn number(text: &str) -> Result<u32, &'static str> {
    if text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_err(|_| "is not a number")
    } else {
        Err("is not a number")
    }
}

impl TryFrom<String> for Cron {
    type Error = Violation;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.0
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_subset() {
        for good in ["* * * * *", "*/5 0-6 1,15 * *", "0  9 * * 1-5"] {
            assert!(good.parse::<Cron>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "60 * * * *",
            "* * * JAN *",
            "* * 1 * 1",
            "5-1 * * * *",
            "*/0 * * * *",
            "* * L * *",
            "5/2 * * * *",
        ] {
            assert!(bad.parse::<Cron>().is_err(), "{bad}");
        }
    }
}
