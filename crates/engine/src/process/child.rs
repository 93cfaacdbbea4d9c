//! A started process, however it was created.

use std::io;

use tokio::process::Child as Forked;

use crate::error::Exit;

/// A process of ours. Dropping it before it has ended kills it.
pub(crate) enum Child {
    /// Created by the standard library.
    Forked(Forked),
    /// Created inside its control group.
    #[cfg(target_os = "linux")]
    Born(born::Watched),
}

impl Child {
    /// Its number.
    pub(crate) fn pid(&self) -> Option<i32> {
        match self {
            Self::Forked(child) => child.id().and_then(|pid| i32::try_from(pid).ok()),
            #[cfg(target_os = "linux")]
            Self::Born(child) => Some(child.pid()),
        }
    }

    /// Waits until it has ended, and collects it.
    pub(crate) async fn wait(&mut self) -> Exit {
        match self {
            Self::Forked(child) => exit_of(child.wait().await),
            #[cfg(target_os = "linux")]
            Self::Born(child) => child.wait().await,
        }
    }
}

fn exit_of(status: io::Result<std::process::ExitStatus>) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        },
        Err(_) => Exit::Unknown,
    }
}

#[cfg(target_os = "linux")]
pub(crate) mod born {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd, OwnedFd};
    use std::thread;

    use nix::errno::Errno;
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use crate::error::Exit;
    use crate::process::born::Born;

    /// A process watched through its descriptor.
    pub(crate) struct Watched {
        pid: i32,
        pidfd: Option<AsyncFd<OwnedFd>>,
        exit: Option<Exit>,
    }

    impl Watched {
        /// Takes over a process. Must run inside a runtime.
        #[allow(unsafe_code)]
        pub(crate) fn new(born: Born) -> io::Result<Self> {
            let Born { pid, pidfd } = born;
            // SAFETY: an `OwnedFd` names the same open descriptor until it is dropped.
            match unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) } {
                Ok(pidfd) => Ok(Self {
                    pid,
                    pidfd: Some(pidfd),
                    exit: None,
                }),
                Err(error) => {
                    let (pidfd, error) = error.into_parts();
                    end(pidfd);
                    Err(error)
                }
            }
        }

        pub(crate) fn pid(&self) -> i32 {
            self.pid
        }

        pub(crate) async fn wait(&mut self) -> Exit {
            while self.exit.is_none() {
                let Some(pidfd) = &self.pidfd else {
                    return Exit::Unknown;
                };
                match pidfd.readable().await {
                    Ok(mut ready) => match collect(pidfd.get_ref(), WaitPidFlag::WNOHANG) {
                        Ok(None) => ready.clear_ready(),
                        Ok(exit) => self.exit = exit,
                        // Somebody else in this process collected it.
                        Err(_) => self.exit = Some(Exit::Unknown),
                    },
                    Err(_) => return Exit::Unknown,
                }
            }
            self.exit.unwrap_or(Exit::Unknown)
        }
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            if self.exit.is_none()
                && let Some(pidfd) = self.pidfd.take()
            {
                end(pidfd.into_inner());
            }
        }
    }

    fn collect(pidfd: &OwnedFd, more: WaitPidFlag) -> Result<Option<Exit>, Errno> {
        match waitid(Id::PIDFd(pidfd.as_fd()), WaitPidFlag::WEXITED | more)? {
            WaitStatus::StillAlive => Ok(None),
            WaitStatus::Exited(_, code) => Ok(Some(Exit::Code(code))),
            WaitStatus::Signaled(_, signal, _) => Ok(Some(Exit::Signal(signal as i32))),
            _ => Ok(Some(Exit::Unknown)),
        }
    }

    /// Kills a process nobody waits for any more, and collects it in its own time.
    #[allow(unsafe_code)]
    fn end(pidfd: OwnedFd) {
        // SAFETY: a system call on a descriptor we own; it names this process and no other, ever.
        unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                pidfd.as_raw_fd(),
                libc::SIGKILL,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        let collector = move || while collect(&pidfd, WaitPidFlag::empty()) == Err(Errno::EINTR) {};
        // Where no thread can be had it stays as a dead entry until this process ends.
        let _ = thread::Builder::new().spawn(collector);
    }
}
