//! `lambda://embedded`: a fresh embedded AWS for every case, and a client with the adapter's own least permissions in it.

mod api;
mod edits;
mod host;
mod people;

use std::sync::Arc;
use std::time::Duration;

use anyport::embedded::aws::{Clock, Config, Delays, Limits};
use anyport::lambda::{Config as Adapter, Credentials};
use anyport::provider::Provider;
use anyport::spec::Name;
use anyport::{Connect, Target};
use anyport_conformance::harness::{Edit, Harness, Inventory, Missing, Reference, Site};
use async_trait::async_trait;
use tokio::sync::Mutex;

pub(crate) use api::{Signer, open};
use host::{Host, Running};

use self::api::Api;
use crate::wire::{Fault, Proxy};

const TARGET: &str = "lambda://embedded";
/// For how long calls may reach what an alias pointed to before.
const STALE: Duration = Duration::from_millis(15);
/// Longer than that, and shorter than a case would notice.
const SETTLES: Duration = Duration::from_millis(25);

/// `lambda://embedded`, every place a cloud of its own.
///
/// The cloud's clock is eager: nobody waits for retries. Changes still take a moment, and calls reach older versions for a moment, on purpose.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lambda {
    fault: Option<&'static Fault>,
}

impl Lambda {
    /// As it is.
    #[must_use]
    pub const fn new() -> Self {
        Self { fault: None }
    }

    /// With something broken between the adapter and AWS.
    #[must_use]
    pub const fn broken(fault: &'static Fault) -> Self {
        Self { fault: Some(fault) }
    }
}

fn delays() -> Delays {
    let mut delays = Delays::zero();
    delays.create = Duration::from_millis(8);
    delays.update = Duration::from_millis(4);
    delays.publish = Duration::from_millis(4);
    delays.alias_staleness = STALE;
    delays
}

#[async_trait]
impl Harness for Lambda {
    fn target(&self) -> String {
        TARGET.to_owned()
    }

    async fn fresh(&self, _: u64) -> Result<Box<dyn Site>, Missing> {
        let config = Config::new()
            .clock(Clock::eager())
            .delays(delays())
            .limits(Limits::off());
        let host = Host::start(config).await?;
        let running = host.running().clone();
        let api = Api::new(&running);
        let signer = people::admit(&api, &running).await?;
        let proxy = match self.fault {
            Some(fault) => {
                let upstream = running.endpoint.clone();
                let started = Proxy::start(upstream, fault, signer.clone());
                let started = running.runtime.spawn(started).await;
                let proxy = started.map_err(Missing::because)?;
                Some(proxy.map_err(Missing::because)?)
            }
            None => None,
        };
        Ok(Box::new(Account {
            api,
            signer,
            proxy,
            running,
            host: Mutex::new(Some(host)),
        }))
    }

    fn reference(&self, to: Reference) -> String {
        match to {
            Reference::Identity => "arn:aws:iam::000000000000:role/probe",
            Reference::Subnet => "subnet-0123456789abcdef0",
            Reference::SecurityGroup => "sg-0123456789abcdef0",
            _ => "arn:aws:kms:us-east-1:000000000000:key/01234567-89ab-cdef-0123-456789abcdef",
        }
        .to_owned()
    }
}

/// The account of one cloud.
struct Account {
    running: Running,
    api: Api,
    /// Whose permissions are the adapter's own.
    signer: Signer,
    proxy: Option<Proxy>,
    host: Mutex<Option<Host>>,
}

impl Account {
    fn role(&self) -> String {
        format!(
            "arn:aws:iam::{}:role/{}",
            self.running.account,
            people::ROLE
        )
    }

    async fn open_at(&self, endpoint: &str) -> anyport::Result<Arc<dyn Provider>> {
        let mut config = Adapter::default();
        config.endpoint = Some(endpoint.to_owned());
        config.region = Some(self.running.region.clone());
        config.credentials = Credentials::Static {
            access_key: self.signer.access_key.clone(),
            secret_key: self.signer.secret_key.clone(),
            session_token: None,
        };
        config.execution_role = Some(self.role());
        config.settles_within = SETTLES;
        config.logs_within = Duration::ZERO;
        let target = Connect::new(TARGET).lambda(config).connect().await?;
        Ok(Arc::clone(Target::provider(&target)))
    }
}

#[async_trait]
impl Site for Account {
    /// The SDK's HTTP client opens a connection where all others are busy, and keeps it.
    fn pooled(&self) -> usize {
        3
    }

    async fn open(&self) -> anyport::Result<Arc<dyn Provider>> {
        let endpoint = match &self.proxy {
            Some(proxy) => proxy.endpoint(),
            None => &self.running.endpoint,
        };
        self.open_at(endpoint).await
    }

    async fn inventory(&self) -> Result<Inventory, Missing> {
        let mut all = Inventory::new();
        for (name, state) in self.running.admin.inventory() {
            // What functions write comes by itself.
            if name.contains("log-group") {
                all.add_written(name, state);
            } else {
                all.add(name, state);
            }
        }
        Ok(all)
    }

    async fn foreign(&self, name: &Name) -> Result<(), Missing> {
        edits::foreign(&self.api, &self.role(), name).await
    }

    async fn tamper(&self, name: &Name, edit: &Edit) -> Result<(), Missing> {
        edits::tamper(&self.api, name, edit).await
    }

    async fn spoil(&self, name: &Name) -> Result<(), Missing> {
        edits::spoil(&self.api, name).await
    }

    async fn secret(&self, _: &str, _: &str) -> Result<String, Missing> {
        Err(Missing::because(
            "Lambda puts no secret into a variable by reference",
        ))
    }

    async fn with_endpoint(&self, endpoint: &str) -> Option<anyport::Result<Arc<dyn Provider>>> {
        Some(self.open_at(endpoint).await)
    }

    async fn clean(&self) {
        if let Some(host) = self.host.lock().await.take() {
            host.stop().await;
        }
    }
}
