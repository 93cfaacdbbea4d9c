//! Many callers at once.

use std::sync::Arc;

use anyport_core::ErrorKind;
use anyport_core::call::Call;
use anyport_core::capability::Overload;
use anyport_testkit::probe::Command;

use super::{Case, case};
use crate::scene::{Scene, fitting};
use crate::verdict::{Chain, Pass, Verdict, ensure, fail};

pub(super) const CASES: &[Case] = &[
    case!("invoke/parallel", parallel),
    case!("invoke/overload", overload),
];

/// Everyone gets the answer to their own question.
async fn parallel(scene: &Scene) -> Verdict {
    const CALLERS: usize = 4;
    const EACH: usize = 5;
    let client = Arc::new(scene.client().await?);
    let name = scene.name("parallel");
    client.deployed(&name, "a").await?;
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (client, name) = (Arc::clone(&client), name.clone());
        callers.push(tokio::spawn(async move {
            for number in 0..EACH {
                let sent = format!("\"caller {caller}, call {number}\"");
                let reply = client.invoke(Call::new(name.clone(), sent.clone())).await?;
                let back = reply.body.collect(1024).await?;
                if back != sent {
                    let back = String::from_utf8_lossy(&back).into_owned();
                    return Ok(Some((sent, back)));
                }
            }
            Ok::<_, anyport_core::Error>(None)
        }));
    }
    for caller in callers {
        match caller.await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some((sent, back)))) => fail!("{sent} was sent and {back} came back"),
            // A target whose limit is below the callers' number may say so.
            Ok(Err(error)) => ensure!(
                matches!(error.kind(), ErrorKind::Throttled { .. })
                    && client.caps().resources.max_instances.max() < CALLERS as u64,
                "a call among others failed: {}",
                Chain(&error)
            ),
            Err(error) => fail!("a caller panicked: {error}"),
        }
    }
    Ok(Pass::Holds)
}

/// Above the limit of instances, what is declared happens.
async fn overload(scene: &Scene) -> Verdict {
    let client = Arc::new(scene.client().await?);
    let name = scene.name("overload");
    let most = fitting(&client.caps().resources.max_instances, 1);
    let spec = client
        .spec(&name, "a")
        .max_instances(u32::try_from(most).unwrap_or(u32::MAX))
        .build()?;
    client.put(spec).await?;
    client.settle().await;
    client.serves(&name, "a").await?;
    let mut callers = Vec::new();
    for _ in 0..most + 3 {
        let (client, name) = (Arc::clone(&client), name.clone());
        callers.push(tokio::spawn(async move {
            let sleeps = Command::Sleep {
                ms: 400,
                mark: String::new(),
            };
            client.ask(&name, &sleeps).await.map(|_| ())
        }));
    }
    let (mut answered, mut refused) = (0, 0);
    for caller in callers {
        match caller.await {
            Ok(Ok(())) => answered += 1,
            Ok(Err(error)) => {
                ensure!(
                    matches!(error.kind(), ErrorKind::Throttled { .. }),
                    "a call above the limit must be Throttled, not {}",
                    Chain(&error)
                );
                ensure!(
                    !error.user_code_may_have_run(),
                    "a call that was not let in is said to have run maybe"
                );
                refused += 1;
            }
            Err(error) => fail!("a caller panicked: {error}"),
        }
    }
    let overload = client.caps().invoke.overload;
    let as_declared = match overload {
        Overload::Rejects => refused > 0 && answered > 0,
        _ => refused == 0,
    };
    ensure!(
        as_declared,
        "{overload:?} is declared; of {} calls at a limit of {most}, {answered} were answered and {refused} refused",
        most + 3
    );
    client.serves(&name, "a").await?;
    Ok(Pass::Holds)
}
