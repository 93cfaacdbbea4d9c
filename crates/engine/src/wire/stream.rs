//! Passing a streamed answer on, piece by piece.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::error::InvokeError;
use crate::instance::Instance;
use crate::request::{Body, BodyKind, Piece};

/// Why a body could not be taken whole.
pub(crate) enum Broken {
    /// It is larger than the limit.
    TooLarge,
    /// Its connection broke.
    Connection,
}

/// Reads a whole body of at most `limit` bytes; one that came in one piece is not copied.
pub(crate) async fn collect(mut body: Incoming, limit: u64) -> Result<Bytes, Broken> {
    if body.size_hint().lower() > limit {
        return Err(Broken::TooLarge);
    }
    let mut first: Option<Bytes> = None;
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Broken::Connection)?.into_data() else {
            continue;
        };
        let size = all.len() + first.as_ref().map_or(0, Bytes::len) + data.len();
        if size as u64 > limit {
            return Err(Broken::TooLarge);
        }
        if all.is_empty() && first.is_none() {
            first = Some(data);
            continue;
        }
        if let Some(first) = first.take() {
            let expected = usize::try_from(body.size_hint().lower()).unwrap_or(0);
            all.reserve(first.len() + data.len() + expected);
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
    }
    Ok(first.unwrap_or_else(|| all.into()))
}

/// A body to hand to the caller, and the end to fill it from.
pub(crate) fn channel() -> (mpsc::Sender<Piece>, Body) {
    let (pieces, body) = mpsc::channel(1);
    (pieces, Body(BodyKind::Stream(body)))
}

/// What a streamed answer belongs to.
pub(crate) struct Flow<'a> {
    pub(crate) instance: &'a Arc<Instance>,
    pub(crate) request: &'a str,
    pub(crate) deadline: Instant,
    pub(crate) limit: std::time::Duration,
    /// Makes the instance ready for another call, before the caller learns of the end.
    pub(crate) done: &'a (dyn Fn() + Sync),
    /// Reads an error out of the trailers, if they hold one.
    pub(crate) trailers: fn(&Instance, &str, &HeaderMap) -> Option<InvokeError>,
}

impl Flow<'_> {
    /// Passes pieces on as fast as the caller takes them, until the end or the time limit. When the
    /// caller has gone the rest is read and thrown away.
    pub(crate) async fn pump(self, mut body: Incoming, pieces: mpsc::Sender<Piece>) {
        let last = match timeout_at(self.deadline, self.copy(&mut body, &pieces)).await {
            Ok(last) => last,
            Err(_) => Piece::Failed(self.instance.time_out(self.request, self.limit)),
        };
        self.instance.drain_logs();
        (self.done)();
        if let Err(mpsc::error::TrySendError::Full(last)) = pieces.try_send(last) {
            // The caller has not taken the piece before it yet. The function is not held up for that.
            tokio::spawn(async move { pieces.send(last).await });
        }
    }

    async fn copy(&self, body: &mut Incoming, pieces: &mpsc::Sender<Piece>) -> Piece {
        let mut size = 0_u64;
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Piece::Failed(self.instance.broken(self.request).await);
            };
            match frame.into_data() {
                Ok(data) => {
                    size += data.len() as u64;
                    let limit = self.instance.spec.max_stream_bytes;
                    if size > limit {
                        return Piece::Failed(InvokeError::TooLarge { limit });
                    }
                    if !data.is_empty() {
                        // Nobody to read it: the function may still finish.
                        let _ = pieces.send(Piece::Data(data)).await;
                    }
                }
                Err(frame) => {
                    let error = frame
                        .trailers_ref()
                        .and_then(|map| (self.trailers)(self.instance, self.request, map));
                    if let Some(error) = error {
                        return Piece::Failed(error);
                    }
                }
            }
        }
        Piece::End
    }
}
