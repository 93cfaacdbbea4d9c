//! Asynchronous invocations.

use anyport_core::call::{Accepted, Call};
use anyport_core::context::Ctx;
use anyport_core::error::Result;

use crate::auth::Session;
use crate::unfinished;

pub(crate) async fn enqueue(_: &Session, _: &Ctx, call: Call) -> Result<Accepted> {
    Err(unfinished(call.name.as_str()))
}
