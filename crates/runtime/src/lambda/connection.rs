//! HTTP/1.1 as a client, over one kept-alive connection to a server on this machine.
//!
//! Written by hand because the loop it serves has one request at a time: no task, no channel and no
//! copy stands between the socket and the handler, and an answer that comes while a request is still
//! being sent is seen.

use std::io::{self, IoSlice};
use std::net::{SocketAddr, ToSocketAddrs as _};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// The largest head of an answer, in bytes.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;
const READ_STEP: usize = 8 * 1024;

/// Why an exchange failed.
#[derive(Debug)]
pub(super) enum WireError {
    /// The connection ended before the first byte of an answer; on a reused one this is how a server
    /// that closes idle connections looks.
    Closed,
    /// The connection broke.
    Io(io::Error),
    /// The answer is not HTTP, or breaks the limits set here.
    Malformed(&'static str),
}

impl From<io::Error> for WireError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

/// The body of an answer.
pub(super) enum Payload {
    Whole(Bytes),
    /// Larger than asked for; the connection can't be used any more.
    TooLarge,
}

enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

pub(super) struct Connection {
    stream: TcpStream,
    /// What was read and not yet used.
    buffer: BytesMut,
    reusable: bool,
}

impl Connection {
    pub(super) async fn open(address: &str) -> io::Result<Self> {
        // Looked up in place: the address is a number, or a name of this machine, and a thread for
        // it would cost more than it saves.
        let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in address.to_socket_addrs()? {
            match Self::open_at(address).await {
                Ok(connection) => return Ok(connection),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn open_at(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        // Requests are written whole; waiting to fill a packet would only delay them.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
            reusable: true,
        })
    }

    /// Whether the server keeps the connection open for another exchange.
    pub(super) fn is_reusable(&self) -> bool {
        self.reusable && self.buffer.is_empty()
    }

    /// Writes the parts one after the other, without joining them in memory.
    ///
    /// Stops early, without an error, when the server answers or hangs up before it has read
    /// everything: [`receive`](Self::receive) then tells which. Returns whether all was written.
    pub(super) async fn send<const N: usize>(&mut self, parts: [&[u8]; N]) -> io::Result<bool> {
        let mut slices = parts.map(IoSlice::new);
        let mut rest = &mut slices[..];
        IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            match self.stream.try_write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let ready = self
                        .stream
                        .ready(Interest::READABLE | Interest::WRITABLE)
                        .await?;
                    if ready.is_readable() && self.read_ready()?.is_some() {
                        self.reusable = false;
                        return Ok(false);
                    }
                }
                // The answer that explains it may have arrived before the pipe broke.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.reusable = false;
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Waits until the server answers or hangs up, which during a request it should not.
    pub(super) async fn interrupted(&mut self) {
        if self.buffer.is_empty() {
            // Either way `receive` finds out.
            let _ = self.fill().await;
        }
        self.reusable = false;
    }

    /// Reads an answer: its status and body; `on_header` sees each header.
    pub(super) async fn receive(
        &mut self,
        limit: usize,
        mut on_header: impl FnMut(&str, &[u8]),
    ) -> Result<(u16, Payload), WireError> {
        let (status, framing) = loop {
            if let Some(head) = self.parse_head(&mut on_header)? {
                break head;
            }
            if self.fill().await? == 0 {
                return Err(match self.buffer.is_empty() {
                    true => WireError::Closed,
                    false => WireError::Malformed("the answer ends within its head"),
                });
            }
        };
        let payload = match framing {
            Framing::Length(length) => match usize::try_from(length) {
                Ok(length) if length <= limit => Payload::Whole(self.take(length).await?),
                _ => Payload::TooLarge,
            },
            Framing::Chunked => self.take_chunks(limit).await?,
            Framing::UntilClose => self.take_rest(limit).await?,
        };
        if matches!(payload, Payload::TooLarge) {
            self.reusable = false;
        }
        Ok((status, payload))
    }

    /// Reads the head at the start of the buffer, if it is all there; interim answers are skipped.
    fn parse_head(
        &mut self,
        on_header: &mut impl FnMut(&str, &[u8]),
    ) -> Result<Option<(u16, Framing)>, WireError> {
        loop {
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let mut head = httparse::Response::new(&mut headers);
            let length = match head.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => length,
                Ok(httparse::Status::Partial) if self.buffer.len() <= MAX_HEAD => return Ok(None),
                Ok(_) | Err(httparse::Error::TooManyHeaders) => {
                    return Err(WireError::Malformed("the head of the answer is too large"));
                }
                Err(_) => return Err(WireError::Malformed("the answer is not HTTP/1.1")),
            };
            let status = head.code.unwrap_or_default();
            if (100..200).contains(&status) {
                self.buffer.advance(length);
                continue;
            }
            let mut framing = None;
            let mut keep = head.version == Some(1);
            for header in head.headers.iter() {
                if header.name.eq_ignore_ascii_case("content-length") {
                    let text = std::str::from_utf8(header.value).ok();
                    let value = text.and_then(|text| text.trim().parse().ok());
                    let value = value.ok_or(WireError::Malformed(
                        "the answer's content-length is no number",
                    ))?;
                    // Both framings at once: the chunked one counts.
                    framing.get_or_insert(Framing::Length(value));
                } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                    if !header.value.eq_ignore_ascii_case(b"chunked") {
                        return Err(WireError::Malformed(
                            "the answer has an unknown transfer-encoding",
                        ));
                    }
                    framing = Some(Framing::Chunked);
                } else if header.name.eq_ignore_ascii_case("connection") {
                    keep &= !header.value.eq_ignore_ascii_case(b"close");
                } else {
                    on_header(header.name, header.value);
                }
            }
            let framing = match framing {
                _ if status == 204 || status == 304 => Framing::Length(0),
                Some(framing) => framing,
                None => Framing::UntilClose,
            };
            self.reusable &= keep && !matches!(framing, Framing::UntilClose);
            self.buffer.advance(length);
            return Ok(Some((status, framing)));
        }
    }

    async fn take(&mut self, length: usize) -> Result<Bytes, WireError> {
        self.need(length).await?;
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn take_chunks(&mut self, limit: usize) -> Result<Payload, WireError> {
        const BAD: WireError = WireError::Malformed("the answer's chunks are not well-formed");
        let mut body = BytesMut::new();
        loop {
            let (line, size) = loop {
                match httparse::parse_chunk_size(&self.buffer) {
                    Ok(httparse::Status::Complete(parsed)) => break parsed,
                    Ok(httparse::Status::Partial) if self.buffer.len() < READ_STEP => {
                        self.need(self.buffer.len() + 1).await?;
                    }
                    _ => return Err(BAD),
                }
            };
            self.buffer.advance(line);
            if size == 0 {
                break;
            }
            let size = match usize::try_from(size) {
                Ok(size) if size <= limit - body.len() => size,
                _ => return Ok(Payload::TooLarge),
            };
            self.need(size + 2).await?;
            if &self.buffer[size..size + 2] != b"\r\n" {
                return Err(BAD);
            }
            // The usual answer is one chunk, which is then not copied.
            let chunk = self.buffer.split_to(size);
            if body.is_empty() {
                body = chunk
            } else {
                body.unsplit(chunk)
            }
            self.buffer.advance(2);
        }
        // Trailers, which nothing here reads, up to the empty line.
        let mut seen = 0;
        loop {
            self.need(2).await?;
            match self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                Some(0) => break self.buffer.advance(2),
                Some(end) => {
                    seen += end;
                    self.buffer.advance(end + 2);
                }
                None => self.need(self.buffer.len() + 1).await?,
            }
            if seen + self.buffer.len() > MAX_HEAD {
                return Err(BAD);
            }
        }
        Ok(Payload::Whole(body.freeze()))
    }

    async fn take_rest(&mut self, limit: usize) -> Result<Payload, WireError> {
        while self.buffer.len() <= limit {
            if self.fill().await? == 0 {
                return Ok(Payload::Whole(self.buffer.split().freeze()));
            }
        }
        Ok(Payload::TooLarge)
    }

    /// Reads until the buffer holds at least this much.
    async fn need(&mut self, length: usize) -> Result<(), WireError> {
        if let Some(missing) = length.checked_sub(self.buffer.len()) {
            self.buffer.reserve(missing);
        }
        while self.buffer.len() < length {
            if self.fill().await? == 0 {
                return Err(WireError::Malformed("the answer ends before its body does"));
            }
        }
        Ok(())
    }

    /// Reads what there is, waiting for it; zero at the end of the stream.
    async fn fill(&mut self) -> io::Result<usize> {
        loop {
            if let Some(read) = self.read_ready()? {
                return Ok(read);
            }
            self.stream.readable().await?;
        }
    }

    /// Reads what there is without waiting; `None` when there is nothing yet.
    fn read_ready(&mut self) -> io::Result<Option<usize>> {
        if self.buffer.capacity() == self.buffer.len() {
            self.buffer.reserve(READ_STEP);
        }
        match self.stream.try_read_buf(&mut self.buffer) {
            Ok(read) => Ok(Some(read)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}
