//! Moving traffic: one write of the alias, on the revision that was planned on.

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::outcome::StepDone;
use anyport_core::plan::{Split, State, VersionId};

use super::{ONCE, Taking};
use crate::alias::Label;
use crate::{lift, lower};

impl Taking<'_> {
    /// Sends traffic to the version that was made, or as asked.
    pub(super) async fn route(&mut self, split: Option<&Split>) -> Result<StepDone> {
        let deploys = matches!(self.plan.desired.state, State::Present(_));
        let split = match (split, &self.out.version) {
            (Some(split), _) => split.clone(),
            (None, Some(version)) => Split::all_to(version.clone()),
            (None, None) => return Err(self.conflict("the new version is not there any more")),
        };
        let label = match split.only() {
            Some(version) if deploys => self.label(&version.clone()).await?,
            _ => None,
        };
        if let Some(version) = split.only() {
            self.out.version = Some(version.clone());
        }
        match self.stand.alias.clone() {
            Some(revision) => self.move_alias(&revision, &split, label.as_ref()).await,
            None => self.make_alias(&split, label).await,
        }?;
        Ok(StepDone::Changed)
    }

    /// What the alias is to say of the newest version that it ever sent traffic to; none when that does not change.
    async fn label(&mut self, version: &VersionId) -> Result<Option<Label>> {
        let number: u64 = version.as_str().parse().unwrap_or_default();
        if number < self.stand.released {
            return Ok(None);
        }
        if self.stand.content.is_none() {
            let config = self.settled(Some(version.as_str())).await?;
            self.stand.content = Some(lift::content(&config));
            self.known(config.function_arn());
        }
        self.stand.released = number;
        Ok(Some(Label {
            released: Some(number),
            content: self.stand.content.clone().unwrap_or_default(),
        }))
    }

    async fn make_alias(&mut self, split: &Split, label: Option<Label>) -> Result<()> {
        const WORDS: &str = "put the first version into service of";
        let (Some(version), Some(mut label)) = (split.only(), label) else {
            return Err(self.conflict("it has no alias that could be split"));
        };
        // It is complete once it is set how events are delivered, which needs the alias.
        label.content.clear();
        let lambda = &self.session.raw.lambda;
        let made = self
            .call("CreateAlias", WORDS, ONCE, || {
                lower::create_alias(self.name, version.as_str(), &label).send_with(lambda)
            })
            .await
            .map_err(gone)?;
        self.routed(made.alias_arn(), made.revision_id());
        Ok(())
    }

    async fn move_alias(
        &mut self,
        revision: &str,
        split: &Split,
        label: Option<&Label>,
    ) -> Result<()> {
        const WORDS: &str = "change the traffic of";
        let lambda = &self.session.raw.lambda;
        let moved = self
            .call("UpdateAlias", WORDS, ONCE, || {
                lower::update_alias(self.name, revision, split, label).send_with(lambda)
            })
            .await
            .map_err(gone)?;
        self.routed(moved.alias_arn(), moved.revision_id());
        Ok(())
    }

    /// Says that everything about the release is done.
    pub(super) async fn complete(&mut self) -> Result<()> {
        const WORDS: &str = "complete the release of";
        let (Some(revision), Some(content)) = (&self.stand.alias, &self.stand.content) else {
            return Err(self.conflict("the alias is not there any more"));
        };
        let label = Label {
            released: Some(self.stand.released),
            content: content.clone(),
        };
        let request = self.session.raw.lambda.update_alias();
        let request = request
            .function_name(self.name.as_str())
            .name(lower::LIVE)
            .revision_id(revision)
            .description(label.to_string());
        let done = self
            .call("UpdateAlias", WORDS, ONCE, || request.clone().send())
            .await?;
        self.routed(done.alias_arn(), done.revision_id());
        Ok(())
    }

    fn routed(&mut self, arn: Option<&str>, revision: Option<&str>) {
        self.stand.alias = revision.map(str::to_owned);
        if let Some(arn) = arn {
            self.out.endpoint = Some(arn.to_owned());
            self.out.ids.insert("alias".to_owned(), arn.to_owned());
        }
    }
}

/// A version that is not there any more was cleared by somebody who overtook this plan.
fn gone(error: Error) -> Error {
    if *error.kind() != ErrorKind::NotFound {
        return error;
    }
    let code = error.code().map(str::to_owned);
    Error::new(ErrorKind::Conflict, error.operation().to_owned())
        .because("the version is not there any more")
        .from_provider(crate::error::PROVIDER, code)
}
