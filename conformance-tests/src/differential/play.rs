//! Does an act on one target and says what came out.

use anyport_client::{Removal, Target};
use anyport_core::Digest;
use anyport_core::call::{Call, Qualifier, Reply};
use anyport_core::error::Result;
use anyport_core::outcome::Outcome;
use anyport_core::plan::{Change, Split, State, VersionId};
use anyport_core::provider::{Entry, Scope};
use anyport_core::spec::Name;
use anyport_testkit::probe::Command;
use futures_util::StreamExt as _;

use super::act::{Act, Part, Payload, VARIANTS};
use super::parts;
use super::seen::{Seen, Versions};
use crate::cases::delivered;
use crate::harness::Edit;
use crate::scene::{Client, Scene, until};
use crate::verdict::Stop;

/// What tampering sets: another size than the suite's specs have.
const EDITED_MB: u32 = 320;
/// The most bytes that are sent.
const MOST: u64 = 64 << 20;

/// One of the two targets, in the middle of a sequence.
pub(super) struct Side<'a> {
    scene: &'a Scene,
    client: Client,
    versions: Versions,
    name: Name,
    /// Somebody changed it, and no deploy has repaired that yet.
    edited: bool,
}

impl<'a> Side<'a> {
    pub(super) async fn new(scene: &'a Scene, name: Name) -> std::result::Result<Self, Stop> {
        Ok(Self {
            scene,
            client: scene.client().await?,
            versions: Versions::default(),
            name,
            edited: false,
        })
    }

    /// Does an act and looks at the function afterwards; nothing when the harness cannot do it here.
    pub(super) async fn play(&mut self, act: Act) -> std::result::Result<Option<Seen>, Stop> {
        let mut seen = Seen::default();
        match act {
            Act::Deploy(variant) => {
                let spec = self.client.spec(&self.name, VARIANTS[variant]).build()?;
                let result = self.client.put(spec).await;
                self.changed(result, &mut seen).await;
            }
            Act::Ask(part) => self.ask(part, &mut seen).await?,
            Act::Invoke(payload) => self.invoke(payload, &mut seen).await?,
            Act::Enqueue => self.enqueue(&mut seen).await?,
            Act::GiveUp => self.give_up(&mut seen).await?,
            Act::Logs => self.logs(&mut seen).await?,
            Act::Rollback => {
                let result = self.client.rollback(&self.name, None).await;
                self.changed(result, &mut seen).await;
            }
            Act::Split | Act::Join => {
                let split = self.split(act == Act::Split)?;
                let result = self.client.traffic(&self.name, split).await;
                self.changed(result, &mut seen).await;
            }
            Act::Remove => {
                let result = self.client.remove(&self.name, Removal::default()).await;
                self.changed(result, &mut seen).await;
            }
            Act::Release => {
                let result = self.client.release(&self.name).await;
                self.changed(result, &mut seen).await;
            }
            Act::Adopt => {
                let result = self.client.adopt(&self.name).await;
                self.changed(result, &mut seen).await;
            }
            Act::Tamper => {
                let edit = Edit::MemoryMb(EDITED_MB);
                if self.scene.site().tamper(&self.name, &edit).await.is_err() {
                    return Ok(None);
                }
                self.edited = true;
            }
            Act::Restart => self.client = self.scene.client().await?,
            Act::List => self.list(&mut seen).await?,
        }
        match self.client.status(&self.name).await {
            Ok(there) => {
                seen.status(&there, &mut self.versions);
                let shares = there.split.iter().flat_map(|split| split.shares());
                if shares.count() > 1 {
                    // Which of them answers is chance.
                    seen.0.remove("serves");
                }
                if self.edited {
                    // Whether somebody or an interrupted run changed it cannot be told everywhere.
                    seen.0.remove("status.residue");
                    seen.0.remove("found something");
                }
                self.edited &= !matches!(act, Act::Deploy(_));
            }
            Err(error) => seen.set("status", error.kind().name()),
        }
        Ok(Some(seen))
    }

    /// Leaves nothing.
    pub(super) async fn end(self) -> std::result::Result<(), Stop> {
        if let Ok(there) = self.client.status(&self.name).await
            && !there.owned.is_by(self.client.owner())
        {
            self.client.adopt(&self.name).await?;
        }
        self.client.gone(&self.name).await
    }

    async fn changed(&mut self, result: Result<Outcome>, seen: &mut Seen) {
        match result {
            Ok(outcome) => {
                self.client.settle().await;
                seen.outcome(&outcome, &mut self.versions);
                if outcome.change == Change::Removed {
                    self.versions.forget();
                }
            }
            Err(error) => seen.error(&error),
        }
    }

    fn split(&self, halves: bool) -> std::result::Result<Split, Stop> {
        let two = self.versions.newest_two().filter(|_| halves);
        match two {
            Some((older, newer)) => Split::new([(older, 50), (newer, 50)])
                .map_err(|broken| Stop::Failed(broken.to_string())),
            None => {
                let newest = self.versions.newest();
                let one = newest.unwrap_or_else(|| VersionId::new("1"));
                Ok(Split::all_to(one))
            }
        }
    }

    async fn ask(&mut self, part: Part, seen: &mut Seen) -> std::result::Result<(), Stop> {
        let (spec, content) = parts::spec(self.scene, &self.client, &self.name, part)?;
        if part.only_planned() {
            let state = State::Present(Box::new(spec));
            let desired = self.client.desired(self.name.clone(), state);
            match self.client.plan(desired.with_content(content)).await {
                Ok(plan) => seen.plan(&plan),
                Err(error) => seen.error(&error),
            }
            return Ok(());
        }
        let target: &Target = &self.client;
        let result = target.deploy(spec, content).await;
        let deployed = result.is_ok();
        self.changed(result, seen).await;
        if deployed {
            self.after(part, seen).await;
        }
        Ok(())
    }

    /// What a part that was deployed changes for callers and deployers.
    async fn after(&self, part: Part, seen: &mut Seen) {
        if part == Part::Protection {
            match self.client.remove(&self.name, Removal::default()).await {
                Ok(outcome) => seen.set("removal", outcome.change.word()),
                Err(error) => seen.set("removal", error.kind().name()),
            }
        }
        match self.client.variant(&self.name).await {
            Ok(variant) => seen.set("serves", variant),
            Err(error) => seen.set("serves", error.kind().name()),
        }
    }

    async fn invoke(&self, payload: Payload, seen: &mut Seen) -> std::result::Result<(), Stop> {
        let call = match payload {
            Payload::OverTheLimit if self.client.caps().invoke.max_request >= MOST => {
                seen.set("result", "not tried");
                return Ok(());
            }
            Payload::Overruns => {
                let spec = parts::impatient(&self.client, &self.name)?;
                if let Err(error) = self.client.put(spec).await {
                    seen.error(&error);
                    return Ok(());
                }
                self.client.settle().await;
                parts::call(&self.client, &self.name, payload)
            }
            _ => parts::call(&self.client, &self.name, payload),
        };
        let reply = async {
            let Reply {
                body, content_type, ..
            } = self.client.invoke(call).await?;
            Ok::<_, anyport_core::Error>((body.collect(2 * MOST).await?, content_type))
        };
        match reply.await {
            Ok((body, content_type)) => {
                seen.set("result", "answer");
                seen.set("type", content_type);
                match payload {
                    Payload::Who => seen.set("serves", parts::value(&body, "variant")),
                    Payload::WithKey => seen.set("key", parts::value(&body, "idempotency_key")),
                    // Pieces carry the time at which they were made.
                    Payload::Streamed => seen.set("length", body.len()),
                    _ => seen.set(
                        "body",
                        format!("{} bytes, {}", body.len(), Digest::of(&body).short()),
                    ),
                }
            }
            Err(error) => seen.error(&error),
        }
        Ok(())
    }

    async fn enqueue(&self, seen: &mut Seen) -> std::result::Result<(), Stop> {
        let text = format!("event-{:x}", self.scene.seed());
        let logs = Command::Log {
            text: text.clone(),
            lines: 1,
        };
        match self
            .client
            .enqueue(self.client.call(&self.name, &logs))
            .await
        {
            Ok(accepted) => {
                seen.set("result", "accepted");
                seen.set("has an id", !accepted.id.is_empty());
                delivered(&self.client, &self.name, &text).await?;
            }
            Err(error) => seen.error(&error),
        }
        Ok(())
    }

    /// One event that fails, until it is a dead letter.
    async fn give_up(&self, seen: &mut Seen) -> std::result::Result<(), Stop> {
        let client = &self.client;
        let spec = client.spec(&self.name, "a").delivery(client.delivery(1));
        if let Err(error) = client.put(spec.build()?).await {
            seen.error(&error);
            return Ok(());
        }
        client.settle().await;
        let fails = parts::fails().to_payload();
        let mut call = Call::new(self.name.clone(), fails.clone());
        call.content_type = "application/vnd.probe+json".to_owned();
        let accepted = match client.enqueue(call).await {
            Ok(accepted) => accepted,
            Err(error) => {
                seen.error(&error);
                return Ok(());
            }
        };
        let mut letters = Vec::new();
        until("an event to be given up", async || {
            letters.clear();
            let mut stream = client.dead_letters(&self.name).await?;
            while let Some(letter) = stream.next().await {
                letters.push(letter?);
            }
            Ok(!letters.is_empty())
        })
        .await?;
        seen.set("result", "given up");
        seen.set("letters", letters.len());
        for letter in letters {
            seen.set("attempts", letter.attempts);
            seen.set("same id", letter.id == accepted.id);
            seen.set("same event", letter.body == fails);
            seen.set("type", letter.content_type);
        }
        Ok(())
    }

    async fn logs(&self, seen: &mut Seen) -> std::result::Result<(), Stop> {
        let text = format!("logged-{:x}", self.scene.seed());
        let logs = Command::Log {
            text: text.clone(),
            lines: 2,
        };
        self.client.ask(&self.name, &logs).await?;
        let mut result = self.client.lines(&self.name, &text).await;
        if result.is_ok() {
            until("two lines to be in the logs", async || {
                result = self.client.lines(&self.name, &text).await;
                Ok(result.as_ref().is_ok_and(|lines| lines.len() >= 2))
            })
            .await?;
        }
        match result {
            Ok(lines) => {
                seen.set("result", "lines");
                seen.set("lines", lines.len());
            }
            Err(error) => seen.error(&error),
        }
        Ok(())
    }

    async fn list(&self, seen: &mut Seen) -> std::result::Result<(), Stop> {
        for scope in [Scope::Everything, Scope::Owned(self.client.owner().clone())] {
            let aspect = match scope {
                Scope::Everything => "listed of everything",
                _ => "listed of ours",
            };
            let mut times = 0;
            let mut entries = self.client.list(scope);
            while let Some(entry) = entries.next().await {
                if let Entry::Function(found) = entry? {
                    times += usize::from(found.name == self.name.as_str());
                }
            }
            seen.set(aspect, times);
        }
        Ok(())
    }
}

/// The version that a call of no version asks for.
pub(super) fn no_version() -> Qualifier {
    Qualifier::Version(VersionId::new("4711"))
}
