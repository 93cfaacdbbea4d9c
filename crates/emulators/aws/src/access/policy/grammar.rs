//! What a document must look like, and what AWS says when it does not.
//!
//! Source: the IAM user guide's policy grammar. The messages are those of the real IAM as its clients report them;
//! which of two comes first is guessed.

use serde_json::{Map, Value};

use super::parse::{scalar, texts};

/// What a document is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A user's or role's own, a managed policy, or a session's.
    Identity,
    /// Who may assume a role.
    Trust,
    /// Of a bucket, a queue or a function.
    Resource,
}

/// A document's statements after all checks of its form.
pub(super) type Statements<'a> = Vec<&'a Map<String, Value>>;

impl Kind {
    pub(super) fn not_json(self) -> String {
        match self {
            Self::Identity => "Syntax errors in policy.".to_owned(),
            Self::Trust => "This policy contains invalid Json".to_owned(),
            Self::Resource => {
                "Policies must be valid JSON and the first byte must be '{'".to_owned()
            }
        }
    }

    fn syntax(self) -> String {
        match self {
            Self::Identity | Self::Trust => "Syntax errors in policy.".to_owned(),
            Self::Resource => "Policy has invalid syntax".to_owned(),
        }
    }

    pub(super) fn missing(self, field: &str) -> String {
        match (self, field) {
            (Self::Identity, "Action") => "Policy statement must contain actions.".to_owned(),
            (Self::Identity, "Resource") => "Policy statement must contain resources.".to_owned(),
            (Self::Identity, _) => self.syntax(),
            (Self::Trust | Self::Resource, _) => format!("Missing required field {field}"),
        }
    }

    pub(super) fn bad_principal(self, form: &str, name: &str) -> String {
        match self {
            Self::Resource => "Invalid principal in policy".to_owned(),
            Self::Identity | Self::Trust => {
                let form = if form == "Service" { "SERVICE" } else { form };
                format!("Invalid principal in policy: \"{form}\":\"{name}\"")
            }
        }
    }

    pub(super) fn bad_operator(self, name: &str) -> String {
        match self {
            Self::Identity | Self::Trust => "The policy failed legacy parsing".to_owned(),
            Self::Resource => format!("Invalid Condition type : {name}"),
        }
    }
}

/// At most 64 characters of a value, for a message.
pub(super) fn brief(value: &Value) -> String {
    scalar(value).unwrap_or_default().chars().take(64).collect()
}

/// The statements, when the document's form is right.
pub(super) fn statements(
    document: &Map<String, Value>,
    kind: Kind,
) -> Result<Statements<'_>, String> {
    let syntax = || kind.syntax();
    let known = |field: &String| ["Version", "Id", "Statement"].contains(&field.as_str());
    if !document.keys().all(known) {
        return Err(syntax());
    }
    let version = document
        .get("Version")
        .map(|version| version.as_str().unwrap_or_default());
    if !matches!(version, None | Some("2008-10-17" | "2012-10-17")) {
        return Err(syntax());
    }
    let list = match document.get("Statement") {
        Some(Value::Object(one)) => vec![one],
        Some(Value::Array(many)) => many
            .iter()
            .map(|one| one.as_object().ok_or_else(syntax))
            .collect::<Result<_, _>>()?,
        None => return Err(kind.missing("Statement")),
        Some(_) => return Err(syntax()),
    };
    if list.is_empty() {
        return Err(syntax());
    }
    for statement in &list {
        check_form(statement, kind)?;
    }
    if kind == Kind::Identity && version != Some("2012-10-17") {
        return Err("Policy document must be version 2012-10-17 or greater.".to_owned());
    }
    check_sids(&list, kind)?;
    for statement in &list {
        check_content(statement, kind)?;
    }
    Ok(list)
}

/// Fields known and of the right types, no two that exclude each other.
fn check_form(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    const FIELDS: [&str; 9] = [
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ];
    let has = |field: &str| statement.contains_key(field);
    if !statement
        .keys()
        .all(|field| FIELDS.contains(&field.as_str()))
    {
        return Err(kind.syntax());
    }
    match kind {
        Kind::Identity if has("Principal") || has("NotPrincipal") => {
            return Err("Policy document should not specify a principal.".to_owned());
        }
        Kind::Trust if has("Resource") || has("NotResource") => {
            return Err("Has prohibited field Resource".to_owned());
        }
        _ => {}
    }
    for (one, not) in [
        ("Action", "NotAction"),
        ("Resource", "NotResource"),
        ("Principal", "NotPrincipal"),
    ] {
        if has(one) && has(not) {
            return Err(kind.syntax());
        }
    }
    for field in ["Action", "NotAction", "Resource", "NotResource"] {
        let sound = match statement.get(field) {
            None | Some(Value::String(_)) => true,
            Some(Value::Array(many)) => many.iter().all(Value::is_string),
            Some(_) => false,
        };
        if !sound {
            return Err(kind.syntax());
        }
    }
    match statement.get("Effect") {
        None => return Err(kind.missing("Effect")),
        Some(Value::String(effect)) if effect == "Allow" || effect == "Deny" => {}
        Some(_) => return Err(kind.syntax()),
    }
    if !statement.get("Sid").is_none_or(Value::is_string) {
        return Err(kind.syntax());
    }
    check_condition_form(statement.get("Condition"), kind)
}

fn check_condition_form(condition: Option<&Value>, kind: Kind) -> Result<(), String> {
    let Some(condition) = condition else {
        return Ok(());
    };
    let sound_value = |value: &Value| match value {
        Value::Array(many) => many.iter().all(|one| scalar(one).is_some()),
        one => scalar(one).is_some(),
    };
    let sound = condition.as_object().is_some_and(|operators| {
        operators.values().all(|keys| {
            keys.as_object()
                .is_some_and(|keys| keys.values().all(sound_value))
        })
    });
    if sound { Ok(()) } else { Err(kind.syntax()) }
}

fn check_sids(list: &Statements<'_>, kind: Kind) -> Result<(), String> {
    let mut seen = Vec::new();
    for sid in list.iter().filter_map(|one| one.get("Sid")?.as_str()) {
        if sid.is_empty() {
            continue;
        }
        if kind == Kind::Identity && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*".to_owned());
        }
        if seen.contains(&sid) {
            return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
        }
        seen.push(sid);
    }
    Ok(())
}

fn check_content(statement: &Map<String, Value>, kind: Kind) -> Result<(), String> {
    let of = |one: &str, not: &str| {
        let value = statement.get(one).or_else(|| statement.get(not));
        value.filter(|value| texts(value).next().is_some())
    };
    if kind != Kind::Identity && of_principal(statement).is_none() {
        return Err(kind.missing("Principal"));
    }
    let actions = of("Action", "NotAction").ok_or_else(|| kind.missing("Action"))?;
    if kind == Kind::Trust {
        let sts = |action: &str| action.to_ascii_lowercase().starts_with("sts:") || action == "*";
        if !texts(actions).all(sts) {
            return Err("AssumeRole policy may only specify STS AssumeRole actions.".to_owned());
        }
        return Ok(());
    }
    let resources = of("Resource", "NotResource").ok_or_else(|| kind.missing("Resource"))?;
    if kind == Kind::Identity {
        texts(resources).try_for_each(check_resource)?;
    }
    texts(actions).try_for_each(check_action)
}

fn of_principal(statement: &Map<String, Value>) -> Option<&Value> {
    statement
        .get("Principal")
        .or_else(|| statement.get("NotPrincipal"))
}

fn check_action(action: &str) -> Result<(), String> {
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, rest)) = action.split_once(':') else {
        return Err(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.".to_owned(),
        );
    };
    if rest.contains(':') {
        return Err("Actions/Condition can contain only one colon.".to_owned());
    }
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if vendor == "*" || vendor.bytes().all(sound) {
        Ok(())
    } else {
        Err(format!("Vendor {vendor} is not valid"))
    }
}

fn check_resource(resource: &str) -> Result<(), String> {
    if resource == "*" {
        return Ok(());
    }
    let Some((_, rest)) = resource.split_once(':') else {
        return Err(format!(
            "Resource {resource} must be in ARN format or \"*\"."
        ));
    };
    let (partition, rest) = rest.split_once(':').unwrap_or((rest, ""));
    if !["aws", "aws-cn", "aws-us-gov", "*"].contains(&partition) {
        let mut parts = rest
            .splitn(4, ':')
            .map(|part| if part.is_empty() { "*" } else { part });
        let mut next = || parts.next().unwrap_or("*");
        return Err(format!(
            "Partition \"{partition}\" is not valid for resource \"arn:{partition}:{}:{}:{}:{}\".",
            next(),
            next(),
            next(),
            next()
        ));
    }
    let Some((service, rest)) = rest.split_once(':') else {
        return Err(
            "Resource vendor must be fully qualified and cannot contain regexes.".to_owned(),
        );
    };
    match service {
        "iam" if !rest.starts_with(':') => Err(format!(
            "IAM resource {resource} cannot contain region information."
        )),
        "s3" if !rest.starts_with(':') && !rest.starts_with("*:") => Err(format!(
            "Resource {resource} can not contain region information."
        )),
        _ => Ok(()),
    }
}
