//! What the `Host` header says: that the client means this machine, and which service or resource.

/// What a request's host means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// This machine, and nothing more.
    Plain,
    /// `SERVICE.localhost` or `SERVICE.REGION.localhost`.
    Service(String),
    /// `BUCKET.localhost`, `BUCKET.s3.localhost` or `BUCKET.s3.REGION.localhost`.
    Bucket(String),
    /// `ID.lambda-url.REGION.localhost`.
    FunctionUrl {
        /// The URL's id.
        id: String,
        /// Its region.
        region: String,
    },
}

/// Names of services that are no names of buckets.
const SERVICES: [&str; 7] = ["lambda", "s3", "sqs", "sts", "iam", "logs", "queue"];

impl Host {
    /// Takes a host apart. `None` for hosts that are not this machine: a page of another site whose name
    /// was made to point here must not get at the cloud.
    pub(super) fn parse(host: &str) -> Option<Self> {
        let name = without_port(host).to_ascii_lowercase();
        if matches!(name.as_str(), "localhost" | "127.0.0.1" | "[::1]") {
            return Some(Self::Plain);
        }
        let name = name.strip_suffix(".localhost")?;
        let labels: Vec<&str> = name.split('.').collect();
        if labels.iter().any(|label| label.is_empty()) {
            return None;
        }
        Some(match labels[..] {
            [id, "lambda-url", region] => Self::FunctionUrl {
                id: id.to_owned(),
                region: region.to_owned(),
            },
            [service] | [service, _] if SERVICES.contains(&service) => {
                Self::Service(service.to_owned())
            }
            [ref bucket @ .., "s3", _] | [ref bucket @ .., "s3"] | ref bucket => {
                Self::Bucket(bucket.join("."))
            }
        })
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_let_in() {
        for host in [
            "127.0.0.1:4566",
            "localhost",
            "LOCALHOST:1",
            "[::1]:80",
            "[::1]",
        ] {
            assert_eq!(Host::parse(host), Some(Host::Plain), "{host}");
        }
    }

    #[test]
    fn others_are_not() {
        for host in [
            "example.com",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "",
            ".localhost",
            "a..localhost",
            "192.168.0.1",
            "notlocalhost",
        ] {
            assert_eq!(Host::parse(host), None, "{host}");
        }
    }

    #[test]
    fn buckets_urls_and_services_have_names() {
        let bucket = |name: &str| Some(Host::Bucket(name.to_owned()));
        assert_eq!(Host::parse("b.localhost:1"), bucket("b"));
        assert_eq!(Host::parse("b.s3.localhost"), bucket("b"));
        assert_eq!(Host::parse("my.b.s3.eu-west-1.localhost"), bucket("my.b"));
        assert_eq!(
            Host::parse("s3.eu-west-1.localhost"),
            Some(Host::Service("s3".to_owned()))
        );
        assert_eq!(
            Host::parse("abc.lambda-url.eu-west-1.localhost:4566"),
            Some(Host::FunctionUrl {
                id: "abc".to_owned(),
                region: "eu-west-1".to_owned()
            })
        );
    }
}
