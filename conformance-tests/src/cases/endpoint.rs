//! Addresses and ids.

use std::collections::BTreeSet;

use anyport_core::spec::Name;

use super::{Case, case};
use crate::scene::Scene;
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("deploy/stable-endpoint", stable_endpoint),
    case!("deploy/names-stay-apart", names_stay_apart),
];

/// Where a function is reached does not move when it is deployed again.
async fn stable_endpoint(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("endpoint");
    let first = client.deployed(&name, "a").await?;
    let first_seen = client.status(&name).await?;
    for variant in ["b", "c"] {
        let next = client.deployed(&name, variant).await?;
        ensure!(
            next.endpoint == first.endpoint,
            "the endpoint moved from {:?} to {:?}",
            first.endpoint,
            next.endpoint
        );
        let seen = client.status(&name).await?;
        ensure!(
            seen.endpoint == first_seen.endpoint,
            "the observed endpoint moved from {:?} to {:?}",
            first_seen.endpoint,
            seen.endpoint
        );
    }
    // The mapping depends on the name and the target, not on when it was deployed.
    client.gone(&name).await?;
    let again = client.deployed(&name, "a").await?;
    ensure!(
        again.endpoint == first.endpoint,
        "deployed anew, the endpoint moved from {:?} to {:?}",
        first.endpoint,
        again.endpoint
    );
    Ok(Pass::Holds)
}

/// Names that are nearly the same are different functions, with different addresses and ids.
async fn names_stay_apart(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let stem = format!("c{:05x}", scene.seed() & 0xf_ffff);
    let longest = format!("{stem}-{}", "a".repeat(31 - stem.len()));
    let texts = [
        format!("{stem}-ab"),
        format!("{stem}a-b"),
        format!("{stem}-a-b"),
        longest[..longest.len() - 1].to_owned() + "b",
        longest,
    ];
    let mut names = Vec::new();
    for text in texts {
        names.push(
            text.parse::<Name>()
                .map_err(|broken| Stop::Failed(format!("the suite's own name: {broken}")))?,
        );
    }
    let (mut endpoints, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for name in &names {
        let outcome = client.deployed(name, name.as_str()).await?;
        if let Some(endpoint) = outcome.endpoint {
            ensure!(
                endpoints.insert(endpoint.clone()),
                "two functions share the endpoint {endpoint}"
            );
        }
        if !outcome.ids.is_empty() {
            ensure!(
                ids.insert(outcome.ids.clone()),
                "two functions share all their ids: {:?}",
                outcome.ids
            );
        }
    }
    for name in &names {
        client.serves(name, name.as_str()).await?;
    }
    Ok(Pass::Holds)
}
