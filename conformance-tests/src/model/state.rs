//! The pure model of one function.

use anyport_core::plan::{Change, Split, VersionId};

use super::{Operation, VARIANTS};
use crate::verdict::Stop;

/// What an operation should come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    /// One of these changes.
    Change(Vec<Change>),
    /// An error of one of these kinds.
    Error(Vec<&'static str>),
}

/// A function as the contract says it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Model {
    /// Releases, oldest first, each with its variant.
    releases: Vec<(VersionId, usize)>,
    /// Places in `releases` that carry traffic.
    live: Vec<usize>,
    /// The variant that is live, where the target has no versions.
    variant: usize,
    /// The release that was changed behind the adapter's back.
    edited: Option<usize>,
    there: bool,
    foreign: bool,
}

impl Model {
    pub(super) const fn is_there(&self) -> bool {
        self.there
    }

    pub(super) const fn is_foreign(&self) -> bool {
        self.foreign
    }

    fn variants(&self) -> Vec<usize> {
        match &self.live[..] {
            [] => vec![self.variant],
            live => live.iter().map(|place| self.releases[*place].1).collect(),
        }
    }

    /// Whether this variant may answer.
    pub(super) fn serves(&self, variant: &str) -> bool {
        self.variants()
            .iter()
            .any(|live| VARIANTS[*live] == variant)
    }

    /// What should answer, for a message.
    pub(super) fn live_words(&self) -> String {
        let names: Vec<&str> = self
            .variants()
            .into_iter()
            .map(|live| VARIANTS[live])
            .collect();
        names.join(" or ")
    }

    fn is_split(&self) -> bool {
        self.live.len() > 1
    }

    /// What `operation` should come to on this state.
    pub(super) fn expect(&self, operation: Operation, versions: bool, traffic: bool) -> Expected {
        use Operation as O;
        let changed = |change| Expected::Change(vec![change]);
        let failed = |kind| Expected::Error(vec![kind]);
        let needed = match operation {
            O::Rollback => versions,
            O::Split => traffic,
            O::Join => versions || traffic,
            _ => true,
        };
        if !needed {
            return failed("unsupported");
        }
        match operation {
            O::Deploy(_) if !self.there => changed(Change::Created),
            O::Remove if !self.there => changed(Change::Absent),
            _ if !self.there => failed("not_found"),
            O::Adopt if self.foreign => changed(Change::Adopted),
            O::Adopt => changed(Change::Unchanged),
            // Whose it is comes before what versions there are, or after: both are before any write.
            O::Rollback if self.foreign => Expected::Error(vec!["already_exists", "not_found"]),
            _ if self.foreign => failed("already_exists"),
            O::Deploy(_) if self.is_split() => failed("conflict"),
            O::Deploy(_) if self.edited == Some(self.live.last().copied().unwrap_or_default()) => {
                changed(Change::Updated)
            }
            O::Deploy(variant) if self.variants() == [variant] => changed(Change::Unchanged),
            O::Deploy(_) => changed(Change::Updated),
            O::Rollback => match self.live.last() {
                Some(0) | None => failed("not_found"),
                Some(_) => changed(Change::Updated),
            },
            O::Split if self.releases.len() < 2 => {
                Expected::Change(vec![Change::Unchanged, Change::Updated])
            }
            O::Split => match self.live == [self.releases.len() - 2, self.releases.len() - 1] {
                true => changed(Change::Unchanged),
                false => changed(Change::Updated),
            },
            O::Join => match self.live == [self.releases.len() - 1] {
                true => changed(Change::Unchanged),
                false => changed(Change::Updated),
            },
            O::Remove => changed(Change::Removed),
            O::Release => changed(Change::Released),
            O::Restart | O::Tamper => changed(Change::Unchanged),
        }
    }

    /// Half of the traffic to each of the two newest versions; all of it to the only one.
    pub(super) fn halves(&self) -> Result<Split, Stop> {
        match &self.releases[..] {
            [.., (first, _), (second, _)] => {
                Split::new([(first.clone(), 50), (second.clone(), 50)])
                    .map_err(|broken| Stop::Failed(broken.to_string()))
            }
            _ => Ok(self.newest()),
        }
    }

    /// All traffic to the newest version.
    pub(super) fn newest(&self) -> Split {
        let newest = self.releases.last().map(|(version, _)| version.clone());
        Split::all_to(newest.unwrap_or_else(|| VersionId::new("1")))
    }

    /// Somebody changed the newest release.
    pub(super) fn tampered(&mut self) {
        self.edited = Some(self.releases.len().saturating_sub(1));
    }

    /// Takes over what `operation` did.
    pub(super) fn done(
        &mut self,
        operation: Operation,
        change: Change,
        version: Option<VersionId>,
    ) {
        let newest = self.releases.len().saturating_sub(1);
        match (operation, change) {
            (_, Change::Unchanged | Change::Absent) => {}
            (Operation::Deploy(variant), _) => {
                if change == Change::Created {
                    *self = Self::default();
                }
                self.there = true;
                self.variant = variant;
                if version.is_none() {
                    self.edited = None;
                }
                if let Some(version) = version {
                    self.releases.push((version, variant));
                    self.live = vec![self.releases.len() - 1];
                }
            }
            (Operation::Rollback, _) => {
                let before = self.live.last().copied().unwrap_or_default();
                self.live = vec![before.saturating_sub(1)];
            }
            (Operation::Split, _) => self.live = vec![newest.saturating_sub(1), newest],
            (Operation::Join, _) => self.live = vec![newest],
            (Operation::Remove, _) => *self = Self::default(),
            (Operation::Release, _) => self.foreign = true,
            (Operation::Adopt, _) => self.foreign = false,
            (Operation::Restart | Operation::Tamper, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life() {
        let mut model = Model::default();
        let deploy = Operation::Deploy;
        let mut step = |operation, change, version: &str| {
            assert_eq!(
                model.expect(operation, true, true),
                Expected::Change(vec![change]),
                "{operation:?} on {model:?}"
            );
            model.done(operation, change, Some(VersionId::new(version)));
            model.clone()
        };
        step(deploy(0), Change::Created, "1");
        step(deploy(0), Change::Unchanged, "1");
        let second = step(deploy(1), Change::Updated, "2");
        assert!(second.serves("b") && !second.serves("a"));
        let back = step(Operation::Rollback, Change::Updated, "1");
        assert!(back.serves("a"));
        assert_eq!(
            back.expect(Operation::Rollback, true, true),
            Expected::Error(vec!["not_found"])
        );
        let split = step(Operation::Split, Change::Updated, "2");
        assert!(split.serves("a") && split.serves("b"));
        assert_eq!(
            split.expect(deploy(2), true, true),
            Expected::Error(vec!["conflict"])
        );
        step(Operation::Join, Change::Updated, "2");
        let given = step(Operation::Release, Change::Released, "2");
        assert_eq!(
            given.expect(Operation::Remove, true, true),
            Expected::Error(vec!["already_exists"])
        );
        step(Operation::Adopt, Change::Adopted, "2");
        let gone = step(Operation::Remove, Change::Removed, "2");
        assert_eq!(gone, Model::default());
    }
}
