//! The permissions that each verb needs, and no others: what the caller is to be allowed, and the role of functions.
//!
//! The files are in the folder `policy` of this crate, with `${PARTITION}`, `${REGION}` and `${ACCOUNT}` where a target's own go.

use crate::wire::endpoint;

/// Each policy's name and text.
const POLICIES: [(&str, &str); 11] = [
    ("read", include_str!("../policy/read.json")),
    ("deploy", include_str!("../policy/deploy.json")),
    ("upload", include_str!("../policy/upload.json")),
    ("traffic", include_str!("../policy/traffic.json")),
    ("adopt", include_str!("../policy/adopt.json")),
    ("remove", include_str!("../policy/remove.json")),
    ("invoke", include_str!("../policy/invoke.json")),
    ("dead-letters", include_str!("../policy/dead-letters.json")),
    ("logs", include_str!("../policy/logs.json")),
    ("network", include_str!("../policy/network.json")),
    (
        EXECUTION_ROLE,
        include_str!("../policy/execution-role.json"),
    ),
];

/// The policy of the role that functions run as.
pub const EXECUTION_ROLE: &str = "execution-role";

/// The names of the policies.
///
/// - `read`: status, list, versions, plan; every policy of a verb that changes something holds it;
/// - `deploy`: deploy and plan; with code above 50 MB also `upload`, with a network also `network`;
/// - `traffic`: traffic and rollback;
/// - `adopt`: adopt and release;
/// - `remove`, `invoke` (asynchronous calls too), `dead-letters`, `logs`: the verbs of these names;
/// - `execution-role`: for functions, not for callers. It lets them write their logs and Lambda keep their dead letters.
pub fn policies() -> impl Iterator<Item = &'static str> {
    POLICIES.iter().map(|(name, _)| *name)
}

/// The policy called `name` for a target, as JSON; `None` for another name than [`policies`] has.
///
/// ```
/// let policy = anyport_aws::policy("invoke", "111122223333", "eu-west-1").unwrap();
/// assert!(policy.contains("arn:aws:lambda:eu-west-1:111122223333:function:*"));
/// ```
#[must_use]
pub fn policy(name: &str, account: &str, region: &str) -> Option<String> {
    let (_, text) = POLICIES.iter().find(|(known, _)| *known == name)?;
    Some(
        text.replace("${PARTITION}", endpoint::partition(region))
            .replace("${REGION}", region)
            .replace("${ACCOUNT}", account),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_policy_is_json_without_a_placeholder_and_allows_no_service_as_a_whole() {
        for name in policies() {
            let text = policy(name, "111122223333", "cn-north-1").unwrap();
            assert!(!text.contains("${") && !text.contains("arn:aws:"), "{name}");
            let policy: Value = serde_json::from_str(&text).unwrap();
            for statement in policy["Statement"].as_array().unwrap() {
                for action in statement["Action"].as_array().unwrap() {
                    assert!(!action.as_str().unwrap().contains('*'), "{name}: {action}");
                }
            }
        }
        assert_eq!(policy("everything", "111122223333", "eu-west-1"), None);
    }
}
