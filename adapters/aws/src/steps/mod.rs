//! Taking one step of a plan: every write names the revision it was planned on, where Lambda has one to name.

#[cfg(feature = "s3")]
mod bucket;
mod code;
mod create;
mod delivery;
mod mark;
mod publish;
mod remove;
mod route;
mod settings;

use std::collections::HashMap;
use std::fmt;

use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result, Retry, Violation};
use anyport_core::outcome::{Outputs, StepDone};
use anyport_core::plan::{Action, Base, Plan, State, Step, VersionId};
use anyport_core::spec::{Name, Spec};
use aws_sdk_lambda::types::FunctionConfiguration;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::auth::Session;
use crate::lower::{Only, Settings};
use crate::plan::native;
use crate::stand::Stand;
use crate::words::Words;
use crate::{capability, error, lift, observe, wait};

/// A write that a revision guards, or that makes something: done twice, it fails the second time.
const ONCE: Effect = Effect::Write { repeatable: false };
/// A write that comes to the same when it is done twice.
const AGAIN: Effect = Effect::Write { repeatable: true };

/// Takes a step.
///
/// # Errors
/// As [`Provider::apply`](anyport_core::provider::Provider::apply) says.
pub(crate) async fn take(
    session: &Session,
    cx: &Ctx,
    plan: &Plan,
    step: &Step,
    out: &mut Outputs,
) -> Result<StepDone> {
    session.right_account(cx).await?;
    let name = &plan.desired.name;
    let revision = match (&out.revision, &step.guard) {
        (Some(revision), _) | (None, Base::Revision(revision)) => Some(revision.clone()),
        (None, Base::Absent) => None,
        (None, Base::Any) => observe::observe(session, cx, name)
            .await?
            .map(|seen| seen.revision),
    };
    let stand = match revision {
        None => Stand {
            bare: true,
            ..Stand::default()
        },
        Some(revision) => revision.parse().map_err(|_| foreign_plan(cx, name))?,
    };
    let mut taking = Taking {
        session,
        name,
        cx,
        plan,
        step,
        out,
        stand,
    };
    taking.has_bytes()?;
    let done = match &step.action {
        Action::Create => taking.create().await,
        Action::Configure => taking.configure().await,
        Action::UpdateCode => taking.update_code().await,
        Action::Publish => taking.publish().await,
        Action::Route(split) => taking.route(split.as_ref()).await,
        Action::Clear(what) => taking.clear(what).await,
        Action::Remove => taking.remove().await,
        Action::Mark => taking.mark().await,
        #[cfg(feature = "s3")]
        Action::Upload(_) => taking.upload().await,
        Action::Native { with, .. } => match with.as_str() {
            native::QUEUE => taking.queue().await,
            native::SETTINGS => taking.settings().await,
            native::DELIVERY => taking.delivery().await,
            native::COLLECT => taking.collect().await,
            #[cfg(feature = "s3")]
            native::BUCKET => taking.bucket().await,
            _ => Err(foreign_plan(cx, name)),
        },
        _ => Err(foreign_plan(cx, name)),
    }?;
    let revision = taking.stand.to_string();
    out.revision = Some(revision);
    Ok(done)
}

/// A plan that this adapter did not make.
fn foreign_plan(cx: &Ctx, name: &Name) -> Error {
    Error::new(ErrorKind::Conflict, cx.verb())
        .on(name)
        .because("the plan was not made for this target")
        .hint("make the plan with this target")
        .with_retry(Retry::No)
        .from_provider(error::PROVIDER, None)
}

/// A step that is being taken.
struct Taking<'a> {
    session: &'a Session,
    name: &'a Name,
    cx: &'a Ctx,
    plan: &'a Plan,
    step: &'a Step,
    out: &'a mut Outputs,
    /// Where the function stands, from the plan's base and the steps before.
    stand: Stand,
}

impl Taking<'_> {
    /// Makes one call of the SDK. `words` say what for.
    async fn call<T, E, F, Fut>(
        &self,
        operation: &'static str,
        words: &'static str,
        effect: Effect,
        send: F,
    ) -> Result<T>
    where
        T: Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    {
        let name = self.name.as_str();
        self.session
            .call(self.cx, operation, words, effect, name, send)
            .await
    }

    fn conflict(&self, why: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Conflict, self.cx.verb().to_owned())
            .on(self.name)
            .because(why)
            .from_provider(error::PROVIDER, None)
    }

    /// Nothing is begun whose bytes are not there.
    fn has_bytes(&self) -> Result<()> {
        let sends = |step: &Step| matches!(step.action, Action::Create | Action::UpdateCode);
        if self.plan.desired.content.is_some() || !self.plan.steps.iter().any(sends) {
            return Ok(());
        }
        let violation = Violation::new("artifact", "its bytes have to be given to deploy it");
        let kind = ErrorKind::InvalidSpec(vec![violation].into());
        Err(Error::new(kind, self.cx.verb().to_owned()).on(self.name))
    }

    /// The spec that the plan asks for.
    fn spec(&self) -> Result<&Spec> {
        match &self.plan.desired.state {
            State::Present(spec) => Ok(spec),
            _ => Err(foreign_plan(self.cx, self.name)),
        }
    }

    /// The description of the release that the plan makes.
    fn description(&self) -> Result<String> {
        let owner = &self.plan.desired.owner;
        let words = Words::of(owner, self.spec()?, self.stand.released + 1);
        Ok(words.to_string())
    }

    /// The configuration that the plan asks for.
    async fn asked(&self, only: Only<'_>, before: &str) -> Result<Settings> {
        let spec = self.spec()?;
        let native = crate::native::read(spec, before).map_err(|found| {
            Error::new(ErrorKind::InvalidSpec(found), self.cx.verb().to_owned()).on(self.name)
        })?;
        let role = self.session.config.execution_role.as_deref();
        let is_short =
            |reference: Option<&str>| reference.is_some_and(|it| !it.starts_with("arn:"));
        let short =
            is_short(spec.identity.as_deref().or(role)) || is_short(spec.encryption_key.as_deref());
        let place = if short {
            self.session.place(self.cx).await?
        } else {
            self.session.nowhere()
        };
        let runtimes = capability::runtimes(&self.session.config);
        let description = self.description()?;
        Ok(Settings::of(
            spec,
            only,
            &place,
            role,
            &runtimes,
            native,
            description,
        ))
    }

    /// Waits until the draft or a version is settled.
    async fn settled(&self, version: Option<&str>) -> Result<FunctionConfiguration> {
        wait::settled(self.session, self.cx, self.name.as_str(), version).await
    }

    /// A version was made: the steps after this one send traffic to it.
    async fn made(&mut self, version: Option<&str>) -> Result<()> {
        let version = version.filter(|version| version.parse::<u64>().is_ok());
        let version = version.ok_or_else(|| error::missing("publish a version of", "version"))?;
        let config = self.settled(Some(version)).await?;
        if config.description() != Some(self.description()?.as_str()) {
            return Err(self.conflict("the version that was made is somebody else's"));
        }
        self.stand.content = Some(lift::content(&config));
        self.out.version = Some(VersionId::new(version));
        self.known(config.function_arn());
        Ok(())
    }

    /// Tells the outcome the function's ARN.
    fn known(&mut self, arn: Option<&str>) {
        if let Some(arn) = arn {
            self.session.learn(arn);
            let arn: Vec<&str> = arn.splitn(8, ':').take(7).collect();
            self.out.ids.insert("function".to_owned(), arn.join(":"));
        }
    }
}

/// A map as the SDK takes it.
fn map(from: &std::collections::BTreeMap<String, String>) -> HashMap<String, String> {
    from.clone().into_iter().collect()
}
