//! What goes wrong on purpose.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Something that goes wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Answered with the service's throttling error, nothing done; with `Retry-After` in seconds if given.
    Throttle(Option<u32>),
    /// Answered with this status (500 to 599) and the service's internal error, nothing done.
    Fail(u16),
    /// Done, and answered with this status (500 to 599) and the service's internal error.
    FailAfter(u16),
    /// Served this much later, on the machine's clock.
    Delay(Duration),
    /// The connection is closed before anything is done.
    ResetBefore,
    /// Done, and the connection is closed in place of the reply.
    ResetAfter,
    /// Done, and the connection is closed after this many bytes of the reply's body.
    Truncate(usize),
    /// Done, and one bit of the reply's body is turned.
    Corrupt,
}

/// Which requests a fault is for. Empty fields match everything.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FaultRule {
    /// The service's name in credential scopes: `lambda`, `s3`, `sqs`, ...
    pub service: Option<String>,
    /// The operation's name in the vendor's model.
    pub operation: Option<String>,
    /// How many matching requests pass first.
    pub skip: u32,
    /// How many matching requests fail then; `None` for all.
    pub times: Option<u32>,
    /// What goes wrong.
    pub fault: Fault,
}

impl FaultRule {
    /// This fault for each request.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self {
            service: None,
            operation: None,
            skip: 0,
            times: None,
            fault,
        }
    }

    /// For this service only.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// For this operation only.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Ends after this many matching requests.
    #[must_use]
    pub fn times(mut self, requests: u32) -> Self {
        self.times = Some(requests);
        self
    }
}

/// The rules in force. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Armed>>>);

#[derive(Debug)]
struct Armed {
    rule: FaultRule,
    seen: u32,
    struck: u32,
}

impl Faults {
    /// Adds a rule; the first that strikes counts.
    pub fn add(&self, rule: FaultRule) {
        self.lock().push(Armed {
            rule,
            seen: 0,
            struck: 0,
        });
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many requests were struck by the rules in force.
    #[must_use]
    pub fn struck(&self) -> u32 {
        self.lock().iter().map(|armed| armed.struck).sum()
    }

    /// What goes wrong with this request.
    pub(crate) fn strike(&self, service: &str, operation: &str) -> Option<Fault> {
        let mut rules = self.lock();
        let mut struck = None;
        for armed in rules.iter_mut() {
            let rule = &armed.rule;
            let other = |wanted: &Option<String>, is: &str| {
                wanted.as_deref().is_some_and(|wanted| wanted != is)
            };
            if other(&rule.service, service) || other(&rule.operation, operation) {
                continue;
            }
            armed.seen = armed.seen.saturating_add(1);
            let due = armed.seen > rule.skip && rule.times.is_none_or(|times| armed.struck < times);
            if due && struck.is_none() {
                armed.struck = armed.struck.saturating_add(1);
                struck = Some(rule.fault.clone());
            }
        }
        struck
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_its_own_requests_and_ends() {
        let faults = Faults::default();
        let rule = FaultRule::new(Fault::ResetBefore)
            .service("s3")
            .operation("PutObject");
        faults.add(rule.skip(1).times(2));
        assert_eq!(faults.strike("s3", "GetObject"), None);
        assert_eq!(faults.strike("sqs", "PutObject"), None);
        let struck: Vec<bool> = (0..5)
            .map(|_| faults.strike("s3", "PutObject").is_some())
            .collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(faults.struck(), 2);
    }

    #[test]
    fn the_first_rule_counts_and_the_second_waits() {
        let faults = Faults::default();
        faults.add(FaultRule::new(Fault::Fail(500)).times(1));
        faults.add(FaultRule::new(Fault::Fail(503)));
        assert_eq!(faults.strike("s3", "x"), Some(Fault::Fail(500)));
        assert_eq!(faults.strike("s3", "x"), Some(Fault::Fail(503)));
        faults.clear();
        assert_eq!(faults.strike("s3", "x"), None);
    }
}
