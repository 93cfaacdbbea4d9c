//! The manifest as it is written. The published JSON Schema is made from these types.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The manifest of one function or of a whole application.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(title = "anyport.toml"))]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    /// The version of this format: 1.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub schema: i64,
    /// The application's name. With the environment's name it marks what is deployed as yours.
    pub app: String,
    /// Environments, by name: where each place is, and what holds for everything in it.
    #[serde(default)]
    pub env: BTreeMap<String, Environment>,
    /// Functions, by name: each handles one request or event at a time and may scale to zero.
    #[serde(default)]
    pub function: BTreeMap<String, Workload>,
    /// Services, by name: long-running HTTP servers with a floor of instances.
    #[serde(default)]
    pub service: BTreeMap<String, Workload>,
}

/// One environment.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Environment {
    /// Places, by name, each bound to a target's URL, such as `local://`.
    #[serde(default)]
    pub at: BTreeMap<String, String>,
    /// Refuses removal and unplanned change of everything in this environment.
    #[serde(default)]
    pub protect: bool,
}

/// One function or service.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Workload {
    /// The place it runs at. May be left out where the environment has only one.
    pub at: Option<String>,
    /// What runs: exactly one of `cargo`, `zip`, `bin`, `dir` and `image`.
    pub source: SourceTable,
    /// The architecture the machine code needs; that of the program, or of this machine, where it is left out.
    pub arch: Option<Arch>,
    /// Memory in MB (2^20 bytes). Default 512.
    pub memory_mb: Option<u32>,
    /// The time limit of one invocation, such as `30s`. Default 30 seconds.
    pub timeout: Option<String>,
    /// Environment variables. Do not put secrets here.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Environment variables whose values are secrets, by reference: `secret://STORE/NAME`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// The role or account the code runs as, by reference.
    pub identity: Option<String>,
    /// Network placement, by reference.
    pub network: Option<NetworkTable>,
    /// A customer-managed encryption key, by reference.
    pub encryption_key: Option<String>,
    /// How long logs are kept, in days.
    pub log_retention_days: Option<u32>,
    /// Refuses removal and unplanned change.
    #[serde(default)]
    pub protect: bool,
    /// How sensitive the payloads are. Default `internal`.
    pub data: Option<Data>,
    /// Requests one instance handles at a time. Default 1.
    pub concurrency: Option<u32>,
    /// Instances kept ready. Default 0, for a service 1.
    pub min_instances: Option<u32>,
    /// The most instances.
    pub max_instances: Option<u32>,
    /// How asynchronous events are delivered.
    pub delivery: Option<DeliveryTable>,
    /// Triggers, by name: the exact set. Left out, triggers are left alone.
    pub triggers: Option<BTreeMap<String, TriggerTable>>,
    /// Labels for people.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Settings of one product, by the product's name. They tie the function to it.
    #[serde(default)]
    pub native: BTreeMap<String, serde_json::Value>,
}

/// What runs. Paths are relative to the manifest.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct SourceTable {
    /// A cargo package, built here.
    pub cargo: Option<String>,
    /// With `cargo`: the binary, in a package with several.
    pub binary: Option<String>,
    /// With `cargo`: the profile. Default `release`.
    pub profile: Option<String>,
    /// A zip with an executable `bootstrap` at its root.
    pub zip: Option<String>,
    /// A single executable, packed as `bootstrap`.
    pub bin: Option<String>,
    /// With `cargo`, `zip` and `bin`: how it takes its requests. Default `runtime-api`.
    pub protocol: Option<ProtocolName>,
    /// A folder, packed whole; needs `runtime` and `handler`, or `command`.
    pub dir: Option<String>,
    /// With `dir`: the language runtime, such as `python3.13` or `nodejs22`.
    pub runtime: Option<String>,
    /// With `dir`: the handler, such as `app.handler`.
    pub handler: Option<String>,
    /// With `dir`: the command that starts an HTTP server on the port that `PORT` names.
    pub command: Option<Vec<String>>,
    /// An OCI image by digest: `REPOSITORY@sha256:...`.
    pub image: Option<String>,
}

/// How a program takes its requests.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum ProtocolName {
    /// It pulls from AWS Lambda's Runtime API, as programs that link `anyport-runtime` do.
    RuntimeApi,
    /// It is an HTTP server on the port that `PORT` names.
    Http,
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Arm64,
}

/// How sensitive payloads are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub(super) enum Data {
    /// Anyone may see them.
    Public,
    /// The organisation's own.
    Internal,
    /// About people: never recorded or logged.
    Personal,
}

/// Network placement, by reference to what others own.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkTable {
    /// Subnets, as the target names them.
    #[serde(default)]
    pub subnets: Vec<String>,
    /// Security groups or network policies, as the target names them.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// A VPC connector, where the target uses one.
    pub connector: Option<String>,
}

/// How asynchronous events are delivered.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveryTable {
    /// Attempts in all, 1 to 3. Default 3.
    pub attempts: Option<u8>,
    /// The first pause between attempts, doubled each time. Default `1s`.
    pub backoff: Option<String>,
    /// How old an event may get before it is kept as a dead letter, `60s` to `6h`. Default `6h`.
    pub max_age: Option<String>,
}

/// A source bound to a function.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct TriggerTable {
    /// What kind of source it is.
    pub source: TriggerName,
    /// With `http`: whether anyone may call it without credentials. Default false.
    pub public: Option<bool>,
    /// With `schedule`: five fields, minute to day of week.
    pub cron: Option<String>,
    /// With `schedule`: the time zone, such as `Europe/Berlin`. Default UTC.
    pub zone: Option<String>,
    /// With `queue`: the queue, as the target names it.
    pub queue: Option<String>,
    /// With `topic`: the topic, as the target names it.
    pub topic: Option<String>,
    /// With `object-created`: the bucket.
    pub bucket: Option<String>,
    /// With `object-created`: only keys that start with this.
    pub prefix: Option<String>,
    /// With `object-created`: only keys that end with this.
    pub suffix: Option<String>,
}

/// The kinds of trigger source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum TriggerName {
    /// HTTP requests.
    Http,
    /// A schedule.
    Schedule,
    /// Messages of a queue.
    Queue,
    /// Messages of a topic.
    Topic,
    /// Objects created in a bucket.
    ObjectCreated,
}
