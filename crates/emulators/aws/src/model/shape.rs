//! What messages are made of.

use std::borrow::Cow;

use super::pattern::Pattern;

/// How a service's messages look on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Paths and JSON bodies.
    RestJson,
    /// Paths and XML bodies.
    RestXml,
    /// A target header and JSON bodies, in the version that the media type names.
    Json(&'static str),
    /// Forms, and XML answers.
    Query,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: Vec<Segment>,
    /// Query parameters that make this operation, with their value if it matters.
    pub(crate) literals: Vec<(&'static str, Option<&'static str>)>,
    /// The status of an answer.
    pub(crate) status: u16,
    pub(crate) input: Option<ShapeId>,
    pub(crate) output: Option<ShapeId>,
    /// The element around the output in query answers.
    pub(crate) wrapper: Option<&'static str>,
    /// The errors that the vendor lists.
    pub(crate) errors: Vec<&'static str>,
    /// Whether the embedded AWS serves it. If not, it has neither input nor output here.
    pub(crate) served: bool,
}

/// One part of an operation's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(&'static str),
    /// One segment, for the member of this name.
    Label(&'static str),
    /// All that is left, for the member of this name.
    Greedy(&'static str),
}

/// A shape's place in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ShapeId(pub(super) usize);

/// One shape.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Whether it is an error.
    pub(crate) exception: bool,
    /// The status of the error, if the vendor says.
    pub(crate) status: Option<u16>,
    /// The error's code where it is not its name.
    pub(crate) code: Option<&'static str>,
    /// Whether values are kept out of messages.
    pub(crate) sensitive: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Structure(Structure),
    List(ListShape),
    Map(MapShape),
    Text {
        length: Bounds,
        pattern: Option<Pattern>,
        values: Vec<Cow<'static, str>>,
    },
    Integer(Bounds),
    Float(Bounds),
    Boolean,
    Blob(Bounds),
    Timestamp(Option<TimeFormat>),
}

/// Least and greatest of a length or a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
}

#[derive(Debug)]
pub(crate) struct Structure {
    pub(crate) members: Vec<Member>,
    /// The member that is the body.
    pub(crate) payload: Option<usize>,
    /// Whether it is a stream of its members.
    pub(crate) event_stream: bool,
}

impl Structure {
    /// The member of this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The member that is the body.
    pub(crate) fn payload(&self) -> Option<&Member> {
        self.payload.and_then(|index| self.members.get(index))
    }
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) shape: ShapeId,
    pub(crate) required: bool,
    pub(crate) location: Location,
    /// Its name on the wire.
    pub(crate) wire: &'static str,
    /// Whether the name on the wire is said by the model.
    pub(crate) named: bool,
    /// Whether a list or map has no element of its own.
    pub(crate) flattened: bool,
    /// Whether it is an attribute of its structure's element.
    pub(crate) attribute: bool,
}

/// Where a member is in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    Body,
    Path,
    Query,
    Header,
    /// All headers with the member's wire name as prefix.
    Headers,
    Status,
}

#[derive(Debug)]
pub(crate) struct ListShape {
    pub(crate) member: ShapeId,
    /// The name of an element.
    pub(crate) wire: Option<&'static str>,
    pub(crate) flattened: bool,
    pub(crate) size: Bounds,
}

#[derive(Debug)]
pub(crate) struct MapShape {
    pub(crate) key: ShapeId,
    pub(crate) key_wire: &'static str,
    pub(crate) value: ShapeId,
    pub(crate) value_wire: &'static str,
    pub(crate) flattened: bool,
    pub(crate) size: Bounds,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// Seconds since 1970.
    Unix,
    /// `2026-11-23T11:27:51Z`.
    Iso8601,
    /// `Mon, 23 Nov 2026 11:27:51 GMT`.
    Rfc822,
}
