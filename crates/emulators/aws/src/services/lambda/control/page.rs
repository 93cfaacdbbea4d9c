//! Pages of lists.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, ApiError};

use super::super::errors;
use super::op::Op;

/// Most items of a page. Source: Lambda API model, in its documentation of `MaxItems`.
const MOST: usize = 50;

/// A page of `items`, which are sorted by their keys, as the output `member`. The next page begins after
/// the last key of this one, so items that come and go in between neither hide others nor show them twice.
///
/// # Errors
/// The marker is none of ours.
pub(super) fn page(
    op: &Op,
    member: &str,
    items: impl IntoIterator<Item = (String, Value)>,
) -> Result<Answer, ApiError> {
    let after = op.text("Marker").map(read).transpose()?;
    let most = op
        .input()
        .number("MaxItems")
        .map_or(MOST, |most| (most as usize).min(MOST));
    let mut rest = items
        .into_iter()
        .skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after))
        .peekable();
    let mut shown = Vec::new();
    let mut last = None;
    while shown.len() < most
        && let Some((key, item)) = rest.next()
    {
        shown.push(item);
        last = Some(key);
    }
    let mut output = Map::from_iter([(member.to_owned(), json!(shown))]);
    if let (Some(last), Some(_)) = (last, rest.peek()) {
        let marker = BASE64URL_NOPAD.encode(last.as_bytes());
        output.insert("NextMarker".to_owned(), marker.into());
    }
    Ok(Answer::json(Value::Object(output)))
}

fn read(marker: &str) -> Result<String, ApiError> {
    BASE64URL_NOPAD
        .decode(marker.as_bytes())
        .ok()
        .and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| errors::invalid("Invalid pagination token."))
}
