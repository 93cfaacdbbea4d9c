//! `anyport-runtime` beside AWS's `lambda_runtime`, and beside a server that is nothing but hyper: the same work, in turns, in one run.
//!
//! Both sides are driven without our engine, so that nothing common to them hides a difference.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::lambda::Platform;
use super::process::{OneProcessor, busy_ns};
use super::stats::{Spread, Times};
use super::{Settings, Table};
use crate::commands::Failure;
use crate::oracles::peers;

/// Calls of a round.
const CALLS: usize = 5000;
/// Turns that the two sides take within a round, so that what slows the machine down for a while slows both.
const TURNS: usize = 20;

/// What one round of one side came to: the middle time of a call in ms, and processor time per call in µs.
type Round = (f64, f64);

pub(super) async fn measure(settings: &Settings, table: &mut Table) -> Result<(), Failure> {
    let _one = OneProcessor::pin()?;
    let ours = Platform::start(&peers::ours("quickstart")?).await?;
    let theirs = Platform::start(&peers::cargo(&settings.cache, "lambda-runtime-fn")?).await?;
    let mut rounds = [Vec::new(), Vec::new()];
    for number in 0..=settings.rounds {
        let mut tallies = [Tally::default(), Tally::default()];
        for _ in 0..TURNS {
            for (side, tally) in [&ours, &theirs].into_iter().zip(&mut tallies) {
                let busy = busy_ns(side.process())?;
                for _ in 0..CALLS / TURNS {
                    tally.times.push(side.call(r#"{"name":"Ada"}"#).await?);
                }
                tally.busy_ns += busy_ns(side.process())? - busy;
            }
        }
        // The first round warms up.
        if number > 0 {
            enter(&mut rounds, tallies);
        }
    }
    compare(table, "lambda_runtime", &rounds);
    drop((ours, theirs));

    let mut ours = Server::start(&peers::ours_named("xtask", "bench-echo")?)?;
    let mut theirs = Server::start(&peers::cargo(&settings.cache, "bare-hyper")?)?;
    let mut rounds = [Vec::new(), Vec::new()];
    for number in 0..=settings.rounds {
        let mut tallies = [Tally::default(), Tally::default()];
        for _ in 0..TURNS {
            for (side, tally) in [&mut ours, &mut theirs].into_iter().zip(&mut tallies) {
                let busy = busy_ns(side.process.id())?;
                for _ in 0..CALLS / TURNS {
                    tally.times.push(side.call(br#"{"name":"Ada"}"#)?);
                }
                tally.busy_ns += busy_ns(side.process.id())? - busy;
            }
        }
        if number > 0 {
            enter(&mut rounds, tallies);
        }
    }
    compare(table, "bare hyper", &rounds);
    Ok(())
}

/// What one side did in one round.
#[derive(Default)]
struct Tally {
    times: Vec<Duration>,
    busy_ns: u64,
}

fn enter(rounds: &mut [Vec<Round>; 2], tallies: [Tally; 2]) {
    for (rounds, tally) in rounds.iter_mut().zip(tallies) {
        let each = tally.busy_ns as f64 / 1e3 / tally.times.len() as f64;
        rounds.push((Times::new(tally.times).p50(), each));
    }
}

fn compare(table: &mut Table, other: &str, rounds: &[Vec<Round>; 2]) {
    let [ours, theirs] = rounds;
    let time = |rounds: &[Round]| rounds.iter().map(|round| round.0).collect::<Vec<_>>();
    let busy = |rounds: &[Round]| rounds.iter().map(|round| round.1).collect::<Vec<_>>();
    let (our_time, their_time) = (time(ours), time(theirs));
    let (our_busy, their_busy) = (busy(ours), busy(theirs));
    let what = format!("anyport-runtime over {other}, time of a call, p50 of {CALLS}");
    let ratio = Spread::of_ratios(&our_time, &their_time);
    table.spread(what, "ratio", ratio, Some("within 1.05"));
    let what = format!("anyport-runtime over {other}, processor time of a call");
    let ratio = Spread::of_ratios(&our_busy, &their_busy);
    table.spread(what, "ratio", ratio, Some("within 1.05"));
    let what = format!("processor time of a call, anyport-runtime beside {other}");
    table.spread(what, "µs", Spread::of(our_busy), None);
    let what = format!("processor time of a call, {other}");
    table.spread(what, "µs", Spread::of(their_busy), None);
}

/// A process that serves HTTP, and one connection to it. Ends with the value.
struct Server {
    process: Child,
    stream: Option<TcpStream>,
}

impl Server {
    fn start(program: &Path) -> Result<Self, Failure> {
        const PATIENCE: Duration = Duration::from_secs(10);
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let process = Command::new(program)
            .env_clear()
            .env("PORT", free.port().to_string())
            .env("ANYPORT_BIND", free.ip().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut server = Self {
            process,
            stream: None,
        };
        let began = Instant::now();
        loop {
            match TcpStream::connect(free) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    server.stream = Some(stream);
                    return Ok(server);
                }
                Err(_) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => {
                    return Err(format!("{} does not listen: {error}", program.display()).into());
                }
            }
        }
    }

    /// Sends `body` and expects it back.
    fn call(&mut self, body: &[u8]) -> Result<Duration, Failure> {
        let stream = self.stream.as_mut().ok_or("not connected")?;
        let mut request = format!(
            "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        let mut answer = [0; 1024];
        let mut got = 0;
        let began = Instant::now();
        stream.write_all(&request)?;
        // Headers are looked at after the clock has stopped: reading more of them is not the server's time.
        while !answer[..got].ends_with(body) {
            match stream.read(&mut answer[got..])? {
                0 => return Err("a server did not send back what it got".into()),
                more => got += more,
            }
        }
        let took = began.elapsed();
        let head = String::from_utf8_lossy(&answer[..got - body.len()]).to_ascii_lowercase();
        let length = format!("\r\ncontent-length: {}\r\n", body.len());
        if head.starts_with("http/1.1 200 ") && head.contains(&length) {
            Ok(took)
        } else {
            Err(format!("a server answered with {head}").into())
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
