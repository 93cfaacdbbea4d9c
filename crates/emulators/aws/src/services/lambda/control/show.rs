//! Versions as the API shows them.

use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::super::names::partition;
use super::super::version::{Settings, Version};

/// How much of a version is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// Everything.
    Full,
    /// Without the status of updates: the answer to a creation.
    Created,
    /// Without state, status and runtime version. Source: Lambda API model, `ListFunctions`.
    Listed,
}

/// A version under this ARN.
pub(super) fn configuration(version: &Version, arn: String, detail: Detail) -> Value {
    let config = &*version.config;
    let mut shown = json!({
        "FunctionName": config.function,
        "FunctionArn": arn,
        "CodeSize": config.code.size,
        "CodeSha256": config.code.base64(),
        "Version": config.version,
        "LastModified": modified(config.modified),
        "RevisionId": version.revision,
        "PackageType": "Zip",
    });
    let Some(members) = shown.as_object_mut() else {
        return shown;
    };
    settings(members, &config.settings, config.version != "$LATEST");
    if detail != Detail::Listed {
        let version_arn = runtime_version_arn(&config.region, &config.settings);
        members.insert(
            "RuntimeVersionConfig".to_owned(),
            json!({ "RuntimeVersionArn": version_arn }),
        );
        state(members, version);
    }
    if detail == Detail::Full {
        update_status(members, version);
    }
    shown
}

fn state(members: &mut Map<String, Value>, version: &Version) {
    members.insert("State".to_owned(), version.state().name().into());
    if let Some((reason, code)) = version.state_reason() {
        members.insert("StateReason".to_owned(), reason.into());
        members.insert("StateReasonCode".to_owned(), code.into());
    }
}

fn update_status(members: &mut Map<String, Value>, version: &Version) {
    let Some((status, reason)) = version.update_status() else {
        return;
    };
    members.insert("LastUpdateStatus".to_owned(), status.into());
    if let Some((reason, code)) = reason {
        members.insert("LastUpdateStatusReason".to_owned(), reason.into());
        members.insert("LastUpdateStatusReasonCode".to_owned(), code.into());
    }
}

fn settings(members: &mut Map<String, Value>, settings: &Settings, published: bool) {
    let mut put = |member: &str, value: Value| members.insert(member.to_owned(), value);
    put("Description", json!(settings.description));
    put("Role", json!(settings.role));
    put("Runtime", json!(settings.runtime));
    put("Handler", json!(settings.handler));
    put("Timeout", json!(settings.timeout));
    put("MemorySize", json!(settings.memory));
    put("Architectures", json!([settings.architecture]));
    put(
        "EphemeralStorage",
        json!({ "Size": settings.ephemeral_storage }),
    );
    put("TracingConfig", json!({ "Mode": settings.tracing }));
    let optimized = published && settings.snap_start == "PublishedVersions";
    put(
        "SnapStart",
        json!({
            "ApplyOn": settings.snap_start,
            "OptimizationStatus": if optimized { "On" } else { "Off" },
        }),
    );
    let logging = &settings.logging;
    let mut shown = json!({ "LogFormat": logging.format, "LogGroup": logging.group });
    if let Some(level) = &logging.application_level {
        shown["ApplicationLogLevel"] = json!(level);
    }
    if let Some(level) = &logging.system_level {
        shown["SystemLogLevel"] = json!(level);
    }
    put("LoggingConfig", shown);
    if let Some(environment) = &settings.environment {
        put("Environment", json!({ "Variables": environment.0 }));
    }
    if let Some(key) = &settings.kms_key {
        put("KMSKeyArn", json!(key));
    }
    if let Some(target) = &settings.dead_letter {
        put("DeadLetterConfig", json!({ "TargetArn": target }));
    }
    if let Some(vpc) = &settings.vpc {
        let id = digest(&vpc.subnets.join(" "));
        put(
            "VpcConfig",
            json!({
                "SubnetIds": vpc.subnets,
                "SecurityGroupIds": vpc.security_groups,
                "Ipv6AllowedForDualStack": vpc.dual_stack,
                "VpcId": format!("vpc-{}", &id[..17]),
            }),
        );
    }
}

/// The version of a runtime. *Guessed*: it differs by runtime and architecture, and never changes here.
pub(crate) fn runtime_version_arn(region: &str, settings: &Settings) -> String {
    let id = digest(&format!("{} {}", settings.runtime, settings.architecture));
    format!("arn:{}:lambda:{region}::runtime:{id}", partition(region))
}

fn digest(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text.as_bytes()))
}

/// A time as `LastModified` shows it: `2026-11-23T11:12:13.014+0000`.
pub(super) fn modified(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%S.%3f+0000")
        .to_string()
}

/// A time as the members of function URLs show it: `2026-11-23T11:12:13.014Z`.
pub(super) fn instant(time: SystemTime) -> String {
    Timestamp::try_from(time)
        .unwrap_or_default()
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

/// Seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::super::super::version::tests::config;
    use super::*;

    #[test]
    fn times_have_milliseconds_and_their_own_zone() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_795_432_333_014);
        assert_eq!(modified(time), "2026-11-23T11:12:13.014+0000");
        assert_eq!(instant(time), "2026-11-23T11:12:13.014Z");
    }

    #[test]
    fn a_list_shows_no_state() {
        let version = Version::new(config(), SystemTime::UNIX_EPOCH, Duration::ZERO, None);
        let listed = configuration(&version, "arn".to_owned(), Detail::Listed);
        assert!(listed.get("State").is_none() && listed.get("LastUpdateStatus").is_none());
        let full = configuration(&version, "arn".to_owned(), Detail::Full);
        assert_eq!(full["State"], "Active");
        assert_eq!(full["LastUpdateStatus"], "Successful");
        assert_eq!(full["TracingConfig"]["Mode"], "PassThrough");
        assert_eq!(full["LoggingConfig"]["LogGroup"], "/aws/lambda/hello");
    }
}
