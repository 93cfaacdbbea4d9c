//! The variables of a function beside those that the engine sets.
//!
//! Source: Lambda developer guide, defined runtime environment variables. Declared differences: code and
//! runtime are in folders of this machine instead of `/var/task` and `/var/runtime`, `PATH` is this
//! machine's, nobody listens at the address of the X-Ray daemon, and `AWS_ENDPOINT_URL` points to the
//! embedded AWS, so that functions reach it.

use std::collections::BTreeMap;

use super::runtime;
use crate::cloud::Cloud;
use crate::services::lambda::version::VersionConfig;

type Variables = BTreeMap<String, String>;

/// Variables that the function's own override, and those that override them.
pub(super) fn of(cloud: &Cloud, config: &VersionConfig) -> (Variables, Variables) {
    let settings = &config.settings;
    let mut own = Variables::new();
    own.insert("AWS_ENDPOINT_URL".to_owned(), cloud.endpoint.clone());
    own.insert(
        "AWS_XRAY_CONTEXT_MISSING".to_owned(),
        "LOG_ERROR".to_owned(),
    );
    if let Some(variables) = &settings.environment {
        let given = variables.0.iter();
        own.extend(given.map(|(name, value)| (name.clone(), value.clone())));
    }
    let mut platform = Variables::new();
    let mut set = |name: &str, value: &str| platform.insert(name.to_owned(), value.to_owned());
    set("AWS_REGION", &config.region);
    set("AWS_DEFAULT_REGION", &config.region);
    set("AWS_LAMBDA_LOG_GROUP_NAME", &settings.logging.group);
    set("_HANDLER", &settings.handler);
    set("AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1:2000");
    set("_AWS_XRAY_DAEMON_ADDRESS", "127.0.0.1");
    set("_AWS_XRAY_DAEMON_PORT", "2000");
    if runtime::is_managed(&settings.runtime) {
        set(
            "AWS_EXECUTION_ENV",
            &format!("AWS_Lambda_{}", settings.runtime),
        );
    }
    if settings.logging.format == "JSON" {
        set("AWS_LAMBDA_LOG_FORMAT", "JSON");
        let level = settings.logging.application_level.as_deref();
        set("AWS_LAMBDA_LOG_LEVEL", level.unwrap_or("INFO"));
    }
    (own, platform)
}

/// Variables of one instance: its log stream and the credentials of the execution role. OS-only
/// runtimes have no `AWS_EXECUTION_ENV`.
pub(super) fn of_instance(
    cloud: &Cloud,
    config: &VersionConfig,
    stream: &str,
) -> Vec<(String, Option<String>)> {
    let settings = &config.settings;
    let mut all = vec![(
        "AWS_LAMBDA_LOG_STREAM_NAME".to_owned(),
        Some(stream.to_owned()),
    )];
    if !runtime::is_managed(&settings.runtime) {
        all.push(("AWS_EXECUTION_ENV".to_owned(), None));
    }
    let credentials = cloud
        .access
        .role_credentials(&settings.role, &config.function);
    if let Some(credentials) = credentials {
        all.push((
            "AWS_ACCESS_KEY_ID".to_owned(),
            Some(credentials.access_key.clone()),
        ));
        all.push((
            "AWS_SECRET_ACCESS_KEY".to_owned(),
            Some(credentials.secret_key.clone()),
        ));
        all.push((
            "AWS_SESSION_TOKEN".to_owned(),
            credentials.session_token.clone(),
        ));
    }
    all
}
