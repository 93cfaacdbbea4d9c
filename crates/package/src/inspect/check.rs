//! What keeps an artifact from starting, each with its remedy.

use anyport_core::error::{Violation, Violations};
use anyport_core::spec::{Arch, Family, Packaging, Runtime};

use super::elf::Machine;
use super::program::Program;
use super::{FileInfo, Inspection, handler};
use crate::pack::BOOTSTRAP;
use crate::refusal::printable;

/// How many names a message suggests.
const SUGGESTED: usize = 4;

impl Inspection {
    /// Everything that would keep the artifact from starting as `packaging` says, on `arch`.
    ///
    /// Empty when nothing was found. Fields are named as in a function's specification.
    #[must_use]
    pub fn check(&self, packaging: &Packaging, arch: Arch) -> Violations {
        let mut found = Violations::none();
        match packaging {
            Packaging::Zip { .. } => self.check_bootstrap(arch, &mut found),
            Packaging::Bundle { runtime, handler } => {
                self.check_handler(runtime, handler, &mut found)
            }
            Packaging::Command { command } => self.check_command(command, arch, &mut found),
            _ => {}
        }
        found
    }

    fn check_bootstrap(&self, arch: Arch, found: &mut Violations) {
        match self.files.get(BOOTSTRAP) {
            Some(file) => check_program("artifact.bootstrap", file, arch, found),
            None => {
                let rule = "must hold an executable file `bootstrap` at its root";
                found.push(match self.one_folder_down(BOOTSTRAP) {
                    Some(path) => Violation::new(
                        "artifact.bootstrap",
                        format!("{rule}; pack the folder's contents, not the folder"),
                    )
                    .value(printable(path))
                    .nearest(BOOTSTRAP),
                    None => Violation::new("artifact.bootstrap", rule),
                });
            }
        }
    }

    fn check_handler(&self, runtime: &Runtime, named: &str, found: &mut Violations) {
        let family = runtime.family();
        let violation =
            |rule: String| Violation::new("artifact.handler", rule).value(printable(named));
        let Some((module, _)) = handler::split(family, named) else {
            let rule = "must name a module and a function, with a dot between";
            found.push(violation(rule.to_owned()).nearest("app.handler"));
            return;
        };
        let candidates = handler::candidates(family, &module);
        if candidates.iter().any(|path| self.files.contains_key(path)) {
            return;
        }
        let looked_for: Vec<_> = candidates
            .iter()
            .map(|path| format!("`{}`", printable(path)))
            .collect();
        let mut rule = format!(
            "must name a module in the artifact; looked for {}",
            looked_for.join(", ")
        );
        if candidates
            .iter()
            .any(|path| self.one_folder_down(path).is_some())
        {
            rule.push_str(
                "; it is one folder further down: pack the folder's contents, not the folder",
            );
        }
        let violation = violation(rule);
        found.push(match self.modules(family).as_slice() {
            [] => violation,
            modules => violation.nearest(modules.join(", ")),
        });
    }

    fn check_command(&self, command: &[String], arch: Arch, found: &mut Violations) {
        const FIELD: &str = "artifact.command";
        let Some(program) = command.first().filter(|program| !program.is_empty()) else {
            found.push(Violation::new(FIELD, "must name a program"));
            return;
        };
        let inside = program.strip_prefix("./").unwrap_or(program);
        match self.files.get(inside) {
            Some(file) => check_program(FIELD, file, arch, found),
            // Absolute paths and bare names are looked for where the function runs.
            None if program.starts_with('/') || !program.contains('/') => {}
            None => {
                let rule = "must name a program in the artifact, or one on the path";
                found.push(Violation::new(FIELD, rule).value(printable(program)));
            }
        }
    }

    /// A file of that name in a folder that holds everything else too.
    fn one_folder_down(&self, name: &str) -> Option<&str> {
        let (first, _) = self.files.first_key_value()?;
        let (folder, _) = first.split_once('/')?;
        let path = format!("{folder}/{name}");
        let (path, _) = self.files.get_key_value(&path)?;
        let all_below = self.files.keys().all(|file| {
            file.strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
        });
        all_below.then_some(path)
    }

    /// Modules at the root, to suggest.
    fn modules(&self, family: Family) -> Vec<String> {
        let at_root = self.files.keys().filter(|path| !path.contains('/'));
        at_root
            .filter(|path| handler::is_module(family, path))
            .take(SUGGESTED)
            .map(|path| printable(path))
            .collect()
    }
}

/// Checks that a file can be started on a Linux machine of this architecture.
fn check_program(field: &str, file: &FileInfo, arch: Arch, found: &mut Violations) {
    let mut refuse = |rule: String| found.push(Violation::new(field, rule));
    if file.link && !file.executable {
        refuse(
            "is a link that leads to no executable file of the artifact: store the program itself"
                .to_owned(),
        );
    } else if !file.executable {
        refuse(
            "must be executable: run `chmod +x` on it and pack again; archives made on Windows \
             lose this bit, `anyport package` keeps it"
                .to_owned(),
        );
    }
    match &file.program {
        Some(Program::Elf { machine, .. }) if *machine != Machine::Known(arch) => {
            refuse(format!(
                "must be built for {arch}, it is built for {machine}"
            ));
        }
        Some(Program::MachO) => refuse(format!(
            "must be built for Linux on {arch}, it is built for macOS"
        )),
        Some(Program::Windows) => refuse(format!(
            "must be built for Linux on {arch}, it is built for Windows"
        )),
        Some(Program::Empty) => refuse("must be a program, it is empty".to_owned()),
        Some(Program::Script { interpreter }) if interpreter.ends_with('\r') => {
            refuse("must have Unix line ends: its `#!` line ends in a carriage return".to_owned());
        }
        Some(Program::Script { interpreter }) if !interpreter.starts_with('/') => {
            refuse(format!(
                "must name its interpreter by an absolute path, its `#!` line names `{}`",
                printable(interpreter)
            ));
        }
        Some(Program::Unknown) => {
            refuse("must be an ELF program or start with a `#!` line, it is neither".to_owned());
        }
        _ => {}
    }
}
