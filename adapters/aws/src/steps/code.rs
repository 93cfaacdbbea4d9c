//! The artifact's bytes: where a request finds them, and the step that changes the code.

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::StepDone;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::{ONCE, Taking};
use crate::lower::{self, Code};
use crate::upload;

impl Taking<'_> {
    /// Changes the code of the draft, makes a version of it, and waits until it can be called.
    pub(super) async fn update_code(&mut self) -> Result<StepDone> {
        const WORDS: &str = "update the code of";
        let arch = self.spec()?.artifact.arch;
        let revision = self.draft()?.to_owned();
        let code = self.code().await?;
        let lambda = &self.session.raw.lambda;
        let made = self
            .call("UpdateFunctionCode", WORDS, ONCE, || {
                let request = lower::update_code(self.name, arch, &revision, code.clone());
                request.send_with(lambda)
            })
            .await?;
        self.made(made.version()).await?;
        Ok(StepDone::Changed)
    }

    /// The draft's revision, which a write to it names.
    pub(super) fn draft(&self) -> Result<&str> {
        let draft = self.stand.draft.as_deref();
        draft.ok_or_else(|| self.conflict("it is not there any more"))
    }

    /// The code, in the request or in the bucket.
    pub(super) async fn code(&self) -> Result<Code> {
        let spec = self.spec()?;
        let content = self.plan.desired.content.as_deref();
        #[cfg(feature = "s3")]
        if upload::is_large(spec, content) {
            let (bucket, _) = self.code_bucket().await?;
            let key = upload::key(spec);
            return Ok(Code::Bucket { bucket, key });
        }
        let _ = spec;
        let Some(content) = content else {
            return Err(self.conflict("its artifact is not there"));
        };
        let too_large = || {
            let limit = anyport_core::error::Limit {
                what: "artifact".to_owned(),
                max: upload::MAX_DIRECT,
                actual: Some(content.size()),
            };
            Error::new(ErrorKind::PayloadTooLarge(limit), self.cx.verb().to_owned()).on(self.name)
        };
        let size = usize::try_from(content.size()).map_err(|_| too_large())?;
        let mut bytes = BytesMut::with_capacity(size.min(1 << 26));
        let mut pieces = content.open();
        while let Some(piece) = pieces.next().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() as u64 > upload::MAX_DIRECT {
                return Err(too_large());
            }
        }
        let bytes: Bytes = bytes.freeze();
        Ok(Code::Direct(bytes))
    }
}
