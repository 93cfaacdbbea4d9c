//! Plans as text: what is planned for what is there.

use std::time::Duration;

use anyport_core::Digest;
use anyport_core::mark::{Mark, Owner};
use anyport_core::plan::{Force, Owned, Version, VersionId};
use anyport_core::spec::{Artifact, Packaging, Protocol, SpecBuilder};

use super::*;

fn owner() -> Owner {
    Owner::new("app", "test")
}

fn builder(content: &str) -> SpecBuilder {
    let protocol = Protocol::RuntimeApi;
    let digest = Digest::of(content.as_bytes());
    Spec::builder("hello", Artifact::new(Packaging::Zip { protocol }, digest))
}

fn seen(spec: &Spec, versions: u32) -> Observed {
    let owned = Owned::Marked {
        mark: Mark::new(&owner(), spec.hash()),
        owner: owner().to_string(),
    };
    let mut seen = Observed::new(spec.name.clone(), owned, "r1");
    seen.fields = spec.fields();
    for number in 1..=versions {
        let share = if number == versions { 100 } else { 0 };
        let mut version = Version::new(VersionId::new(number.to_string()), share);
        version.artifact = Some(spec.artifact.digest);
        seen.versions.push(version);
    }
    seen.split = Some(Split::all_to(VersionId::new(versions.to_string())));
    seen
}

fn make(state: State, force: Force, seen: Option<&Observed>) -> Result<Plan> {
    let caps = crate::capability::capabilities(Vec::new(), 100);
    let want = Desired::new("hello".parse().unwrap(), owner(), state).with_force(force);
    let plan = plan("local://", &caps, &want, seen)?;
    assert!(plan.steps.iter().all(|step| step.guard == plan.base));
    Ok(plan)
}

fn words(plan: &Plan) -> Vec<String> {
    plan.steps.iter().map(ToString::to_string).collect()
}

fn present(spec: Spec) -> State {
    State::Present(Box::new(spec))
}

const RELEASE: [&str; 3] = [
    "publish a new version",
    "start the new version and wait until it is ready",
    "send all traffic to the new version",
];

#[test]
fn a_new_name_is_taken_before_anything_is_uploaded() {
    let spec = builder("zip").build().unwrap();
    let plan = make(present(spec), Force::default(), None).unwrap();
    let words = words(&plan);
    assert_eq!(
        (plan.change, words[0].as_str()),
        (Change::Created, "create the function")
    );
    assert!(words[1].starts_with("upload artifact "));
    assert_eq!(words[2..], RELEASE);
}

#[test]
fn only_what_differs_is_planned() {
    let spec = builder("zip").build().unwrap();
    let there = seen(&spec, 1);
    let same = make(present(spec), Force::default(), Some(&there)).unwrap();
    assert!(same.is_empty() && same.change == Change::Unchanged);
    let memory = builder("zip").memory_mb(1024).build().unwrap();
    let plan = make(present(memory), Force::default(), Some(&there)).unwrap();
    assert_eq!(
        (plan.change, words(&plan)),
        (Change::Updated, RELEASE.map(str::to_owned).to_vec())
    );
    assert_eq!(plan.fields[0].field, "memory_mb");
    let code = builder("other").build().unwrap();
    let plan = make(present(code), Force::default(), Some(&there)).unwrap();
    assert!(words(&plan)[0].starts_with("upload artifact "));
    assert_eq!(plan.steps[0].why[0].field, "artifact.digest");
}

#[test]
fn five_versions_stay_and_the_oldest_others_go() {
    let spec = builder("zip").build().unwrap();
    for (versions, removed) in [
        (5, vec![]),
        (6, vec!["remove version 1"]),
        (7, vec!["remove version 1", "remove version 2"]),
    ] {
        let there = seen(&spec, versions);
        let next = builder("zip").memory_mb(1024).build().unwrap();
        let plan = make(present(next), Force::default(), Some(&there)).unwrap();
        assert_eq!(words(&plan)[3..], removed);
    }
}

#[test]
fn triggers_that_a_spec_leaves_alone_are_no_difference() {
    let exact = builder("zip").no_triggers().build().unwrap();
    let there = seen(&exact, 1);
    let silent = builder("zip").build().unwrap();
    let plan = make(present(silent), Force::default(), Some(&there)).unwrap();
    assert_eq!(plan.change, Change::Unchanged);
}

#[test]
fn what_was_left_is_cleared_first_and_named() {
    let spec = builder("zip").build().unwrap();
    let mut there = seen(&spec, 1);
    there.residue = vec!["version 2, which was never put into service".to_owned()];
    let plan = make(present(spec), Force::default(), Some(&there)).unwrap();
    assert_eq!(
        words(&plan),
        ["clear version 2, which was never put into service"]
    );
    assert_eq!(
        (plan.change, &plan.found),
        (Change::Updated, &there.residue)
    );
}

#[test]
fn splits_protection_owners_and_changes_under_way_stand_in_the_way() {
    let spec = builder("zip").build().unwrap();
    let next = || present(builder("zip").memory_mb(1024).build().unwrap());
    let kind = |state: State, there: &Observed| {
        make(state, Force::default(), Some(there))
            .unwrap_err()
            .into_kind()
    };
    let mut split = seen(&spec, 2);
    split.split = Some(Split::new([(VersionId::new("1"), 40), (VersionId::new("2"), 60)]).unwrap());
    assert_eq!(kind(next(), &split), ErrorKind::Conflict);
    assert_eq!(kind(present(spec.clone()), &split), ErrorKind::Conflict);
    let force = Force {
        split: true,
        ..Force::default()
    };
    let ended = make(present(spec.clone()), force, Some(&split)).unwrap();
    assert_eq!(words(&ended), ["send 100% to version 2"]);

    let protected = seen(&builder("zip").protect(true).build().unwrap(), 1);
    assert_eq!(kind(next(), &protected), ErrorKind::Forbidden);
    assert_eq!(
        kind(State::Absent { purge: true }, &protected),
        ErrorKind::Forbidden
    );
    let force = Force {
        protected: true,
        ..Force::default()
    };
    assert!(make(next(), force, Some(&protected)).is_ok());

    let mut busy = seen(&spec, 1);
    busy.health = Health::Pending;
    assert_eq!(kind(next(), &busy), ErrorKind::Conflict);

    let mut foreign = seen(&spec, 1);
    foreign.owned = Owned::Foreign("somebody".to_owned());
    for state in [next(), State::Absent { purge: true }, State::Release] {
        let owner = "somebody".to_owned();
        assert_eq!(kind(state, &foreign), ErrorKind::AlreadyExists { owner });
    }
    let adopted = make(State::Adopt, Force::default(), Some(&foreign)).unwrap();
    assert_eq!(
        (adopted.change, words(&adopted)),
        (Change::Adopted, vec!["write the owner's mark".to_owned()])
    );
}

#[test]
fn events_stay_unless_purging_is_asked() {
    let spec = builder("zip").build().unwrap();
    let mut there = seen(&spec, 1);
    there.events.dead = 2;
    let keep = make(
        State::Absent { purge: false },
        Force::default(),
        Some(&there),
    )
    .unwrap();
    assert_eq!(
        (keep.kept.len(), words(&keep)),
        (1, vec!["remove the function".to_owned()])
    );
    let purge = make(
        State::Absent { purge: true },
        Force::default(),
        Some(&there),
    )
    .unwrap();
    assert_eq!(
        words(&purge),
        [
            "discard waiting events and dead letters",
            "remove the function"
        ]
    );
    // What is left after a removal that kept them: nothing to remove, still named.
    there.versions.clear();
    there.split = None;
    there.health = Health::Empty;
    let again = make(
        State::Absent { purge: false },
        Force::default(),
        Some(&there),
    )
    .unwrap();
    assert_eq!(
        (again.change, again.steps.len(), again.kept.len()),
        (Change::Absent, 0, 1)
    );
}

#[test]
fn traffic_goes_to_versions_that_are_there() {
    let spec = builder("zip")
        .timeout(Duration::from_secs(1))
        .build()
        .unwrap();
    let there = seen(&spec, 2);
    let to = |id: &str| State::Traffic(Split::all_to(VersionId::new(id)));
    let back = make(to("1"), Force::default(), Some(&there)).unwrap();
    assert_eq!(words(&back), ["send 100% to version 1"]);
    assert!(
        make(to("2"), Force::default(), Some(&there))
            .unwrap()
            .is_empty()
    );
    let mut hollow = there.clone();
    hollow.versions[0].artifact = None;
    let error = make(to("1"), Force::default(), Some(&hollow)).unwrap_err();
    assert!(error.to_string().contains("deploy it again"), "{error}");
    for missing in [Some(&there), None] {
        let error = make(to("9"), Force::default(), missing).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NotFound);
    }
}

#[test]
fn requests_at_a_time_that_the_protocol_cannot_carry_are_said() {
    let spec = builder("zip").concurrency(8).build().unwrap();
    let plan = make(present(spec), Force::default(), None).unwrap();
    let approximation = &plan.approximations[0];
    assert_eq!(
        (approximation.asked.as_str(), approximation.actual.as_str()),
        ("8", "1")
    );
}
