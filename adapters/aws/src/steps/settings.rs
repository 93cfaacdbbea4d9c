//! What holds for the function as a whole and is not part of a version: tags, reserved concurrency, how long logs are kept.

use std::collections::HashMap;

use anyport_core::error::Result;
use anyport_core::outcome::StepDone;
use anyport_core::plan::Action;

use super::{AGAIN, Taking};
use crate::wire::logs;

impl Taking<'_> {
    /// Writes those that the step was planned for.
    pub(super) async fn settings(&mut self) -> Result<StepDone> {
        let has = |field: &str| self.step.why.iter().any(|change| change.field == field);
        let created = |action: &Action| matches!(action, Action::Create);
        let is_new = self.plan.steps.iter().any(|step| created(&step.action));
        if !is_new {
            // A new function had its tags with the request that made it.
            self.tags().await?;
        }
        if has("max_instances") {
            self.concurrency().await?;
        }
        if has("log_retention_days") {
            let days = self.spec()?.log_retention_days;
            let group = logs::group(self.name.as_str());
            if days.is_some() {
                logs::create(&self.session.wire, self.cx, &group).await?;
            }
            logs::retain(&self.session.wire, self.cx, &group, days).await?;
        }
        Ok(StepDone::Changed)
    }

    async fn tags(&self) -> Result<()> {
        const TAG: &str = "tag";
        const UNTAG: &str = "take tags off";
        let spec = self.spec()?;
        let mut set = HashMap::new();
        let mut dropped = Vec::new();
        for change in &self.step.why {
            let Some(key) = change.field.strip_prefix("tags.") else {
                continue;
            };
            match spec.tags.get(key) {
                Some(value) => {
                    set.insert(key.to_owned(), value.clone());
                }
                None => dropped.push(key.to_owned()),
            }
        }
        if set.is_empty() && dropped.is_empty() {
            return Ok(());
        }
        let place = self.session.place(self.cx).await?;
        let arn = place.function_arn(self.name.as_str());
        let lambda = &self.session.raw.lambda;
        if !set.is_empty() {
            let request = lambda.tag_resource().resource(&arn).set_tags(Some(set));
            self.call("TagResource", TAG, AGAIN, || request.clone().send())
                .await?;
        }
        if !dropped.is_empty() {
            let request = lambda.untag_resource().resource(&arn);
            let request = request.set_tag_keys(Some(dropped));
            self.call("UntagResource", UNTAG, AGAIN, || request.clone().send())
                .await?;
        }
        Ok(())
    }

    async fn concurrency(&self) -> Result<()> {
        const SET: &str = "cap the instances of";
        const LIFT: &str = "lift the cap on the instances of";
        let lambda = &self.session.raw.lambda;
        let Some(most) = self.spec()?.max_instances else {
            let request = lambda.delete_function_concurrency();
            let request = request.function_name(self.name.as_str());
            return self
                .call("DeleteFunctionConcurrency", LIFT, AGAIN, || {
                    request.clone().send()
                })
                .await
                .map(|_| ());
        };
        let request = lambda
            .put_function_concurrency()
            .function_name(self.name.as_str())
            .reserved_concurrent_executions(i32::try_from(most).unwrap_or(i32::MAX));
        self.call("PutFunctionConcurrency", SET, AGAIN, || {
            request.clone().send()
        })
        .await
        .map(|_| ())
    }
}
