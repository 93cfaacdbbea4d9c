//! Random specs, one after the other: what is there afterwards is what was asked, and nothing is left to do.

use std::collections::BTreeMap;

use anyport_core::capability::fit;
use anyport_core::plan::{Change, State};
use anyport_core::spec::{Spec, diff};
use proptest::prelude::*;

use crate::memory::{Memory, everything};
use crate::script::{bytes, function, name, target};

fn specs() -> impl Strategy<Value = (Spec, String)> {
    (
        "[a-c]",
        1u32..4096,
        1u64..100_000,
        prop::collection::btree_map("[A-Z][A-Z0-9]{3,6}", "[a-z]{0,4}", 0..3),
        prop::option::of(1u32..30),
        prop::option::of("[a-z]{3}"),
        1u32..20,
    )
        .prop_filter_map(
            "platforms reserve some names",
            |(code, memory, timeout, env, days, identity, concurrency)| {
                let mut builder = function("hello", &code)
                    .memory_mb(memory.max(128))
                    .timeout(std::time::Duration::from_millis(timeout))
                    .concurrency(concurrency);
                for (name, value) in env as BTreeMap<String, String> {
                    builder = builder.env(name, value);
                }
                if let Some(days) = days {
                    builder = builder.log_retention_days(days);
                }
                if let Some(identity) = identity {
                    builder = builder.identity(identity);
                }
                Some((builder.build().ok()?, code))
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_plan_applied_gives_the_spec(asked in prop::collection::vec(specs(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let memory = Memory::new();
            let target = target(&memory);
            let mut before = BTreeMap::new();
            for (spec, code) in asked {
                let fitted = fit(&everything(), "memory", &spec).unwrap();
                let present = State::Present(Box::new(spec));
                let desired = target.desired(name("hello"), present).with_content(bytes(&code));
                let plan = target.plan(desired.clone()).await.unwrap();
                // Every difference is named, and it is named exactly when there is something to do.
                prop_assert_eq!(&plan.fields, &diff(&before, &fitted.spec.fields()));
                prop_assert_eq!(plan.is_empty(), plan.fields.is_empty());
                prop_assert_eq!(&plan.approximations, &fitted.approximations);
                let outcome = target.apply(plan).await.unwrap();
                prop_assert_eq!(outcome.approximations, fitted.approximations);
                let seen = target.status(&name("hello")).await.unwrap();
                prop_assert!(diff(&seen.fields, &fitted.spec.fields()).is_empty());
                let again = target.plan(desired).await.unwrap();
                prop_assert!(again.is_empty() && again.change == Change::Unchanged);
                before = seen.fields;
            }
            Ok(())
        })?;
    }
}
