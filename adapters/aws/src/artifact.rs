//! The bytes of a deployed artifact, had back from Lambda.
//!
//! Lambda gives an address in S3 that is good for ten minutes, so that it is asked for when the content is opened. Source: Lambda API model.
//! Nobody's context reaches that far: opening has the client's own limits of time and no retries.

use std::fmt;
use std::sync::Arc;

use anyport_core::Digest;
use anyport_core::content::Content;
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use anyport_core::spec::Name;
use aws_sdk_lambda::types::FunctionConfiguration;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::interceptors::context::{Error as Erased, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::DeserializeResponse;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use sha2::{Digest as _, Sha256};

use crate::auth::Session;
use crate::config::is_loopback;
use crate::{error, lift, observe, wait};

const WORDS: &str = "fetch the code of";

/// The artifact with this digest, of the newest version that runs it, else of the draft.
///
/// # Errors
/// `NotFound` when nothing runs it; as for every read.
pub(crate) async fn content(
    session: &Arc<Session>,
    cx: &Ctx,
    name: &Name,
    digest: Digest,
) -> Result<Arc<dyn Content>> {
    let of = |config: &FunctionConfiguration| lift::digest(config) == Some(digest);
    let versions = observe::versions(session, cx, name).await?;
    let found = match versions.into_iter().rfind(of) {
        Some(version) => Some(version),
        None => {
            let draft = wait::read(session, cx, name.as_str(), None).await?;
            draft.and_then(|draft| draft.configuration).filter(of)
        }
    };
    let Some(found) = found else {
        return Err(Error::new(ErrorKind::NotFound, WORDS)
            .on(name)
            .because(format_args!("no version runs {digest}"))
            .from_provider(error::PROVIDER, None));
    };
    Ok(Arc::new(Deployed {
        session: Arc::clone(session),
        name: name.clone(),
        version: lift::number(&found).map(|number| number.to_string()),
        digest,
        size: u64::try_from(found.code_size()).unwrap_or_default(),
    }))
}

/// What a version runs.
#[derive(Clone)]
struct Deployed {
    session: Arc<Session>,
    name: Name,
    version: Option<String>,
    digest: Digest,
    size: u64,
}

impl fmt::Debug for Deployed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deployed")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("digest", &self.digest)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Content for Deployed {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn open(&self) -> BoxStream<'static, Result<Bytes>> {
        let deployed = self.clone();
        let opened = async move {
            let body = deployed.body().await?;
            let checked = Checked {
                body,
                sum: Sha256::new(),
                left: deployed.size,
                deployed,
            };
            Ok(futures_util::stream::try_unfold(checked, Checked::next))
        };
        futures_util::stream::once(opened).try_flatten().boxed()
    }
}

impl Deployed {
    async fn body(&self) -> Result<SdkBody> {
        let request = self.session.raw.lambda.get_function();
        let found = request
            .function_name(self.name.as_str())
            .set_qualifier(self.version.clone())
            .send()
            .await
            .map_err(|failed| error::sdk(WORDS, Effect::Read, failed).on(&self.name))?;
        let location = found.code().and_then(|code| code.location());
        let location = location.ok_or_else(|| error::missing(WORDS, "location").on(&self.name))?;
        let uri: http::Uri = location
            .parse()
            .map_err(|_| self.broken("the location is no address"))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if scheme != "https" && !is_loopback(location) {
            return Err(self.broken("the location is not secret"));
        }
        let host = uri.authority().map(ToString::to_string).unwrap_or_default();
        let path = uri.path_and_query().map(ToString::to_string);
        let fetch = fetch(&self.session, &format!("{scheme}://{host}"));
        fetch
            .invoke(path.unwrap_or_default())
            .await
            .map_err(|failed| error::unanswered(WORDS, Effect::Read, failed).on(&self.name))?
            .map_err(|status| self.broken(&format!("S3 answered {status}")))
    }

    fn broken(&self, why: &str) -> Error {
        Error::new(ErrorKind::Unavailable, WORDS)
            .on(&self.name)
            .because(why)
            .with_retry(Retry::No)
            .from_provider(error::PROVIDER, None)
    }
}

/// A body that is held against its digest.
struct Checked {
    body: SdkBody,
    sum: Sha256,
    left: u64,
    deployed: Deployed,
}

impl Checked {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        loop {
            let frame = std::future::poll_fn(|cx| {
                http_body::Body::poll_frame(std::pin::Pin::new(&mut self.body), cx)
            })
            .await;
            let Some(frame) = frame else {
                let sum: [u8; 32] = self.sum.finalize().into();
                return if Digest::from_sha256(sum) == self.deployed.digest {
                    Ok(None)
                } else {
                    Err(self.deployed.broken("the bytes have another digest"))
                };
            };
            let frame = frame.map_err(|_| self.deployed.broken("the connection broke"))?;
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            self.left = match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => left,
                None => return Err(self.deployed.broken("there are more bytes than were told")),
            };
            self.sum.update(&bytes);
            if !bytes.is_empty() {
                return Ok(Some((bytes, self)));
            }
        }
    }
}

/// The request for an address that is signed already, over the SDK's own HTTP client: the body, or the status that was not fine.
fn fetch(
    session: &Session,
    host: &str,
) -> Operation<String, std::result::Result<SdkBody, u16>, std::convert::Infallible> {
    let sdk = &session.raw.sdk;
    let mut builder = Operation::builder()
        .service_name("s3")
        .operation_name("GetObject")
        .endpoint_url(host)
        .no_auth()
        .no_retry();
    if let Some(timeouts) = sdk.timeout_config() {
        builder = builder.timeout_config(timeouts.clone());
    }
    if let Some(version) = sdk.behavior_version() {
        builder = builder.behavior_version(version);
    }
    if let Some(client) = sdk.http_client() {
        builder = builder.http_client(client);
    }
    if let Some(sleep) = sdk.sleep_impl() {
        builder = builder.sleep_impl(sleep);
    }
    if let Some(time) = sdk.time_source() {
        builder = builder.time_source(time);
    }
    builder
        .serializer(|path: String| {
            let request = http::Request::get(path).body(SdkBody::empty())?;
            Ok(HttpRequest::try_from(request)?)
        })
        .deserializer_impl(Streamed)
        .build()
}

/// Takes the body as it comes.
#[derive(Debug)]
struct Streamed;

impl DeserializeResponse for Streamed {
    fn deserialize_streaming_with_config(
        &self,
        response: &mut HttpResponse,
        _: &ConfigBag,
    ) -> Option<std::result::Result<Output, OrchestratorError<Erased>>> {
        let read: std::result::Result<SdkBody, u16> = if response.status().is_success() {
            Ok(response.take_body())
        } else {
            Err(response.status().as_u16())
        };
        Some(Ok(Output::erase(read)))
    }

    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> std::result::Result<Output, OrchestratorError<Erased>> {
        let read: std::result::Result<SdkBody, u16> = Err(response.status().as_u16());
        Ok(Output::erase(read))
    }
}
