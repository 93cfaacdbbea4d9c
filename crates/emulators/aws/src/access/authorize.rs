//! Holding a request against the policies that have a say in it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::answer::ApiError;
use crate::call::CallCx;

use super::policy::{Layers, Question, Verdict, decide};
use super::{Caller, Context, Identity, Policy, Store, Who, denial, real_now};

/// The context keys of one request: those that the service gives, and those that every request has.
///
/// Source: the IAM user guide on global condition keys. The loopback counts as secure transport, since no client
/// speaks TLS to it; a policy that insists on TLS would forbid everything.
pub(crate) struct RequestContext<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) region: &'a str,
    pub(crate) resource: &'a str,
    /// The service's keys; a key with several values is there several times.
    pub(crate) extra: &'a [(&'a str, &'a str)],
    /// Tags of the user, role and session.
    pub(crate) tags: Vec<(String, String)>,
}

impl Context for RequestContext<'_> {
    fn values(&self, key: &str) -> Vec<String> {
        let given = self.extra.values(key);
        if !given.is_empty() {
            return given;
        }
        let lower = key.to_ascii_lowercase();
        if let Some(tag) = lower.strip_prefix("aws:principaltag/") {
            let tags = self.tags.iter();
            return tags
                .filter(|(name, _)| name.eq_ignore_ascii_case(tag))
                .map(|(_, value)| value.clone())
                .collect();
        }
        self.global(&lower).into_iter().collect()
    }
}

impl RequestContext<'_> {
    fn global(&self, key: &str) -> Option<String> {
        let caller = self.caller;
        let session = match &caller.identity {
            Identity::Session(session) => Some(session),
            _ => None,
        };
        let known = !caller.is_anonymous();
        let temporary = matches!(
            caller.identity,
            Identity::Session(_)
                | Identity::User {
                    temporary: true,
                    ..
                }
        );
        match key {
            "aws:principalarn" if known => Some(
                session
                    .map_or(&caller.arn, |session| &session.role_arn)
                    .clone(),
            ),
            "aws:principalaccount" if known => Some(caller.account.clone()),
            "aws:principaltype" => Some(
                match caller.identity {
                    Identity::Anonymous => "Anonymous",
                    Identity::User { .. } => "User",
                    Identity::Session(_) => "AssumedRole",
                }
                .to_owned(),
            ),
            "aws:userid" if known => Some(caller.user_id.clone()),
            "aws:username" => match &caller.identity {
                Identity::User { name, .. } => Some(name.clone()),
                _ => None,
            },
            "aws:requestedregion" => Some(self.region.to_owned()),
            "aws:resourceaccount" => {
                let account = account_of(self.resource);
                Some(account.unwrap_or(&caller.account).to_owned())
            }
            "aws:currenttime" => Timestamp::from_second(real_now())
                .ok()
                .map(|now| now.to_string()),
            "aws:epochtime" => Some(real_now().to_string()),
            "aws:tokenissuetime" => {
                let issued = Timestamp::from_second(session?.issued);
                issued.ok().map(|issued| issued.to_string())
            }
            "aws:multifactorauthpresent" if temporary => Some("false".to_owned()),
            "aws:sourceidentity" => session?.source_identity.clone(),
            "aws:sourceip" => Some("127.0.0.1".to_owned()),
            "aws:securetransport" => Some("true".to_owned()),
            "aws:viaawsservice" | "aws:principalisawsservice" => Some("false".to_owned()),
            _ => None,
        }
    }
}

/// The account in an ARN; S3's have none.
fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

impl Caller {
    /// The caller as principals are matched.
    pub(crate) fn who(&self) -> Who<'_> {
        match &self.identity {
            Identity::Anonymous => Who::Anonymous,
            Identity::User { .. } => Who::Identity {
                arn: &self.arn,
                account: &self.account,
                role: None,
            },
            Identity::Session(session) => Who::Identity {
                arn: &self.arn,
                account: &self.account,
                role: Some(&session.role_arn),
            },
        }
    }
}

/// What an identity brings along.
struct Standing {
    policies: Vec<Arc<Policy>>,
    boundary: Option<Arc<Policy>>,
    tags: Vec<(String, String)>,
}

impl Store {
    /// Lets a call go on or not; [`CallCx::authorize`] is the way to ask.
    ///
    /// # Errors
    /// The service's access denial, in AWS's words.
    pub(crate) fn authorize(
        &self,
        cx: &CallCx,
        action: &str,
        resource_arn: &str,
        conditions: &[(&str, &str)],
        resource_policy: Option<&Policy>,
    ) -> Result<(), ApiError> {
        let verdict = self.judge(cx, action, resource_arn, conditions, resource_policy);
        denial::error(verdict, &cx.caller.arn, action, resource_arn).map_or(Ok(()), Err)
    }

    /// The verdict behind [`Self::authorize`].
    pub(crate) fn judge(
        &self,
        cx: &CallCx,
        action: &str,
        resource: &str,
        conditions: &[(&str, &str)],
        resource_policy: Option<&Policy>,
    ) -> Verdict {
        let caller = &cx.caller;
        let standing = self.standing(caller);
        let context = RequestContext {
            caller,
            region: &cx.region,
            resource,
            extra: conditions,
            tags: standing.tags,
        };
        let question = Question {
            who: caller.who(),
            action,
            resource,
            context: &context,
        };
        let session = match &caller.identity {
            Identity::Session(session) => session.limits.as_ref(),
            _ => None,
        };
        let layers = Layers {
            identity: standing.policies,
            boundary: standing.boundary,
            session: session.map(|limits| limits.policies.as_slice()),
            resource: resource_policy,
            other_account: account_of(resource).is_some_and(|account| account != caller.account),
        };
        decide(&question, &layers)
    }

    /// Whether a service of AWS (`s3.amazonaws.com`), or with `None` anybody at all, may do `action` by the
    /// resource's policy alone.
    pub(crate) fn resource_allows(
        policy: Option<&Policy>,
        service: Option<&str>,
        action: &str,
        resource: &str,
        conditions: &[(&str, &str)],
    ) -> bool {
        let question = Question {
            who: service.map_or(Who::Anonymous, Who::Service),
            action,
            resource,
            context: conditions,
        };
        let layers = Layers {
            resource: policy,
            ..Layers::default()
        };
        decide(&question, &layers) == Verdict::Allowed
    }

    /// The policies and tags of a caller, as they are now. A user or role that is gone has none.
    fn standing(&self, caller: &Caller) -> Standing {
        let state = self.read();
        let (entity, session_tags) = match &caller.identity {
            Identity::Anonymous => (None, None),
            Identity::User { name, .. } => (state.users.get(name).map(|user| &user.entity), None),
            Identity::Session(session) => {
                let role = state.roles.get(&session.role).map(|role| &role.entity);
                let same = role.filter(|role| role.id == session.role_id);
                (same, Some(&session.tags))
            }
        };
        let Some(entity) = entity else {
            return Standing {
                policies: Vec::new(),
                boundary: None,
                tags: Vec::new(),
            };
        };
        let (policies, boundary) = state.policies_of(entity);
        // A session's tag takes the place of the role's.
        let own = entity
            .tags
            .iter()
            .filter(|(key, _)| session_tags.is_none_or(|tags| !tags.contains_key(*key)));
        let tags = own
            .chain(session_tags.into_iter().flatten())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Standing {
            policies,
            boundary,
            tags,
        }
    }
}
