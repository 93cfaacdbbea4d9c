//! The control plane: every operation but invocations.
//!
//! Source: the Lambda API model for members and constraints (which the front has checked), the Lambda
//! developer guide for rules between them, the service authorization reference for permissions. What
//! neither says is marked *Guessed*, here and in `BEHAVIOURS.md`.

use crate::answer::{Answer, ApiError};
use crate::call::{Call, Service};
pub(crate) use runtimes::here as runtimes_here;

mod account;
mod alias;
mod concurrency;
mod create;
mod delete;
mod event_invoke;
mod input;
mod lists;
mod op;
mod page;
mod permission;
mod publish;
mod read;
mod role;
mod runtime_updates;
mod runtimes;
mod settings;
mod show;
mod signing;
mod tags;
mod update;
mod upload;
mod urls;

use op::Op;
pub(crate) use show::runtime_version_arn;

/// Serves one call.
///
/// # Errors
/// The operation's.
pub(crate) async fn call(call: Call) -> Result<Answer, ApiError> {
    let operation = call.operation;
    let op = Op::new(call);
    match operation {
        "CreateFunction" => create::create(&op).await,
        "UpdateFunctionCode" => update::code(&op).await,
        "UpdateFunctionConfiguration" => update::configuration(&op).await,
        "PublishVersion" => publish::publish(&op),
        "DeleteFunction" => delete::delete(&op),
        "GetFunction" => read::function(&op),
        "GetFunctionConfiguration" => read::configuration(&op),
        "ListFunctions" => read::functions(&op),
        "ListVersionsByFunction" => read::versions(&op),
        "GetAccountSettings" => account::settings(&op),
        "CreateAlias" => alias::create(&op),
        "GetAlias" => alias::get(&op),
        "UpdateAlias" => alias::update(&op),
        "DeleteAlias" => alias::delete(&op),
        "ListAliases" => alias::list(&op),
        "PutFunctionConcurrency" => concurrency::put(&op),
        "GetFunctionConcurrency" => concurrency::get(&op),
        "DeleteFunctionConcurrency" => concurrency::delete(&op),
        "GetProvisionedConcurrencyConfig" => concurrency::get_provisioned(&op),
        "ListProvisionedConcurrencyConfigs" => concurrency::list_provisioned(&op),
        "DeleteProvisionedConcurrencyConfig" => concurrency::delete_provisioned(&op),
        "PutFunctionEventInvokeConfig" => event_invoke::put(&op),
        "UpdateFunctionEventInvokeConfig" => event_invoke::update(&op),
        "GetFunctionEventInvokeConfig" => event_invoke::get(&op),
        "DeleteFunctionEventInvokeConfig" => event_invoke::delete(&op),
        "ListFunctionEventInvokeConfigs" => event_invoke::list(&op),
        "CreateFunctionUrlConfig" => urls::create(&op),
        "GetFunctionUrlConfig" => urls::get(&op),
        "UpdateFunctionUrlConfig" => urls::update(&op),
        "DeleteFunctionUrlConfig" => urls::delete(&op),
        "ListFunctionUrlConfigs" => urls::list(&op),
        "AddPermission" => permission::add(&op),
        "RemovePermission" => permission::remove(&op),
        "GetPolicy" => permission::get(&op),
        "TagResource" => tags::tag(&op),
        "UntagResource" => tags::untag(&op),
        "ListTags" => tags::list(&op),
        "CreateCodeSigningConfig" => signing::create(&op),
        "GetCodeSigningConfig" => signing::get(&op),
        "UpdateCodeSigningConfig" => signing::update(&op),
        "DeleteCodeSigningConfig" => signing::delete(&op),
        "ListCodeSigningConfigs" => signing::list(&op),
        "ListFunctionsByCodeSigningConfig" => signing::functions(&op),
        "PutFunctionCodeSigningConfig" => signing::put_on_function(&op),
        "GetFunctionCodeSigningConfig" => signing::get_of_function(&op),
        "DeleteFunctionCodeSigningConfig" => signing::delete_from_function(&op),
        "PutRuntimeManagementConfig" => runtime_updates::put(&op),
        "GetRuntimeManagementConfig" => runtime_updates::get(&op),
        "PutFunctionRecursionConfig" => runtime_updates::put_recursion(&op),
        "GetFunctionRecursionConfig" => runtime_updates::get_recursion(&op),
        "ListEventSourceMappings" => lists::event_source_mappings(&op),
        "GetEventSourceMapping" | "UpdateEventSourceMapping" | "DeleteEventSourceMapping" => {
            lists::event_source_mapping(&op)
        }
        "ListLayers" => lists::layers(&op),
        "ListLayerVersions" => lists::layer_versions(&op),
        "GetLayerVersion" => lists::layer_version(&op),
        _ => Err(ApiError::not_served(Service::Lambda, operation)),
    }
}
