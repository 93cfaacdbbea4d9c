//! One attempt to deliver an event, and what follows from it.

use std::sync::Arc;
use std::time::Duration;

use super::queue::{Event, Last};
use super::{record, send};
use crate::answer::ApiError;
use crate::cloud::Cloud;
use crate::services::lambda::function::EventInvoke;
use crate::services::lambda::invoke::{self, Done, Invocation, Trace};

/// Source of these numbers: Lambda developer guide and API model.
const RETRIES: u32 = 2;
const OLDEST: Duration = Duration::from_secs(21_600);
const AFTER_FIRST_ERROR: Duration = Duration::from_secs(60);
const AFTER_ERROR: Duration = Duration::from_secs(120);
const AFTER_REFUSAL: Duration = Duration::from_secs(1);
const AFTER_REFUSALS: Duration = Duration::from_secs(300);

/// Why an event is at its end. Source of the words: records of the real one; that for recursion is
/// *guessed*.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
    RecursiveInvocation,
}

impl Condition {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
            Self::RecursiveInvocation => "RecursiveInvocation",
        }
    }
}

/// Tries to deliver the event; returns it if it is to be tried again.
pub(super) async fn deliver(cloud: &Arc<Cloud>, mut event: Event) -> Option<Event> {
    let settings = cloud.lambda.functions.event_invoke(&event.target);
    let now = cloud.clock.epoch_millis();
    let ends = event.accepted.saturating_add(millis(oldest(&settings)));
    let verdict = if now > ends {
        Verdict::End(Condition::EventAgeExceeded)
    } else {
        attempt(cloud, &mut event, &settings).await
    };
    let condition = match verdict {
        Verdict::Gone => return None,
        Verdict::End(condition) => condition,
        Verdict::After(pause) => {
            let due = cloud.clock.epoch_millis().saturating_add(millis(pause));
            if due <= ends {
                event.due = due;
                return Some(event);
            }
            Condition::EventAgeExceeded
        }
    };
    finish(cloud, &event, &settings, condition).await;
    None
}

/// What an attempt leads to.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// There is no such function any more: the event is lost.
    Gone,
    End(Condition),
    /// Another attempt, this much later.
    After(Duration),
}

async fn attempt(cloud: &Arc<Cloud>, event: &mut Event, settings: &EventInvoke) -> Verdict {
    let (resolved, slot) = match invoke::admit(cloud, &event.target) {
        Ok(admitted) => admitted,
        Err(error) => {
            let resolved = cloud.lambda.functions.resolve(&event.target);
            let shut = resolved.is_ok_and(|resolved| resolved.reserved == Some(0));
            if shut && error.code == "TooManyRequestsException" {
                return Verdict::End(Condition::ZeroReservedConcurrency);
            }
            return refused(event, &error);
        }
    };
    let mut trace = Trace::parse(&event.trace, cloud.clock.epoch_millis() / 1000);
    if let Err(error) = trace.pass(&resolved) {
        refused(event, &error);
        return Verdict::End(Condition::RecursiveInvocation);
    }
    let invocation = Invocation {
        request: event.request.clone(),
        payload: event.payload.clone(),
        client_context: None,
        trace,
    };
    match invoke::run(cloud, resolved, slot, invocation).await {
        Ok(done) => answered(event, done, settings.retries.unwrap_or(RETRIES)),
        Err(error) => refused(event, &error),
    }
}

/// The function ran.
fn answered(event: &mut Event, done: Done, retries: u32) -> Verdict {
    event.attempts += 1;
    event.refusals = 0;
    let failed = done.failed;
    event.last = Some(Last {
        status: 200,
        version: Some(done.version),
        failed,
        payload: Some(done.payload),
    });
    if !failed {
        Verdict::End(Condition::Success)
    } else if event.attempts > retries {
        Verdict::End(Condition::RetriesExhausted)
    } else if event.attempts == 1 {
        Verdict::After(AFTER_FIRST_ERROR)
    } else {
        Verdict::After(AFTER_ERROR)
    }
}

/// The function could not run.
fn refused(event: &mut Event, error: &ApiError) -> Verdict {
    let status = match error.code {
        "ResourceNotFoundException" => return Verdict::Gone,
        "TooManyRequestsException" => 429,
        "RecursiveInvocationException" => 400,
        _ => 500,
    };
    event.last = Some(Last {
        status,
        version: None,
        failed: true,
        payload: None,
    });
    let pause = AFTER_REFUSAL.saturating_mul(1 << event.refusals.min(16));
    event.refusals += 1;
    Verdict::After(pause.min(AFTER_REFUSALS))
}

/// Tells the destinations and the dead letter queue.
async fn finish(cloud: &Arc<Cloud>, event: &Event, settings: &EventInvoke, condition: Condition) {
    let Ok(resolved) = cloud.lambda.functions.resolve(&event.target) else {
        return;
    };
    let config = &resolved.version;
    let destination = if condition == Condition::Success {
        settings.on_success.as_deref()
    } else {
        settings.on_failure.as_deref()
    };
    if let Some(destination) = destination {
        let text = record::record(event, condition, cloud.clock.epoch_millis());
        send::record(cloud, config, destination, &text, &event.trace).await;
    }
    if condition != Condition::Success
        && let Some(queue) = config.settings.dead_letter.as_deref()
    {
        send::dead_letter(cloud, config, queue, event, condition).await;
    }
}

fn oldest(settings: &EventInvoke) -> Duration {
    settings
        .max_age
        .map_or(OLDEST, |seconds| Duration::from_secs(u64::from(seconds)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::lambda::names::Target;
    use bytes::Bytes;

    fn event() -> Event {
        let target = Target::of_arn("arn:aws:lambda:us-east-1:000000000000:function:f").unwrap();
        Event::new("r", target, Bytes::new(), String::new(), 0)
    }

    fn done(failed: bool) -> Done {
        Done {
            payload: Bytes::from_static(b"{}"),
            content_type: None,
            failed,
            version: "1".to_owned(),
            log: String::new(),
        }
    }

    #[test]
    fn errors_are_retried_after_one_and_two_minutes() {
        let mut event = event();
        let mut pauses = Vec::new();
        for _ in 0..3 {
            pauses.push(answered(&mut event, done(true), RETRIES));
        }
        assert_eq!(
            pauses,
            [
                Verdict::After(AFTER_FIRST_ERROR),
                Verdict::After(AFTER_ERROR),
                Verdict::End(Condition::RetriesExhausted)
            ]
        );
        assert_eq!(
            answered(&mut event, done(false), 0),
            Verdict::End(Condition::Success)
        );
    }

    #[test]
    fn throttles_back_off_to_five_minutes() {
        let mut event = event();
        let error = ApiError::new("TooManyRequestsException", "");
        let pauses: Vec<Verdict> = (0..12).map(|_| refused(&mut event, &error)).collect();
        assert_eq!(pauses[0], Verdict::After(Duration::from_secs(1)));
        assert_eq!(pauses[3], Verdict::After(Duration::from_secs(8)));
        assert_eq!(pauses[11], Verdict::After(AFTER_REFUSALS));
        assert_eq!(event.attempts, 0);
        let gone = ApiError::new("ResourceNotFoundException", "");
        assert_eq!(refused(&mut event, &gone), Verdict::Gone);
    }
}
