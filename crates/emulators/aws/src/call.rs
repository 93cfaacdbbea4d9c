//! What the front hands to a service.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::access::{Caller, Policy};
use crate::answer::ApiError;
use crate::cloud::Cloud;

/// A service of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Service {
    Lambda,
    S3,
    Sqs,
    Sts,
    Iam,
    Logs,
}

impl Service {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [
        Self::Lambda,
        Self::S3,
        Self::Sqs,
        Self::Sts,
        Self::Iam,
        Self::Logs,
    ];

    /// Its name in credential scopes, in ARNs and as the prefix of its actions.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Logs => "logs",
        }
    }

    /// The service of this name.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

/// One request: authenticated, parsed and held against the constraints of the vendor's model.
#[derive(Debug)]
pub(crate) struct Call {
    /// The service called.
    pub(crate) service: Service,
    /// The operation's name in the vendor's model.
    pub(crate) operation: &'static str,
    /// The members of the operation's input shape by the model's names, from wherever they came. Blobs
    /// are base64 text, timestamps numbers of seconds since 1970, header maps objects.
    pub(crate) input: Map<String, Value>,
    /// The blob that is the body, where the model says that the body is one; else empty.
    pub(crate) payload: Bytes,
    /// The headers as they came.
    pub(crate) headers: http::HeaderMap,
    /// Who calls, where, and the cloud.
    pub(crate) cx: CallCx,
}

impl Call {
    /// A text member; `None` when it is absent.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// A member of the input; `None` when it is absent.
    pub(crate) fn get(&self, member: &str) -> Option<&Value> {
        self.input.get(member)
    }
}

/// Who calls, from where, for what cloud.
#[derive(Debug, Clone)]
pub(crate) struct CallCx {
    /// A UUID; what the reply's request id header says.
    pub(crate) request_id: String,
    /// Whose credentials signed the request.
    pub(crate) caller: Caller,
    /// The account that is acted in: the caller's.
    pub(crate) account: String,
    /// The region of the credential scope.
    pub(crate) region: String,
    /// Everything else.
    pub(crate) cloud: Arc<Cloud>,
}

impl CallCx {
    /// Lets the call go on if the caller may do `action` on `resource_arn`, for which `conditions` are
    /// context keys such as `("lambda:FunctionUrlAuthType", "NONE")`. Keys that every request has
    /// (`aws:PrincipalArn`, `aws:RequestedRegion`, ...) are known.
    ///
    /// # Errors
    /// The service's access denial, in AWS's words.
    pub(crate) fn authorize(
        &self,
        action: &str,
        resource_arn: &str,
        conditions: &[(&str, &str)],
    ) -> Result<(), ApiError> {
        self.authorize_with(action, resource_arn, conditions, None)
    }

    /// Like [`Self::authorize`], for a resource that has a policy of its own.
    ///
    /// # Errors
    /// The service's access denial, in AWS's words.
    pub(crate) fn authorize_with(
        &self,
        action: &str,
        resource_arn: &str,
        conditions: &[(&str, &str)],
        resource_policy: Option<&Policy>,
    ) -> Result<(), ApiError> {
        if !self.cloud.config.enforce_permissions {
            return Ok(());
        }
        self.cloud
            .access
            .authorize(self, action, resource_arn, conditions, resource_policy)
    }
}
