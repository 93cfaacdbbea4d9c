//! Who may do what: credentials, principals and policies.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::answer::ApiError;
use crate::call::CallCx;
use crate::config::{Config, Credentials};

/// Who signed a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account of the credentials; the cloud's own for anonymous callers.
    pub(crate) account: String,
    /// `arn:aws:iam::...:user/...` or `arn:aws:sts::...:assumed-role/...`; empty for anonymous callers.
    pub(crate) arn: String,
    /// `AIDA...`, `AROA...:session`; empty for anonymous callers.
    pub(crate) user_id: String,
    /// The access key id; empty for anonymous callers.
    pub(crate) access_key: String,
}

impl Caller {
    /// Nobody in particular.
    pub(crate) fn anonymous() -> Self {
        Self {
            account: String::new(),
            arn: String::new(),
            user_id: String::new(),
            access_key: String::new(),
        }
    }
}

/// A parsed policy document.
#[derive(Debug, Clone)]
pub(crate) struct Policy {}

/// Credentials, users, roles and policies.
#[derive(Debug)]
pub(crate) struct Store {}

impl Store {
    /// A store with the admin credentials and the role `anyport-embedded`.
    pub(crate) fn new(_config: &Config, _admin: &Credentials) -> Self {
        Self {}
    }

    /// Lets a call go on or not; [`CallCx::authorize`] is the way to ask.
    ///
    /// # Errors
    /// The service's access denial, in AWS's words.
    pub(crate) fn authorize(
        &self,
        _cx: &CallCx,
        _action: &str,
        _resource_arn: &str,
        _conditions: &[(&str, &str)],
        _resource_policy: Option<&Policy>,
    ) -> Result<(), ApiError> {
        Ok(())
    }

    /// Temporary credentials of a role, for a function that runs as it. `None` when there is no such role.
    pub(crate) fn role_credentials(&self, _role_arn: &str, _session: &str) -> Option<Credentials> {
        None
    }

    /// Every user, role, policy and key by its ARN, with a digest of its state.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        Value::Null
    }

    /// Takes what was kept.
    pub(crate) fn load(&self, _kept: &Value) {}
}
