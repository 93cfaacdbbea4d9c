//! The probe as a process.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};

use super::message::{Message, Wire};
use super::{PATIENCE, await_that};

pub(crate) struct Probe {
    child: Child,
    stderr: Receiver<String>,
    /// The lines of standard error that were read so far.
    pub(crate) log: Vec<String>,
}

impl Probe {
    /// Starts the probe with these variables and no others.
    pub(crate) fn start(vars: &[(&str, &str)]) -> Self {
        Self::start_with_input(vars, b"")
    }

    pub(crate) fn start_with_input(vars: &[(&str, &str)], input: &[u8]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_anyport-runtime-probe"))
            .env_clear()
            .envs(vars.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // One that does not read its input is no error here.
        let _ = stdin.write_all(input);
        drop(stdin);
        let (send, stderr) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .try_for_each(|line| send.send(line))
        });
        Self {
            child,
            stderr,
            log: Vec::new(),
        }
    }

    /// Starts it as a server on a free port, and waits until it listens.
    pub(crate) fn serve(vars: &[(&str, &str)]) -> (Self, String) {
        let mut all = vec![("PORT", "0"), ("ANYPORT_BIND", "127.0.0.1")];
        all.extend(vars);
        let mut probe = Self::start(&all);
        let line = probe.await_line("listening on http://");
        let address = line.split("http://").nth(1).unwrap().to_owned();
        (probe, address)
    }

    /// Waits for a line that contains this.
    pub(crate) fn await_line(&mut self, part: &str) -> String {
        loop {
            let line = match self.stderr.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(_) => panic!("no line with {part:?} in {:#?}", self.log),
            };
            self.log.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Asks it to end, and waits until it has understood.
    #[cfg(unix)]
    pub(crate) fn tell_to_end(&mut self) {
        self.signal("TERM");
        self.await_line("told to end");
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end; afterwards `log` is complete.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let mut status = None;
        await_that("the probe has ended", || {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        self.log.extend(self.stderr.iter());
        status.unwrap()
    }

    pub(crate) fn logged(&self, part: &str) -> bool {
        self.log.iter().any(|line| line.contains(part))
    }

    /// Everything it printed; call after `wait`.
    pub(crate) fn stdout(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        bytes
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One call over a connection of its own.
pub(crate) fn post(address: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
    let mut wire = Wire::connect(address);
    let mut all = vec![("host", address)];
    all.extend(headers);
    wire.send("POST / HTTP/1.1", &all, body);
    wire.receive().expect("the server hung up")
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// One call that asks the probe to do something.
pub(crate) fn ask(address: &str, what: &serde_json::Value) -> Message {
    post(address, &[JSON], what.to_string().as_bytes())
}

pub(crate) fn health(address: &str) -> u16 {
    let mut wire = Wire::connect(address);
    wire.send("GET /_anyport/health HTTP/1.1", &[("host", address)], b"");
    wire.receive().expect("the server hung up").status()
}
