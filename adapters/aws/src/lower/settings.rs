//! A function's configuration, as both requests that write it take it.

use std::collections::HashMap;

use anyport_core::plan::Step;
use anyport_core::spec::Spec;
use aws_sdk_lambda::operation::create_function::builders::CreateFunctionInputBuilder;
use aws_sdk_lambda::operation::update_function_configuration::builders::UpdateFunctionConfigurationInputBuilder;
use aws_sdk_lambda::types::{Environment, Runtime, VpcConfig};

use super::{Place, key_arn, launch, role_arn};
use crate::native::Native;

/// What is to be written; what is absent is left as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) description: String,
    pub(crate) role: Option<String>,
    pub(crate) runtime: Option<Runtime>,
    pub(crate) handler: Option<String>,
    pub(crate) memory: Option<i32>,
    pub(crate) timeout: Option<i32>,
    pub(crate) environment: Option<Environment>,
    pub(crate) vpc: Option<VpcConfig>,
    pub(crate) key: Option<String>,
    pub(crate) native: Native,
    /// Labels; only for a function that is made.
    pub(crate) tags: Option<HashMap<String, String>>,
}

/// Which fields are to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Only<'a> {
    /// All of them: what is there is not known field by field.
    Everything,
    /// Those that a step was planned for.
    Changed(&'a Step),
}

impl Only<'_> {
    fn has(self, field: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Changed(step) => step.why.iter().any(|change| {
                change.field == field
                    || change
                        .field
                        .strip_prefix(field)
                        .is_some_and(|rest| rest.starts_with('.'))
            }),
        }
    }
}

impl Settings {
    /// The configuration that `spec` asks for, of the fields in `only`.
    ///
    /// `role` is the role of a spec that names none.
    pub(crate) fn of(
        spec: &Spec,
        only: Only<'_>,
        place: &Place,
        role: Option<&str>,
        runtimes: &[String],
        native: Native,
        description: String,
    ) -> Self {
        let mut settings = Self {
            description,
            native,
            ..Self::default()
        };
        if only.has("identity") {
            let role = spec.identity.as_deref().or(role);
            settings.role = role.map(|role| role_arn(place, role));
        }
        let starts = ["artifact.kind", "artifact.runtime", "artifact.handler"];
        if starts.into_iter().any(|field| only.has(field))
            && let Some((runtime, handler)) = launch(&spec.artifact.packaging, runtimes)
        {
            settings.runtime = Some(Runtime::from(runtime.as_str()));
            settings.handler = Some(handler);
        }
        if only.has("memory_mb") {
            settings.memory = i32::try_from(spec.memory_mb).ok();
        }
        if only.has("timeout_ms") {
            // Fitted to whole seconds already.
            settings.timeout = i32::try_from(spec.timeout.as_millis().div_ceil(1000)).ok();
        }
        if only.has("env") {
            let variables = spec.env.clone().into_iter().collect();
            settings.environment = Some(
                Environment::builder()
                    .set_variables(Some(variables))
                    .build(),
            );
        }
        if only.has("network") {
            let network = spec.network.clone().unwrap_or_default();
            settings.vpc = Some(
                VpcConfig::builder()
                    .set_subnet_ids(Some(network.subnets))
                    .set_security_group_ids(Some(network.security_groups))
                    .build(),
            );
        }
        if only.has("encryption_key") {
            let key = spec.encryption_key.as_deref();
            settings.key = Some(key.map(|key| key_arn(place, key)).unwrap_or_default());
        }
        settings
    }

    /// As part of the request that makes a function: defaults are left out.
    pub(super) fn into_create(
        self,
        request: CreateFunctionInputBuilder,
    ) -> CreateFunctionInputBuilder {
        let some = |environment: &Environment| {
            environment
                .variables()
                .is_some_and(|variables| !variables.is_empty())
        };
        let native = self.native;
        request
            .description(self.description)
            .set_role(self.role)
            .set_runtime(self.runtime)
            .set_handler(self.handler)
            .set_memory_size(self.memory)
            .set_timeout(self.timeout)
            .set_environment(self.environment.filter(some))
            .set_vpc_config(self.vpc.filter(|vpc| !vpc.subnet_ids().is_empty()))
            .set_kms_key_arn(self.key.filter(|key| !key.is_empty()))
            .set_tags(self.tags.filter(|tags| !tags.is_empty()))
            .set_ephemeral_storage(native.storage)
            .set_file_system_configs(native.files)
            .set_layers(native.layers)
            .set_logging_config(native.logging)
            .set_snap_start(native.snap_start)
            .set_tracing_config(native.tracing)
    }

    /// As part of the request that changes one: an empty value takes away what is there.
    pub(super) fn into_update(
        self,
        request: UpdateFunctionConfigurationInputBuilder,
    ) -> UpdateFunctionConfigurationInputBuilder {
        let native = self.native;
        request
            .description(self.description)
            .set_role(self.role)
            .set_runtime(self.runtime)
            .set_handler(self.handler)
            .set_memory_size(self.memory)
            .set_timeout(self.timeout)
            .set_environment(self.environment)
            .set_vpc_config(self.vpc)
            .set_kms_key_arn(self.key)
            .set_ephemeral_storage(native.storage)
            .set_file_system_configs(native.files)
            .set_layers(native.layers)
            .set_logging_config(native.logging)
            .set_snap_start(native.snap_start)
            .set_tracing_config(native.tracing)
    }
}
