//! The thread that starts processes.
//!
//! All processes are forked from one thread that lives as long as the engine, because the
//! parent-death signal is tied to the thread that forked.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What to start. Standard input is empty; nothing of this process's environment is passed on.
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) dir: PathBuf,
    pub(crate) stdout: io::PipeWriter,
    pub(crate) stderr: io::PipeWriter,
    /// The `cgroup.procs` file of a control group to join before anything runs.
    pub(crate) cgroup: Option<File>,
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
    tie_to_parent(&mut command, start.cgroup);
    // A program that was written a moment ago can still look open for writing: any other process that
    // was forked at that moment holds a copy of the descriptor until it runs its own program.
    let mut pause = Duration::from_millis(1);
    loop {
        match command.spawn() {
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

/// Makes the child join its control group, die with this thread, inherit no descriptor but the standard three, and leave no
/// core file in the shared code directory.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn tie_to_parent(command: &mut Command, cgroup: Option<File>) {
    use nix::sys::{prctl, resource, signal::Signal};
    let parent = std::process::id();
    // SAFETY: between fork and exec only async-signal-safe calls are made (system calls); nothing
    // is allocated and no lock is taken.
    unsafe {
        command.pre_exec(move || {
            prctl::set_pdeathsig(Signal::SIGKILL)?;
            // The parent may have died before the signal was set; its children then have another.
            if u32::try_from(nix::unistd::getppid().as_raw()) != Ok(parent) {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            if let Some(file) = &cgroup {
                // `&File` writes with one plain system call.
                io::Write::write_all(&mut &*file, b"0")?;
            }
            resource::setrlimit(resource::Resource::RLIMIT_CORE, 0, 0)?;
            // Older kernels lack this call; there only descriptors opened without close-on-exec by
            // other libraries of this process would be passed on.
            libc::syscall(
                libc::SYS_close_range,
                3 as libc::c_uint,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            );
            Ok(())
        });
    }
}
