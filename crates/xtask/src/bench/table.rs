//! What was measured, as Markdown and as JSON.

use std::fmt;
use std::process::ExitCode;

use serde::Serialize;

use super::stats::Spread;

/// Every row measured so far.
#[derive(Default, Serialize)]
pub(super) struct Table {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    what: String,
    unit: &'static str,
    #[serde(flatten)]
    value: Value,
    /// What is aimed at, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    aim: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    /// Counted: the same in every run, and held to a limit where there is one.
    Exact { exact: u64, most: Option<u64> },
    /// Measured: differs from run to run.
    Measured(Spread),
}

impl Table {
    /// Adds a count. The run fails when it is over `most`.
    pub(super) fn count(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        exact: u64,
        most: Option<u64>,
    ) {
        let value = Value::Exact { exact, most };
        self.push(what.into(), unit, value, None);
    }

    /// Adds a measurement.
    pub(super) fn spread(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        spread: Spread,
        aim: Option<&'static str>,
    ) {
        self.push(what.into(), unit, Value::Measured(spread), aim);
    }

    fn push(&mut self, what: String, unit: &'static str, value: Value, aim: Option<&'static str>) {
        let row = Row {
            what,
            unit,
            value,
            aim,
        };
        eprintln!("  {}", row.to_string().trim_matches(['|', ' ']));
        self.rows.push(row);
    }

    /// One object: `{"schema": 1, "rows": [...]}`.
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({"schema": 1, "rows": self.rows})
    }

    /// Failure when a count is over its limit.
    pub(super) fn verdict(&self) -> ExitCode {
        let over: Vec<&Row> = self.rows.iter().filter(|row| row.is_over()).collect();
        for row in &over {
            eprintln!("over its limit: {}", row.what);
        }
        if over.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

impl Row {
    fn is_over(&self) -> bool {
        matches!(self.value, Value::Exact { exact, most: Some(most) } if exact > most)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, .. } = self;
        match &self.value {
            Value::Exact { exact, most } => {
                write!(f, "| {what} | {unit} | | {exact} | |")?;
                match most {
                    Some(most) => write!(f, " at most {most} |"),
                    None => write!(f, " |"),
                }
            }
            Value::Measured(Spread { min, median, max }) => {
                let [min, median, max] = [min, median, max].map(|value| digits(*value));
                write!(f, "| {what} | {unit} | {min} | {median} | {max} |")?;
                write!(f, " {} |", self.aim.unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what | unit | min | median | max | aim |")?;
        writeln!(f, "|---|---|---:|---:|---:|---|")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        Ok(())
    }
}

/// Three digits that matter, and no more places than the number needs.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_over_its_limit_fails_the_run_and_a_slow_time_does_not() {
        let mut table = Table::default();
        table.spread("slow", "ms", Spread::of([1e6]), Some("under 1"));
        table.count("reads", "calls", 2, Some(2));
        assert_eq!(table.verdict(), ExitCode::SUCCESS);
        table.count("writes", "calls", 1, Some(0));
        assert_eq!(table.verdict(), ExitCode::FAILURE);
        let json = table.to_json();
        assert_eq!(json["rows"][2]["exact"], 1, "{json}");
        assert!(
            table
                .to_string()
                .contains("| writes | calls | | 1 | | at most 0 |")
        );
    }

    #[test]
    fn numbers_keep_three_digits() {
        for (value, shown) in [
            (0.1234, "0.123"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (1234.5, "1234"),
        ] {
            assert_eq!(digits(value), shown);
        }
    }
}
