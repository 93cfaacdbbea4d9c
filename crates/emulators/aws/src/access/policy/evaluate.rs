//! Whether policies allow something, and which of them does not.

use std::sync::Arc;

use super::principal::Named;
use super::{Context, Policy, Statement, Who};

/// What is asked.
pub(crate) struct Question<'a, C: ?Sized> {
    pub(crate) who: Who<'a>,
    /// `lambda:GetFunction`.
    pub(crate) action: &'a str,
    /// An ARN, or `*` where an action has no resource.
    pub(crate) resource: &'a str,
    pub(crate) context: &'a C,
}

/// The policies that have a say.
#[derive(Debug, Default)]
pub(crate) struct Layers<'a> {
    /// Of the user or role.
    pub(crate) identity: Vec<Arc<Policy>>,
    /// Of the session; `None` when it has none and so is not limited.
    pub(crate) session: Option<&'a [Arc<Policy>]>,
    /// The permissions boundary of the user or role.
    pub(crate) boundary: Option<Arc<Policy>>,
    /// Of the resource, or the trust policy of a role.
    pub(crate) resource: Option<&'a Policy>,
    /// Whether the resource is of another account than who asks.
    pub(crate) other_account: bool,
}

/// A kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Identity,
    Session,
    Boundary,
    Resource,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Allowed,
    /// A policy denies it.
    Denied(Layer),
    /// No policy of this kind allows it, and one must.
    NotAllowed(Layer),
}

/// Decides: an explicit deny anywhere wins; then the resource's policy may allow by itself within an account; then
/// the identity's policies must allow, within the limits of boundary and session. Across accounts both must.
pub(crate) fn decide<C: Context + ?Sized>(
    question: &Question<'_, C>,
    layers: &Layers<'_>,
) -> Verdict {
    let identity = layers.identity.iter().map(Arc::as_ref);
    let session = || layers.session.into_iter().flatten().map(Arc::as_ref);
    let boundary = || layers.boundary.iter().map(Arc::as_ref);
    if denies(question, identity.clone()) {
        return Verdict::Denied(Layer::Identity);
    }
    if denies(question, boundary()) {
        return Verdict::Denied(Layer::Boundary);
    }
    if denies(question, session()) {
        return Verdict::Denied(Layer::Session);
    }
    if denies(question, layers.resource.into_iter()) {
        return Verdict::Denied(Layer::Resource);
    }
    let named = layers
        .resource
        .map_or(Named::Not, |policy| policy.allows_whom(question));
    if !matches!(question.who, Who::Identity { .. }) {
        return match named {
            Named::Not => Verdict::NotAllowed(Layer::Resource),
            _ => Verdict::Allowed,
        };
    }
    if layers.other_account && named == Named::Not {
        return Verdict::NotAllowed(Layer::Resource);
    }
    let alone = !layers.other_account;
    if alone && named == Named::Itself {
        return Verdict::Allowed;
    }
    let by_role = alone && named == Named::Role;
    if !by_role && !allows(question, identity) {
        return Verdict::NotAllowed(Layer::Identity);
    }
    if layers.boundary.is_some() && !allows(question, boundary()) {
        return Verdict::NotAllowed(Layer::Boundary);
    }
    if layers.session.is_some() && !allows(question, session()) {
        return Verdict::NotAllowed(Layer::Session);
    }
    Verdict::Allowed
}

fn denies<'p, C: Context + ?Sized>(
    question: &Question<'_, C>,
    mut policies: impl Iterator<Item = &'p Policy>,
) -> bool {
    policies.any(|policy| policy.any(question, false))
}

fn allows<'p, C: Context + ?Sized>(
    question: &Question<'_, C>,
    mut policies: impl Iterator<Item = &'p Policy>,
) -> bool {
    policies.any(|policy| policy.any(question, true))
}

impl Policy {
    fn any<C: Context + ?Sized>(&self, question: &Question<'_, C>, allows: bool) -> bool {
        self.statements
            .iter()
            .any(|one| one.allows == allows && one.applies(question) != Named::Not)
    }

    /// How closely an allowing statement names who asks.
    fn allows_whom<C: Context + ?Sized>(&self, question: &Question<'_, C>) -> Named {
        self.statements
            .iter()
            .filter(|one| one.allows)
            .map(|one| one.applies(question))
            .max()
            .unwrap_or(Named::Not)
    }
}

impl Statement {
    /// Whether it is about what is asked, and how closely it names who asks.
    fn applies<C: Context + ?Sized>(&self, question: &Question<'_, C>) -> Named {
        let actions = &self.actions;
        let action = actions
            .what
            .iter()
            .any(|one| one.matches_any_case(question.action, question.context));
        if action == actions.others {
            return Named::Not;
        }
        if let Some(resources) = &self.resources {
            let resource = resources
                .what
                .iter()
                .any(|one| one.matches(question.resource, question.context));
            if resource == resources.others {
                return Named::Not;
            }
        }
        let named = match &self.principals {
            None => Named::Itself,
            Some(listed) if !listed.others => listed.what.name(&question.who),
            Some(listed) => match listed.what.name(&question.who) {
                Named::Not => Named::Role,
                _ => Named::Not,
            },
        };
        let holds = named != Named::Not
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(question.context));
        if holds { named } else { Named::Not }
    }
}
