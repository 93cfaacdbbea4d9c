//! Log lines, from CloudWatch Logs.

pub(crate) mod platform;

use std::sync::Arc;

use anyport_core::call::{LogLine, LogQuery};
use anyport_core::context::Ctx;
use anyport_core::error::Result;
use futures_core::stream::BoxStream;

use crate::auth::Session;
use crate::unfinished;

pub(crate) async fn read(
    _: &Arc<Session>,
    _: &Ctx,
    query: LogQuery,
) -> Result<BoxStream<'static, Result<LogLine>>> {
    Err(unfinished(query.name.as_str()))
}
