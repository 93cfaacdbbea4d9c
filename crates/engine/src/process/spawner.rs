//! The thread that starts processes.
//!
//! All processes are forked from one thread that lives as long as the engine, because the
//! parent-death signal is tied to the thread that forked.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::cgroup::Entry;
use super::child::Child;

/// What to start. Standard input is empty; nothing of this process's environment is passed on.
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) dir: PathBuf,
    pub(crate) stdout: io::PipeWriter,
    pub(crate) stderr: io::PipeWriter,
    /// The control group to be in before anything runs.
    pub(crate) group: Option<Entry>,
}

type Job = (Start, oneshot::Sender<io::Result<Child>>);

/// A handle to the thread; it ends when the handle is dropped.
pub(crate) struct Spawner {
    jobs: mpsc::Sender<Job>,
}

impl Spawner {
    /// Starts the thread. Its children are watched by the runtime behind `runtime`.
    pub(crate) fn start(runtime: Handle) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("anyport-spawner".to_owned())
            .spawn(move || {
                let _runtime = runtime.enter();
                for (start, reply) in queue {
                    // A child whose starter has gone is killed: `Child` is set to die when dropped.
                    let _ = reply.send(spawn(start));
                }
            })?;
        Ok(Self { jobs })
    }

    /// Starts a process, as the leader of its own group.
    pub(crate) async fn spawn(&self, start: Start) -> io::Result<Child> {
        let (reply, answer) = oneshot::channel();
        self.jobs
            .send((start, reply))
            .map_err(|_| io::Error::other("the engine is shut down"))?;
        answer
            .await
            .map_err(|_| io::Error::other("the engine is shut down"))?
    }
}

fn spawn(start: Start) -> io::Result<Child> {
    #[cfg(target_os = "linux")]
    if let Some(Entry::Born(group)) = &start.group {
        use std::os::fd::AsFd;
        return unless_busy(|| super::born::spawn(&start, group.as_fd()))
            .and_then(super::child::born::Watched::new)
            .map(Child::Born);
    }
    let mut command = Command::new(start.program);
    command
        .args(start.args)
        .env_clear()
        .envs(start.env)
        .current_dir(start.dir)
        .stdin(std::process::Stdio::null())
        .stdout(start.stdout)
        .stderr(start.stderr)
        .kill_on_drop(true);
    command.process_group(0);
    #[cfg(target_os = "linux")]
    prepare(command.as_std_mut(), start.group);
    unless_busy(|| command.spawn()).map(Child::Forked)
}

/// Tries again while the program looks busy. One that was written a moment ago can still look open for
/// writing: any other process that was forked at that moment holds a copy of the descriptor until it
/// runs its own program.
fn unless_busy<T>(mut start: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut pause = Duration::from_millis(1);
    loop {
        match start() {
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && pause < BUSY_AT_MOST =>
            {
                thread::sleep(pause);
                pause *= 2;
            }
            result => return result,
        }
    }
}

/// The longest pause before a program that looks busy is tried again; half a second in all.
const BUSY_AT_MOST: Duration = Duration::from_millis(256);

/// Starts a process in a group that ends at once; fails if it can't be put there.
pub(crate) fn prove(entry: Entry) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match &entry {
        Entry::Born(group) => super::born::prove(std::os::fd::AsFd::as_fd(group)),
        Entry::Tasks(_) => {
            let mut command = std::process::Command::new("/bin/sh");
            command.args(["-c", ":"]).env_clear();
            prepare(&mut command, Some(entry));
            command.status().map(drop)
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        drop(entry);
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// Makes the child join its control group and settle before it becomes its program.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn prepare(command: &mut std::process::Command, group: Option<Entry>) {
    use std::os::unix::process::CommandExt;
    let parent = std::process::id();
    // SAFETY: between fork and exec only async-signal-safe calls are made (system calls); nothing
    // is allocated and no lock is taken.
    unsafe {
        command.pre_exec(move || {
            if let Some(Entry::Tasks(file)) = &group {
                // `&File` writes with one plain system call.
                io::Write::write_all(&mut &*file, b"0")?;
            }
            settle(parent, group.is_none())
        });
    }
}

/// Makes this process, a child before its exec, die with the thread that created it, inherit no
/// descriptor but the standard three, and leave no core file in the shared code directory. With
/// `adopt`, orphans among its descendants become its children, so that they are found by parent.
///
/// System calls only: it runs between fork and exec.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(crate) fn settle(parent: u32, adopt: bool) -> io::Result<()> {
    use nix::sys::{prctl, resource, signal::Signal};
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the signal was set; its children then have another.
    if u32::try_from(nix::unistd::getppid().as_raw()) != Ok(parent) {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    if adopt {
        prctl::set_child_subreaper(true)?;
    }
    resource::setrlimit(resource::Resource::RLIMIT_CORE, 0, 0)?;
    // SAFETY: it marks descriptors of this process only. Older kernels lack the call; there only
    // descriptors opened without close-on-exec by other libraries of this process would be passed on.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3 as libc::c_uint,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
pub(crate) mod tests {
    use super::*;

    /// Starts a shell with a script. Must run inside a runtime.
    pub(crate) fn shell(script: &str, group: Option<Entry>) -> io::Result<Child> {
        let null = || -> io::Result<io::PipeWriter> { Ok(io::pipe()?.1) };
        spawn(Start {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("PATH".into(), std::env::var_os("PATH").unwrap_or_default())],
            dir: "/".into(),
            stdout: null()?,
            stderr: null()?,
            group,
        })
    }
}
