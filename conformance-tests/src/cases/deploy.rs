//! Deploying: new, again, changed; and what arrives in the function.

use std::time::Duration;

use anyport_core::plan::Change;
use anyport_testkit::probe::Command;

use super::{Budget, Case, case};
use crate::scene::Scene;
use crate::verdict::{Pass, Stop, Verdict, ensure};

pub(super) const CASES: &[Case] = &[
    case!("deploy/creates", creates),
    case!("deploy/no-stale-version", no_stale_version, Budget::LARGE),
    case!("deploy/unchanged", unchanged),
    case!("deploy/secrets-by-reference", secrets_by_reference),
    case!("deploy/new-version", new_version),
    case!("deploy/arrives", arrives),
    case!("deploy/secret-arrives", secret_arrives),
];

/// A new name is created, is there, and serves.
async fn creates(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("creates");
    let outcome = client.deployed(&name, "a").await?;
    ensure!(
        outcome.change == Change::Created,
        "a new name came out as {}",
        outcome.change.word()
    );
    ensure!(!outcome.steps.is_empty(), "the outcome names no step");
    ensure!(
        outcome.version.is_some() || !client.caps().versions.is_supported(),
        "the outcome names no version although the target has versions"
    );
    let seen = client.status(&name).await?;
    ensure!(
        seen.owned.is_by(client.owner()),
        "what was deployed is not ours: {}",
        seen.owned.words()
    );
    ensure!(
        seen.health == anyport_core::plan::Health::Ready,
        "what was deployed is {:?}",
        seen.health
    );
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}

/// After a deploy by anyone, nobody gets an older version.
async fn no_stale_version(scene: &Scene) -> Verdict {
    let (reader, writer) = (scene.client().await?, scene.client().await?);
    let name = scene.name("no-stale");
    writer.deployed(&name, "v0").await?;
    for round in 1..=4 {
        // Warm the instances of the version that is about to be replaced.
        for _ in 0..3 {
            reader.variant(&name).await?;
        }
        let variant = format!("v{round}");
        let author = if round % 2 == 0 { &reader } else { &writer };
        author.deployed(&name, &variant).await?;
        for _ in 0..5 {
            reader.serves(&name, &variant).await?;
            writer.serves(&name, &variant).await?;
        }
    }
    Ok(Pass::Holds)
}

/// The same again writes nothing, and costs at most two reads.
async fn unchanged(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("unchanged");
    let first = client.deployed(&name, "a").await?;
    let before = scene.inventory().await?;
    let from = client.script().count();
    let again = client.put(client.spec(&name, "a").build()?).await?;
    let calls = client.script().since(from);
    ensure!(
        again.change == Change::Unchanged,
        "the same spec again came out as {} by {}",
        again.change.word(),
        again.steps.join(", ")
    );
    ensure!(
        again.version == first.version,
        "unchanged, yet version {:?} became {:?}",
        first.version,
        again.version
    );
    let writes = client.writes_since(from);
    ensure!(
        writes.is_empty(),
        "the same spec again wrote {} times",
        writes.len()
    );
    let differs = before.compare(&scene.inventory().await?);
    ensure!(
        differs.is_empty(),
        "the same spec again changed something: {}",
        differs.join(", ")
    );
    // A second process knows nothing of the first.
    let other = scene.client().await?;
    let same = other.put(other.spec(&name, "a").build()?).await?;
    ensure!(
        same.change == Change::Unchanged,
        "for another client the same spec came out as {}",
        same.change.word()
    );
    if calls.len() > 2 {
        return Err(Stop::OverBudget(format!(
            "deploying what is there already took {} reads; at most 2 are allowed",
            calls.len()
        )));
    }
    Ok(Pass::Holds)
}

/// A secret that gets another value is no change of the spec; another reference is.
async fn secrets_by_reference(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("by-ref");
    if !client.caps().governance.secrets.is_supported() {
        let spec = client
            .spec(&name, "a")
            .secret("DB_PASSWORD", "secret://file/none")
            .build()?;
        return super::fit::refused(&client, client.put(spec).await, 0);
    }
    let one = scene.site().secret("by-ref-one", "first").await?;
    let spec = || client.spec(&name, "a").secret("DB_PASSWORD", &one).build();
    client.put(spec()?).await?;
    scene.site().secret("by-ref-one", "second").await?;
    let again = client.put(spec()?).await?;
    ensure!(
        again.change == Change::Unchanged,
        "another value of the same secret came out as {}",
        again.change.word()
    );
    let two = scene.site().secret("by-ref-two", "second").await?;
    let other = client
        .spec(&name, "a")
        .secret("DB_PASSWORD", &two)
        .build()?;
    let changed = client.put(other).await?;
    ensure!(
        changed.change == Change::Updated,
        "a reference to another secret came out as {}",
        changed.change.word()
    );
    Ok(Pass::Holds)
}

/// A change of configuration or code makes a new version that serves.
async fn new_version(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("new-version");
    let first = client.deployed(&name, "a").await?;
    let second = client.deployed(&name, "b").await?;
    let packed = scene.package("other")?;
    let third = client
        .put_of(&packed, client.spec_of(&packed, &name, "b").build()?)
        .await?;
    client.settle().await;
    for outcome in [&second, &third] {
        ensure!(
            outcome.change == Change::Updated,
            "a change came out as {}",
            outcome.change.word()
        );
    }
    client.serves(&name, "b").await?;
    let seen = client.status(&name).await?;
    let digest = seen
        .fields
        .get("artifact.digest")
        .map(|value| value.expose());
    ensure!(
        digest == Some(packed.artifact.digest.to_string().as_str()),
        "the artifact that is there is {digest:?}"
    );
    if client.caps().versions.is_supported() {
        let versions = [&first.version, &second.version, &third.version];
        ensure!(
            versions[0] != versions[1] && versions[1] != versions[2] && versions[0] != versions[2],
            "three releases have the versions {versions:?}"
        );
    }
    Ok(Pass::Holds)
}

/// What the spec says reaches the code.
async fn arrives(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("arrives");
    let odd = "spaces, \"quotes\", $HOME, ünïcödé\nand a line end";
    let spec = client
        .spec(&name, "a")
        .env("GREETING", "hello")
        .env("ODD_VALUE", odd)
        .env("EMPTY_VALUE", "")
        .build()?;
    let (memory, limit) = (spec.memory_mb, spec.timeout);
    client.put(spec).await?;
    client.settle().await;
    let names = ["GREETING", "ODD_VALUE", "EMPTY_VALUE", "NOT_GIVEN"]
        .map(str::to_owned)
        .to_vec();
    let values = client.ask(&name, &Command::Env { names }).await?;
    for (variable, want) in [
        ("GREETING", Some("hello")),
        ("ODD_VALUE", Some(odd)),
        ("EMPTY_VALUE", Some("")),
        ("NOT_GIVEN", None),
    ] {
        let got = values[variable].as_str();
        ensure!(got == want, "{variable} arrived as {got:?}, not {want:?}");
    }
    let who = client.ask(&name, &Command::Who).await?;
    ensure!(
        who["memory_mb"].as_u64() == Some(memory.into()),
        "{memory} MB arrived as {}",
        who["memory_mb"]
    );
    ensure!(
        who["function"].as_str() == Some(name.as_str()),
        "the name arrived as {}",
        who["function"]
    );
    let context = client.ask(&name, &Command::Context).await?;
    let left = Duration::from_millis(context["remaining_ms"].as_u64().unwrap_or(u64::MAX));
    ensure!(
        left <= limit && left > limit / 4,
        "of a limit of {limit:?} the function saw {left:?} left"
    );
    let seen = client.status(&name).await?;
    for (field, want) in [
        ("memory_mb", memory.to_string()),
        ("timeout_ms", limit.as_millis().to_string()),
        ("env.GREETING", "hello".to_owned()),
        ("concurrency", "1".to_owned()),
    ] {
        let got = seen.fields.get(field).map(|value| value.expose());
        ensure!(
            got == Some(want.as_str()),
            "what is there says {field} = {got:?}, not {want}"
        );
    }
    Ok(Pass::Holds)
}

/// A secret's value reaches the code, and nothing else.
async fn secret_arrives(scene: &Scene) -> Verdict {
    let client = scene.client().await?;
    let name = scene.name("secret");
    let value = format!("s3cret-{:x}", scene.seed());
    if !client.caps().governance.secrets.is_supported() {
        let spec = client
            .spec(&name, "a")
            .secret("DB_PASSWORD", "secret://file/none")
            .build()?;
        return super::fit::refused(&client, client.put(spec).await, 0);
    }
    let reference = scene.site().secret("arrives", &value).await?;
    let spec = client
        .spec(&name, "a")
        .secret("DB_PASSWORD", &reference)
        .build()?;
    let outcome = client.put(spec).await?;
    client.settle().await;
    let names = vec!["DB_PASSWORD".to_owned()];
    let values = client.ask(&name, &Command::Env { names }).await?;
    ensure!(
        values["DB_PASSWORD"].as_str() == Some(&value),
        "the secret's value did not arrive"
    );
    let seen = client.status(&name).await?;
    let shown = format!("{outcome:?} {seen:?} {:?}", seen.fields);
    ensure!(
        !shown.contains(&value),
        "the secret's value shows in an outcome or a status"
    );
    let exposed = seen.fields.values().any(|field| field.expose() == value);
    ensure!(!exposed, "the secret's value is kept with the function");
    Ok(Pass::Holds)
}
