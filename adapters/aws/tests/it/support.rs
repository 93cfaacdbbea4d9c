//! An embedded AWS of its own for each test, and short words for what every test does.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use anyport_aws::{Config, Credentials, EXECUTION_ROLE, connect, policy};
use anyport_client::{Options, Target};
use anyport_core::call::Call;
use anyport_core::error::Result;
use anyport_core::mark::Owner;
use anyport_core::outcome::Outcome;
use anyport_core::spec::{Name, Spec, SpecBuilder};
use anyport_emulator_aws::{Clock, Delays, Emulator, Limits};
use anyport_testkit::probe::{Command, VARIANT};
use anyport_testkit::{Packed, ProbeKit, Variant, build_probe};
use serde_json::Value;

use crate::iam;

static KIT: LazyLock<Mutex<ProbeKit>> =
    LazyLock::new(|| Mutex::new(ProbeKit::new(build_probe().unwrap()).unwrap()));

/// The probe as a zip; another salt makes it another artifact.
pub(crate) fn packed(salt: &str) -> Packed {
    KIT.lock().unwrap().zip(&Variant::salted(salt)).unwrap()
}

/// One embedded AWS.
pub(crate) struct Cloud {
    pub(crate) emulator: Emulator,
}

impl Cloud {
    /// One where nothing takes time.
    pub(crate) async fn new() -> Self {
        Self::with(Delays::zero()).await
    }

    /// One where things take as long as this.
    pub(crate) async fn with(delays: Delays) -> Self {
        let config = anyport_emulator_aws::Config::new()
            .delays(delays)
            .limits(Limits::off())
            .clock(Clock::eager());
        Self::of(config).await
    }

    /// One with these settings.
    pub(crate) async fn of(config: anyport_emulator_aws::Config) -> Self {
        let emulator = Emulator::start(config).await.unwrap();
        let cloud = Self { emulator };
        let policy = cloud.policy(EXECUTION_ROLE);
        let fields = [
            ("Action", "PutRolePolicy"),
            ("Version", "2010-05-08"),
            ("RoleName", "anyport-embedded"),
            ("PolicyName", EXECUTION_ROLE),
            ("PolicyDocument", &policy),
        ];
        iam::call(&cloud.emulator, &fields).await;
        cloud
    }

    pub(crate) fn policy(&self, name: &str) -> String {
        policy(name, self.emulator.account(), self.emulator.region()).unwrap()
    }

    pub(crate) fn config(&self) -> Config {
        let keys = self.emulator.credentials();
        let account = self.emulator.account();
        Config::default()
            .endpoint(self.emulator.endpoint())
            .credentials(Credentials::keys(&keys.access_key, &keys.secret_key))
            .execution_role(format!("arn:aws:iam::{account}:role/anyport-embedded"))
            .settles_within(Duration::ZERO)
    }

    /// A client of its own, as another process would have one.
    pub(crate) async fn open(&self) -> Target {
        self.open_as("app").await
    }

    pub(crate) async fn open_as(&self, application: &str) -> Target {
        self.open_with(application, "lambda://us-east-1", self.config())
            .await
    }

    pub(crate) async fn open_with(&self, application: &str, url: &str, config: Config) -> Target {
        let provider = connect(&url.parse().unwrap(), config).await.unwrap();
        Target::new(provider, Options::new(Owner::new(application, "test")))
    }

    /// The operations that were called since this was asked last.
    pub(crate) fn calls(&self) -> Vec<String> {
        let admin = self.emulator.cloud();
        let calls = admin.calls().into_iter();
        let names = calls.map(|(_, operation, _)| operation).collect();
        admin.clear_calls();
        names
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A spec of the probe in one variant.
pub(crate) fn spec(name: &str, packed: &Packed, variant: &str) -> SpecBuilder {
    Spec::builder(name, packed.artifact.clone()).env(VARIANT, variant)
}

/// Deploys the probe in one variant.
pub(crate) async fn put(target: &Target, name: &str, variant: &str) -> Outcome {
    let packed = packed("");
    let spec = spec(name, &packed, variant).build().unwrap();
    target.deploy(spec, packed.content).await.unwrap()
}

/// Asks the probe for something.
pub(crate) async fn ask(target: &Target, name: &str, command: &Command) -> Result<Value> {
    let call = Call::new(name.parse().unwrap(), command.to_payload());
    let reply = target.invoke(call).await?;
    let body = reply.body.collect(1 << 20).await?;
    Ok(serde_json::from_slice(&body).unwrap())
}

/// The variant that serves.
pub(crate) async fn variant(target: &Target, name: &str) -> String {
    let who = ask(target, name, &Command::Who).await.unwrap();
    who["variant"].as_str().unwrap_or_default().to_owned()
}
