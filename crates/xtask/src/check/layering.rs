//! Which crate may know which: one table, and what must not come in through others.

use super::Seen;
use crate::commands::Failure;
use crate::repo::{Repo, Workspace};

/// One crate's place in the house.
struct Layer {
    name: &'static str,
    /// Crates of ours that it may depend on.
    may_know: &'static [&'static str],
    /// Crates of ours that its tests may depend on as well.
    tests_may_know: &'static [&'static str],
}

/// The whole house. Core knows nobody, adapters never each other, the suite no adapter.
const HOUSE: [Layer; 18] = [
    Layer {
        name: "anyport-core",
        may_know: &[],
        tests_may_know: &[],
    },
    Layer {
        name: "anyport-runtime",
        may_know: &[],
        tests_may_know: &[],
    },
    Layer {
        name: "anyport-engine",
        may_know: &[],
        tests_may_know: &["anyport-runtime"],
    },
    Layer {
        name: "anyport-package",
        may_know: &["anyport-core"],
        tests_may_know: &[],
    },
    // It knows no adapter: a misread wire format must not pass on both sides.
    Layer {
        name: "anyport-emulator-aws",
        may_know: &["anyport-engine", "anyport-package"],
        tests_may_know: &["anyport-runtime"],
    },
    Layer {
        name: "anyport-client",
        may_know: &["anyport-core"],
        tests_may_know: &["anyport-testkit"],
    },
    Layer {
        name: "anyport-testkit",
        may_know: &["anyport-core", "anyport-package", "anyport-runtime"],
        tests_may_know: &[],
    },
    Layer {
        name: "anyport-local",
        may_know: &["anyport-core", "anyport-engine", "anyport-package"],
        tests_may_know: &["anyport-client", "anyport-testkit"],
    },
    Layer {
        name: "anyport-aws",
        may_know: &["anyport-core"],
        tests_may_know: &["anyport-client", "anyport-emulator-aws", "anyport-testkit"],
    },
    Layer {
        name: "anyport-conformance",
        may_know: &["anyport-core", "anyport-client", "anyport-testkit"],
        tests_may_know: &[],
    },
    Layer {
        name: "anyport",
        may_know: &[
            "anyport-core",
            "anyport-client",
            "anyport-package",
            "anyport-local",
            "anyport-aws",
            "anyport-emulator-aws",
        ],
        tests_may_know: &["anyport-runtime", "anyport-testkit"],
    },
    Layer {
        name: "anyport-cli",
        may_know: &[
            "anyport",
            "anyport-conformance",
            "anyport-conformance-runner",
        ],
        tests_may_know: &["anyport-testkit"],
    },
    Layer {
        name: "anyport-conformance-runner",
        may_know: &["anyport", "anyport-conformance", "anyport-testkit"],
        tests_may_know: &[],
    },
    // Stands for an adapter outside this repository, and brings its own platform.
    Layer {
        name: "custom-adapter",
        may_know: &["anyport-core", "anyport-engine", "anyport-package"],
        tests_may_know: &["anyport-client", "anyport-conformance", "anyport-testkit"],
    },
    Layer {
        name: "copy-functions",
        may_know: &["anyport"],
        tests_may_know: &["anyport-testkit"],
    },
    Layer {
        name: "places-service",
        may_know: &["anyport"],
        tests_may_know: &["anyport-testkit"],
    },
    Layer {
        name: "quickstart",
        may_know: &["anyport-runtime"],
        tests_may_know: &[],
    },
    // Not part of the product: it measures and checks all of it.
    Layer {
        name: "xtask",
        may_know: &[
            "anyport",
            "anyport-conformance",
            "anyport-core",
            "anyport-client",
            "anyport-emulator-aws",
            "anyport-package",
            "anyport-runtime",
        ],
        tests_may_know: &[],
    },
];

/// What a crate must not need, by whichever way.
const BARRED: [(&str, &[&str], &str); 4] = [
    (
        "anyport-core",
        &["tokio", "hyper", "http", "reqwest", "getrandom"],
        "core is pure",
    ),
    ("anyport-runtime", TLS, "its size decides cold start"),
    ("anyport-engine", TLS, "it serves loopback only"),
    ("anyport-emulator-aws", TLS, "it serves loopback only"),
];

const TLS: &[&str] = &["rustls", "native-tls", "openssl", "ring", "aws-lc-rs"];

pub(super) fn run(repo: &Repo) -> Result<Seen, Failure> {
    let mut seen = check(&repo.workspace);
    for layer in HOUSE
        .iter()
        .filter(|layer| repo.workspace.member(layer.name).is_none())
    {
        seen.problem(
            layer.name,
            "is in the layering table and not in the workspace",
        );
    }
    Ok(seen)
}

fn check(workspace: &Workspace) -> Seen {
    let mut seen = Seen::default();
    for member in &workspace.members {
        let Some(layer) = HOUSE.iter().find(|layer| layer.name == member.name) else {
            seen.problem(&member.name, "has no place in the layering table; add it");
            continue;
        };
        for dependency in &member.dependencies {
            let to = dependency.name.as_str();
            if workspace.member(to).is_none() {
                continue;
            }
            seen.looked_at += 1;
            let for_tests = dependency.is_for_tests();
            let allowed =
                layer.may_know.contains(&to) || (for_tests && layer.tests_may_know.contains(&to));
            if !allowed {
                let tests = if for_tests { "'s tests" } else { "" };
                seen.problem(
                    &member.name,
                    format!("{}{tests} must not depend on {to}", member.name),
                );
            }
        }
    }
    for (name, barred, why) in BARRED {
        let Some(member) = workspace.member(name) else {
            continue;
        };
        for package in barred {
            if let Some(way) = workspace.way_to(member, package) {
                seen.problem(
                    name,
                    format!("must not need {package}, {why}: {}", way.join(" -> ")),
                );
            }
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_as_drawn_passes() {
        let seen = check(&Workspace::of(&[
            ("anyport-core", &["serde"]),
            (
                "anyport-client",
                &["anyport-core", "tokio", "+anyport-testkit"],
            ),
            ("anyport-testkit", &["anyport-core"]),
        ]));
        assert_eq!((seen.looked_at, seen.problems), (3, vec![]));
    }

    #[test]
    fn a_wrong_edge_is_found() {
        let seen = check(&Workspace::of(&[
            ("anyport-core", &[]),
            ("anyport-local", &["anyport-core"]),
            ("anyport-conformance", &["anyport-core", "anyport-local"]),
            ("anyport-engine", &["+anyport-core"]),
        ]));
        assert_eq!(
            seen.problems,
            [
                "anyport-conformance: anyport-conformance must not depend on anyport-local",
                "anyport-engine: anyport-engine's tests must not depend on anyport-core",
            ]
        );
    }

    #[test]
    fn what_comes_in_through_others_is_found() {
        let seen = check(&Workspace::of(&[
            ("anyport-core", &["harmless", "+tokio"]),
            ("harmless", &["hyper"]),
            ("hyper", &[]),
        ]));
        let expected =
            "anyport-core: must not need hyper, core is pure: anyport-core -> harmless -> hyper";
        assert!(
            seen.problems.iter().any(|problem| problem == expected),
            "{:?}",
            seen.problems
        );
        assert!(
            !seen
                .problems
                .iter()
                .any(|problem| problem.contains("tokio")),
            "{:?}",
            seen.problems
        );
    }

    #[test]
    fn a_new_crate_must_find_its_place() {
        let seen = check(&Workspace::of(&[("anyport-new", &[])]));
        assert_eq!(
            seen.problems,
            ["anyport-new: has no place in the layering table; add it"]
        );
    }
}
