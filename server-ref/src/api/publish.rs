//! What back ends say: to a channel, a user, a chat, a connection or everyone, stored or not.

use std::sync::Arc;

use axum::{Json, extract::State, http::HeaderMap};
use everwire_protocol::{
    Channel, ClientFrame, ErrorCode, Payload, Send, ServerFrame, Signalled, Uuid, batch,
    channels::{EVERYONE, PRESENCE_USERS, USER_PREFIX, messages_channel},
    limits::{MAX_EVENT_BYTES, MAX_NAME_BYTES},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Answered, Api, Problem, body::JsonBody, extractors::BackEnd};
use crate::{
    connection::check_payload,
    model::{
        broadcast::Broadcast,
        log::{NewEntry, Outcome, SendPermission},
    },
};

/// The header that makes a repetition harmless.
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest such key in bytes.
const MAX_KEY_BYTES: usize = 256;

/// Makes ids from idempotency keys: a random number, once and for all.
const KEYS: Uuid = Uuid::from_u128(0x0fd5_3bb1_77c4_4c8e_9d0a_86a0_5f4e_21d9);

/// Something to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Publish {
    /// To whom.
    to: Target,
    /// The application's name for what this is, 1 to 100 bytes; absent for a plain message. What is not stored needs one.
    #[schema(nullable = false)]
    event: Option<String>,
    /// The application's own JSON, 32 KiB at most.
    data: Payload,
    /// The user in whose name this is said. If absent, the `user` of the message is empty: the server said it.
    #[schema(nullable = false)]
    user: Option<String>,
    /// The name of that user, for others to see.
    #[schema(nullable = false)]
    name: Option<String>,
    /// Whether it is stored, and so reaches those who are offline now. True if absent, except to a connection, which has
    /// no log.
    #[schema(nullable = false)]
    durable: Option<bool>,
}

/// To whom something is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    /// A channel.
    Channel(Channel),
    /// A user: the channel `private-user.{id}`.
    User(String),
    /// A chat: the channel `private-chat.{id}`.
    Chat(String),
    /// One connection, whatever it is subscribed to.
    Connection(Uuid),
    /// All users: the channel `everyone`.
    Everyone,
}

/// What was said.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Published {
    /// Names the message.
    id: Uuid,
    /// Where it went; absent for a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    channel: Option<Channel>,
    /// Its place in the channel's log; absent if it was not stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    offset: Option<u64>,
    /// When it was stored or passed on, in ms since 1970.
    at: u64,
    /// How many connections it was passed on to; absent if it was stored, for then it waits for all who will come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    receivers: Option<usize>,
}

/// Publish to a channel, a user, a chat, a connection or everyone.
#[utoipa::path(
    post, path = "/publish", operation_id = "publish", tag = "back end", security(("api_key" = [])),
    params(("Idempotency-Key" = Option<String>, Header,
            description = "A repetition with the same key within 24 hours gets the same answer, and nothing is stored again.")),
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
    check_depth(id, &data)?;
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
            permission: SendPermission::Granted,
        };
        return store(&api, entry).await.map(Json);
    }
    if key.is_some() {
        return Err(invalid("Idempotency-Key is only for stored messages: omit it."));
    }
    let Some(event) = event else {
        return Err(invalid("`event` is required when `durable` is false."));
    };
    let at = api.node.now_ms();
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

async fn store(api: &Api, entry: NewEntry) -> Result<Published, Problem> {
    let (id, channel) = (entry.id, entry.channel.clone());
    match api.node.commits.store(entry).await {
        Some(Outcome::Stored(place) | Outcome::Copy(place)) => Ok(Published {
            id,
            channel: Some(channel),
            offset: Some(place.offset),
            at: place.at,
            receivers: None,
        }),
        Some(Outcome::IdReused) => {
            let words =
                "This Idempotency-Key was used before for another channel. Use a new key for every message.";
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
        Target::User(user) if user.is_empty() => Err(invalid("Invalid user id: must not be empty.")),
        Target::User(user) => named(format!("{USER_PREFIX}{user}")).map(Some),
        Target::Chat(chat) => {
            if api.node.chats.get(&chat).is_none() {
                return Err(Problem::new(ErrorCode::NotFound, "Chat not found."));
            }
            Ok(messages_channel(&chat))
        }
        Target::Everyone => named(EVERYONE.into()).map(Some),
    }
}

fn check_names(event: Option<&str>, user: Option<&str>, name: Option<&str>) -> Result<(), Problem> {
    let fits =
        |text: Option<&str>, most: usize| text.is_none_or(|text| !text.is_empty() && text.len() <= most);
    if !fits(event, MAX_EVENT_BYTES) {
        return Err(invalid(&format!("Invalid event: must be 1 to {MAX_EVENT_BYTES} bytes.")));
    }
    if !fits(user, MAX_NAME_BYTES) || !fits(name, MAX_NAME_BYTES) {
        return Err(invalid(&format!("Invalid user: id and name must be 1 to {MAX_NAME_BYTES} bytes each.")));
    }
    Ok(())
}

/// Clients read messages as frames, whose nesting has a bound: what is beyond must not get into a log.
fn check_depth(id: Uuid, data: &Payload) -> Result<(), Problem> {
    let Ok(channel) = EVERYONE.parse() else { return Err(Problem::of(ErrorCode::Internal)) };
    let frame = Send { id, channel, event: None, data: data.clone(), action: None, target: None };
    let text = batch::encode(&[ClientFrame::Send(frame)]);
    let bounds = batch::Bounds { bytes: usize::MAX, ..batch::Bounds::default() };
    match batch::decode::<ClientFrame>(&text, &bounds) {
        Ok(_) => Ok(()),
        Err(error) => Err(Problem::new(ErrorCode::InvalidPayload, format!("Invalid data: {error}."))),
    }
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
