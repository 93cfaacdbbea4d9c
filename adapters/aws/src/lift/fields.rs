//! A function's configuration in the same fields that a spec has.

use anyport_core::Digest;
use anyport_core::spec::{DataClass, Delivery, FieldValue, Fields, Network, Runtime};
use aws_sdk_lambda::types::{FunctionConfiguration, PackageType};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::json;

use crate::lower::{self, CUSTOM_RUNTIMES};
use crate::native;
use crate::sight::Sight;
use crate::words::{Form, Words};

/// The fields of one version or the draft, with what holds for the function as a whole.
///
/// `role` is the role of a spec that names none.
pub(crate) fn fields(sight: &Sight, config: &FunctionConfiguration, role: Option<&str>) -> Fields {
    // How references were written is frozen with the version; the rest holds for the function.
    let own = Words::read(config.description().unwrap_or_default());
    let whole = Words::read(sight.draft.description().unwrap_or_default());
    let mut fields = Fields::new();
    version(&mut fields, config, &own, role);
    function(&mut fields, sight, &whole);
    fields
}

fn plain(fields: &mut Fields, path: &str, value: impl ToString) {
    fields.insert(path.to_owned(), FieldValue::Plain(value.to_string()));
}

fn version(fields: &mut Fields, config: &FunctionConfiguration, words: &Words, role: Option<&str>) {
    if let Some(digest) = digest(config) {
        plain(fields, "artifact.digest", digest);
    }
    plain(fields, "artifact.arch", super::arch(config));
    starts(fields, config, words);
    plain(fields, "kind", "function");
    plain(fields, "concurrency", 1);
    plain(fields, "min_instances", 0);
    plain(fields, "memory_mb", config.memory_size().unwrap_or(128));
    let seconds = u64::try_from(config.timeout().unwrap_or(3)).unwrap_or_default();
    plain(fields, "timeout_ms", seconds * 1000);
    if let Some(actual) = config.role()
        && (words.identity.is_some() || !is_role(actual, role))
    {
        plain(fields, "identity", short(actual, words.identity));
    }
    if let Some(key) = config.kms_key_arn().filter(|key| !key.is_empty()) {
        plain(fields, "encryption_key", short(key, words.key));
    }
    if let Some(network) = network(config) {
        plain(
            fields,
            "network",
            serde_json::to_string(&network).unwrap_or_default(),
        );
    }
    if let Some(native) = native::seen(config, &words.native) {
        plain(fields, &format!("native.{}", native::PRODUCT), native);
    }
    let variables = config.environment().and_then(|it| it.variables());
    for (name, value) in variables.into_iter().flatten() {
        fields.insert(format!("env.{name}"), FieldValue::Hidden(value.clone()));
    }
}

/// Whether a role's ARN is that of the reference.
fn is_role(arn: &str, reference: Option<&str>) -> bool {
    reference.is_some_and(|reference| {
        let name = reference.strip_prefix("role/").unwrap_or(reference);
        arn == reference || arn.split_once(":role/").is_some_and(|(_, it)| it == name)
    })
}

/// What is inside the artifact and how it starts.
fn starts(fields: &mut Fields, config: &FunctionConfiguration, words: &Words) {
    let runtime = config.runtime().map_or("", |runtime| runtime.as_str());
    if config.package_type() == Some(&PackageType::Image) {
        plain(fields, "artifact.kind", "image");
    } else if let Ok(actual) = runtime.parse::<Runtime>() {
        plain(fields, "artifact.kind", "bundle");
        let asked = words.runtime.as_deref();
        let asked = asked.and_then(|text| text.parse::<Runtime>().ok());
        let asked = asked.filter(|asked| lower::satisfies(asked, runtime));
        plain(fields, "artifact.runtime", asked.unwrap_or(actual));
        plain(
            fields,
            "artifact.handler",
            config.handler().unwrap_or_default(),
        );
    } else if runtime.starts_with(CUSTOM_RUNTIMES) {
        plain(fields, "artifact.kind", "zip");
        plain(fields, "artifact.protocol", "runtime-api");
    } else {
        // A language that the contract does not know.
        plain(fields, "artifact.kind", runtime);
    }
}

/// Fields of the latest release that a rollback does not take back.
fn function(fields: &mut Fields, sight: &Sight, words: &Words) {
    plain(fields, "protect", words.protect);
    let data = match words.data {
        DataClass::Public => "public",
        DataClass::Personal => "personal",
        _ => "internal",
    };
    plain(fields, "data", data);
    let usual = Delivery::default();
    let backoff = words.backoff_ms.map_or_else(
        || usual.backoff.as_millis().to_string(),
        |millis| millis.to_string(),
    );
    plain(fields, "delivery.backoff_ms", backoff);
    let (attempts, age) = match &sight.delivery {
        Some(delivery) => (delivery.attempts, delivery.max_age_s),
        None => (usual.attempts, usual.max_age.as_secs()),
    };
    plain(fields, "delivery.attempts", attempts);
    plain(fields, "delivery.max_age_s", age);
    if let Some(max) = sight.reserved {
        plain(fields, "max_instances", max);
    }
    if let Some(days) = sight.retention {
        plain(fields, "log_retention_days", days);
    }
    for (key, value) in &sight.tags {
        if words.has_tag(key) {
            plain(fields, &format!("tags.{key}"), value);
        }
    }
}

/// The digest of the code.
pub(crate) fn digest(config: &FunctionConfiguration) -> Option<Digest> {
    let sum = BASE64.decode(config.code_sha256()?.as_bytes()).ok()?;
    Some(Digest::from_sha256(sum.try_into().ok()?))
}

/// A reference in the form in which it was asked.
fn short(arn: &str, form: Option<Form>) -> String {
    let part = arn.splitn(6, ':').nth(5).unwrap_or(arn);
    match form {
        None | Some(Form::Arn) => arn,
        Some(Form::Part) => part,
        Some(Form::Name) => part.split_once('/').map_or(part, |(_, name)| name),
    }
    .to_owned()
}

fn network(config: &FunctionConfiguration) -> Option<Network> {
    let vpc = config.vpc_config()?;
    if vpc.subnet_ids().is_empty() && vpc.security_group_ids().is_empty() {
        return None;
    }
    let mut network = Network::default();
    network.subnets = vpc.subnet_ids().to_vec();
    network.security_groups = vpc.security_group_ids().to_vec();
    Some(network)
}

/// A digest of all that a version holds: a draft with the same one has nothing that no version has.
pub(crate) fn content(config: &FunctionConfiguration) -> String {
    let variables = config.environment().and_then(|it| it.variables());
    let variables: std::collections::BTreeMap<_, _> = variables.into_iter().flatten().collect();
    let network = network(config).map(|mut network| {
        network.subnets.sort();
        network.security_groups.sort();
        network
    });
    let all = json!([
        config.code_sha256(),
        super::arch(config),
        config.runtime().map(|runtime| runtime.as_str()),
        config.handler(),
        config.description(),
        config.memory_size(),
        config.timeout(),
        config.role(),
        config.kms_key_arn().filter(|key| !key.is_empty()),
        network,
        variables,
        native::all(config),
    ]);
    HEXLOWER.encode(&Digest::of(all.to_string().as_bytes()).as_bytes()[..16])
}
