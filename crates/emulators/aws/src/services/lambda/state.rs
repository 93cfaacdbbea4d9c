//! All functions of all accounts and regions, and what an invocation of one means.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::access::Policy;
use crate::answer::ApiError;
use crate::clock::Clock;
use crate::config::{Config, Delays};

use super::errors;
use super::function::{EventInvoke, Function, UrlConfig};
use super::ids;
use super::names::{self, LATEST, Target};
use super::signing::SigningConfig;
use super::version::{Change, Failure, State, Version, VersionConfig};

/// Everything of one account in one region.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Region {
    pub(crate) functions: BTreeMap<String, Function>,
    /// Code signing configurations by their ARNs.
    pub(crate) signing: BTreeMap<String, SigningConfig>,
}

impl Region {
    /// Concurrent executions that are reserved for functions, together.
    pub(crate) fn reserved(&self) -> u32 {
        self.functions
            .values()
            .filter_map(|function| function.reserved)
            .fold(0, u32::saturating_add)
    }
}

/// By account, then by region.
pub(crate) type Regions = BTreeMap<String, BTreeMap<String, Region>>;

/// A number from 0 to below 1, to choose between versions by weight.
type Draw = Box<dyn Fn() -> f64 + Send + Sync>;

/// All functions.
pub(crate) struct Functions {
    pub(super) regions: Mutex<Regions>,
    clock: Clock,
    pub(super) delays: Delays,
    /// Concurrent executions of an account in a region.
    pub(super) concurrency: u32,
    draw: Draw,
    changes: watch::Sender<u64>,
    /// How the next changes end, in their order; well, when there is none.
    failures: Mutex<VecDeque<Failure>>,
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").finish_non_exhaustive()
    }
}

/// What an invocation reaches.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    /// The ARN as it was invoked: with the qualifier where the request had one.
    pub(crate) invoked_arn: String,
    /// What runs. Its `version` is the one executed.
    pub(crate) version: Arc<VersionConfig>,
    /// The version's state.
    pub(crate) state: State,
    /// Concurrent executions reserved for the function.
    pub(crate) reserved: Option<u32>,
    /// Concurrent executions that all functions without reserved ones share.
    pub(crate) unreserved: u32,
    /// The resource policy of what was invoked.
    pub(crate) policy: Option<Arc<Policy>>,
    /// What becomes of recursive loops: `Terminate` or `Allow`.
    pub(crate) recursive_loop: String,
}

impl Functions {
    /// None yet.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            regions: Mutex::default(),
            clock: config.clock.clone(),
            delays: config.delays.clone(),
            concurrency: config.limits.concurrency,
            draw: Box::new(ids::fraction),
            changes: watch::Sender::new(0),
            failures: Mutex::default(),
        }
    }

    /// Chooses between versions by weight with these numbers from 0 to below 1.
    #[cfg(test)]
    pub(crate) fn drawing(mut self, draw: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.draw = Box::new(draw);
        self
    }

    /// The cloud's time in milliseconds, all that Lambda shows.
    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(self.clock.epoch_millis())
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Regions> {
        self.regions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads or changes what is in an account and region.
    pub(crate) fn region<T>(
        &self,
        account: &str,
        region: &str,
        act: impl FnOnce(&mut Region) -> T,
    ) -> T {
        let mut regions = self.lock();
        let region = regions
            .entry(account.to_owned())
            .or_default()
            .entry(region.to_owned())
            .or_default();
        act(region)
    }

    /// Reads or changes a function whose changes that are over are over. `None` if there is none.
    pub(crate) fn with<T>(
        &self,
        target: &Target,
        act: impl FnOnce(&mut Function) -> T,
    ) -> Option<T> {
        let now = self.now();
        let mut regions = self.lock();
        let function = regions
            .get_mut(&target.account)?
            .get_mut(&target.region)?
            .functions
            .get_mut(&target.name)?;
        function.settle(now, self.delays.inactive);
        Some(act(function))
    }

    /// What an invocation of `target` means now. It does not wake or use anything.
    ///
    /// # Errors
    /// There is no such function, version or alias.
    pub(crate) fn resolve(&self, target: &Target) -> Result<Resolved, ApiError> {
        self.reach(target, false)
    }

    /// Like [`Self::resolve`], for an invocation: the version counts as used, and is made ready again
    /// when it has been idle for too long.
    ///
    /// # Errors
    /// There is no such function, version or alias.
    pub(crate) fn resolve_to_invoke(&self, target: &Target) -> Result<Resolved, ApiError> {
        self.reach(target, true)
    }

    fn reach(&self, target: &Target, invoke: bool) -> Result<Resolved, ApiError> {
        let now = self.now();
        let mut regions = self.lock();
        let region = regions
            .get_mut(&target.account)
            .and_then(|regions| regions.get_mut(&target.region));
        let missing = || errors::no_function(target);
        let region = region.ok_or_else(missing)?;
        let unreserved = self.concurrency.saturating_sub(region.reserved());
        let function = region.functions.get_mut(&target.name).ok_or_else(missing)?;
        let qualifier = target.or_latest();
        let name = match function.aliases.get(qualifier) {
            Some(alias) => self.choose(function, alias, now),
            None => qualifier.to_owned(),
        };
        let policy = function
            .policies
            .get(qualifier)
            .and_then(super::function::ResourcePolicy::policy);
        let (reserved, recursive_loop) = (function.reserved, function.recursive_loop.clone());
        let version = function.version_mut(&name).ok_or_else(missing)?;
        version.settle(now, self.delays.inactive);
        let resolved = Resolved {
            invoked_arn: target.arn(),
            version: Arc::clone(version.serving()),
            state: version.state(),
            reserved,
            unreserved,
            policy,
            recursive_loop,
        };
        if invoke {
            match resolved.state {
                State::Inactive => self.start(version, Change::Restoring, now),
                State::Active => version.used = now,
                State::Pending | State::Failed => {}
            }
        }
        Ok(resolved)
    }

    /// Which of an alias's versions is invoked. News of an alias take a while to spread: until then an
    /// invocation may reach what it pointed to before, if that still is. *Guessed*: that all of them do.
    fn choose(
        &self,
        function: &Function,
        alias: &super::function::Alias,
        now: SystemTime,
    ) -> String {
        let (version, other) = alias.target(now, self.delays.alias_staleness);
        let exists = |name: &str| function.version(name).is_some();
        match other {
            Some((other, weight)) if exists(other) && (self.draw)() < *weight => other.clone(),
            _ if exists(version) => version.to_owned(),
            _ => alias.version.clone(),
        }
    }

    /// Begins to make a version ready.
    fn start(&self, version: &mut Version, change: Change, now: SystemTime) {
        version.begin(change, now, self.delays.create, self.failure());
    }

    /// How the change ends that begins now.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    }

    /// Lets the next change that begins end like this.
    pub(crate) fn fail_next(&self, failure: Failure) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(failure);
    }

    /// How asynchronous invocations of `target` are handled; nothing is set where it has no config.
    pub(crate) fn event_invoke(&self, target: &Target) -> EventInvoke {
        self.with(target, |function| {
            function.event_invoke.get(target.or_latest()).cloned()
        })
        .flatten()
        .unwrap_or_default()
    }

    /// The function URL whose host name begins with `id`, and what it invokes: without a qualifier for
    /// the URL of a function, with an alias's name for one of an alias.
    pub(crate) fn url(&self, id: &str) -> Option<(Target, UrlConfig)> {
        let regions = self.lock();
        let functions = regions
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(|region| region.functions.values());
        for function in functions {
            if let Some((qualifier, url)) = function.urls.iter().find(|(_, url)| url.id == id) {
                let target = Target {
                    account: function.account.clone(),
                    region: function.region.clone(),
                    name: function.name.clone(),
                    qualifier: (qualifier != LATEST).then(|| qualifier.clone()),
                };
                return Some((target, url.clone()));
            }
        }
        None
    }

    /// The ids of all configs that an invocation can still reach: pools of others can go.
    pub(crate) fn live(&self) -> BTreeSet<String> {
        let regions = self.lock();
        let functions = regions
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(|region| region.functions.values());
        functions
            .flat_map(Function::all_versions)
            .flat_map(|version| [version.config.id.clone(), version.serving().id.clone()])
            .collect()
    }

    /// Tells whenever functions or versions changed or went.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Something changed.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Concurrent executions that functions without reserved ones share.
    pub(crate) fn unreserved(&self, account: &str, region: &str) -> u32 {
        let reserved = self.region(account, region, |region| region.reserved());
        self.concurrency.saturating_sub(reserved)
    }
}

/// Where the region of a target is, for ARNs that are not a function's.
pub(crate) fn arn_prefix(account: &str, region: &str) -> String {
    format!("arn:{}:lambda:{region}:{account}", names::partition(region))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::super::function::Alias;
    use super::super::version::tests::config;
    use super::*;

    fn target(qualifier: Option<&str>) -> Target {
        Target {
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            name: "hello".to_owned(),
            qualifier: qualifier.map(str::to_owned),
        }
    }

    fn functions(clock: &Clock, draw: impl Fn() -> f64 + Send + Sync + 'static) -> Functions {
        let mut delays = Delays::zero();
        delays.alias_staleness = Duration::from_secs(5);
        delays.create = Duration::from_secs(1);
        let functions =
            Functions::new(&Config::new().clock(clock.clone()).delays(delays)).drawing(draw);
        let now = functions.now();
        let mut function = Function::new(Version::new(config(), now, Duration::ZERO, None));
        for number in 1..=2 {
            let version = function.latest.config.published(number, None);
            let version = Version::new(version, now, Duration::ZERO, None);
            function.versions.insert(number, version);
        }
        let alias = Alias {
            name: "live".to_owned(),
            version: "1".to_owned(),
            other: None,
            description: String::new(),
            revision: ids::uuid(),
            before: None,
        };
        function.aliases.insert("live".to_owned(), alias);
        functions.region("000000000000", "us-east-1", |region| {
            region.functions.insert("hello".to_owned(), function)
        });
        functions
    }

    fn executed(functions: &Functions, qualifier: Option<&str>) -> String {
        let resolved = functions.resolve(&target(qualifier)).unwrap();
        resolved.version.version.clone()
    }

    #[test]
    fn a_qualifier_chooses_the_version() {
        let functions = functions(&Clock::manual(SystemTime::UNIX_EPOCH), || 0.0);
        assert_eq!(executed(&functions, None), LATEST);
        assert_eq!(executed(&functions, Some(LATEST)), LATEST);
        assert_eq!(executed(&functions, Some("2")), "2");
        assert_eq!(executed(&functions, Some("live")), "1");
        let error = functions.resolve(&target(Some("9"))).unwrap_err();
        assert_eq!(error.code, "ResourceNotFoundException");
        assert_eq!(
            error.message,
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello:9"
        );
    }

    #[test]
    fn weights_choose_between_two_versions() {
        static DRAWS: AtomicU32 = AtomicU32::new(0);
        let draw = || f64::from(DRAWS.fetch_add(1, Ordering::Relaxed) % 10) / 10.0;
        let functions = functions(&Clock::manual(SystemTime::UNIX_EPOCH), draw);
        functions.with(&target(None), |function| {
            let alias = function.aliases.get_mut("live").unwrap();
            alias.other = Some(("2".to_owned(), 0.3));
        });
        let second = (0..100)
            .filter(|_| executed(&functions, Some("live")) == "2")
            .count();
        assert_eq!(second, 30);
    }

    #[test]
    fn news_of_an_alias_take_a_while() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let functions = functions(&clock, || 0.0);
        let now = functions.now();
        functions.with(&target(None), |function| {
            let alias = function.aliases.get_mut("live").unwrap();
            alias.before = Some((("1".to_owned(), None), now));
            alias.version = "2".to_owned();
        });
        assert_eq!(executed(&functions, Some("live")), "1");
        clock.advance(Duration::from_secs(5));
        assert_eq!(executed(&functions, Some("live")), "2");
    }

    #[test]
    fn an_invocation_makes_an_idle_version_ready_again() {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let mut functions = functions(&clock, || 0.0);
        functions.delays.inactive = Some(Duration::from_secs(60));
        clock.advance(Duration::from_secs(60));
        let state = |functions: &Functions| functions.resolve(&target(None)).unwrap().state;
        assert_eq!(state(&functions), State::Inactive);
        let invoked = functions.resolve_to_invoke(&target(None)).unwrap();
        assert_eq!(invoked.state, State::Inactive);
        assert_eq!(state(&functions), State::Pending);
        clock.advance(Duration::from_secs(1));
        assert_eq!(state(&functions), State::Active);
    }

    #[test]
    fn a_config_is_live_as_long_as_it_can_be_reached() {
        let functions = functions(&Clock::manual(SystemTime::UNIX_EPOCH), || 0.0);
        let id = functions
            .resolve(&target(Some("2")))
            .unwrap()
            .version
            .id
            .clone();
        assert!(functions.live().contains(&id));
        functions.with(&target(None), |function| function.versions.remove(&2));
        assert!(!functions.live().contains(&id));
    }
}
