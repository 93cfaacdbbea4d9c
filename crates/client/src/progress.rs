//! Watching a plan while it is applied.

use std::time::Duration;

use anyport_core::Error;
use anyport_core::outcome::StepDone;
use anyport_core::plan::{Plan, Step};

use crate::halted::Halted;

/// Told what happens to a plan. A closure will do.
///
/// It runs on the task that applies the plan: it must not block.
pub trait Progress: Send + Sync {
    /// Something happened.
    fn on(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> Progress for F {
    fn on(&self, event: &Event<'_>) {
        self(event);
    }
}

/// What happens to a plan.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It is about to be applied.
    Planned(&'a Plan),
    /// A step is taken.
    Started(&'a Plan, &'a Step),
    /// A step is done.
    Finished {
        /// The plan.
        plan: &'a Plan,
        /// The step.
        step: &'a Step,
        /// What it did.
        done: StepDone,
        /// How long it took.
        took: Duration,
    },
    /// A step failed, and the plan ends there.
    Failed {
        /// The plan.
        plan: &'a Plan,
        /// The step.
        step: &'a Step,
        /// What it failed with.
        error: &'a Error,
        /// The state the target is left in.
        state: &'a Halted,
    },
    /// The verb's future was dropped while a step was under way.
    Abandoned {
        /// The plan.
        plan: &'a Plan,
        /// The state the target is left in.
        state: &'a Halted,
    },
}
