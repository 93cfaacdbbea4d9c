//! From a document's text to a [`Policy`].

use serde_json::{Map, Value};

use super::condition::{Condition, Operator};
use super::grammar::{self, Kind};
use super::pattern::{ArnPattern, Pattern};
use super::principal::{Principal, Principals};
use super::{Listed, Policy, Statement};

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// What AWS says to a document that is none of this kind.
    pub(crate) fn parse(text: &str, kind: Kind) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|_| kind.not_json())?;
        Self::from_value(&value, kind)
    }

    /// Reads a document that is JSON already.
    ///
    /// # Errors
    /// What AWS says to a document that is none of this kind.
    pub(crate) fn from_value(value: &Value, kind: Kind) -> Result<Self, String> {
        let document = value.as_object().ok_or_else(|| kind.not_json())?;
        let statements = grammar::statements(document, kind)?;
        // Variables came with this version; in older documents they stand for themselves.
        let variables = document.get("Version").and_then(Value::as_str) == Some("2012-10-17");
        let read = |statement: &&Map<String, Value>| read_statement(statement, kind, variables);
        let statements: Vec<Statement> = statements.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// The ARNs that it names as principals.
    pub(crate) fn principal_arns(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .filter_map(|statement| statement.principals.as_ref())
            .flat_map(|listed| &listed.what.0)
            .filter_map(|principal| match principal {
                Principal::Arn(arn) => Some(arn.as_str()),
                _ => None,
            })
    }

    /// Whether an allowing statement is open to everybody, on no condition. For S3's and Lambda's notion of public.
    pub(crate) fn is_public(&self) -> bool {
        self.statements.iter().any(|statement| {
            let everybody = statement.principals.as_ref().is_some_and(|listed| {
                listed.others || listed.what.0.contains(&Principal::Everybody)
            });
            statement.allows && everybody && statement.conditions.is_empty()
        })
    }
}

fn read_statement(
    statement: &Map<String, Value>,
    kind: Kind,
    variables: bool,
) -> Result<Statement, String> {
    let wild = |text: &str| Pattern::wild(text, variables);
    let actions = listed(statement, "Action", "NotAction")
        .map(|(others, value)| Listed {
            others,
            what: texts(value).map(wild).collect(),
        })
        .ok_or_else(|| kind.missing("Action"))?;
    let resources = listed(statement, "Resource", "NotResource").map(|(others, value)| Listed {
        others,
        what: texts(value)
            .map(|text| ArnPattern::new(text, variables))
            .collect(),
    });
    let principals = match listed(statement, "Principal", "NotPrincipal") {
        Some((others, value)) => Some(Listed {
            others,
            what: Principals(read_principals(value, kind)?),
        }),
        None => None,
    };
    Ok(Statement {
        allows: statement.get("Effect").and_then(Value::as_str) == Some("Allow"),
        principals,
        actions,
        resources,
        conditions: read_conditions(statement.get("Condition"), kind, variables)?,
    })
}

/// The member of either name, and whether it was the second.
fn listed<'a>(
    statement: &'a Map<String, Value>,
    name: &str,
    not: &str,
) -> Option<(bool, &'a Value)> {
    match statement.get(name) {
        Some(value) => Some((false, value)),
        None => statement.get(not).map(|value| (true, value)),
    }
}

/// One text, or those of a list.
pub(super) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let many = value.as_array().map(Vec::as_slice).unwrap_or_default();
    value
        .as_str()
        .into_iter()
        .chain(many.iter().filter_map(Value::as_str))
}

fn read_principals(value: &Value, kind: Kind) -> Result<Vec<Principal>, String> {
    if value.as_str() == Some("*") {
        return Ok(vec![Principal::Everybody]);
    }
    let forms = value
        .as_object()
        .filter(|forms| !forms.is_empty())
        .ok_or_else(|| kind.bad_principal("AWS", &grammar::brief(value)))?;
    let mut principals = Vec::new();
    for (form, names) in forms {
        if texts(names).next().is_none() {
            return Err(kind.bad_principal(form, &grammar::brief(names)));
        }
        for name in texts(names) {
            let principal = read_principal(form, name);
            principals.push(principal.ok_or_else(|| kind.bad_principal(form, name))?);
        }
    }
    Ok(principals)
}

fn read_principal(form: &str, name: &str) -> Option<Principal> {
    match form {
        "AWS" if name == "*" => Some(Principal::Everybody),
        "AWS" if is_account(name) => Some(Principal::Account(name.to_owned())),
        "AWS" => {
            let mut parts = name.splitn(6, ':');
            let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
            let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
            let sound =
                arn == "arn" && partition == "aws" && region.is_empty() && is_account(account);
            match (sound, service, resource) {
                (true, "iam", "root") => Some(Principal::Account(account.to_owned())),
                (true, "iam", resource)
                    if resource.starts_with("user/") || resource.starts_with("role/") =>
                {
                    Some(Principal::Arn(name.to_owned()))
                }
                (true, "sts", resource) if resource.starts_with("assumed-role/") => {
                    Some(Principal::Arn(name.to_owned()))
                }
                _ => None,
            }
        }
        "Service" => {
            let service = name.strip_suffix(".amazonaws.com")?;
            let known = !service.is_empty()
                && service.bytes().all(|byte| {
                    byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-*".contains(&byte)
                });
            known.then(|| Principal::Service(Pattern::wild(name, false)))
        }
        "Federated" | "CanonicalUser" => Some(Principal::Other),
        _ => None,
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_conditions(
    value: Option<&Value>,
    kind: Kind,
    variables: bool,
) -> Result<Vec<Condition>, String> {
    let mut conditions = Vec::new();
    let operators = value.and_then(Value::as_object).into_iter().flatten();
    for (name, keys) in operators {
        let operator = Operator::parse(name).ok_or_else(|| kind.bad_operator(name))?;
        for (key, values) in keys.as_object().into_iter().flatten() {
            let many = std::slice::from_ref(values);
            let many = values.as_array().map_or(many, Vec::as_slice);
            conditions.push(Condition {
                operator,
                key: key.clone(),
                values: many.iter().filter_map(scalar).collect(),
                variables,
            });
        }
    }
    Ok(conditions)
}

/// A condition's value, which may be written as text, number or truth value.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}
