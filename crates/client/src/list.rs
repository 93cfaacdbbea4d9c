//! `list`: what is there, page by page.

use std::collections::VecDeque;

use anyport_core::error::{Error, ErrorKind, Result};
use anyport_core::provider::{Cursor, Entry, Scope};
use futures_core::stream::BoxStream;
use futures_util::StreamExt as _;
use tracing::Instrument as _;

use crate::plan::named;
use crate::target::Target;

const VERB: &str = "list the functions at";

impl Target {
    /// What is there, ordered by name. The next page is read when the stream comes to it, so one page is held at a time; each page has the
    /// time limit of a read.
    ///
    /// What is there and cannot be read is an [`Entry::Unreadable`]. A page that cannot be read is an error, and the stream's last item.
    pub fn list(&self, scope: Scope) -> BoxStream<'static, Result<Entry>> {
        let pages = Pages {
            target: self.clone(),
            scope,
            entries: VecDeque::new(),
            next: Next::First,
        };
        futures_util::stream::unfold(pages, |mut pages| async {
            loop {
                if let Some(entry) = pages.entries.pop_front() {
                    return Some((Ok(entry), pages));
                }
                match pages.turn().await {
                    Ok(true) => {}
                    Ok(false) => return None,
                    Err(error) => {
                        pages.next = Next::End;
                        return Some((Err(error), pages));
                    }
                }
            }
        })
        .fuse()
        .boxed()
    }
}

struct Pages {
    target: Target,
    scope: Scope,
    entries: VecDeque<Entry>,
    next: Next,
}

enum Next {
    First,
    After(Cursor),
    End,
}

impl Pages {
    /// Reads the next page, if there is one.
    async fn turn(&mut self) -> Result<bool> {
        let after = match std::mem::replace(&mut self.next, Next::End) {
            Next::First => None,
            Next::After(cursor) => Some(cursor),
            Next::End => return Ok(false),
        };
        let target = &self.target;
        let cx = target.read_cx(VERB);
        let page = target
            .provider()
            .list(&cx, &self.scope, after.clone())
            .instrument(target.span("list", ""))
            .await
            .map_err(|error| named(error, target.id()))?;
        if page.next.is_some() && page.next == after {
            return Err(Error::new(ErrorKind::Unavailable, VERB)
                .on(target.id())
                .because("a page names itself as the next one"));
        }
        self.entries = page.entries.into();
        self.next = page.next.map_or(Next::End, Next::After);
        Ok(true)
    }
}
