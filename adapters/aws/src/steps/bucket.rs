//! The bucket for code that is too large to be sent directly. An object's name is its digest: nothing is sent twice.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use anyport_core::content::Content;
use anyport_core::context::Effect;
use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::StepDone;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use bytes::Bytes;
use data_encoding::BASE64;
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use http_body::{Body, Frame, SizeHint};

use super::{AGAIN, ONCE, Taking};
use crate::{error, upload};

/// The region whose buckets name no location. Source: S3 service model.
const NO_LOCATION: &str = "us-east-1";

impl Taking<'_> {
    /// The bucket's name and the account that owns it.
    pub(super) async fn code_bucket(&self) -> Result<(String, String)> {
        let account = self.session.place(self.cx).await?.account;
        let bucket = match &self.session.config.code_bucket {
            Some(bucket) => bucket.clone(),
            None => format!("anyport-code-{account}-{}", self.session.region),
        };
        Ok((bucket, account))
    }

    /// Makes the bucket, unless it is there.
    pub(super) async fn bucket(&mut self) -> Result<StepDone> {
        const LOOK: &str = "look for the bucket for the code of";
        const MAKE: &str = "make the bucket for the code of";
        let (bucket, account) = self.code_bucket().await?;
        let s3 = &self.session.raw.s3;
        let head = s3
            .head_bucket()
            .bucket(&bucket)
            .expected_bucket_owner(account);
        let found = self
            .call("HeadBucket", LOOK, Effect::Read, || head.clone().send())
            .await;
        if error::found(found)?.is_some() {
            return Ok(StepDone::AlreadyDone);
        }
        let region = self.session.region.as_str();
        let place = (region != NO_LOCATION).then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region))
                .build()
        });
        let request = s3
            .create_bucket()
            .bucket(bucket)
            .set_create_bucket_configuration(place);
        let made = self
            .call("CreateBucket", MAKE, ONCE, || request.clone().send())
            .await;
        match made {
            // Another deploy was faster.
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => {
                Ok(StepDone::AlreadyDone)
            }
            other => other.map(|_| StepDone::Changed),
        }
    }

    /// Puts the code into the bucket, unless it is there.
    pub(super) async fn upload(&mut self) -> Result<StepDone> {
        const LOOK: &str = "look for the code of";
        const PUT: &str = "upload the code of";
        let key = upload::key(self.spec()?);
        let (bucket, account) = self.code_bucket().await?;
        let s3 = &self.session.raw.s3;
        let head = s3
            .head_object()
            .bucket(&bucket)
            .key(&key)
            .expected_bucket_owner(&account);
        let found = self
            .call("HeadObject", LOOK, Effect::Read, || head.clone().send())
            .await;
        if error::found(found)?.is_some() {
            return Ok(StepDone::AlreadyDone);
        }
        let Some(content) = self.plan.desired.content.as_deref() else {
            return Err(self.conflict("its artifact is not there"));
        };
        let size = i64::try_from(content.size()).unwrap_or(i64::MAX);
        let put = self
            .call("PutObject", PUT, AGAIN, || {
                let request = s3.put_object().bucket(&bucket).key(&key);
                request
                    .expected_bucket_owner(&account)
                    .if_none_match("*")
                    .checksum_sha256(BASE64.encode(content.digest().as_bytes()))
                    .content_type("application/zip")
                    .content_length(size)
                    .body(stream(content))
                    .send()
            })
            .await;
        match put {
            // Another deploy of the same code was faster.
            Err(error) if *error.kind() == ErrorKind::Conflict => Ok(StepDone::AlreadyDone),
            other => other.map(|_| StepDone::Changed),
        }
    }
}

/// The bytes, read as they are sent.
fn stream(content: &dyn Content) -> ByteStream {
    ByteStream::new(SdkBody::from_body_1_x(Pieces {
        pieces: Mutex::new(content.open()),
        left: content.size(),
    }))
}

/// A body that says how long it is: S3 takes none that does not.
struct Pieces {
    /// The SDK shares bodies between threads, and streams cannot be: nobody ever waits for this lock.
    pieces: Mutex<BoxStream<'static, Result<Bytes>>>,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>>>> {
        let pieces = self
            .pieces
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let polled = pieces.poll_next_unpin(cx);
        polled.map(|piece| {
            let piece = piece?;
            if let Ok(bytes) = &piece {
                self.left = self.left.saturating_sub(bytes.len() as u64);
            }
            Some(piece.map(Frame::data))
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
