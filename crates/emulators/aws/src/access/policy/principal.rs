//! `Principal` and `NotPrincipal`: whom a statement of a resource's policy is about.

use super::pattern::Pattern;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who<'a> {
    /// A user or a role's session.
    Identity {
        /// `arn:aws:iam::...:user/...` or `arn:aws:sts::...:assumed-role/...`.
        arn: &'a str,
        account: &'a str,
        /// The role's ARN, for a session.
        role: Option<&'a str>,
    },
    /// A service of the vendor: `s3.amazonaws.com`.
    Service(&'a str),
    /// Nobody in particular.
    Anonymous,
}

/// How closely a statement names someone. Closer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Named {
    Not,
    /// By the account: it may give the permission on to its identities.
    Account,
    /// By the role, or as everybody: limits on the session still count.
    Role,
    /// By the user or session itself.
    Itself,
}

/// A list of principals.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Principals(pub(super) Vec<Principal>);

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Principal {
    /// `"*"` or `{"AWS": "*"}`.
    Everybody,
    /// An account, by its id or its root's ARN.
    Account(String),
    /// A user, role or session by its ARN.
    Arn(String),
    /// A service; `*` is wild in the policies of some.
    Service(Pattern),
    /// A form that nobody has here: federated identities, canonical users.
    Other,
}

impl Principals {
    /// How closely they name `who`.
    pub(super) fn name(&self, who: &Who<'_>) -> Named {
        let named = self.0.iter().map(|one| one.name(who));
        named.max().unwrap_or(Named::Not)
    }
}

impl Principal {
    fn name(&self, who: &Who<'_>) -> Named {
        match (self, who) {
            (Self::Everybody, Who::Identity { .. } | Who::Anonymous) => Named::Role,
            // Source: the guide on principals: everybody includes services where a condition can tell them apart.
            (Self::Everybody, Who::Service(_)) => Named::Role,
            (Self::Account(id), Who::Identity { account, .. }) if id == account => Named::Account,
            (Self::Arn(named), Who::Identity { arn, .. }) if named == arn => Named::Itself,
            (
                Self::Arn(named),
                Who::Identity {
                    role: Some(role), ..
                },
            ) if named == role => Named::Role,
            (Self::Service(pattern), Who::Service(name)) => {
                let none: &[(&str, &str)] = &[];
                if pattern.matches(name, none) {
                    Named::Itself
                } else {
                    Named::Not
                }
            }
            _ => Named::Not,
        }
    }
}
