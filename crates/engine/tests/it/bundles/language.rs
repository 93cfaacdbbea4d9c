//! What handlers of every language promise, and the table of what differs between languages.

use anyport_engine::{Launch, PoolSpec, Request, StartFailureKind};
use serde_json::{Value, json};

use super::oracle::{Comparison, try_all, wrap};
use crate::support::{Stage, call, have, request};

/// One language with the handlers that its tests call.
pub(crate) struct Language {
    /// The program that runs it.
    pub(crate) program: &'static str,
    /// How a handler is launched.
    pub(crate) launch: fn(&str) -> Launch,
    /// The code: paths and texts. `app.echo` sends back what it gets.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// Handlers with what each answers, in JSON, to the event `1`.
    pub(crate) answers: &'static [(&'static str, &'static str)],
    /// Handlers that cannot be loaded, each with the type and the first words of its error.
    pub(crate) unloadable: &'static [(&'static str, &'static str, &'static str)],
    /// A file whose handler `flip.go` takes bytes and gives them back in reverse.
    pub(crate) flip: (&'static str, &'static str),
}

impl Language {
    /// The code, ready to be called; `None` where the program is not there.
    pub(crate) async fn stage(&self) -> Option<Stage> {
        if !have(self.program) {
            return None;
        }
        let stage = Stage::empty().await;
        for (path, text) in self.files {
            stage.file(path, text);
        }
        Some(stage)
    }

    pub(crate) async fn handlers_answer(&self, stage: &Stage) {
        let pool = stage.pool((self.launch)("app.echo"));
        let event = json!({"text": "é", "list": [1, 2.5, null, true]});
        for _ in 0..3 {
            assert_eq!(call(&pool, &event.to_string()).await, event);
        }
        assert_eq!(pool.stats().instances, 1);
        for (handler, answer) in self.answers {
            let answer: Value = serde_json::from_str(answer).unwrap();
            let pool = stage.pool((self.launch)(handler));
            for _ in 0..2 {
                assert_eq!(call(&pool, "1").await, answer, "{handler}");
            }
            pool.close().await;
        }
    }

    pub(crate) async fn unloadable_are_init_errors(&self, stage: &Stage) {
        for (handler, kind, words) in self.unloadable {
            let pool = stage.pool((self.launch)(handler));
            let failure = pool.probe().await.unwrap_err();
            let StartFailureKind::InitError {
                error_type,
                message,
                ..
            } = failure.kind
            else {
                panic!("{handler}: {failure}");
            };
            assert_eq!(error_type, *kind, "{handler}");
            assert!(message.starts_with(words), "{handler}: {message}");
        }
    }

    pub(crate) async fn bytes_pass_where_any_media_is_allowed(&self, stage: &Stage) {
        let (path, text) = self.flip;
        stage.file(path, text);
        let pool = stage.pool_with((self.launch)("flip.go"), |spec| spec.media_any = true);
        let mut asked = Request::new("b", &b"\0\x01\xff"[..]);
        asked.content_type = Some("image/png".to_owned());
        let reply = pool.invoke(asked).await.unwrap();
        assert_eq!(
            reply.content_type.as_deref(),
            Some("application/octet-stream")
        );
        assert_eq!(reply.body.collect(10).await.unwrap(), &b"\xff\x01\0"[..]);
    }

    /// Calls every handler through our bootstrap and through `client`'s own program, and compares. `tidy` removes from the client's outcome
    /// what the platform shows by itself.
    pub(crate) async fn same_as(&self, stage: &Stage, client: &Client<'_>) {
        let mut comparison = Comparison::default();
        for handler in client.handlers {
            let launch = (self.launch)(handler);
            let ours = try_all(stage, &launch, client.events, |_| {}).await;
            wrap(stage, &format!("{} '{handler}'", client.command));
            let theirs = try_all(stage, &Launch::Bootstrap, client.events, |spec| {
                (client.prepare)(spec, handler);
            })
            .await;
            for ((event, ours), mut theirs) in client.events.iter().zip(&ours).zip(theirs) {
                (client.tidy)(&mut theirs);
                comparison.add(handler, event, ours, &theirs);
            }
        }
        comparison.end(client.name);
    }

    /// One call whose log lines carry its request id; what it logged can then be looked at.
    pub(crate) async fn prints(&self, stage: &Stage) -> String {
        let asked = request("{}");
        let id = asked.request_id.clone();
        let pool = stage.pool((self.launch)("app.prints"));
        pool.invoke(asked).await.unwrap();
        id
    }
}

/// AWS's own client for a language.
pub(crate) struct Client<'a> {
    pub(crate) name: &'a str,
    /// The command that runs a handler, without the handler's name.
    pub(crate) command: String,
    pub(crate) handlers: &'a [&'a str],
    pub(crate) events: &'a [&'a str],
    pub(crate) prepare: &'a dyn Fn(&mut PoolSpec, &str),
    pub(crate) tidy: fn(&mut Value),
}
