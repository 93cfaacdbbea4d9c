//! What all operations share: their input, permissions, and functions by name.

use std::time::SystemTime;

use crate::answer::ApiError;
use crate::call::{Call, CallCx};
use crate::cloud::Cloud;

use super::super::errors;
use super::super::function::Function;
use super::super::names::{LATEST, Target};
use super::super::state::{Functions, Region};
use super::input::Input;

/// One call of an operation.
#[derive(Debug)]
pub(super) struct Op {
    call: Call,
}

/// Context keys and their values.
pub(super) type Conditions = Vec<(String, String)>;

impl Op {
    pub(super) fn new(call: Call) -> Self {
        Self { call }
    }

    pub(super) fn cx(&self) -> &CallCx {
        &self.call.cx
    }

    pub(super) fn cloud(&self) -> &Cloud {
        &self.call.cx.cloud
    }

    pub(super) fn functions(&self) -> &Functions {
        &self.cloud().lambda.functions
    }

    pub(super) fn input(&self) -> Input<'_> {
        Input::new(&self.call.input)
    }

    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.input().text(member)
    }

    pub(super) fn now(&self) -> SystemTime {
        self.functions().now()
    }

    /// The name of this operation's action.
    pub(super) fn action(&self) -> String {
        format!("lambda:{}", self.call.operation)
    }

    /// What `FunctionName` and `Qualifier` mean.
    ///
    /// # Errors
    /// See [`Target::of`].
    pub(super) fn target(&self) -> Result<Target, ApiError> {
        let name = self.text("FunctionName").unwrap_or_default();
        Target::of(self.cx(), name, self.text("Qualifier"))
    }

    /// Like [`Self::target`], and the caller may do this to the function.
    ///
    /// # Errors
    /// Also the denial.
    pub(super) fn allowed(&self) -> Result<Target, ApiError> {
        let target = self.target()?;
        self.allow(&target, Vec::new())?;
        Ok(target)
    }

    /// Lets the operation go on that is about a whole function, even where it names a version.
    ///
    /// # Errors
    /// The denial.
    pub(super) fn allow(&self, target: &Target, conditions: Conditions) -> Result<(), ApiError> {
        self.allow_action(&self.action(), target, &target.function_arn(), conditions)
    }

    /// Lets the operation go on that is about a function, a version or an alias, each a resource of
    /// its own.
    ///
    /// # Errors
    /// The denial.
    pub(super) fn allow_qualified(
        &self,
        target: &Target,
        conditions: Conditions,
    ) -> Result<(), ApiError> {
        self.allow_action(&self.action(), target, &target.arn(), conditions)
    }

    /// Whether the caller may do `action` to this function's `arn`.
    ///
    /// # Errors
    /// The denial.
    pub(super) fn allow_action(
        &self,
        action: &str,
        target: &Target,
        arn: &str,
        mut conditions: Conditions,
    ) -> Result<(), ApiError> {
        let policy = self.functions().with(target, |function| {
            let tags = function.tags.iter();
            conditions
                .extend(tags.map(|(key, value)| (format!("aws:ResourceTag/{key}"), value.clone())));
            let qualifier = if arn == target.arn() {
                target.or_latest()
            } else {
                LATEST
            };
            function.policies.get(qualifier)?.policy()
        });
        self.cx().authorize_with(
            action,
            arn,
            &borrowed(&conditions),
            policy.flatten().as_deref(),
        )
    }

    /// Lets the operation go on that is about `arn`, or about nothing in particular (`*`).
    ///
    /// # Errors
    /// The denial.
    pub(super) fn allow_on(&self, arn: &str, conditions: Conditions) -> Result<(), ApiError> {
        self.cx()
            .authorize(&self.action(), arn, &borrowed(&conditions))
    }

    /// Reads a function.
    ///
    /// # Errors
    /// There is none, or those of `read`.
    pub(super) fn read<T>(
        &self,
        target: &Target,
        read: impl FnOnce(&mut Function) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let whole = || Target {
            qualifier: None,
            ..target.clone()
        };
        self.functions()
            .with(target, read)
            .ok_or_else(|| errors::no_function(&whole()))?
    }

    /// Changes a function, all or nothing as `change` sees to it.
    ///
    /// # Errors
    /// There is none, or those of `change`.
    pub(super) fn change<T>(
        &self,
        target: &Target,
        change: impl FnOnce(&mut Function) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let changed = self.read(target, change)?;
        self.changed();
        Ok(changed)
    }

    /// Reads or changes what is in the caller's account and region.
    pub(super) fn region<T>(&self, act: impl FnOnce(&mut Region) -> T) -> T {
        let cx = self.cx();
        self.functions().region(&cx.account, &cx.region, act)
    }

    /// Something changed.
    pub(super) fn changed(&self) {
        self.functions().changed();
        self.cloud().changed();
    }

    /// Holds `RevisionId`, if there is one, against the latest, which `api` tells.
    ///
    /// # Errors
    /// They differ.
    pub(super) fn revision(&self, latest: &str, api: &str) -> Result<(), ApiError> {
        match self.text("RevisionId") {
            Some(given) if given != latest => Err(errors::stale(api)),
            _ => Ok(()),
        }
    }
}

fn borrowed(conditions: &Conditions) -> Vec<(&str, &str)> {
    conditions
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// Context keys for tags that a request gives.
pub(super) fn request_tags<'a>(
    tags: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Conditions {
    let mut conditions = Conditions::new();
    for (key, value) in tags {
        conditions.push((format!("aws:RequestTag/{key}"), value.clone()));
        conditions.push(("aws:TagKeys".to_owned(), key.clone()));
    }
    conditions
}
