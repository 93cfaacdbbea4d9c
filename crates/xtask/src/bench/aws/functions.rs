//! Functions made with the AWS SDK alone, on any AWS.

use std::path::Path;
use std::time::{Duration, Instant};

use anyport::Connect;
use anyport::lambda::{Config, Credentials, Raw};
use anyport_package::Packer;
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime, State};

use super::wire::{Place, REGION};
use crate::commands::Failure;

/// How long a function may take to become active.
const PATIENCE: Duration = Duration::from_secs(60);

/// The SDK's client, set up as the adapter sets it up.
pub(super) async fn client(place: &Place) -> Result<Client, Failure> {
    let keys = Credentials::keys(&place.keys.access_key, &place.keys.secret_key);
    let config = Config::default()
        .endpoint(&place.endpoint)
        .credentials(keys);
    let target = Connect::new(format!("lambda://{REGION}"))
        .lambda(config)
        .connect()
        .await?;
    let raw = target.raw().downcast_ref::<Raw>();
    Ok(raw.ok_or("the target has no SDK clients")?.calls.clone())
}

/// The archive of a function that is one executable.
pub(super) fn archive(program: &Path) -> Result<Vec<u8>, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("anyport-bench-")
        .tempdir()?;
    let path = folder.path().join("function.zip");
    Packer::default().file(program, &path)?;
    Ok(std::fs::read(path)?)
}

/// Makes a function and waits until it is active.
pub(super) async fn create(
    client: &Client,
    place: &Place,
    name: &str,
    archive: &[u8],
) -> Result<(), Failure> {
    let environment = Environment::builder().variables("GREETING", "good day");
    client
        .create_function()
        .function_name(name)
        .role(format!(
            "arn:aws:iam::{}:role/anyport-embedded",
            place.account
        ))
        .runtime(Runtime::Providedal2023)
        .handler("bootstrap")
        .code(FunctionCode::builder().zip_file(Blob::new(archive)).build())
        .environment(environment.build())
        .memory_size(256)
        .timeout(5)
        .send()
        .await
        .map_err(|error| aws_sdk_lambda::error::DisplayErrorContext(error).to_string())?;
    let began = Instant::now();
    loop {
        let found = client.get_function_configuration().function_name(name);
        let state = found.send().await?.state;
        match state {
            Some(State::Active) => return Ok(()),
            Some(State::Pending) if began.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return Err(format!("{name} is {other:?}").into()),
        }
    }
}
