//! State that is kept in a folder, also by a process that is killed.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyport_emulator_aws::{Config, Emulator, EmulatorError, Endpoint, StateError};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::client::{Client, quick};

/// Tells a child of these tests which folder to serve.
const FOLDER: &str = "ANYPORT_TEST_STATE_FOLDER";

fn kept(folder: &Path) -> Config {
    quick().state(folder)
}

async fn start(folder: &Path) -> Emulator {
    Emulator::start(kept(folder)).await.unwrap()
}

fn state_error(error: &EmulatorError) -> &StateError {
    let source = std::error::Error::source(error).unwrap();
    source.downcast_ref().unwrap_or_else(|| panic!("{error:?}"))
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let aws = start(folder.path()).await;
    let client = Client::of(&aws);
    let credentials = aws.credentials().clone();
    client.s3("PUT", "/bucket", "").await.expect(200);
    client.s3("PUT", "/bucket/k", "content").await.expect(200);
    client.s3("PUT", "/bucket/gone", "other").await.expect(200);
    client.s3("DELETE", "/bucket/gone", "").await.expect(204);
    let queue = json!({ "QueueName": "q" });
    let url = client.sqs("CreateQueue", queue.clone()).await.expect(200);
    let send = json!({ "QueueUrl": url.json()["QueueUrl"], "MessageBody": "waiting" });
    client.sqs("SendMessage", send).await.expect(200);
    client
        .query("iam", "CreateUser", &[("UserName", "u")])
        .await
        .expect(200);
    let inventory = aws.cloud().inventory();
    aws.shutdown().await;

    let aws = start(folder.path()).await;
    assert_eq!(aws.credentials(), &credentials);
    assert_eq!(aws.cloud().inventory(), inventory);
    let client = Client::of(&aws);
    assert_eq!(
        client.s3("GET", "/bucket/k", "").await.expect(200).text(),
        "content"
    );
    let url = client.sqs("GetQueueUrl", queue).await.expect(200).json();
    let receive = json!({ "QueueUrl": url["QueueUrl"] });
    let received = client
        .sqs("ReceiveMessage", receive)
        .await
        .expect(200)
        .json();
    assert_eq!(received["Messages"][0]["Body"], "waiting");
    let blobs = fs::read_dir(folder.path().join("blobs")).unwrap().flatten();
    let blobs = blobs.filter(|entry| entry.file_name() != "new");
    let blobs: usize = blobs
        .map(|entry| fs::read_dir(entry.path()).unwrap().count())
        .sum();
    assert_eq!(blobs, 1, "what was deleted is gone from the disk");
    aws.shutdown().await;
}

#[tokio::test]
async fn one_process_holds_the_folder_and_says_where_it_listens() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Endpoint::of(folder.path()).unwrap(), None);
    let aws = start(folder.path()).await;
    let endpoint = Endpoint::of(folder.path()).unwrap().unwrap();
    assert_eq!(endpoint.url, aws.endpoint());
    assert_eq!(endpoint.access_key, aws.credentials().access_key);
    assert_eq!(endpoint.secret_key, aws.credentials().secret_key);
    let second = Emulator::start(kept(folder.path())).await.unwrap_err();
    match state_error(&second) {
        StateError::Held { pid, .. } => assert_eq!(*pid, Some(std::process::id())),
        other => panic!("{other:?}"),
    }
    aws.shutdown().await;
    assert_eq!(Endpoint::of(folder.path()).unwrap(), None);
    assert!(!folder.path().join("endpoint.json").exists());
    start(folder.path()).await.shutdown().await;
}

#[tokio::test]
async fn an_emulator_that_is_dropped_keeps_its_state_too() {
    let folder = tempfile::tempdir().unwrap();
    let aws = start(folder.path()).await;
    Client::of(&aws).s3("PUT", "/bucket", "").await.expect(200);
    drop(aws);
    assert_eq!(Endpoint::of(folder.path()).unwrap(), None);
    let aws = start(folder.path()).await;
    Client::of(&aws).s3("HEAD", "/bucket", "").await.expect(200);
    aws.shutdown().await;
}

#[tokio::test]
async fn damaged_and_newer_state_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    start(folder.path()).await.shutdown().await;
    let path = folder.path().join("state.json");
    let whole = fs::read(&path).unwrap();
    let newer = b"anyport-embedded-aws-state 1000 what\nwas not known".to_vec();
    for content in [whole[..whole.len() / 2].to_vec(), Vec::new(), newer] {
        fs::write(&path, &content).unwrap();
        let error = Emulator::start(kept(folder.path())).await.unwrap_err();
        let is_newer = content.starts_with(b"anyport-embedded-aws-state 1000");
        match state_error(&error) {
            StateError::Newer { format: 1000, .. } if is_newer => {}
            StateError::Corrupt { .. } if !is_newer => {}
            other => panic!("{other:?}"),
        }
        assert_eq!(fs::read(&path).unwrap(), content);
        assert!(!folder.path().join("endpoint.json").exists());
    }
    fs::write(&path, &whole).unwrap();
    start(folder.path()).await.shutdown().await;
}

#[tokio::test]
async fn state_whose_content_is_missing_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let aws = start(folder.path()).await;
    let client = Client::of(&aws);
    client.s3("PUT", "/bucket", "").await.expect(200);
    client.s3("PUT", "/bucket/k", "content").await.expect(200);
    aws.shutdown().await;
    let blobs = fs::read_dir(folder.path().join("blobs")).unwrap().flatten();
    for entry in blobs.filter(|entry| entry.file_name() != "new") {
        fs::remove_dir_all(entry.path()).unwrap();
    }
    let error = Emulator::start(kept(folder.path())).await.unwrap_err();
    assert!(
        matches!(state_error(&error), StateError::Corrupt { .. }),
        "{error:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    fn check(path: &Path) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            for entry in fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path());
            }
        } else {
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
    }

    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("state");
    let aws = start(&folder).await;
    let client = Client::of(&aws);
    client.s3("PUT", "/bucket", "").await.expect(200);
    client.s3("PUT", "/bucket/k", "content").await.expect(200);
    check(&folder);
    aws.shutdown().await;
}

/// A child that serves a folder until it is killed.
async fn child(folder: &Path) -> (Child, Client) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "state::serves_as_a_child",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("serving") {
            break;
        }
    }
    let endpoint = Endpoint::of(folder).unwrap().unwrap();
    let client = Client::at(
        &endpoint.url,
        anyport_emulator_aws::Credentials::new(endpoint.access_key, endpoint.secret_key),
    );
    (child, client)
}

#[tokio::test]
#[ignore = "the process that other tests of this module start and kill"]
async fn serves_as_a_child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let aws = start(Path::new(&folder)).await;
    println!("\nserving {}", aws.endpoint());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (mut first, client) = child(folder.path()).await;
    client.s3("PUT", "/bucket", "").await.expect(200);
    let made = client
        .sqs("CreateQueue", json!({ "QueueName": "q" }))
        .await
        .expect(200);
    let url = made.json()["QueueUrl"].clone();
    let mut answered = 0;
    // Killed in the middle of what it is told; all that it answered must be there.
    let writes = async {
        loop {
            let key = format!("/bucket/{answered}");
            let put = client.try_send("s3", "PUT", &key, format!("content {answered}"));
            match put.await {
                Ok(reply) => drop(reply.expect(200)),
                Err(_) => break,
            }
            answered += 1;
            let message = json!({ "QueueUrl": url, "MessageBody": answered.to_string() });
            let sent = client
                .header("x-amz-target", "AmazonSQS.SendMessage")
                .header("content-type", "application/x-amz-json-1.0")
                .try_send("sqs", "POST", "/", message.to_string())
                .await;
            if sent.is_err() {
                break;
            }
            if answered == 20 {
                first.start_kill().unwrap();
            }
        }
    };
    writes.await;
    first.wait().await.unwrap();
    assert_eq!(Endpoint::of(folder.path()).unwrap(), None, "nobody listens");

    let (mut second, client) = child(folder.path()).await;
    for number in 0..answered {
        let object = client.s3("GET", &format!("/bucket/{number}"), "").await;
        assert_eq!(object.expect(200).text(), format!("content {number}"));
    }
    let attributes = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let counted = client
        .sqs("GetQueueAttributes", attributes)
        .await
        .expect(200)
        .json();
    let counted = counted["Attributes"]["ApproximateNumberOfMessages"]
        .as_str()
        .unwrap();
    // The last one sent may have been kept and not answered, or not been sent.
    assert!(
        counted.parse::<i32>().unwrap() >= answered - 1,
        "{counted} of {answered}"
    );
    second.kill().await.unwrap();
}
