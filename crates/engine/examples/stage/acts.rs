//! What both kinds of function can do, by the payload's `do`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

/// How a call ends.
pub(crate) enum End {
    Answer(Value),
    Error(&'static str, String),
}

pub(crate) fn act(event: &Value) -> End {
    let number = |name: &str| event[name].as_u64().unwrap_or(0);
    match event["do"].as_str().unwrap_or("echo") {
        "error" => return End::Error("Refused", "as asked".to_owned()),
        "exit" => std::process::exit(i32::try_from(number("code")).unwrap_or(1)),
        "abort" => std::process::abort(),
        "sleep" => sleep(Duration::from_millis(number("ms"))),
        "pid" => return End::Answer(json!(std::process::id())),
        "env" => {
            let all: serde_json::Map<_, _> = std::env::vars().map(|(k, v)| (k, json!(v))).collect();
            return End::Answer(all.into());
        }
        "alloc" => alloc(number("mb")),
        "flood" => flood(number("mb")),
        "print" => {
            println!("{}", event["text"].as_str().unwrap_or_default());
            eprintln!("err: {}", event["text"].as_str().unwrap_or_default());
        }
        "close-stdout" => close_output(),
        "children" => return End::Answer(leave_children(event["alloc"].as_u64())),
        "daemon" => return End::Answer(json!(leave_daemon(number("alloc")))),
        "chain" => {
            let file = format!("{}/chain", std::env::var("TMPDIR").unwrap());
            chain(&file);
            return End::Answer(json!(file));
        }
        "write" => {
            let dir = std::env::var("TMPDIR").unwrap();
            std::fs::write(format!("{dir}/left"), "x").unwrap();
            return End::Answer(json!(dir));
        }
        "big" => return End::Answer(json!("x".repeat(usize::try_from(number("bytes")).unwrap()))),
        _ => {}
    }
    End::Answer(event.clone())
}

fn alloc(mb: u64) {
    let mut held = Vec::new();
    for _ in 0..mb {
        held.push(vec![1_u8; 1 << 20]);
        sleep(Duration::from_millis(1));
    }
    sleep(Duration::from_millis(500));
    std::hint::black_box(&held);
}

fn flood(mb: u64) {
    let line = [b"0123456789abcdef".repeat(63), b"\n".to_vec()].concat();
    let mut out = std::io::stdout().lock();
    for _ in 0..(mb << 20) / line.len() as u64 {
        out.write_all(&line).unwrap();
    }
    out.flush().unwrap();
}

/// Gives up standard output and error, as a careless daemon would.
fn close_output() {
    for fd in [1, 2] {
        // Through a shell this would close the shell's; the only safe way is the raw call.
        nix::unistd::close(fd).unwrap();
    }
}

/// Starts children that outlive the call: one plain, one in a session of its own. Answers their pids.
fn leave_children(alloc: Option<u64>) -> Value {
    let script = match alloc {
        Some(mb) => format!("x=$(head -c {}M /dev/zero | tr '\\0' x); sleep 600", mb),
        None => "exec sleep 600".to_owned(),
    };
    let plain = Command::new("sh").args(["-c", &script]).spawn().unwrap();
    let apart = Command::new("setsid")
        .args(["sh", "-c", "echo $$ > \"$TMPDIR/apart\"; exec sleep 600"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let file = format!("{}/apart", std::env::var("TMPDIR").unwrap());
    let session = loop {
        if let Some(pid) = std::fs::read_to_string(&file)
            .ok()
            .and_then(|text| text.trim().parse::<u32>().ok())
        {
            break pid;
        }
        sleep(Duration::from_millis(5));
    };
    drop(apart);
    json!([plain.id(), session])
}

/// Starts a process that gets away as far as it can: a session of its own, an empty environment, no
/// parent, and nothing of the instance's output. Answers its pid.
fn leave_daemon(alloc: u64) -> u32 {
    let file = format!("{}/daemon", std::env::var("TMPDIR").unwrap());
    let _ = std::fs::remove_file(&file);
    let status = alone(&["daemon", "first", &file, &alloc.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    loop {
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        if let Some(pid) = written.strip_suffix('\n') {
            return pid.parse().unwrap();
        }
        sleep(Duration::from_millis(5));
    }
}

/// The daemon's life: `first` leaves the session, starts `second` and ends, which orphans that one.
pub(crate) fn daemon(arguments: &[String]) {
    let [step, file, alloc_mb] = arguments else {
        panic!("a step, a file and a number are needed");
    };
    if step == "first" {
        nix::unistd::setsid().unwrap();
        alone(&["daemon", "second", file, alloc_mb])
            .spawn()
            .unwrap();
        return;
    }
    while nix::unistd::getppid() == nix::unistd::getsid(None).unwrap() {
        sleep(Duration::from_millis(1));
    }
    std::fs::write(file, format!("{}\n", std::process::id())).unwrap();
    let held = vec![1_u8; usize::try_from(alloc_mb.parse::<u64>().unwrap() << 20).unwrap()];
    sleep(Duration::from_secs(600));
    std::hint::black_box(&held);
}

/// Starts its successor in a session of its own and ends, again and again: a process that has another
/// number each time it is looked for. It gives up after a while, so that no failed test leaves it.
pub(crate) fn chain(file: &str) {
    if std::env::args().nth(1).is_some_and(|mode| mode == "chain") {
        nix::unistd::setsid().unwrap();
        let mut log = std::fs::OpenOptions::new().append(true).open(file).unwrap();
        log.write_all(b".").unwrap();
        if log.metadata().unwrap().len() > 5000 {
            return;
        }
        sleep(Duration::from_millis(5));
    } else {
        std::fs::write(file, "").unwrap();
    }
    alone(&["chain", file]).spawn().unwrap();
}

/// This program again, with nothing of this process but the arguments.
fn alone(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
