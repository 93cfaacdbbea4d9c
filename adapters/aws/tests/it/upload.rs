//! Code that is too large to be sent with the request.

use anyport_core::plan::Change;

use crate::support::{Cloud, name, packed, spec, variant};

/// What can be sent with the request, with everything around it, in bytes. Source: Lambda developer guide.
const DIRECT: u64 = 50 * 1024 * 1024;

/// Text that deflate takes a quarter off, and no more.
fn noise(bytes: usize) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 1_u64;
    let next = |_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(SYMBOLS[(state >> 58) as usize])
    };
    (0..bytes).map(next).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_code_goes_through_a_bucket_once() {
    let cloud = Cloud::new().await;
    let target = cloud.open().await;
    let large = packed(&noise(72 << 20));
    assert!(large.content.size() > DIRECT, "{}", large.content.size());
    let one = spec("large", &large, "a").build().unwrap();
    target.deploy(one, large.content.clone()).await.unwrap();
    assert_eq!(variant(&target, "large").await, "a");
    let calls = cloud.calls();
    let sent = |calls: &[String]| {
        let parts = ["PutObject", "UploadPart"];
        calls
            .iter()
            .filter(|it| parts.contains(&it.as_str()))
            .count()
    };
    assert!(sent(&calls) > 0, "{calls:?}");

    // The bytes are there already: another function and another setting send nothing.
    let other = spec("other", &large, "b").build().unwrap();
    target.deploy(other, large.content.clone()).await.unwrap();
    let changed = spec("large", &large, "c").build().unwrap();
    let outcome = target.deploy(changed, large.content).await.unwrap();
    assert_eq!(outcome.change, Change::Updated);
    assert_eq!(variant(&target, "large").await, "c");
    assert_eq!(sent(&cloud.calls()), 0);
    let out = target.export(&name("large")).await.unwrap();
    assert_eq!(out.spec.artifact.size, out.content.size());
}
