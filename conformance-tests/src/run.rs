//! Runs the suite over a harness.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyport_testkit::ProbeKit;
use futures_util::FutureExt as _;

use crate::cases::{self, Case};
use crate::harness::Harness;
use crate::leaks;
use crate::mutants::Mutant;
use crate::report::{CaseReport, Report};
use crate::rules;
use crate::scene::Scene;
use crate::verdict::{Outcome, Pass, Stop, Verdict};

/// The seed of every run that is not given another.
pub const SEED: u64 = 0x616e_7970_6f72_7401;

/// A case that takes this much longer than its budget is stopped.
const LAST_CALL: u32 = 3;

/// Who is told of every case when it has ended. It runs between two cases.
pub type Watch = dyn Fn(&CaseReport) + Send + Sync;

/// How the suite is run.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The probe's executable: see [`anyport_testkit::find_probe`].
    pub probe: PathBuf,
    /// From which the seeds of all cases are made; printed in the report.
    pub seed: u64,
    /// Only cases of these rules, or these cases; all when empty.
    pub only: Vec<String>,
    /// Told of every case when it has ended.
    pub progress: Option<Arc<Watch>>,
}

impl Options {
    /// Runs everything with the usual seed.
    #[must_use]
    pub fn new(probe: impl Into<PathBuf>) -> Self {
        Self {
            probe: probe.into(),
            seed: SEED,
            only: Vec::new(),
            progress: None,
        }
    }

    /// Sets the seed.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Runs only cases of this rule, or this case; may be repeated.
    #[must_use]
    pub fn only(mut self, rule_or_case: impl Into<String>) -> Self {
        self.only.push(rule_or_case.into());
        self
    }

    /// Sets who is told of every case when it has ended.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<Watch>) -> Self {
        self.progress = Some(progress);
        self
    }

    fn selected(&self) -> Result<Vec<&'static Case>, SuiteError> {
        let all = cases::all();
        for name in &self.only {
            let known = rules::find(name).is_some() || cases::find(name).is_some();
            if !known {
                return Err(SuiteError::Unknown(name.clone()));
            }
        }
        let wanted = |case: &&Case| {
            self.only.is_empty()
                || self.only.iter().any(|name| {
                    name == case.id
                        || rules::find(name).is_some_and(|rule| rule.cases.contains(&case.id))
                })
        };
        Ok(all.into_iter().filter(wanted).collect())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("probe", &self.probe)
            .field("seed", &self.seed)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

/// The suite could not be run at all.
#[derive(Debug)]
#[non_exhaustive]
pub enum SuiteError {
    /// Something was selected that there is not.
    Unknown(String),
    /// The probe cannot be packed.
    Probe(std::io::Error),
    /// It had to stop half-way, for this reason.
    Broken(String),
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(
                f,
                "there is no rule and no case called {name}; rules are called D1, cases deploy/creates"
            ),
            Self::Probe(_) => f.write_str("no temporary folder for the probe could be made"),
            Self::Broken(why) => write!(f, "the run stopped half-way: {why}"),
        }
    }
}

impl std::error::Error for SuiteError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unknown(_) | Self::Broken(_) => None,
            Self::Probe(error) => Some(error),
        }
    }
}

/// Runs the selected cases one after the other, each in a place and a runtime of its own, and reports.
///
/// Blocks until all have ended; may be called with or without a runtime around it.
///
/// # Errors
/// [`SuiteError`] when nothing could be run. A case that fails is in the report.
pub fn run(harness: Arc<dyn Harness>, options: &Options) -> Result<Report, SuiteError> {
    let _alone = alone();
    let cases = options.selected()?;
    let kit = Arc::new(ProbeKit::new(&options.probe).map_err(SuiteError::Probe)?);
    let bench = Bench {
        harness: Arc::clone(&harness),
        kit,
        seed: options.seed,
        mutant: None,
    };
    let mut report = Report::new(harness.target(), options.seed);
    report.emulated = bench.is_emulated();
    for case in cases {
        let ended = bench.run(case);
        if let Some(progress) = &options.progress {
            progress(&ended);
        }
        report.cases.push(ended);
    }
    Ok(report)
}

/// One run at a time: what a case leaves behind is counted in the whole process.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static RUNS: Mutex<()> = Mutex::new(());
    RUNS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What cases are run with.
pub(crate) struct Bench {
    pub(crate) harness: Arc<dyn Harness>,
    pub(crate) kit: Arc<ProbeKit>,
    pub(crate) seed: u64,
    pub(crate) mutant: Option<&'static Mutant>,
}

impl Bench {
    /// Runs one case on a thread of its own, so that no runtime of the caller is in the way.
    pub(crate) fn run(&self, case: &'static Case) -> CaseReport {
        let started = Instant::now();
        let panicked = || Err(Stop::Failed("the case panicked".to_owned()));
        let verdict = on_a_thread(|| self.in_runtime(case)).unwrap_or_else(panicked);
        let (outcome, why) = match verdict {
            Ok(Pass::Holds) => (Outcome::Passed, String::new()),
            Ok(Pass::Refused) => (Outcome::Refused, "refused as declared".to_owned()),
            Err(Stop::Failed(why)) => (Outcome::Failed, why),
            Err(Stop::NotRun(why)) => (Outcome::NotRun, why),
            Err(Stop::OverBudget(why)) => (Outcome::OverBudget, why),
        };
        CaseReport {
            id: case.id,
            rules: rules::of_case(case.id),
            outcome,
            why,
            duration: started.elapsed(),
        }
    }

    /// Whether the target says that it is an emulated one. A target that cannot be opened counts as one: nothing was observed.
    fn is_emulated(&self) -> bool {
        let look = || {
            let runtime = runtime().ok()?;
            let emulated = runtime.block_on(async {
                let site = self.harness.fresh(self.seed).await.ok()?;
                let identity = async {
                    let provider = site.open().await.ok()?;
                    let options = anyport_client::Options::new(crate::scene::owner());
                    let target = anyport_client::Target::new(provider, options);
                    target.identify().await.ok()
                };
                let identity = identity.await;
                site.clean().await;
                identity
            });
            emulated.map(|identity| identity.emulated)
        };
        on_a_thread(look).flatten().unwrap_or(true)
    }

    fn in_runtime(&self, case: &'static Case) -> Verdict {
        let runtime = runtime().map_err(|error| {
            Stop::NotRun(format!("no runtime could be started for it: {error}"))
        })?;
        let before = leaks::Snapshot::take();
        let verdict = runtime.block_on(self.in_place(case));
        runtime.shutdown_timeout(Duration::from_secs(5));
        if verdict.is_ok() {
            before.returns().map_err(Stop::Failed)?;
        }
        verdict
    }

    async fn in_place(&self, case: &'static Case) -> Verdict {
        let seed = mix(self.seed, case.id);
        let site = self.harness.fresh(seed).await?;
        let scene = Scene::new(
            Arc::clone(&self.harness),
            site,
            Arc::clone(&self.kit),
            seed,
            self.mutant,
        );
        let started = Instant::now();
        let body = AssertUnwindSafe((case.run)(&scene)).catch_unwind();
        let mut verdict = match tokio::time::timeout(case.budget.time * LAST_CALL, body).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(_)) => Err(Stop::Failed("the case panicked".to_owned())),
            Err(_) => Err(Stop::Failed(format!(
                "no end after {:?}",
                started.elapsed()
            ))),
        };
        let (calls, took) = (scene.calls(), started.elapsed());
        if verdict.is_ok() {
            verdict = leaks::no_tasks()
                .await
                .map_err(Stop::Failed)
                .and(verdict)
                .and_then(|pass| within(case, calls, took).map(|()| pass));
        }
        scene.site().clean().await;
        verdict
    }
}

fn within(case: &Case, calls: usize, took: Duration) -> Result<(), Stop> {
    let budget = case.budget;
    if calls > budget.calls {
        return Err(Stop::OverBudget(format!(
            "{calls} provider calls, where {} are allowed",
            budget.calls
        )));
    }
    if took > budget.time {
        return Err(Stop::OverBudget(format!(
            "{took:?}, where {:?} are allowed",
            budget.time
        )));
    }
    Ok(())
}

/// Adapters' futures are deep, and deeper without optimisation.
const STACK: usize = 16 << 20;

/// Does `work` on a thread with room for it; `None` when there is none to be had, or `work` panicked.
pub(crate) fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let running = thread.spawn_scoped(scope, work).ok()?;
        running.join().ok()
    })
}

pub(crate) fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
}

/// A case's seed: the run's, mixed with the case's id (FNV-1a), so that it does not depend on which others run.
pub(crate) fn mix(seed: u64, id: &str) -> u64 {
    id.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_by_case_and_by_run() {
        assert_ne!(mix(SEED, "a/b"), mix(SEED, "a/c"));
        assert_ne!(mix(SEED, "a/b"), mix(SEED + 1, "a/b"));
        assert_eq!(mix(SEED, "a/b"), mix(SEED, "a/b"));
    }

    #[test]
    fn a_selection_is_by_rule_or_case_and_what_is_unknown_is_refused() {
        let of = |name: &str| Options::new("probe").only(name).selected();
        assert_eq!(of("P3").unwrap().len(), 2);
        assert_eq!(of("deploy/creates").unwrap().len(), 1);
        assert!(matches!(of("D99"), Err(SuiteError::Unknown(name)) if name == "D99"));
        let all = Options::new("probe").selected().unwrap();
        assert_eq!(all.len(), cases::all().len());
    }
}
