//! Others that serve Lambda on this machine.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::wire::{Keys, Place};
use crate::commands::Failure;
use crate::oracles::{Cache, peers};

/// How long a peer may take to listen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long it may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A peer. Ends with the value.
pub(super) struct Peer {
    /// The last began last, and ends first.
    processes: Vec<Child>,
    pub(super) place: Place,
    _scratch: tempfile::TempDir,
}

/// The function that [`cargo_lambda`] serves: it has one for which no name is asked.
pub(super) const UNNAMED: &str = "_";

/// `cargo lambda watch`, with this program, built on AWS's own runtime, as its function.
pub(super) fn cargo_lambda(cache: &Cache, program: &Path) -> Result<Peer, Failure> {
    let tool = peers::cargo_lambda(cache)?;
    let scratch = tempfile::Builder::new()
        .prefix("anyport-bench-")
        .tempdir()?;
    let address = free_port()?;
    let manifest = peers::source("lambda-runtime-fn").join("Cargo.toml");
    let watch = Command::new(tool)
        .args(["lambda", "watch", "--only-lambda-apis", "--manifest-path"])
        .arg(manifest)
        .args(["--invoke-address", &address.ip().to_string()])
        .args(["--invoke-port", &address.port().to_string()])
        .current_dir(scratch.path())
        .stdin(Stdio::null())
        .stdout(File::create(scratch.path().join("watch.log"))?)
        .stderr(File::create(scratch.path().join("watch.err"))?)
        .spawn()?;
    let mut peer = Peer {
        processes: vec![watch],
        place: place(address),
        _scratch: scratch,
    };
    peer.listens(address)?;
    let function = Command::new(program)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://{address}/.rt"))
        .env("AWS_LAMBDA_FUNCTION_NAME", UNNAMED)
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("GREETING", "good day")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    peer.processes.push(function);
    Ok(peer)
}

/// ministack, which is not told to listen to other machines.
pub(super) fn ministack(cache: &Cache) -> Result<Peer, Failure> {
    let packages = peers::ministack(cache)?;
    let scratch = tempfile::Builder::new()
        .prefix("anyport-bench-")
        .tempdir()?;
    let address = free_port()?;
    let server = Command::new("python3")
        .args(["-m", "ministack"])
        .env("PYTHONPATH", packages)
        .env("BIND_HOST", address.ip().to_string())
        .env("GATEWAY_PORT", address.port().to_string())
        .env("TMPDIR", scratch.path())
        .current_dir(scratch.path())
        .stdin(Stdio::null())
        .stdout(File::create(scratch.path().join("server.log"))?)
        .stderr(File::create(scratch.path().join("server.err"))?)
        .spawn()?;
    let mut peer = Peer {
        processes: vec![server],
        place: place(address),
        _scratch: scratch,
    };
    peer.listens(address)?;
    Ok(peer)
}

/// Neither looks at the signature.
fn place(address: SocketAddr) -> Place {
    Place {
        endpoint: format!("http://{address}"),
        account: "000000000000".to_owned(),
        keys: Keys::new("test", "test"),
    }
}

impl Peer {
    fn listens(&mut self, address: SocketAddr) -> Result<(), Failure> {
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            for process in &mut self.processes {
                if let Some(status) = process.try_wait()? {
                    return Err(format!("a peer ended with {status} before it listened").into());
                }
            }
            if began.elapsed() > PATIENCE {
                return Err("a peer does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // What they started ends with them when they are asked, so they are asked before they are made to.
        while let Some(mut process) = self.processes.pop() {
            let _ = Command::new("kill").arg(process.id().to_string()).status();
            let began = Instant::now();
            while began.elapsed() < GRACE && !matches!(process.try_wait(), Ok(Some(_))) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A loopback address that nobody listens on now.
fn free_port() -> Result<SocketAddr, Failure> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
