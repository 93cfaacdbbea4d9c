//! Asynchronous invocations: one file for each event, on disk before it is accepted, removed when the function has handled it.

mod dead;
mod event;
mod worker;

use std::io;

use anyport_core::error::Result;
use anyport_core::spec::Name;

pub(crate) use dead::letters;
pub(crate) use event::{EVENT, Event};
pub(crate) use worker::Worker;

use crate::store::{Store, file};
use crate::{error, live};

/// Puts an event on disk. That it is there already is fine: an earlier attempt wrote it.
///
/// # Errors
/// `NotFound` when the function is not there any more; what the system says.
pub(crate) fn put(store: &Store, name: &Name, event: &Event) -> Result<()> {
    let dir = store.queue(name);
    let outcome = || -> io::Result<()> {
        // Only below a function that is there.
        file::make_dir(&dir)?;
        let (head, body) = event.encode();
        match file::create(&dir.join(event::fresh(&event.id)), &[&head, body]) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    };
    match outcome() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(live::not_found(name)),
        other => other.map_err(error::io("keep the event for", &dir)),
    }
}

/// Takes an event back that was put on disk and not accepted. Best effort: an event too many is handled like any other.
pub(crate) fn withdraw(store: &Store, name: &Name, event: &Event) {
    let _ = file::remove(&store.queue(name).join(event::fresh(&event.id)));
}
