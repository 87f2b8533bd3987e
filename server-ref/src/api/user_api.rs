//! The API for users, with their token: for pages that are not connected, and for applications that are used to such an
//! API.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
};
use everwire_protocol::{
    Channel, Chat, ErrorCode, Feature, History, Limits, Member, Message, StatusChoice, UserStatus,
    UserTyping, Uuid, VERSION,
    channels::messages_channel,
    ids::parse_uuid,
    paths::{POLL_PATH, WEBSOCKET_PATH},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Answered, Api, Problem,
    body::{JsonBody, PathParams, QueryParams},
    extractors::Caller,
    users,
};
use crate::{
    connection::ReceivedMark,
    model::broadcast::{Ephemeral, Receiver},
    node::{Use, most_chats},
};

/// The information that a client needs to connect.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectionInfo {
    /// The URL for WebSocket, derived from the URL of this request.
    websocket_url: String,
    /// The URL for polling, derived from the URL of this request.
    polling_url: String,
    /// The protocol version of the server.
    version: u32,
    /// The id of the user.
    user: String,
    /// The name that others see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
    /// The time until the token expires, in ms; absent if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token_expires_in_ms: Option<u64>,
    /// The ping interval of this server, in ms.
    ping_interval_ms: u32,
    /// How long this server holds a poll, in ms.
    hold_ms: u32,
    /// The server's clock, in ms since 1970.
    server_time: u64,
    /// The limits of this server.
    limits: Limits,
}

/// Whether a user wants to be seen as online.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Online {
    /// False: offline, regardless of connections. True: derived from the connections.
    is_online: bool,
}

/// A list of chats.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActiveChats {
    /// The chats, sorted by latest activity.
    chats: Vec<Chat>,
    /// There are more: the parameter `after` of the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

/// Selects chats.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only chats after those of another page: its `next`.
    after: Option<String>,
    /// The maximum number: 1 to 100, by default 100. A page may have fewer.
    limit: Option<u32>,
}

/// Whether a user is typing.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IsTyping {
    /// Whether the user is typing.
    is_typing: bool,
}

/// Success.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    /// Always true.
    done: bool,
}

/// Selects a range of a log.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Part {
    /// Only entries before this offset, the latest ones.
    before: Option<u64>,
    /// Only entries after this offset, the earliest ones. Not together with `before`.
    after: Option<u64>,
    /// The maximum number: 1 to 200, by default 50.
    limit: Option<u32>,
}

/// A page of a chat's log.
#[expect(clippy::struct_field_names, reason = "the frame calls it so too")]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Messages {
    /// The epoch of the offsets.
    epoch: String,
    /// The entries by rising offset, without holes.
    messages: Vec<Message>,
    /// Whether there are more in the requested direction.
    more: bool,
}

/// A query for the permission to use a channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Authorise {
    /// The name of the channel.
    channel_name: String,
    /// Accepted for compatibility with clients that send it; not used.
    #[serde(default)]
    #[expect(dead_code, reason = "read by nobody, but not refused")]
    #[schema(nullable = false)]
    socket_id: Option<String>,
}

/// The permission to use a channel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Authorised {
    /// The channel.
    channel_name: Channel,
    /// Whether the user may send to it too.
    may_send: bool,
    /// The user as others see it.
    member: Member,
}

/// Get the information that a client needs to connect.
#[utoipa::path(
    get, path = "/connection-info", operation_id = "connectionInfo", tag = "front end",
    security(("user_token" = [])),
    responses((status = 200, body = ConnectionInfo), (status = "default", body = Problem)),
)]
pub(super) async fn connection_info(
    Caller(who): Caller,
    State(api): State<Api>,
    headers: HeaderMap,
) -> Answered<ConnectionInfo> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST.as_str()).unwrap_or("localhost");
    // Set by a proxy that terminates TLS.
    let secure = if text("x-forwarded-proto") == Some("https") { "s" } else { "" };
    let settings = &api.node.settings;
    let wall_ms = api.node.wall_ms();
    Ok(Json(ConnectionInfo {
        websocket_url: format!("ws{secure}://{host}{WEBSOCKET_PATH}"),
        polling_url: format!("http{secure}://{host}{POLL_PATH}"),
        version: VERSION,
        user: who.user.to_string(),
        name: who.name.as_deref().map(Into::into),
        token_expires_in_ms: who.expires_at.map(|at| at.saturating_sub(wall_ms)),
        ping_interval_ms: settings.ping_interval_ms,
        hold_ms: settings.hold_ms,
        server_time: wall_ms,
        limits: settings.limits.clone(),
    }))
}

/// Set whether the user is seen as online.
#[utoipa::path(
    post, path = "/online-status", operation_id = "onlineStatus", tag = "front end",
    security(("user_token" = [])),
    responses((status = 200, body = UserStatus), (status = "default", body = Problem)),
)]
pub(super) async fn online_status(
    Caller(who): Caller,
    State(api): State<Api>,
    JsonBody(Online { is_online }): JsonBody<Online>,
) -> Answered<UserStatus> {
    api.needs(Feature::Status)?;
    let choice = if is_online { StatusChoice::Auto } else { StatusChoice::Offline };
    users::choose(&api, &who, choice).await?;
    users::status_of(&api, who.user.to_string()).await
}

/// Get the user's chats, sorted by latest activity.
#[utoipa::path(
    get, path = "/active-chats", operation_id = "activeChats", tag = "front end",
    security(("user_token" = [])), params(Which),
    responses((status = 200, body = ActiveChats), (status = "default", body = Problem)),
)]
pub(super) async fn active_chats(
    Caller(who): Caller,
    State(api): State<Api>,
    QueryParams(Which { after, limit }): QueryParams<Which>,
) -> Answered<ActiveChats> {
    api.needs(Feature::Chats)?;
    let after = after.as_deref().map(|after| {
        let place = after.split_once(':').and_then(|(at, chat)| Some((at.parse().ok()?, chat)));
        place.ok_or_else(|| {
            Problem::new(ErrorCode::InvalidFrame, "Invalid after: not the next of another page.")
        })
    });
    let most = most_chats(limit)?;
    let page = api.node.latest_chats(&who.user, after.transpose()?, most).await?;
    let last = page.items.last().filter(|_| page.more);
    Ok(Json(ActiveChats { next: last.map(|chat| format!("{}:{}", chat.at, chat.id)), chats: page.items }))
}

/// Announce that the user is typing in a chat, or no longer.
#[utoipa::path(
    post, path = "/chats/{chat}/typing", operation_id = "typing", tag = "front end",
    security(("user_token" = [])), params(("chat" = String, Path, description = "The chat's id")),
    responses((status = 200, body = Done), (status = "default", body = Problem)),
)]
pub(super) async fn typing(
    Caller(who): Caller,
    State(api): State<Api>,
    PathParams(chat): PathParams<String>,
    JsonBody(IsTyping { is_typing }): JsonBody<IsTyping>,
) -> Answered<Done> {
    api.needs(Feature::Ephemeral)?;
    let channel = log(&chat)?;
    api.node.permit(&who, &channel, Use::Send)?;
    let (user, name) = (who.user.to_string(), who.name.as_deref().map(Into::into));
    let frame = UserTyping { channel: channel.clone(), user, name, typing: is_typing }.into();
    let typed = Ephemeral { channel, frame, who, session: Uuid::nil(), to: Receiver::OtherUsers };
    api.node.charge_deliveries(&typed).map_err(|(refusal, ms)| Problem::from(refusal).after(ms))?;
    api.node.pass_on(typed);
    Ok(Json(Done { done: true }))
}

/// Get a page of a chat's log: the latest entries, or those before or after an offset.
#[utoipa::path(
    get, path = "/chats/{chat}/messages", operation_id = "messages", tag = "front end",
    security(("user_token" = [])), params(("chat" = String, Path, description = "The chat's id"), Part),
    responses((status = 200, body = Messages), (status = "default", body = Problem)),
)]
pub(super) async fn messages(
    Caller(who): Caller,
    State(api): State<Api>,
    PathParams(chat): PathParams<String>,
    QueryParams(Part { before, after, limit }): QueryParams<Part>,
) -> Answered<Messages> {
    api.needs(Feature::History)?;
    let (id, channel) = (Uuid::new_v4(), log(&chat)?);
    if before.is_some() && after.is_some() {
        let words = "Specify before or after, not both.";
        return Err(Problem::new(ErrorCode::InvalidFrame, words));
    }
    let request = History { id, channel, before, after, limit };
    let page = api.node.answer_history(&who, &request).await?;
    Ok(Json(Messages { epoch: page.epoch, messages: page.messages, more: page.more }))
}

/// Mark a chat as read up to a message.
#[utoipa::path(
    post, path = "/chats/{chat}/messages/{message}/read", operation_id = "markRead", tag = "front end",
    security(("user_token" = [])),
    params(("chat" = String, Path, description = "The chat's id"),
           ("message" = String, Path, description = "The message's id, or its offset")),
    responses((status = 200, body = Done), (status = "default", body = Problem)),
)]
pub(super) async fn read(
    Caller(who): Caller,
    State(api): State<Api>,
    PathParams((chat, message)): PathParams<(String, String)>,
) -> Answered<Done> {
    api.needs(Feature::Receipts)?;
    let channel = log(&chat)?;
    api.node.permit(&who, &channel, Use::Receive)?;
    let no_message = || Problem::new(ErrorCode::NotFound, "Message not found.");
    let read = match (message.parse::<u64>(), parse_uuid(&message)) {
        (Ok(offset), _) => offset,
        (_, Some(id)) => api.node.store.offset_of(&channel, id).await?.ok_or_else(no_message)?,
        _ => return Err(no_message()),
    };
    api.node.receive(ReceivedMark { channel, who, epoch: None, run: None, delivered: 0, read }).await?;
    Ok(Json(Done { done: true }))
}

/// Get the user's permissions for a channel.
#[utoipa::path(
    post, path = "/broadcasting/auth", operation_id = "authorise", tag = "front end",
    security(("user_token" = [])),
    responses((status = 200, body = Authorised), (status = "default", body = Problem)),
)]
pub(super) async fn authorise(
    Caller(who): Caller,
    State(api): State<Api>,
    JsonBody(Authorise { channel_name, .. }): JsonBody<Authorise>,
) -> Answered<Authorised> {
    let channel_name = Channel::new(&channel_name).map_err(|error| {
        Problem::new(ErrorCode::InvalidChannel, format!("Invalid channel {channel_name:?}: {error}."))
    })?;
    api.node.permit(&who, &channel_name, Use::Receive)?;
    let may_send = api.node.permit(&who, &channel_name, Use::Send).is_ok();
    Ok(Json(Authorised { channel_name, may_send, member: who.member() }))
}

fn log(chat: &str) -> Result<Channel, Problem> {
    messages_channel(chat).ok_or_else(|| Problem::new(ErrorCode::NotFound, "Chat not found, or no access."))
}
