//! Dead letters: events that were given up, with why.

use std::io;
use std::path::{Path, PathBuf};

use anyport_core::call::DeadLetter;
use anyport_core::error::{Error, ErrorKind, Result, Retry};
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::event::{EVENT, Event, LONGEST_EVENT, Ticket};
use crate::store::file;
use crate::{error, ids, provider};

/// Why an event was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Why {
    pub(super) attempts: u32,
    pub(super) reason: String,
}

/// Moves an event to the dead letters: the reason is written first, so that no letter is ever without one; until the event itself
/// has moved it is still waiting.
///
/// # Errors
/// What the system says.
pub(super) fn bury(queue: &Path, dead: &Path, ticket: &Ticket, why: &Why) -> io::Result<()> {
    file::make_dir(dead)?;
    let staged = dead.join(format!(".{}.json", ticket.id));
    let reason = serde_json::to_vec(why)?;
    file::replace(&dead.join(format!("{}.json", ticket.id)), &staged, &reason)?;
    let letter = dead.join(format!("{}{EVENT}", ticket.id));
    match file::rename(&queue.join(ticket.file()), &letter) {
        // Whoever purged the queue meanwhile did not want the letter either.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            file::remove(&dead.join(format!("{}.json", ticket.id)))
        }
        other => other,
    }
}

/// The dead letters in a folder, oldest first, read one by one.
pub(crate) fn letters(dir: PathBuf) -> BoxStream<'static, Result<DeadLetter>> {
    let names = {
        let dir = dir.clone();
        provider::blocking("read the dead letters", move || {
            let names = file::names(&dir).map_err(error::io("read the dead letters of", &dir))?;
            let letters = names.into_iter().filter(|name| name.ends_with(EVENT));
            Ok(letters.collect::<Vec<String>>())
        })
    };
    let each = move |name: String| {
        let dir = dir.clone();
        provider::blocking("read a dead letter", move || read(&dir, &name))
    };
    stream::once(names)
        .map(move |names| match names {
            Ok(names) => {
                let each = each.clone();
                let letters = stream::iter(names).then(each);
                letters.filter_map(|it| async { it.transpose() }).boxed()
            }
            Err(error) => stream::iter([Err(error)]).boxed(),
        })
        .flatten()
        .boxed()
}

/// One letter, `None` when it was purged meanwhile.
fn read(dir: &Path, name: &str) -> Result<Option<DeadLetter>> {
    const OPERATION: &str = "read a dead letter";
    let path = dir.join(name);
    let bytes = match file::read(&path, LONGEST_EVENT) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(error::io(OPERATION, &path))?,
    };
    let id = name.strip_suffix(EVENT).unwrap_or(name);
    let why = file::read(&dir.join(format!("{id}.json")), LONGEST_EVENT).ok();
    let why = why.and_then(|bytes| serde_json::from_slice::<Why>(&bytes).ok());
    let why = why.unwrap_or_else(|| Why {
        attempts: 0,
        reason: "the reason was lost".to_owned(),
    });
    let Some(event) = Event::decode(bytes) else {
        return Err(Error::new(ErrorKind::Unavailable, OPERATION)
            .on(path.display())
            .because("it is not an event")
            .hint("look at the file, and remove it if it is of no use")
            .with_retry(Retry::No));
    };
    Ok(Some(DeadLetter::new(
        event.id,
        event.body,
        event.content_type,
        why.attempts,
        why.reason,
        ids::from_millis(event.accepted_ms),
    )))
}
