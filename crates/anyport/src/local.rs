//! `local://`: functions as processes on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyport_core::error::{Error, ErrorKind, Result, Violation};
use anyport_core::provider::Provider;
use anyport_core::target::TargetUrl;
pub use anyport_local::{Config, Containment, containment};
use futures_core::future::BoxFuture;

use crate::connect::{Connect, Settings};

impl Connect {
    /// Settings for a `local://` target. Without them, the state folder of a URL without a path is the user's own: see [`state_folder`].
    #[must_use]
    pub fn local(mut self, config: Config) -> Self {
        self.settings.local = Some(config);
        self
    }
}

/// The user's state folder: `$ANYPORT_STATE`, else `$XDG_STATE_HOME/anyport/local`, else `~/.local/state/anyport/local`.
///
/// # Errors
/// `InvalidSpec` when `ANYPORT_STATE` is set to a path that is not absolute; `NotFound` when none of `ANYPORT_STATE`, `XDG_STATE_HOME` and
/// `HOME` is set to an absolute path.
pub fn state_folder() -> Result<PathBuf> {
    folder_from(|name| std::env::var_os(name))
}

fn folder_from(variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    // Who names a folder is not to find another one changed. (The rules for XDG_STATE_HOME say to ignore what is relative.)
    if let Some(given) = variable("ANYPORT_STATE").filter(|given| !given.is_empty())
        && !Path::new(&given).is_absolute()
    {
        let relative = Violation::new("ANYPORT_STATE", "must be an absolute path")
            .value(Path::new(&given).display());
        let kind = ErrorKind::InvalidSpec(vec![relative].into());
        return Err(Error::new(kind, "find the state folder of").on("local://"));
    }
    absolute("ANYPORT_STATE")
        .or_else(|| Some(absolute("XDG_STATE_HOME")?.join("anyport/local")))
        .or_else(|| Some(absolute("HOME")?.join(".local/state/anyport/local")))
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, "find the state folder of")
                .on("local://")
                .because(
                    "none of ANYPORT_STATE, XDG_STATE_HOME and HOME is set to an absolute path",
                )
                .hint("set ANYPORT_STATE, or name a folder: local:///absolute/path")
        })
}

pub(crate) fn open(
    url: TargetUrl,
    settings: Settings,
) -> BoxFuture<'static, Result<Arc<dyn Provider>>> {
    Box::pin(async move {
        let config = match settings.local {
            Some(config) => config,
            None if url.place().is_empty() => Config::new(state_folder()?),
            None => Config::new(Path::new(url.place())),
        };
        anyport_local::connect(&url, config)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_absolute_folder_counts() {
        let folder = |set: &[(&str, &str)]| {
            folder_from(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_STATE_HOME", "/state");
        for (set, path) in [
            (&[home][..], "/home/me/.local/state/anyport/local"),
            (&[home, xdg], "/state/anyport/local"),
            (&[home, xdg, ("ANYPORT_STATE", "/mine")], "/mine"),
            (
                &[home, ("ANYPORT_STATE", "")],
                "/home/me/.local/state/anyport/local",
            ),
            (
                &[home, ("XDG_STATE_HOME", "relative")],
                "/home/me/.local/state/anyport/local",
            ),
        ] {
            assert_eq!(folder(set).unwrap(), Path::new(path));
        }
        let relative = ("ANYPORT_STATE", "mine/state");
        let error = folder(&[home, relative]).unwrap_err().to_string();
        assert!(error.contains("must be an absolute path"), "{error}");
        let error = folder(&[]).unwrap_err();
        assert!(
            error.to_string().contains("local:///absolute/path"),
            "{error}"
        );
    }
}
