use std::time::{Duration, UNIX_EPOCH};

use super::roles::RoleProblem;
use super::*;
use crate::config::Delays;

const ROLE: &str = "arn:aws:iam::000000000000:role/anyport-embedded";

fn admin() -> Credentials {
    Credentials::new("AKIAADMIN", "secret")
}

fn store() -> Store {
    Store::new(&Config::new(), &admin())
}

#[test]
fn a_cloud_starts_with_an_admin_and_a_role() {
    let store = store();
    let key = store.key("AKIAADMIN").unwrap();
    assert_eq!(
        key.caller.arn,
        "arn:aws:iam::000000000000:user/anyport-admin"
    );
    assert_eq!(
        store.service_may_assume("lambda.amazonaws.com", ROLE),
        Ok(())
    );
    assert_eq!(
        store.service_may_assume("s3.amazonaws.com", ROLE),
        Err(RoleProblem::NotTrusted)
    );
    assert_eq!(
        store.service_may_assume("lambda.amazonaws.com", &ROLE.replace("embedded", "other")),
        Err(RoleProblem::Absent)
    );
    assert_eq!(
        store.service_may_assume("lambda.amazonaws.com", &ROLE.replace("::0", "::1")),
        Err(RoleProblem::OtherAccount)
    );
    let logs = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:log-stream:s";
    assert!(store.role_allows(ROLE, "logs:PutLogEvents", logs, &[], None));
    assert!(!store.role_allows(ROLE, "logs:GetLogEvents", logs, &[], None));
}

#[test]
fn a_new_role_can_be_assumed_after_a_while() {
    let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(1_000_000));
    let mut delays = Delays::zero();
    delays.role = Duration::from_secs(2);
    let config = Config::new().clock(clock.clone()).delays(delays);
    let store = Store::new(&config, &admin());
    let role = Role {
        entity: store.new_entity("fresh", "/team/", "role", "AROA1".to_owned()),
        usable_from: store.usable_from(),
        ..store.read().roles[EMBEDDED_ROLE].clone()
    };
    let arn = role.entity.arn.clone();
    assert_eq!(arn, "arn:aws:iam::000000000000:role/team/fresh");
    store.write().roles.insert("fresh".to_owned(), role);
    let may = || store.service_may_assume("lambda.amazonaws.com", &arn);
    assert_eq!(may(), Err(RoleProblem::TooNew));
    clock.advance(Duration::from_secs(2));
    assert_eq!(may(), Ok(()));
}

#[test]
fn a_functions_credentials_are_given_again_until_they_end() {
    let store = store();
    let first = store.role_credentials(ROLE, "app").unwrap();
    assert!(first.access_key.starts_with("ASIA"));
    assert_eq!(store.role_credentials(ROLE, "app"), Some(first.clone()));
    assert_ne!(store.role_credentials(ROLE, "other"), Some(first.clone()));
    assert!(store.expire(&first.access_key));
    assert!(!store.expire("AKIAADMIN"));
    let again = store.role_credentials(ROLE, "app").unwrap();
    assert_ne!(again.access_key, first.access_key);
    let caller = store.key(&again.access_key).unwrap().caller.clone();
    assert_eq!(
        caller.arn,
        "arn:aws:sts::000000000000:assumed-role/anyport-embedded/app"
    );
    assert_eq!(
        store.role_credentials("arn:aws:iam::000000000000:role/none", "app"),
        None
    );
}

#[test]
fn what_is_kept_comes_back() {
    let before = store();
    let user = before.read().users[ADMIN].entity.clone();
    let key = before.create_key(&user).unwrap();
    assert!(before.set_active(ADMIN, &key.id, false));
    let session = before.role_credentials(ROLE, "app").unwrap();
    let limited = Session {
        role: EMBEDDED_ROLE.to_owned(),
        name: "s".to_owned(),
        limits: Some(Limits::new(vec![
            Document::read(r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#)
                .unwrap(),
        ])),
        ..Session::default()
    };
    let limited = before.open_session(limited, 900).unwrap();
    let kept = before.save();

    let after = Store::new(&Config::new(), &Credentials::new("AKIANEW", "new"));
    after.load(&kept).unwrap();
    assert_eq!(after.save()["state"], kept["state"]);
    assert_eq!(after.save()["sessions"], kept["sessions"]);
    assert!(!after.key(&key.id).unwrap().active);
    assert_eq!(after.key("AKIAADMIN").unwrap().secret.reveal(), "secret");
    // The admin's key of this start works as well.
    assert_eq!(after.key("AKIANEW").unwrap().user(), Some(ADMIN));
    let session = after.key(&session.access_key).unwrap();
    assert!(session.expires().is_some());
    match &after
        .key(&limited.credentials.access_key)
        .unwrap()
        .caller
        .identity
    {
        Identity::Session(session) => {
            assert_eq!(
                session.limits.as_ref().map(|limits| limits.policies.len()),
                Some(1)
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(after.load(&serde_json::json!({ "state": 1 })).is_err());
    assert!(after.load(&serde_json::Value::Null).is_ok());
}

#[test]
fn the_inventory_names_everything_and_shows_changes() {
    let store = store();
    let before = store.inventory();
    assert!(before.contains_key(ROLE));
    let user = "arn:aws:iam::000000000000:user/anyport-admin";
    assert!(before.contains_key(&format!("{user}/access-key/AKIAADMIN")));
    store.role_credentials(ROLE, "app").unwrap();
    assert_eq!(store.inventory(), before);
    store
        .write()
        .roles
        .get_mut(EMBEDDED_ROLE)
        .unwrap()
        .entity
        .attached
        .clear();
    assert_ne!(store.inventory()[ROLE], before[ROLE]);
}
