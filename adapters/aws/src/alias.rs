//! The alias that everything goes through, and what its description keeps.

use std::fmt;

use anyport_core::plan::{Split, VersionId};
use aws_sdk_lambda::types::AliasRoutingConfiguration;

/// The alias as it is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Alias {
    pub(crate) arn: String,
    pub(crate) revision: String,
    pub(crate) split: Option<Split>,
    pub(crate) label: Label,
}

/// What the alias's description keeps: it changes in one write with the traffic.
///
/// ```text
/// anyport released=3 content=0123456789abcdef
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Label {
    /// The newest version that was ever put into service; none in a description that is not ours.
    pub(crate) released: Option<u64>,
    /// The digest of what that version holds: a draft with the same one is that version.
    pub(crate) content: String,
}

const PREFIX: &str = "anyport ";

impl Label {
    pub(crate) fn read(text: &str) -> Self {
        let mut label = Self::default();
        let Some(rest) = text.strip_prefix(PREFIX) else {
            return label;
        };
        for token in rest.split(' ') {
            match token.split_once('=') {
                Some(("released", number)) => label.released = number.parse().ok(),
                Some(("content", digest)) => digest.clone_into(&mut label.content),
                _ => {}
            }
        }
        label
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let released = self.released.unwrap_or_default();
        write!(f, "{PREFIX}released={released} content={}", self.content)
    }
}

/// The shares of an alias. Weights are fractions; ours are whole percents.
pub(crate) fn split(
    version: Option<&str>,
    routing: Option<&AliasRoutingConfiguration>,
) -> Option<Split> {
    let own = VersionId::new(version?);
    let mut rest = 100u8;
    let mut shares = Vec::new();
    let weights = routing.and_then(AliasRoutingConfiguration::additional_version_weights);
    for (id, weight) in weights.into_iter().flatten() {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to what a percentage can be"
        )]
        let share = (weight * 100.0).round().clamp(0.0, f64::from(rest)) as u8;
        rest -= share;
        shares.push((VersionId::new(id), share));
    }
    shares.push((own, rest));
    Split::new(shares).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_comes_back_and_other_descriptions_say_nothing() {
        let label = Label {
            released: Some(12),
            content: "0123abcd".to_owned(),
        };
        assert_eq!(Label::read(&label.to_string()), label);
        assert_eq!(Label::read("prod traffic, do not touch"), Label::default());
    }

    #[test]
    fn weights_are_shares() {
        let routing = AliasRoutingConfiguration::builder()
            .additional_version_weights("3", 0.29)
            .build();
        let shares = split(Some("2"), Some(&routing)).unwrap();
        let share = |id: &str| shares.share(&VersionId::new(id));
        assert_eq!((share("2"), share("3")), (71, 29));
        assert_eq!(
            split(Some("2"), None),
            Some(Split::all_to(VersionId::new("2")))
        );
        assert_eq!(split(None, None), None);
    }
}
