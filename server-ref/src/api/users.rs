//! Users and presence, for back ends.

use std::sync::Arc;

use axum::{Json, extract::State};
use everwire_protocol::{
    Channel, ChannelKind, CloseCode, ErrorCode, Feature, GetStatus, Member, SetStatus, StatusChoice,
    UserStatus, Uuid,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Answered, Api, Problem,
    body::{After, JsonBody, PathParams, QueryParams, UserId},
    extractors::BackEnd,
};
use crate::model::identity::{Identity, Payer};

/// A status to set for a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    /// `auto` derives the status from the connections.
    status: StatusChoice,
}

/// The closed connections.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ended {
    /// Their number.
    connections: usize,
}

/// The members of a presence channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Present {
    /// The channel.
    channel: Channel,
    /// The members, once each regardless of the number of connections.
    members: Vec<Member>,
    /// There are more members, after this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// Get a user's status.
#[utoipa::path(
    get, path = "/users/{user}/status", operation_id = "getStatus", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = UserStatus), (status = "default", body = Problem)),
)]
pub(super) async fn status(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
) -> Answered<UserStatus> {
    api.needs(Feature::Status)?;
    status_of(&api, user).await
}

/// Set a user's status for all connections, until it is changed.
#[utoipa::path(
    put, path = "/users/{user}/status", operation_id = "setStatus", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = UserStatus), (status = "default", body = Problem)),
)]
pub(super) async fn set_status(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
    JsonBody(Choice { status }): JsonBody<Choice>,
) -> Answered<UserStatus> {
    api.needs(Feature::Status)?;
    choose(&api, &somebody(&user), status).await?;
    status_of(&api, user).await
}

/// Disconnect a user: all connections are closed with the code 4014. Clients reconnect automatically, unless their token is
/// refused.
#[utoipa::path(
    post, path = "/users/{user}/disconnect", operation_id = "disconnectUser", tag = "back end",
    security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = Ended), (status = "default", body = Problem)),
)]
pub(super) async fn disconnect(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
) -> Answered<Ended> {
    let connections = api.node.sessions.end_user(&user, CloseCode::Disconnected);
    Ok(Json(Ended { connections }))
}

/// Get the members of a presence channel, by user id, in pages.
#[utoipa::path(
    get, path = "/channels/{channel}/presence", operation_id = "getPresence", tag = "back end",
    security(("api_key" = [])),
    params(("channel" = String, Path, description = "A channel whose name begins with `presence-`"), After),
    responses((status = 200, body = Present), (status = "default", body = Problem)),
)]
pub(super) async fn presence(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(channel): PathParams<String>,
    QueryParams(After { after }): QueryParams<After>,
) -> Answered<Present> {
    api.needs(Feature::Presence)?;
    let refuse = |why: String| Problem::new(ErrorCode::InvalidChannel, why);
    let channel =
        Channel::new(&channel).map_err(|error| refuse(format!("Invalid channel {channel:?}: {error}.")))?;
    if channel.kind() != ChannelKind::Presence {
        return Err(refuse("Only channels whose names begin with presence- list their members.".into()));
    }
    let page = api.node.members(&channel, after.as_deref()).unwrap_or_default();
    Ok(Json(Present { channel, next: page.next(), members: page.listed.items }))
}

/// A user of whom only the id is known.
fn somebody(user: &str) -> Identity {
    let payer = Payer::User(user.into());
    Identity { user: user.into(), name: None, grants: Arc::default(), expires_at: None, token: None, payer }
}

/// Sets a status like the frame `set_status`.
pub(super) async fn choose(api: &Api, who: &Identity, status: StatusChoice) -> Result<(), Problem> {
    let id = Uuid::new_v4();
    api.node.answer_set_status(who, &SetStatus { id, status }).await?;
    Ok(())
}

pub(super) async fn status_of(api: &Api, user: String) -> Answered<UserStatus> {
    let id = Uuid::new_v4();
    let mut found = api.node.answer_get_status(&GetStatus { id, users: vec![user] }).await?;
    found.statuses.pop().map(Json).ok_or_else(|| Problem::of(ErrorCode::Internal))
}
