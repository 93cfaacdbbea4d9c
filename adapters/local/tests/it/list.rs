//! Listing: ordered, without gap, and honest about what cannot be read.

use anyport_core::provider::{Entry, Scope};
use futures_util::TryStreamExt as _;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_listed_as_such_and_left_as_it_is() {
    let state = State::new();
    let target = state.open();
    for function in ["alpha", "bravo", "charlie", "delta"] {
        deploy(&target, probe(function, function)).await.unwrap();
    }
    let functions = state.path().join("functions");
    let newer = functions.join("bravo.json");
    let text = std::fs::read_to_string(&newer).unwrap();
    std::fs::write(&newer, text.replace("\"format\": 1", "\"format\": 9")).unwrap();
    std::fs::write(functions.join("charlie.json"), "{ half").unwrap();
    std::fs::create_dir(functions.join("Their_Folder")).unwrap();

    let owned = Scope::Owned(target.owner().clone());
    let shown = |entries: Vec<Entry>| -> Vec<String> {
        let show = |entry| match entry {
            Entry::Function(summary) => summary.name,
            Entry::Unreadable { name, why } => format!("{name}: {why}"),
            other => panic!("{other:?}"),
        };
        entries.into_iter().map(show).collect()
    };
    let newer_words = "bravo: its record has format 9, newer than this program understands";
    let corrupt_words = "charlie: its record cannot be read: it is not JSON (line 1, column 3)";
    let listed: Vec<Entry> = target.list(owned).try_collect().await.unwrap();
    assert_eq!(
        shown(listed),
        ["alpha", newer_words, corrupt_words, "delta"]
    );
    let listed: Vec<Entry> = target.list(Scope::Everything).try_collect().await.unwrap();
    let all = ["Their_Folder", "alpha", newer_words, corrupt_words, "delta"];
    assert_eq!(shown(listed), all);

    for (function, words) in [("bravo", "update Anyport"), ("charlie", "restore")] {
        let errors = [
            target.status(&name(function)).await.unwrap_err(),
            who(&state.open(), function).await.unwrap_err(),
            deploy(&target, probe(function, "new")).await.unwrap_err(),
            remove(&target, function).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let text = std::fs::read_to_string(newer).unwrap();
    assert!(text.contains("\"format\": 9"));
    assert_eq!(who(&target, "delta").await.unwrap(), "delta");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_while_functions_come_and_go() {
    let state = State::new();
    let target = state.open();
    let functions = state.path().join("functions");
    assert!(
        target
            .list(Scope::Everything)
            .try_next()
            .await
            .unwrap()
            .is_none()
    );
    std::fs::create_dir_all(&functions).unwrap();
    // Folders are entries too, and cost nothing to make.
    let stay: Vec<String> = (0..350)
        .map(|number| format!("stays-{number:03}"))
        .collect();
    for name in &stay {
        std::fs::create_dir(functions.join(name)).unwrap();
    }
    let mut listed = Vec::new();
    let mut entries = target.list(Scope::Everything);
    let mut number = 0;
    while let Some(entry) = entries.try_next().await.unwrap() {
        let Entry::Function(summary) = entry else {
            panic!("{entry:?}")
        };
        listed.push(summary.name);
        // One comes before, one after, every few entries; the one before goes again.
        if number % 50 == 0 {
            std::fs::create_dir(functions.join(format!("comes-{number:03}"))).unwrap();
            std::fs::create_dir(functions.join(format!("zulu-{number:03}"))).unwrap();
        }
        if number % 100 == 99 {
            std::fs::remove_dir(functions.join(format!("comes-{:03}", number - 49))).unwrap();
        }
        number += 1;
    }
    let mut sorted = listed.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(listed, sorted);
    let stayed: Vec<&String> = listed
        .iter()
        .filter(|name| name.starts_with("stays"))
        .collect();
    assert_eq!(stayed, stay.iter().collect::<Vec<_>>());
}
