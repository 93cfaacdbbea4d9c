//! How many calls each verb makes.

use anyport_client::Removal;
use anyport_core::plan::Change;

use crate::support::{Cloud, name, packed, put, spec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_makes_these_calls_and_no_others() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    cloud.calls();

    let first = put(&target, "hello", "a").await;
    assert_eq!(first.change, Change::Created);
    assert_eq!(
        cloud.calls(),
        [
            "GetFunction",
            "GetQueueUrl",
            "CreateQueue",
            "CreateFunction",
            "GetFunction",
            "CreateAlias",
            "PutFunctionEventInvokeConfig",
            "UpdateAlias",
        ]
    );

    let same = put(&target, "hello", "a").await;
    assert_eq!(same.change, Change::Unchanged);
    assert_eq!(same.version, first.version);
    assert_eq!(cloud.calls(), ["GetFunction", "GetAlias"]);

    let configured = put(&target, "hello", "b").await;
    assert_eq!(configured.change, Change::Updated);
    assert_ne!(configured.version, first.version);
    assert_eq!(
        cloud.calls(),
        [
            "GetFunction",
            "GetAlias",
            "UpdateFunctionConfiguration",
            "GetFunction",
            "PublishVersion",
            "GetFunction",
            "UpdateAlias",
        ]
    );

    let other = packed("other");
    let spec = spec("hello", &other, "b").build().unwrap();
    let coded = target.deploy(spec, other.content).await.unwrap();
    assert_eq!(coded.change, Change::Updated);
    assert_eq!(
        cloud.calls(),
        [
            "GetFunction",
            "GetAlias",
            "UpdateFunctionConfiguration",
            "GetFunction",
            "UpdateFunctionCode",
            "GetFunction",
            "UpdateAlias",
        ]
    );

    let removed = target.remove(&name("hello"), Removal::default()).await;
    assert_eq!(removed.unwrap().change, Change::Removed);
    assert_eq!(
        cloud.calls(),
        [
            "GetFunction",
            "GetAlias",
            "GetQueueUrl",
            "GetQueueAttributes",
            "DeleteFunction",
            "DeleteLogGroup",
            "GetQueueAttributes",
            "DeleteQueue",
        ]
    );
}
