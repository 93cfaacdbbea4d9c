//! Resource policies.

use serde_json::{Map, Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::super::names::{LATEST, partition};
use super::input::Input;
use super::op::{Conditions, Op};
use super::read::exists;

/// Bytes of a policy. Source: Lambda developer guide, quotas.
const LONGEST: usize = 20_480;

/// `AddPermission`.
///
/// # Errors
/// The operation's.
pub(super) fn add(op: &Op) -> Result<Answer, ApiError> {
    let target = op.target()?;
    let input = op.input();
    let mut conditions = Conditions::new();
    for (key, member) in [
        ("lambda:Principal", "Principal"),
        ("lambda:FunctionUrlAuthType", "FunctionUrlAuthType"),
    ] {
        if let Some(value) = input.text(member) {
            conditions.push((key.to_owned(), value.to_owned()));
        }
    }
    op.allow_qualified(&target, conditions)?;
    if target.qualifier.as_deref() == Some(LATEST) {
        return Err(errors::invalid(
            "We currently do not support adding policies for $LATEST.",
        ));
    }
    let statement = statement(&target.arn(), partition(&target.region), input)?;
    op.change(&target, |function| {
        exists(function, &target)?;
        let key = target.or_latest();
        op.revision(function.revision(key).unwrap_or_default(), "GetPolicy")?;
        let policy = function.policies.entry(key.to_owned()).or_default();
        let id = input.string("StatementId");
        if policy.statements.iter().any(|have| have["Sid"] == *id) {
            return Err(errors::conflict(format!(
                "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing statement."
            )));
        }
        let size = policy.document().to_string().len() + statement.to_string().len() + 1;
        if size > LONGEST {
            return Err(ApiError::new(
                "PolicyLengthExceededException",
                format!("The final policy size ({size}) is bigger than the limit ({LONGEST})."),
            )
            .with("Type", "User"));
        }
        policy.change(|statements| statements.push(statement.clone()));
        function.touch(key);
        Ok(())
    })?;
    Ok(Answer::json(json!({ "Statement": statement.to_string() })))
}

fn statement(resource: &str, partition: &str, input: Input<'_>) -> Result<Value, ApiError> {
    let action = input.string("Action");
    if input.has("FunctionUrlAuthType") && action != "lambda:InvokeFunctionUrl" {
        return Err(errors::invalid(
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action",
        ));
    }
    let mut statement = json!({
        "Sid": input.string("StatementId"),
        "Effect": "Allow",
        "Principal": principal(partition, input.text("Principal").unwrap_or_default())?,
        "Action": action,
        "Resource": resource,
    });
    let mut conditions = Map::new();
    let mut when = |operator: &str, key: &str, value: Option<&str>| {
        if let Some(value) = value {
            let keys = conditions.entry(operator).or_insert_with(|| json!({}));
            keys[key] = json!(value);
        }
    };
    when(
        "StringEquals",
        "lambda:FunctionUrlAuthType",
        input.text("FunctionUrlAuthType"),
    );
    when(
        "StringEquals",
        "aws:PrincipalOrgID",
        input.text("PrincipalOrgID"),
    );
    when(
        "StringEquals",
        "AWS:SourceAccount",
        input.text("SourceAccount"),
    );
    when(
        "StringEquals",
        "lambda:EventSourceToken",
        input.text("EventSourceToken"),
    );
    when("ArnLike", "AWS:SourceArn", input.text("SourceArn"));
    let via_url = input
        .has("InvokedViaFunctionUrl")
        .then(|| input.flag("InvokedViaFunctionUrl").to_string());
    when("Bool", "lambda:InvokedViaFunctionUrl", via_url.as_deref());
    if !conditions.is_empty() {
        statement["Condition"] = Value::Object(conditions);
    }
    Ok(statement)
}

/// Who a statement is about: an account, someone in it, a service, or all.
fn principal(partition: &str, given: &str) -> Result<Value, ApiError> {
    let is_account = given.len() == 12 && given.bytes().all(|byte| byte.is_ascii_digit());
    let is_identity = || {
        let mut fields = given.splitn(6, ':');
        (fields.next() == Some("arn"))
            && fields
                .next()
                .is_some_and(|partition| partition.starts_with("aws"))
            && matches!(fields.next(), Some("iam" | "sts"))
    };
    if given == "*" {
        Ok(json!("*"))
    } else if is_account {
        Ok(json!({ "AWS": format!("arn:{partition}:iam::{given}:root") }))
    } else if given.ends_with(".amazonaws.com") || given.ends_with(".amazonaws.com.cn") {
        Ok(json!({ "Service": given }))
    } else if is_identity() {
        Ok(json!({ "AWS": given }))
    } else {
        Err(errors::invalid(
            "The provided principal was invalid. Please check the principal and try again.",
        ))
    }
}

/// `RemovePermission`.
///
/// # Errors
/// The operation's.
pub(super) fn remove(op: &Op) -> Result<Answer, ApiError> {
    let target = op.target()?;
    op.allow_qualified(&target, Conditions::new())?;
    let id = op.text("StatementId").unwrap_or_default();
    op.functions()
        .with(&target, |function| {
            exists(function, &target)?;
            let key = target.or_latest();
            let current = function.revision(key).unwrap_or_default().to_owned();
            let Some(policy) = function.policies.get_mut(key) else {
                return Err(errors::not_found(
                    "No policy is associated with the given resource.",
                ));
            };
            if !policy.statements.iter().any(|have| have["Sid"] == id) {
                return Err(errors::not_found(format!(
                    "Statement {id} is not found in resource policy."
                )));
            }
            op.revision(&current, "GetFunction/GetAlias")?;
            policy.change(|statements| statements.retain(|have| have["Sid"] != id));
            if policy.statements.is_empty() {
                function.policies.remove(key);
            }
            function.touch(key);
            Ok(())
        })
        .ok_or_else(|| {
            errors::not_found(format!("No policy found for: {}", target.function_arn()))
        })??;
    op.changed();
    Ok(Answer::empty())
}

/// `GetPolicy`.
///
/// # Errors
/// The operation's.
pub(super) fn get(op: &Op) -> Result<Answer, ApiError> {
    let target = op.allowed()?;
    op.read(&target, |function| {
        exists(function, &target)?;
        let key = target.or_latest();
        let policy = function.policies.get(key).ok_or_else(errors::no_resource)?;
        Ok(Answer::json(json!({
            "Policy": policy.document().to_string(),
            "RevisionId": function.revision(key).unwrap_or_default(),
        })))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(input: Value) -> Result<Value, ApiError> {
        let members = input.as_object().unwrap();
        statement("arn:f", "aws", Input::new(members))
    }

    #[test]
    fn a_service_is_bound_to_a_source() {
        let statement = made(json!({
            "StatementId": "s3", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com",
            "SourceArn": "arn:aws:s3:::b", "SourceAccount": "111122223333",
        }))
        .unwrap();
        assert_eq!(
            statement,
            json!({
                "Sid": "s3", "Effect": "Allow", "Principal": { "Service": "s3.amazonaws.com" },
                "Action": "lambda:InvokeFunction", "Resource": "arn:f",
                "Condition": {
                    "ArnLike": { "AWS:SourceArn": "arn:aws:s3:::b" },
                    "StringEquals": { "AWS:SourceAccount": "111122223333" },
                },
            })
        );
    }

    #[test]
    fn a_public_url_has_two_statements() {
        let url = made(json!({
            "StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
            "FunctionUrlAuthType": "NONE",
        }))
        .unwrap();
        assert_eq!(
            url["Condition"]["StringEquals"]["lambda:FunctionUrlAuthType"],
            "NONE"
        );
        let invoke = made(json!({
            "StatementId": "invoke", "Action": "lambda:InvokeFunction", "Principal": "*",
            "InvokedViaFunctionUrl": true,
        }))
        .unwrap();
        assert_eq!(
            invoke["Condition"]["Bool"]["lambda:InvokedViaFunctionUrl"],
            "true"
        );
    }

    #[test]
    fn principals_have_their_forms() {
        assert_eq!(
            principal("aws", "111122223333").unwrap(),
            json!({ "AWS": "arn:aws:iam::111122223333:root" })
        );
        let user = "arn:aws:iam::111122223333:user/ada";
        assert_eq!(principal("aws", user).unwrap(), json!({ "AWS": user }));
        assert!(principal("aws", "somebody").is_err());
    }
}
