//! The conformance suite over this adapter. What the suite needs from its author is a place to work
//! in, a look at it that does not go through the adapter, and ways to interfere.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_conformance::harness::{Edit, Folder, FolderHooks, Missing};
use anyport_core::provider::Provider;
use anyport_core::spec::Name;
use async_trait::async_trait;
use custom_adapter::Unixd;
use serde_json::Value;

anyport_conformance::suite!(unixd_keeps_the_contract, harness());

fn harness() -> Folder<Hooks> {
    Folder::new("unixd:///a/new/folder", std::env::temp_dir(), Hooks)
}

struct Hooks;

fn record(folder: &Path, name: &Name) -> PathBuf {
    folder.join(name.as_str()).join("record.json")
}

#[async_trait]
impl FolderHooks for Hooks {
    async fn open(&self, folder: &Path) -> anyport_core::Result<Arc<dyn Provider>> {
        let url = format!("unixd://{}", folder.display()).parse().unwrap();
        Ok(Arc::new(Unixd::open(url, env!("CARGO_BIN_EXE_unixd"))?))
    }

    fn foreign(&self, folder: &Path, name: &Name) -> Result<(), Missing> {
        let place = folder.join(name.as_str());
        fs::create_dir(&place).map_err(Missing::because)?;
        fs::write(place.join("README"), "mine\n").map_err(Missing::because)
    }

    fn tamper(&self, folder: &Path, name: &Name, edit: &Edit) -> Result<(), Missing> {
        let path = record(folder, name);
        let text = fs::read_to_string(&path).map_err(Missing::because)?;
        let mut record: Value = serde_json::from_str(&text).map_err(Missing::because)?;
        let spec = &mut record["live"]["spec"];
        match edit {
            Edit::Env { name, value } => spec["env"][name] = value.as_str().into(),
            Edit::MemoryMb(mb) => spec["memory_mb"] = (*mb).into(),
            other => return Err(Missing::because(format!("no way to do {other:?}"))),
        }
        fs::write(&path, record.to_string()).map_err(Missing::because)
    }

    fn spoil(&self, folder: &Path, name: &Name) -> Result<(), Missing> {
        fs::write(record(folder, name), "{").map_err(Missing::because)
    }

    fn secret(&self, _: &Path, _: &str, _: &str) -> Result<String, Missing> {
        Err(Missing::because(
            "unixd has no secrets, and the adapter says so",
        ))
    }
}
