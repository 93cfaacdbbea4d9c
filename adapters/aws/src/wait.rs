//! Waiting until Lambda is done: with growing pauses, and not for ever.

use std::time::Duration;

use anyport_core::context::{Ctx, Effect};
use anyport_core::error::{Error, ErrorKind, Result, RolloutFailure};
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::FunctionConfiguration;

use crate::auth::Session;
use crate::error;
use crate::lift::{Condition, state};

/// The first pause.
const FIRST: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(1);
/// How long Lambda may take. Networks take longest, about a minute and a half. Source: Lambda developer guide.
const PATIENCE: Duration = Duration::from_secs(300);

/// Pauses that grow.
#[derive(Debug)]
pub(crate) struct Pauses {
    next: Duration,
    left: Duration,
}

impl Pauses {
    /// For at most this long in all.
    pub(crate) const fn within(patience: Duration) -> Self {
        Self {
            next: FIRST,
            left: patience,
        }
    }

    /// Pauses; false when there is no time left.
    ///
    /// # Errors
    /// When the context's work ends before.
    pub(crate) async fn pause(&mut self, cx: &Ctx) -> Result<bool> {
        if self.left.is_zero() {
            return Ok(false);
        }
        let time = self.next.min(self.left);
        cx.pause(cx.verb(), time).await?;
        self.left -= time;
        self.next = (self.next * 2).min(LONGEST);
        Ok(true)
    }
}

impl Default for Pauses {
    fn default() -> Self {
        Self::within(PATIENCE)
    }
}

/// Reads a function, or one version of it; `None` when it is not there.
///
/// # Errors
/// As for every read.
pub(crate) async fn read(
    session: &Session,
    cx: &Ctx,
    name: &str,
    qualifier: Option<&str>,
) -> Result<Option<GetFunctionOutput>> {
    const WORDS: &str = "read the function";
    let lambda = &session.raw.lambda;
    let request = lambda
        .get_function()
        .function_name(name)
        .set_qualifier(qualifier.map(str::to_owned));
    let found = session
        .call(cx, "GetFunction", WORDS, Effect::Read, name, || {
            request.clone().send()
        })
        .await;
    error::found(found)
}

/// Waits until the draft (no `qualifier`) or a version is settled, and returns it as it is then.
///
/// # Errors
/// `Conflict` when it went away; `RolloutFailed` with Lambda's reason when Lambda gave up; `Timeout` when it takes too long.
pub(crate) async fn settled(
    session: &Session,
    cx: &Ctx,
    name: &str,
    qualifier: Option<&str>,
) -> Result<FunctionConfiguration> {
    let mut pauses = Pauses::default();
    loop {
        let found = read(session, cx, name, qualifier).await?;
        let Some(config) = found.and_then(|found| found.configuration) else {
            return Err(Error::new(ErrorKind::Conflict, cx.verb())
                .on(name)
                .because("it is not there any more"));
        };
        match state(&config) {
            Condition::Settled => return Ok(config),
            Condition::Failed(why) => return Err(gave_up(cx, name, &why)),
            Condition::Changing(state) => {
                if !pauses.pause(cx).await? {
                    return Err(stuck(cx, name, &state));
                }
            }
        }
    }
}

/// Lambda could not make a release ready.
pub(crate) fn gave_up(cx: &Ctx, name: &str, why: &str) -> Error {
    let (reason, message) = why.split_once(": ").unwrap_or((why, why));
    let kind = ErrorKind::RolloutFailed(RolloutFailure::new(reason, message));
    Error::new(kind, cx.verb().to_owned())
        .on(name)
        .hint("correct what Lambda names, then deploy again")
        .from_provider(error::PROVIDER, Some(reason.to_owned()))
}

/// Lambda does not come to an end.
pub(crate) fn stuck(cx: &Ctx, name: &str, state: &str) -> Error {
    error::too_slow(cx.verb())
        .on(name)
        .because(format_args!(
            "it is {state} for more than {} seconds",
            PATIENCE.as_secs()
        ))
        .hint("look at the function in the AWS console; a network or a key that it cannot reach keeps it so")
}
