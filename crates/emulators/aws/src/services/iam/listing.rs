//! Lists in pages: `Marker`, `MaxItems`, `IsTruncated`.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::validation;

/// Items of a page unless asked for fewer or more. Source: the API reference.
const PAGE: usize = 100;

/// Answers with the page that the call asks for. Items are sorted by their keys, which are unique; a marker is the
/// key before its page, so that a change in between neither repeats nor skips others.
pub(super) fn page(
    call: &Call,
    member: &str,
    mut items: Vec<(String, Value)>,
) -> Result<Answer, ApiError> {
    items.sort_by(|a, b| a.0.cmp(&b.0));
    let after = match call.text("Marker") {
        Some(marker) => Some(read(marker).ok_or_else(|| validation("Invalid Marker."))?),
        None => None,
    };
    let most = call
        .get("MaxItems")
        .and_then(Value::as_u64)
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(PAGE);
    let mut rest = items
        .into_iter()
        .filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    let mut last = String::new();
    let mut page = Vec::new();
    for (key, item) in rest.by_ref().take(most) {
        last = key;
        page.push(item);
    }
    let truncated = rest.next().is_some();
    let mut output = Map::new();
    output.insert(member.to_owned(), Value::Array(page));
    output.insert("IsTruncated".to_owned(), truncated.into());
    if truncated {
        let marker = BASE64URL_NOPAD.encode(last.as_bytes());
        output.insert("Marker".to_owned(), marker.into());
    }
    Ok(Answer::json(Value::Object(output)))
}

fn read(marker: &str) -> Option<String> {
    String::from_utf8(BASE64URL_NOPAD.decode(marker.as_bytes()).ok()?).ok()
}

/// Whether a path is below the one that the call asks for.
pub(super) fn below(call: &Call, path: &str) -> bool {
    path.starts_with(call.text("PathPrefix").unwrap_or("/"))
}
