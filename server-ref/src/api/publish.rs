//! Publishing by back ends: to a channel, a user, a chat, a connection or everyone, stored or not.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap};
use everwire_protocol::{
    Channel, ErrorCode, Feature, Payload, ServerFrame, Signalled, Uuid, batch,
    channels::{EVERYONE, PRESENCE_USERS, messages_channel, user_channel},
    ids,
    limits::MAX_DEPTH,
    names::{InvalidName, check_event, check_name, check_user},
    strict,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Answered, Api, Problem,
    body::{JsonBody, user_id},
    extractors::BackEnd,
};
use crate::{
    connection::check_payload,
    model::{
        broadcast::Broadcast,
        log::{NewEntry, Outcome, SendPermission},
    },
};

/// The header that makes a request idempotent.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Maximum length of the key in bytes.
const MAX_KEY_BYTES: usize = 256;

/// The UUID name space for ids from idempotency keys: a random constant.
const KEYS: Uuid = Uuid::from_u128(0x0fd5_3bb1_77c4_4c8e_9d0a_86a0_5f4e_21d9);

/// A message to publish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    /// The target.
    to: Target,
    /// The event name, 1 to 100 bytes; absent for a plain message. Required if it is not stored.
    #[schema(nullable = false)]
    event: Option<String>,
    /// The application's JSON, at most 32 KiB.
    data: Payload,
    /// The author. If absent, the `user` of the message is empty: it comes from the application itself.
    #[schema(nullable = false)]
    user: Option<String>,
    /// The author's name.
    #[schema(nullable = false)]
    name: Option<String>,
    /// Whether it is stored, and so reaches users who are offline now. True by default, except for a connection, which has
    /// no log.
    #[schema(nullable = false)]
    durable: Option<bool>,
}

/// The target of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    /// A channel.
    Channel(Channel),
    /// A user: the channel `private-user.{id}`.
    User(#[serde(deserialize_with = "user_id")] String),
    /// A chat: the channel `private-chat.{id}`.
    Chat(String),
    /// One connection, regardless of its subscriptions.
    Connection(#[serde(deserialize_with = "ids::required")] Uuid),
    /// All users: the channel `everyone`.
    Everyone,
}

/// The published message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Published {
    /// The id of the message.
    id: Uuid,
    /// The channel; absent for a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channel: Option<Channel>,
    /// Its offset in the channel's log; absent if it was not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    offset: Option<u64>,
    /// When it was stored or delivered, in ms since 1970.
    at: u64,
    /// The number of connections that it was delivered to; absent if it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receivers: Option<usize>,
}

/// Publish to a channel, a user, a chat, a connection or everyone.
#[utoipa::path(
    post, path = "/publish", operation_id = "publish", tag = "back end", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header,
            description = "Repeating a request with the same key within 24 hours returns the same response without storing the message again.")),
    responses((status = 200, body = Published), (status = "default", body = Problem)),
)]
pub(super) async fn publish(
    _: BackEnd,
    State(api): State<Api>,
    headers: HeaderMap,
    JsonBody(publish): JsonBody<Publish>,
) -> Answered<Published> {
    let Publish { to, event, data, user, name, durable } = publish;
    check_names(event.as_deref(), user.as_deref(), name.as_deref())?;
    check_payload(&api.node.settings.limits, event.as_deref(), &data)?;
    let to_connection = if let Target::Connection(id) = to { Some(id) } else { None };
    let channel = channel_of(&api, to)?;
    let key = idempotency_key(&headers)?;
    let id = key.map_or_else(Uuid::new_v4, |key| Uuid::new_v5(&KEYS, key.as_bytes()));
    check_depth(&data)?;
    if durable.unwrap_or(channel.is_some()) {
        let Some(channel) = channel else {
            return Err(invalid("A connection has no log: omit `durable`, or publish to a user."));
        };
        let entry = NewEntry {
            id,
            channel,
            user: user.unwrap_or_default().into(),
            name: name.map(Into::into),
            event,
            data,
            action: None,
            target: None,
            permission: SendPermission::Server,
        };
        return store(&api, entry).await.map(Json);
    }
    api.needs(Feature::Ephemeral)?;
    if key.is_some() {
        return Err(invalid("Idempotency-Key is only for stored messages: omit it."));
    }
    let Some(event) = event else {
        return Err(invalid("`event` is required when `durable` is false."));
    };
    let at = api.node.wall_ms();
    let signal = Signalled { channel: channel.clone(), event, data, user, name, from: None, at };
    let text: Arc<str> = batch::encode_frame(&ServerFrame::Signalled(signal)).into();
    let receivers = match (&channel, to_connection) {
        (Some(channel), _) => {
            let note = Arc::new(Broadcast { channel: channel.clone(), text, ephemeral: true });
            api.node.hub.tell(&note, |_| true, None);
            api.node.hub.subscribers(channel)
        }
        (None, Some(connection)) => {
            if !api.node.sessions.direct(connection, &text) {
                return Err(Problem::new(ErrorCode::NotFound, "Connection not found."));
            }
            1
        }
        (None, None) => 0,
    };
    Ok(Json(Published { id, channel, offset: None, at, receivers: Some(receivers) }))
}

pub(super) async fn store(api: &Api, entry: NewEntry) -> Result<Published, Problem> {
    let (id, channel) = (entry.id, entry.channel.clone());
    match api.node.commits.store(entry).await {
        Some(Outcome::Stored(place) | Outcome::Rewrote(place, _) | Outcome::Copy(place)) => Ok(Published {
            id,
            channel: Some(channel),
            offset: Some(place.offset),
            at: place.at,
            receivers: None,
        }),
        Some(Outcome::IdReused) => {
            let words =
                "This Idempotency-Key was used before for another message. Use a new key for every message.";
            Err(Problem::new(ErrorCode::IdReused, words))
        }
        Some(Outcome::Refused(refusal)) => Err(refusal.into()),
        None => Err(Problem::of(ErrorCode::Unavailable)),
    }
}

fn channel_of(api: &Api, to: Target) -> Result<Option<Channel>, Problem> {
    let named = |name: String| {
        Channel::new(&name).map_err(|error| {
            Problem::new(ErrorCode::InvalidChannel, format!("Invalid channel {name:?}: {error}."))
        })
    };
    match to {
        Target::Connection(_) => Ok(None),
        Target::Channel(channel) if channel.as_str() == PRESENCE_USERS => {
            Err(Problem::new(ErrorCode::Forbidden, "Only the server sends to presence-users."))
        }
        Target::Channel(channel) => Ok(Some(channel)),
        Target::User(user) => Ok(user_channel(&user)),
        Target::Chat(chat) => {
            api.needs(Feature::Chats)?;
            if api.node.chats.get(&chat).is_none() {
                return Err(Problem::new(ErrorCode::NotFound, "Chat not found."));
            }
            Ok(messages_channel(&chat))
        }
        Target::Everyone => named(EVERYONE.into()).map(Some),
    }
}

fn check_names(event: Option<&str>, user: Option<&str>, name: Option<&str>) -> Result<(), Problem> {
    for (what, text, check) in [
        ("event", event, check_event as fn(&str) -> Result<(), InvalidName>),
        ("user id", user, check_user),
        ("name", name, check_name),
    ] {
        if let Some(Err(wrong)) = text.map(check) {
            return Err(invalid(&format!("Invalid {what}: {wrong}.")));
        }
    }
    Ok(())
}

/// Clients parse messages as frames, whose nesting depth is limited: deeper data must not get into a log.
fn check_depth(data: &Payload) -> Result<(), Problem> {
    // Around it are the frame and the batch.
    strict::check(data.text(), MAX_DEPTH - 2)
        .map_err(|flaw| Problem::new(ErrorCode::InvalidPayload, format!("Invalid data: {flaw}.")))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= MAX_KEY_BYTES => Ok(Some(key)),
        _ => Err(invalid(&format!(
            "Invalid Idempotency-Key: must be 1 to {MAX_KEY_BYTES} visible ASCII characters."
        ))),
    }
}

pub(super) fn invalid(message: &str) -> Problem {
    Problem::new(ErrorCode::InvalidFrame, message)
}
