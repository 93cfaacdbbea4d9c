//! The embedded AWS that `anyport dev` serves.

use std::path::PathBuf;
use std::sync::Arc;

use anyport::embedded::aws::{self, Emulator};
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;

/// Where the embedded AWS listens and keeps what it has.
#[derive(Debug, clap::Args)]
pub(super) struct Served {
    /// The loopback port of the embedded AWS
    #[arg(long, value_name = "PORT", default_value_t = aws::PORT)]
    port: u16,
    /// The folder for the state and the credentials of the embedded AWS, instead of the user's own, where other commands find it
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,
    /// Keep nothing of the embedded AWS: new credentials, and an empty cloud
    #[arg(long, conflicts_with = "state")]
    ephemeral: bool,
}

/// Starts it and says how clients of AWS reach it.
pub(super) async fn serve(served: &Served, context: &Context) -> Result<Arc<Emulator>, Failure> {
    let mut config = aws::config().port(served.port);
    if !served.ephemeral {
        let folder = match &served.state {
            Some(folder) => {
                std::path::absolute(folder).map_err(|why| Failure::file("find", folder, &why))?
            }
            None => aws::state_folder()?,
        };
        config = config.state(folder);
    }
    let kept = config.state.clone();
    let aws = aws::serve(config).await?;
    if !context.output.json {
        introduce(context, &aws, kept);
    }
    Ok(aws)
}

/// What a client must know, in one object.
pub(super) fn object(aws: &Emulator) -> Value {
    json!({
        "endpoint": aws.endpoint(),
        "account": aws.account(),
        "region": aws.region(),
        "access_key_id": aws.credentials().access_key,
        "secret_access_key": aws.credentials().secret_key,
    })
}

fn introduce(context: &Context, aws: &Emulator, kept: Option<PathBuf>) {
    let state = match kept {
        Some(folder) => format!("kept in {}", folder.display()),
        None => "gone at the end".to_owned(),
    };
    let (endpoint, account, region) = (aws.endpoint(), aws.account(), aws.region());
    let (id, secret) = (&aws.credentials().access_key, &aws.credentials().secret_key);
    context.output.note(&format!(
        "an embedded AWS is at {endpoint}: account {account}, region {region}, state {state}\n\
         Any client of AWS reaches it with\n\n  \
         export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}\n  \
         export AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret}\n\n\
         or with --profile anyport and this in ~/.aws/config\n\n  \
         [profile anyport]\n  \
         endpoint_url = {endpoint}\n  \
         region = {region}\n  \
         aws_access_key_id = {id}\n  \
         aws_secret_access_key = {secret}\n"
    ));
}
