//! Bans of users and revocations of tokens, for back ends.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answered, Api, Problem,
    body::{JsonBody, PathParams, QueryParams, UserId},
    extractors::BackEnd,
    publish::invalid,
};
use crate::model::ban::{AccessChange, Ban, Revocation, Revoked};

/// Maximum length of a reason in bytes.
const MAX_REASON_BYTES: usize = 200;

/// How long a revocation is remembered by default and at most, in s: 30 days, and ten years.
pub(super) const REVOKED_S: u64 = 30 * 24 * 60 * 60;
pub(super) const MAX_REVOKED_S: u64 = 3650 * 24 * 60 * 60;

/// Maximum length of a token's id in bytes.
const MAX_TOKEN_ID_BYTES: usize = 256;

/// The maximum and the default number of bans in one answer.
const MOST_BANS: u32 = 100;

/// A ban to declare.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBan {
    /// The reason, which the user is told: 1 to 200 bytes without control characters.
    #[schema(nullable = false)]
    reason: Option<String>,
    /// When the ban ends by itself, in ms since 1970. Absent: it does not.
    #[schema(nullable = false)]
    until: Option<u64>,
}

/// Whether a user is banned.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BanInfo {
    /// The id of the user.
    user: String,
    /// Whether the user is banned.
    banned: bool,
    /// When the ban was declared, in ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    since: Option<u64>,
    /// When it ends by itself, in ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    until: Option<u64>,
    /// The reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// Selects bans.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct After {
    /// Only bans of users whose id comes after this one, byte by byte.
    after: Option<String>,
    /// The maximum number: 1 to 100, by default 100.
    limit: Option<u32>,
}

/// A list of bans.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BanList {
    /// The bans by rising user id.
    bans: Vec<BanInfo>,
    /// Whether there are more, after the last one of this list.
    more: bool,
}

/// How long a revocation is remembered.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Remember {
    /// At least as long as the revoked tokens are still valid, in s; by default 30 days.
    #[schema(nullable = false)]
    for_seconds: Option<u64>,
}

/// A revocation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RevocationInfo {
    /// When the tokens were revoked, in ms since 1970.
    at: u64,
    /// Until when this is remembered, in ms since 1970.
    until: u64,
}

/// Ban a user: open connections are closed with the code 4003, and new ones refused with `banned`. Repeated, it replaces the
/// reason and the end.
#[utoipa::path(
    put, path = "/users/{user}/ban", operation_id = "banUser", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = BanInfo), (status = "default", body = Problem)),
)]
pub(super) async fn ban(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
    JsonBody(NewBan { reason, until }): JsonBody<NewBan>,
) -> Answered<BanInfo> {
    let fits =
        |text: &String| (1..=MAX_REASON_BYTES).contains(&text.len()) && !text.contains(char::is_control);
    if !reason.as_ref().is_none_or(fits) {
        let rule =
            format!("Invalid reason: must be 1 to {MAX_REASON_BYTES} bytes without control characters.");
        return Err(invalid(&rule));
    }
    let since = api.node.environment.wall_ms();
    if until.is_some_and(|until| until <= since) {
        return Err(invalid("Invalid until: must be in the future, in ms since 1970."));
    }
    let ban = Ban { user: user.as_str().into(), since, until, reason };
    api.node.change_access(AccessChange::Ban(ban)).await?;
    Ok(Json(info(&api, user)))
}

/// Get whether a user is banned.
#[utoipa::path(
    get, path = "/users/{user}/ban", operation_id = "getBan", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = BanInfo), (status = "default", body = Problem)),
)]
pub(super) async fn get(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
) -> Answered<BanInfo> {
    Ok(Json(info(&api, user)))
}

/// End the ban of a user.
#[utoipa::path(
    delete, path = "/users/{user}/ban", operation_id = "unbanUser", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = BanInfo), (status = "default", body = Problem)),
)]
pub(super) async fn unban(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
) -> Answered<BanInfo> {
    api.node.change_access(AccessChange::Unban(user.as_str().into())).await?;
    Ok(Json(info(&api, user)))
}

/// List the banned users.
#[utoipa::path(
    get, path = "/bans", operation_id = "listBans", tag = "back end", security(("api_key" = [])), params(After),
    responses((status = 200, body = BanList), (status = "default", body = Problem)),
)]
pub(super) async fn list(
    _: BackEnd,
    State(api): State<Api>,
    QueryParams(After { after, limit }): QueryParams<After>,
) -> Answered<BanList> {
    let most = limit.unwrap_or(MOST_BANS);
    if !(1..=MOST_BANS).contains(&most) {
        return Err(invalid(&format!("Invalid limit: must be 1 to {MOST_BANS}.")));
    }
    let now_ms = api.node.environment.wall_ms();
    let mut bans = api.node.bans.list(after.as_deref().unwrap_or_default(), most as usize + 1, now_ms);
    let more = bans.len() > most as usize;
    bans.truncate(most as usize);
    Ok(Json(BanList { bans: bans.into_iter().map(Into::into).collect(), more }))
}

/// Revoke all tokens of a user that were issued until now, and those without the claim `iat`. Connections that use one are
/// closed with the code 4001.
#[utoipa::path(
    post, path = "/users/{user}/revoke", operation_id = "revokeUser", tag = "back end", security(("api_key" = [])),
    params(("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = RevocationInfo), (status = "default", body = Problem)),
)]
pub(super) async fn revoke_user(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(UserId(user)): PathParams<UserId>,
    JsonBody(remember): JsonBody<Remember>,
) -> Answered<RevocationInfo> {
    revoke(&api, Revoked::User(user.into()), &remember).await
}

/// Revoke one token by its id, the claim `jti`. A connection that uses it is closed with the code 4001.
#[utoipa::path(
    post, path = "/tokens/{token}/revoke", operation_id = "revokeToken", tag = "back end",
    security(("api_key" = [])),
    params(("token" = String, Path, description = "The token's id")),
    responses((status = 200, body = RevocationInfo), (status = "default", body = Problem)),
)]
pub(super) async fn revoke_token(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(token): PathParams<String>,
    JsonBody(remember): JsonBody<Remember>,
) -> Answered<RevocationInfo> {
    check_id(&token, MAX_TOKEN_ID_BYTES)?;
    revoke(&api, Revoked::Token(token.into()), &remember).await
}

async fn revoke(api: &Api, of: Revoked, remember: &Remember) -> Answered<RevocationInfo> {
    let seconds = remember.for_seconds.unwrap_or(REVOKED_S);
    if !(1..=MAX_REVOKED_S).contains(&seconds) {
        return Err(invalid(&format!("Invalid for_seconds: must be 1 to {MAX_REVOKED_S}.")));
    }
    let at = api.node.environment.wall_ms();
    let until = at + seconds * 1000;
    api.node.change_access(AccessChange::Revoke(Revocation { of, at, until })).await?;
    Ok(Json(RevocationInfo { at, until }))
}

fn check_id(id: &str, most: usize) -> Result<(), Problem> {
    if id.is_empty() || id.len() > most {
        return Err(invalid(&format!("Invalid id: must be 1 to {most} bytes.")));
    }
    Ok(())
}

fn info(api: &Api, user: String) -> BanInfo {
    let ban = api.node.bans.ban(&user, api.node.environment.wall_ms());
    ban.map_or(BanInfo { user, banned: false, since: None, until: None, reason: None }, Into::into)
}

impl From<Ban> for BanInfo {
    fn from(ban: Ban) -> Self {
        let Ban { user, since, until, reason } = ban;
        Self { user: user.to_string(), banned: true, since: Some(since), until, reason }
    }
}
