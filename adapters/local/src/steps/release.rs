//! The steps of a release: create, upload, publish, check, route.

use anyport_core::Digest;
use anyport_core::content::Content;
use anyport_core::context::Effect;
use anyport_core::error::{Error, ErrorKind, Result, Violation};
use anyport_core::outcome::StepDone;
use anyport_core::plan::{Split, VersionId};
use futures_util::StreamExt as _;

use super::{Taking, WRITE};
use crate::store::{Record, Release, Stored, revision};
use crate::{error, ids, lower};

impl Taking<'_> {
    /// Makes the function: from here on the name is taken.
    pub(super) async fn create(&mut self) -> Result<StepDone> {
        let owner = &self.plan.desired.owner;
        let bytes = Record::new(self.name.clone(), owner, self.spec()?).encode();
        let written = revision(&bytes);
        if self.out.revision.as_ref() == Some(&written) {
            return Ok(StepDone::AlreadyDone);
        }
        self.call("CreateRecord", WRITE, move |store, name| {
            if store.home(name).exists() && !store.record(name).exists() {
                // Somebody put a folder there since the plan was made.
                return Err(crate::store::changed("create the function", name));
            }
            store.create(name, &bytes)
        })
        .await?;
        self.done(Some(written));
        Ok(StepDone::Changed)
    }

    /// Puts the code where versions find it.
    pub(super) async fn upload(&mut self, digest: Digest) -> Result<StepDone> {
        let stored = self.current().await?;
        let there = self.call("GetArtifact", Effect::Read, move |store, name| {
            Ok(store.has_artifact(name, digest))
        });
        if there.await? {
            self.done(Some(stored.revision));
            return Ok(StepDone::AlreadyDone);
        }
        let Some(content) = self.plan.desired.content.clone() else {
            let violation = Violation::new("artifact", "its bytes have to be given to deploy it");
            let kind = ErrorKind::InvalidSpec(vec![violation].into());
            return Err(Error::new(kind, self.cx.verb()).on(self.name));
        };
        self.cx
            .call("PutArtifact", WRITE, self.name.as_str(), || {
                self.send(&*content, digest)
            })
            .await?;
        self.done(Some(stored.revision));
        Ok(StepDone::Changed)
    }

    async fn send(&self, content: &dyn Content, digest: Digest) -> Result<()> {
        let (store, name) = (self.live.store.clone(), self.name.clone());
        let open = move || store.upload(&name, digest);
        let mut upload = self.locked("upload the artifact of", open).await?;
        let mut pieces = content.open();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            let write = move || upload.write(&piece).map(|()| upload);
            upload = self.locked("upload the artifact of", write).await?;
        }
        self.locked("unpack the artifact of", move || upload.finish())
            .await
    }

    /// Makes an immutable version, which gets no traffic yet.
    pub(super) async fn publish(&mut self) -> Result<StepDone> {
        let stored = self.current().await?;
        let spec = self.spec()?.clone();
        let made = self.out.version.as_ref();
        let made = made.and_then(|id| stored.record.version(id));
        if made.is_some_and(|made| *made.spec == spec) {
            return Ok(StepDone::AlreadyDone);
        }
        let digest = spec.artifact.digest;
        let there = self.call("GetArtifact", Effect::Read, move |store, name| {
            Ok(store.has_artifact(name, digest))
        });
        if !there.await? {
            return Err(self.conflict("its artifact is not there"));
        }
        let (next, id) = lower::published(&stored.record, &spec, ids::now_ms());
        let done = self.put(&stored, next).await?;
        self.out.version = Some(id);
        Ok(done)
    }

    /// Starts the new version once. What serves goes on serving, whatever comes of it.
    pub(super) async fn check(&mut self) -> Result<StepDone> {
        let stored = self.current().await?;
        let release = self.made(&stored)?.clone();
        let serving = stored.record.live().map(|live| live.id.to_string());
        let floor = usize::try_from(release.spec.min_instances).unwrap_or(usize::MAX);
        let effect = Effect::RunsUserCode { repeatable: true };
        self.cx
            .call("Probe", effect, self.name.as_str(), || async {
                let function = self.live.function(self.name)?;
                let pool = self.live.pool(&function, &release).await;
                let pool = pool.map_err(|failed| error::unstartable(failed, serving.clone()))?;
                let failed = |failure| error::rollout(&failure, serving.clone()).on(self.name);
                pool.probe().await.map_err(failed)?;
                pool.warm(floor).await.map_err(failed)
            })
            .await?;
        Ok(StepDone::Changed)
    }

    /// Changes live traffic, in one write.
    pub(super) async fn route(&mut self, split: Option<&Split>) -> Result<StepDone> {
        let stored = self.current().await?;
        let (next, live) = match split {
            Some(split) => {
                let known = |id: &VersionId| stored.record.version(id).is_some();
                if !split.shares().all(|(id, _)| known(id)) {
                    return Err(self.conflict("a version is not there any more"));
                }
                (lower::routed(&stored.record, split), split.only().cloned())
            }
            None => {
                let owner = &self.plan.desired.owner;
                let id = self.made(&stored)?.id.clone();
                let next = lower::released(&stored.record, owner, self.spec()?, &id);
                (next, Some(id))
            }
        };
        let done = self.put(&stored, next).await?;
        if live.is_some() {
            self.out.version = live;
        }
        // This process moves on at once: instances of what serves no more stop as their calls end.
        let _ = self.live.function(self.name);
        Ok(done)
    }

    /// The version that this plan made.
    fn made<'s>(&self, stored: &'s Stored) -> Result<&'s Release> {
        let record = &stored.record;
        let made = match &self.out.version {
            Some(id) => record.version(id),
            None => record.versions.iter().rfind(|release| !release.routed),
        };
        made.ok_or_else(|| self.conflict("the new version is not there any more"))
    }
}
