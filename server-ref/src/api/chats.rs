//! Chats and their members, managed by back ends.

use axum::{Json, extract::State};
use everwire_protocol::{ChatKind, ErrorCode, Feature, Role, Status, Uuid, ids};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Answered, Api, Problem,
    body::{After, JsonBody, PathParams, QueryParams, UserId},
    extractors::BackEnd,
    publish::invalid,
};
use crate::{
    chats::{Actor, Command, Newcomer},
    model::{
        chat::{ChatRecord, Participant},
        paging::{Listed, MOST_IN_A_PAGE},
    },
};

/// A new chat.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChat {
    /// The id of a group, which makes the request idempotent: a UUID of version 7. Created by the server if absent.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "ids::optional")]
    id: Option<Uuid>,
    /// Group or direct. An existing direct chat of the two users is returned.
    kind: ChatKind,
    /// The title of a group, 1 to 128 bytes.
    #[schema(nullable = false)]
    title: Option<String>,
    /// Whether any signed-in user may join a group without an invitation.
    #[serde(default)]
    open: bool,
    /// The participants, at most 100, who become members immediately (or are invited, by their role). If no owner of a group
    /// is given, the first user without a role becomes owner.
    users: Vec<NewMember>,
}

/// A participant of a new chat.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMember {
    /// The id of the user.
    user: String,
    /// The name that others see.
    #[schema(nullable = false)]
    name: Option<String>,
    /// The role; `member` by default.
    #[schema(nullable = false)]
    role: Option<Role>,
}

/// The properties of a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Membership {
    /// The name that others see.
    #[schema(nullable = false)]
    name: Option<String>,
    /// The role; `member` by default.
    #[schema(nullable = false)]
    role: Option<Role>,
}

/// A role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleOnly {
    /// The role: owner, member or `read_only`.
    role: Role,
}

/// A title.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Title {
    /// The title, 1 to 128 bytes.
    title: String,
}

/// A chat as back ends see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChatInfo {
    /// The id of the chat: `private-chat.{id}` is its log.
    id: String,
    /// Group or direct.
    kind: ChatKind,
    /// The title of a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    title: Option<String>,
    /// Whether any signed-in user may join without an invitation.
    open: bool,
    /// When it was created, in ms since 1970.
    created_at: u64,
    /// The time of the last activity, in ms since 1970.
    at: u64,
    /// The number of participants, including the invited.
    member_count: usize,
    /// The first of them, in the order in which they joined: as many as fit into 60 KiB. If these are fewer than `member_count`,
    /// `listMembers` lists all.
    members: Vec<MemberInfo>,
}

/// A page of the participants of a chat.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberList {
    /// The participants, including the invited, by user id.
    members: Vec<MemberInfo>,
    /// There are more: the parameter `after` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// A participant of a chat as back ends see it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberInfo {
    /// The id of the user.
    user: String,
    /// The name that others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// The role.
    role: Role,
    /// When the user joined or was invited, in ms since 1970.
    since: u64,
    /// The online status.
    status: Status,
    /// When the user was last online, in ms since 1970, if offline. Absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_seen: Option<u64>,
}

/// Create a chat, or find the direct chat of two users.
#[utoipa::path(
    post, path = "/chats", operation_id = "createChat", tag = "back end", security(("api_key" = [])),
    responses((status = 200, body = ChatInfo), (status = "default", body = Problem)),
)]
pub(super) async fn create(
    _: BackEnd,
    State(api): State<Api>,
    JsonBody(chat): JsonBody<NewChat>,
) -> Answered<ChatInfo> {
    api.needs(Feature::Chats)?;
    let NewChat { id, kind, title, open, users } = chat;
    let names: Vec<String> = users.iter().map(|member| member.user.clone()).collect();
    let heard_of = api.node.newcomers(&names).await?;
    let users = users.into_iter().zip(heard_of).map(|(member, known)| Newcomer {
        name: member.name.map(Into::into).or(known.name),
        role: member.role,
        ..known
    });
    let act =
        Command::Create { id: id.unwrap_or_else(Uuid::new_v4), kind, title, open, users: users.collect() };
    let known = api.node.change_chat(Actor::BackEnd, None, act).await?;
    info(&api, known).await
}

/// Get a chat with its first members.
#[utoipa::path(
    get, path = "/chats/{chat}", operation_id = "getChat", tag = "back end", security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id")),
    responses((status = 200, body = ChatInfo), (status = "default", body = Problem)),
)]
pub(super) async fn get(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(chat): PathParams<String>,
) -> Answered<ChatInfo> {
    api.needs(Feature::Chats)?;
    let known = api.node.chats.get(&chat);
    info(&api, known).await
}

/// List the members of a chat, by user id, in pages.
#[utoipa::path(
    get, path = "/chats/{chat}/members", operation_id = "listMembers", tag = "back end", security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id"), After),
    responses((status = 200, body = MemberList), (status = "default", body = Problem)),
)]
pub(super) async fn members(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(chat): PathParams<String>,
    QueryParams(After { after }): QueryParams<After>,
) -> Answered<MemberList> {
    api.needs(Feature::Chats)?;
    let Some(ChatRecord { room, .. }) = api.node.chats.get(&chat) else { return Err(no_chat()) };
    let after = after.as_deref();
    let later = |other: &&Participant| after.is_none_or(|after| &*other.user > after);
    let mut participants: Vec<_> = room.participants.iter().filter(later).collect();
    participants.sort_by(|a, b| a.user.cmp(&b.user));
    let page = page(&api, &participants).await?;
    Ok(Json(MemberList { next: page.next(|member| &member.user), members: page.items }))
}

/// Rename a group.
#[utoipa::path(
    patch, path = "/chats/{chat}", operation_id = "renameChat", tag = "back end", security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id")),
    responses((status = 200, body = ChatInfo), (status = "default", body = Problem)),
)]
pub(super) async fn rename(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(chat): PathParams<String>,
    JsonBody(Title { title }): JsonBody<Title>,
) -> Answered<ChatInfo> {
    api.needs(Feature::Chats)?;
    act(&api, &chat, Command::Rename { title }).await
}

/// A chat that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeletedChat {
    /// The id of the chat.
    id: String,
}

/// Delete a chat with its members and its log. Members are told, and subscriptions end with `not_found`. A group's id cannot be used
/// again; the two users of a direct chat may begin another one.
#[utoipa::path(
    delete, path = "/chats/{chat}", operation_id = "deleteChat", tag = "back end", security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id")),
    responses((status = 200, body = DeletedChat), (status = "default", body = Problem)),
)]
pub(super) async fn delete(
    _: BackEnd,
    State(api): State<Api>,
    PathParams(chat): PathParams<String>,
) -> Answered<DeletedChat> {
    api.needs(Feature::Chats)?;
    if api.node.delete_chat(&chat).await? { Ok(Json(DeletedChat { id: chat })) } else { Err(no_chat()) }
}

/// Add a user to a group, or change the role of a member.
#[utoipa::path(
    put, path = "/chats/{chat}/members/{user}", operation_id = "addMember", tag = "back end",
    security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id"), ("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = ChatInfo), (status = "default", body = Problem)),
)]
pub(super) async fn add(
    _: BackEnd,
    State(api): State<Api>,
    PathParams((chat, user)): PathParams<(String, UserId)>,
    JsonBody(Membership { name, role }): JsonBody<Membership>,
) -> Answered<ChatInfo> {
    api.needs(Feature::Chats)?;
    let name = match name {
        Some(name) => Some(name.into()),
        None => api.node.name(&user.0).await?,
    };
    act(&api, &chat, Command::Add(Newcomer { user: user.0.into(), name, role })).await
}

/// Change the role of a member.
#[utoipa::path(
    patch, path = "/chats/{chat}/members/{user}", operation_id = "setRole", tag = "back end",
    security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id"), ("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = ChatInfo), (status = "default", body = Problem)),
)]
pub(super) async fn set_role(
    _: BackEnd,
    State(api): State<Api>,
    PathParams((chat, user)): PathParams<(String, UserId)>,
    JsonBody(RoleOnly { role }): JsonBody<RoleOnly>,
) -> Answered<ChatInfo> {
    api.needs(Feature::Chats)?;
    act(&api, &chat, Command::SetRole { user: user.0.into(), role }).await
}

/// Remove a member from a chat, or withdraw an invitation.
#[utoipa::path(
    delete, path = "/chats/{chat}/members/{user}", operation_id = "removeMember", tag = "back end",
    security(("api_key" = [])),
    params(("chat" = String, Path, description = "The chat's id"), ("user" = String, Path, description = "The user's id")),
    responses((status = 200, body = ChatInfo), (status = "default", body = Problem)),
)]
pub(super) async fn remove(
    _: BackEnd,
    State(api): State<Api>,
    PathParams((chat, user)): PathParams<(String, UserId)>,
) -> Answered<ChatInfo> {
    api.needs(Feature::Chats)?;
    act(&api, &chat, Command::Remove { user: user.0.into() }).await
}

async fn act(api: &Api, chat: &str, act: Command) -> Answered<ChatInfo> {
    if chat.is_empty() {
        return Err(invalid("Name a chat."));
    }
    let known = api.node.change_chat(Actor::BackEnd, Some(chat), act).await?;
    info(api, known).await
}

async fn info(api: &Api, known: Option<ChatRecord>) -> Answered<ChatInfo> {
    let Some(ChatRecord { room, at }) = known else { return Err(no_chat()) };
    let participants: Vec<_> = room.participants.iter().collect();
    Ok(Json(ChatInfo {
        id: room.id.to_string(),
        kind: room.kind,
        title: room.title.clone(),
        open: room.open,
        created_at: room.created_at,
        at,
        member_count: participants.len(),
        members: page(api, &participants).await?.items,
    }))
}

/// As many of these as fit into a page.
async fn page(api: &Api, participants: &[&Participant]) -> Result<Listed<MemberInfo>, Problem> {
    let some = participants.iter().take(MOST_IN_A_PAGE);
    let users: Vec<String> = some.clone().map(|participant| participant.user.to_string()).collect();
    let statuses = api.node.statuses(&users).await?;
    // In the requested order.
    let members = some.zip(statuses).map(|(participant, now)| {
        let (user, status, last_seen) = (now.user, now.status, now.last_seen);
        let name = participant.name.as_deref().map(Into::into);
        MemberInfo { user, name, role: participant.role, since: participant.since, status, last_seen }
    });
    Ok(Listed::of(members))
}

fn no_chat() -> Problem {
    Problem::new(ErrorCode::NotFound, "Chat not found.")
}
