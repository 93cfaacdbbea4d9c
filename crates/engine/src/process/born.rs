//! Creating a process inside a control group.
//!
//! The standard library can only fork and let the child move itself. For version 2 groups that move
//! makes the kernel wait for a grace period of about ten milliseconds, longer than a whole cold start;
//! `clone3` puts the new process into the group at no such cost, and it is in before it can do anything.

use std::ffi::{CString, OsStr};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use nix::sys::signal::{SigSet, SigmaskHow};

use super::spawner::{self, Start};

const CLONE_PIDFD: u64 = 0x1000;
const CLONE_CLEAR_SIGHAND: u64 = 0x1_0000_0000;
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

/// What the kernel calls `struct clone_args`.
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// A process that was created, and the descriptor that names it for good.
pub(crate) struct Born {
    pub(crate) pid: i32,
    pub(crate) pidfd: OwnedFd,
}

/// Everything the child needs, laid out before it exists: it must not allocate.
struct Ready {
    program: CString,
    dir: CString,
    // Own what the pointers point to.
    _strings: Vec<CString>,
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
    files: [OwnedFd; 3],
    parent: u32,
}

/// Starts the program inside the group whose directory is `group`, as the leader of a process group.
pub(crate) fn spawn(start: &Start, group: BorrowedFd<'_>) -> io::Result<Born> {
    let ready = Ready::new(start)?;
    let (mut reader, writer) = io::pipe()?;
    let complaint = high(writer.as_fd())?;
    drop(writer);
    // SAFETY: the closure makes system calls only.
    #[allow(unsafe_code)]
    let born = unsafe { clone(group, &|| child(&ready, complaint.as_raw_fd())) }?;
    drop(complaint);
    // Closed by a successful exec; otherwise the child says why there is none.
    let mut code = [0; 4];
    match reader.read_exact(&mut code) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(born),
        outcome => {
            reap(&born);
            Err(match outcome {
                Ok(()) => io::Error::from_raw_os_error(i32::from_ne_bytes(code)),
                Err(error) => error,
            })
        }
    }
}

/// Creates a process inside the group that ends at once, to see whether that works.
pub(crate) fn prove(group: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the closure does nothing.
    #[allow(unsafe_code)]
    let born = unsafe { clone(group, &|| 0) }?;
    reap(&born);
    Ok(())
}

impl Ready {
    fn new(start: &Start) -> io::Result<Self> {
        let program = text(start.program.as_os_str())?;
        let mut strings = vec![program.clone()];
        for argument in &start.args {
            strings.push(text(argument)?);
        }
        let arguments = strings.len();
        for (name, value) in &start.env {
            let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
            strings.push(CString::new(entry)?);
        }
        // The strings' own memory stays where it is when the vector moves.
        let pointers = |part: &[CString]| {
            part.iter()
                .map(|text| text.as_ptr())
                .chain([ptr::null()])
                .collect()
        };
        Ok(Self {
            program,
            dir: text(start.dir.as_os_str())?,
            argv: pointers(&strings[..arguments]),
            envp: pointers(&strings[arguments..]),
            _strings: strings,
            files: [
                high(OpenOptions::new().read(true).open("/dev/null")?.as_fd())?,
                high(start.stdout.as_fd())?,
                high(start.stderr.as_fd())?,
            ],
            parent: std::process::id(),
        })
    }
}

fn text(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

/// A copy above the standard three, which are about to be replaced; closed by exec.
fn high(file: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let copy = nix::fcntl::fcntl(file, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(3))?;
    // SAFETY: the call has just made this descriptor, and nobody else knows of it.
    #[allow(unsafe_code)]
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// Forks into the group, runs `child` there, and ends the new process with what that returns.
///
/// # Safety
/// `child` runs in a copy of a process whose other threads are gone: it may make system calls only.
#[allow(unsafe_code)]
unsafe fn clone(group: BorrowedFd<'_>, child: &dyn Fn() -> i32) -> io::Result<Born> {
    let mut pidfd: RawFd = -1;
    let mut arguments = CloneArgs {
        flags: CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP,
        pidfd: ptr::from_mut(&mut pidfd) as u64,
        exit_signal: u64::from(libc::SIGCHLD.unsigned_abs()),
        cgroup: u64::from(group.as_raw_fd().unsigned_abs()),
        ..CloneArgs::default()
    };
    // No handler of this process may run in the child before its handlers are gone.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    // SAFETY: the structure is the kernel's, its size is passed, and what it points to outlives the
    // call. No memory is shared, so the child has its own copy of this stack, as after a fork.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            ptr::from_mut(&mut arguments),
            size_of::<CloneArgs>(),
        )
    };
    if pid == 0 {
        end(child());
    }
    let error = io::Error::last_os_error();
    before.thread_set_mask()?;
    if pid < 0 {
        return Err(error);
    }
    Ok(Born {
        pid: i32::try_from(pid).map_err(io::Error::other)?,
        // SAFETY: the kernel has just made this descriptor for us.
        pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
    })
}

/// The child's part: becomes the program, or tells why not.
#[allow(unsafe_code)]
fn child(ready: &Ready, complaint: RawFd) -> i32 {
    let become_it = || -> io::Result<()> {
        nix::unistd::setpgid(nix::unistd::Pid::from_raw(0), nix::unistd::Pid::from_raw(0))?;
        for (number, file) in (0..).zip(&ready.files) {
            // SAFETY: plain system call on descriptors this process owns.
            if unsafe { libc::dup2(file.as_raw_fd(), number) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        nix::unistd::chdir(ready.dir.as_c_str())?;
        spawner::settle(ready.parent, false)?;
        // SAFETY: restores the default that this process's runtime replaced.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        SigSet::empty().thread_set_mask()?;
        // SAFETY: both lists end in a null pointer and point to strings that `ready` owns.
        unsafe {
            libc::execve(
                ready.program.as_ptr(),
                ready.argv.as_ptr(),
                ready.envp.as_ptr(),
            )
        };
        Err(io::Error::last_os_error())
    };
    let code = match become_it() {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
    };
    let bytes = code.to_ne_bytes();
    // SAFETY: writes four bytes that are there. A parent that has gone needs no answer.
    unsafe { libc::write(complaint, bytes.as_ptr().cast(), bytes.len()) };
    127
}

/// Ends this process at once: nothing of the copied process may run.
#[allow(unsafe_code)]
fn end(code: i32) -> ! {
    // SAFETY: a system call that does not return.
    unsafe { libc::_exit(code) }
}

/// Collects a process that ends by itself.
fn reap(born: &Born) {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    let collect = || waitid(Id::PIDFd(born.pidfd.as_fd()), WaitPidFlag::WEXITED);
    while collect() == Err(nix::errno::Errno::EINTR) {}
}
