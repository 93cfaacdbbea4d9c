//! Which adapter serves which URL: one table, no registry.

use std::sync::Arc;

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::provider::Provider;
use anyport_core::target::TargetUrl;
use futures_core::future::BoxFuture;

use crate::connect::Settings;

pub(crate) type Open = fn(TargetUrl, Settings) -> BoxFuture<'static, Result<Arc<dyn Provider>>>;

/// A product that URLs can name.
#[derive(Debug, Clone, Copy)]
pub struct Scheme {
    name: &'static str,
    feature: &'static str,
    open: Option<Open>,
}

/// The one table: every scheme, the feature that brings its adapter, and the adapter if the feature is on.
const SCHEMES: &[Scheme] = &[
    Scheme {
        name: "local",
        feature: "local",
        #[cfg(feature = "local")]
        open: Some(crate::local::open),
        #[cfg(not(feature = "local"))]
        open: None,
    },
    Scheme {
        name: "lambda",
        feature: "aws",
        #[cfg(feature = "aws")]
        open: Some(crate::lambda::open),
        #[cfg(not(feature = "aws"))]
        open: None,
    },
];

/// Every scheme that this version knows.
pub fn schemes() -> impl Iterator<Item = Scheme> {
    SCHEMES.iter().copied()
}

impl Scheme {
    /// What stands before `://`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The feature of this crate that brings its adapter.
    #[must_use]
    pub const fn feature(&self) -> &'static str {
        self.feature
    }

    /// Whether its adapter is compiled in.
    #[must_use]
    pub const fn is_available(&self) -> bool {
        self.open.is_some()
    }
}

/// The adapter for `url`.
pub(crate) fn find(url: &TargetUrl) -> Result<Open> {
    let hint = match SCHEMES.iter().find(|known| known.name == url.scheme()) {
        Some(Scheme {
            open: Some(open), ..
        }) => return Ok(*open),
        Some(known) => format!(
            "switch on the feature `{}` of the crate `anyport`",
            known.feature
        ),
        None => unknown(url.scheme()),
    };
    let capability = format!("the scheme {}://", url.scheme());
    Err(Error::new(ErrorKind::Unsupported { capability, hint }, "connect to").on(url))
}

fn unknown(scheme: &str) -> String {
    let known: Vec<&str> = SCHEMES.iter().map(|known| known.name).collect();
    let all = format!("known schemes: {}", known.join(", "));
    known
        .into_iter()
        .min_by_key(|name| strsim::damerau_levenshtein(name, scheme))
        .map_or(all.clone(), |nearest| {
            format!("the nearest is {nearest}://; {all}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_scheme_names_the_known_ones_and_the_nearest() {
        let error = find(&"lokal://".parse().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot connect to lokal://: the scheme lokal:// is not supported here; the nearest is local://; known schemes: local, lambda"
        );
    }

    #[test]
    fn a_known_scheme_is_found_or_its_feature_named() {
        for known in schemes() {
            let url = format!("{}://", known.name()).parse().unwrap();
            match find(&url) {
                Ok(_) => assert!(known.is_available()),
                Err(error) => {
                    assert!(!known.is_available());
                    assert!(error.to_string().contains(known.feature()), "{error}");
                }
            }
        }
    }
}
