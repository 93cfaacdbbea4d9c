//! Checks the shape of a manifest against the published JSON Schema: keys, types, choices. Every problem at once, each with its place.
//!
//! The schema file is the one source: what an editor shows, what is enforced here, and (by a test) what the types in `document` take.
//! Only the keywords that those types give rise to are understood.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::nearest::suggestion;
use super::{FORMAT, SCHEMA};

pub(super) fn check(table: &Spanned<DeTable<'_>>, found: &mut Diagnostics) {
    if let Some(newer) = newer_format(table) {
        // Nothing that a newer format allows can be judged by this one's rules.
        found.push(newer);
        return;
    }
    let root: Value = serde_json::from_str(SCHEMA).unwrap_or_default();
    let mut work = Work {
        root: &root,
        path: Vec::new(),
        found,
    };
    work.table(&root, None, table.get_ref());
}

fn newer_format(table: &Spanned<DeTable<'_>>) -> Option<Diagnostic> {
    let schema = table.get_ref().get("schema")?;
    let number = integer(schema.get_ref())?;
    (number > i128::from(FORMAT)).then(|| {
        Diagnostic::new(
            "newer_format",
            format!("the manifest is of format {number}, this Anyport reads format {FORMAT}"),
        )
        .help("update Anyport")
        .at(Some(schema.span()))
    })
}

fn integer(value: &DeValue<'_>) -> Option<i128> {
    let integer = value.as_integer()?;
    i128::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

struct Work<'a> {
    root: &'a Value,
    path: Vec<String>,
    found: &'a mut Diagnostics,
}

impl<'a> Work<'a> {
    /// Follows references, which schemas of named types are behind.
    fn resolve(&self, schema: &'a Value) -> &'a Value {
        schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| self.root.pointer(reference.trim_start_matches('#')))
            .unwrap_or(schema)
    }

    fn value(
        &mut self,
        schema: &'a Value,
        value: &Spanned<DeValue<'_>>,
        key: std::ops::Range<usize>,
    ) {
        let schema = self.resolve(schema);
        if let Some(choices) = choices(schema) {
            self.choice(&choices, value);
            return;
        }
        let wanted = schema.get("type").and_then(Value::as_str);
        match (wanted, value.get_ref()) {
            (Some("object"), DeValue::Table(table)) => self.table(schema, Some(key), table),
            (Some("array"), DeValue::Array(items)) => {
                let Some(of) = schema.get("items") else {
                    return;
                };
                for (index, item) in items.iter().enumerate() {
                    self.path.push(index.to_string());
                    self.value(of, item, item.span());
                    self.path.pop();
                }
            }
            (Some("integer"), number @ DeValue::Integer(_)) => {
                self.range(schema, integer(number), value);
            }
            (Some("string"), DeValue::String(_)) | (Some("boolean"), DeValue::Boolean(_)) => {}
            (Some(wanted), other) => {
                let message = format!(
                    "{} must be {}, here is {}",
                    self.here(),
                    words(wanted),
                    article(other.type_str())
                );
                let mut problem = Diagnostic::new("wrong_type", message).at(Some(value.span()));
                if let (Some(help), DeValue::String(text)) = (unquote(wanted, other), other) {
                    problem = problem.help(format!("{help}: {text}"));
                }
                self.found.push(problem);
            }
            (None, other) => self.anything(other, value),
        }
    }

    /// A table with fixed keys, or one with names of the user's own.
    fn table(
        &mut self,
        schema: &'a Value,
        at: Option<std::ops::Range<usize>>,
        table: &DeTable<'_>,
    ) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let named = schema
            .get("additionalProperties")
            .filter(|names| **names != Value::Bool(false));
        for (key, value) in table {
            let name: &str = key.get_ref();
            let of = properties.and_then(|known| known.get(name)).or(named);
            match (of, properties) {
                (Some(of), _) => {
                    self.path.push(name.to_owned());
                    self.value(of, value, key.span());
                    self.path.pop();
                }
                (None, Some(known)) => {
                    let known = known.keys().map(String::as_str);
                    self.found.push(
                        Diagnostic::new(
                            "unknown_key",
                            format!("unknown key `{name}` in {}", self.here()),
                        )
                        .help(suggestion(name, "the keys here are", known))
                        .at(Some(key.span())),
                    );
                }
                (None, None) => {}
            }
        }
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !table.contains_key(name) {
                self.found.push(
                    Diagnostic::new("missing_key", format!("{} has no `{name}`", self.here()))
                        .help(missing_help(name))
                        .at(at.clone()),
                );
            }
        }
    }

    fn choice(&mut self, choices: &[&str], value: &Spanned<DeValue<'_>>) {
        let text = value.get_ref().as_str();
        if text.is_some_and(|text| choices.contains(&text)) {
            return;
        }
        let problem = Diagnostic::new(
            "wrong_value",
            format!("{} must be one of {}", self.here(), choices.join(", ")),
        );
        let near = text.and_then(|text| super::nearest(text, choices.iter().copied()));
        let problem = match near {
            Some(name) => problem.help(format!("did you mean `{name}`?")),
            None => problem,
        };
        self.found.push(problem.at(Some(value.span())));
    }

    fn range(&mut self, schema: &Value, number: Option<i128>, value: &Spanned<DeValue<'_>>) {
        let (least, most) = limits(schema);
        if number.is_some_and(|number| (least..=most).contains(&number)) {
            return;
        }
        self.found.push(
            Diagnostic::new(
                "wrong_value",
                format!(
                    "{} must be a whole number from {least} to {most}",
                    self.here()
                ),
            )
            .at(Some(value.span())),
        );
    }

    /// Values that are passed on as JSON: all but what JSON does not have.
    fn anything(&mut self, value: &DeValue<'_>, at: &Spanned<DeValue<'_>>) {
        let missing = match value {
            DeValue::Datetime(_) => Some("dates; write it as a string"),
            DeValue::Float(number) if !number.as_str().parse().is_ok_and(f64::is_finite) => {
                Some("such number")
            }
            DeValue::Array(items) => {
                for item in items {
                    self.anything(item.get_ref(), item);
                }
                None
            }
            DeValue::Table(table) => {
                for item in table.values() {
                    self.anything(item.get_ref(), item);
                }
                None
            }
            _ => None,
        };
        if let Some(what) = missing {
            let message = format!("{} is passed on as JSON, which has no {what}", self.here());
            self.found
                .push(Diagnostic::new("wrong_value", message).at(Some(at.span())));
        }
    }

    /// Where we are, in the manifest's own words.
    fn here(&self) -> String {
        match self.path.as_slice() {
            [] => "the manifest".to_owned(),
            [kind, name] if kind == "function" || kind == "service" => format!("{kind} `{name}`"),
            path => format!("`{}`", path.join(".")),
        }
    }
}

fn choices(schema: &Value) -> Option<Vec<&str>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return Some(list.iter().filter_map(Value::as_str).collect());
    }
    let list = schema.get("oneOf")?.as_array()?;
    Some(
        list.iter()
            .filter_map(|one| one.get("const")?.as_str())
            .collect(),
    )
}

fn limits(schema: &Value) -> (i128, i128) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    (
        bound("minimum").unwrap_or(i64::MIN).into(),
        bound("maximum").unwrap_or(i64::MAX).into(),
    )
}

fn words(wanted: &str) -> &'static str {
    match wanted {
        "object" => "a table",
        "array" => "a list",
        "integer" => "a whole number",
        "boolean" => "true or false",
        _ => "a string in quotes",
    }
}

fn article(found: &str) -> String {
    let article = if found.starts_with(['a', 'i']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {found}")
}

/// Advice for a value that is only wrong because it stands in quotes.
fn unquote(wanted: &str, found: &DeValue<'_>) -> Option<&'static str> {
    let text = found.as_str()?;
    let right = match wanted {
        "integer" => text.parse::<i64>().is_ok(),
        "boolean" => text.parse::<bool>().is_ok(),
        _ => false,
    };
    right.then_some("leave out the quotes")
}

fn missing_help(name: &str) -> &'static str {
    match name {
        "schema" => "add `schema = 1` as the first line",
        "app" => "add `app = \"NAME\"`: with the environment it marks what is deployed as yours",
        "source" => {
            "add a source, such as `source = { cargo = \"PACKAGE\" }` or `source = { dir = \".\", runtime = \"python3\", handler = \"app.handler\" }`"
        }
        _ => "add it",
    }
}
