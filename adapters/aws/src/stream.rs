//! Answers that arrive while they are produced.

use anyport_core::call::{Body, Reply};
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Limit, Result, Retry};
use anyport_core::plan::VersionId;
use aws_sdk_lambda::operation::RequestId as _;
use aws_sdk_lambda::operation::invoke_with_response_stream::InvokeWithResponseStreamOutput;
use aws_sdk_lambda::primitives::event_stream::EventReceiver;
use aws_sdk_lambda::types::error::InvokeWithResponseStreamResponseEventError;
use aws_sdk_lambda::types::{
    InvokeWithResponseStreamCompleteEvent, InvokeWithResponseStreamResponseEvent as Event, LogType,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::Blob;
use bytes::{Bytes, BytesMut};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};

use crate::auth::Session;
use crate::envelope::{self, Prelude};
use crate::error::{self, Failure, PROVIDER};
use crate::invoke::{self, Failed, Lowered, MAX_REPLY, TRACE, VERB};

type Receiver = EventReceiver<Event, InvokeWithResponseStreamResponseEventError>;

/// Calls a function and returns as soon as its answer begins: what fails before that fails the call, what fails later ends the stream.
pub(crate) async fn invoke(
    session: &Session,
    cx: &Ctx,
    effect: Effect,
    lowered: &Lowered,
) -> Result<Reply> {
    const CALL: &str = "InvokeWithResponseStream";
    cx.call(CALL, effect, &lowered.name, || async {
        let sent = session
            .raw
            .calls
            .invoke_with_response_stream()
            .function_name(&lowered.name)
            .qualifier(&lowered.qualifier)
            .log_type(LogType::Tail)
            .set_client_context(lowered.client_context.clone())
            .payload(Blob::from_maybe_shared(lowered.payload.clone()));
        let answered = match &lowered.trace {
            None => sent.send().await,
            Some(trace) => {
                let trace = trace.clone();
                sent.customize()
                    .mutate_request(move |request| {
                        request.headers_mut().insert(TRACE, trace.clone());
                    })
                    .send()
                    .await
            }
        };
        let output = answered.map_err(|failed| error::sdk(VERB, effect, failed))?;
        begin(effect, output, &lowered.name).await
    })
    .await
}

/// What the beginning of an answer is.
enum Beginning {
    /// Pieces of the answer itself follow this one.
    Pieces(Option<envelope::Head>, Bytes),
    /// All of it.
    Whole(Bytes),
}

async fn begin(
    effect: Effect,
    output: InvokeWithResponseStreamOutput,
    name: &str,
) -> Result<Reply> {
    let request_id = output.request_id().unwrap_or_default().to_owned();
    let version = output.executed_version.map(VersionId::new);
    let mut pieces = Pieces {
        receiver: output.event_stream,
        effect,
        request_id: request_id.clone(),
        name: name.to_owned(),
        ended: false,
    };
    let mut reply = match beginning(&mut pieces).await? {
        Beginning::Whole(bytes) => invoke::open(request_id, bytes)?,
        Beginning::Pieces(head, first) => {
            let mut reply = Reply::new(request_id, Body::empty());
            match head {
                Some(head) => {
                    reply.content_type = head.content_type;
                    reply.status = head.status;
                }
                // Nothing says what it is: Lambda does not pass the type of a stream on.
                None if !looks_like_json(&first) => {
                    "application/octet-stream".clone_into(&mut reply.content_type);
                }
                None => {}
            }
            reply.body = Body::Stream(pieces.after(first));
            reply
        }
    };
    reply.version = version;
    Ok(reply)
}

/// Reads until it is clear what follows: at most a prelude, or an answer in an envelope, which are bounded.
async fn beginning(pieces: &mut Pieces) -> Result<Beginning> {
    let mut seen = Bytes::new();
    loop {
        let Some(piece) = pieces.next().await? else {
            return Ok(Beginning::Whole(seen));
        };
        seen = joined(seen, piece);
        match envelope::prelude(&seen) {
            Prelude::There(head) => {
                let first = seen.slice(head.length..);
                return Ok(Beginning::Pieces(Some(head), first));
            }
            Prelude::Perhaps => {}
            Prelude::None if envelope::may_be_envelope(&seen) => {
                if seen.len() as u64 > MAX_REPLY {
                    return Err(too_large(&pieces.name));
                }
            }
            Prelude::None => return Ok(Beginning::Pieces(None, seen)),
        }
    }
}

/// The two after each other; nothing is copied while there is only one.
fn joined(seen: Bytes, piece: Bytes) -> Bytes {
    if seen.is_empty() {
        return piece;
    }
    let mut both = BytesMut::from(seen);
    both.extend_from_slice(&piece);
    both.freeze()
}

fn too_large(name: &str) -> Error {
    let kind = ErrorKind::PayloadTooLarge(Limit {
        what: "reply".to_owned(),
        max: MAX_REPLY,
        actual: None,
    });
    Error::new(kind, VERB)
        .on(name)
        .may_have_run(true)
        .from_provider(PROVIDER, None)
}

fn looks_like_json(bytes: &[u8]) -> bool {
    matches!(
        bytes.trim_ascii_start().first(),
        Some(b'{' | b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n')
    )
}

/// The rest of an answer. The next piece is read from the connection when it is asked for, so a slow reader slows the function.
struct Pieces {
    receiver: Receiver,
    effect: Effect,
    request_id: String,
    name: String,
    ended: bool,
}

impl Pieces {
    /// The next piece that is not empty, `None` at the end of an answer that is whole.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while !self.ended {
            match self.receiver.recv().await {
                Ok(Some(Event::PayloadChunk(chunk))) => {
                    let piece = chunk.payload.map_or_else(Bytes::new, Blob::into_bytes);
                    if !piece.is_empty() {
                        return Ok(Some(piece));
                    }
                }
                Ok(Some(Event::InvokeComplete(complete))) => {
                    self.ended = true;
                    return self.complete(&complete).map(|()| None);
                }
                // Kinds of events that came later than this version.
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.ended = true;
                    return Err(self
                        .about(Error::new(ErrorKind::Unavailable, VERB))
                        .because("the answer broke off"));
                }
                Err(failed) => {
                    self.ended = true;
                    return Err(self.broken(failed));
                }
            }
        }
        Ok(None)
    }

    fn complete(&self, complete: &InvokeWithResponseStreamCompleteEvent) -> Result<()> {
        let Some(code) = complete.error_code.as_deref().filter(|it| !it.is_empty()) else {
            return Ok(());
        };
        let failed = Failed {
            code,
            report: complete
                .error_details
                .as_deref()
                .unwrap_or_default()
                .as_bytes(),
            tail: complete.log_result.as_deref(),
            request_id: Some(&self.request_id),
        };
        Err(invoke::failed(VERB, &failed).on(&self.name))
    }

    fn about(&self, error: Error) -> Error {
        // The function has run, at least in part: whoever repeats the call runs it again.
        error
            .on(&self.name)
            .may_have_run(true)
            .with_retry(Retry::No)
            .with_request_id(&self.request_id)
            .from_provider(PROVIDER, None)
    }

    fn broken<R>(&self, failed: SdkError<InvokeWithResponseStreamResponseEventError, R>) -> Error
    where
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        if let SdkError::ServiceError(service) = &failed {
            let meta = service.err().meta();
            let failure = Failure {
                code: meta.code().map(error::plain),
                message: meta.message().map(Into::into),
                status: 500,
                request_id: Some(&self.request_id),
                ..Failure::default()
            };
            return self.about(error::answered(VERB, self.effect, &failure));
        }
        self.about(error::unanswered(VERB, self.effect, failed))
    }

    /// The stream that begins with a piece that was read already.
    fn after(self, first: Bytes) -> BoxStream<'static, Result<Bytes>> {
        let first = stream::iter((!first.is_empty()).then_some(Ok(first)));
        let rest = stream::try_unfold(self, |mut pieces| async move {
            Ok(pieces.next().await?.map(|piece| (piece, pieces)))
        });
        first.chain(rest).boxed()
    }
}

#[cfg(test)]
mod tests;
