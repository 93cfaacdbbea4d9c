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
