//! What `CreateFunction` and `UpdateFunctionConfiguration` set.

use serde_json::json;

use crate::answer::ApiError;

use super::super::errors;
use super::super::version::{Logging, Settings, Variables, Vpc};
use super::input::Input;
use super::runtimes;

/// Most seconds of one call. Source: Lambda developer guide, quotas (the model allows 5400, for functions
/// on managed instances).
const MAX_TIMEOUT: u32 = 900;

/// Most MiB of memory and of `/tmp`. Source: the same.
const MAX_MIB: u32 = 10_240;

/// Bytes of all variables together, as JSON.
const MAX_ENVIRONMENT: usize = 4096;

/// Variables that Lambda sets itself. Source: Lambda developer guide, reserved environment variables.
const RESERVED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// The settings of a function that says no more than what it must.
///
/// # Errors
/// It does not say that.
pub(super) fn first(name: &str, input: Input<'_>) -> Result<Settings, ApiError> {
    let (Some(runtime), Some(handler)) = (input.text("Runtime"), input.text("Handler")) else {
        return Err(errors::invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    };
    let settings = Settings {
        description: String::new(),
        role: input.string("Role"),
        runtime: runtime.to_owned(),
        handler: handler.to_owned(),
        timeout: 3,
        memory: 128,
        architecture: "x86_64".to_owned(),
        ephemeral_storage: 512,
        environment: None,
        kms_key: None,
        dead_letter: None,
        tracing: "PassThrough".to_owned(),
        vpc: None,
        logging: Logging::of(name),
        snap_start: "None".to_owned(),
    };
    with(settings, name, input)
}

/// `settings` with what the input changes.
///
/// # Errors
/// A value that the service does not take.
pub(super) fn with(
    mut settings: Settings,
    name: &str,
    input: Input<'_>,
) -> Result<Settings, ApiError> {
    not_emulated(input)?;
    let set = |to: &mut String, member| {
        if let Some(text) = input.text(member) {
            text.clone_into(to);
        }
    };
    set(&mut settings.description, "Description");
    set(&mut settings.role, "Role");
    set(&mut settings.handler, "Handler");
    set(&mut settings.runtime, "Runtime");
    runtimes::check(&settings.runtime)?;
    sizes(&mut settings, input)?;
    if let Some(architecture) = input.list("Architectures").first() {
        (*architecture).clone_into(&mut settings.architecture);
    }
    if let Some(environment) = input.part("Environment") {
        settings.environment = variables(environment)?;
    }
    if let Some(key) = input.text("KMSKeyArn") {
        settings.kms_key = kms_key(key)?;
    }
    if let Some(config) = input.part("DeadLetterConfig") {
        settings.dead_letter = dead_letter(config.text("TargetArn").unwrap_or_default())?;
    }
    if let Some(mode) = input
        .part("TracingConfig")
        .and_then(|part| part.text("Mode"))
    {
        mode.clone_into(&mut settings.tracing);
    }
    if let Some(config) = input.part("VpcConfig") {
        settings.vpc = vpc(config)?;
    }
    if let Some(config) = input.part("LoggingConfig") {
        settings.logging = logging(settings.logging, name, config)?;
    }
    Ok(settings)
}

fn sizes(settings: &mut Settings, input: Input<'_>) -> Result<(), ApiError> {
    if let Some(timeout) = input.number("Timeout") {
        if timeout > MAX_TIMEOUT {
            let rule = format!("Member must have value less than or equal to {MAX_TIMEOUT}");
            return Err(errors::validation(&timeout.to_string(), "timeout", &rule));
        }
        settings.timeout = timeout;
    }
    if let Some(memory) = input.number("MemorySize") {
        if memory > MAX_MIB {
            return Err(errors::invalid(format!(
                "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to {MAX_MIB}"
            )));
        }
        settings.memory = memory;
    }
    if let Some(size) = input
        .part("EphemeralStorage")
        .and_then(|part| part.number("Size"))
    {
        if size > MAX_MIB {
            let rule = format!("Member must have value less than or equal to {MAX_MIB}");
            return Err(errors::validation(
                &size.to_string(),
                "ephemeralStorage.size",
                &rule,
            ));
        }
        settings.ephemeral_storage = size;
    }
    Ok(())
}

/// Refuses what AWS has and the embedded one does not.
fn not_emulated(input: Input<'_>) -> Result<(), ApiError> {
    if input.text("PackageType") == Some("Image") {
        return Err(errors::not_emulated(
            "A function from a container image (PackageType Image)",
        ));
    }
    if let Some(layer) = input.list("Layers").first() {
        return Err(errors::invalid(format!(
            "Layer version {layer} does not exist."
        )));
    }
    if let Some(systems) = input.get("FileSystemConfigs")
        && systems.as_array().is_some_and(|list| !list.is_empty())
    {
        return Err(errors::not_emulated("FileSystemConfigs"));
    }
    let snap_start = input
        .part("SnapStart")
        .and_then(|part| part.text("ApplyOn"));
    if snap_start == Some("PublishedVersions") {
        return Err(errors::not_emulated("SnapStart"));
    }
    for member in [
        "ImageConfig",
        "TenancyConfig",
        "CapacityProviderConfig",
        "DurableConfig",
        "RuntimeConfig",
        "AcceleratorConfig",
        "PublishTo",
    ] {
        if input.has(member) {
            return Err(errors::not_emulated(member));
        }
    }
    Ok(())
}

fn variables(environment: Input<'_>) -> Result<Option<Variables>, ApiError> {
    let Some(variables) = environment.map("Variables") else {
        return Ok(None);
    };
    let variables = Variables(variables.collect());
    let reserved: Vec<&str> = variables
        .0
        .keys()
        .map(String::as_str)
        .filter(|key| RESERVED.contains(key))
        .collect();
    if !reserved.is_empty() {
        return Err(errors::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = json!(variables.0).to_string();
    if measured.len() > MAX_ENVIRONMENT {
        return Err(errors::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    Ok((!variables.0.is_empty()).then_some(variables))
}

/// *Guessed*: the message for what is no key.
fn kms_key(arn: &str) -> Result<Option<String>, ApiError> {
    if arn.is_empty() {
        return Ok(None);
    }
    let mut fields = arn.splitn(6, ':');
    let resource = fields.clone().nth(5).unwrap_or_default();
    let is_key = resource.starts_with("key/") || resource.starts_with("alias/");
    if fields.nth(2) != Some("kms") || !is_key {
        return Err(errors::invalid(format!(
            "The provided KMS key ARN {arn} is invalid."
        )));
    }
    Ok(Some(arn.to_owned()))
}

fn dead_letter(arn: &str) -> Result<Option<String>, ApiError> {
    if arn.is_empty() {
        return Ok(None);
    }
    match arn.split(':').nth(2) {
        Some("sqs") => Ok(Some(arn.to_owned())),
        Some("sns") => Err(errors::not_emulated("A dead letter topic of Amazon SNS")),
        // *Guessed*.
        _ => Err(errors::invalid(format!(
            "The provided dead letter target ARN {arn} is invalid. It must be the ARN of an SQS queue or an SNS topic."
        ))),
    }
}

fn vpc(config: Input<'_>) -> Result<Option<Vpc>, ApiError> {
    let texts = |member| {
        let list = config.list(member);
        list.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let vpc = Vpc {
        subnets: texts("SubnetIds"),
        security_groups: texts("SecurityGroupIds"),
        dual_stack: config.flag("Ipv6AllowedForDualStack"),
    };
    match (vpc.subnets.is_empty(), vpc.security_groups.is_empty()) {
        (true, true) => Ok(None),
        (false, false) => Ok(Some(vpc)),
        _ => Err(errors::invalid(
            "SubnetIds and SecurityIds must coexist or be both empty list.",
        )),
    }
}

fn logging(mut logging: Logging, name: &str, config: Input<'_>) -> Result<Logging, ApiError> {
    if let Some(format) = config.text("LogFormat") {
        format.clone_into(&mut logging.format);
    }
    if config.has("LogGroup") {
        logging.group = config.string("LogGroup");
    } else if logging.group.is_empty() {
        logging.group = Logging::of(name).group;
    }
    let (application, system) = (
        config.text("ApplicationLogLevel"),
        config.text("SystemLogLevel"),
    );
    if logging.format == "Text" {
        if application.is_some() || system.is_some() {
            return Err(errors::invalid(
                "LogLevel is not supported when LogFormat is set to \"Text\". Remove LogLevel from your request or change the LogFormat to \"JSON\" and try again.",
            ));
        }
        logging.application_level = None;
        logging.system_level = None;
    } else {
        let level = |given: Option<&str>, had: Option<String>| {
            given
                .map(str::to_owned)
                .or(had)
                .or_else(|| Some("INFO".to_owned()))
        };
        logging.application_level = level(application, logging.application_level);
        logging.system_level = level(system, logging.system_level);
    }
    Ok(logging)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    fn settings(input: Value) -> Result<Settings, ApiError> {
        let mut members: Map<String, Value> = Map::from_iter([
            ("Runtime".to_owned(), json!("provided.al2023")),
            ("Handler".to_owned(), json!("bootstrap")),
            ("Role".to_owned(), json!("arn:aws:iam::000000000000:role/r")),
        ]);
        members.extend(input.as_object().unwrap().clone());
        first("hello", Input::new(&members))
    }

    #[track_caller]
    fn refused(input: Value) -> String {
        settings(input).unwrap_err().message
    }

    #[test]
    fn defaults_are_those_of_the_real_one() {
        let settings = settings(json!({})).unwrap();
        assert_eq!((settings.timeout, settings.memory), (3, 128));
        assert_eq!(settings.ephemeral_storage, 512);
        assert_eq!(settings.tracing, "PassThrough");
        assert_eq!(settings.logging.group, "/aws/lambda/hello");
    }

    #[test]
    fn all_reserved_variables_are_named() {
        let message = refused(json!({ "Environment": { "Variables": {
            "AWS_REGION": "x", "MINE": "x", "AWS_ACCESS_KEY_ID": "x"
        } } }));
        assert!(
            message.ends_with("Reserved keys used in this request: AWS_ACCESS_KEY_ID, AWS_REGION"),
            "{message}"
        );
    }

    #[test]
    fn variables_hold_four_kilobytes() {
        let fits = json!({ "Environment": { "Variables": { "KK": "x".repeat(4096 - 9) } } });
        assert!(settings(fits).is_ok());
        let one_more = json!({ "Environment": { "Variables": { "KK": "x".repeat(4096 - 8) } } });
        assert!(refused(one_more).contains("exceeded the 4KB limit. String measured: {\"KK\":"));
    }

    #[test]
    fn sizes_have_limits_below_the_models() {
        assert!(refused(json!({ "Timeout": 901 })).contains("less than or equal to 900"));
        assert!(refused(json!({ "MemorySize": 10241 })).contains("less than or equal to 10240"));
        let storage = json!({ "EphemeralStorage": { "Size": 10241 } });
        assert!(refused(storage).contains("'ephemeralStorage.size'"));
        assert!(settings(json!({ "Timeout": 900, "MemorySize": 10240 })).is_ok());
    }

    #[test]
    fn levels_of_logs_are_for_json() {
        let json_logs = json!({ "LoggingConfig": { "LogFormat": "JSON" } });
        let logging = settings(json_logs).unwrap().logging;
        assert_eq!(logging.application_level.as_deref(), Some("INFO"));
        let text = json!({ "LoggingConfig": { "LogFormat": "Text", "SystemLogLevel": "WARN" } });
        assert!(refused(text).starts_with("LogLevel is not supported"));
    }

    #[test]
    fn what_is_not_emulated_is_refused() {
        assert!(refused(json!({ "PackageType": "Image" })).contains("not served"));
        assert!(refused(json!({ "Layers": ["arn:l"] })).contains("arn:l does not exist"));
        assert!(
            refused(json!({ "SnapStart": { "ApplyOn": "PublishedVersions" } }))
                .contains("SnapStart")
        );
        assert!(settings(json!({ "SnapStart": { "ApplyOn": "None" } })).is_ok());
        let vpc = json!({ "VpcConfig": { "SubnetIds": ["subnet-1"] } });
        assert!(refused(vpc).contains("must coexist"));
    }
}
