//! Copying, one function after the other.

use anyport::Target;
use anyport::plan::{Desired, State};
use anyport::provider::{Entry, Scope};
use anyport::{Error, Result};
use futures_util::StreamExt as _;

/// What became of one function.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// So many steps would copy it.
    Would(usize),
    /// It was created, updated or left unchanged.
    Did(&'static str),
}

/// Copies every function of `from` to `to`, or says what that would take. What cannot be read there is in the list too.
///
/// # Errors
/// When the functions cannot be listed.
pub(crate) async fn copy_all(
    from: &Target,
    to: &Target,
    dry_run: bool,
) -> Result<Vec<(String, Result<Copied>)>> {
    let mut results = Vec::new();
    let mut entries = from.list(Scope::Everything);
    while let Some(entry) = entries.next().await {
        match entry? {
            Entry::Function(found) => {
                let result = copy(from, to, &found.name, dry_run).await;
                results.push((found.name, result));
            }
            Entry::Unreadable { name, why } => {
                let kind = anyport::ErrorKind::Unavailable;
                results.push((name, Err(Error::new(kind, "read").because(why))));
            }
            _ => {}
        }
    }
    Ok(results)
}

async fn copy(from: &Target, to: &Target, name: &str, dry_run: bool) -> Result<Copied> {
    let name = name.parse().map_err(|broken: anyport::error::Violation| {
        let kind = anyport::ErrorKind::InvalidSpec(vec![broken].into());
        Error::new(kind, "copy").on(name)
    })?;
    let mut export = from.export(&name).await?;
    // The role, subnets and keys of one place mean nothing in another: the destination's own defaults hold.
    if from.id() != to.id() {
        export.spec.identity = None;
        export.spec.network = None;
        export.spec.encryption_key = None;
    }
    if dry_run {
        let state = State::Present(Box::new(export.spec));
        let desired = Desired::new(name, to.owner().clone(), state);
        let plan = to.plan(desired.with_content(export.content)).await?;
        return Ok(Copied::Would(plan.steps.len()));
    }
    let outcome = to.deploy(export.spec, export.content).await?;
    Ok(Copied::Did(outcome.change.word()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use anyport::spec::Spec;
    use anyport_testkit::{ProbeKit, Variant, find_probe};

    use super::*;

    #[tokio::test]
    async fn everything_is_copied_once() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let open =
            |at: usize| anyport::connect(format!("local://{}", folders[at].path().display()));
        let (from, to) = (open(0).await.unwrap(), open(1).await.unwrap());
        let kit = ProbeKit::new(find_probe(None).unwrap()).unwrap();
        let probe = kit.zip(&Variant::default()).unwrap();
        for name in ["one", "two"] {
            let name = format!("copied-{name}");
            let spec = Spec::builder(name, probe.artifact.clone()).memory_mb(64);
            let content = Arc::clone(&probe.content);
            from.deploy(spec.build().unwrap(), content).await.unwrap();
        }
        let outcomes = async |dry_run| -> Vec<Copied> {
            let all = copy_all(&from, &to, dry_run).await.unwrap();
            all.into_iter().map(|(_, result)| result.unwrap()).collect()
        };
        let would = outcomes(true).await;
        assert!(
            would
                .iter()
                .all(|it| matches!(it, Copied::Would(steps) if *steps > 0))
        );
        assert_eq!(
            outcomes(false).await,
            [Copied::Did("created"), Copied::Did("created")]
        );
        assert_eq!(
            outcomes(false).await,
            [Copied::Did("unchanged"), Copied::Did("unchanged")]
        );
        assert_eq!(outcomes(true).await, [Copied::Would(0), Copied::Would(0)]);
    }
}
