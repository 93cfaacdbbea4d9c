//! Making a function, and the queue for its dead letters before it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::mark::{Mark, Owner};
use anyport_core::outcome::StepDone;

use super::{ONCE, Taking, map};
use crate::lower::{self, Only};
use crate::observe::{MARK_TAG, OWNER_TAG};
use crate::wait::Pauses;
use crate::wire::sqs;

/// How long dead letters are kept: as long as SQS can. Source: SQS service model.
const KEPT_SECONDS: u32 = 14 * 24 * 60 * 60;
/// How long a new role may not be there for Lambda yet. Guessed: seconds are usual.
const ROLE_PATIENCE: Duration = Duration::from_secs(15);
/// After how long a queue's name is free again. Source: SQS service model.
const QUEUE_PATIENCE: Duration = Duration::from_secs(70);

impl Taking<'_> {
    /// Makes the queue, which marks the name as taken before there is a function.
    pub(super) async fn queue(&mut self) -> Result<StepDone> {
        let desired = &self.plan.desired;
        let spec = self.spec()?;
        let mark = Mark::new(&desired.owner, spec.hash());
        let queue = lower::queue(self.name);
        let request = sqs::CreateQueue {
            queue_name: &queue,
            attributes: [("MessageRetentionPeriod", KEPT_SECONDS.to_string())].into(),
            tags: tags(&mark, &desired.owner),
        };
        let mut pauses = Pauses::within(QUEUE_PATIENCE);
        let url = loop {
            match sqs::create(&self.session.wire, self.cx, &request).await {
                Err(error) if error.code() == Some("QueueDeletedRecently") => {
                    if !pauses.pause(self.cx).await? {
                        return Err(error);
                    }
                }
                other => break other?,
            }
        };
        self.out.ids.insert("dead_letters".to_owned(), url);
        Ok(StepDone::Changed)
    }

    /// Makes the function and its first version, and waits until it can be called.
    pub(super) async fn create(&mut self) -> Result<StepDone> {
        const WORDS: &str = "create the function";
        let spec = self.spec()?;
        let arch = spec.artifact.arch;
        let tags = map(&spec.tags);
        let mut settings = self.asked(Only::Everything, "").await?;
        settings.tags = Some(tags);
        let code = self.code().await?;
        let lambda = &self.session.raw.lambda;
        let mut pauses = Pauses::within(ROLE_PATIENCE);
        let made = loop {
            let made = self
                .call("CreateFunction", WORDS, ONCE, || {
                    let request = lower::create(self.name, arch, settings.clone(), code.clone());
                    request.send_with(lambda)
                })
                .await;
            match made {
                // A role that was made just now is not known everywhere yet.
                Err(error) if is_unassumable(&error) => {
                    if !pauses.pause(self.cx).await? {
                        return Err(error.hint("let the role trust lambda.amazonaws.com, or wait until a new role is known to Lambda"));
                    }
                }
                Err(error) if *error.kind() == ErrorKind::Conflict => {
                    return Err(error.because("somebody else made it since the plan was made"));
                }
                other => break other?,
            }
        };
        // The answer to the request names the version that it published.
        let version = made.version().filter(|it| it.parse::<u64>().is_ok());
        self.made(Some(version.unwrap_or("1"))).await?;
        Ok(StepDone::Changed)
    }
}

fn is_unassumable(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidSpec(found)
        if found.iter().any(|it| it.rule.contains("cannot be assumed by Lambda")))
}

/// The tags that say whose a queue is.
pub(super) fn tags(mark: &Mark, owner: &Owner) -> BTreeMap<String, String> {
    [
        (MARK_TAG.to_owned(), mark.to_string()),
        (OWNER_TAG.to_owned(), tag_value(&owner.to_string())),
    ]
    .into()
}

/// Text as a queue's tag takes it. Source: SQS developer guide.
fn tag_value(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_alphanumeric() || " _.:/=+-@".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(256)
        .collect()
}
