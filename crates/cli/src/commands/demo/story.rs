//! What the demo does, one step after the other; each is checked.

use std::path::Path;
use std::time::{Duration, Instant};

use anyport::call::{Call, LogQuery, Reply};
use anyport::outcome::Outcome;
use anyport::plan::{Change, Plan, Split, State, VersionId};
use anyport::provider::Scope;
use anyport::spec::{Name, Spec};
use anyport::{ErrorKind, Removal, Target};
use futures_util::StreamExt as _;

use super::load::{Load, PATIENCE, Seen};
use super::sample::Sample;
use super::{Teller, build, sides, unless, unsaid};
use crate::artifact::Ready;
use crate::context::Context;
use crate::failure::Failure;
use crate::render::words;

const CALLERS: usize = 4;
const CALLS: u64 = 1_000;

pub(super) async fn tell(
    context: &Context,
    teller: &mut Teller<'_>,
    sample: &Sample,
    state: &Path,
    profile: &str,
) -> Result<(), Failure> {
    let ready = build::build(context, teller, sample, state, profile).await?;
    let mut actors = Vec::new();
    for side in sides::open(context, state).await? {
        actors.push(Actor {
            label: side.label,
            target: side.target,
            name: ready.spec.name.clone(),
            plan: None,
            first: None,
            second: None,
        });
    }
    let mut play = Play { teller, actors };
    let ready = &ready;
    play.step("Plan", async |actor| actor.plan(ready).await)
        .await?;
    play.step("Deploy", async |actor| actor.deploy().await)
        .await?;
    play.step("Call it", async |actor| actor.call().await)
        .await?;
    play.step("Let it fail", async |actor| actor.call_in_vain().await)
        .await?;
    play.step("Call it without waiting", async |actor| actor.queue().await)
        .await?;
    play.step("Read its logs", async |actor| actor.read_logs().await)
        .await?;
    play.step("Change it under load", async |actor| {
        actor.change(ready).await
    })
    .await?;
    play.step("Deploy the same again", async |actor| {
        actor.again(ready).await
    })
    .await?;
    play.step("Split traffic in halves", async |actor| actor.split().await)
        .await?;
    play.step("Roll back", async |actor| actor.roll_back().await)
        .await?;
    play.step("Remove", async |actor| actor.remove().await)
        .await
}

/// The same on every side.
struct Play<'a, 'b> {
    teller: &'a mut Teller<'b>,
    actors: Vec<Actor>,
}

impl Play<'_, '_> {
    /// Takes a step on each side, one after the other, and tells them side by side.
    async fn step(
        &mut self,
        name: &str,
        act: impl AsyncFn(&mut Actor) -> Result<Lines, Failure>,
    ) -> Result<(), Failure> {
        let width = self.actors.iter().map(|actor| actor.label.len()).max();
        let width = width.unwrap_or_default();
        let mut told = Vec::new();
        for actor in &mut self.actors {
            let mut label = actor.label;
            for line in act(actor).await? {
                told.push(format!("{label:<width$}  {line}"));
                label = "";
            }
        }
        self.teller.step(name, &told)
    }
}

/// What happened on one side, in words.
type Lines = Vec<String>;

/// One side: a target, and the function on it.
struct Actor {
    label: &'static str,
    target: Target,
    name: Name,
    plan: Option<Plan>,
    first: Option<VersionId>,
    second: Option<VersionId>,
}

impl Actor {
    async fn plan(&mut self, ready: &Ready) -> Result<Lines, Failure> {
        let identity = self.target.identify().await?;
        let desired = self
            .target
            .desired(
                self.name.clone(),
                State::Present(Box::new(ready.spec.clone())),
            )
            .with_content(ready.content());
        let plan = self.target.plan(desired).await?;
        let steps: Vec<String> = plan
            .steps
            .iter()
            .map(|step| format!("{}. {step}", step.number))
            .collect();
        let mut lines = vec![format!(
            "as {}; nothing is written yet:",
            identity.principal
        )];
        lines.extend(steps);
        lines.extend(plan.approximations.iter().map(|it| {
            let (field, asked, actual) = (&it.field, &it.asked, &it.actual);
            format!("{field}: {asked} will be {actual}: {}", it.note)
        }));
        self.plan = Some(plan);
        Ok(lines)
    }

    async fn deploy(&mut self) -> Result<Lines, Failure> {
        let plan = said(self.plan.take())?;
        let outcome = self.target.apply(plan).await?;
        let version = version(&outcome)?;
        unless(outcome.change == Change::Created, || {
            format!("{} was {}", self.name, outcome.change.word())
        })?;
        let line = format!(
            "version {version} is live after {}",
            words::duration(outcome.duration)
        );
        self.first = Some(version);
        self.settle().await?;
        Ok(vec![line])
    }

    async fn call(&self) -> Result<Lines, Failure> {
        let started = Instant::now();
        let (text, reply) = self.greet().await?;
        let first = started.elapsed();
        unless(text.contains("hello, Ada"), || {
            format!("the answer was {text}")
        })?;
        let mut warm = Vec::new();
        for _ in 0..50 {
            let started = Instant::now();
            self.greet().await?;
            warm.push(started.elapsed());
        }
        warm.sort();
        let cold = if reply.cold == Some(true) {
            " (with a cold start)"
        } else {
            ""
        };
        Ok(vec![
            format!("{{\"name\":\"Ada\"}} -> {text}"),
            format!(
                "the first call took {}{cold}, half of 50 more took under {}",
                words::duration(first),
                words::duration(warm[warm.len() / 2])
            ),
        ])
    }

    async fn call_in_vain(&self) -> Result<Lines, Failure> {
        let failed = self
            .target
            .invoke(Call::new(self.name.clone(), r#"{"name":""}"#))
            .await;
        let error = match failed {
            Ok(_) => return Err(unsaid("an empty name was greeted")),
            Err(error) => error,
        };
        let ErrorKind::Function(why) = error.kind() else {
            return Err(error.into());
        };
        unless(why.handled && why.error_type == "EmptyName", || {
            error.to_string()
        })?;
        self.greet().await?;
        Ok(vec![
            format!("{{\"name\":\"\"}} -> {}: {}", why.error_type, why.message),
            "that is the function's own error, told apart from a crash; the next call worked"
                .to_owned(),
        ])
    }

    async fn queue(&self) -> Result<Lines, Failure> {
        let started = Instant::now();
        let good = self
            .target
            .enqueue(Call::new(self.name.clone(), r#"{"name":"Grace"}"#))
            .await?;
        let mut query = LogQuery::new(self.name.clone());
        query.request_id = Some(good.id.clone());
        query.follow = true;
        let mut lines = self.target.logs(query).await?;
        patiently("the event was not delivered", lines.next()).await?;
        let delivered = started.elapsed();

        let bad = self
            .target
            .enqueue(Call::new(self.name.clone(), r#"{"name":""}"#))
            .await?;
        let letter = patiently("no dead letter was kept", self.dead_letter(&bad.id)).await??;
        unless(letter.body == r#"{"name":""}"#.as_bytes(), || {
            "the dead letter is not the event".to_owned()
        })?;
        Ok(vec![
            format!(
                "accepted as {} and delivered {} later",
                good.id,
                words::duration(delivered)
            ),
            format!(
                "one that fails is kept after {} attempts, as it was sent: {}",
                letter.attempts, letter.reason
            ),
        ])
    }

    async fn dead_letter(&self, id: &str) -> Result<anyport::call::DeadLetter, Failure> {
        loop {
            let mut letters = self.target.dead_letters(&self.name).await?;
            while let Some(letter) = letters.next().await {
                let letter = letter?;
                if letter.id == id {
                    return Ok(letter);
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn read_logs(&self) -> Result<Lines, Failure> {
        let mut query = LogQuery::new(self.name.clone());
        query.tail = Some(3);
        let mut lines = self.target.logs(query).await?;
        let mut shown = Vec::new();
        while let Some(line) = lines.next().await {
            let line = line?;
            let request = line.request_id.as_deref().unwrap_or("-");
            let request: String = request.chars().take(8).collect();
            shown.push(format!(
                "{}  {request}  {}",
                words::time(line.time),
                words::printable(&line.text)
            ));
        }
        unless(!shown.is_empty(), || "there are no logs".to_owned())?;
        Ok(shown)
    }

    /// Changes the function while it is called all the time, then asks for the same again.
    async fn change(&mut self, ready: &Ready) -> Result<Lines, Failure> {
        let first = said(self.first.clone())?;
        let spec = changed(ready);
        let load = Load::start(&self.target, &self.name, CALLERS, u64::MAX);
        load.until(200, None).await?;
        let outcome = self.target.deploy(spec.clone(), ready.content()).await?;
        let second = version(&outcome)?;
        load.until(200, Some(second.as_str())).await?;
        let seen = load.stop().await;
        unless(outcome.change == Change::Updated && second != first, || {
            "no new version was made".to_owned()
        })?;
        none_failed(&seen)?;
        self.settle().await?;
        let (text, _) = self.greet().await?;
        unless(text.contains("bonjour, Ada"), || {
            format!("the answer was {text}")
        })?;
        let lines = vec![
            format!(
                "GREETING: hello -> bonjour is version {second}, live after {}",
                words::duration(outcome.duration)
            ),
            format!(
                "{CALLERS} callers meanwhile: {} calls, {} by version {first}, {} by version {second}, 0 failed",
                seen.total(),
                seen.by(first.as_str()),
                seen.by(second.as_str())
            ),
        ];
        self.second = Some(second);
        Ok(lines)
    }

    async fn again(&self, ready: &Ready) -> Result<Lines, Failure> {
        let again = self.target.deploy(changed(ready), ready.content()).await?;
        unless(again.change == Change::Unchanged, || {
            format!("the same again was {}", again.change.word())
        })?;
        Ok(vec!["unchanged: nothing was written".to_owned()])
    }

    async fn split(&self) -> Result<Lines, Failure> {
        let first = said(self.first.clone())?;
        let second = said(self.second.clone())?;
        let split = Split::new([(first.clone(), 50), (second.clone(), 50)])
            .map_err(|error| Failure::new("internal", error.to_string()))?;
        self.target.traffic(&self.name, split).await?;
        self.settle().await?;
        let started = Instant::now();
        let seen = Load::start(&self.target, &self.name, CALLERS, CALLS)
            .finish()
            .await;
        let took = started.elapsed();
        none_failed(&seen)?;
        // Four standard deviations of a fair coin, thrown 1,000 times, are 63.
        let share = seen.by(first.as_str());
        unless((400..=600).contains(&share), || {
            format!("version {first} got {share} of {CALLS} calls")
        })?;
        Ok(vec![format!(
            "of {CALLS} calls, {share} went to version {first} and {} to version {second}, in {}",
            seen.by(second.as_str()),
            words::duration(took)
        )])
    }

    async fn roll_back(&self) -> Result<Lines, Failure> {
        let first = said(self.first.clone())?;
        let outcome = self
            .target
            .rollback(&self.name, Some(first.clone()))
            .await?;
        self.settle().await?;
        let seen = Load::start(&self.target, &self.name, CALLERS, 100)
            .finish()
            .await;
        none_failed(&seen)?;
        unless(seen.by(first.as_str()) == 100, || {
            format!("calls went to {:?}", seen.answers)
        })?;
        Ok(vec![format!(
            "all traffic is on version {first} again after {}; no build, no artifact needed",
            words::duration(outcome.duration)
        )])
    }

    async fn remove(&self) -> Result<Lines, Failure> {
        let outcome = self
            .target
            .remove(&self.name, Removal::default().purge(true))
            .await?;
        unless(outcome.change == Change::Removed, || {
            format!("it was {}", outcome.change.word())
        })?;
        let again = self.target.remove(&self.name, Removal::default()).await?;
        unless(again.change == Change::Absent, || {
            format!("the second removal: {}", again.change.word())
        })?;
        let left = self.target.list(Scope::Everything).count().await;
        unless(left == 0, || {
            format!("{} left", words::count(left, "function"))
        })?;
        Ok(vec![
            "the function, its versions and its dead letter are gone; nothing is left".to_owned(),
        ])
    }

    /// Waits until nothing older is served any more.
    async fn settle(&self) -> Result<(), Failure> {
        let settles = self.target.capabilities().await?.deploy.settles_within;
        tokio::time::sleep(settles).await;
        Ok(())
    }

    async fn greet(&self) -> Result<(String, Reply), Failure> {
        let mut reply = self
            .target
            .invoke(Call::new(self.name.clone(), r#"{"name":"Ada"}"#))
            .await?;
        let bytes = std::mem::take(&mut reply.body).collect(1 << 20).await?;
        Ok((String::from_utf8_lossy(&bytes).into_owned(), reply))
    }
}

/// The function as it is changed.
fn changed(ready: &Ready) -> Spec {
    let mut spec = ready.spec.clone();
    spec.env.insert("GREETING".to_owned(), "bonjour".to_owned());
    spec
}

/// What an earlier step left.
fn said<T>(left: Option<T>) -> Result<T, Failure> {
    left.ok_or_else(|| unsaid("a step was left out"))
}

fn none_failed(seen: &Seen) -> Result<(), Failure> {
    unless(seen.failed == 0, || {
        format!(
            "{} calls failed, such as: {}",
            seen.failed,
            seen.failures.join("; ")
        )
    })
}

fn version(outcome: &Outcome) -> Result<VersionId, Failure> {
    outcome.version.clone().ok_or_else(|| {
        Failure::new(
            "demo",
            "the demo did not go as said: the outcome names no version",
        )
    })
}

async fn patiently<T>(what: &str, work: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .map_err(|_| Failure::new("demo", format!("the demo did not go as said: {what}")))
}
