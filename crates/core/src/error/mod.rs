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
    call: Option<Cow<'static, str>>,
    resource: Option<String>,
    provider: Option<Cow<'static, str>>,
    code: Option<String>,
    request_id: Option<String>,
    why: Option<String>,
    next: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` from `operation`, a verb phrase such as `deploy` or `read the record`. It is read by people: the vendor's own name of a
    /// call belongs to [`in_call`](Self::in_call).
    #[must_use]
    pub fn new(kind: ErrorKind, operation: impl Into<Cow<'static, str>>) -> Self {
        let retry = kind.default_retry();
        Self(Box::new(Inner {
            kind,
            retry,
            may_have_run: false,
            operation: operation.into(),
            call: None,
            resource: None,
            provider: None,
            code: None,
            request_id: None,
            why: None,
            next: None,
            source: None,
        }))
    }

    /// Says what was tried in other words, such as those of the verb that the caller used.
    #[must_use]
    pub fn for_verb(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.0.operation = operation.into();
        self
    }

    /// Names the vendor's call that failed, for machines; `Display` leaves it out.
    #[must_use]
    pub fn in_call(mut self, call: impl Into<Cow<'static, str>>) -> Self {
        self.0.call = Some(call.into());
        self
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

    /// Leaves out what to do next, also what follows from the kind: an error above this one says it.
    #[must_use]
    pub fn without_hint(mut self) -> Self {
        self.0.next = Some(String::new());
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

    /// What was tried, in words.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// The vendor's own name of the call that failed, where one call did.
    #[must_use]
    pub fn call(&self) -> Option<&str> {
        self.0.call.as_deref()
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
            .filter(|next| !next.is_empty())
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
        let mut reason = self.0.kind.to_string();
        if let Some(why) = &self.0.why {
            reason.push_str(": ");
            reason.push_str(why);
        }
        write!(f, ": {reason}")?;
        // A code that is part of the reason was said already.
        if let (Some(provider), Some(code)) = (&self.0.provider, &self.0.code)
            && !reason.contains(code.as_str())
        {
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
            .field("call", &self.0.call)
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
    fn what_is_for_machines_is_not_shown_and_nothing_is_said_twice() {
        let failure = RolloutFailure::new("RuntimeError", "it failed with RuntimeError: boom");
        let error = Error::new(ErrorKind::RolloutFailed(failure), "start")
            .on("hello")
            .from_provider("local", Some("RuntimeError".to_owned()))
            .in_call("Probe")
            .for_verb("deploy");
        assert_eq!(
            error.to_string(),
            "cannot deploy hello: the release did not start: it failed with RuntimeError: boom"
        );
        assert_eq!((error.operation(), error.call()), ("deploy", Some("Probe")));

        let failure = RolloutFailure::new("ImagePullBackOff", "the image is not there");
        let error = Error::new(ErrorKind::RolloutFailed(failure), "deploy")
            .hint("push it first")
            .from_provider("here", Some("E7".to_owned()));
        let words = "cannot deploy: the release did not start: ImagePullBackOff: the image is not there (here says E7)";
        assert_eq!(error.to_string(), format!("{words}; push it first"));
        assert_eq!(error.without_hint().to_string(), words);
    }

    #[test]
    fn time_that_ran_out_is_followed_by_what_to_do() {
        let error = Error::new(ErrorKind::Timeout(TimedOut::Caller), "invoke").on("hello");
        assert_eq!(
            error.to_string(),
            "cannot invoke hello: the caller's deadline passed; allow it more time"
        );
        assert_eq!(error.without_hint().next_step(), None);
    }

    #[test]
    fn what_never_started_did_not_crash() {
        let failure = FunctionFailure::new(false, "Exit", "it ended with 1");
        assert_eq!(
            failure.to_string(),
            "the function crashed: Exit: it ended with 1"
        );
        let failure = failure.not_started();
        assert_eq!(
            failure.to_string(),
            "the function could not start: Exit: it ended with 1"
        );
        let shown = |owner: &str| {
            let owner = owner.to_owned();
            ErrorKind::AlreadyExists { owner }.to_string()
        };
        assert_eq!(
            shown("shop/dev"),
            "it belongs to shop/dev, and is left alone"
        );
    }

    #[test]
    fn an_error_is_one_word_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
