//! What there is on this machine. Only looks; makes nothing but a file in the state folder that is gone at once.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyport::local::Containment;
use serde::Serialize;

use crate::render::words;

/// Less free space than this is worth a word.
const LITTLE_SPACE: u64 = 1 << 30;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// It is there.
    Good,
    /// Something that is not there; the rest works.
    Missing,
    /// Nothing works without it.
    Needed,
}

/// One thing that was looked for.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub what: &'static str,
    pub verdict: Verdict,
    /// What was found, in words.
    pub found: String,
    /// What that means, and what to do.
    pub means: Option<String>,
}

fn good(what: &'static str, found: impl Into<String>) -> Finding {
    Finding {
        what,
        verdict: Verdict::Good,
        found: found.into(),
        means: None,
    }
}

fn lacking(what: &'static str, found: impl Into<String>, means: impl Into<String>) -> Finding {
    Finding {
        what,
        verdict: Verdict::Missing,
        found: found.into(),
        means: Some(means.into()),
    }
}

fn needed(what: &'static str, found: impl Into<String>, means: impl Into<String>) -> Finding {
    Finding {
        what,
        verdict: Verdict::Needed,
        found: found.into(),
        means: Some(means.into()),
    }
}

/// Looks at everything that functions on this machine depend on.
pub(super) fn look(containment: &Result<Containment, String>) -> Vec<Finding> {
    let mut all = vec![system(), processor()];
    all.extend(held(containment));
    match anyport::local::state_folder() {
        Ok(folder) => {
            all.push(state(&folder));
            all.extend(space(&folder));
        }
        Err(error) => all.push(needed("state folder", "not known", error.to_string())),
    }
    let python =
        "Python bundles cannot run here; Rust, shell and HTTP functions can. Install python3";
    let node = "Node bundles cannot run here; Rust, shell and HTTP functions can. Install Node.js";
    all.push(program("python3", "Python", &["--version"], python));
    all.push(program("node", "Node.js", &["--version"], node));
    all.push(program(
        "cargo",
        "cargo",
        &["--version"],
        "functions from a cargo package cannot be built here. Install Rust from https://rustup.rs",
    ));
    all
}

fn system() -> Finding {
    let what = "system";
    if !cfg!(target_os = "linux") {
        return needed(
            what,
            std::env::consts::OS,
            "local functions run on Linux; everything that talks to other targets works here too",
        );
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    good(what, format!("Linux {}", release.trim()).trim_end())
}

fn processor() -> Finding {
    let what = "processor";
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let found = format!(
        "{}, {}",
        std::env::consts::ARCH,
        words::count(cores, "core")
    );
    match anyport::spec::Arch::of_this_machine() {
        Some(_) => good(what, found),
        None => needed(what, found, "functions are built for x86_64 or arm64"),
    }
}

/// What makes sure that nothing runs on after its parent died, and what limits memory.
fn held(containment: &Result<Containment, String>) -> [Finding; 2] {
    let (guardian, memory) = ("guardian", "memory limit");
    let watched = "memory is watched by looking at processes: short peaks over the limit may pass";
    match containment {
        Ok(Containment::ControlGroups {
            path,
            limits_memory,
            ..
        }) => {
            let parent = path.parent().unwrap_or(path).display();
            [
                good(
                    guardian,
                    format!(
                        "processes are held in control groups below {parent} and end with their parent, however it ends"
                    ),
                ),
                if *limits_memory {
                    good(memory, "by the kernel")
                } else {
                    lacking(memory, "no memory controller there", watched)
                },
            ]
        }
        Ok(Containment::Watching { reason, .. }) => [
            lacking(
                guardian,
                format!("no control groups: {reason}"),
                "processes are found by descent: one that leaves its session, its environment and its parent at once can get away",
            ),
            lacking(memory, "no control groups", watched),
        ],
        Ok(_) => [
            good(guardian, "processes end with their parent"),
            lacking(memory, "not known", watched),
        ],
        Err(why) => [
            needed(guardian, "functions' processes cannot be held", why.clone()),
            needed(memory, "not known", "see above"),
        ],
    }
}

#[cfg(not(unix))]
fn writable(_: &Path) -> bool {
    false
}

fn state(folder: &Path) -> Finding {
    let what = "state folder";
    let found = folder.display().to_string();
    // The nearest folder that exists decides; the rest is made when it is needed.
    let there = folder
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(folder);
    match tempfile::tempfile_in(there) {
        Ok(_) => good(what, found),
        Err(error) => needed(
            what,
            found,
            format!(
                "{} is not writable ({error}); set ANYPORT_STATE to a folder that is",
                there.display()
            ),
        ),
    }
}

#[cfg(unix)]
fn space(folder: &Path) -> Option<Finding> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let at = nix::sys::statvfs::statvfs(there).ok()?;
    #[allow(
        clippy::useless_conversion,
        reason = "the count is narrower on other systems"
    )]
    let free = u64::from(at.blocks_available()).saturating_mul(at.fragment_size());
    let found = format!("{} free", words::size(free));
    Some(if free < LITTLE_SPACE {
        lacking(
            "disk",
            found,
            "deploying keeps up to five versions of each function; make room",
        )
    } else {
        good("disk", found)
    })
}

#[cfg(not(unix))]
fn space(_: &Path) -> Option<Finding> {
    None
}

/// A program on the path, by what it says about itself.
fn program(name: &str, what: &'static str, arguments: &[&str], without: &str) -> Finding {
    let mut command = Command::new(name);
    command
        .args(arguments.iter().map(OsStr::new))
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    // Ctrl-C is for us: a program that it ends would look like one that does not run.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    match command.output() {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            good(
                what,
                words::printable(said.lines().next().unwrap_or_default().trim()),
            )
        }
        Ok(_) => lacking(what, format!("{name} is there and does not run"), without),
        Err(_) => lacking(what, format!("no {name}"), without),
    }
}
