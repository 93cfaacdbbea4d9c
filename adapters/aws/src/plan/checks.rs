//! What stops a plan before its first step.

use anyport_core::error::{Error, ErrorKind, Result, Violation, Violations};
use anyport_core::plan::{Desired, Health, Observed, State};
use anyport_core::spec::{Packaging, Protocol, Spec};

use crate::capability::MAX_ENV;
use crate::config::Config;
use crate::{lower, native, upload};

/// Checks what Lambda asks of a spec beyond what capabilities can say, and finds everything at once.
///
/// # Errors
/// `Unsupported` for a server in a zip; `InvalidSpec` with every violation.
pub(super) fn spec(verb: &'static str, config: &Config, want: &Desired, spec: &Spec) -> Result<()> {
    let http = Packaging::Zip {
        protocol: Protocol::Http,
    };
    if spec.artifact.packaging == http {
        let hint = "Lambda calls functions, not servers; build the bootstrap for the Lambda Runtime API, or use a target that runs servers";
        return Err(refused("artifacts.zip.http", want, verb, hint));
    }
    let mut found = Violations::none();
    if spec.identity.is_none() && config.execution_role.is_none() {
        let rule = "a function on Lambda runs as a role: name one here, or set the target's execution role";
        found.push(Violation::new("identity", rule).nearest("arn:aws:iam::ACCOUNT:role/NAME"));
    }
    if let Some(network) = &spec.network
        && let Some(connector) = &network.connector
    {
        let rule = "Lambda has subnets and security groups, and no connectors";
        found.push(Violation::new("network.connector", rule).value(connector));
    }
    let bytes = lower::env_bytes(spec);
    if !spec.env.is_empty() && bytes > MAX_ENV {
        let rule = format!("all variables as one JSON object are at most {MAX_ENV} bytes");
        found.push(Violation::new("env", rule).value(format_args!("{bytes} bytes")));
    }
    if let Err(wrong) = native::read(spec, "") {
        found.extend(wrong);
    }
    if !upload::AVAILABLE && upload::is_large(spec, want.content.as_deref()) {
        let rule =
            "larger code goes through a bucket, and this program is built without the feature s3";
        found.push(
            Violation::new("artifact.size", rule)
                .value(spec.artifact.size)
                .nearest(upload::MAX_DIRECT),
        );
    }
    found
        .or(())
        .map_err(|found| Error::new(ErrorKind::InvalidSpec(found), verb).on(&want.name))
}

/// What should change has to be there.
pub(super) fn there<'a>(
    verb: &'static str,
    want: &Desired,
    seen: Option<&'a Observed>,
) -> Result<&'a Observed> {
    seen.ok_or_else(|| Error::new(ErrorKind::NotFound, verb).on(&want.name))
}

/// Nothing with another mark, or none, is changed.
pub(super) fn ours(verb: &'static str, want: &Desired, seen: &Observed) -> Result<()> {
    if seen.owned.is_by(&want.owner) {
        return Ok(());
    }
    let owner = seen.owned.words().to_owned();
    Err(Error::new(ErrorKind::AlreadyExists { owner }, verb)
        .on(&want.name)
        .hint(match want.state {
            State::Present(_) => "choose another name, or adopt it if it is yours",
            _ => "adopt it if it is yours",
        }))
}

/// No change starts while another is under way.
pub(super) fn settled(verb: &'static str, want: &Desired, seen: &Observed) -> Result<()> {
    if seen.health != Health::Pending {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Conflict, verb)
        .on(&want.name)
        .because("another change is under way")
        .hint("wait until it has ended, then try again"))
}

/// A protected function stays as it is unless the caller insists.
pub(super) fn unprotected(verb: &'static str, want: &Desired, seen: &Observed) -> Result<()> {
    if !seen.is_protected() || want.force.protected {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Forbidden, verb)
        .on(&want.name)
        .because("it is protected")
        .hint("insist if you mean it"))
}

pub(super) fn refused(capability: &str, want: &Desired, verb: &'static str, hint: &str) -> Error {
    let kind = ErrorKind::Unsupported {
        capability: capability.to_owned(),
        hint: hint.to_owned(),
    };
    Error::new(kind, verb).on(&want.name)
}
