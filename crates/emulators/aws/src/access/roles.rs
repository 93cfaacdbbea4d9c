//! Whether a role may be passed to a service, and whether that service may assume it.

use crate::answer::ApiError;
use crate::call::CallCx;

use super::policy::{Layers, Question, Verdict, decide};
use super::{Context, Policy, Role, Store, Who};

/// Why a service can't assume a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoleProblem {
    /// There is none of this ARN.
    Absent,
    /// It is too new: its existence has not yet spread.
    TooNew,
    /// Its trust policy does not name the service.
    NotTrusted,
    /// It is of another account.
    OtherAccount,
}

impl CallCx {
    /// Whether the caller may pass the role to Lambda, and Lambda may assume it: for the execution role of a
    /// function.
    ///
    /// # Errors
    /// The denial, or Lambda's refusal of the role. Source: Lambda's messages as clients report them; a role too new
    /// is refused like one that does not trust.
    pub(crate) fn pass_role_to_lambda(&self, role_arn: &str) -> Result<(), ApiError> {
        const LAMBDA: &str = "lambda.amazonaws.com";
        let passed = [("iam:PassedToService", LAMBDA)];
        self.authorize("iam:PassRole", role_arn, &passed)?;
        match self.cloud.access.service_may_assume(LAMBDA, role_arn) {
            Ok(()) => Ok(()),
            Err(RoleProblem::OtherAccount) => Err(ApiError::new(
                "AccessDeniedException",
                "Cross-account pass role is not allowed.",
            )
            .status(403)),
            Err(RoleProblem::Absent | RoleProblem::TooNew | RoleProblem::NotTrusted) => {
                Err(ApiError::new(
                    "InvalidParameterValueException",
                    "The role defined for the function cannot be assumed by Lambda.",
                )
                .status(400))
            }
        }
    }
}

impl Store {
    /// Whether a service (`lambda.amazonaws.com`) may assume a role now.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn service_may_assume(
        &self,
        service: &str,
        role_arn: &str,
    ) -> Result<(), RoleProblem> {
        let account = role_arn.split(':').nth(4).unwrap_or_default();
        if account != self.account {
            return Err(RoleProblem::OtherAccount);
        }
        let state = self.read();
        let role = state.role_by_arn(role_arn).ok_or(RoleProblem::Absent)?;
        if !self.is_usable(role) {
            return Err(RoleProblem::TooNew);
        }
        let keys = [("aws:SourceAccount", account)];
        let question = Question {
            who: Who::Service(service),
            action: "sts:AssumeRole",
            resource: role_arn,
            context: keys.as_slice(),
        };
        let layers = Layers {
            resource: Some(&role.trust.policy),
            ..Layers::default()
        };
        match decide(&question, &layers) {
            Verdict::Allowed => Ok(()),
            _ => Err(RoleProblem::NotTrusted),
        }
    }

    /// Whether a role's existence has spread.
    pub(crate) fn is_usable(&self, role: &Role) -> bool {
        role.usable_from <= self.now_millis()
    }

    /// From when a role made now can be assumed: after [`Delays::role`](crate::Delays).
    pub(crate) fn usable_from(&self) -> u128 {
        self.now_millis() + self.role_delay.as_millis()
    }

    /// Whether the policies of a role, and the resource's own where there is one, let a session of it do `action`:
    /// for what Lambda does as a function's role.
    pub(crate) fn role_allows(
        &self,
        role_arn: &str,
        action: &str,
        resource: &str,
        conditions: &[(&str, &str)],
        resource_policy: Option<&Policy>,
    ) -> bool {
        let state = self.read();
        let Some(role) = state.role_by_arn(role_arn) else {
            return false;
        };
        let (identity, boundary) = state.policies_of(&role.entity);
        let context: &[(&str, &str)] = conditions;
        let session_arn = format!(
            "arn:aws:sts::{}:assumed-role/{}/lambda",
            self.account, role.entity.name
        );
        let question = Question {
            who: Who::Identity {
                arn: &session_arn,
                account: &self.account,
                role: Some(role_arn),
            },
            action,
            resource,
            context: &WithPrincipal { context, role_arn },
        };
        let layers = Layers {
            identity,
            boundary,
            resource: resource_policy,
            ..Layers::default()
        };
        decide(&question, &layers) == Verdict::Allowed
    }
}

/// The keys given, and who asks.
struct WithPrincipal<'a> {
    context: &'a [(&'a str, &'a str)],
    role_arn: &'a str,
}

impl Context for WithPrincipal<'_> {
    fn values(&self, key: &str) -> Vec<String> {
        if key.eq_ignore_ascii_case("aws:PrincipalArn") {
            return vec![self.role_arn.to_owned()];
        }
        self.context.values(key)
    }
}
