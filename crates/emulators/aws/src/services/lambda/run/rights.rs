//! What an execution role may do with logs: without it, a function's lines are lost, as on AWS.

use std::sync::Arc;

use crate::access::Caller;
use crate::call::CallCx;
use crate::cloud::Cloud;
use crate::services::lambda::ids;
use crate::services::lambda::version::VersionConfig;
use crate::services::logs;

/// What may be done for the lines of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rights {
    pub(super) create_group: bool,
    pub(super) create_stream: bool,
    pub(super) put: bool,
}

impl Rights {
    /// Those of the execution role, for this stream. They are looked at when an instance starts.
    pub(super) fn of(cloud: &Arc<Cloud>, config: &VersionConfig, stream: &str) -> Self {
        if !cloud.config.enforce_permissions {
            return Self {
                create_group: true,
                create_stream: true,
                put: true,
            };
        }
        let cx = role_cx(cloud, config);
        let group = &config.settings.logging.group;
        let may = |action: &str, stream: &str| {
            let arn = logs::policy_arn(&config.region, &config.account, group, stream);
            cx.authorize(action, &arn, &[]).is_ok()
        };
        Self {
            create_group: may("logs:CreateLogGroup", ""),
            create_stream: may("logs:CreateLogStream", stream),
            put: may("logs:PutLogEvents", stream),
        }
    }
}

/// A context in which the execution role acts, as a session with the function's name.
pub(crate) fn role_cx(cloud: &Arc<Cloud>, config: &VersionConfig) -> CallCx {
    let role = &config.settings.role;
    let mut caller = Caller::anonymous();
    caller.account = config.account.clone();
    caller.arn = session_arn(role, &config.function);
    if let Some(credentials) = cloud.access.role_credentials(role, &config.function) {
        caller.access_key = credentials.access_key;
    }
    CallCx {
        request_id: ids::uuid(),
        caller,
        account: config.account.clone(),
        region: config.region.clone(),
        cloud: Arc::clone(cloud),
    }
}

/// `arn:aws:iam::A:role/path/R` as a session: `arn:aws:sts::A:assumed-role/R/SESSION`.
fn session_arn(role: &str, session: &str) -> String {
    let name = role.rsplit('/').next().unwrap_or(role);
    let head = role.split(":role/").next().unwrap_or(role);
    format!(
        "{}:assumed-role/{name}/{session}",
        head.replacen(":iam:", ":sts:", 1)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_acts_as_a_session() {
        assert_eq!(
            session_arn("arn:aws:iam::111122223333:role/service-role/r", "f"),
            "arn:aws:sts::111122223333:assumed-role/r/f"
        );
    }
}
