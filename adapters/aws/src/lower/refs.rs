//! References to what other services own, as ARNs.

/// Where ARNs point to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) partition: &'static str,
    pub(crate) region: String,
    pub(crate) account: String,
}

impl Place {
    /// The ARN of a queue.
    pub(crate) fn queue_arn(&self, queue: &str) -> String {
        let Self {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:sqs:{region}:{account}:{queue}")
    }

    /// The ARN of a function.
    pub(crate) fn function_arn(&self, name: &str) -> String {
        let Self {
            partition,
            region,
            account,
        } = self;
        format!("arn:{partition}:lambda:{region}:{account}:function:{name}")
    }
}

/// A role: an ARN, `role/NAME`, or its name.
pub(crate) fn role_arn(place: &Place, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    let name = reference.strip_prefix("role/").unwrap_or(reference);
    let Place {
        partition, account, ..
    } = place;
    format!("arn:{partition}:iam::{account}:role/{name}")
}

/// A key: an ARN, `key/ID`, `alias/NAME`, or its id.
pub(crate) fn key_arn(place: &Place, reference: &str) -> String {
    if reference.starts_with("arn:") {
        return reference.to_owned();
    }
    let part = if reference.starts_with("key/") || reference.starts_with("alias/") {
        reference.to_owned()
    } else {
        format!("key/{reference}")
    };
    let Place {
        partition,
        region,
        account,
    } = place;
    format!("arn:{partition}:kms:{region}:{account}:{part}")
}
