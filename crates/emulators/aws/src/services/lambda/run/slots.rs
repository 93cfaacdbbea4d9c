//! How many invocations run at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::services::lambda::version::VersionConfig;

/// Counts invocations per account and region, and per function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    /// By account and region: those of functions without reserved concurrency.
    shared: HashMap<String, u32>,
    /// By function ARN: all of them.
    functions: HashMap<String, u32>,
}

/// Why there is no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The account's concurrency is used up.
    Account,
    /// The function's reserved concurrency is used up.
    Function,
}

impl Full {
    /// As the API says it. Source: Lambda API model, `ThrottleReason`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Account => "ConcurrentInvocationLimitExceeded",
            Self::Function => "ReservedFunctionConcurrentInvocationLimitExceeded",
        }
    }
}

/// One running invocation; given back on drop.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Slots,
    function: String,
    /// Set when it counts against what all functions share.
    place: Option<String>,
}

impl Slots {
    /// Takes a slot for the function, which has `reserved` of its own or shares `unreserved`.
    ///
    /// # Errors
    /// There is none left.
    pub(crate) fn take(
        &self,
        config: &VersionConfig,
        reserved: Option<u32>,
        unreserved: u32,
    ) -> Result<Slot, Full> {
        let function = config.function_arn();
        let mut counts = self.lock();
        let running = counts.functions.get(&function).copied().unwrap_or(0);
        let place = match reserved {
            Some(reserved) if running >= reserved => return Err(Full::Function),
            Some(_) => None,
            None => {
                let place = format!("{}/{}", config.account, config.region);
                let shared = counts.shared.entry(place.clone()).or_insert(0);
                if *shared >= unreserved {
                    return Err(Full::Account);
                }
                *shared += 1;
                Some(place)
            }
        };
        match counts.functions.get_mut(&function) {
            Some(count) => *count += 1,
            None => {
                counts.functions.insert(function.clone(), 1);
            }
        }
        Ok(Slot {
            slots: self.clone(),
            function,
            place,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.slots.lock();
        if let Some(count) = counts.functions.get_mut(&self.function) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.functions.remove(&self.function);
            }
        }
        if let Some(count) = self.place.as_ref().and_then(|at| counts.shared.get_mut(at)) {
            *count = count.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::lambda::version::tests::config;

    #[test]
    fn reserved_slots_are_the_functions_own() {
        let slots = Slots::default();
        let mut other = config();
        other.function = "other".to_owned();
        let first = slots.take(&config(), Some(1), 1).unwrap();
        assert_eq!(
            slots.take(&config(), Some(1), 1).unwrap_err(),
            Full::Function
        );
        let shared = slots.take(&other, None, 1).unwrap();
        assert_eq!(slots.take(&other, None, 1).unwrap_err(), Full::Account);
        drop((first, shared));
        assert!(slots.take(&config(), Some(1), 1).is_ok());
        assert!(slots.take(&other, None, 1).is_ok());
        assert_eq!(
            slots.take(&config(), Some(0), 1).unwrap_err(),
            Full::Function
        );
    }
}
