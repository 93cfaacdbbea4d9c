//! Users, roles and policies, as they are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::managed;
use super::policy::{Kind, Policy};

/// Everything that IAM holds but for keys.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// By name.
    pub(crate) users: BTreeMap<String, User>,
    /// By name.
    pub(crate) roles: BTreeMap<String, Role>,
    /// The customer's managed policies, by ARN.
    pub(crate) policies: BTreeMap<String, Managed>,
}

/// What users and roles have in common.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entity {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    /// In seconds since 1970.
    pub(crate) created: i64,
    pub(crate) tags: BTreeMap<String, String>,
    /// Policies of its own, by name.
    pub(crate) inline: BTreeMap<String, Document>,
    /// ARNs of managed policies, in the order in which they were attached.
    pub(crate) attached: Vec<String>,
    /// The ARN of its permissions boundary.
    pub(crate) boundary: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) entity: Entity,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) entity: Entity,
    pub(crate) description: Option<String>,
    /// In seconds.
    pub(crate) max_session: i64,
    pub(crate) trust: Trust,
    /// From when it can be assumed, in milliseconds since 1970 on the cloud's clock. Not kept: what was kept has
    /// long been usable.
    #[serde(skip)]
    pub(crate) usable_from: u128,
    /// When and in which region it was assumed last.
    pub(crate) last_used: Option<(i64, String)>,
}

/// A managed policy of the customer's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Managed {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) description: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) tags: BTreeMap<String, String>,
    /// By number.
    pub(crate) versions: BTreeMap<u32, PolicyVersion>,
    pub(crate) default: u32,
    /// The number of the next version; numbers are not used again.
    pub(crate) next: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) document: Document,
    pub(crate) created: i64,
}

/// A policy of an identity: its text as it was given, and what it says.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub(crate) text: String,
    pub(crate) policy: Arc<Policy>,
}

/// A role's trust policy.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    pub(crate) text: String,
    pub(crate) policy: Arc<Policy>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// What AWS says to it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        Ok(Self {
            text: text.to_owned(),
            policy: Arc::new(Policy::parse(text, Kind::Identity)?),
        })
    }
}

impl Trust {
    /// Reads a document.
    ///
    /// # Errors
    /// What AWS says to it.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        Ok(Self {
            text: text.to_owned(),
            policy: Arc::new(Policy::parse(text, Kind::Trust)?),
        })
    }
}

macro_rules! kept_as_text {
    ($($kind:ident)*) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::read(&text).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

kept_as_text! { Document Trust }

impl State {
    /// A managed policy's document in its default version, the customer's or the vendor's.
    pub(crate) fn managed_document(&self, arn: &str) -> Option<Document> {
        match self.policies.get(arn) {
            Some(own) => Some(own.versions.get(&own.default)?.document.clone()),
            None => managed::find(arn).map(|known| known.document.clone()),
        }
    }

    /// What a managed policy says.
    pub(crate) fn managed(&self, arn: &str) -> Option<Arc<Policy>> {
        let own = self.policies.get(arn);
        let document = match own {
            Some(own) => &own.versions.get(&own.default)?.document,
            None => &managed::find(arn)?.document,
        };
        Some(Arc::clone(&document.policy))
    }

    /// All policies of an entity, and its boundary.
    pub(crate) fn policies_of(&self, entity: &Entity) -> (Vec<Arc<Policy>>, Option<Arc<Policy>>) {
        let inline = entity.inline.values().map(|one| Arc::clone(&one.policy));
        let attached = entity.attached.iter().filter_map(|arn| self.managed(arn));
        let boundary = entity.boundary.as_ref().and_then(|arn| self.managed(arn));
        (inline.chain(attached).collect(), boundary)
    }

    /// Users and roles.
    pub(crate) fn entities(&self) -> impl Iterator<Item = &Entity> {
        let users = self.users.values().map(|user| &user.entity);
        users.chain(self.roles.values().map(|role| &role.entity))
    }

    /// The role of an ARN.
    pub(crate) fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        let name = arn.rsplit('/').next()?;
        self.roles.get(name).filter(|role| role.entity.arn == arn)
    }
}
