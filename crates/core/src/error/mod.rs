//! The one error type of every verb: what was tried, on what, why it failed, what to do next.

mod kind;
mod violation;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

pub use kind::{ErrorKind, FunctionFailure, Limit, Retry, RolloutFailure, TimedOut};
pub use violation::{Violation, Violations};

/// The result of a verb.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, with the facts a caller decides on.
///
/// `Display` says what was tried, on what, why it failed and what to do next; it never repeats its [source](StdError::source), and
/// never holds a payload or a secret.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    retry: Retry,
    may_have_run: bool,
    operation: Cow<'static, str>,
    resource: Option<String>,
    provider: Option<Cow<'static, str>>,
    code: Option<String>,
    request_id: Option<String>,
    why: Option<String>,
    next: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` from `operation`, a verb phrase such as `deploy` or `read the record`.
    #[must_use]
    pub fn new(kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Self {
        let retry = kind.default_retry();
        Self(Box::new(Inner {
            kind,
            retry,
            may_have_run: false,
            operation: operation.into(),
            resource: None,
            provider: None,
            code: None,
            request_id: None,
            why: None,
            next: None,
            source: None,
        }))
    }

    /// Names what the operation was applied to.
    #[must_use]
    pub fn on(mut self, resource: impl fmt::Display) -> Self {
        self.0.resource = Some(resource.to_string());
        self
    }

    /// Says why, in one clause without a full stop.
    #[must_use]
    pub fn because(mut self, why: impl fmt::Display) -> Self {
        self.0.why = Some(why.to_string());
        self
    }

    /// Says what to do next, in one clause without a full stop.
    #[must_use]
    pub fn hint(mut self, next: impl fmt::Display) -> Self {
        self.0.next = Some(next.to_string());
        self
    }

    /// Names the provider, and the provider's own error code where it gave one.
    #[must_use]
    pub fn from_provider(
        mut self,
        provider: impl Into<Cow<'static, str>>,
        code: Option<String>,
    ) -> Self {
        self.0.provider = Some(provider.into());
        self.0.code = code;
        self
    }

    /// Keeps the provider's request id.
    #[must_use]
    pub fn with_request_id(mut self, id: impl Into<String>) -> Self {
        self.0.request_id = Some(id.into());
        self
    }

    /// Keeps the underlying error; it is not printed by `Display`.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts an error between this one and its source, made by `wrap` from the source.
    #[must_use]
    pub fn wrap_source<E>(
        mut self,
        wrap: impl FnOnce(Option<Box<dyn StdError + Send + Sync>>) -> E,
    ) -> Self
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.0.source = Some(wrap(self.0.source.take()).into());
        self
    }

    /// Overrides the retry advice that follows from the kind.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Says whether user code or a write may have happened all the same.
    #[must_use]
    pub fn may_have_run(mut self, may: bool) -> Self {
        self.0.may_have_run = may;
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Takes the error apart into its kind.
    #[must_use]
    pub fn into_kind(self) -> ErrorKind {
        self.0.kind
    }

    /// Whether trying again makes sense.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// Whether user code, or the write that was asked, may have run although the call failed.
    #[must_use]
    pub fn user_code_may_have_run(&self) -> bool {
        self.0.may_have_run
    }

    /// What was tried.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// What it was tried on.
    #[must_use]
    pub fn resource(&self) -> Option<&str> {
        self.0.resource.as_deref()
    }

    /// The provider that answered, if one did.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// The provider's own name for the error.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// The provider's request id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What to do next.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.0
            .next
            .as_deref()
            .or_else(|| self.0.kind.default_hint())
    }

    /// Why it failed, in words.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        self.0.why.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.0.operation)?;
        if let Some(resource) = &self.0.resource {
            write!(f, " {resource}")?;
        }
        write!(f, ": {}", self.0.kind)?;
        if let Some(why) = &self.0.why {
            write!(f, ": {why}")?;
        }
        if let (Some(provider), Some(code)) = (&self.0.provider, &self.0.code) {
            write!(f, " ({provider} says {code})")?;
        }
        if let Some(next) = self.next_step() {
            write!(f, "; {next}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("retry", &self.0.retry)
            .field("may_have_run", &self.0.may_have_run)
            .field("operation", &self.0.operation)
            .field("resource", &self.0.resource)
            .field("provider", &self.0.provider)
            .field("code", &self.0.code)
            .field("request_id", &self.0.request_id)
            .field("why", &self.0.why)
            .field("next", &self.0.next)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_says_what_on_what_why_and_what_next_but_not_the_source() {
        let error = Error::new(ErrorKind::NotFound, "invoke")
            .on("local:///hello")
            .because("no function of that name; the nearest is helo")
            .hint("check the name with `anyport list`")
            .with_source(std::io::Error::other("inner"));
        assert_eq!(
            error.to_string(),
            "cannot invoke local:///hello: not found: no function of that name; the nearest is helo; check the name with `anyport list`"
        );
        assert_eq!(StdError::source(&error).unwrap().to_string(), "inner");
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
