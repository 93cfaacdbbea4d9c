//! Changing the configuration of the draft, and making a version of it.

use anyport_core::error::Result;
use anyport_core::outcome::StepDone;
use data_encoding::BASE64;

use super::{ONCE, Taking};
use crate::lower::{self, Only};
use crate::native;

impl Taking<'_> {
    /// Changes the configuration of the draft, which nobody calls.
    pub(super) async fn configure(&mut self) -> Result<StepDone> {
        const WORDS: &str = "configure";
        let revision = self.draft()?.to_owned();
        // After a rollback the differences are to the version that serves, not to the draft.
        let only = if self.stand.rolled_back {
            Only::Everything
        } else {
            Only::Changed(self.step)
        };
        let settings = self.asked(only, &self.dropped_native()).await?;
        let description = settings.description.clone();
        let lambda = &self.session.raw.lambda;
        self.call("UpdateFunctionConfiguration", WORDS, ONCE, || {
            lower::configure(self.name, &revision, settings.clone()).send_with(lambda)
        })
        .await?;
        let config = self.settled(None).await?;
        if config.description() != Some(description.as_str()) {
            return Err(self.conflict("somebody else changed it at the same time"));
        }
        self.stand.draft = config.revision_id().map(str::to_owned);
        self.known(config.function_arn());
        Ok(StepDone::Changed)
    }

    /// Makes a version of the draft and waits until it can be called.
    pub(super) async fn publish(&mut self) -> Result<StepDone> {
        const WORDS: &str = "publish a version of";
        let revision = self.draft()?.to_owned();
        let code = BASE64.encode(self.spec()?.artifact.digest.as_bytes());
        let lambda = &self.session.raw.lambda;
        let request = lambda
            .publish_version()
            .function_name(self.name.as_str())
            .revision_id(revision)
            .code_sha256(code);
        let made = self
            .call("PublishVersion", WORDS, ONCE, || request.clone().send())
            .await?;
        self.made(made.version()).await?;
        Ok(StepDone::Changed)
    }

    /// Letters of the members that may have to go back to their defaults.
    fn dropped_native(&self) -> String {
        if self.stand.rolled_back {
            return native::ALL.to_owned();
        }
        let field = format!("native.{}", native::PRODUCT);
        let changed = self.step.why.iter().find(|change| change.field == field);
        let before = changed.and_then(|change| change.from.as_deref());
        before.map(native::letters_in).unwrap_or_default()
    }
}
