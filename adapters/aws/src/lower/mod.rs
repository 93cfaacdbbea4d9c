//! What a step asks, as requests. Pure.

mod refs;
mod settings;

use anyport_core::plan::Split;
use anyport_core::spec::{Arch, Delivery, Family, Name, Packaging, Runtime, Spec};
use aws_sdk_lambda::operation::create_alias::builders::CreateAliasInputBuilder;
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionInputBuilder;
use aws_sdk_lambda::operation::put_function_event_invoke_config::builders::PutFunctionEventInvokeConfigInputBuilder;
use aws_sdk_lambda::operation::update_alias::builders::UpdateAliasInputBuilder;
use aws_sdk_lambda::operation::update_function_code::builders::UpdateFunctionCodeInputBuilder;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationInputBuilder;
use aws_sdk_lambda::types::{
    AliasRoutingConfiguration, Architecture, DestinationConfig, FunctionCode, OnFailure,
};
use aws_smithy_types::Blob;
use bytes::Bytes;

pub(crate) use refs::{Place, key_arn, role_arn};
pub(crate) use settings::{Only, Settings};

use crate::alias::Label;

/// The alias that everything goes through.
pub(crate) const LIVE: &str = "live";
/// The runtime of a portable zip, and what it runs. Source: Lambda developer guide.
pub(crate) const CUSTOM_RUNTIME: &str = "provided.al2023";
pub(crate) const CUSTOM_RUNTIMES: &str = "provided";
pub(crate) const CUSTOM_HANDLER: &str = "bootstrap";

/// The queue that keeps the events of `name` that were given up.
pub(crate) fn queue(name: &Name) -> String {
    format!("anyport-{name}-dead")
}

/// Where a request has the code.
#[derive(Debug, Clone)]
pub(crate) enum Code {
    /// In the request itself.
    Direct(Bytes),
    /// In a bucket.
    #[cfg_attr(not(feature = "s3"), allow(dead_code, reason = "only S3 has buckets"))]
    Bucket {
        /// The bucket.
        bucket: String,
        /// The object.
        key: String,
    },
}

/// The request that makes a function with its first version.
pub(crate) fn create(
    name: &Name,
    arch: Arch,
    settings: Settings,
    code: Code,
) -> CreateFunctionInputBuilder {
    let place = match code {
        Code::Direct(bytes) => FunctionCode::builder().zip_file(Blob::new(bytes)),
        Code::Bucket { bucket, key } => FunctionCode::builder().s3_bucket(bucket).s3_key(key),
    };
    let request = CreateFunctionInputBuilder::default()
        .function_name(name.as_str())
        .architectures(architecture(arch))
        .publish(true)
        .code(place.build());
    settings.into_create(request)
}

/// The request that changes the code of the draft and makes a version of it.
pub(crate) fn update_code(
    name: &Name,
    arch: Arch,
    revision: &str,
    code: Code,
) -> UpdateFunctionCodeInputBuilder {
    let request = UpdateFunctionCodeInputBuilder::default()
        .function_name(name.as_str())
        .architectures(architecture(arch))
        .revision_id(revision)
        .publish(true);
    match code {
        Code::Direct(bytes) => request.zip_file(Blob::new(bytes)),
        Code::Bucket { bucket, key } => request.s3_bucket(bucket).s3_key(key),
    }
}

/// The request that changes the configuration of the draft.
pub(crate) fn configure(
    name: &Name,
    revision: &str,
    settings: Settings,
) -> UpdateFunctionConfigurationInputBuilder {
    let request = UpdateFunctionConfigurationInputBuilder::default()
        .function_name(name.as_str())
        .revision_id(revision);
    settings.into_update(request)
}

/// The request that writes another description and nothing else.
pub(crate) fn describe(
    name: &Name,
    revision: &str,
    description: String,
) -> UpdateFunctionConfigurationInputBuilder {
    UpdateFunctionConfigurationInputBuilder::default()
        .function_name(name.as_str())
        .revision_id(revision)
        .description(description)
}

/// The request that puts the first version into service.
pub(crate) fn create_alias(name: &Name, version: &str, label: &Label) -> CreateAliasInputBuilder {
    CreateAliasInputBuilder::default()
        .function_name(name.as_str())
        .name(LIVE)
        .function_version(version)
        .description(label.to_string())
}

/// The request that changes traffic. An empty routing ends a split.
pub(crate) fn update_alias(
    name: &Name,
    revision: &str,
    split: &Split,
    label: Option<&Label>,
) -> UpdateAliasInputBuilder {
    // The larger share is the alias's own version, the newer one of equals.
    let mut shares: Vec<_> = split.shares().collect();
    shares.sort_by_key(|(id, share)| {
        let number: u64 = id.as_str().parse().unwrap_or_default();
        std::cmp::Reverse((*share, number))
    });
    let mut shares = shares.into_iter();
    let mut routing = AliasRoutingConfiguration::builder()
        .set_additional_version_weights(Some(std::collections::HashMap::new()));
    let own = shares.next().map(|(id, _)| id.as_str());
    for (id, share) in shares {
        routing = routing.additional_version_weights(id.as_str(), f64::from(share) / 100.0);
    }
    UpdateAliasInputBuilder::default()
        .function_name(name.as_str())
        .name(LIVE)
        .set_function_version(own.map(str::to_owned))
        .revision_id(revision)
        .routing_config(routing.build())
        .set_description(label.map(ToString::to_string))
}

/// The request that says how events are delivered, and where those go that are given up.
pub(crate) fn delivery(
    name: &Name,
    delivery: &Delivery,
    queue_arn: &str,
) -> PutFunctionEventInvokeConfigInputBuilder {
    let age = i32::try_from(delivery.max_age.as_secs()).unwrap_or(i32::MAX);
    let failure = OnFailure::builder().destination(queue_arn).build();
    PutFunctionEventInvokeConfigInputBuilder::default()
        .function_name(name.as_str())
        .qualifier(LIVE)
        .maximum_retry_attempts(i32::from(delivery.attempts.saturating_sub(1)))
        .maximum_event_age_in_seconds(age)
        .destination_config(DestinationConfig::builder().on_failure(failure).build())
}

fn architecture(arch: Arch) -> Architecture {
    match arch {
        Arch::Arm64 => Architecture::Arm64,
        _ => Architecture::X8664,
    }
}

/// Lambda's runtime and handler of a packaging; none where it does not run here.
pub(crate) fn launch(packaging: &Packaging, runtimes: &[String]) -> Option<(String, String)> {
    match packaging {
        Packaging::Zip { .. } => Some((CUSTOM_RUNTIME.to_owned(), CUSTOM_HANDLER.to_owned())),
        Packaging::Bundle { runtime, handler } => {
            let fitting = runtimes.iter().rev().find(|it| satisfies(runtime, it));
            let name = fitting.cloned().unwrap_or_else(|| written(runtime));
            Some((name, handler.clone()))
        }
        _ => None,
    }
}

/// Whether Lambda's runtime is what was asked: `nodejs22` is `nodejs22.x`, and `python3` is any of its versions.
pub(crate) fn satisfies(asked: &Runtime, actual: &str) -> bool {
    let Ok(actual) = actual.parse::<Runtime>() else {
        return false;
    };
    let any = matches!(asked.version(), "" | "3");
    asked.family() == actual.family() && (any || asked.version() == actual.version())
}

/// A runtime as Lambda writes it.
fn written(runtime: &Runtime) -> String {
    match runtime.family() {
        Family::Node if !runtime.as_str().ends_with(".x") => format!("{runtime}.x"),
        _ => runtime.to_string(),
    }
}

/// The runtime as it was asked, where Lambda's name for it is another.
pub(crate) fn renamed(packaging: &Packaging) -> Option<String> {
    let Packaging::Bundle { runtime, .. } = packaging else {
        return None;
    };
    let any = matches!(runtime.version(), "" | "3");
    (any || written(runtime) != runtime.as_str()).then(|| runtime.to_string())
}

/// Bytes of environment that Lambda counts: it measures the variables as JSON. Source: Lambda's own message.
pub(crate) fn env_bytes(spec: &Spec) -> u64 {
    serde_json::to_vec(&spec.env).map_or(0, |json| json.len() as u64)
}

#[cfg(test)]
mod tests;
