//! Temporary credentials: of roles, for whoever assumes them and for functions, and of users.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, PoisonError};

use crate::config::Credentials;
use crate::sigv4::Secret;

use super::policy::Policy;
use super::{Caller, Document, Entity, Identity, Key, NoRandomness, Store, ids, real_now};

/// For how long the credentials of a function last, and the least that is left of those that are given again, in
/// seconds. *Guessed.*
const FUNCTION: (i64, i64) = (12 * 3600, 6 * 3600);

/// How many keys there may be before expired ones are looked for.
const MANY: usize = 1024;

/// What a role's session may do, and as whom.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The role's name.
    pub(crate) role: String,
    /// The role's id: a role of the same name made anew is another one.
    pub(crate) role_id: String,
    pub(crate) role_arn: String,
    /// The session's own name.
    pub(crate) name: String,
    /// In seconds since 1970.
    pub(crate) issued: i64,
    /// The session's policies; `None` when the session is not limited.
    pub(crate) limits: Option<Limits>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Keys of the tags that sessions assumed from this one inherit.
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

/// The policies that limit a session.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) texts: Vec<String>,
    pub(crate) policies: Vec<Arc<Policy>>,
}

impl Limits {
    /// These documents.
    pub(crate) fn new(documents: Vec<Document>) -> Self {
        let (texts, policies) = documents
            .into_iter()
            .map(|one| (one.text, one.policy))
            .unzip();
        Self { texts, policies }
    }
}

/// New temporary credentials.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) credentials: Credentials,
    /// In seconds since 1970.
    pub(crate) expires: i64,
    /// Whose they are.
    pub(crate) caller: Caller,
}

impl Store {
    /// Opens a session of a role for `seconds`.
    ///
    /// # Errors
    /// No randomness.
    pub(crate) fn open_session(
        &self,
        session: Session,
        seconds: i64,
    ) -> Result<Grant, NoRandomness> {
        let role = &session.role;
        let caller = Caller {
            account: self.account.clone(),
            arn: format!(
                "arn:aws:sts::{}:assumed-role/{role}/{}",
                self.account, session.name
            ),
            user_id: format!("{}:{}", session.role_id, session.name),
            access_key: ids::access_key("ASIA")?,
            identity: Identity::Session(Arc::new(session)),
        };
        self.grant(caller, seconds)
    }

    /// Opens a session of a user for `seconds`.
    ///
    /// # Errors
    /// No randomness.
    pub(crate) fn open_user_session(
        &self,
        user: &Entity,
        seconds: i64,
    ) -> Result<Grant, NoRandomness> {
        let caller = Caller {
            account: self.account.clone(),
            arn: user.arn.clone(),
            user_id: user.id.clone(),
            access_key: ids::access_key("ASIA")?,
            identity: Identity::User {
                name: user.name.clone(),
                temporary: true,
            },
        };
        self.grant(caller, seconds)
    }

    fn grant(&self, caller: Caller, seconds: i64) -> Result<Grant, NoRandomness> {
        let now = real_now();
        let credentials =
            Credentials::new(&caller.access_key, ids::secret()?).session_token(ids::token()?);
        let grant = Grant {
            credentials,
            expires: now + seconds,
            caller,
        };
        self.add_session_key(&grant, now);
        Ok(grant)
    }

    /// Takes temporary credentials in, new or kept.
    pub(super) fn add_session_key(&self, grant: &Grant, created: i64) {
        let key = Key {
            id: grant.credentials.access_key.clone(),
            secret: Secret::new(&grant.credentials.secret_key),
            token: grant.credentials.session_token.clone(),
            active: true,
            created,
            caller: grant.caller.clone(),
            expires: AtomicI64::new(grant.expires),
        };
        let mut keys = self.keys_mut();
        if keys.len() >= MANY {
            // Long enough after their end that AWS, too, might say "expired" no longer.
            let now = real_now();
            keys.retain(|_, key| key.expires().is_none_or(|end| end + 3600 > now));
        }
        keys.insert(key.id.clone(), Arc::new(key));
    }

    /// Temporary credentials of a role, for a function that runs as it. `None` when there is no such role. The same
    /// ones are given again for hours, as the real one does within an execution environment.
    pub(crate) fn role_credentials(&self, role_arn: &str, session: &str) -> Option<Credentials> {
        let (name, id) = {
            let state = self.read();
            let role = state.role_by_arn(role_arn)?;
            (role.entity.name.clone(), role.entity.id.clone())
        };
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        let slot = (id.clone(), session.to_owned());
        let known = shared.get(&slot).and_then(|id| self.key(id));
        if let Some(key) = known
            && key
                .expires()
                .is_some_and(|end| end > real_now() + FUNCTION.1)
        {
            let again = Credentials::new(&key.id, key.secret.reveal());
            return Some(again.session_token(key.token.clone()?));
        }
        let opened = Session {
            role: name,
            role_id: id,
            role_arn: role_arn.to_owned(),
            name: session.to_owned(),
            issued: real_now(),
            ..Session::default()
        };
        let grant = self.open_session(opened, FUNCTION.0).ok()?;
        if shared.len() >= MANY {
            *shared = HashMap::new();
        }
        shared.insert(slot, grant.credentials.access_key.clone());
        Some(grant.credentials)
    }
}
