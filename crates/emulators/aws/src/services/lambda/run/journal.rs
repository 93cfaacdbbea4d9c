//! Where the lines of a version's instances go: to their log streams, with the platform's own around
//! them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyport_engine::{Exit, LogLine, LogSink, LogStream, Observer};

use super::CloudRef;
use super::environment;
use super::lines::{self, Ended, Lines};
use super::rights::Rights;
use super::stream::{EVENT_END, Item, Stream};
use crate::cloud::Cloud;
use crate::services::lambda::ids;
use crate::services::lambda::version::VersionConfig;
use crate::services::logs::LineTarget;

/// The log of one configuration of a version.
pub(crate) struct Journal {
    cloud: CloudRef,
    config: Arc<VersionConfig>,
    /// By the engine's name for the instance.
    instances: Mutex<HashMap<Arc<str>, Arc<Instance>>>,
    /// The last instance that did not get ready.
    failed: Mutex<Option<Arc<Instance>>>,
}

#[derive(Debug)]
struct Instance {
    stream: Stream,
    rights: Rights,
    began: Instant,
    /// Its process has ended.
    gone: AtomicBool,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("version", &self.config.arn())
            .finish_non_exhaustive()
    }
}

impl Journal {
    pub(super) fn new(cloud: &Arc<Cloud>, config: Arc<VersionConfig>) -> Self {
        Self {
            cloud: Arc::downgrade(cloud),
            config,
            instances: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Reports the end of a call that `instance` took; returns the end of its log.
    pub(crate) fn finish(&self, instance: &str, ended: &Ended<'_>) -> String {
        let name = instance;
        let (Some(cloud), Some(instance)) = (self.cloud.upgrade(), self.instance(name)) else {
            return String::new();
        };
        let text = self.lines(&cloud).end(ended);
        let write = |text: &str| self.write(&cloud, &instance, text);
        let tail = instance.stream.finish(ended.request, &text, &write);
        self.forget(name, &instance);
        tail
    }

    /// Forgets an instance that has ended and whose calls are all reported.
    fn forget(&self, name: &str, instance: &Instance) {
        if instance.gone.load(Ordering::Acquire) && instance.stream.is_idle() {
            self.lock().remove(name);
        }
    }

    /// Reports a call for which no instance got ready; returns the end of its log.
    pub(crate) fn never_started(&self, ended: &Ended<'_>) -> String {
        let Some(cloud) = self.cloud.upgrade() else {
            return String::new();
        };
        let last = self
            .failed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Where not even a process could be started there is no stream yet.
        let instance = last.unwrap_or_else(|| Arc::new(self.open(&cloud)));
        let lines = self.lines(&cloud);
        let write = |text: &str| self.write(&cloud, &instance, text);
        let took = instance.began.elapsed();
        let failed = lines.init_failed(took, &ended.status);
        instance.stream.note(&failed, &write);
        let before = instance.stream.init_tail() + &failed.replace(EVENT_END, "");
        let start = Item::Start {
            request: ended.request.to_owned(),
            text: lines.start(ended.request),
        };
        instance.stream.accept(start, &write);
        let after = instance
            .stream
            .finish(ended.request, &lines.end(ended), &write);
        before + &after.replace(EVENT_END, "")
    }

    fn instance(&self, name: &str) -> Option<Arc<Instance>> {
        self.lock().get(name).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Arc<Instance>>> {
        self.instances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self, cloud: &Cloud) -> Lines<'_> {
        Lines {
            config: &self.config,
            now: cloud.clock.epoch_millis(),
        }
    }

    /// A new log stream, with its first line.
    fn open(&self, cloud: &Arc<Cloud>) -> Instance {
        let now = cloud.clock.epoch_millis();
        let id = ids::uuid().replace('-', "");
        let name = lines::stream_name(now, &self.config.version, &id);
        let instance = Instance {
            rights: Rights::of(cloud, &self.config, &name),
            stream: Stream::new(name),
            began: Instant::now(),
            gone: AtomicBool::new(false),
        };
        let text = self.lines(cloud).init_start();
        let write = |text: &str| self.write(cloud, &instance, text);
        instance.stream.note(&text, &write);
        instance
    }

    fn write(&self, cloud: &Cloud, instance: &Instance, text: &str) {
        if !instance.rights.put || !self.is_there(cloud) {
            return;
        }
        let target = LineTarget {
            account: &self.config.account,
            region: &self.config.region,
            group: &self.config.settings.logging.group,
            stream: &instance.stream.name,
            create_group: instance.rights.create_group,
            create_stream: instance.rights.create_stream,
        };
        cloud.logs.write(&target, cloud.clock.epoch_millis(), text);
    }

    /// Whether the function is still there. What its instances say when they end after it was deleted is not kept, so that a log group that is
    /// deleted with its function stays so. Guessed.
    fn is_there(&self, cloud: &Cloud) -> bool {
        let config = &self.config;
        cloud
            .lambda
            .functions
            .region(&config.account, &config.region, |region| {
                region.functions.contains_key(&config.function)
            })
    }

    fn accept(&self, instance: &str, item: Item) {
        if let (Some(cloud), Some(instance)) = (self.cloud.upgrade(), self.instance(instance)) {
            let write = |text: &str| self.write(&cloud, &instance, text);
            instance.stream.accept(item, &write);
        }
    }
}

impl LogSink for Journal {
    fn line(&self, line: &LogLine) {
        if line.stream == LogStream::Platform {
            return;
        }
        // Runtimes part the lines of one record with carriage returns.
        let text = line.text.trim_end_matches('\r').replace('\r', "\n");
        let item = Item::Line {
            request: line.request_id.as_deref().map(str::to_owned),
            text: text.replace(EVENT_END, "\u{fffd}") + "\n",
        };
        self.accept(&line.instance, item);
    }
}

impl Observer for Journal {
    fn starting(&self, instance: &str) -> Vec<(String, Option<String>)> {
        let Some(cloud) = self.cloud.upgrade() else {
            return Vec::new();
        };
        let opened = Arc::new(self.open(&cloud));
        let variables = environment::of_instance(&cloud, &self.config, &opened.stream.name);
        self.lock().insert(instance.into(), opened);
        variables
    }

    fn ready(&self, instance: &str, _took: Duration) {
        if let Some(instance) = self.instance(instance) {
            instance.stream.ready();
        }
    }

    fn called(&self, instance: &str, request_id: &str) {
        if let Some(cloud) = self.cloud.upgrade() {
            let item = Item::Start {
                request: request_id.to_owned(),
                text: self.lines(&cloud).start(request_id),
            };
            self.accept(instance, item);
        }
    }

    fn ended(&self, instance: &str, _exit: Exit) {
        let name = instance;
        let Some(instance) = self.instance(name) else {
            return;
        };
        instance.gone.store(true, Ordering::Release);
        if instance.stream.was_ready() {
            // Its last call may still have to be reported.
            self.forget(name, &instance);
        } else {
            self.lock().remove(name);
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed = Some(instance);
        }
    }
}
