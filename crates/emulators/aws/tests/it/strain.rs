//! What a server must stand: garbage, crowds, and its own end.

use std::time::Duration;

use anyport_emulator_aws::{Config, Emulator, EmulatorError, Fault, FaultRule};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{Client, start};

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }
}

const REQUESTS: [&str; 5] = [
    "POST /2015-03-31/functions/f/invocations?Qualifier=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    "PUT /bucket/key?partNumber=1&uploadId=x HTTP/1.1\r\nHost: b.localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: 2\r\n\r\n{}",
    "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 42\r\n\r\nAction=CreateRole&Version=2010-05-08&a.b=c",
    "GET /?X-Amz-Credential=AKIA%2F20261123%2Fr%2Fs3%2Faws4_request&X-Amz-Signature=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/20261123/r/iam/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
];

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let aws = start().await;
    let client = Client::of(&aws);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..300 {
        let mut bytes = REQUESTS[round % REQUESTS.len()].as_bytes().to_vec();
        for _ in 0..=numbers.below(6) {
            let at = numbers.below(bytes.len());
            match numbers.below(4) {
                0 => bytes[at] = u8::try_from(numbers.below(256)).unwrap(),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, u8::try_from(numbers.below(256)).unwrap()),
                _ => {
                    let piece = bytes[at..].to_vec();
                    bytes.extend_from_slice(&piece);
                }
            }
        }
        let mut stream = TcpStream::connect(client.address()).await.unwrap();
        // The server may be done with it before all is sent.
        if stream.write_all(&bytes).await.is_ok() && stream.shutdown().await.is_ok() {
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            assert!(
                answer.is_empty() || answer.starts_with(b"HTTP/1."),
                "{:?}",
                String::from_utf8_lossy(&answer)
            );
        }
    }
    client.s3("GET", "/", "").await.expect(200);
    aws.shutdown().await;
}

#[tokio::test]
async fn a_crowd_is_served() {
    let aws = start().await;
    let client = Client::of(&aws);
    let mut crowd = JoinSet::new();
    for number in 0..200 {
        let client = client.clone();
        crowd.spawn(async move {
            let name = format!("/group/{number}");
            client
                .logs("CreateLogGroup", json!({ "logGroupName": name }))
                .await
                .expect(200);
            name
        });
    }
    let names = crowd.join_all().await;
    let inventory = aws.cloud().inventory();
    for name in names {
        assert!(
            inventory.keys().any(|key| key.ends_with(&name)),
            "{name} is not there"
        );
    }
    aws.shutdown().await;
}

#[tokio::test]
async fn what_runs_is_answered_before_the_end() {
    let aws = start().await;
    let client = Client::of(&aws);
    let admin = aws.cloud();
    let slow = FaultRule::new(Fault::Delay(Duration::from_millis(200)));
    admin.faults().add(slow.times(1));
    let running = tokio::spawn({
        let client = client.clone();
        async move {
            client
                .lambda("GET", "/2015-03-31/functions", Value::Null)
                .await
        }
    });
    while admin.faults().struck() == 0 {
        tokio::task::yield_now().await;
    }
    aws.shutdown().await;
    running.await.unwrap().expect(200);
}

#[tokio::test]
async fn one_port_has_one_server() {
    let aws = start().await;
    let port = Client::of(&aws)
        .address()
        .rsplit_once(':')
        .unwrap()
        .1
        .parse()
        .unwrap();
    let error = Emulator::start(Config::new().port(port)).await.unwrap_err();
    assert!(matches!(error, EmulatorError::Listen { .. }), "{error}");
    assert!(error.to_string().contains(&port.to_string()));
    aws.shutdown().await;
}

#[tokio::test]
async fn a_queue_is_called_by_form_at_its_own_address() {
    let aws = start().await;
    let client = Client::of(&aws);
    let created = client
        .query(
            "sqs",
            "CreateQueue",
            &[
                ("QueueName", "q"),
                ("Attribute.1.Name", "DelaySeconds"),
                ("Attribute.1.Value", "0"),
            ],
        )
        .await
        .expect(200);
    let url = created.element("QueueUrl").unwrap();
    let path = url.split_once(client.address()).unwrap().1;
    let form = client.header("content-type", "application/x-www-form-urlencoded");
    let send = "Action=SendMessage&Version=2012-11-05&MessageBody=h%C3%A9llo+%3Cthere%3E&MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=b";
    form.send("sqs", "POST", path, send).await.expect(200);
    let receive = "Action=ReceiveMessage&Version=2012-11-05&MessageAttributeName.1=All";
    let received = form.send("sqs", "POST", path, receive).await.expect(200);
    assert_eq!(received.element("Body"), Some("héllo &lt;there&gt;"));
    assert_eq!(received.element("StringValue"), Some("b"));
    let missing = client
        .query("sqs", "GetQueueUrl", &[("QueueName", "other")])
        .await
        .expect(400);
    assert_eq!(
        missing.element("Code"),
        Some("AWS.SimpleQueueService.NonExistentQueue")
    );
    aws.shutdown().await;
}
