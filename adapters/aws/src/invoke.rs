//! Synchronous invocations.

use anyport_core::call::{Call, Reply};
use anyport_core::context::Ctx;
use anyport_core::error::Result;

use crate::auth::Session;
use crate::unfinished;

pub(crate) async fn invoke(_: &Session, _: &Ctx, call: Call) -> Result<Reply> {
    Err(unfinished(call.name.as_str()))
}
