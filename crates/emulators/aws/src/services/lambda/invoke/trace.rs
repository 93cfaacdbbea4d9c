//! The trace header, and how often a chain of calls has come by.
//!
//! Source: X-Ray developer guide (tracing header); Lambda developer guide (recursive loop detection).
//! *Guessed*: a caller's parent is passed on, where the real one puts a segment of its own between.

use http::HeaderMap;

use crate::answer::ApiError;
use crate::services::lambda::ids;
use crate::services::lambda::state::Resolved;

/// How often a chain may come by one function. Source: Lambda developer guide, recursive loop detection.
const LOOPS: u32 = 16;

/// What the function sees as its trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    /// `1-8hex-24hex`.
    pub(crate) root: String,
    /// 16 hexadecimal digits.
    pub(crate) parent: String,
    /// Whether it is recorded.
    pub(crate) sampled: bool,
    /// Functions by a digest of their ARN and how often the chain came by each.
    lineage: Vec<(String, u32)>,
}

impl Trace {
    /// The trace of a call with these headers; a new one where they have none.
    pub(crate) fn of(headers: &HeaderMap, epoch_seconds: u64) -> Self {
        let given = headers
            .get("x-amzn-trace-id")
            .and_then(|value| value.to_str().ok());
        Self::parse(given.unwrap_or_default(), epoch_seconds)
    }

    /// The trace in a header's text.
    pub(crate) fn parse(text: &str, epoch_seconds: u64) -> Self {
        let field = |name: &str| {
            text.split(';')
                .filter_map(|part| part.trim().split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let hex = || ids::uuid().replace('-', "");
        let root = match field("Root").filter(|root| is_root(root)) {
            Some(root) => root.to_owned(),
            None => format!("1-{:08x}-{}", epoch_seconds & 0xffff_ffff, &hex()[..24]),
        };
        let parent = match field("Parent").filter(|parent| is_hex(parent, 16)) {
            Some(parent) => parent.to_owned(),
            None => hex()[..16].to_owned(),
        };
        let lineage = field("Lineage")
            .into_iter()
            .flat_map(|all| all.split('|'))
            .filter_map(|one| {
                let mut parts = one.split(':').skip(1);
                let (digest, count) = (parts.next()?, parts.next()?.parse().ok()?);
                is_hex(digest, 8).then(|| (digest.to_owned(), count))
            })
            .take(8)
            .collect();
        Self {
            root,
            parent,
            sampled: field("Sampled") == Some("1"),
            lineage,
        }
    }

    /// Counts the function in.
    ///
    /// # Errors
    /// `RecursiveInvocationException`: the chain came by too often, and the function does not allow it.
    pub(crate) fn pass(&mut self, resolved: &Resolved) -> Result<(), ApiError> {
        let config = &resolved.version;
        if config.settings.tracing == "Active" {
            self.sampled = true;
        }
        let digest = format!("{:08x}", crc32fast::hash(config.function_arn().as_bytes()));
        let count = match self.lineage.iter_mut().find(|(id, _)| *id == digest) {
            Some((_, count)) => {
                *count = count.saturating_add(1);
                *count
            }
            None => {
                self.lineage.push((digest, 0));
                0
            }
        };
        if count >= LOOPS && resolved.recursive_loop == "Terminate" {
            return Err(ApiError::new(
                "RecursiveInvocationException",
                "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your function's invocation.",
            )
            .with("Type", "User"));
        }
        Ok(())
    }

    /// The header's text.
    pub(crate) fn header(&self) -> String {
        let mut text = format!(
            "Root={};Parent={};Sampled={}",
            self.root,
            self.parent,
            u8::from(self.sampled)
        );
        for (n, (digest, count)) in self.lineage.iter().enumerate() {
            text.push_str(if n == 0 { ";Lineage=" } else { "|" });
            text.push_str(&format!("1:{digest}:{count}"));
        }
        text
    }

    /// Root and segment, where it is recorded.
    pub(crate) fn recorded(&self) -> Option<(&str, &str)> {
        self.sampled.then_some((&self.root, &self.parent))
    }
}

fn is_hex(text: &str, size: usize) -> bool {
    text.len() == size && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_root(text: &str) -> bool {
    let mut parts = text.split('-');
    let parts = (parts.next(), parts.next(), parts.next(), parts.next());
    matches!(parts, (Some("1"), Some(time), Some(id), None) if is_hex(time, 8) && is_hex(id, 24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_passed_on_or_made() {
        let given = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:0a0b0c0d:3";
        assert_eq!(Trace::parse(given, 0).header(), given);
        let made = Trace::parse("Root=nonsense\r\n;Sampled=x", 0x1234_5678);
        assert!(made.root.starts_with("1-12345678-") && is_root(&made.root));
        assert!(is_hex(&made.parent, 16) && !made.sampled);
        assert_eq!(made.recorded(), None);
    }
}
