//! What is deployed can be taken out and deployed again.

use std::sync::Arc;

use anyport_core::Digest;
use anyport_core::call::Body;
use anyport_core::plan::Change;

use super::{Case, case, fit};
use crate::scene::Scene;
use crate::verdict::{Pass, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[case!("export/round-trip", round_trip)];

/// The spec and the bytes that come out are those that went in, and are the same again when they are deployed.
async fn round_trip(scene: &Scene) -> Verdict {
    const MOST: u64 = 512 << 20;
    let client = scene.client().await?;
    let name = scene.name("export");
    if !client.caps().artifacts.export.is_supported() {
        let from = client.script().count();
        return match client.export(&name).await {
            Ok(_) => fail!("giving artifacts back is not declared, and was done"),
            Err(error) => {
                fit::refusal(&client, &error, from)?;
                Ok(Pass::Refused)
            }
        };
    }
    let spec = client
        .spec(&name, "exported")
        .tag("team", "ports")
        .build()?;
    client.put(spec.clone()).await?;
    client.settle().await;
    let out = client.export(&name).await?;
    let asked = spec.fields();
    for (field, value) in &asked {
        ensure!(
            out.spec.fields().get(field) == Some(value),
            "{field} came out as {}",
            out.spec
                .fields()
                .get(field)
                .map_or("nothing".to_owned(), ToString::to_string)
        );
    }
    let bytes = Body::Stream(out.content.open()).collect(MOST).await?;
    ensure!(
        Digest::of(&bytes) == spec.artifact.digest,
        "the artifact came out as other bytes than went in"
    );
    let copy = scene.name("export-copy");
    let (mut copied, mut original) = (out.spec, spec);
    copied.name = copy.clone();
    original.name = copy.clone();
    client.deploy(copied, Arc::clone(&out.content)).await?;
    client.settle().await;
    client.serves(&copy, "exported").await?;
    let again = client.put(original).await?;
    ensure!(
        again.change == Change::Unchanged,
        "what was deployed from an export was {} by the original",
        again.change.word()
    );
    Ok(Pass::Holds)
}
