//! What functions write: one file of JSON lines per function, rotated, bounded by size and age.

mod line;
mod reader;
mod writer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyport_core::spec::Name;
use anyport_engine::LogSink;

pub(crate) use reader::read;
use writer::FunctionLog;

use crate::store::Store;

/// The file that is being written. Older ones are named after the time they were closed.
const CURRENT: &str = "current.jsonl";
/// How older files end.
const CLOSED: &str = ".jsonl";

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// The log files of all functions.
pub(crate) struct Logs {
    store: Arc<Store>,
    sinks: Mutex<HashMap<Name, Arc<FunctionLog>>>,
}

impl Logs {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            sinks: Mutex::default(),
        }
    }

    /// Where a function's lines go.
    pub(crate) fn sink(&self, name: &Name) -> Arc<dyn LogSink> {
        let mut sinks = self.lock();
        let make = || Arc::new(FunctionLog::new(self.store.logs(name)));
        Arc::clone(sinks.entry(name.clone()).or_insert_with(make)) as Arc<dyn LogSink>
    }

    /// Sets how long a function's lines are kept.
    pub(crate) fn retain(&self, name: &Name, days: Option<u32>) {
        let mut sinks = self.lock();
        let make = || Arc::new(FunctionLog::new(self.store.logs(name)));
        sinks.entry(name.clone()).or_insert_with(make).retain(days);
    }

    /// Removes what has been kept long enough.
    pub(crate) fn tidy(&self) {
        let logs: Vec<Arc<FunctionLog>> = self.lock().values().cloned().collect();
        logs.iter().for_each(|log| log.tidy());
    }

    /// Closes a function's file.
    pub(crate) fn forget(&self, name: &Name) {
        if let Some(log) = self.lock().remove(name) {
            log.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Arc<FunctionLog>>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The closed files of a folder, oldest first.
fn closed(dir: &std::path::Path) -> std::io::Result<Vec<PathBuf>> {
    let names = crate::store::file::names(dir)?.into_iter();
    let closed = names.filter(|name| name.ends_with(CLOSED) && name != CURRENT);
    Ok(closed.map(|name| dir.join(name)).collect())
}
