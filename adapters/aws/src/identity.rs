//! Who asks, and in which account: asked of STS once, and before the first write where the URL pins an account.

use anyport_core::call::Identity;
use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result};

use crate::auth::Session;
use crate::error;
use crate::lower::Place;
use crate::wire::endpoint;

impl Session {
    /// Asks STS who the caller is.
    ///
    /// # Errors
    /// `Unauthorized`; `Forbidden` when the account is not the one that the URL pins; as for every read.
    pub(crate) async fn identify(&self, cx: &Ctx) -> Result<Identity> {
        const WORDS: &str = "identify the caller at";
        let request = self.raw.sts.get_caller_identity();
        let who = self
            .call(
                cx,
                "GetCallerIdentity",
                WORDS,
                Effect::Read,
                self.id.as_str(),
                || request.clone().send(),
            )
            .await?;
        let account = who.account().unwrap_or_default();
        if let Some(pinned) = &self.pinned
            && pinned != account
        {
            return Err(Error::new(ErrorKind::Forbidden, WORDS)
                .on(&self.id)
                .because(format_args!(
                    "the credentials are for account {account}, and the target is in {pinned}"
                ))
                .hint("use credentials of that account, or name the other one in the target")
                .from_provider(error::PROVIDER, None));
        }
        let _ = self.account.set(account.to_owned());
        let _ = self.checked.set(());
        let mut identity = Identity::new(
            who.arn().unwrap_or_default(),
            account,
            self.endpoint(),
            self.is_emulated(),
        );
        let details = [
            ("region", self.region.clone()),
            ("user id", who.user_id().unwrap_or_default().to_owned()),
        ];
        for (what, value) in details {
            identity.details.insert(what.to_owned(), value);
        }
        Ok(identity)
    }

    /// Makes sure, once, that the account is the one that the URL pins. Asks nobody when it pins none.
    ///
    /// # Errors
    /// As [`identify`](Self::identify).
    pub(crate) async fn right_account(&self, cx: &Ctx) -> Result<()> {
        if self.pinned.is_some() && self.checked.get().is_none() {
            self.identify(cx).await?;
        }
        Ok(())
    }

    /// Where ARNs point to; asks STS when the account is not known yet.
    ///
    /// # Errors
    /// As [`identify`](Self::identify).
    pub(crate) async fn place(&self, cx: &Ctx) -> Result<Place> {
        if self.account.get().is_none() {
            match &self.pinned {
                Some(pinned) => {
                    let _ = self.account.set(pinned.clone());
                }
                None => {
                    self.identify(cx).await?;
                }
            }
        }
        let account = self.account.get().cloned().unwrap_or_default();
        Ok(Place {
            account,
            ..self.nowhere()
        })
    }

    /// As [`place`](Self::place), without an account: for what names its own.
    pub(crate) fn nowhere(&self) -> Place {
        Place {
            partition: endpoint::partition(&self.region),
            region: self.region.clone(),
            account: String::new(),
        }
    }

    /// Takes the account from the ARN of something that is in it.
    pub(crate) fn learn(&self, arn: &str) {
        if let Some(account) = arn.split(':').nth(4).filter(|it| !it.is_empty()) {
            let _ = self.account.set(account.to_owned());
        }
    }

    /// Where requests to Lambda go.
    fn endpoint(&self) -> String {
        endpoint::url(&self.raw.sdk, &self.region, "lambda")
    }

    /// Whether something else than AWS answers.
    fn is_emulated(&self) -> bool {
        let set = self.raw.sdk.endpoint_url();
        set.is_some_and(|url| !crate::config::is_aws(url))
    }
}
