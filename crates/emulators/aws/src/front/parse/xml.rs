//! A small reader of XML: elements, attributes, text. No document types, so no entities of their own.

use std::str;

/// How deep elements may be.
const DEPTH: usize = 32;

/// An element. Names have no prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    /// Names with their prefix, except declarations of namespaces.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    /// All text directly inside.
    pub(super) text: String,
}

/// A document that is not well-formed, or larger than this reader allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads a document.
pub(super) fn parse(document: &[u8]) -> Result<Element, Malformed> {
    let text = str::from_utf8(document).map_err(|_| Malformed)?;
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
    };
    reader.misc()?;
    let root = reader.element(0)?;
    reader.misc()?;
    if reader.rest.is_empty() {
        Ok(root)
    } else {
        Err(Malformed)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Space, comments, processing instructions and the declaration.
    fn misc(&mut self) -> Result<(), Malformed> {
        loop {
            self.space();
            if self.eat("<!--") {
                self.until("-->")?;
            } else if self.eat("<?") {
                self.until("?>")?;
            } else {
                return Ok(());
            }
        }
    }

    fn element(&mut self, depth: usize) -> Result<Element, Malformed> {
        if depth == DEPTH || !self.eat("<") {
            return Err(Malformed);
        }
        let full = self.name()?;
        let mut element = Element {
            name: local(full).to_owned(),
            ..Element::default()
        };
        loop {
            let spaced = self.space();
            if self.eat("/>") {
                return Ok(element);
            }
            if self.eat(">") {
                break;
            }
            if !spaced {
                return Err(Malformed);
            }
            let name = self.name()?;
            self.space();
            if !self.eat("=") {
                return Err(Malformed);
            }
            self.space();
            let value = if self.eat("\"") {
                self.until("\"")?
            } else if self.eat("'") {
                self.until("'")?
            } else {
                return Err(Malformed);
            };
            if value.contains('<') {
                return Err(Malformed);
            }
            if name != "xmlns" && !name.starts_with("xmlns:") {
                let mut text = String::new();
                unescape(value, &mut text)?;
                element.attributes.push((name.to_owned(), text));
            }
        }
        self.content(&mut element, depth)?;
        let closing = self.name()?;
        self.space();
        if closing == full && self.eat(">") {
            Ok(element)
        } else {
            Err(Malformed)
        }
    }

    /// What is inside an element, up to the name in its closing tag.
    fn content(&mut self, element: &mut Element, depth: usize) -> Result<(), Malformed> {
        loop {
            let end = self.rest.find('<').ok_or(Malformed)?;
            let (text, rest) = self.rest.split_at(end);
            unescape(text, &mut element.text)?;
            self.rest = rest;
            if self.eat("</") {
                return Ok(());
            }
            if self.eat("<![CDATA[") {
                element.text.push_str(self.until("]]>")?);
            } else if self.eat("<!--") {
                self.until("-->")?;
            } else if self.eat("<?") {
                self.until("?>")?;
            } else {
                let child = self.element(depth + 1)?;
                element.children.push(child);
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, Malformed> {
        let end = self
            .rest
            .find(|char: char| !(char.is_alphanumeric() || matches!(char, ':' | '_' | '-' | '.')))
            .ok_or(Malformed)?;
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(Malformed);
        }
        self.rest = rest;
        Ok(name)
    }

    fn space(&mut self) -> bool {
        let trimmed = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let spaced = trimmed.len() < self.rest.len();
        self.rest = trimmed;
        spaced
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn until(&mut self, token: &str) -> Result<&'a str, Malformed> {
        let (before, after) = self.rest.split_once(token).ok_or(Malformed)?;
        self.rest = after;
        Ok(before)
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn unescape(mut text: &str, into: &mut String) -> Result<(), Malformed> {
    while let Some((before, after)) = text.split_once('&') {
        into.push_str(before);
        let (entity, after) = after.split_once(';').ok_or(Malformed)?;
        into.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = entity.strip_prefix('#').ok_or(Malformed)?;
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16),
                    None => number.parse(),
                };
                code.ok().and_then(char::from_u32).ok_or(Malformed)?
            }
        });
        text = after;
    }
    into.push_str(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_read() {
        let root = parse(
            b"<?xml version=\"1.0\"?><!-- a --><a xmlns='u' x:b=\"1&amp;2\">\n <c>d &#x65;<![CDATA[<f>]]></c><x:g/></a>\n",
        )
        .unwrap();
        assert_eq!(root.name, "a");
        assert_eq!(root.attributes, [("x:b".to_owned(), "1&2".to_owned())]);
        let children: Vec<_> = root
            .children
            .iter()
            .map(|child| (child.name.as_str(), child.text.as_str()))
            .collect();
        assert_eq!(children, [("c", "d e<f>"), ("g", "")]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for document in [
            "",
            "a",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a b></a>",
            "<a b=1></a>",
            "<a>&b;</a>",
            "<a>&#xD800;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<a",
            "<a b='<'/>",
            "<ab='c'/>",
        ] {
            assert_eq!(parse(document.as_bytes()), Err(Malformed), "{document}");
        }
        assert_eq!(parse(b"<a>\xff</a>"), Err(Malformed));
        let deep = "<a>".repeat(100_000);
        assert_eq!(parse(deep.as_bytes()), Err(Malformed));
    }

    proptest! {
        #[test]
        fn garbage_is_refused_and_nothing_more(document in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&document);
        }

        #[test]
        fn almost_xml_is_refused_and_nothing_more(document in "[<>/a='\"&;#x! \\[\\]CDAT?-]{0,60}") {
            let _ = parse(document.as_bytes());
        }
    }
}
