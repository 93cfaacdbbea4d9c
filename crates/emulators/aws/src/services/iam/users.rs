//! Users.

use serde_json::{Map, Value};

use crate::access::{Entity, Identity, User, ids};
use crate::answer::{Answer, ApiError};
use crate::call::Call;

use super::owner::{Kind, check_free};
use super::{conflict, exists, listing, need, no_randomness, no_such, over, tags, validation};

/// Most users of an account. Source: the IAM quotas page.
const MOST: usize = 5000;

/// Members that users and roles show alike.
pub(super) fn shown(entity: &Entity, kind: Kind) -> Map<String, Value> {
    let (name, id) = match kind {
        Kind::User => ("UserName", "UserId"),
        Kind::Role => ("RoleName", "RoleId"),
    };
    let mut output = Map::new();
    output.insert("Path".to_owned(), entity.path.clone().into());
    output.insert(name.to_owned(), entity.name.clone().into());
    output.insert(id.to_owned(), entity.id.clone().into());
    output.insert("Arn".to_owned(), entity.arn.clone().into());
    output.insert("CreateDate".to_owned(), entity.created.into());
    output
}

/// What `Get...` and `Create...` show on top of what lists show.
pub(super) fn add_details(output: &mut Map<String, Value>, entity: &Entity) {
    if let Some(tags) = tags::shown(&entity.tags) {
        output.insert("Tags".to_owned(), tags);
    }
    if let Some(arn) = &entity.boundary {
        let boundary = serde_json::json!({
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": arn,
        });
        output.insert("PermissionsBoundary".to_owned(), boundary);
    }
}

/// A new entity from a call's members: name, path, tags, boundary. Authorises the call.
pub(super) fn new_entity(call: &Call, kind: Kind) -> Result<Entity, ApiError> {
    let name = need(call, kind.member())?;
    let path = call.text("Path").unwrap_or("/");
    let access = &call.cx.cloud.access;
    let tags = tags::given(call)?;
    let (prefix, noun) = match kind {
        Kind::User => ("AIDA", "user"),
        Kind::Role => ("AROA", "role"),
    };
    let id = ids::entity(prefix).map_err(no_randomness)?;
    let mut entity = access.new_entity(name, path, noun, id);
    let boundary = call.text("PermissionsBoundary");
    let mut keys = tags::request_keys(&tags);
    keys.extend(boundary.map(|arn| ("iam:PermissionsBoundary".to_owned(), arn.to_owned())));
    let action = format!("iam:{}", call.operation);
    call.cx
        .authorize(&action, &entity.arn, &tags::borrowed(&keys))?;
    if let Some(arn) = boundary
        && access.read().managed(arn).is_none()
    {
        return Err(no_such(format!(
            "Scope ARN: {arn} does not exist or is not attachable."
        )));
    }
    entity.tags = tags;
    entity.boundary = boundary.map(str::to_owned);
    Ok(entity)
}

pub(super) fn create(call: &Call) -> Result<Answer, ApiError> {
    let entity = new_entity(call, Kind::User)?;
    let mut state = call.cx.cloud.access.write();
    let taken = |name: &String| name.eq_ignore_ascii_case(&entity.name);
    if state.users.keys().any(taken) {
        return Err(exists(format!(
            "User with name {} already exists.",
            entity.name
        )));
    }
    if state.users.len() >= MOST {
        return Err(over("UsersPerAccount", MOST));
    }
    let answer = answer(&entity);
    state.users.insert(entity.name.clone(), User { entity });
    Ok(answer)
}

fn answer(entity: &Entity) -> Answer {
    let mut user = shown(entity, Kind::User);
    add_details(&mut user, entity);
    Answer::json(serde_json::json!({ "User": user }))
}

/// The user that a call names, or who calls.
pub(super) fn named_or_caller(call: &Call) -> Result<String, ApiError> {
    match (call.text("UserName"), &call.cx.caller.identity) {
        (Some(name), _) => Ok(name.to_owned()),
        (None, Identity::User { name, .. }) => Ok(name.clone()),
        (None, _) => Err(validation(
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

pub(super) fn get(call: &Call) -> Result<Answer, ApiError> {
    let name = named_or_caller(call)?;
    Kind::User.authorize_on(call, &name, &[])?;
    let state = call.cx.cloud.access.read();
    Ok(answer(Kind::User.get(&state, &name)?))
}

pub(super) fn delete(call: &Call) -> Result<Answer, ApiError> {
    let name = Kind::User.authorize(call, &[])?;
    let access = &call.cx.cloud.access;
    let keys = access.keys_of(name);
    let mut state = access.write();
    let entity = Kind::User.get(&state, name)?;
    if !keys.is_empty() {
        return Err(conflict(
            "Cannot delete entity, must delete access keys first.",
        ));
    }
    check_free(entity)?;
    state.users.remove(name);
    Ok(Answer::empty())
}

pub(super) fn list(call: &Call) -> Result<Answer, ApiError> {
    let everything = format!("arn:aws:iam::{}:user/*", call.cx.account);
    call.cx.authorize("iam:ListUsers", &everything, &[])?;
    let state = call.cx.cloud.access.read();
    let items = state
        .users
        .values()
        .filter(|user| listing::below(call, &user.entity.path))
        .map(|user| {
            let entity = &user.entity;
            (
                entity.name.clone(),
                Value::Object(shown(entity, Kind::User)),
            )
        })
        .collect();
    listing::page(call, "Users", items)
}
