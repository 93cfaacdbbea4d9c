//! Where symbolic links of an archive lead, worked out before any is made.

use std::collections::HashMap;

/// As many links as Linux follows before it gives up.
const MOST_HOPS: usize = 40;
/// Parts looked up for all links of one archive together: enough for any honest one, and a
/// bound on what a web of links can cost.
pub(super) const BUDGET: u32 = 1_000_000;
/// Longer targets are no use to a program and a cost to us.
pub(super) const LONGEST_TARGET: u64 = 4096;

/// Whether following `link` ends inside the folder, given every link of the archive by its path.
///
/// A link to nothing is harmless; a circle is not.
pub(super) fn stays_inside(link: &str, links: &HashMap<&str, &str>, budget: &mut u32) -> bool {
    follow(link, links, budget).is_some()
}

/// Where `link` leads inside the folder; `None` when it leaves it or goes in a circle.
///
/// Resolved as the kernel would: part by part, a link in the middle replaced by its own target.
pub(super) fn follow(link: &str, links: &HashMap<&str, &str>, budget: &mut u32) -> Option<String> {
    let mut left: Vec<&str> = link.split('/').rev().collect();
    let mut here: Vec<&str> = Vec::new();
    let mut hops = 0;
    while let Some(part) = left.pop() {
        *budget = budget.checked_sub(1)?;
        match part {
            "" | "." => continue,
            ".." => {
                here.pop()?;
                continue;
            }
            _ => here.push(part),
        }
        if let Some(target) = links.get(here.join("/").as_str()) {
            hops += 1;
            if hops > MOST_HOPS || !is_relative(target) {
                return None;
            }
            here.pop();
            left.extend(target.split('/').rev());
        }
    }
    Some(here.join("/"))
}

fn is_relative(target: &str) -> bool {
    let mut head = target.bytes();
    let drive =
        head.next().is_some_and(|byte| byte.is_ascii_alphabetic()) && head.next() == Some(b':');
    !target.is_empty()
        && !target.starts_with('/')
        && !drive
        && !target.contains('\\')
        && !target.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(links: &[(&'static str, &'static str)]) -> Vec<bool> {
        let map: HashMap<_, _> = links.iter().copied().collect();
        let mut budget = BUDGET;
        links
            .iter()
            .map(|(link, _)| stays_inside(link, &map, &mut budget))
            .collect()
    }

    #[test]
    fn links_within_the_folder_are_fine() {
        assert_eq!(
            inside(&[("a/l", "../b/c"), ("m", "a/l"), ("n", "nowhere")]),
            [true; 3]
        );
        assert_eq!(inside(&[("bin/tool", "../tool/cli.js")]), [true]);
    }

    #[test]
    fn links_out_of_the_folder_are_found() {
        for (link, target) in [
            ("l", "/etc"),
            ("l", ".."),
            ("l", "../x"),
            ("a/l", "../../x"),
            ("l", "a/../../x"),
            ("l", "C:\\x"),
            ("l", ""),
            ("l", "a\\..\\.."),
        ] {
            assert_eq!(inside(&[(link, target)]), [false], "{link} -> {target}");
        }
    }

    #[test]
    fn links_through_links_are_followed() {
        // `d` is one level down, so `d/../..` leaves although the text alone looks harmless.
        assert_eq!(
            inside(&[("x/y/d", "../../e"), ("l", "x/y/d/../..")]),
            [true, false]
        );
        assert_eq!(inside(&[("a", "b"), ("b", "a")]), [false, false]);
        assert_eq!(inside(&[("a", "a/b")]), [false]);
    }

    #[test]
    fn a_link_is_followed_to_what_it_is_about() {
        let links = HashMap::from([("bootstrap", "bin/run"), ("bin", "real/./bin")]);
        let mut budget = BUDGET;
        assert_eq!(
            follow("bootstrap", &links, &mut budget).as_deref(),
            Some("real/bin/run")
        );
        assert_eq!(
            follow("other", &links, &mut budget).as_deref(),
            Some("other")
        );
    }

    #[test]
    fn a_web_of_links_runs_out_of_budget() {
        let mut budget = 3;
        assert!(stays_inside("a/b/c", &HashMap::new(), &mut budget));
        assert!(!stays_inside("a/b/c", &HashMap::new(), &mut budget));
    }
}
