//! Where a function stands, as one text: the revision of an observation, and what the steps of a plan name in their writes.

use std::fmt;
use std::str::FromStr;

use anyport_core::Digest;
use anyport_core::spec::Arch;

/// Everything that a plan and its steps need beyond the contract's fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stand {
    /// The revision of the draft (`$LATEST`); none when there is no function.
    pub(crate) draft: Option<String>,
    /// The revision of the alias; none when there is none.
    pub(crate) alias: Option<String>,
    /// The newest version that was ever put into service.
    pub(crate) released: u64,
    /// What the draft runs.
    pub(crate) code: Option<Digest>,
    pub(crate) arch: Option<Arch>,
    /// The draft holds what the newest version does, and another one serves.
    pub(crate) rolled_back: bool,
    /// A version that equals the draft and was never put into service.
    pub(crate) ready: Option<u64>,
    /// Other versions that were never put into service.
    pub(crate) loose: Vec<u64>,
    /// The alias is not there, or is not ready to be relied upon: nothing says yet where events go that are given up.
    pub(crate) bare: bool,
    /// Between steps: the digest of what the new version holds.
    pub(crate) content: Option<String>,
    /// The URL of the queue for dead letters, where it was read and is there.
    pub(crate) queue: Option<String>,
    /// A digest of everything else.
    pub(crate) rest: String,
}

impl Stand {
    /// Whether there is a function.
    pub(crate) const fn exists(&self) -> bool {
        self.draft.is_some()
    }
}

impl fmt::Display for Stand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "released={}", self.released)?;
        if let Some(draft) = &self.draft {
            write!(f, ",draft={draft}")?;
        }
        if let Some(alias) = &self.alias {
            write!(f, ",alias={alias}")?;
        }
        if let Some(code) = &self.code {
            write!(f, ",code={code}")?;
        }
        if let Some(arch) = self.arch {
            write!(f, ",arch={arch}")?;
        }
        if self.rolled_back {
            f.write_str(",back")?;
        }
        if let Some(ready) = self.ready {
            write!(f, ",ready={ready}")?;
        }
        for loose in &self.loose {
            write!(f, ",loose={loose}")?;
        }
        if self.bare {
            f.write_str(",bare")?;
        }
        if let Some(content) = &self.content {
            write!(f, ",content={content}")?;
        }
        if let Some(queue) = &self.queue {
            write!(f, ",queue={queue}")?;
        }
        write!(f, ",rest={}", self.rest)
    }
}

/// A revision that this adapter did not make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotOurs;

impl FromStr for Stand {
    type Err = NotOurs;

    fn from_str(text: &str) -> Result<Self, NotOurs> {
        let mut stand = Self::default();
        if !text.starts_with("released=") {
            return Err(NotOurs);
        }
        for part in text.split(',') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let number = || value.parse().map_err(|_| NotOurs);
            match key {
                "released" => stand.released = number()?,
                "draft" => stand.draft = Some(value.to_owned()),
                "alias" => stand.alias = Some(value.to_owned()),
                "code" => stand.code = Some(value.parse().map_err(|_| NotOurs)?),
                "arch" => stand.arch = Some(value.parse().map_err(|_| NotOurs)?),
                "back" => stand.rolled_back = true,
                "ready" => stand.ready = Some(number()?),
                "loose" => stand.loose.push(number()?),
                "bare" => stand.bare = true,
                "content" => stand.content = Some(value.to_owned()),
                "queue" => stand.queue = Some(value.to_owned()),
                "rest" => value.clone_into(&mut stand.rest),
                _ => return Err(NotOurs),
            }
        }
        Ok(stand)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_round_trips() {
        let full = Stand {
            draft: Some("9f5c3a4e-0000-4000-8000-000000000001".to_owned()),
            alias: Some("9f5c3a4e-0000-4000-8000-000000000002".to_owned()),
            released: 4,
            code: Some(Digest::of(b"zip")),
            arch: Some(Arch::Arm64),
            rolled_back: true,
            ready: Some(5),
            loose: vec![6, 7],
            bare: true,
            content: Some("0123".to_owned()),
            queue: Some("https://sqs.eu-west-1.amazonaws.com/111122223333/q".to_owned()),
            rest: "abc".to_owned(),
        };
        for stand in [full, Stand::default()] {
            assert_eq!(stand.to_string().parse(), Ok(stand));
        }
        assert_eq!("7".parse::<Stand>(), Err(NotOurs));
    }
}
