//! Access keys of users.

use serde_json::json;

use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::owner::Kind;
use super::users::named_or_caller;
use super::{listing, need, no_randomness, no_such, over};

/// Most keys of a user. Source: the IAM quotas page.
const MOST: usize = 2;

fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let name = named_or_caller(call)?;
    Kind::User.authorize_on(call, &name, &[])?;
    let access = &call.cx.cloud.access;
    // Held while the key is made, so that two calls at once can't pass the limit, nor the user be removed.
    let state = access.write();
    let user = Kind::User.get(&state, &name)?;
    if access.keys_of(&name).len() >= MOST {
        return Err(over("AccessKeysPerUser", MOST));
    }
    let key = access.create_key(user).map_err(no_randomness)?;
    Ok(Answer::json(json!({ "AccessKey": {
        "UserName": name,
        "AccessKeyId": key.id,
        "Status": status(key.active),
        "SecretAccessKey": key.secret.reveal(),
        "CreateDate": key.created,
    }})))
}

pub(super) fn update(call: &Call) -> Result<Answer, ApiError> {
    let name = named_or_caller(call)?;
    Kind::User.authorize_on(call, &name, &[])?;
    let id = need(call, "AccessKeyId")?;
    let active = need(call, "Status")? == "Active";
    let access = &call.cx.cloud.access;
    Kind::User.get(&access.read(), &name)?;
    if access.set_active(&name, id, active) {
        Ok(Answer::empty())
    } else {
        Err(absent(id))
    }
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let name = named_or_caller(call)?;
    Kind::User.authorize_on(call, &name, &[])?;
    let id = need(call, "AccessKeyId")?;
    let access = &call.cx.cloud.access;
    Kind::User.get(&access.read(), &name)?;
    if access.remove_key(&name, id) {
        Ok(Answer::empty())
    } else {
        Err(absent(id))
    }
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let name = named_or_caller(call)?;
    Kind::User.authorize_on(call, &name, &[])?;
    let access = &call.cx.cloud.access;
    Kind::User.get(&access.read(), &name)?;
    let items = access
        .keys_of(&name)
        .iter()
        .map(|key| {
            let shown = json!({
                "UserName": name,
                "AccessKeyId": key.id,
                "Status": status(key.active),
                "CreateDate": key.created,
            });
            (key.id.clone(), shown)
        })
        .collect();
    listing::page(call, "AccessKeyMetadata", items)
}

fn absent(id: &str) -> ApiError {
    no_such(format!("The Access Key with id {id} cannot be found."))
}
