//! For any folder, packing and unpacking gives it back; for any bytes, nothing gets out.

use std::fs;

use anyport_package::{Limits, Packer, inspect, unpack};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::forge::{Forged, archive, crc};
use crate::tree::{self, Node, Tree};

fn node() -> impl Strategy<Value = Node> {
    prop_oneof![
        4 => (vec(any::<u8>(), 0..2000), any::<bool>())
            .prop_map(|(bytes, executable)| Node::File { bytes, executable }),
        1 => Just(Node::Folder),
    ]
}

/// Trees whose names do not meet: a file's name never stands for a folder as well.
fn trees() -> impl Strategy<Value = Tree> {
    let folder = "[a-c]{1,2}(/[a-cé ]{1,2}){0,3}";
    btree_map((folder, "[xyz0-9._-]{1,8}\\.f"), node(), 0..12).prop_map(|nodes| {
        let mut tree = tree::tree([("root.f", tree::file(b"r"))]);
        tree.extend(
            nodes
                .into_iter()
                .map(|((folder, name), node)| (format!("{folder}/{name}"), node)),
        );
        tree
    })
}

/// Names that attackers like, and ordinary ones.
fn names() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("..".to_owned()),
        Just(".".to_owned()),
        Just(String::new()),
        Just("C:".to_owned()),
        Just("\\..".to_owned()),
        Just("a".to_owned()),
        Just("A".to_owned()),
        Just("l".to_owned()),
        "[a-z]{1,3}",
    ];
    prop_oneof![
        8 => vec(part, 1..5).prop_map(|parts| parts.join("/").into_bytes()),
        1 => vec(any::<u8>(), 0..9),
    ]
}

fn forged() -> impl Strategy<Value = Forged> {
    let mode = prop_oneof![
        4 => Just(0o100_755u32),
        3 => Just(0o120_777),
        1 => Just(0o040_755),
        1 => Just(0),
        1 => any::<u16>().prop_map(u32::from),
    ];
    (
        names(),
        names(),
        mode,
        any::<bool>(),
        prop::option::weighted(0.1, 0..200u32),
    )
        .prop_map(|(name, data, mode, lie, offset)| Forged {
            crc: crc(&data),
            plain: data.len() as u32 + u32::from(lie && mode == 0),
            packed: data.len() as u32,
            mode,
            offset,
            ..crate::forge::file(name, &data)
        })
}

/// Unpacks in a sealed folder and checks that nothing shows up beside the destination.
fn unpack_sealed(bytes: &[u8]) -> Result<(), TestCaseError> {
    let dir = tempfile::tempdir().unwrap();
    let sealed = dir.path().join("a/b/c");
    fs::create_dir_all(&sealed).unwrap();
    let zip = dir.path().join("a.zip");
    fs::write(&zip, bytes).unwrap();
    let mut limits = Limits::default();
    limits.unpacked_bytes = 1 << 20;
    let out = sealed.join("out");
    let outcome = unpack(&zip, &out, &limits);
    prop_assert_eq!(inspect(&zip, &limits).is_ok() || outcome.is_err(), true);
    prop_assert_eq!(tree::names(dir.path()), ["a", "a.zip"]);
    prop_assert_eq!(tree::names(&dir.path().join("a")), ["b"]);
    prop_assert_eq!(tree::names(&dir.path().join("a/b")), ["c"]);
    if outcome.is_err() {
        prop_assert_eq!(tree::names(&sealed), Vec::<String>::new());
        return Ok(());
    }
    prop_assert_eq!(tree::names(&sealed), ["out"]);
    // No link leads out, as the system itself follows it.
    let real = fs::canonicalize(&out).unwrap();
    for (path, node) in tree::read(&out) {
        if let (Node::Link(_), Ok(target)) = (node, fs::canonicalize(out.join(path))) {
            prop_assert!(target.starts_with(&real));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn unpacking_undoes_packing(source in trees()) {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        tree::write(&source, &from);
        let (one, two) = (dir.path().join("1.zip"), dir.path().join("2.zip"));
        let packed = Packer::default().dir(&from, &one).unwrap();
        let unpacked = unpack(&one, &dir.path().join("to"), &Limits::default()).unwrap();
        prop_assert_eq!(tree::read(&dir.path().join("to")), source);
        prop_assert_eq!(unpacked.unpacked_size, packed.unpacked_size);
        prop_assert_eq!(unpacked.entries, packed.entries);
        // And packing what was unpacked gives the same artifact again.
        let again = Packer::default().dir(&dir.path().join("to"), &two).unwrap();
        prop_assert_eq!(again.digest, packed.digest);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn forged_archives_stay_inside(entries in vec(forged(), 0..6)) {
        unpack_sealed(&archive(&entries))?;
    }

    #[test]
    fn damaged_archives_stay_inside(
        entries in vec(forged(), 1..4),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = archive(&entries);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        unpack_sealed(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_stay_inside(bytes in vec(any::<u8>(), 0..400)) {
        unpack_sealed(&bytes)?;
    }
}
