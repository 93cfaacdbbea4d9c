//! Who deploys and as what functions run, with exactly the permissions that the adapter says it needs.

use anyport::lambda::{EXECUTION_ROLE, policies, policy};
use anyport_conformance::harness::Missing;

use super::api::{Api, Signer};
use super::host::Running;

/// The role that functions run as.
pub(super) const ROLE: &str = "suite-execution";
const USER: &str = "suite";

/// What Lambda needs to run functions as a role. Source: Lambda developer guide.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// Makes the role and the user, and gives the user's key.
pub(super) async fn admit(api: &Api, running: &Running) -> Result<Signer, Missing> {
    let account = running.account.as_str();
    let trust = [("RoleName", ROLE), ("AssumeRolePolicyDocument", TRUST)];
    api.iam("CreateRole", &trust).await?;
    let may = document(EXECUTION_ROLE, running)?;
    let execution = [
        ("RoleName", ROLE),
        ("PolicyName", "execution"),
        ("PolicyDocument", may.as_str()),
    ];
    api.iam("PutRolePolicy", &execution).await?;
    api.iam("CreateUser", &[("UserName", USER)]).await?;
    for verb in policies().filter(|name| *name != EXECUTION_ROLE) {
        let name = format!("anyport-{verb}");
        let document = document(verb, running)?;
        let made = [("PolicyName", name.as_str()), ("PolicyDocument", &document)];
        api.iam("CreatePolicy", &made).await?;
        let arn = format!("arn:aws:iam::{account}:policy/{name}");
        let attached = [("UserName", USER), ("PolicyArn", arn.as_str())];
        api.iam("AttachUserPolicy", &attached).await?;
    }
    let key = api.iam("CreateAccessKey", &[("UserName", USER)]).await?;
    Ok(Signer {
        access_key: element(&key, "AccessKeyId")?,
        secret_key: element(&key, "SecretAccessKey")?,
        region: running.region.clone(),
    })
}

/// The adapter's own policy of this name.
fn document(name: &str, running: &Running) -> Result<String, Missing> {
    policy(name, &running.account, &running.region)
        .ok_or_else(|| Missing::because(format!("the adapter has no policy {name}")))
}

/// The text of the first element with this name.
fn element(xml: &str, name: &str) -> Result<String, Missing> {
    let inside = xml
        .split_once(&format!("<{name}>"))
        .and_then(|(_, rest)| rest.split_once("</"));
    inside
        .map(|(text, _)| text.to_owned())
        .ok_or_else(|| Missing::because(format!("IAM answered without {name}")))
}

#[cfg(test)]
mod tests {
    use super::element;

    #[test]
    fn an_element_is_found_by_its_name() {
        let xml = "<A><AccessKeyId>AKIA1</AccessKeyId><Other>x</Other></A>";
        assert_eq!(element(xml, "AccessKeyId").unwrap(), "AKIA1");
        assert!(element(xml, "SecretAccessKey").is_err());
    }
}
