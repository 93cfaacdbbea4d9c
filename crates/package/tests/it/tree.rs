//! A folder as data, to compare one with another.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File { bytes: Vec<u8>, executable: bool },
    Folder,
    Link(String),
}

/// Everything below a folder, by path.
pub(crate) type Tree = BTreeMap<String, Node>;

/// An ordinary file.
pub(crate) fn file(bytes: &[u8]) -> Node {
    Node::File {
        bytes: bytes.to_vec(),
        executable: false,
    }
}

/// An executable file.
pub(crate) fn program(bytes: &[u8]) -> Node {
    Node::File {
        bytes: bytes.to_vec(),
        executable: true,
    }
}

/// A tree of the given nodes.
pub(crate) fn tree<const N: usize>(nodes: [(&str, Node); N]) -> Tree {
    nodes
        .into_iter()
        .map(|(path, node)| (path.to_owned(), node))
        .collect()
}

/// Makes the tree real below `root`.
pub(crate) fn write(tree: &Tree, root: &Path) {
    fs::create_dir_all(root).unwrap();
    for (path, node) in tree {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        match node {
            Node::File { bytes, executable } => {
                fs::write(&path, bytes).unwrap();
                let mode = if *executable { 0o755 } else { 0o644 };
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            }
            Node::Folder => fs::create_dir_all(&path).unwrap(),
            Node::Link(target) => std::os::unix::fs::symlink(target, &path).unwrap(),
        }
    }
}

/// Reads what is below `root`; folders count only where they are empty.
pub(crate) fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    read_into(root, "", &mut tree);
    tree
}

fn read_into(dir: &Path, prefix: &str, tree: &mut Tree) {
    for child in fs::read_dir(dir).unwrap() {
        let child = child.unwrap();
        let name = format!("{prefix}{}", child.file_name().to_str().unwrap());
        let meta = fs::symlink_metadata(child.path()).unwrap();
        if meta.is_dir() {
            let before = tree.len();
            read_into(&child.path(), &format!("{name}/"), tree);
            if tree.len() == before {
                tree.insert(name, Node::Folder);
            }
        } else if meta.is_symlink() {
            let target = fs::read_link(child.path()).unwrap();
            tree.insert(name, Node::Link(target.to_str().unwrap().to_owned()));
        } else {
            let executable = meta.permissions().mode() & 0o100 != 0;
            tree.insert(
                name,
                Node::File {
                    bytes: fs::read(child.path()).unwrap(),
                    executable,
                },
            );
        }
    }
}

/// The names directly in a folder, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|child| child.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
