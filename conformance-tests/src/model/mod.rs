//! The model: random sequences of operations on an adapter and on a pure model of it must agree.

mod state;

use anyport_client::Removal;
use anyport_core::ErrorKind;
use anyport_core::spec::Name;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use crate::cases::{Budget, Case, case};
use crate::harness::Edit;
use crate::scene::{Client, Scene};
use crate::verdict::{Chain, Pass, Stop, Verdict, ensure, fail};

use state::{Expected, Model};

pub(crate) const CASES: &[Case] = &[case!(
    "model/random-operations",
    random_operations,
    Budget::LARGE
)];

/// Sequences in a run.
const SEQUENCES: u32 = 20;
/// Operations in a sequence, at most.
const LONGEST: usize = 12;
/// What tampering sets: another size than the suite's specs have.
const EDITED_MB: u32 = 320;
/// Names in play.
const NAMES: usize = 2;
/// Variants in play.
const VARIANTS: [&str; 3] = ["a", "b", "c"];

/// One operation on one of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Deploys one of the variants.
    Deploy(usize),
    /// Sends all traffic to the version before the live one.
    Rollback,
    /// Splits traffic between the two newest versions.
    Split,
    /// Sends all traffic to the newest version.
    Join,
    /// Removes the function.
    Remove,
    /// Gives the function away.
    Release,
    /// Takes it over.
    Adopt,
    /// Opens the place anew.
    Restart,
    /// Changes the newest version's memory behind the adapter's back.
    Tamper,
}

fn operation() -> impl Strategy<Value = (usize, Operation)> {
    let operation = prop_oneof![
        5 => (0..VARIANTS.len()).prop_map(Operation::Deploy),
        2 => Just(Operation::Rollback),
        2 => Just(Operation::Split),
        1 => Just(Operation::Join),
        2 => Just(Operation::Remove),
        1 => Just(Operation::Release),
        1 => Just(Operation::Adopt),
        1 => Just(Operation::Restart),
        1 => Just(Operation::Tamper),
    ];
    (0..NAMES, operation)
}

/// Runs random sequences; one that disagrees is shrunk to the shortest that still does.
async fn random_operations(scene: &Scene) -> Verdict {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&scene.seed().to_le_bytes());
    let config = Config {
        cases: SEQUENCES,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let sequences = proptest::collection::vec(operation(), 3..=LONGEST);
    let round = std::cell::Cell::new(0);
    let runtime = tokio::runtime::Handle::current();
    let result = tokio::task::block_in_place(|| {
        runner.run(&sequences, |sequence| {
            round.set(round.get() + 1);
            runtime
                .block_on(sequence_agrees(scene, round.get(), &sequence))
                .map_err(|stop| match stop {
                    Stop::Failed(why) | Stop::OverBudget(why) => TestCaseError::fail(why),
                    Stop::NotRun(why) => TestCaseError::reject(why),
                })
        })
    });
    match result {
        Ok(()) => Ok(Pass::Holds),
        Err(TestError::Fail(why, sequence)) => {
            fail!("adapter and model disagree after {sequence:?}: {why}")
        }
        Err(TestError::Abort(why)) => Err(Stop::NotRun(why.to_string())),
    }
}

/// Plays one sequence on fresh names and compares after every operation.
async fn sequence_agrees(
    scene: &Scene,
    round: u32,
    sequence: &[(usize, Operation)],
) -> Result<(), Stop> {
    let names: Vec<Name> = (0..NAMES)
        .map(|name| scene.name(&format!("model-{round}-{name}")))
        .collect();
    let mut models = vec![Model::default(); NAMES];
    let mut client = scene.client().await?;
    for (step, (which, operation)) in sequence.iter().enumerate() {
        if *operation == Operation::Restart {
            client = scene.client().await?;
        } else if *operation == Operation::Tamper {
            let edit = Edit::MemoryMb(EDITED_MB);
            // Where the harness cannot, the model does not either.
            let model = &mut models[*which];
            if model.is_there() && scene.site().tamper(&names[*which], &edit).await.is_ok() {
                model.tampered();
            }
        } else {
            let (name, model) = (&names[*which], &mut models[*which]);
            play(&client, name, model, *operation)
                .await
                .map_err(|stop| match stop {
                    Stop::Failed(why) => Stop::Failed(format!("step {step}: {why}")),
                    other => other,
                })?;
        }
        for (name, model) in names.iter().zip(&models) {
            agrees(&client, name, model).await?;
        }
    }
    for (name, model) in names.iter().zip(&models) {
        if model.is_foreign() {
            client.adopt(name).await?;
        }
        client.gone(name).await?;
    }
    Ok(())
}

/// Takes one operation on both sides and compares what came out.
async fn play(
    client: &Client,
    name: &Name,
    model: &mut Model,
    operation: Operation,
) -> Result<(), Stop> {
    let caps = client.caps();
    let (versions, traffic) = (caps.versions.is_supported(), caps.traffic.is_supported());
    let expected = model.expect(operation, versions, traffic);
    let result = match operation {
        Operation::Deploy(variant) => {
            let spec = client.spec(name, VARIANTS[variant]).build()?;
            client.put(spec).await
        }
        Operation::Rollback => client.rollback(name, None).await,
        Operation::Split => client.traffic(name, model.halves()?).await,
        Operation::Join => client.traffic(name, model.newest()).await,
        Operation::Remove => client.remove(name, Removal::default()).await,
        Operation::Release => client.release(name).await,
        Operation::Adopt => client.adopt(name).await,
        Operation::Restart | Operation::Tamper => return Ok(()),
    };
    client.settle().await;
    match (&expected, &result) {
        (Expected::Change(want), Ok(outcome)) => ensure!(
            want.contains(&outcome.change),
            "{operation:?} should come out as {}, not {}",
            want.iter()
                .map(|c| c.word())
                .collect::<Vec<_>>()
                .join(" or "),
            outcome.change.word()
        ),
        (Expected::Error(want), Err(error)) => ensure!(
            want.contains(&error.kind().name()),
            "{operation:?} should fail as {}, not {}",
            want.join(" or "),
            Chain(error)
        ),
        (Expected::Change(_), Err(error)) => fail!("{operation:?} failed: {}", Chain(error)),
        (Expected::Error(want), Ok(outcome)) => fail!(
            "{operation:?} should fail as {} and came out as {}",
            want.join(" or "),
            outcome.change.word()
        ),
    }
    if let Ok(outcome) = result {
        model.done(operation, outcome.change, outcome.version);
    }
    Ok(())
}

/// What is there, and what serves, is what the model says.
async fn agrees(client: &Client, name: &Name, model: &Model) -> Result<(), Stop> {
    match client.status(name).await {
        Ok(seen) => {
            ensure!(model.is_there(), "{name} is there and should not be");
            ensure!(
                seen.owned.is_by(client.owner()) != model.is_foreign(),
                "{name} belongs to {}",
                seen.owned.words()
            );
            let serves = client.variant(name).await?;
            ensure!(
                model.serves(&serves),
                "{name} serves {serves}, and should serve {}",
                model.live_words()
            );
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            ensure!(!model.is_there(), "{name} is not there and should be");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
