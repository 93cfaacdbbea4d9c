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
        let role = &config.settings.role;
        let group = &config.settings.logging.group;
        let may = |action: &str, stream: &str| {
            let arn = logs::policy_arn(&config.region, &config.account, group, stream);
            cloud.access.role_allows(role, action, &arn, &[], None)
        };
        Self {
            create_group: may("logs:CreateLogGroup", ""),
            create_stream: may("logs:CreateLogStream", stream),
            put: may("logs:PutLogEvents", stream),
        }
    }
}

/// A context in which the execution role acts, as a session with the function's name. Nobody in
/// particular acts where the role is gone.
pub(crate) fn role_cx(cloud: &Arc<Cloud>, config: &VersionConfig) -> CallCx {
    let credentials = cloud
        .access
        .role_credentials(&config.settings.role, &config.function);
    let key = credentials.and_then(|credentials| cloud.access.key(&credentials.access_key));
    CallCx {
        request_id: ids::uuid(),
        caller: key.map_or_else(Caller::anonymous, |key| key.caller.clone()),
        account: config.account.clone(),
        region: config.region.clone(),
        cloud: Arc::clone(cloud),
    }
}
