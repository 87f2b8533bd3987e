//! Erasing users, for back ends.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answered, Api, Problem,
    bans::{MAX_REVOKED_S, REVOKED_S},
    body::{PathParams, QueryParams, UserId},
    extractors::BackEnd,
    publish::invalid,
};

/// What an erasure leaves behind.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Remember {
    /// How long the user's tokens are refused, in s: at least as long as they are still valid; by default 30 days.
    for_seconds: Option<u64>,
}

/// The erasure of a user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasureInfo {
    /// The id of the user.
    user: String,
    /// Whether it is going on. `false`: nothing is kept of this user, as far as it was ever requested.
    erasing: bool,
}

/// Erase a user: everything that the server keeps of this user is removed. Messages lose their data and their author and keep their
/// places; memberships, notifications, read marks, status and sessions are gone; bans stay. Connections are closed with the code
/// 4001, and tokens issued until now are refused. The request is carried out in steps, also after a restart; sending, and signing in
/// with a new token, is refused until it has ended.
#[utoipa::path(
    delete, path = "/users/{user}", operation_id = "eraseUser", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id"), Remember),
    responses((status = 200, body = ErasureInfo), (status = "default", body = Problem)),
)]
pub(super) async fn erase(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
    QueryParams(Remember { for_seconds }): QueryParams<Remember>,
) -> Answered<ErasureInfo> {
    let seconds = for_seconds.unwrap_or(REVOKED_S);
    if !(1..=MAX_REVOKED_S).contains(&seconds) {
        return Err(invalid(&format!("Invalid for_seconds: must be 1 to {MAX_REVOKED_S}.")));
    }
    let until = api.node.environment.wall_ms() + seconds * 1000;
    api.node.erase_user(&user, until).await?;
    Ok(Json(ErasureInfo { user, erasing: true }))
}

/// Get whether the erasure of a user is still going on.
#[utoipa::path(
    get, path = "/users/{user}/erasure", operation_id = "getErasure", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = ErasureInfo), (status = "default", body = Problem)),
)]
pub(super) async fn get(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
) -> Answered<ErasureInfo> {
    let erasing = api.node.bans.is_erasing(&user);
    Ok(Json(ErasureInfo { user, erasing }))
}
