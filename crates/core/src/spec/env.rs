//! Which environment variable names every target takes.

use crate::error::Violation;

/// The rule for environment variable names, in words.
pub const ENV_NAME_RULE: &str = "2 to 64 upper-case letters, digits and underscores, starting with a letter, outside the names that platforms reserve";

/// Prefixes, or whole names where they end in no underscore, that one platform or another keeps for itself.
const RESERVED_PREFIXES: [&str; 16] = [
    "AWS_",
    "LAMBDA_",
    "FUNCTIONS_",
    "AZUREWEBJOBS",
    "WEBSITE_",
    "SCM_",
    "K_",
    "CLOUD_RUN_",
    "GOOGLE_",
    "KUBERNETES_",
    "DAPR_",
    "APP_",
    "ANYPORT_",
    "FUNCTION_",
    "CONTAINER_APP_",
    "LD_",
];
const RESERVED_NAMES: [&str; 6] = ["PORT", "PATH", "HOME", "TMPDIR", "_HANDLER", "PWD"];

/// The violation of `name` as an environment variable name, if it is one.
#[must_use]
pub fn env_name_violation(name: &str) -> Option<Violation> {
    let bytes = name.as_bytes();
    let shaped = (2..=64).contains(&bytes.len())
        && bytes[0].is_ascii_uppercase()
        && bytes
            .iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_');
    let reserved = RESERVED_NAMES.contains(&name)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix));
    if shaped && !reserved {
        return None;
    }
    let violation = Violation::new(format!("env.{name}"), ENV_NAME_RULE).value(name);
    Some(if reserved {
        violation.nearest(format!("MY_{name}"))
    } else {
        violation.nearest(nearest(name))
    })
}

fn nearest(name: &str) -> String {
    let mut text: String = name
        .chars()
        .map(|c| {
            let c = c.to_ascii_uppercase();
            if c.is_ascii_uppercase() || c.is_ascii_digit() {
                c
            } else {
                '_'
            }
        })
        .take(60)
        .collect();
    if !text.starts_with(|c: char| c.is_ascii_uppercase()) || text.len() < 2 {
        text.insert_str(0, "VAR");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_and_misshapen_names_are_refused_with_a_valid_neighbour() {
        for bad in [
            "",
            "A",
            "lower",
            "1A",
            "A-B",
            "PORT",
            "AWS_REGION",
            "K_SERVICE",
            "LD_PRELOAD",
        ] {
            let violation = env_name_violation(bad).unwrap();
            let nearest = violation.nearest.unwrap();
            assert!(env_name_violation(&nearest).is_none(), "{bad} -> {nearest}");
        }
        assert!(env_name_violation("GREETING").is_none());
    }
}
