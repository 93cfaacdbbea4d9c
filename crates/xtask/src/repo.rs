//! The repository: its files, and the workspace as cargo sees it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde::Deserialize;

use crate::commands::Failure;

/// The repository that this program was built in.
pub(crate) struct Repo {
    pub(crate) root: PathBuf,
    /// Every file that git tracks or would, relative to the root and sorted.
    pub(crate) files: Vec<String>,
    pub(crate) workspace: Workspace,
}

impl Repo {
    /// Asks git and cargo about the repository.
    ///
    /// # Errors
    /// When one of them is not there or does not answer.
    pub(crate) fn open() -> Result<Self, Failure> {
        let root = root()?;
        let git = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ];
        let listing = String::from_utf8(output("git".as_ref(), &git, &root)?)?;
        let mut files: Vec<String> = listing
            .split_terminator('\0')
            // A file deleted but not yet staged is still listed.
            .filter(|path| root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let metadata = output(
            &cargo,
            &["metadata", "--format-version=1", "--locked"],
            &root,
        )?;
        Ok(Self {
            root,
            files,
            workspace: Workspace::parse(&metadata)?,
        })
    }

    /// The text of a file, `None` where it is not text.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn text(&self, path: &str) -> io::Result<Option<String>> {
        let bytes = fs::read(self.root.join(path))?;
        Ok(String::from_utf8(bytes).ok())
    }
}

/// The folder that the workspace lies in.
///
/// # Errors
/// When the repository was moved after this program was built.
pub(crate) fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
}

fn output(program: &OsStr, args: &[&str], folder: &Path) -> Result<Vec<u8>, Failure> {
    let named = || format!("`{} {}`", program.display(), args.join(" "));
    let output = Command::new(program)
        .args(args)
        .current_dir(folder)
        .output()
        .map_err(|error| format!("could not run {}: {error}", named()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{} failed: {}", named(), text.trim_end()).into());
    }
    Ok(output.stdout)
}

/// The workspace's packages and what they depend on.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The members, by name.
    pub(crate) members: Vec<Member>,
    /// Names of the packages that a package needs to run, by its identifier.
    graph: HashMap<String, Vec<String>>,
    names: HashMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    id: String,
    /// Its direct dependencies.
    pub(crate) dependencies: Vec<Dependency>,
    /// Names of its programs.
    pub(crate) programs: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    kind: Option<String>,
}

impl Dependency {
    pub(crate) fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Workspace {
    fn parse(metadata: &[u8]) -> Result<Self, Failure> {
        let metadata: Metadata = serde_json::from_slice(metadata)?;
        let own: HashSet<_> = metadata.workspace_members.into_iter().collect();
        let names = metadata
            .packages
            .iter()
            .map(|p| (p.id.clone(), p.name.clone()))
            .collect();
        let graph = metadata.resolve.nodes.into_iter().map(|node| {
            let needed = node.deps.into_iter().filter(|edge| {
                edge.dep_kinds
                    .iter()
                    .any(|kind| kind.kind.as_deref() != Some("dev"))
            });
            (node.id, needed.map(|edge| edge.pkg).collect())
        });
        let mut members: Vec<Member> = metadata
            .packages
            .into_iter()
            .filter(|package| own.contains(&package.id))
            .map(Package::into_member)
            .collect();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            members,
            graph: graph.collect(),
            names,
        })
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// A way from a member to a package that it needs to run, by any number of steps.
    pub(crate) fn way_to(&self, from: &Member, package: &str) -> Option<Vec<&str>> {
        let mut seen = HashSet::new();
        let mut ways: Vec<Vec<&str>> = vec![vec![from.id.as_str()]];
        while let Some(way) = ways.pop() {
            let here = *way.last()?;
            if self.names.get(here).is_some_and(|name| name == package) {
                return Some(
                    way.iter()
                        .filter_map(|id| self.names.get(*id))
                        .map(String::as_str)
                        .collect(),
                );
            }
            for next in self.graph.get(here).into_iter().flatten() {
                if seen.insert(next.as_str()) {
                    ways.push(way.iter().copied().chain([next.as_str()]).collect());
                }
            }
        }
        None
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    rust_version: Option<String>,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

impl Package {
    fn into_member(self) -> Member {
        let programs = self
            .targets
            .into_iter()
            .filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        Member {
            name: self.name,
            version: self.version,
            rust_version: self.rust_version,
            id: self.id,
            dependencies: self.dependencies,
            programs: programs.map(|target| target.name).collect(),
        }
    }
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

#[cfg(test)]
impl Workspace {
    /// A workspace of members with their direct dependencies; a `+` in front marks one for tests.
    pub(crate) fn of(members: &[(&str, &[&str])]) -> Self {
        let mut names: HashMap<String, String> = HashMap::new();
        let mut graph: HashMap<String, Vec<String>> = HashMap::new();
        let members = members.iter().map(|(name, deps)| {
            names.insert((*name).to_owned(), (*name).to_owned());
            let needed = deps.iter().filter(|dep| !dep.starts_with('+'));
            graph.insert(
                (*name).to_owned(),
                needed.map(|dep| (*dep).to_owned()).collect(),
            );
            for dep in *deps {
                names.insert((*dep).to_owned(), (*dep).to_owned());
            }
            let dependencies = deps.iter().map(|dep| Dependency {
                name: dep.trim_start_matches('+').to_owned(),
                kind: dep.starts_with('+').then(|| "dev".to_owned()),
            });
            Member {
                name: (*name).to_owned(),
                version: "0.1.0".to_owned(),
                rust_version: Some("1.89".to_owned()),
                id: (*name).to_owned(),
                dependencies: dependencies.collect(),
                programs: Vec::new(),
            }
        });
        Self {
            members: members.collect(),
            graph,
            names,
        }
    }
}
