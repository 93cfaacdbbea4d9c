//! A saved plan: one file, and the artifacts beside it, so that both can be carried to where the plan is applied.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyport::package::FileContent;
use anyport::plan::Plan;
use serde::{Deserialize, Serialize};

use crate::artifact::Archive;
use crate::failure::Failure;

const FORMAT: u32 = 1;

/// The longest plan that is read.
const LONGEST: u64 = 64 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    /// The version of this format.
    anyport_plan: u32,
    plans: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    plan: Plan,
    /// The archive's file name in the folder beside the plan.
    archive: Option<String>,
}

/// The folder of a plan's artifacts: the plan's path with `.d` behind.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".d");
    name.into()
}

pub(super) fn write(path: &Path, plans: &[(Plan, Option<Archive>)]) -> Result<(), Failure> {
    let folder = beside(path);
    let mut entries = Vec::with_capacity(plans.len());
    for (plan, archive) in plans {
        let mut name = None;
        if let Some(archive) = archive {
            private_folder(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
            let file = format!(
                "{}.zip",
                archive.content().digest().to_string().replace(':', "-")
            );
            let to = folder.join(&file);
            copy(&archive.path, &folder, &to)
                .map_err(|error| Failure::file("write", &to, &error))?;
            name = Some(file);
        }
        entries.push(Entry {
            plan: plan.clone(),
            archive: name,
        });
    }
    let saved = Saved {
        anyport_plan: FORMAT,
        plans: entries,
    };
    let text = serde_json::to_vec_pretty(&saved).map_err(|error| {
        Failure::new("internal", "cannot write the plan as JSON").with_source(error)
    })?;
    save(path, &text).map_err(|error| Failure::file("write", path, &error))?;
    let kept: Vec<&str> = saved
        .plans
        .iter()
        .filter_map(|entry| entry.archive.as_deref())
        .collect();
    forget(&folder, &kept);
    Ok(())
}

/// Only its owner may look into the folder: code is in it.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Copies an archive into the folder, private from the start and there as a whole or not at all.
fn copy(from: &Path, folder: &Path, to: &Path) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::copy(&mut fs::File::open(from)?, file.as_file_mut())?;
    file.persist(to).map(drop).map_err(|error| error.error)
}

/// Removes archives that only an earlier plan of this name had. What cannot be removed is in nobody's way.
fn forget(folder: &Path, kept: &[&str]) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with("sha256-") && name.ends_with(".zip") && !kept.contains(&name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Only its owner may read a plan: it holds environment variables.
fn save(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // A temporary file is private from the start, and replaces the old one at once.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// The plans of a file, with their artifacts attached.
pub(super) fn read(path: &Path) -> Result<Vec<Plan>, Failure> {
    let mut text = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut text))
        .map_err(|error| {
            Failure::file("read", path, &error).next("make one with `anyport plan -o FILE`")
        })?;
    let format = serde_json::from_slice::<serde_json::Value>(&text)
        .ok()
        .and_then(|value| value.get("anyport_plan")?.as_u64());
    let refuse = |why: String| {
        Failure::new(
            "plan_file",
            format!(
                "{} is not a plan that can be applied: {why}",
                path.display()
            ),
        )
        .next("make a new one with `anyport plan -o FILE`")
    };
    match format {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            return Err(refuse(format!(
                "it is of format {format}, this Anyport reads {FORMAT}"
            )));
        }
        None => return Err(refuse("it was not written by `anyport plan`".to_owned())),
    }
    let saved: Saved = serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
    let folder = beside(path);
    saved
        .plans
        .into_iter()
        .map(|entry| attach(entry, &folder))
        .collect()
}

fn attach(entry: Entry, folder: &Path) -> Result<Plan, Failure> {
    let mut plan = entry.plan;
    if let Some(name) = entry.archive {
        // The name is data from outside: only a file directly in the folder is meant.
        let plain = Path::new(&name)
            .file_name()
            .is_some_and(|file| file == name.as_str());
        if !plain {
            return Err(Failure::new(
                "plan_file",
                format!("{name:?} is not the name of an artifact's file"),
            )
            .next("make a new plan with `anyport plan -o FILE`"));
        }
        // That the bytes are the plan's own is checked against the digest it names.
        let content = FileContent::of(&folder.join(name)).map_err(|error| {
            Failure::from(error).next(format!(
                "copy the folder {} to where the plan is, or make a new plan with `anyport plan -o FILE`",
                folder.display()
            ))
        })?;
        plan.desired = plan.desired.with_content(std::sync::Arc::new(content));
    }
    Ok(plan)
}
