//! Who may do what: credentials, principals and policies.

mod authorize;
mod denial;
pub(crate) mod ids;
mod kept;
pub(crate) mod managed;
mod policy;
mod roles;
mod sessions;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::clock::Clock;
use crate::config::{Config, Credentials};
use crate::sigv4::Secret;

pub(crate) use self::ids::NoRandomness;
pub(crate) use self::policy::{Context, Kind, Policy, Who};
pub(crate) use self::sessions::{Grant, Limits, Session};
pub(crate) use self::state::{Document, Entity, Managed, PolicyVersion, Role, State, Trust, User};

/// The user that the admin credentials are of.
pub(crate) const ADMIN: &str = "anyport-admin";

/// The execution role that exists from the start.
pub(crate) const EMBEDDED_ROLE: &str = "anyport-embedded";

/// Who signed a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The account of the credentials; empty for anonymous callers.
    pub(crate) account: String,
    /// `arn:aws:iam::...:user/...` or `arn:aws:sts::...:assumed-role/...`; empty for anonymous callers.
    pub(crate) arn: String,
    /// `AIDA...`, `AROA...:session`; empty for anonymous callers.
    pub(crate) user_id: String,
    /// The access key id; empty for anonymous callers.
    pub(crate) access_key: String,
    /// Whose policies count.
    pub(crate) identity: Identity,
}

/// Whose policies count for a caller.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// Nobody's.
    Anonymous,
    /// A user's, by its name; `temporary` for credentials of `GetSessionToken`.
    User { name: String, temporary: bool },
    /// A role's, within the limits of the session.
    Session(Arc<Session>),
}

impl Caller {
    /// Nobody in particular.
    pub(crate) fn anonymous() -> Self {
        Self {
            account: String::new(),
            arn: String::new(),
            user_id: String::new(),
            access_key: String::new(),
            identity: Identity::Anonymous,
        }
    }

    /// Whether nobody in particular calls.
    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self.identity, Identity::Anonymous)
    }
}

/// An access key, with everything that verifying a signature by it needs.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: Secret,
    /// The session token of temporary keys.
    pub(crate) token: Option<String>,
    /// Inactive keys sign nothing.
    pub(crate) active: bool,
    /// In seconds since 1970.
    pub(crate) created: i64,
    pub(crate) caller: Caller,
    /// In seconds since 1970; `i64::MAX` for keys that do not expire.
    expires: AtomicI64,
}

impl Key {
    /// When it ends, in seconds since 1970.
    pub(crate) fn expires(&self) -> Option<i64> {
        let end = self.expires.load(Ordering::Relaxed);
        (end != i64::MAX).then_some(end)
    }

    /// A key for tests of signatures.
    #[cfg(test)]
    pub(crate) fn for_tests(
        id: &str,
        secret: &str,
        token: Option<&str>,
        expires: i64,
        identity: Identity,
    ) -> Self {
        Self {
            id: id.to_owned(),
            secret: Secret::new(secret),
            token: token.map(str::to_owned),
            active: true,
            created: 0,
            caller: Caller {
                access_key: id.to_owned(),
                identity,
                ..Caller::anonymous()
            },
            expires: AtomicI64::new(expires),
        }
    }

    /// The name of the user that a long-lived key is of.
    pub(crate) fn user(&self) -> Option<&str> {
        match &self.caller.identity {
            Identity::User { name, .. } if self.token.is_none() => Some(name),
            _ => None,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Credentials, users, roles and policies. IAM is global: one account, no regions.
#[derive(Debug)]
pub(crate) struct Store {
    account: String,
    clock: Clock,
    /// For how long a new role can't be assumed.
    role_delay: std::time::Duration,
    state: RwLock<State>,
    /// By id.
    keys: RwLock<HashMap<String, Arc<Key>>>,
    /// Ids of the keys of functions' sessions, by role and session name.
    shared: RwLock<HashMap<(String, String), String>>,
}

impl Store {
    /// A store with the admin credentials and the role `anyport-embedded`.
    pub(crate) fn new(config: &Config, admin: &Credentials) -> Self {
        let store = Self {
            account: config.account.clone(),
            clock: config.clock.clone(),
            role_delay: config.delays.role,
            state: RwLock::default(),
            keys: RwLock::default(),
            shared: RwLock::default(),
        };
        store.found(config, admin);
        store
    }

    /// The account's id.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// An access key by its id.
    pub(crate) fn key(&self, id: &str) -> Option<Arc<Key>> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// Users, roles and policies, to read.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Users, roles and policies, to change.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn keys_mut(&self) -> RwLockWriteGuard<'_, HashMap<String, Arc<Key>>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970 on the cloud's clock, for dates that are shown.
    pub(crate) fn now(&self) -> i64 {
        self.now_millis()
            .checked_div(1000)
            .and_then(|seconds| seconds.try_into().ok())
            .unwrap_or_default()
    }

    fn now_millis(&self) -> u128 {
        self.clock
            .now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis())
    }

    /// The keys of a user, oldest first.
    pub(crate) fn keys_of(&self, user: &str) -> Vec<Arc<Key>> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<Arc<Key>> = keys
            .values()
            .filter(|key| key.user() == Some(user))
            .cloned()
            .collect();
        keys.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        keys
    }

    /// Makes a key for a user, under a new id.
    ///
    /// # Errors
    /// No randomness.
    pub(crate) fn create_key(&self, user: &Entity) -> Result<Arc<Key>, NoRandomness> {
        let credentials = Credentials::new(ids::access_key("AKIA")?, ids::secret()?);
        Ok(self.add_key(user, &credentials, true, self.now()))
    }

    fn add_key(
        &self,
        user: &Entity,
        credentials: &Credentials,
        active: bool,
        created: i64,
    ) -> Arc<Key> {
        let key = Arc::new(Key {
            id: credentials.access_key.clone(),
            secret: Secret::new(&credentials.secret_key),
            token: None,
            active,
            created,
            caller: Caller {
                account: self.account.clone(),
                arn: user.arn.clone(),
                user_id: user.id.clone(),
                access_key: credentials.access_key.clone(),
                identity: Identity::User {
                    name: user.name.clone(),
                    temporary: false,
                },
            },
            expires: AtomicI64::new(i64::MAX),
        });
        self.keys_mut().insert(key.id.clone(), Arc::clone(&key));
        key
    }

    /// Makes a user's key active or inactive; `false` when the user has no such key.
    pub(crate) fn set_active(&self, user: &str, id: &str, active: bool) -> bool {
        let Some(key) = self.key(id).filter(|key| key.user() == Some(user)) else {
            return false;
        };
        let changed = Key {
            id: key.id.clone(),
            secret: Secret::new(key.secret.reveal()),
            token: None,
            active,
            created: key.created,
            caller: key.caller.clone(),
            expires: AtomicI64::new(i64::MAX),
        };
        self.keys_mut().insert(id.to_owned(), Arc::new(changed));
        true
    }

    /// Removes a user's key; `false` when the user has no such key.
    pub(crate) fn remove_key(&self, user: &str, id: &str) -> bool {
        let mut keys = self.keys_mut();
        let has = keys.get(id).is_some_and(|key| key.user() == Some(user));
        if has {
            keys.remove(id);
        }
        has
    }

    /// Ends temporary credentials now. For harnesses that ask what happens then; `false` when there are none such.
    pub(crate) fn expire(&self, id: &str) -> bool {
        let key = self.key(id).filter(|key| key.token.is_some());
        if let Some(key) = &key {
            key.expires.store(0, Ordering::Relaxed);
        }
        key.is_some()
    }

    /// Every user, role, policy and key by its ARN, with a digest of its state. Temporary keys and when a role was
    /// used last are left out.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        let state = self.read();
        let mut all = BTreeMap::new();
        let mut note = |name: String, value: Result<String, serde_json::Error>| {
            let digest =
                value.map(|text| crate::sigv4::sha256_hex(text.as_bytes())[..16].to_owned());
            all.insert(name, digest.unwrap_or_default());
        };
        for user in state.users.values() {
            note(user.entity.arn.clone(), serde_json::to_string(user));
            for key in self.keys_of(&user.entity.name) {
                let name = format!("{}/access-key/{}", user.entity.arn, key.id);
                note(name, Ok(key.active.to_string()));
            }
        }
        for role in state.roles.values() {
            let unused = Role {
                last_used: None,
                ..role.clone()
            };
            note(role.entity.arn.clone(), serde_json::to_string(&unused));
        }
        for policy in state.policies.values() {
            note(policy.arn.clone(), serde_json::to_string(policy));
        }
        all
    }
}

/// Seconds since 1970 on the machine's clock, by which credentials expire.
fn real_now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().cast_signed())
}
