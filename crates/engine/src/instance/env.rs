//! The environment of an instance: clean, and what functions written for Lambda expect.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::process::MARK_VARIABLE;
use crate::spec::{Launch, PoolSpec};

/// What the environment depends on beside the pool.
pub(crate) struct Place<'a> {
    pub(crate) mark: &'a str,
    pub(crate) instance: &'a str,
    pub(crate) path: &'a str,
    pub(crate) tmp: &'a Path,
    pub(crate) home: &'a Path,
    pub(crate) runtime_dir: &'a Path,
    /// The interpreter's version, for language bundles.
    pub(crate) interpreter: &'a str,
    /// Host and port of the Runtime API, or the port to listen on.
    pub(crate) endpoint: Endpoint<'a>,
}

pub(crate) enum Endpoint<'a> {
    RuntimeApi(&'a str),
    Port(u16),
}

/// The variables, later ones having overridden earlier ones: defaults, the function's own, the engine's,
/// the platform's.
pub(crate) fn build(spec: &PoolSpec, place: &Place<'_>) -> Vec<(OsString, OsString)> {
    let mut env: BTreeMap<String, OsString> = BTreeMap::new();
    let mut set = |name: &str, value: OsString| {
        env.insert(name.to_owned(), value);
    };
    let text = OsString::from;
    let root = spec.code_dir.as_os_str();
    let mut libraries = root.to_owned();
    libraries.push(":");
    libraries.push(spec.code_dir.join("lib"));

    set("PATH", text(place.path.to_owned()));
    set("LANG", text("en_US.UTF-8".to_owned()));
    set("TZ", text(":UTC".to_owned()));
    set("LD_LIBRARY_PATH", libraries);
    set("AWS_REGION", text("us-east-1".to_owned()));
    set("AWS_DEFAULT_REGION", text("us-east-1".to_owned()));
    if matches!(spec.launch, Launch::Python { .. }) {
        // Compiled modules must not be written into the shared code directory.
        set(
            "PYTHONPYCACHEPREFIX",
            place.runtime_dir.join("pycache").into(),
        );
    }
    for (name, value) in &spec.env {
        set(name, text(value.clone()));
    }

    let memory = spec.memory_mb.to_string();
    set("AWS_LAMBDA_FUNCTION_NAME", text(spec.function.clone()));
    set("AWS_LAMBDA_FUNCTION_VERSION", text(spec.version.clone()));
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", text(memory.clone()));
    set(
        "AWS_LAMBDA_LOG_GROUP_NAME",
        text(format!("/aws/lambda/{}", spec.function)),
    );
    set(
        "AWS_LAMBDA_LOG_STREAM_NAME",
        text(format!("[{}]{}", spec.version, place.instance)),
    );
    set(
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        text("on-demand".to_owned()),
    );
    set(
        "AWS_EXECUTION_ENV",
        text(execution_env(&spec.launch, place.interpreter)),
    );
    set("LAMBDA_TASK_ROOT", root.to_owned());
    set("LAMBDA_RUNTIME_DIR", place.runtime_dir.into());
    set("_HANDLER", text(spec.launch.handler().to_owned()));
    set("ANYPORT_FUNCTION", text(spec.function.clone()));
    set("ANYPORT_VERSION", text(spec.version.clone()));
    set("ANYPORT_MEMORY_MB", text(memory));
    set("TMPDIR", place.tmp.into());
    set("HOME", place.home.into());
    match place.endpoint {
        Endpoint::RuntimeApi(address) => set("AWS_LAMBDA_RUNTIME_API", text(address.to_owned())),
        Endpoint::Port(port) => {
            set("PORT", text(port.to_string()));
            set("ANYPORT_BIND", text("127.0.0.1".to_owned()));
        }
    }
    for (name, value) in &spec.platform_env {
        set(name, text(value.clone()));
    }
    for (name, value) in spec.observer.starting(place.instance) {
        match value {
            Some(value) => env.insert(name, value.into()),
            None => env.remove(&name),
        };
    }
    let mut set = |name: &str, value: OsString| {
        env.insert(name.to_owned(), value);
    };
    set(MARK_VARIABLE, text(place.mark.to_owned()));

    let mut env: Vec<(OsString, OsString)> = env
        .into_iter()
        .map(|(name, value)| (OsString::from(name), value))
        .collect();
    if matches!(place.endpoint, Endpoint::Port(_)) {
        // A function that sees a Runtime API would not listen.
        env.retain(|(name, _)| name != "AWS_LAMBDA_RUNTIME_API");
    }
    env
}

fn execution_env(launch: &Launch, version: &str) -> String {
    match launch {
        Launch::Python { .. } => format!("AWS_Lambda_python{version}"),
        Launch::Node { .. } => format!("AWS_Lambda_nodejs{version}.x"),
        Launch::Bootstrap | Launch::Http { .. } | Launch::HttpBootstrap => {
            "AWS_Lambda_provided.al2023".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place<'a>(endpoint: Endpoint<'a>) -> Place<'a> {
        Place {
            mark: "e-1",
            instance: "i",
            path: "/bin",
            tmp: Path::new("/s/tmp"),
            home: Path::new("/s/home"),
            runtime_dir: Path::new("/r"),
            interpreter: "3.12",
            endpoint,
        }
    }

    fn get<'a>(env: &'a [(OsString, OsString)], name: &str) -> Option<&'a str> {
        env.iter().find(|(key, _)| key == name)?.1.to_str()
    }

    #[test]
    fn reserved_names_win_over_the_functions_own() {
        let mut spec = PoolSpec::new("f", "7", "/code", Launch::Bootstrap);
        for name in [
            "HOME",
            "AWS_LAMBDA_FUNCTION_NAME",
            MARK_VARIABLE,
            "TZ",
            "MINE",
        ] {
            spec.env.insert(name.to_owned(), "user".to_owned());
        }
        spec.platform_env
            .insert("AWS_REGION".to_owned(), "eu-west-1".to_owned());
        let env = build(&spec, &place(Endpoint::RuntimeApi("127.0.0.1:9")));
        assert_eq!(get(&env, "HOME"), Some("/s/home"));
        assert_eq!(get(&env, "AWS_LAMBDA_FUNCTION_NAME"), Some("f"));
        assert_eq!(get(&env, MARK_VARIABLE), Some("e-1"));
        assert_eq!(get(&env, "TZ"), Some("user"));
        assert_eq!(get(&env, "MINE"), Some("user"));
        assert_eq!(get(&env, "AWS_REGION"), Some("eu-west-1"));
        assert_eq!(get(&env, "AWS_LAMBDA_RUNTIME_API"), Some("127.0.0.1:9"));
        assert_eq!(get(&env, "_HANDLER"), Some("bootstrap"));
    }

    #[test]
    fn a_listener_gets_its_port_and_no_runtime_api() {
        let mut spec = PoolSpec::new("f", "7", "/code", Launch::HttpBootstrap);
        spec.env
            .insert("AWS_LAMBDA_RUNTIME_API".to_owned(), "x".to_owned());
        let env = build(&spec, &place(Endpoint::Port(8081)));
        assert_eq!(get(&env, "PORT"), Some("8081"));
        assert_eq!(get(&env, "ANYPORT_BIND"), Some("127.0.0.1"));
        assert_eq!(get(&env, "AWS_LAMBDA_RUNTIME_API"), None);
    }
}
