//! Where this process runs and as what, read from the environment once at the start.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Who called this process into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Platform {
    /// AWS Lambda, or whatever else speaks its Runtime API.
    Lambda,
    /// A job that handles one event and ends.
    OneShot,
    /// Google Cloud Run.
    CloudRun,
    /// Knative on a Kubernetes cluster.
    Knative,
    /// A plain Kubernetes pod.
    Kubernetes,
    /// None of these: a container elsewhere, or a terminal.
    Local,
}

/// How requests reach this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Pull from the Runtime API at this `host:port`.
    RuntimeApi(String),
    /// Listen on this address.
    Http(SocketAddr),
    /// Handle one event.
    OneShot(Event),
}

/// The one event of a one-shot run and where its answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) input: Input,
    pub(crate) content_type: Option<String>,
    /// Standard output where none is named.
    pub(crate) result: Option<PathBuf>,
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) traceparent: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Empty,
    Stdin,
    File(PathBuf),
}

/// The facts about this process that hold for every request.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) platform: Platform,
    pub(crate) function: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) memory_mb: Option<u32>,
    /// The function's own time limit, where no caller or platform enforces one.
    pub(crate) timeout: Option<Duration>,
    pub(crate) grace: Duration,
}

const DEFAULT_PORT: u16 = 8080;
const DEFAULT_GRACE: Duration = Duration::from_millis(8000);

impl Environment {
    /// Reads the environment through `get`.
    ///
    /// # Errors
    /// A message for the log where a variable that decides how to run can't be understood.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Result<(Self, Protocol), String> {
        // An empty variable is how many platforms write an absent one.
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let (platform, protocol) = detect(&get)?;
        let first = |names: &[&str]| names.iter().find_map(|name| get(name));
        let environment = Self {
            platform,
            function: first(&["ANYPORT_FUNCTION", "AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE"]),
            version: first(&[
                "ANYPORT_VERSION",
                "AWS_LAMBDA_FUNCTION_VERSION",
                "K_REVISION",
            ]),
            memory_mb: match first(&["ANYPORT_MEMORY_MB", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]) {
                Some(text) => text.parse().ok(),
                None => None,
            },
            timeout: milliseconds(&get, "ANYPORT_TIMEOUT_MS")?,
            grace: milliseconds(&get, "ANYPORT_GRACE_MS")?.unwrap_or(DEFAULT_GRACE),
        };
        Ok((environment, protocol))
    }
}

/// The first of these that matches: a platform that pulls, a job, then the servers from the most
/// specific to the least. A platform added later takes its place in this order.
fn detect(get: &impl Fn(&str) -> Option<String>) -> Result<(Platform, Protocol), String> {
    if let Some(api) = get("AWS_LAMBDA_RUNTIME_API") {
        return Ok((Platform::Lambda, Protocol::RuntimeApi(api)));
    }
    let event = get("ANYPORT_EVENT");
    if event.is_some() || get("CLOUD_RUN_JOB").is_some() {
        let input = match event.as_deref() {
            None => Input::Empty,
            Some("-") => Input::Stdin,
            Some(path) => Input::File(path.into()),
        };
        let event = Event {
            input,
            content_type: get("ANYPORT_EVENT_TYPE"),
            result: get("ANYPORT_RESULT").map(PathBuf::from),
            request_id: get("ANYPORT_REQUEST_ID"),
            idempotency_key: get("ANYPORT_IDEMPOTENCY_KEY"),
            traceparent: get("TRACEPARENT"),
        };
        return Ok((Platform::OneShot, Protocol::OneShot(event)));
    }
    let platform = match (
        get("K_SERVICE").is_some(),
        get("KUBERNETES_SERVICE_HOST").is_some(),
    ) {
        (true, false) => Platform::CloudRun,
        (true, true) => Platform::Knative,
        (false, true) => Platform::Kubernetes,
        (false, false) => Platform::Local,
    };
    Ok((platform, Protocol::Http(address(get, platform)?)))
}

/// A container must be reachable from outside it; a program started in a terminal must not be.
fn address(
    get: &impl Fn(&str) -> Option<String>,
    platform: Platform,
) -> Result<SocketAddr, String> {
    let port = match get("PORT") {
        Some(text) => Some(text.parse().map_err(|_| {
            format!("PORT is {text:?}, which is no port number; set it to a number up to 65535")
        })?),
        None => None,
    };
    let host: IpAddr = match get("ANYPORT_BIND") {
        Some(text) => text.parse().map_err(|_| {
            format!(
                "ANYPORT_BIND is {text:?}, which is no IP address; set it to one such as 127.0.0.1"
            )
        })?,
        None if port.is_none() && platform == Platform::Local => Ipv4Addr::LOCALHOST.into(),
        None => Ipv4Addr::UNSPECIFIED.into(),
    };
    Ok(SocketAddr::new(host, port.unwrap_or(DEFAULT_PORT)))
}

fn milliseconds(
    get: &impl Fn(&str) -> Option<String>,
    name: &str,
) -> Result<Option<Duration>, String> {
    let Some(text) = get(name) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(value) => Ok(Some(Duration::from_millis(value))),
        Err(_) => Err(format!(
            "{name} is {text:?}; set it to a whole number of milliseconds"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<(Environment, Protocol), String> {
        let vars: Vec<(String, String)> = vars
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Environment::read(move |name| {
            vars.iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        })
    }

    #[test]
    fn the_first_platform_that_matches_wins() {
        let all = [
            ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
            ("ANYPORT_EVENT", "-"),
            ("CLOUD_RUN_JOB", "job"),
            ("K_SERVICE", "greet"),
            ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ];
        for (skipped, platform) in [
            (0, Platform::Lambda),
            (1, Platform::OneShot),
            (2, Platform::OneShot),
            (3, Platform::Knative),
            (4, Platform::Kubernetes),
            (5, Platform::Local),
        ] {
            assert_eq!(
                read(&all[skipped..]).unwrap().0.platform,
                platform,
                "without {skipped}"
            );
        }
        assert_eq!(read(&all[3..4]).unwrap().0.platform, Platform::CloudRun);
        assert_eq!(
            read(&[("AWS_LAMBDA_RUNTIME_API", "")]).unwrap().0.platform,
            Platform::Local
        );
    }

    #[test]
    fn only_a_container_listens_beyond_this_machine() {
        for (vars, address) in [
            (&[][..], "127.0.0.1:8080"),
            (&[("PORT", "9")], "0.0.0.0:9"),
            (&[("K_SERVICE", "greet")], "0.0.0.0:8080"),
            (
                &[("PORT", "9"), ("ANYPORT_BIND", "127.0.0.1")],
                "127.0.0.1:9",
            ),
            (&[("PORT", "9"), ("ANYPORT_BIND", "::1")], "[::1]:9"),
        ] {
            assert_eq!(
                read(vars).unwrap().1,
                Protocol::Http(address.parse().unwrap())
            );
        }
    }

    #[test]
    fn the_functions_own_facts_come_from_whoever_names_them() {
        let (env, _) = read(&[
            ("K_SERVICE", "svc"),
            ("ANYPORT_FUNCTION", "greet"),
            ("K_REVISION", "greet-00007"),
            ("ANYPORT_MEMORY_MB", "512"),
            ("ANYPORT_TIMEOUT_MS", "1500"),
        ])
        .unwrap();
        assert_eq!(env.function.as_deref(), Some("greet"));
        assert_eq!(env.version.as_deref(), Some("greet-00007"));
        assert_eq!(env.memory_mb, Some(512));
        assert_eq!(env.timeout, Some(Duration::from_millis(1500)));
        assert_eq!(env.grace, DEFAULT_GRACE);
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        for (name, value) in [
            ("PORT", "70000"),
            ("ANYPORT_BIND", "localhost"),
            ("ANYPORT_GRACE_MS", "8s"),
            ("ANYPORT_TIMEOUT_MS", "-1"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}
