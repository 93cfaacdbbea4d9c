//! Reading the process table.

use std::collections::{HashMap, HashSet};
use std::fs;

/// One row of the process table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// Resident size in bytes.
    pub(crate) resident: u64,
    /// When it was started, in ticks since boot: with its number, which process it is for good.
    pub(crate) start: u64,
    /// Whether it has ended and only waits to be collected.
    pub(crate) zombie: bool,
    /// Whether it is stopped, so that it can't fork.
    pub(crate) stopped: bool,
}

/// The numbers of all processes.
pub(crate) fn pids() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// One process, if it is still there.
pub(crate) fn row(pid: i32) -> Option<Row> {
    parse_row(
        &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?,
        page_size(),
    )
}

/// Every process.
pub(crate) fn table() -> Vec<Row> {
    pids().filter_map(row).collect()
}

/// The processes of `table` that `is_root` names, and all that descend from one of those.
pub(crate) fn descendants(table: &[Row], is_root: impl Fn(&Row) -> bool) -> Vec<Row> {
    let parents: HashMap<i32, i32> = table.iter().map(|row| (row.pid, row.parent)).collect();
    let mut inside: HashSet<i32> = table
        .iter()
        .filter(|row| is_root(row))
        .map(|row| row.pid)
        .collect();
    let belongs = |pid: i32, inside: &HashSet<i32>| {
        let mut at = pid;
        // A process table read while it changes could show a ring, which ends here too.
        for _ in 0..=table.len() {
            if inside.contains(&at) {
                return true;
            }
            match parents.get(&at) {
                Some(&parent) if parent > 1 => at = parent,
                _ => return false,
            }
        }
        false
    };
    let mut rows = Vec::new();
    for row in table {
        if belongs(row.pid, &inside) {
            inside.insert(row.pid);
            rows.push(*row);
        }
    }
    rows
}

/// What the process holds of memory when pages shared with others count in part; slower to read.
pub(crate) fn proportional(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// Parses a line of `/proc/PID/stat`. The second field is the program's name in parentheses and may
/// itself hold spaces and parentheses, so fields are counted from the last one.
fn parse_row(stat: &str, page: u64) -> Option<Row> {
    let pid = stat.split(' ').next()?.parse().ok()?;
    let rest = &stat[stat.rfind(')')? + 1..];
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let pages: u64 = fields.get(21)?.parse().ok()?;
    Some(Row {
        pid,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        stopped: matches!(*fields.first()?, "T" | "t"),
        start: fields.get(19)?.parse().ok()?,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        resident: pages * page,
    })
}

fn page_size() -> u64 {
    use std::sync::OnceLock;
    static SIZE: OnceLock<u64> = OnceLock::new();
    *SIZE.get_or_init(|| {
        nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
            .ok()
            .flatten()
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(4096)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_not_mistaken_for_fields() {
        let stat =
            "42 (a) b (c)) S 7 40 40 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 99 1000 250 184 0";
        let row = parse_row(stat, 4096).unwrap();
        assert_eq!((row.pid, row.parent, row.group), (42, 7, 40));
        assert_eq!(row.resident, 250 * 4096);
        assert_eq!(row.start, 99);
        assert!(!row.zombie && !row.stopped);
        assert_eq!(parse_row("42 (cut", 4096), None);
    }

    #[test]
    fn descendants_are_found_through_other_groups() {
        let row = |pid, parent, group| Row {
            pid,
            parent,
            group,
            resident: 1,
            start: 0,
            zombie: false,
            stopped: false,
        };
        // 10 leads; 11 is a child in another group, 12 its child; 13 was orphaned but is in the group.
        let table = [
            row(12, 11, 12),
            row(10, 5, 10),
            row(11, 10, 11),
            row(13, 1, 10),
            row(20, 1, 20),
        ];
        let mut pids: Vec<i32> = descendants(&table, |row| row.pid == 10 || row.group == 10)
            .iter()
            .map(|row| row.pid)
            .collect();
        pids.sort_unstable();
        assert_eq!(pids, [10, 11, 12, 13]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_in_the_table() {
        let me = i32::try_from(std::process::id()).unwrap();
        let row = row(me).unwrap();
        assert!(row.resident > 0 && !row.zombie);
        assert!(proportional(me).unwrap() > 0);
    }
}
