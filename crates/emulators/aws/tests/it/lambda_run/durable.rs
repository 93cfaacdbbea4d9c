//! Events that outlive the process that took them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_delivered_after_a_restart() {
    if !have_python() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(SystemTime::now());
    let config = || {
        Config::new()
            .delays(Delays::zero())
            .limits(Limits::off())
            .clock(clock.clone())
            .state(folder.path().join("state"))
    };
    let aws = Emulator::start(config()).await.unwrap();
    let client = Client::of(&aws);
    create(&client, "f", json!({})).await;
    let asynchronous = client.header("x-amz-invocation-type", "Event");
    let event = json!({ "do": "error", "error": "again" });
    let reply = invoke(&asynchronous, "f", event.clone()).await.expect(202);
    let id = reply.header("x-amzn-requestid").to_owned();
    until("the first attempt", async || {
        runs(&client, "f").await.len() == 1
    })
    .await;
    aws.shutdown().await;

    let aws = Emulator::start(config()).await.unwrap();
    let client = Client::of(&aws);
    until("the second attempt", async || {
        clock.advance(Duration::from_secs(30));
        let runs = runs(&client, "f").await;
        runs.len() > 1 && runs.iter().all(|run| *run == (id.clone(), event.clone()))
    })
    .await;
    aws.shutdown().await;
}
