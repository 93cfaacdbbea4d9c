//! The differential run: the same on two targets. What differs must be explained by what they declare.

mod act;
mod explain;
mod parts;
mod play;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use anyport_testkit::ProbeKit;
use futures_util::future::join;
use serde::Serialize;
use serde_json::Value;

use crate::harness::Harness;
use crate::run::{Options, SuiteError, alone, mix, on_a_thread, runtime};
use crate::scene::Scene;
use crate::verdict::Stop;

use act::{Act, Sequence};
use play::Side;
use seen::Seen;

/// What a differential run came to.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Differential {
    /// The two targets' URLs.
    pub targets: [String; 2],
    /// The seed of the run.
    pub seed: u64,
    /// Things that were done on both.
    pub acts: usize,
    /// What was compared and is the same.
    pub same: usize,
    /// Differences that the targets' capabilities explain.
    pub declared: Vec<Difference>,
    /// Differences that nothing explains.
    pub undeclared: Vec<Difference>,
}

/// Something that came out differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What was done, after what.
    pub acts: Vec<String>,
    /// What differs.
    pub aspect: String,
    /// What it is on each.
    pub values: [String; 2],
    /// What the targets declare differently, if that explains it.
    pub because: Option<String>,
}

impl Differential {
    /// Whether every difference is declared.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.undeclared.is_empty()
    }

    /// The run as one JSON object: `targets`, `seed`, `acts`, `same`, and the differences as `declared` and `undeclared`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn compare(&mut self, acts: &[Act], seen: [&Seen; 2], caps: [&Value; 2]) -> bool {
        let mut in_step = true;
        let aspects: BTreeSet<&String> = seen.iter().flat_map(|seen| seen.0.keys()).collect();
        let Some(act) = acts.last() else {
            return true;
        };
        // What follows from a difference in the result is explained with it.
        let differs = |aspect: &str| seen[0].0.get(aspect) != seen[1].0.get(aspect);
        for aspect in aspects {
            if !differs(aspect) {
                self.same += 1;
                continue;
            }
            in_step &= !aspect.starts_with("status");
            if differs("result") && aspect != "result" {
                continue;
            }
            let value = |side: usize| {
                let value = seen[side].0.get(aspect);
                value.map_or_else(|| "(nothing)".to_owned(), Clone::clone)
            };
            let keys = explain::depends_on(*act, aspect);
            let because = explain::explanation(&keys, caps, seen);
            let found = Difference {
                acts: acts.iter().map(ToString::to_string).collect(),
                aspect: aspect.clone(),
                values: [value(0), value(1)],
                because,
            };
            match found.because {
                Some(_) => self.declared.push(found),
                None => self.undeclared.push(found),
            }
        }
        in_step
    }
}

impl fmt::Display for Differential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut declared: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for found in &self.declared {
            let act = found.acts.last().map_or("", String::as_str);
            let because = found.because.as_deref().unwrap_or_default();
            let line = format!(
                "{act}: {} is {} and {}",
                found.aspect, found.values[0], found.values[1]
            );
            declared.entry(because).or_default().insert(line);
        }
        for (because, lines) in declared {
            writeln!(f, "declared    {because}")?;
            for line in lines {
                writeln!(f, "            {line}")?;
            }
        }
        for found in &self.undeclared {
            writeln!(
                f,
                "UNDECLARED  after {}: {} is {} and {}",
                found.acts.join(", "),
                found.aspect,
                found.values[0],
                found.values[1]
            )?;
        }
        write!(
            f,
            "{} beside {}: {} acts, {} values the same, {} declared differences, {} undeclared; seed {:#x}",
            self.targets[0],
            self.targets[1],
            self.acts,
            self.same,
            self.declared.len(),
            self.undeclared.len(),
            self.seed
        )
    }
}

/// Does the same on both targets: every part of a spec, every kind of call, a life, and random sequences. Outcomes are compared without what
/// differs by nature: ids, times, addresses and the providers' own words. `only` of the options has no meaning here.
///
/// Blocks until all is done; may be called with or without a runtime around it.
///
/// # Errors
/// [`SuiteError`] when it cannot be run to its end. Differences are in the result.
pub fn differential(
    a: Arc<dyn Harness>,
    b: Arc<dyn Harness>,
    options: &Options,
) -> Result<Differential, SuiteError> {
    let _alone = alone();
    let kit = Arc::new(ProbeKit::new(&options.probe).map_err(SuiteError::Probe)?);
    let seed = options.seed;
    let broken = |stop| match stop {
        Stop::Failed(why) | Stop::NotRun(why) | Stop::OverBudget(why) => SuiteError::Broken(why),
    };
    let running = on_a_thread(|| {
        let runtime = runtime().map_err(|error| SuiteError::Broken(error.to_string()))?;
        runtime.block_on(both(a, b, kit, seed)).map_err(broken)
    });
    running.unwrap_or_else(|| Err(SuiteError::Broken("it panicked".to_owned())))
}

async fn both(
    a: Arc<dyn Harness>,
    b: Arc<dyn Harness>,
    kit: Arc<ProbeKit>,
    seed: u64,
) -> Result<Differential, Stop> {
    let mut report = Differential {
        targets: [a.target(), b.target()],
        seed,
        acts: 0,
        same: 0,
        declared: Vec::new(),
        undeclared: Vec::new(),
    };
    let place = mix(seed, "differential");
    let mut scenes = Vec::new();
    for harness in [a, b] {
        let site = harness.fresh(place).await?;
        scenes.push(Scene::new(harness, site, Arc::clone(&kit), place, None));
    }
    let ran = match &scenes[..] {
        [a, b] => sequences(a, b, seed, &mut report).await,
        _ => Ok(()),
    };
    for scene in &scenes {
        scene.site().clean().await;
    }
    ran.map(|()| report)
}

async fn sequences(a: &Scene, b: &Scene, seed: u64, report: &mut Differential) -> Result<(), Stop> {
    let mut caps = Vec::new();
    for scene in [a, b] {
        let client = scene.client().await?;
        // Capabilities always have a JSON form.
        caps.push(serde_json::to_value(client.caps()).unwrap_or_default());
    }
    for Sequence { number, acts } in act::sequences(seed) {
        let name = a.name(&format!("d{number}"));
        let mut sides = (Side::new(a, name.clone()).await?, Side::new(b, name).await?);
        for done in 1..=acts.len() {
            let act = acts[done - 1];
            let (first, second) = join(sides.0.play(act), sides.1.play(act)).await;
            report.acts += 1;
            let told = |stop| match stop {
                Stop::Failed(why) => Stop::Failed(format!("{act}: {why}")),
                other => other,
            };
            let (first, second) = (first.map_err(told)?, second.map_err(told)?);
            let in_step = match (first, second) {
                (Some(first), Some(second)) => {
                    report.compare(&acts[..done], [&first, &second], [&caps[0], &caps[1]])
                }
                (None, None) => true,
                // What cannot be done on one of them makes the rest of the sequence another one.
                _ => false,
            };
            if !in_step {
                break;
            }
        }
        let (first, second) = join(sides.0.end(), sides.1.end()).await;
        first.and(second)?;
    }
    Ok(())
}
