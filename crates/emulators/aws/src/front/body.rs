//! Bodies: read with a bound, sent as they come.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::reply::events;
use crate::answer::{AnswerBody, ByteStream, EventStream};

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It is larger than this many bytes.
    TooLarge,
    /// The client broke off.
    Broken,
}

/// How much of a body that is too large is read and thrown away, so that the client gets to read the answer.
const DRAINED: u64 = 64 << 20;

/// For how long a client may send nothing of a body that it began.
const STALL: Duration = Duration::from_secs(60);

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, ReadError> {
    let told = body.size_hint();
    if told.lower() > limit as u64 {
        drain(body).await;
        return Err(ReadError::TooLarge);
    }
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(frame) = next(&mut body).await? {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let so_far = all.len() + first.as_ref().map_or(0, Bytes::len);
        if data.len() > limit - so_far {
            drain(body).await;
            return Err(ReadError::TooLarge);
        }
        // Most bodies come in one piece, which needs no copy.
        match first.take() {
            None if all.is_empty() => first = Some(data),
            None => all.extend_from_slice(&data),
            Some(before) => {
                let exact = usize::try_from(told.exact().unwrap_or(0)).unwrap_or(0);
                all.reserve(exact.max(before.len() + data.len()));
                all.extend_from_slice(&before);
                all.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

/// The next part of a body, for which is not waited for ever.
async fn next(body: &mut Incoming) -> Result<Option<Frame<Bytes>>, ReadError> {
    if body.is_end_stream() {
        return Ok(None);
    }
    tokio::time::timeout(STALL, body.frame())
        .await
        .map_err(|_| ReadError::Broken)?
        .transpose()
        .map_err(|_| ReadError::Broken)
}

async fn drain(mut body: Incoming) {
    let mut left = DRAINED;
    while let Ok(Some(frame)) = next(&mut body).await {
        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}

/// The body of a reply.
pub(super) struct ReplyBody(Inner);

enum Inner {
    Full(Option<Bytes>),
    Stream {
        stream: ByteStream,
        length: Option<u64>,
    },
    Events(EventStream),
    /// So many bytes of another body, and then the connection breaks.
    Cut(Box<ReplyBody>, u64),
    /// Another body with one bit turned.
    Turned(Box<ReplyBody>, bool),
}

impl ReplyBody {
    pub(super) fn empty() -> Self {
        Self(Inner::Full(None))
    }

    pub(super) fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self(Inner::Full((!bytes.is_empty()).then_some(bytes)))
    }

    /// The connection breaks after this many bytes.
    pub(super) fn cut(self, after: usize) -> Self {
        Self(Inner::Cut(Box::new(self), after as u64))
    }

    /// One bit of the first byte is turned.
    pub(super) fn turned(self) -> Self {
        Self(Inner::Turned(Box::new(self), false))
    }
}

impl From<AnswerBody> for ReplyBody {
    fn from(body: AnswerBody) -> Self {
        match body {
            AnswerBody::Empty => Self::empty(),
            AnswerBody::Bytes(bytes) => Self::full(bytes),
            AnswerBody::Stream(stream, length) => Self(Inner::Stream { stream, length }),
            AnswerBody::Events(stream) => Self(Inner::Events(stream)),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Inner::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Inner::Stream { stream, .. } => stream
                .as_mut()
                .poll_next(cx)
                .map(|next| next.map(|item| item.map(Frame::data))),
            Inner::Events(stream) => stream.as_mut().poll_next(cx).map(|next| {
                next.map(|event| {
                    event
                        .and_then(|event| events::frame(&event))
                        .map(Frame::data)
                })
            }),
            Inner::Cut(body, left) => {
                if *left == 0 {
                    return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
                }
                let frame = match ready!(Pin::new(&mut **body).poll_frame(cx)) {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
                };
                let mut data = frame.into_data().unwrap_or_default();
                data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Inner::Turned(body, done) => {
                let frame = match ready!(Pin::new(&mut **body).poll_frame(cx)) {
                    Some(Ok(frame)) => frame,
                    other => return Poll::Ready(other),
                };
                let data = frame.into_data().unwrap_or_default();
                if *done || data.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                *done = true;
                let mut turned = BytesMut::from(data);
                turned[0] ^= 1;
                Poll::Ready(Some(Ok(Frame::data(turned.freeze()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Full(bytes) => bytes.is_none(),
            Inner::Turned(body, _) => body.is_end_stream(),
            _ => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Inner::Stream {
                length: Some(length),
                ..
            } => SizeHint::with_exact(*length),
            Inner::Cut(body, _) | Inner::Turned(body, _) => body.size_hint(),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cut_body_breaks_where_it_is_told_to() {
        let mut body = ReplyBody::full("hello").cut(3);
        assert_eq!(body.size_hint().exact(), Some(5));
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(data, "hel");
        assert!(body.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_turned_body_differs_in_one_bit() {
        let body = ReplyBody::full("hello").turned();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "iello");
    }
}
