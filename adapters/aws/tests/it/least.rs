//! The policies of this adapter allow what each verb does, and nothing that a policy lacks goes through.

use anyport_aws::{Config, Credentials};
use anyport_client::{Removal, Target};
use anyport_core::ErrorKind;
use anyport_core::plan::{Change, Split};

use crate::iam;
use crate::support::{Cloud, name, put, variant};

/// A client that may do what these policies allow.
async fn allowed(cloud: &Cloud, user: &str, policies: &[&str]) -> Target {
    let call = async |fields: &[(&str, &str)]| {
        let fields: Vec<_> = [("Version", "2010-05-08"), ("UserName", user)]
            .iter()
            .chain(fields)
            .copied()
            .collect();
        iam::call(&cloud.emulator, &fields).await
    };
    call(&[("Action", "CreateUser")]).await;
    for policy in policies {
        let document = cloud.policy(policy);
        call(&[
            ("Action", "PutUserPolicy"),
            ("PolicyName", policy),
            ("PolicyDocument", &document),
        ])
        .await;
    }
    let made = call(&[("Action", "CreateAccessKey")]).await;
    let part = |tag: &str| {
        let (_, after) = made.split_once(&format!("<{tag}>")).unwrap();
        after.split('<').next().unwrap().to_owned()
    };
    let keys = Credentials::keys(part("AccessKeyId"), part("SecretAccessKey"));
    let config: Config = cloud.config().credentials(keys);
    let url = format!("lambda://{}/us-east-1", cloud.emulator.account());
    cloud.open_with("app", &url, config).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_verb_works_with_its_own_policy() {
    let cloud = Cloud::new().await;
    let deployer = allowed(&cloud, "deployer", &["deploy"]).await;
    for number in 0..8 {
        put(&deployer, "hello", &format!("v{number}")).await;
    }
    let caller = allowed(&cloud, "caller", &["invoke"]).await;
    assert_eq!(variant(&caller, "hello").await, "v7");
    let reader = allowed(&cloud, "reader", &["read"]).await;
    let seen = reader.status(&name("hello")).await.unwrap();
    let shifter = allowed(&cloud, "shifter", &["traffic"]).await;
    let back = Split::all_to(seen.versions[0].id.clone());
    let moved = shifter.traffic(&name("hello"), back).await.unwrap();
    assert_eq!(moved.change, Change::Updated);
    let marker = allowed(&cloud, "marker", &["adopt"]).await;
    marker.release(&name("hello")).await.unwrap();
    marker.adopt(&name("hello")).await.unwrap();
    let remover = allowed(&cloud, "remover", &["remove"]).await;
    let removed = remover.remove(&name("hello"), Removal::default()).await;
    assert_eq!(removed.unwrap().change, Change::Removed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_allowed_names_the_action_to_add() {
    let cloud = Cloud::new().await;
    let admin = cloud.open().await;
    put(&admin, "hello", "a").await;
    let reader = allowed(&cloud, "reader", &["read"]).await;
    let refused = reader
        .remove(&name("hello"), Removal::default())
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Forbidden, "{refused}");
    assert!(
        refused.to_string().contains("lambda:DeleteFunction"),
        "{refused}"
    );
}
