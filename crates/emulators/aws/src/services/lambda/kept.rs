//! Keeping functions over restarts, and what a harness sees of them.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::state::Blobs;

use super::function::Function;
use super::state::{Functions, Region, Regions};

impl Functions {
    /// What is kept.
    pub(crate) fn save(&self) -> Value {
        serde_json::to_value(&*self.lock()).unwrap_or_default()
    }

    /// Takes what was kept.
    ///
    /// # Errors
    /// It can't be read, or code is missing.
    pub(crate) fn load(&self, kept: &Value, blobs: &Blobs) -> Result<(), String> {
        if kept.is_null() {
            return Ok(());
        }
        let mut regions: Regions =
            serde_json::from_value(kept.clone()).map_err(|error| error.to_string())?;
        let functions = regions
            .values_mut()
            .flat_map(BTreeMap::values_mut)
            .flat_map(|region| region.functions.values_mut());
        for function in functions {
            let versions =
                std::iter::once(&mut function.latest).chain(function.versions.values_mut());
            for version in versions {
                if !version.find_code(blobs) {
                    return Err(format!("the code of {} is gone", version.config.arn()));
                }
            }
        }
        *self.lock() = regions;
        Ok(())
    }

    /// Every function, version, alias, URL and code signing configuration by its ARN, with a digest of
    /// what it is: of what a client set, not of revisions, times or states.
    pub(crate) fn inventory(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let regions = self.lock();
        for region in regions.values().flat_map(BTreeMap::values) {
            inventory(region, &mut found);
        }
        found
    }
}

fn inventory(region: &Region, found: &mut BTreeMap<String, String>) {
    for function in region.functions.values() {
        found.insert(function.arn(), digest(&whole(function)));
        for version in function.versions.values() {
            let config = &version.config;
            let what = json!([config.code.sha256, config.settings]);
            found.insert(config.arn(), digest(&what));
        }
        for alias in function.aliases.values() {
            let what = json!([alias.version, alias.other, alias.description]);
            found.insert(function.qualified_arn(&alias.name), digest(&what));
        }
    }
    for (arn, config) in &region.signing {
        let what = json!([
            config.description,
            config.publishers,
            config.untrusted,
            config.tags
        ]);
        found.insert(arn.clone(), digest(&what));
    }
}

/// Everything about a function that is not a version's or an alias's.
fn whole(function: &Function) -> Value {
    let config = &function.latest.config;
    let urls: Vec<Value> = function
        .urls
        .iter()
        .map(|(key, url)| json!([key, url.auth_type, url.invoke_mode, url.cors]))
        .collect();
    let events: Vec<Value> = function
        .event_invoke
        .iter()
        .map(|(key, events)| {
            json!([
                key,
                events.retries,
                events.max_age,
                events.on_success,
                events.on_failure
            ])
        })
        .collect();
    let policies: Vec<Value> = function
        .policies
        .iter()
        .map(|(key, policy)| json!([key, policy.statements]))
        .collect();
    json!([
        [config.code.sha256, config.settings],
        [
            function.tags,
            function.reserved,
            function.signing,
            function.recursive_loop
        ],
        [urls, events, policies],
    ])
}

fn digest(what: &Value) -> String {
    HEXLOWER.encode(&Sha256::digest(what.to_string().as_bytes()))[..16].to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::function::Alias;
    use super::super::ids;
    use super::super::version::tests::config;
    use super::super::version::{Code, Version};
    use super::*;
    use crate::config::Config;

    fn functions() -> Functions {
        Functions::new(&Config::new())
    }

    #[test]
    fn what_is_kept_comes_back_with_its_code() {
        let root = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&root.path().join("blobs"), true).unwrap();
        let old = Code::new(blobs.put(b"old").unwrap(), 3);
        let new = Code::new(blobs.put(b"new").unwrap(), 3);
        let mut first = config();
        first.code = old;
        let now = SystemTime::UNIX_EPOCH;
        let mut latest = Version::new(first.clone(), now, Duration::ZERO, None);
        let next = first.changed(new, first.settings.clone(), now);
        latest.update(next, now, Duration::from_secs(60), None);
        let mut function = Function::new(latest);
        let alias = Alias {
            name: "live".to_owned(),
            version: "$LATEST".to_owned(),
            other: None,
            description: String::new(),
            revision: ids::uuid(),
            before: None,
        };
        function.aliases.insert("live".to_owned(), alias);
        let before = functions();
        before.region("000000000000", "us-east-1", |region| {
            region.functions.insert("hello".to_owned(), function)
        });
        let kept = before.save();
        let after = functions();
        after.load(&kept, &blobs).unwrap();
        assert_eq!(after.save(), kept);
        assert_eq!(after.inventory(), before.inventory());
        // What runs until the update ends is there, too.
        after.region("000000000000", "us-east-1", |region| {
            let serving = region.functions["hello"].latest.serving();
            assert_eq!(&serving.code.blob().unwrap().read().unwrap()[..], b"old");
        });
        let empty = Blobs::open(&root.path().join("other"), true).unwrap();
        let error = functions().load(&kept, &empty).unwrap_err();
        assert!(error.contains("function:hello:$LATEST is gone"), "{error}");
    }
}
