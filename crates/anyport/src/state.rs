//! The folders of the user in which targets on this machine keep their state. The environment is read here, and nowhere below.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyport_core::error::{Error, ErrorKind, Result, Violation};

/// What keeps state on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// `local://`.
    #[cfg_attr(not(feature = "local"), allow(dead_code))]
    Local,
    /// An embedded cloud.
    #[cfg_attr(not(feature = "embedded-aws"), allow(dead_code))]
    Embedded(&'static str),
}

impl Keeper {
    /// The folder of this keeper: inside `$ANYPORT_STATE`, else `$XDG_STATE_HOME/anyport`, else `~/.local/state/anyport`.
    ///
    /// # Errors
    /// `InvalidSpec` when `ANYPORT_STATE` is set to a path that is not absolute; `NotFound` when nothing says where.
    pub(crate) fn folder(self) -> Result<PathBuf> {
        self.folder_from(|name| std::env::var_os(name))
    }

    fn folder_from(self, variable: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
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
            return Err(Error::new(kind, "find the state folder of").on(self.url()));
        }
        if let Some(root) = absolute("ANYPORT_STATE") {
            return Ok(match self {
                Self::Local => root,
                Self::Embedded(name) => root.join("embedded").join(name),
            });
        }
        absolute("XDG_STATE_HOME")
            .or_else(|| Some(absolute("HOME")?.join(".local/state")))
            .map(|state| state.join("anyport"))
            .map(|root| match self {
                Self::Local => root.join("local"),
                Self::Embedded(name) => root.join("embedded").join(name),
            })
            .ok_or_else(|| {
                Error::new(ErrorKind::NotFound, "find the state folder of")
                    .on(self.url())
                    .because(
                        "none of ANYPORT_STATE, XDG_STATE_HOME and HOME is set to an absolute path",
                    )
                    .hint(match self {
                        Self::Local => {
                            "set ANYPORT_STATE, or name a folder: local:///absolute/path"
                        }
                        Self::Embedded(_) => "set ANYPORT_STATE",
                    })
            })
    }

    const fn url(self) -> &'static str {
        match self {
            Self::Local => "local://",
            Self::Embedded(_) => "the embedded cloud",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_absolute_folder_counts() {
        let folder = |keeper: Keeper, set: &[(&str, &str)]| {
            keeper.folder_from(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| OsString::from(value))
            })
        };
        let home = ("HOME", "/home/me");
        let xdg = ("XDG_STATE_HOME", "/state");
        let aws = Keeper::Embedded("aws");
        for (set, local, embedded) in [
            (
                &[home][..],
                "/home/me/.local/state/anyport/local",
                "/home/me/.local/state/anyport/embedded/aws",
            ),
            (
                &[home, xdg],
                "/state/anyport/local",
                "/state/anyport/embedded/aws",
            ),
            (
                &[home, xdg, ("ANYPORT_STATE", "/mine")],
                "/mine",
                "/mine/embedded/aws",
            ),
            (
                &[home, ("ANYPORT_STATE", "")],
                "/home/me/.local/state/anyport/local",
                "/home/me/.local/state/anyport/embedded/aws",
            ),
            (
                &[home, ("XDG_STATE_HOME", "relative")],
                "/home/me/.local/state/anyport/local",
                "/home/me/.local/state/anyport/embedded/aws",
            ),
        ] {
            assert_eq!(folder(Keeper::Local, set).unwrap(), Path::new(local));
            assert_eq!(folder(aws, set).unwrap(), Path::new(embedded));
        }
        let relative = ("ANYPORT_STATE", "mine/state");
        let error = folder(aws, &[home, relative]).unwrap_err().to_string();
        assert!(error.contains("must be an absolute path"), "{error}");
        let error = folder(Keeper::Local, &[]).unwrap_err().to_string();
        assert!(error.contains("local:///absolute/path"), "{error}");
    }
}
