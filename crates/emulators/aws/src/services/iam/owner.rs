//! What users and roles have in common.

use std::sync::RwLockWriteGuard;

use crate::access::{Entity, State, Store};
use crate::answer::ApiError;
use crate::call::Call;

use super::{need, no_such};

/// Whether a policy, tag or attachment is of a user or of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Role,
}

impl Kind {
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::User => "UserName",
            Self::Role => "RoleName",
        }
    }

    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Role => "role",
        }
    }

    /// The most characters that all policies of its own may have. Source: the IAM quotas page.
    pub(super) const fn inline_limit(self) -> usize {
        match self {
            Self::User => 2048,
            Self::Role => 10_240,
        }
    }

    /// Its ARN: that which it has, or that which it would have by default.
    pub(super) fn arn(self, access: &Store, name: &str) -> String {
        let state = access.read();
        match self.find(&state, name) {
            Some(entity) => entity.arn.clone(),
            None => format!("arn:aws:iam::{}:{}/{name}", access.account(), self.noun()),
        }
    }

    pub(super) fn find<'a>(self, state: &'a State, name: &str) -> Option<&'a Entity> {
        match self {
            Self::User => state.users.get(name).map(|user| &user.entity),
            Self::Role => state.roles.get(name).map(|role| &role.entity),
        }
    }

    pub(super) fn get<'a>(self, state: &'a State, name: &str) -> Result<&'a Entity, ApiError> {
        self.find(state, name).ok_or_else(|| self.absent(name))
    }

    pub(super) fn get_mut<'a>(
        self,
        state: &'a mut RwLockWriteGuard<'_, State>,
        name: &str,
    ) -> Result<&'a mut Entity, ApiError> {
        let found = match self {
            Self::User => state.users.get_mut(name).map(|user| &mut user.entity),
            Self::Role => state.roles.get_mut(name).map(|role| &mut role.entity),
        };
        found.ok_or_else(|| self.absent(name))
    }

    pub(super) fn absent(self, name: &str) -> ApiError {
        no_such(format!(
            "The {} with name {name} cannot be found.",
            self.noun()
        ))
    }

    /// Authorises the call on the entity that it names, and returns the name. Keys with its tags are added.
    pub(super) fn authorize<'a>(
        self,
        call: &'a Call,
        more: &[(&str, &str)],
    ) -> Result<&'a str, ApiError> {
        let name = need(call, self.member())?;
        self.authorize_on(call, name, more)?;
        Ok(name)
    }

    /// The same, on an entity of this name.
    pub(super) fn authorize_on(
        self,
        call: &Call,
        name: &str,
        more: &[(&str, &str)],
    ) -> Result<(), ApiError> {
        let access = &call.cx.cloud.access;
        let arn = self.arn(access, name);
        let tags: Vec<(String, String)> = {
            let state = access.read();
            let entity = self.find(&state, name);
            entity
                .into_iter()
                .flat_map(|entity| &entity.tags)
                .flat_map(|(key, value)| {
                    ["aws", "iam"]
                        .map(|prefix| (format!("{prefix}:ResourceTag/{key}"), value.clone()))
                })
                .collect()
        };
        let mut keys: Vec<(&str, &str)> = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        keys.extend(more);
        let action = format!("iam:{}", call.operation);
        call.cx.authorize(&action, &arn, &keys)
    }
}

/// Removing is refused while something hangs on an entity. Source: IAM's messages; their order is guessed.
pub(super) fn check_free(entity: &Entity) -> Result<(), ApiError> {
    if !entity.attached.is_empty() {
        return Err(super::conflict(
            "Cannot delete entity, must detach all policies first.",
        ));
    }
    if !entity.inline.is_empty() {
        return Err(super::conflict(
            "Cannot delete entity, must delete policies first.",
        ));
    }
    Ok(())
}
