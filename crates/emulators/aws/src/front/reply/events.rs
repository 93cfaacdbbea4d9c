//! Messages of an event stream, `application/vnd.amazon.eventstream`: lengths, headers, payload, and two
//! checksums. Source: the vendor's description of its event stream encoding.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};

use crate::answer::Event;

/// The largest payload of a message. Source: the encoding's 16 MiB for a whole message.
const MAX: usize = (16 << 20) - 1024;

/// The type of a header that is text.
const TEXT: u8 = 7;

/// Frames one event.
///
/// # Errors
/// When the payload is larger than a message may be.
pub(in crate::front) fn frame(event: &Event) -> io::Result<Bytes> {
    let headers = [
        (":message-type", "event"),
        (":event-type", event.name),
        (":content-type", event.content_type),
    ];
    let headers_length: usize = headers
        .iter()
        .map(|(name, value)| 1 + name.len() + 1 + 2 + value.len())
        .sum();
    if event.payload.len() > MAX || headers_length > 1000 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "an event is larger than a message of an event stream may be",
        ));
    }
    let total = 12 + headers_length + event.payload.len() + 4;
    let mut message = BytesMut::with_capacity(total);
    // All of these were held against the bounds above.
    message.put_u32(u32::try_from(total).unwrap_or(0));
    message.put_u32(u32::try_from(headers_length).unwrap_or(0));
    message.put_u32(crc32fast::hash(&message));
    for (name, value) in headers {
        message.put_u8(u8::try_from(name.len()).unwrap_or(0));
        message.put_slice(name.as_bytes());
        message.put_u8(TEXT);
        message.put_u16(u16::try_from(value.len()).unwrap_or(0));
        message.put_slice(value.as_bytes());
    }
    message.put_slice(&event.payload);
    message.put_u32(crc32fast::hash(&message));
    Ok(message.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_lengths_and_checksums() {
        let event = Event {
            name: "PayloadChunk",
            content_type: "application/octet-stream",
            payload: Bytes::from_static(b"hello"),
        };
        let message = frame(&event).unwrap();
        let number = |at: usize| u32::from_be_bytes(message[at..at + 4].try_into().unwrap());
        assert_eq!(number(0) as usize, message.len());
        assert_eq!(number(8), crc32fast::hash(&message[..8]));
        let end = message.len() - 4;
        assert_eq!(number(end), crc32fast::hash(&message[..end]));
        let headers = number(4) as usize;
        assert_eq!(&message[12 + headers..end], b"hello");
        assert_eq!(
            &message[12..12 + 1 + 13 + 1 + 2 + 5],
            b"\x0d:message-type\x07\x00\x05event"
        );
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let event = Event {
            name: "PayloadChunk",
            content_type: "application/octet-stream",
            payload: Bytes::from(vec![0; 16 << 20]),
        };
        assert!(frame(&event).is_err());
    }
}
