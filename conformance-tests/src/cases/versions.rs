//! Versions, traffic and rollback.

use std::collections::BTreeMap;

use anyport_core::ErrorKind;
use anyport_core::plan::{Change, Force, Split, VersionId};
use anyport_core::spec::Name;

use super::{Budget, Case, case, fit};
use crate::scene::{Client, Scene};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("versions/rollback", rollback),
    case!("versions/split", split, Budget::LARGE),
    case!("versions/deploy-during-a-split", deploy_during_a_split),
    case!("versions/kept", kept),
    case!("protect/refuses", protect),
];

async fn release(client: &Client, name: &Name, variant: &str) -> Result<VersionId, Stop> {
    let outcome = client.deployed(name, variant).await?;
    outcome
        .version
        .ok_or_else(|| Stop::Failed("versions are declared and the outcome names none".to_owned()))
}

/// Verifies that `versions` and `rollback` are refused.
async fn no_versions(client: &Client, name: &Name) -> Verdict {
    client.deployed(name, "a").await?;
    let from = client.script().count();
    match client.versions(name).await {
        Ok(_) => fail!("versions are not declared, and were listed"),
        Err(error) => fit::refusal(client, &error, from)?,
    }
    fit::refused(client, client.rollback(name, None).await, from)
}

/// The versions are listed with their shares; going back needs no artifact.
async fn rollback(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("rollback");
    if !client.caps().versions.is_supported() {
        return no_versions(&client, &name).await;
    }
    let first = release(&client, &name, "a").await?;
    let second = release(&client, &name, "b").await?;
    let versions = client.versions(&name).await?;
    let shares: Vec<_> = versions
        .iter()
        .map(|version| (version.id.clone(), version.share))
        .collect();
    ensure!(
        shares == [(first.clone(), 0), (second.clone(), 100)],
        "after two releases the versions are {shares:?}"
    );
    let back = client.rollback(&name, None).await?;
    client.settle().await;
    ensure!(
        back.change == Change::Updated && back.version.as_ref() == Some(&first),
        "the rollback came out as {} to {:?}",
        back.change.word(),
        back.version
    );
    for _ in 0..3 {
        client.serves(&name, "a").await?;
    }
    client.rollback(&name, Some(second.clone())).await?;
    client.settle().await;
    client.serves(&name, "b").await?;
    match client.rollback(&name, Some(VersionId::new("none"))).await {
        Ok(_) => fail!("a rollback to a version that does not exist was accepted"),
        Err(error) => ensure!(
            *error.kind() == ErrorKind::NotFound,
            "a rollback to a version that does not exist failed with {}",
            Chain(&error)
        ),
    }
    // Another client, which never had the artifact.
    let other = scene.client().await?;
    other.rollback(&name, Some(first)).await?;
    other.settle().await;
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// Verifies that `traffic` is refused.
async fn no_traffic(client: &Client, name: &Name) -> Verdict {
    client.deployed(name, "a").await?;
    let one = VersionId::new("1");
    let half = Split::new([(one, 50), (VersionId::new("2"), 50)])
        .map_err(|broken| Stop::Failed(broken.to_string()))?;
    let from = client.script().count();
    fit::refused(client, client.traffic(name, half).await, from)
}

fn halves(first: &VersionId, second: &VersionId) -> Result<Split, Stop> {
    Split::new([(first.clone(), 50), (second.clone(), 50)])
        .map_err(|broken| Stop::Failed(broken.to_string()))
}

/// A split sends calls to both versions, in about the shares that were asked, and ends when told.
async fn split(scene: &Scene) -> Verdict {
    const CALLS: u32 = 80;
    let client = scene.client().await?;
    let name = scene.name("split");
    if !client.caps().traffic.is_supported() {
        return no_traffic(&client, &name).await;
    }
    let first = release(&client, &name, "a").await?;
    let second = release(&client, &name, "b").await?;
    let asked = halves(&first, &second)?;
    let outcome = client.traffic(&name, asked.clone()).await?;
    client.settle().await;
    ensure!(
        outcome.change == Change::Updated,
        "a new split came out as {}",
        outcome.change.word()
    );
    let again = client.traffic(&name, asked.clone()).await?;
    ensure!(
        again.change == Change::Unchanged,
        "the same split again came out as {}",
        again.change.word()
    );
    let seen = client.status(&name).await?;
    ensure!(
        seen.split.as_ref() == Some(&asked),
        "{asked} was asked and {:?} is there",
        seen.split
    );
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..CALLS {
        *counts.entry(client.variant(&name).await?).or_default() += 1;
    }
    // Of 80 fair draws, fewer than 16 on one side is a matter of one in ten million.
    let enough = |variant: &str| counts.get(variant).is_some_and(|count| *count >= CALLS / 5);
    ensure!(
        enough("a") && enough("b"),
        "of {CALLS} calls at 50% each, the versions had {counts:?}"
    );
    client.traffic(&name, Split::all_to(first)).await?;
    client.settle().await;
    for _ in 0..5 {
        client.serves(&name, "a").await?;
    }
    Ok(Pass::Holds)
}

/// A deploy does not end somebody's split unless it is told to.
async fn deploy_during_a_split(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("in-split");
    if !client.caps().traffic.is_supported() {
        return no_traffic(&client, &name).await;
    }
    let first = release(&client, &name, "a").await?;
    let second = release(&client, &name, "b").await?;
    let asked = halves(&first, &second)?;
    client.traffic(&name, asked.clone()).await?;
    let from = client.script().count();
    let spec = || client.spec(&name, "c").build();
    match client.put(spec()?).await {
        Ok(outcome) => fail!(
            "a deploy during a split came out as {}",
            outcome.change.word()
        ),
        Err(error) => ensure!(
            *error.kind() == ErrorKind::Conflict,
            "a deploy during a split must be Conflict, not {}",
            Chain(&error)
        ),
    }
    ensure!(
        client.writes_since(from).is_empty(),
        "a deploy that is refused because of a split wrote something"
    );
    let seen = client.status(&name).await?;
    ensure!(
        seen.split.as_ref() == Some(&asked),
        "the refused deploy left the split {:?}",
        seen.split
    );
    let force = Force {
        split: true,
        ..Force::default()
    };
    let content = scene.package("")?.content;
    client.deploy_with(spec()?, content, force).await?;
    client.settle().await;
    for _ in 0..5 {
        client.serves(&name, "c").await?;
    }
    Ok(Pass::Holds)
}

/// As many versions as declared are kept, and can be gone back to; older ones are collected.
async fn kept(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("kept");
    let Some(versions) = client.caps().versions.get().copied() else {
        return no_versions(&client, &name).await;
    };
    let kept = versions.kept.min(8) as usize;
    let mut made = Vec::new();
    for number in 0..kept + 3 {
        made.push(release(&client, &name, &format!("v{number}")).await?);
    }
    let there: Vec<VersionId> = client
        .versions(&name)
        .await?
        .into_iter()
        .map(|version| version.id)
        .collect();
    // The live one and those that are kept for rollback.
    let newest = &made[made.len() - kept - 1..];
    ensure!(
        newest.iter().all(|version| there.contains(version)),
        "{kept} versions are to be kept beside the live one; {newest:?} were the newest and {there:?} are there"
    );
    if versions.kept as usize == kept {
        ensure!(
            there.len() == kept + 1,
            "{kept} versions are to be kept beside the live one, and {} are there",
            there.len()
        );
    }
    let oldest = made.len() - kept - 1;
    client.rollback(&name, Some(made[oldest].clone())).await?;
    client.settle().await;
    client.serves(&name, &format!("v{oldest}")).await?;
    Ok(Pass::Holds)
}

/// What is protected is neither changed nor removed unless forced.
async fn protect(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("protect");
    client
        .put(client.spec(&name, "a").protect(true).build()?)
        .await?;
    client.settle().await;
    ensure!(
        client.status(&name).await?.is_protected(),
        "what was deployed as protected is not"
    );
    let before = scene.inventory().await?;
    let change = client.spec(&name, "b").protect(true).build()?;
    let unprotect = client.spec(&name, "a").build()?;
    let removal = anyport_client::Removal::default();
    for (what, result) in [
        ("change", client.put(change.clone()).await),
        ("unprotect", client.put(unprotect).await),
        ("remove", client.remove(&name, removal).await),
    ] {
        match result {
            Ok(outcome) => fail!(
                "to {what} what is protected came out as {}",
                outcome.change.word()
            ),
            Err(error) => ensure!(
                *error.kind() == ErrorKind::Forbidden,
                "to {what} what is protected must be Forbidden, not {}",
                Chain(&error)
            ),
        }
    }
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "what is protected was changed: {}",
        differs.join(", ")
    );
    // The same spec again is no change.
    let same = client
        .put(client.spec(&name, "a").protect(true).build()?)
        .await?;
    ensure!(
        same.change == Change::Unchanged,
        "the same spec of what is protected came out as {}",
        same.change.word()
    );
    let force = Force {
        protected: true,
        ..Force::default()
    };
    let content = scene.package("")?.content;
    client.deploy_with(change, content, force).await?;
    client.settle().await;
    client.serves(&name, "b").await?;
    client.gone(&name).await?;
    Ok(Pass::Holds)
}
