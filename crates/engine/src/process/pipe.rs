//! Reading what a function writes.

use std::io::{self, PipeReader};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::unix::pipe::Receiver;

use crate::logs::{InstanceLog, LogStream, MAX_LINE};

/// The reading end of a function's standard output or error, cut into lines.
///
/// Two readers share it: a task that waits for output, and whoever answers a call, who first takes
/// what is in the pipe already so that each line is filed under the call that wrote it.
pub(crate) struct LogPipe {
    pipe: Receiver,
    stream: LogStream,
    log: Arc<InstanceLog>,
    partial: Mutex<Vec<u8>>,
}

/// What a turn of reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// The pipe is empty for now.
    Empty,
    /// There is more; the reader took its share.
    More,
    /// Nobody can write any more.
    End,
}

/// Bytes one turn reads at most, so that a flood of output can't hold up an answer.
const TURN: usize = 1 << 20;

impl LogPipe {
    /// Takes over the reading end of a pipe. Must run inside a runtime.
    pub(crate) fn new(
        pipe: PipeReader,
        stream: LogStream,
        log: Arc<InstanceLog>,
    ) -> io::Result<Self> {
        Ok(Self {
            pipe: Receiver::from_owned_fd(pipe.into())?,
            stream,
            log,
            partial: Mutex::default(),
        })
    }

    /// Reads until nobody can write any more.
    pub(crate) async fn run(&self) {
        loop {
            if self.pipe.readable().await.is_err() {
                return;
            }
            match self.take(|buffer| self.pipe.try_read(buffer)) {
                Turn::Empty => {}
                Turn::More => tokio::task::yield_now().await,
                Turn::End => return,
            }
        }
    }

    /// Takes what is in the pipe now, without waiting. It asks the pipe itself: what was written a
    /// moment ago may not have reached the runtime's view of what is readable.
    pub(crate) fn drain(&self) {
        self.take(|buffer| Ok(nix::unistd::read(&self.pipe, buffer)?));
    }

    fn take(&self, mut read: impl FnMut(&mut [u8]) -> io::Result<usize>) -> Turn {
        let mut partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = [0_u8; 8 << 10];
        let mut taken = 0;
        loop {
            match read(&mut buffer) {
                Ok(0) => {
                    if !partial.is_empty() {
                        self.log.push(self.stream, &partial);
                        *partial = Vec::new();
                    }
                    return Turn::End;
                }
                Ok(size) => {
                    split(&mut partial, &buffer[..size], |line| {
                        self.log.push(self.stream, line);
                    });
                    taken += size;
                    if taken >= TURN {
                        return Turn::More;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Turn::Empty,
                Err(_) => return Turn::End,
            }
        }
    }
}

/// Adds `bytes` to the unfinished line and hands out every line that is complete or too long.
fn split(partial: &mut Vec<u8>, mut bytes: &[u8], mut line: impl FnMut(&[u8])) {
    while let Some(end) = bytes.iter().position(|&byte| byte == b'\n') {
        let (head, rest) = bytes.split_at(end);
        if partial.is_empty() {
            line(trim(head));
        } else {
            partial.extend_from_slice(head);
            line(trim(partial));
            partial.clear();
            partial.shrink_to(1 << 10);
        }
        bytes = &rest[1..];
    }
    partial.extend_from_slice(bytes);
    while partial.len() >= MAX_LINE {
        let rest = partial.split_off(MAX_LINE);
        line(partial);
        *partial = rest;
    }
}

fn trim(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let (mut partial, mut lines) = (Vec::new(), Vec::new());
        for piece in pieces {
            split(&mut partial, piece, |line| lines.push(line.to_vec()));
        }
        (lines, partial)
    }

    #[test]
    fn lines_are_joined_across_reads() {
        let (lines, rest) = lines(&[b"one\ntw", b"o\r\n\nthr", b"ee"]);
        assert_eq!(lines, [b"one".to_vec(), b"two".to_vec(), b"".to_vec()]);
        assert_eq!(rest, b"three");
    }

    #[test]
    fn a_line_without_end_is_split_and_bounded() {
        let flood = vec![b'x'; 8 << 10];
        let (lines, rest) = lines(&vec![flood.as_slice(); 100]);
        assert!(lines.iter().all(|line| line.len() == MAX_LINE));
        assert!(rest.len() < MAX_LINE);
        assert_eq!(lines.len() * MAX_LINE + rest.len(), 100 * (8 << 10));
    }
}
