//! Secrets by reference: never recorded, read when an instance starts, replaced without a deployment.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyport_core::error::ErrorKind;
use anyport_testkit::probe::Command;

use crate::support::*;

fn put(state: &State, value: &str) {
    let path = state.path().join("secrets/db-password");
    fs::write(&path, value).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_reaches_the_function_and_nothing_else() {
    let state = State::new();
    let target = state.open();
    let spec = || probe("hello", "one").secret("DB_PASSWORD", "secret://file/db-password");
    let missing = deploy(&target, spec()).await.unwrap_err();
    let ErrorKind::RolloutFailed(failure) = missing.kind() else {
        panic!("{missing}");
    };
    assert!(failure.message.contains("db-password"), "{failure:?}");
    let place = state.path().join("secrets/db-password");
    assert_eq!(
        missing.to_string(),
        format!(
            "cannot deploy hello: the release did not start: Secret.Unusable: the secret \
             secret://file/db-password cannot be used: there is no file for it; put the secret into {}, \
             readable by its owner only",
            place.display()
        )
    );
    says_nothing_twice(&missing);

    put(&state, "hunter2\n");
    deploy(&target, spec()).await.unwrap();
    let ask = Command::Env {
        names: vec!["DB_PASSWORD".to_owned()],
    };
    let answer = json(invoke(&target, "hello", &ask).await.unwrap()).await;
    assert_eq!(answer["DB_PASSWORD"], "hunter2");
    for path in state
        .inventory()
        .iter()
        .filter(|path| !path.starts_with("/secrets"))
    {
        let path = format!("{}{path}", state.path().display());
        let bytes = fs::read(&path).unwrap_or_default();
        assert!(
            !bytes.windows(7).any(|window| window == b"hunter2"),
            "{path}"
        );
    }
    let observed = format!("{:?}", target.status(&name("hello")).await.unwrap());
    assert!(!observed.contains("hunter2"));

    put(&state, "hunter3");
    let answer = json(invoke(&target, "hello", &ask).await.unwrap()).await;
    assert_eq!(answer["DB_PASSWORD"], "hunter3");
    fs::remove_file(state.path().join("secrets/db-password")).unwrap();
    let gone = invoke(&target, "hello", &ask).await.unwrap_err();
    assert!(
        !gone.user_code_may_have_run() && gone.to_string().contains("db-password"),
        "{gone}"
    );
    assert!(gone.to_string().contains("could not start"), "{gone}");

    let store = probe("hello", "one").secret("DB_PASSWORD", "secret://vault/db-password");
    let refused = deploy(&target, store).await.unwrap_err();
    assert_eq!(kind(&refused), "invalid_spec");
}
