//! HTTP/1.1 messages, read and written by hand so that a test controls every byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use super::PATIENCE;

/// A request or an answer.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) start: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Vec<(String, String)>,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        find(&self.trailers, name)
    }

    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// One side of a connection.
pub(crate) struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            reader: BufReader::new(stream),
        }
    }

    pub(crate) fn connect(address: &str) -> Self {
        Self::new(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.reader.get_mut().write_all(bytes).unwrap();
    }

    /// Writes a message with a body and its length.
    pub(crate) fn send(&mut self, start: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut bytes = format!("{start}\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend(format!("{name}: {value}\r\n").bytes());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
        bytes.extend(body);
        self.write(&bytes);
    }

    /// Reads a whole message; `None` where the other side has hung up.
    pub(crate) fn receive(&mut self) -> Option<Message> {
        let mut message = self.receive_head()?;
        if let Some(length) = message.header("content-length") {
            message.body = vec![0; length.parse().unwrap()];
            self.reader.read_exact(&mut message.body).unwrap();
        } else if message.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.receive_chunk() {
                message.body.extend(chunk);
            }
            message.trailers = self.headers();
        }
        Some(message)
    }

    pub(crate) fn receive_head(&mut self) -> Option<Message> {
        let start = self.line()?;
        Some(Message {
            start,
            headers: self.headers(),
            ..Message::default()
        })
    }

    /// One chunk of a chunked body; `None` at its proper end.
    pub(crate) fn receive_chunk(&mut self) -> Option<Vec<u8>> {
        self.try_chunk().expect("the body was cut off")
    }

    /// The same where the body may be cut off: that is the error.
    pub(crate) fn try_chunk(&mut self) -> Result<Option<Vec<u8>>, ()> {
        let line = self.line().ok_or(())?;
        let size = usize::from_str_radix(&line, 16).unwrap();
        if size == 0 {
            return Ok(None);
        }
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).map_err(drop)?;
        assert_eq!(chunk.split_off(size), b"\r\n");
        Ok(Some(chunk))
    }

    pub(crate) fn headers(&mut self) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        loop {
            let line = self.line().expect("the head was cut off");
            if line.is_empty() {
                return headers;
            }
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end_matches("\r\n").to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("nothing came: {error}"),
        }
    }
}
