//! What is there from the start, and what is kept between starts.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{Config, Credentials};

use super::sessions::Limits;
use super::{
    ADMIN, Caller, Document, EMBEDDED_ROLE, Entity, Grant, Identity, Role, Session, State, Store,
    Trust, User, ids,
};

/// The trust policy of execution roles.
pub(crate) const TRUSTS_LAMBDA: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    state: State,
    keys: Vec<KeptKey>,
    sessions: Vec<KeptSession>,
}

#[derive(Serialize, Deserialize)]
struct KeptKey {
    id: String,
    secret: String,
    user: String,
    active: bool,
    created: i64,
}

#[derive(Serialize, Deserialize)]
struct KeptSession {
    id: String,
    secret: String,
    token: String,
    created: i64,
    expires: i64,
    arn: String,
    user_id: String,
    /// The user's name, for credentials of a user.
    user: Option<String>,
    role: Option<KeptRole>,
}

#[derive(Serialize, Deserialize)]
struct KeptRole {
    role: String,
    role_id: String,
    role_arn: String,
    name: String,
    limits: Option<Vec<String>>,
    tags: BTreeMap<String, String>,
    transitive: Vec<String>,
    source_identity: Option<String>,
}

impl std::fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptKey({})", self.id)
    }
}

impl std::fmt::Debug for KeptSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptSession({})", self.id)
    }
}

impl Store {
    /// Puts in what every cloud starts with: the admin with its key, and a role for functions.
    pub(super) fn found(&self, config: &Config, admin: &Credentials) {
        let Ok(user_id) = ids::entity("AIDA") else {
            return;
        };
        let Ok(role_id) = ids::entity("AROA") else {
            return;
        };
        let mut user = self.new_entity(ADMIN, "/", "user", user_id);
        user.attached = vec!["arn:aws:iam::aws:policy/AdministratorAccess".to_owned()];
        self.add_key(&user, admin, true, user.created);
        let mut role = self.new_entity(EMBEDDED_ROLE, "/", "role", role_id);
        role.attached =
            vec!["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole".to_owned()];
        let own = config.execution_policy.as_deref().map(Document::read);
        if let Some(Ok(document)) = own {
            role.inline.insert(EMBEDDED_ROLE.to_owned(), document);
        }
        let mut state = self.write();
        state.users.insert(ADMIN.to_owned(), User { entity: user });
        if let Ok(trust) = Trust::read(TRUSTS_LAMBDA) {
            let role = Role {
                entity: role,
                description: Some("The execution role that exists from the start".to_owned()),
                max_session: 3600,
                trust,
                usable_from: 0,
                last_used: None,
            };
            state.roles.insert(EMBEDDED_ROLE.to_owned(), role);
        }
    }

    /// A user or role as it is when made: without tags or policies. `kind` is `user` or `role`.
    pub(crate) fn new_entity(&self, name: &str, path: &str, kind: &str, id: String) -> Entity {
        Entity {
            name: name.to_owned(),
            path: path.to_owned(),
            id,
            arn: format!("arn:aws:iam::{}:{kind}{path}{name}", self.account),
            created: self.now(),
            tags: BTreeMap::new(),
            inline: BTreeMap::new(),
            attached: Vec::new(),
            boundary: None,
        }
    }

    /// What is kept. There are secrets in it.
    pub(crate) fn save(&self) -> Value {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let mut kept_keys = Vec::new();
        let mut sessions = Vec::new();
        for key in keys.values() {
            match (key.user(), key.expires(), &key.token) {
                (Some(user), ..) => kept_keys.push(KeptKey {
                    id: key.id.clone(),
                    secret: key.secret.reveal().to_owned(),
                    user: user.to_owned(),
                    active: key.active,
                    created: key.created,
                }),
                (None, Some(expires), Some(token)) => sessions.push(KeptSession {
                    id: key.id.clone(),
                    secret: key.secret.reveal().to_owned(),
                    token: token.clone(),
                    created: key.created,
                    expires,
                    arn: key.caller.arn.clone(),
                    user_id: key.caller.user_id.clone(),
                    user: match &key.caller.identity {
                        Identity::User { name, .. } => Some(name.clone()),
                        _ => None,
                    },
                    role: match &key.caller.identity {
                        Identity::Session(session) => Some(keep_role(session)),
                        _ => None,
                    },
                }),
                _ => {}
            }
        }
        kept_keys.sort_by(|a, b| a.id.cmp(&b.id));
        sessions.sort_by(|a, b| a.id.cmp(&b.id));
        drop(keys);
        let state = self.read();
        serde_json::json!({ "state": &*state, "keys": kept_keys, "sessions": sessions })
    }

    /// Takes what was kept in place of what is there; the admin's key of this start stays good.
    ///
    /// # Errors
    /// What is kept is no state of this store.
    pub(crate) fn load(&self, kept: &Value) -> Result<(), String> {
        if kept.is_null() {
            return Ok(());
        }
        let kept = Kept::deserialize(kept).map_err(|error| error.to_string())?;
        let admin_keys = self.keys_of(ADMIN);
        let admin = kept.state.users.get(ADMIN).map(|user| user.entity.clone());
        self.keys_mut().clear();
        for key in kept.keys {
            if let Some(user) = kept.state.users.get(&key.user) {
                let credentials = Credentials::new(key.id, key.secret);
                self.add_key(&user.entity, &credentials, key.active, key.created);
            }
        }
        for session in kept.sessions {
            self.take_session(session);
        }
        // Who holds the admin's key of this start must get in, even where the admin was removed.
        let current = self.read().users.get(ADMIN).cloned();
        let mut state = kept.state;
        if let (None, Some(user)) = (&admin, &current) {
            state.users.insert(ADMIN.to_owned(), user.clone());
        }
        if let Some(user) = admin.or(current.map(|user| user.entity)) {
            for key in admin_keys {
                let credentials = Credentials::new(&key.id, key.secret.reveal());
                self.add_key(&user, &credentials, true, key.created);
            }
        }
        *self.write() = state;
        Ok(())
    }

    fn take_session(&self, kept: KeptSession) {
        let identity = match (kept.user, kept.role) {
            (Some(name), _) => Identity::User {
                name,
                temporary: true,
            },
            (None, Some(role)) => Identity::Session(Arc::new(take_role(role, kept.created))),
            (None, None) => return,
        };
        let grant = Grant {
            credentials: Credentials::new(&kept.id, kept.secret).session_token(kept.token),
            expires: kept.expires,
            caller: Caller {
                account: self.account.clone(),
                arn: kept.arn,
                user_id: kept.user_id,
                access_key: kept.id,
                identity,
            },
        };
        self.add_session_key(&grant, kept.created);
    }
}

fn keep_role(session: &Session) -> KeptRole {
    KeptRole {
        role: session.role.clone(),
        role_id: session.role_id.clone(),
        role_arn: session.role_arn.clone(),
        name: session.name.clone(),
        limits: session.limits.as_ref().map(|limits| limits.texts.clone()),
        tags: session.tags.clone(),
        transitive: session.transitive.clone(),
        source_identity: session.source_identity.clone(),
    }
}

fn take_role(kept: KeptRole, issued: i64) -> Session {
    // A limit that can't be read any more allows nothing, rather than everything.
    let limits = kept.limits.map(|texts| {
        let read = texts.iter().filter_map(|text| Document::read(text).ok());
        Limits::new(read.collect())
    });
    Session {
        role: kept.role,
        role_id: kept.role_id,
        role_arn: kept.role_arn,
        name: kept.name,
        issued,
        limits,
        tags: kept.tags,
        transitive: kept.transitive,
        source_identity: kept.source_identity,
    }
}
