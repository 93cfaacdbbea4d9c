//! `GetAccountSettings`.

use serde_json::json;

use crate::answer::{Answer, ApiError};

use super::super::function::Function;
use super::op::Op;
use super::upload;

/// Limits of the account in this region, and what it uses of them.
///
/// # Errors
/// The operation's.
pub(super) fn settings(op: &Op) -> Result<Answer, ApiError> {
    op.allow_on("*", Vec::new())?;
    let (size, count) = op.region(|region| {
        let sizes = region.functions.values().map(Function::code_size);
        (sizes.sum::<u64>(), region.functions.len())
    });
    let (functions, cx) = (op.functions(), op.cx());
    Ok(Answer::json(json!({
        "AccountLimit": {
            "TotalCodeSize": upload::MAX_STORED,
            "CodeSizeUnzipped": upload::MAX_UNPACKED,
            "CodeSizeZipped": 50 << 20,
            "ConcurrentExecutions": functions.concurrency,
            "UnreservedConcurrentExecutions": functions.unreserved(&cx.account, &cx.region),
        },
        "AccountUsage": { "TotalCodeSize": size, "FunctionCount": count },
    })))
}
