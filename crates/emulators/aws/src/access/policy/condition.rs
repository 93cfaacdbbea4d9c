//! `Condition`: operators over context keys.
//!
//! Source: the IAM user guide's reference of condition operators, and its pages on keys with several values.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Context;
use super::pattern::{ArnPattern, Pattern, fill};

/// One operator on one key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) operator: Operator,
    pub(super) key: String,
    pub(super) values: Vec<String>,
    /// Whether values may hold variables.
    pub(super) variables: bool,
}

/// An operator with its prefix and suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) test: Test,
    /// `...Not...`: holds when no value matches.
    pub(super) negated: bool,
    /// `...IfExists`: holds when the key is absent.
    pub(super) if_exists: bool,
    pub(super) set: Set,
}

/// What a key with several values must satisfy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    One,
    /// `ForAllValues:`.
    All,
    /// `ForAnyValue:`.
    Any,
}

/// How one value is compared with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    String,
    StringAnyCase,
    Like,
    Arn,
    Number(Order),
    Date(Order),
    Bool,
    Binary,
    Ip,
    Null,
}

/// Which order of the request's value and the policy's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds<T: PartialOrd>(self, given: T, policy: T) -> bool {
        match self {
            Self::Equal => given == policy,
            Self::Less => given < policy,
            Self::LessOrEqual => given <= policy,
            Self::Greater => given > policy,
            Self::GreaterOrEqual => given >= policy,
        }
    }
}

impl Operator {
    /// Reads an operator's name; `None` when there is no such.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (set, text) = match text.split_once(':') {
            Some(("ForAllValues", rest)) => (Set::All, rest),
            Some(("ForAnyValue", rest)) => (Set::Any, rest),
            Some(_) => return None,
            None => (Set::One, text),
        };
        let (if_exists, text) = match text.strip_suffix("IfExists") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (test, negated) = match text {
            "StringEquals" => (Test::String, false),
            "StringNotEquals" => (Test::String, true),
            "StringEqualsIgnoreCase" => (Test::StringAnyCase, false),
            "StringNotEqualsIgnoreCase" => (Test::StringAnyCase, true),
            "StringLike" => (Test::Like, false),
            "StringNotLike" => (Test::Like, true),
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            "Bool" => (Test::Bool, false),
            "BinaryEquals" => (Test::Binary, false),
            "IpAddress" => (Test::Ip, false),
            "NotIpAddress" => (Test::Ip, true),
            "Null" if !if_exists && set == Set::One => (Test::Null, false),
            _ => {
                let (number, order) = match text.strip_prefix("Numeric") {
                    Some(order) => (true, order),
                    None => (false, text.strip_prefix("Date")?),
                };
                let (order, negated) = match order {
                    "Equals" => (Order::Equal, false),
                    "NotEquals" => (Order::Equal, true),
                    "LessThan" => (Order::Less, false),
                    "LessThanEquals" => (Order::LessOrEqual, false),
                    "GreaterThan" => (Order::Greater, false),
                    "GreaterThanEquals" => (Order::GreaterOrEqual, false),
                    _ => return None,
                };
                let test = if number {
                    Test::Number(order)
                } else {
                    Test::Date(order)
                };
                (test, negated)
            }
        };
        Some(Self {
            test,
            negated,
            if_exists,
            set,
        })
    }
}

impl Condition {
    /// Whether a request satisfies it.
    pub(super) fn holds(&self, context: &(impl Context + ?Sized)) -> bool {
        let Operator {
            test,
            negated,
            if_exists,
            set,
        } = self.operator;
        let given = context.values(&self.key);
        if test == Test::Null {
            return self
                .values
                .iter()
                .any(|value| value.eq_ignore_ascii_case("true") == given.is_empty());
        }
        if given.is_empty() {
            return match set {
                Set::All => true,
                Set::Any => if_exists,
                Set::One => if_exists || negated,
            };
        }
        let holds = |given: &String| {
            let any = self
                .values
                .iter()
                .any(|value| matches(test, given, value, self.variables, context));
            any != negated
        };
        match set {
            Set::All => given.iter().all(holds),
            Set::Any => given.iter().any(holds),
            Set::One if negated => given.iter().all(holds),
            Set::One => given.iter().any(holds),
        }
    }
}

fn matches(
    test: Test,
    given: &str,
    value: &str,
    variables: bool,
    context: &(impl Context + ?Sized),
) -> bool {
    match test {
        Test::Like => Pattern::wild(value, variables).matches(given, context),
        Test::Arn => ArnPattern::new(value, variables).matches(given, context),
        _ => fill(value, variables, context).is_some_and(|value| compare(test, given, &value)),
    }
}

fn compare(test: Test, given: &str, value: &str) -> bool {
    match test {
        Test::String | Test::Binary => given == value,
        Test::StringAnyCase => given.to_lowercase() == value.to_lowercase(),
        Test::Bool => given.eq_ignore_ascii_case(value),
        Test::Number(order) => match (given.trim().parse::<f64>(), value.trim().parse::<f64>()) {
            (Ok(given), Ok(value)) => order.holds(given, value),
            _ => false,
        },
        Test::Date(order) => match (moment(given), moment(value)) {
            (Some(given), Some(value)) => order.holds(given, value),
            _ => false,
        },
        Test::Ip => in_range(given, value),
        // Patterns and absence are looked at before.
        Test::Like | Test::Arn | Test::Null => false,
    }
}

/// ISO 8601, with or without the time of day, or seconds since 1970.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = text.parse() {
        return Timestamp::from_second(seconds).ok();
    }
    text.parse().ok().or_else(|| {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    })
}

/// Whether an address is in a range of the form `192.0.2.0/24`, or is that address.
fn in_range(given: &str, range: &str) -> bool {
    let (network, length) = match range.split_once('/') {
        Some((network, length)) => (network, Some(length)),
        None => (range, None),
    };
    let (Ok(given), Ok(network)) = (given.parse::<IpAddr>(), network.parse::<IpAddr>()) else {
        return false;
    };
    let (given, network, bits) = match (given, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    match length.map_or(Ok(bits), str::parse::<u32>) {
        Ok(0) => true,
        Ok(length) if length <= bits => (given ^ network) >> (bits - length) == 0,
        _ => false,
    }
}
