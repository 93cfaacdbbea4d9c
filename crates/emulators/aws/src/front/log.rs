//! What was called.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many calls are kept.
const KEPT: usize = 10_000;

/// The last calls in order.
#[derive(Debug, Default)]
pub(crate) struct CallLog(Mutex<VecDeque<(&'static str, &'static str, u16)>>);

impl CallLog {
    /// Adds a call with the status of its reply, 0 for none.
    pub(crate) fn add(&self, service: &'static str, operation: &'static str, status: u16) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == KEPT {
            calls.pop_front();
        }
        calls.push_back((service, operation, status));
    }

    pub(crate) fn all(&self) -> Vec<(String, String, u16)> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls
            .iter()
            .map(|(service, operation, status)| {
                ((*service).to_owned(), (*operation).to_owned(), *status)
            })
            .collect()
    }

    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
