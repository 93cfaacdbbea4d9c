//! Listing.

use std::collections::BTreeMap;

use anyport_core::provider::{Entry, Scope};
use futures_util::StreamExt as _;

use super::{Budget, Case, case};
use crate::scene::{Client, Scene, another_owner};
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("list/complete", complete, Budget::LARGE),
    case!("list/unreadable", unreadable),
];

/// How many functions are there throughout.
const STEADY: usize = 6;
/// How many things of others are there, to fill pages.
const FOREIGN: usize = 210;

/// The names listed, with how often each was; unreadable ones are marked.
async fn listed(client: &Client, scope: Scope) -> Result<BTreeMap<String, u32>, Stop> {
    let mut names = BTreeMap::new();
    let mut entries = client.list(scope);
    while let Some(entry) = entries.next().await {
        let name = match entry? {
            Entry::Function(summary) => summary.name,
            Entry::Unreadable { name, .. } => format!("{name} (unreadable)"),
            _ => continue,
        };
        *names.entry(name).or_default() += 1;
    }
    Ok(names)
}

/// Functions that are there throughout are listed once each, while others come and go.
async fn complete(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let mut steady = Vec::new();
    for number in 0..STEADY {
        let name = scene.name(&format!("list-{number}"));
        client.deployed(&name, "a").await?;
        steady.push(name);
    }
    let theirs = scene.client_as(another_owner(), None).await?;
    let their_name = scene.name("list-theirs");
    theirs.deployed(&their_name, "a").await?;

    // More than a page of most targets; where nothing foreign can be put there, one page has to do.
    let mut foreign = Vec::new();
    for number in 0..FOREIGN {
        let name = scene.name(&format!("list-f{number:03}"));
        if scene.site().foreign(&name).await.is_err() {
            break;
        }
        foreign.push(name);
    }

    let passing = scene.name("list-0-passing");
    let coming_and_going = async {
        client.deployed(&passing, "a").await?;
        client.gone(&passing).await
    };
    let looking = async {
        for round in 0..6 {
            let scope = match round % 2 {
                0 => Scope::Owned(client.owner().clone()),
                _ => Scope::Everything,
            };
            let all = scope == Scope::Everything;
            let names = listed(&client, scope).await?;
            for name in &steady {
                let times = names.get(name.as_str()).copied().unwrap_or_default();
                ensure!(
                    times == 1,
                    "{name} was there throughout and is listed {times} times"
                );
            }
            if all {
                let missing = foreign
                    .iter()
                    .find(|name| names.get(name.as_str()) != Some(&1));
                ensure!(
                    missing.is_none(),
                    "{missing:?} was there throughout and is not listed once"
                );
            }
            let times = names.get(their_name.as_str()).copied();
            ensure!(
                times.is_some() == all,
                "another owner's function is listed {times:?} times; everything was asked: {all}"
            );
        }
        Ok(())
    };
    let (churned, looked) = tokio::join!(coming_and_going, looking);
    looked?;
    churned?;
    let names = listed(&client, Scope::Owned(client.owner().clone())).await?;
    ensure!(
        names.len() == STEADY,
        "{STEADY} functions are there and {} are listed",
        names.len()
    );
    Ok(Pass::Holds)
}

/// What cannot be read is listed as such, between the others.
async fn unreadable(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let names = ["unread-a", "unread-b", "unread-c"].map(|tag| scene.name(tag));
    for name in &names {
        client.deployed(name, "a").await?;
    }
    scene.site().spoil(&names[1]).await?;
    let listed = listed(&client, Scope::Everything).await?;
    for (name, want) in [
        (names[0].to_string(), 1),
        (format!("{} (unreadable)", names[1]), 1),
        (names[1].to_string(), 0),
        (names[2].to_string(), 1),
    ] {
        let times = listed.get(&name).copied().unwrap_or_default();
        ensure!(
            times == want,
            "{name} should be listed {want} times and is {times} times"
        );
    }
    client.serves(&names[0], "a").await?;
    Ok(Pass::Holds)
}
