//! Connections that are cut: before a call is sent, and before its reply is read.

use anyport_client::Removal;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Change, State};
use anyport_core::provider::{Entry, Scope};
use anyport_core::spec::Name;
use futures_util::StreamExt as _;
use futures_util::future::join_all;

use super::{Budget, Case, case};
use crate::scene::{Client, Scene};
use crate::seam::Disturbance;
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("cut/create", create, SWEEP),
    case!("cut/update", update, SWEEP),
    case!("cut/remove", remove, SWEEP),
    case!("cut/next-run-says", next_run_says, Budget::LARGE),
];

/// More calls than any verb makes: a guard against a sweep that never ends.
const MOST_CALLS: usize = 60;

/// Around each call there are six lives of a function.
const SWEEP: Budget = Budget {
    calls: 12_000,
    ..Budget::LARGE
};

/// What is cut.
#[derive(Clone, Copy)]
enum Act {
    /// Deploying variant `b`, on nothing or on variant `a`.
    Deploy,
    /// Removing.
    Remove,
}

impl Act {
    async fn take(self, client: &Client, name: &Name) -> anyport_core::Result<Outcome> {
        match self {
            Self::Deploy => client.put(probe(client, name, "b")?).await,
            Self::Remove => client.remove(name, Removal::default()).await,
        }
    }
}

/// What is done afterwards, by somebody else.
#[derive(Clone, Copy, Debug)]
enum Then {
    SameDeploy,
    AnotherDeploy,
    Remove,
}

const FOLLOW: [Then; 3] = [Then::SameDeploy, Then::AnotherDeploy, Then::Remove];

/// A spec as `build` makes it; its failure would be the suite's own.
fn probe(
    client: &Client,
    name: &Name,
    variant: &str,
) -> anyport_core::Result<anyport_core::spec::Spec> {
    client.spec(name, variant).build().map_err(|violations| {
        anyport_core::Error::new(
            anyport_core::ErrorKind::InvalidSpec(violations),
            "build the suite's own spec",
        )
    })
}

/// Cuts `act` before and after every call it makes, tries all that can follow each time, and checks that everything converges.
///
/// Everything around one call happens at the same time, on a name of its own each.
async fn sweep(scene: &Scene, act: Act, exists: bool) -> Verdict {
    let survivor = scene.client().await?;
    // What a life leaves for good (an empty folder, a counter) is there from the start.
    let stays = scene.name("stays");
    survivor.deployed(&stays, "a").await?;
    let before = scene.inventory().await?;
    let sweep = Sweep {
        scene,
        survivor,
        act,
        exists,
    };
    for k in 1..=MOST_CALLS {
        let mut cuts = Vec::new();
        for (side, cut) in [Disturbance::CutBefore(k), Disturbance::CutAfter(k)]
            .into_iter()
            .enumerate()
        {
            for (turn, then) in FOLLOW.into_iter().enumerate() {
                let name = scene.name(&format!("k{k}-{side}{turn}"));
                let sweep = &sweep;
                cuts.push(Box::pin(async move { sweep.cut(&name, cut, then).await }));
            }
        }
        let ended = join_all(cuts).await;
        let struck = ended.into_iter().collect::<Result<Vec<bool>, Stop>>()?;
        let differs = before.compare_all(&scene.inventory().await?);
        ensure!(
            differs.is_empty(),
            "cut around call {k}: after the removals something is left: {}",
            differs.join(", ")
        );
        if !struck.contains(&true) {
            ensure!(k > 1, "the verb made no call that could be cut");
            return Ok(Pass::Holds);
        }
    }
    Err(Stop::Failed("the verb makes no end of calls".to_owned()))
}

/// What stays the same while cuts move on.
struct Sweep<'a> {
    scene: &'a Scene,
    survivor: Client,
    act: Act,
    exists: bool,
}

impl Sweep<'_> {
    /// Cuts once and lets somebody else go on. False when the verb ended before.
    async fn cut(&self, name: &Name, cut: Disturbance, then: Then) -> Result<bool, Stop> {
        let survivor = &self.survivor;
        if self.exists {
            survivor.deployed(name, "a").await?;
        }
        let victim = self.scene.client().await?;
        victim.script().disturb(cut);
        let result = self.act.take(&victim, name).await;
        if !victim.script().has_struck() {
            result?;
            survivor.gone(name).await?;
            return Ok(false);
        }
        drop(victim);
        let told = |stop| match stop {
            Stop::Failed(why) => Stop::Failed(format!("{cut:?}, then {then:?}: {why}")),
            other => other,
        };
        let check = async {
            ensure!(
                result.is_err(),
                "the verb succeeded although its connection was cut"
            );
            if self.exists && matches!(self.act, Act::Deploy) {
                let serves = survivor.variant(name).await?;
                ensure!(
                    serves == "a" || serves == "b",
                    "in between, {serves} serves"
                );
            }
            converges(survivor, name, then, self.exists).await
        };
        check.await.map_err(told)?;
        Ok(true)
    }
}

async fn converges(client: &Client, name: &Name, then: Then, existed: bool) -> Result<(), Stop> {
    let variant = match then {
        Then::SameDeploy => Some("b"),
        Then::AnotherDeploy => Some("c"),
        Then::Remove => None,
    };
    if let Some(variant) = variant {
        client.taken_up(&probe(client, name, variant)?).await?;
        client.serves(name, variant).await?;
        once(client, name).await?;
        let seen = client.status(name).await?;
        ensure!(
            seen.residue.is_empty(),
            "something half-made is left: {}",
            seen.residue.join(", ")
        );
        let most = 1 + usize::from(existed) + usize::from(matches!(then, Then::AnotherDeploy));
        ensure!(
            seen.versions.len() <= most,
            "{} versions are there where at most {most} were released",
            seen.versions.len()
        );
        let again = client.put(probe(client, name, variant)?).await?;
        ensure!(
            again.change == Change::Unchanged,
            "the deploy after the cut did not finish: the next one came out as {}",
            again.change.word()
        );
    }
    let remove = async || client.remove(name, Removal::default()).await;
    let removed = client.once_free(remove).await?;
    ensure!(
        matches!(removed.change, Change::Removed | Change::Absent),
        "the removal came out as {}",
        removed.change.word()
    );
    Ok(())
}

/// The name is listed exactly once.
async fn once(client: &Client, name: &Name) -> Result<(), Stop> {
    let mut times = 0;
    let mut entries = client.list(Scope::Everything);
    while let Some(entry) = entries.next().await {
        match entry? {
            Entry::Function(summary) => times += usize::from(summary.name == name.as_str()),
            Entry::Unreadable { name: other, why } if other == name.as_str() => {
                return Err(Stop::Failed(format!("{name} cannot be read: {why}")));
            }
            _ => {}
        }
    }
    ensure!(times == 1, "{name} is listed {times} times");
    Ok(())
}

async fn create(scene: &Scene) -> Verdict {
    sweep(scene, Act::Deploy, false).await
}

async fn update(scene: &Scene) -> Verdict {
    sweep(scene, Act::Deploy, true).await
}

async fn remove(scene: &Scene) -> Verdict {
    sweep(scene, Act::Remove, true).await
}

/// What a cut update left is named by the status, by the next plan and by the next outcome.
async fn next_run_says(scene: &Scene) -> Verdict {
    let survivor = scene.client().await?;
    for k in 1..=MOST_CALLS {
        let name = scene.name(&format!("says-{k}"));
        survivor.deployed(&name, "a").await?;
        let before = scene.inventory().await?;
        let victim = scene.client().await?;
        victim.script().disturb(Disturbance::CutAfter(k));
        let result = victim.put(probe(&victim, &name, "b")?).await;
        if !victim.script().has_struck() {
            result?;
            return Ok(Pass::Holds);
        }
        drop(victim);
        let changed = before.compare(&scene.inventory().await?);
        let spec = probe(&survivor, &name, "b")?;
        let desired = survivor.desired(name.clone(), State::Present(Box::new(spec.clone())));
        let plan = survivor.plan(desired).await?;
        let outcome = survivor.put(spec).await?;
        ensure!(
            plan.found == outcome.found,
            "cut after call {k}: the plan found {:?}, the outcome {:?}",
            plan.found,
            outcome.found
        );
        ensure!(
            changed.is_empty() || plan.is_empty() || !plan.found.is_empty(),
            "cut after call {k}: the next plan does not say what it found ({})",
            changed.join(", ")
        );
    }
    Err(Stop::Failed("a deploy makes no end of calls".to_owned()))
}
