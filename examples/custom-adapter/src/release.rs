//! The writes: each is one change under the lock, checked against the revision it was planned on,
//! and right to repeat.

use std::fs;
use std::path::{Path, PathBuf};

use anyport_core::content::Content;
use anyport_core::error::{Error, ErrorKind, Result, RolloutFailure};
use anyport_core::mark::Owner;
use anyport_core::outcome::StepDone;
use anyport_core::plan::Base;
use anyport_core::spec::{Name, Spec};
use anyport_package::Limits;
use futures_util::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::capability::capabilities;
use crate::protocol::{CODE_DIR, LAUNCH_FILE};
use crate::state::{Found, Home, Live, Record, State};
use crate::{daemon, error, lower};

/// One change of one function.
pub struct Write<'a> {
    /// The platform's state.
    pub state: &'a State,
    /// The daemon's program.
    pub program: &'a Path,
    /// The function.
    pub name: &'a Name,
    /// Who asks.
    pub owner: &'a Owner,
    /// What must still be true.
    pub guard: &'a Base,
}

impl Write<'_> {
    /// Makes `spec` serve, in place of what does.
    ///
    /// # Errors
    /// `RolloutFailed` when it cannot start: then nothing has changed. `Conflict` when something else has.
    pub async fn publish(&self, spec: &Spec, content: &dyn Content) -> Result<(Live, StepDone)> {
        let _lock = self.state.lock().await?;
        let home = self.home();
        let seen = self.seen(&home)?;
        if let Some((record, _)) = &seen
            && let Some(live) = &record.live
            && live.spec == *spec
            && daemon::answers(&home.socket(live)).await
        {
            return Ok((live.clone(), StepDone::AlreadyDone));
        }
        self.check(seen.as_ref().map(|(_, revision)| revision))?;

        // From here on the name carries our mark, so that whatever is cut short is ours to clear.
        let is_new = seen.is_none();
        let mut record = seen.map_or_else(|| Record::new(self.owner), |(record, _)| record);
        if is_new {
            record.mark(self.owner);
            home.write(&mut record)?;
        }
        self.clear(&home, record.live.as_ref()).await?;
        let live = Live {
            number: record.live.as_ref().map_or(1, |old| old.number + 1),
            spec: spec.clone(),
        };
        let dir = home.release(live.number);
        let serving = record.live.as_ref().map(|old| old.version().to_string());
        if let Err(why) = self.start(&dir, &live, content, serving).await {
            discard(&dir).await?;
            if is_new {
                home.remove()?;
            }
            return Err(why);
        }
        let old = record.live.replace(live.clone());
        record.mark(self.owner);
        home.write(&mut record)?;
        if let Some(old) = old {
            let dir = home.release(old.number);
            daemon::end(&dir, true).await?;
            discard(&dir).await?;
        }
        Ok((live, StepDone::Changed))
    }

    /// Writes the asker's mark, or none.
    ///
    /// # Errors
    /// `Conflict` when something has changed meanwhile.
    pub async fn mark(&self, ours: bool) -> Result<StepDone> {
        let _lock = self.state.lock().await?;
        let home = self.home();
        let Some((mut record, revision)) = self.seen(&home)? else {
            return Err(error::not_found("adopt", self.name));
        };
        if ours == record.owned().is_by(self.owner) {
            return Ok(StepDone::AlreadyDone);
        }
        self.check(Some(&revision))?;
        if ours {
            record.mark(self.owner);
        } else {
            record.mark = None;
        }
        home.write(&mut record)?;
        Ok(StepDone::Changed)
    }

    /// Clears what an interrupted change left.
    ///
    /// # Errors
    /// `Conflict` when something has changed meanwhile.
    pub async fn tidy(&self) -> Result<StepDone> {
        let _lock = self.state.lock().await?;
        let home = self.home();
        if let Some((record, revision)) = self.seen(&home)? {
            self.check(Some(&revision))?;
            self.clear(&home, record.live.as_ref()).await?;
        }
        Ok(StepDone::Changed)
    }

    /// Ends the daemon and removes everything.
    ///
    /// # Errors
    /// `Conflict` when something has changed meanwhile.
    pub async fn remove(&self) -> Result<StepDone> {
        let _lock = self.state.lock().await?;
        let home = self.home();
        let Some((_, revision)) = self.seen(&home)? else {
            return Ok(StepDone::AlreadyDone);
        };
        self.check(Some(&revision))?;
        self.clear(&home, None).await?;
        home.remove()?;
        Ok(StepDone::Changed)
    }

    fn home(&self) -> Home {
        self.state.home(self.name.as_str())
    }

    fn seen(&self, home: &Home) -> Result<Option<(Record, String)>> {
        match home.read()? {
            Found::Nothing => Ok(None),
            Found::Function(record, revision) => Ok(Some((*record, revision))),
            Found::Stranger => Err(Error::new(ErrorKind::Conflict, "change").on(self.name)),
        }
    }

    fn check(&self, revision: Option<&String>) -> Result<()> {
        let holds = match self.guard {
            Base::Any => true,
            Base::Absent => revision.is_none(),
            Base::Revision(planned) => revision == Some(planned),
        };
        if holds {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Conflict, "change").on(self.name))
    }

    async fn clear(&self, home: &Home, live: Option<&Live>) -> Result<()> {
        for dir in home.leftovers(live)? {
            daemon::end(&dir, false).await?;
            discard(&dir).await?;
        }
        Ok(())
    }

    async fn start(
        &self,
        dir: &Path,
        live: &Live,
        content: &dyn Content,
        serving: Option<String>,
    ) -> Result<()> {
        unpack(dir, content).await?;
        let launch = dir.join(LAUNCH_FILE);
        let bytes = serde_json::to_vec_pretty(&lower::launch(live))
            .map_err(|why| error::unreadable(&launch, why))?;
        fs::write(&launch, bytes).map_err(error::io("write", &launch))?;
        daemon::start(self.program, dir)
            .await
            .map_err(|failure| error::start_failed(self.name, failure, serving))
    }
}

/// Streams the artifact to a file and unpacks it; the archive is not kept.
async fn unpack(dir: &Path, content: &dyn Content) -> Result<()> {
    let failed = || error::io("unpack into", dir);
    fs::create_dir_all(dir).map_err(failed())?;
    let archive = tempfile::NamedTempFile::new_in(dir).map_err(failed())?;
    let mut file = tokio::fs::File::create(archive.path())
        .await
        .map_err(failed())?;
    let mut chunks = content.open();
    while let Some(chunk) = chunks.try_next().await? {
        file.write_all(&chunk).await.map_err(failed())?;
    }
    file.flush().await.map_err(failed())?;
    let mut limits = Limits::default();
    limits.unpacked_bytes = capabilities().artifacts.max_unpacked;
    let code = dir.join(CODE_DIR);
    let unpacked = tokio::task::spawn_blocking(move || {
        anyport_package::unpack(archive.path(), &code, &limits)
    });
    match unpacked.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(anyport_package::Error::Io { source, .. })) => Err(failed()(source)),
        Ok(Err(refused)) => {
            let failure = RolloutFailure::new("archive", refused.to_string());
            Err(Error::new(
                ErrorKind::RolloutFailed(failure),
                "unpack the artifact",
            ))
        }
        Err(stopped) => Err(failed()(std::io::Error::other(stopped))),
    }
}

async fn discard(path: &Path) -> Result<()> {
    let owned: PathBuf = path.to_owned();
    let removed = tokio::task::spawn_blocking(move || match fs::symlink_metadata(&owned) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(&owned),
        Ok(_) => fs::remove_file(&owned),
        Err(_) => Ok(()),
    });
    removed
        .await
        .unwrap_or_else(|stopped| Err(std::io::Error::other(stopped)))
        .map_err(error::io("remove", path))
}
