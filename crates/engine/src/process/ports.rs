//! Who listens on a port.

use std::collections::HashSet;
use std::fs;

/// Whether one of `pids` listens on `port` of this machine's loopback. `None` when that can't be told,
/// as for a process of another user.
pub(crate) fn held_by(port: u16, pids: &[i32]) -> Option<bool> {
    let sockets: HashSet<String> = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|table| listeners(&table, port))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let mut unseen = pids.is_empty();
    for pid in pids {
        let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
            unseen = true;
            continue;
        };
        let held = files
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|link| link.to_str().is_some_and(|name| sockets.contains(name)));
        if held {
            return Some(true);
        }
    }
    if unseen { None } else { Some(false) }
}

/// The sockets that listen on `port`, as `/proc/PID/fd` names them.
fn listeners(table: &str, port: u16) -> Vec<String> {
    const LISTENS: &str = "0A";
    let port = format!(":{port:04X}");
    table
        .lines()
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let (local, state) = (fields.nth(1)?, fields.nth(1)?);
            let inode = fields.nth(5)?;
            (local.ends_with(&port) && state == LISTENS).then(|| format!("socket:[{inode}]"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listeners_on_the_port_count() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:3E80 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100
   1: 0100007F:3E80 0100007F:AAAA 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100
   2: 0100007F:3E81 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 779 1 0 100
";
        assert_eq!(listeners(table, 16_000), ["socket:[777]"]);
        assert!(listeners(table, 1).is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_told_from_others() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let me = i32::try_from(std::process::id()).unwrap();
        assert_eq!(held_by(port, &[me]), Some(true));
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = i32::try_from(other.id()).unwrap();
        assert_eq!(held_by(port, &[pid]), Some(false));
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(held_by(port, &[]), None);
        drop(listener);
        assert_eq!(held_by(port, &[me]), None);
    }
}
