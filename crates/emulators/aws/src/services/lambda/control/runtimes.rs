//! Runtimes: which may be used, and which of them can run here.

use crate::answer::ApiError;
use crate::cloud::Cloud;

use super::super::errors;
use super::super::run::runtime;

/// Runtimes that functions can't be created with any more. Source: Lambda developer guide, runtime
/// deprecation policy.
const BLOCKED: &[&str] = &[
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
];

/// Runtimes that AWS has, beside the blocked ones. Source: Lambda API model.
const KNOWN: &[&str] = &[
    "dotnet10",
    "dotnet6",
    "dotnet8",
    "java11",
    "java11.al2023",
    "java17",
    "java17.al2023",
    "java21",
    "java25",
    "java8.al2",
    "java8.al2023",
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "nodejs26.x",
    "provided.al2",
    "provided.al2023",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "python3.8",
    "python3.9",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "ruby4.0",
];

/// Refuses a runtime that new code can't be deployed for.
///
/// # Errors
/// There is none of this name, or it is deprecated.
pub(super) fn check(runtime: &str) -> Result<(), ApiError> {
    if BLOCKED.contains(&runtime) {
        return Err(errors::invalid(format!(
            "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions."
        )));
    }
    if !KNOWN.contains(&runtime) {
        return Err(errors::invalid(format!(
            "Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a valid ARN",
            KNOWN.join(", ")
        )));
    }
    Ok(())
}

/// Lets a runtime be used that this machine can run. AWS has interpreters of all of them.
///
/// # Errors
/// What is missing.
pub(super) async fn check_here(cloud: &Cloud, runtime: &str) -> Result<(), ApiError> {
    runtime::interpreter(&cloud.engine, &cloud.config.interpreters, runtime)
        .await
        .map(|_| ())
        .map_err(|missing| errors::invalid(missing.to_string()))
}

/// The language runtimes of AWS that can run here, oldest first in each family. Looks for interpreters.
pub(crate) async fn here(cloud: &Cloud) -> Vec<String> {
    // By the number of the version, which is not the order of the text.
    let number = |name: &str| {
        let digits = name.trim_start_matches("python3.");
        let digits = digits.trim_start_matches("nodejs").trim_end_matches(".x");
        digits.parse::<u32>().unwrap_or_default()
    };
    let mut names: Vec<&str> = KNOWN
        .iter()
        .copied()
        .filter(|name| name.starts_with("python") || name.starts_with("nodejs"))
        .collect();
    names.sort_by_key(|name| (name.starts_with("nodejs"), number(name)));
    let mut found = Vec::new();
    for name in names {
        if check_here(cloud, name).await.is_ok() {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deprecated_and_unknown_runtimes_are_refused() {
        assert!(check("cobol").unwrap_err().message.contains("java21"));
        assert!(check("nodejs14.x").is_err());
        assert!(check("provided.al2023").is_ok());
    }
}
