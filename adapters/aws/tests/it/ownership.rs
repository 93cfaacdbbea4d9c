//! Whose a function is, and which account.

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::plan::Change;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_smithy_types::Blob;

use crate::support::{Cloud, name, packed, put, spec, variant};

async fn owner_named(error: anyport_core::Error) -> String {
    match error.kind() {
        ErrorKind::AlreadyExists { owner } => owner.clone(),
        _ => panic!("{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anothers_function_is_left_alone_until_it_is_released_and_adopted() {
    let cloud = Cloud::new().await;
    let ours = cloud.open().await;
    let theirs = cloud.open_as("another").await;
    put(&theirs, "hello", "a").await;
    let packed = packed("");
    let mine = || spec("hello", &packed, "b").build().unwrap();
    let refused = ours.deploy(mine(), packed.content.clone()).await;
    assert_eq!(owner_named(refused.unwrap_err()).await, "another/test");
    let refused = ours.remove(&name("hello"), Removal::default()).await;
    assert_eq!(owner_named(refused.unwrap_err()).await, "another/test");

    let before = theirs.status(&name("hello")).await.unwrap();
    theirs.release(&name("hello")).await.unwrap();
    let released = ours.status(&name("hello")).await.unwrap();
    assert_eq!(released.owned.words(), "nobody (it was released)");
    assert_eq!(
        (&released.fields, &released.split),
        (&before.fields, &before.split)
    );
    let adopted = ours.adopt(&name("hello")).await.unwrap();
    assert_eq!(adopted.change, Change::Adopted);
    let after = ours.status(&name("hello")).await.unwrap();
    assert!(after.owned.is_by(ours.owner()) && after.fields == before.fields);
    assert!(after.residue.is_empty(), "{:?}", after.residue);
    assert_eq!(put(&ours, "hello", "a").await.change, Change::Unchanged);
    assert_eq!(put(&ours, "hello", "b").await.change, Change::Updated);
    assert_eq!(variant(&ours, "hello").await, "b");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_carries_no_mark_is_named_and_can_be_adopted() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let packed = packed("");
    let mut bytes = Vec::new();
    let mut pieces = packed.content.open();
    while let Some(piece) = futures_util::StreamExt::next(&mut pieces).await {
        bytes.extend_from_slice(&piece.unwrap());
    }
    let raw = target.raw().downcast_ref::<anyport_aws::Raw>().unwrap();
    raw.lambda
        .create_function()
        .function_name("stranger")
        .description("made by hand")
        .runtime(Runtime::from("provided.al2023"))
        .handler("bootstrap")
        .role(cloud.config().execution_role.unwrap())
        .tags("aws-stack", "x")
        .code(FunctionCode::builder().zip_file(Blob::new(bytes)).build())
        .send()
        .await
        .unwrap();
    let mine = || spec("stranger", &packed, "b").build().unwrap();
    let refused = target.deploy(mine(), packed.content.clone()).await;
    let owner = owner_named(refused.unwrap_err()).await;
    assert_eq!(owner, "somebody else (it carries no mark)");
    target.adopt(&name("stranger")).await.unwrap();
    let made = target.deploy(mine(), packed.content.clone()).await.unwrap();
    assert_eq!(made.change, Change::Created);
    assert_eq!(variant(&target, "stranger").await, "b");
    let same = target.deploy(mine(), packed.content.clone()).await.unwrap();
    assert_eq!(same.change, Change::Unchanged, "{:?}", same.steps);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_account_is_refused_before_anything_is_written() {
    let cloud = Cloud::new().await;
    let url = "lambda://999999999999/us-east-1";
    let target = cloud.open_with("app", url, cloud.config()).await;
    let refused = target.identify().await.unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Forbidden, "{refused}");
    let packed = packed("");
    let spec = spec("hello", &packed, "a").build().unwrap();
    let refused = target.deploy(spec, packed.content).await.unwrap_err();
    assert!(refused.to_string().contains("999999999999"), "{refused}");
    let wrote = cloud.calls();
    assert!(
        wrote.iter().all(|it| !it.starts_with("Create")),
        "{wrote:?}"
    );
}
