//! `native("lambda", {...})`: members of Lambda's own configuration that the contract has no field for.

use anyport_core::error::{Violation, Violations};
use anyport_core::spec::Spec;
use aws_sdk_lambda::types::{
    ApplicationLogLevel, EphemeralStorage, FileSystemConfig, FunctionConfiguration, LogFormat,
    LoggingConfig, SnapStart, SnapStartApplyOn, SystemLogLevel, TracingConfig, TracingMode,
};
use serde_json::{Map, Value, json};

/// The product's name in a spec.
pub(crate) const PRODUCT: &str = "lambda";

/// The members that may be given, each with the letter that a description names it by.
const MEMBERS: [(&str, char); 6] = [
    ("EphemeralStorage", 'e'),
    ("FileSystemConfigs", 'f'),
    ("Layers", 'l'),
    ("LoggingConfig", 'g'),
    ("SnapStart", 's'),
    ("TracingConfig", 't'),
];

/// The letters of all members.
pub(crate) const ALL: &str = "eflgst";

/// The letters of the members in the text of a field.
pub(crate) fn letters_in(text: &str) -> String {
    let members: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    letters_of(&members)
}

/// The members as the SDK takes them; what is absent is left as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Native {
    pub(crate) storage: Option<EphemeralStorage>,
    pub(crate) files: Option<Vec<FileSystemConfig>>,
    pub(crate) layers: Option<Vec<String>>,
    pub(crate) logging: Option<LoggingConfig>,
    pub(crate) snap_start: Option<SnapStart>,
    pub(crate) tracing: Option<TracingConfig>,
}

/// The letters of the members that `spec` asks for.
pub(crate) fn letters(spec: &Spec) -> String {
    let Some(Value::Object(members)) = spec.native.get(PRODUCT) else {
        return String::new();
    };
    letters_of(members)
}

fn letters_of(members: &Map<String, Value>) -> String {
    let there = MEMBERS
        .iter()
        .filter(|(name, _)| members.contains_key(*name));
    there.map(|(_, letter)| letter).collect()
}

/// What `spec` asks for, and for members that it no longer asks for (`before`, as letters) Lambda's defaults.
///
/// # Errors
/// Every member that is not known, or has not the shape that Lambda's model gives it.
pub(crate) fn read(spec: &Spec, before: &str) -> Result<Native, Violations> {
    let mut native = Native::default();
    let mut found = Violations::none();
    let empty = Map::new();
    let members = match spec.native.get(PRODUCT) {
        None => &empty,
        Some(Value::Object(members)) => members,
        Some(_) => {
            let rule = "must be an object of members of Lambda's function configuration";
            found.push(Violation::new("native.lambda", rule).nearest("{}"));
            &empty
        }
    };
    for (name, value) in members {
        if let Err(violation) = member(&mut native, name, value) {
            found.push(violation);
        }
    }
    for (name, letter) in MEMBERS {
        if before.contains(letter) && !members.contains_key(name) {
            // A default has the right shape.
            let _ = member(&mut native, name, &default(name));
        }
    }
    found.or(native)
}

/// What Lambda gives a function that does not ask. Source: Lambda API model.
fn default(name: &str) -> Value {
    match name {
        "EphemeralStorage" => json!({"Size": 512}),
        "LoggingConfig" => json!({"LogFormat": "Text"}),
        "SnapStart" => json!({"ApplyOn": "None"}),
        "TracingConfig" => json!({"Mode": "PassThrough"}),
        _ => json!([]),
    }
}

fn member(native: &mut Native, name: &str, value: &Value) -> Result<(), Violation> {
    match name {
        "EphemeralStorage" => {
            let shape = Shape::of(name, value, &["Size"])?;
            let size = shape.number("Size", 512, 10_240)?;
            let storage = EphemeralStorage::builder().size(size).build();
            native.storage = Some(storage.map_err(|_| shape.wrong("Size", "must be given"))?);
        }
        "FileSystemConfigs" => {
            let mut all = Vec::new();
            for item in list(name, value)? {
                let shape = Shape::of(name, item, &["Arn", "LocalMountPath"])?;
                let config = FileSystemConfig::builder()
                    .arn(shape.text("Arn")?)
                    .local_mount_path(shape.text("LocalMountPath")?)
                    .build();
                all.push(config.map_err(|_| shape.wrong("Arn", "must be given"))?);
            }
            native.files = Some(all);
        }
        "Layers" => {
            let mut all = Vec::new();
            for item in list(name, value)? {
                let arn = item.as_str().ok_or_else(|| {
                    Violation::new("native.lambda.Layers", "must be ARNs of layer versions")
                })?;
                all.push(arn.to_owned());
            }
            native.layers = Some(all);
        }
        "LoggingConfig" => {
            const KEYS: [&str; 3] = ["LogFormat", "ApplicationLogLevel", "SystemLogLevel"];
            let shape = Shape::of(name, value, &KEYS)?;
            let config = LoggingConfig::builder()
                .set_log_format(
                    shape
                        .word("LogFormat", LogFormat::values())?
                        .map(Into::into),
                )
                .set_application_log_level(
                    shape
                        .word("ApplicationLogLevel", ApplicationLogLevel::values())?
                        .map(Into::into),
                )
                .set_system_log_level(
                    shape
                        .word("SystemLogLevel", SystemLogLevel::values())?
                        .map(Into::into),
                );
            native.logging = Some(config.build());
        }
        "SnapStart" => {
            let shape = Shape::of(name, value, &["ApplyOn"])?;
            let apply = shape.word("ApplyOn", SnapStartApplyOn::values())?;
            let config = SnapStart::builder().set_apply_on(apply.map(Into::into));
            native.snap_start = Some(config.build());
        }
        "TracingConfig" => {
            let shape = Shape::of(name, value, &["Mode"])?;
            let mode = shape.word("Mode", TracingMode::values())?;
            let config = TracingConfig::builder().set_mode(mode.map(Into::into));
            native.tracing = Some(config.build());
        }
        other => {
            let near = MEMBERS
                .iter()
                .map(|(name, _)| *name)
                .max_by(|a, b| strsim::jaro(a, other).total_cmp(&strsim::jaro(b, other)));
            return Err(Violation::new(
                format!("native.lambda.{other}"),
                "is not a member that can be given here",
            )
            .value(other)
            .nearest(near.unwrap_or_default()));
        }
    }
    Ok(())
}

fn list<'a>(name: &str, value: &'a Value) -> Result<&'a Vec<Value>, Violation> {
    value
        .as_array()
        .ok_or_else(|| Violation::new(format!("native.lambda.{name}"), "must be a list"))
}

/// One object of the configuration.
struct Shape<'a> {
    name: &'a str,
    members: &'a Map<String, Value>,
}

impl<'a> Shape<'a> {
    fn of(name: &'a str, value: &'a Value, keys: &[&str]) -> Result<Self, Violation> {
        let field = format!("native.lambda.{name}");
        let expected = || format!("must be an object of {}", keys.join(", "));
        let Value::Object(members) = value else {
            return Err(Violation::new(field, expected()));
        };
        match members.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(other) => Err(Violation::new(format!("{field}.{other}"), expected()).value(other)),
            None => Ok(Self { name, members }),
        }
    }

    fn wrong(&self, key: &str, rule: &str) -> Violation {
        Violation::new(format!("native.lambda.{}.{key}", self.name), rule)
    }

    fn text(&self, key: &str) -> Result<&'a str, Violation> {
        let text = self.members.get(key).and_then(Value::as_str);
        text.ok_or_else(|| self.wrong(key, "must be text"))
    }

    fn number(&self, key: &str, least: i32, most: i32) -> Result<i32, Violation> {
        let number = self.members.get(key).and_then(Value::as_i64);
        number
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                self.wrong(key, &format!("must be {least} to {most}"))
                    .nearest(least)
            })
    }

    fn word(&self, key: &str, words: &[&'static str]) -> Result<Option<&'a str>, Violation> {
        match self.members.get(key) {
            None => Ok(None),
            Some(Value::String(word)) if words.contains(&word.as_str()) => Ok(Some(word)),
            Some(other) => Err(self
                .wrong(key, &format!("must be {}", words.join(" or ")))
                .value(other)),
        }
    }
}

/// The members that were asked, as they are there; none when none was.
pub(crate) fn seen(config: &FunctionConfiguration, letters: &str) -> Option<Value> {
    let mut members = Map::new();
    for (name, letter) in MEMBERS {
        if letters.contains(letter) {
            members.insert(name.to_owned(), actual(config, name));
        }
    }
    (!members.is_empty()).then_some(Value::Object(members))
}

/// Every member as it is there: part of what tells two releases apart.
pub(crate) fn all(config: &FunctionConfiguration) -> Value {
    let each = MEMBERS.map(|(name, _)| (name.to_owned(), actual(config, name)));
    Value::Object(each.into_iter().collect())
}

fn actual(config: &FunctionConfiguration, name: &str) -> Value {
    let mut object = Map::new();
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            object.insert(key.to_owned(), Value::from(value));
        }
    };
    match name {
        "EphemeralStorage" => {
            let size = config
                .ephemeral_storage()
                .map_or(512, EphemeralStorage::size);
            return json!({"Size": size});
        }
        "FileSystemConfigs" => {
            let each = |it: &FileSystemConfig| json!({"Arn": it.arn(), "LocalMountPath": it.local_mount_path()});
            return config.file_system_configs().iter().map(each).collect();
        }
        "Layers" => {
            let arns = config.layers().iter().filter_map(|layer| layer.arn());
            return arns.map(Value::from).collect();
        }
        "LoggingConfig" => match config.logging_config() {
            Some(logging) => {
                let level = logging.application_log_level();
                put(
                    "ApplicationLogLevel",
                    level.map(ApplicationLogLevel::as_str),
                );
                put("LogFormat", logging.log_format().map(LogFormat::as_str));
                let level = logging.system_log_level();
                put("SystemLogLevel", level.map(SystemLogLevel::as_str));
            }
            None => put("LogFormat", Some("Text")),
        },
        "SnapStart" => {
            let apply = config.snap_start().and_then(|snap| snap.apply_on());
            put(
                "ApplyOn",
                Some(apply.map_or("None", SnapStartApplyOn::as_str)),
            );
        }
        _ => {
            let mode = config.tracing_config().and_then(|tracing| tracing.mode());
            put(
                "Mode",
                Some(mode.map_or("PassThrough", TracingMode::as_str)),
            );
        }
    }
    Value::Object(object)
}

/// Whether what is there is what was asked: members that Lambda adds by itself do not count.
pub(crate) fn same(asked: &Value, there: &Value) -> bool {
    match (asked, there) {
        (Value::Object(asked), Value::Object(there)) => asked
            .iter()
            .all(|(key, value)| there.get(key).is_some_and(|there| same(value, there))),
        (asked, there) => asked == there,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyport_core::Digest;
    use anyport_core::spec::{Artifact, Packaging, Protocol};

    fn spec(native: Value) -> Spec {
        let protocol = Protocol::RuntimeApi;
        let artifact = Artifact::new(Packaging::Zip { protocol }, Digest::of(b"zip"));
        let builder = Spec::builder("hello", artifact).native(PRODUCT, native);
        builder.build().unwrap()
    }

    #[test]
    fn what_is_asked_is_read_and_found_again() {
        let asked =
            json!({"TracingConfig": {"Mode": "Active"}, "EphemeralStorage": {"Size": 1024}});
        let spec = spec(asked.clone());
        let native = read(&spec, "").unwrap();
        assert_eq!(
            (native.layers.clone(), letters(&spec).as_str()),
            (None, "et")
        );
        let there = FunctionConfiguration::builder()
            .ephemeral_storage(native.storage.unwrap())
            .tracing_config(
                aws_sdk_lambda::types::TracingConfigResponse::builder()
                    .mode(TracingMode::Active)
                    .build(),
            )
            .build();
        assert_eq!(seen(&there, "et"), Some(asked.clone()));
        assert!(same(&asked, &all(&there)));
        let other = FunctionConfiguration::builder().build();
        assert!(!same(&asked, &seen(&other, "et").unwrap()));
    }

    #[test]
    fn every_wrong_member_is_named_at_once_with_the_nearest() {
        let spec = spec(json!({
            "TracingConfg": {}, "EphemeralStorage": {"Size": 100}, "SnapStart": {"ApplyOn": "Always"},
            "LoggingConfig": {"LogGroup": "elsewhere"}, "Layers": "arn"
        }));
        let found = read(&spec, "").unwrap_err();
        let fields: Vec<_> = found.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "native.lambda.EphemeralStorage.Size",
                "native.lambda.Layers",
                "native.lambda.LoggingConfig.LogGroup",
                "native.lambda.SnapStart.ApplyOn",
                "native.lambda.TracingConfg",
            ]
        );
        assert!(
            found
                .iter()
                .any(|it| it.nearest.as_deref() == Some("TracingConfig"))
        );
    }

    #[test]
    fn what_is_no_longer_asked_goes_back_to_the_default() {
        let native = read(&spec(json!({})), "el").unwrap();
        assert_eq!(native.storage.map(|it| it.size()), Some(512));
        assert_eq!((native.layers, native.tracing), (Some(vec![]), None));
    }
}
