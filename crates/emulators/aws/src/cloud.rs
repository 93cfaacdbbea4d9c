//! Everything that the cloud is, and what a harness may ask of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyport_engine::Engine;

use crate::Clock;
use crate::access;
use crate::config::Config;
use crate::fault::Faults;
use crate::front::log::CallLog;
use crate::services::{lambda, logs, s3, sqs};
use crate::state::{Blobs, Changes};

/// The whole cloud. Each part has its own interior locks, never held across an await.
pub(crate) struct Cloud {
    /// What it was told when it started.
    pub(crate) config: Config,
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub(crate) endpoint: String,
    /// Where blobs, objects and unpacked code are kept: the state folder, or one that is removed at the end.
    pub(crate) folder: PathBuf,
    /// Its time.
    pub(crate) clock: Clock,
    /// What goes wrong on purpose.
    pub(crate) faults: Faults,
    /// Credentials, users, roles and policies.
    pub(crate) access: access::Store,
    /// Functions and their runs.
    pub(crate) lambda: lambda::Lambda,
    /// Log groups.
    pub(crate) logs: logs::Logs,
    /// Buckets and objects.
    pub(crate) s3: s3::S3,
    /// Queues.
    pub(crate) sqs: sqs::Sqs,
    /// What runs functions.
    pub(crate) engine: Engine,
    /// What was called.
    pub(crate) calls: CallLog,
    /// That something changed that is kept.
    pub(crate) changes: Arc<Changes>,
    /// Code and objects, on disk by their SHA-256.
    pub(crate) blobs: Blobs,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl Cloud {
    /// Says that something changed that is kept in the state folder; cheap, to be called often.
    pub(crate) fn changed(&self) {
        self.changes.note();
    }
}

/// What a test harness may ask of a running cloud beyond its API.
#[derive(Debug, Clone)]
pub struct Admin(Arc<Cloud>);

impl Admin {
    pub(crate) fn new(cloud: Arc<Cloud>) -> Self {
        Self(cloud)
    }

    /// Every resource by a name like its ARN, with a digest of its state. Log groups and streams are
    /// under names with `log-group`.
    #[must_use]
    pub fn inventory(&self) -> BTreeMap<String, String> {
        let mut all = self.0.access.inventory();
        all.extend(self.0.lambda.inventory());
        all.extend(self.0.logs.inventory());
        all.extend(self.0.s3.inventory());
        all.extend(self.0.sqs.inventory());
        all
    }

    /// Moves a virtual clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    /// Ends temporary credentials now, as their time would; `false` when this access key id is of none.
    #[must_use]
    pub fn expire_credentials(&self, access_key: &str) -> bool {
        self.0.access.expire(access_key)
    }

    /// The cloud's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Lets the next change of a function that begins fail when its time is over: a creation ends in the
    /// state `Failed`, an update in the status `Failed`. `code` is one of the model's `StateReasonCode`s.
    pub fn fail_next_change(&self, reason: impl Into<String>, code: impl Into<String>) {
        self.0.lambda.functions.fail_next(lambda::version::Failure {
            reason: reason.into(),
            code: code.into(),
        });
    }

    /// What goes wrong on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// The last calls in order: service, operation and status. At most 10,000 are kept; the connection
    /// was closed in place of a reply where the status is 0.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, String, u16)> {
        self.0.calls.all()
    }

    /// Forgets the calls so far.
    pub fn clear_calls(&self) {
        self.0.calls.clear();
    }
}
