//! What is asked for: a function or service, its artifact, resources, environment, identity, network, scaling and triggers.

mod artifact;
mod builder;
mod cron;
mod env;
mod fields;
mod function;
mod name;
mod restore;
mod secret;
mod trigger;

pub use artifact::{
    Arch, Artifact, Family, Packaging, Protocol, Runtime, UnknownArch, UnknownRuntime,
};
pub use builder::SpecBuilder;
pub use cron::Cron;
pub use env::{ENV_NAME_RULE, env_name_violation};
pub use fields::{FieldChange, FieldValue, Fields, diff};
pub use function::{DataClass, Delivery, Kind, Network, Spec};
pub use name::Name;
pub use secret::SecretRef;
pub use trigger::{Trigger, TriggerKind, TriggerSource};

#[cfg(test)]
mod tests;
