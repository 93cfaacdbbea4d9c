//! Finding the control groups that this process is in.

use std::fs;
use std::path::{Path, PathBuf};

/// Which interface a control group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The unified hierarchy.
    V2,
    /// A hierarchy of version 1.
    V1,
}

/// The directories of this process's own groups, the most useful first: version 2, which can end a
/// group at once, then the freezer of version 1, which can keep one from forking while it is ended.
///
/// A directory is listed only when this process is found in it: behind a namespace or a bind mount
/// the same path may name somebody else's group.
pub(crate) fn own() -> Vec<(PathBuf, Kind)> {
    let (Ok(mounts), Ok(memberships)) = (
        fs::read_to_string("/proc/self/mountinfo"),
        fs::read_to_string("/proc/self/cgroup"),
    ) else {
        return Vec::new();
    };
    let me = std::process::id().to_string();
    let mut found = candidates(&mounts, &memberships);
    found.retain(|(path, _)| {
        fs::read_to_string(path.join("cgroup.procs"))
            .is_ok_and(|pids| pids.lines().any(|pid| pid == me))
    });
    found
}

/// Where the mounts say that the memberships are.
fn candidates(mounts: &str, memberships: &str) -> Vec<(PathBuf, Kind)> {
    [Kind::V2, Kind::V1]
        .into_iter()
        .filter_map(|kind| Some((membership(memberships, kind)?, kind)))
        .flat_map(|(group, kind)| {
            mounts
                .lines()
                .filter_map(move |line| Some((directory(line, group, kind)?, kind)))
        })
        .collect()
}

/// The path of the group inside its hierarchy, from lines like `6:freezer:/path` and `0::/path`.
fn membership(lines: &str, kind: Kind) -> Option<&str> {
    lines.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let matches = match kind {
            Kind::V2 => number == "0" && controllers.is_empty(),
            Kind::V1 => controllers.split(',').any(|name| name == "freezer"),
        };
        matches.then_some(path)
    })
}

/// The directory of `group` below a mount, if the line of `mountinfo` describes its hierarchy.
fn directory(line: &str, group: &str, kind: Kind) -> Option<PathBuf> {
    let (place, system) = line.split_once(" - ")?;
    let mut place = place.split(' ').skip(3);
    let (root, point) = (unescape(place.next()?), unescape(place.next()?));
    let mut system = system.split(' ');
    let (name, options) = (system.next()?, system.nth(1)?);
    let matches = match kind {
        Kind::V2 => name == "cgroup2",
        Kind::V1 => name == "cgroup" && options.split(',').any(|option| option == "freezer"),
    };
    // A mount may show a part of the hierarchy only.
    let below = Path::new(group).strip_prefix(&root).ok()?;
    matches.then(|| Path::new(&point).join(below))
}

/// Blanks in paths are written as `\040`.
fn unescape(field: &str) -> String {
    field
        .replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
24 18 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
25 24 0:23 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
26 24 0:24 / /sys/fs/cgroup/freezer rw,relatime shared:9 - cgroup cgroup rw,freezer
27 24 0:25 / /sys/fs/cgroup/my\\040unified rw,relatime - cgroup2 cgroup2 rw
";

    #[test]
    fn both_hierarchies_are_found_and_version_2_is_first() {
        let groups = "6:freezer:/box\n1:cpu:/\n0::/a/b c\n";
        assert_eq!(
            candidates(HYBRID, groups),
            [
                ("/sys/fs/cgroup/my unified/a/b c".into(), Kind::V2),
                ("/sys/fs/cgroup/freezer/box".into(), Kind::V1),
            ]
        );
        assert_eq!(candidates(HYBRID, "1:cpu:/\n"), []);
    }

    #[test]
    fn a_mount_of_a_part_counts_only_for_groups_in_it() {
        let part = "27 24 0:25 /box/7 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(
            candidates(part, "0::/box/7/mine\n"),
            [("/sys/fs/cgroup/mine".into(), Kind::V2)]
        );
        assert_eq!(candidates(part, "0::/box/77\n"), []);
        assert_eq!(candidates("nonsense", "0::/\n:\n"), []);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_in_every_group_that_is_listed() {
        for (path, _) in own() {
            assert!(path.join("cgroup.procs").is_file(), "{}", path.display());
        }
    }
}
