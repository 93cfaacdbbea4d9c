//! Connections that are cut: before a call is sent, and before its reply is read.

use anyport_client::Removal;
use anyport_core::context::Effect;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Change, State};
use anyport_core::provider::{Entry, Scope};
use anyport_core::spec::Name;
use futures_util::StreamExt as _;

use super::{Budget, Case, case};
use crate::harness::Inventory;
use crate::scene::{Client, Scene};
use crate::seam::Disturbance;
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("cut/create", create, Budget::LARGE),
    case!("cut/update", update, Budget::LARGE),
    case!("cut/remove", remove, Budget::LARGE),
    case!("cut/next-run-says", next_run_says, Budget::LARGE),
];

/// More calls than any verb makes: a guard against a sweep that never ends.
const MOST_CALLS: usize = 60;

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

/// Cuts `act` before and after every call it makes, and checks that everything converges each time.
///
/// Around a call that changes something, all that can follow is tried. Around one that only reads, the state is the same as before the next
/// call, and what follows is tried in turn.
async fn sweep(scene: &Scene, act: Act, exists: bool) -> Verdict {
    const FOLLOW: [Then; 3] = [Then::SameDeploy, Then::AnotherDeploy, Then::Remove];
    let survivor = scene.client().await?;
    // What a life leaves for good (an empty folder, a counter) is there from the start.
    let stays = scene.name("stays");
    survivor.deployed(&stays, "a").await?;
    let sweep = Sweep {
        scene,
        before: scene.inventory().await?,
        survivor,
        act,
        exists,
    };
    for k in 1..=MOST_CALLS {
        for (side, cut) in [Disturbance::CutBefore(k), Disturbance::CutAfter(k)]
            .into_iter()
            .enumerate()
        {
            for turn in 0..FOLLOW.len() {
                let then = FOLLOW[(k + side + turn) % FOLLOW.len()];
                let name = scene.name(&format!("k{k}-{side}{turn}"));
                match sweep.cut(&name, cut, then).await? {
                    None if k == 1 => {
                        let why = "the verb made no call that could be cut";
                        return Err(Stop::Failed(why.to_owned()));
                    }
                    None => return Ok(Pass::Holds),
                    Some(Effect::Read) => break,
                    Some(_) => {}
                }
            }
        }
    }
    Err(Stop::Failed("the verb makes no end of calls".to_owned()))
}

/// What stays the same while cuts move on.
struct Sweep<'a> {
    scene: &'a Scene,
    before: Inventory,
    survivor: Client,
    act: Act,
    exists: bool,
}

impl Sweep<'_> {
    /// Cuts once and lets somebody else go on. What the call does that was cut; `None` when the verb ended before.
    async fn cut(&self, name: &Name, cut: Disturbance, then: Then) -> Result<Option<Effect>, Stop> {
        let survivor = &self.survivor;
        if self.exists {
            survivor.deployed(name, "a").await?;
        }
        let victim = self.scene.client().await?;
        victim.script().disturb(cut);
        let result = self.act.take(&victim, name).await;
        let Some(effect) = victim.script().struck() else {
            result?;
            survivor.gone(name).await?;
            return Ok(None);
        };
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
            converges(self.scene, survivor, name, then, self.exists, &self.before).await
        };
        check.await.map_err(told)?;
        Ok(Some(effect))
    }
}

async fn converges(
    scene: &Scene,
    client: &Client,
    name: &Name,
    then: Then,
    existed: bool,
    before: &Inventory,
) -> Result<(), Stop> {
    let variant = match then {
        Then::SameDeploy => Some("b"),
        Then::AnotherDeploy => Some("c"),
        Then::Remove => None,
    };
    if let Some(variant) = variant {
        client.deployed(name, variant).await?;
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
    let removed = client.remove(name, Removal::default()).await?;
    ensure!(
        matches!(removed.change, Change::Removed | Change::Absent),
        "the removal came out as {}",
        removed.change.word()
    );
    let differs = before.compare_all(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "after the removal something is left: {}",
        differs.join(", ")
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
            Entry::Unreadable { name, why } => {
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
