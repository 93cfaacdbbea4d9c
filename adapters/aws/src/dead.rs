//! Dead letters: events that Lambda gave up, in the function's own queue.

use std::sync::Arc;

use anyport_core::call::DeadLetter;
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use anyport_core::spec::Name;
use futures_core::stream::BoxStream;

use crate::auth::Session;
use crate::unfinished;

pub(crate) async fn letters(
    _: &Arc<Session>,
    _: &Ctx,
    name: &Name,
) -> Result<BoxStream<'static, Result<DeadLetter>>> {
    Err(unfinished(name.as_str()))
}
