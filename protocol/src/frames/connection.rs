//! Connecting, staying connected and parting: `hello` and `welcome`, polls, signs of life, errors.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, ErrorCode, safe_integer};

/// Opens a connection: the first frame on every WebSocket, and of every HTTP request. A WebSocket's first batch holds
/// all subscriptions too, so that a reconnect costs one round trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Hello {
    /// The protocol version that the client speaks: [`crate::VERSION`].
    pub version: u32,
    /// Names this client instance across transports and reconnects. Bound to the first user that uses it.
    pub session: Uuid,
    /// Who is speaking. Over HTTP it travels in the header `Authorization: Bearer …` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub token: Option<String>,
    /// Who is speaking, where the server lets guests name themselves (development only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub guest: Option<Guest>,
    /// The client library and its version, for the server's log: `everwire-js/0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub client: Option<String>,
}

/// A user who names himself. Accepted by development servers only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Guest {
    /// The user id, 1 to 128 bytes. Kept across reloads by the application if the guest is to stay the same user.
    pub user: String,
    /// The name that others see, 1 to 128 bytes.
    pub name: String,
}

/// Accepts `hello`. Nothing else is sent on a connection before it, except an `error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Welcome {
    /// The protocol version that both sides will use.
    pub version: u32,
    /// The session of `hello`.
    pub session: Uuid,
    /// Names this connection; polls carry it.
    pub connection: Uuid,
    /// Who the server takes the client for.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The server's clock, in ms since 1970.
    #[serde(deserialize_with = "safe_integer::required")]
    pub server_time: u64,
    /// The longest silence to expect from this server, in ms.
    pub ping_interval_ms: u32,
    /// How long this server holds a poll, in ms; 0 if it cannot, and is then polled every 5 s.
    pub hold_ms: u32,
    /// How long until the token expires, in ms; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub token_expires_in_ms: Option<u64>,
    /// What this server accepts.
    pub limits: Limits,
}

/// What a server accepts from a client. Never above the limits of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Largest `data` of one `send`, in bytes of JSON text.
    pub payload_bytes: u32,
    /// Largest batch, in bytes of JSON text.
    pub batch_bytes: u32,
    /// Most frames in one batch.
    pub batch_frames: u32,
    /// Most subscriptions of one session.
    pub subscriptions: u32,
    /// Most sends of one user in a minute; absent where there is no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub sends_per_minute: Option<u32>,
    /// Most characters (Unicode scalar values) of a message that is a text, or that has a field `text`; absent where
    /// there is no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub text_characters: Option<u32>,
}

/// Replaces the token of a running connection before it expires. It must be for the same user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Token {
    /// The new token.
    pub token: String,
}

/// Asks for what is waiting, over HTTP: the request is held until there is something, or until `hold_ms` is over. The
/// `subscribe` frames in the same batch are the whole set of the client's subscriptions with their positions, which is
/// all that a server which has never met this session needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Poll {
    /// The connection that the last `welcome` named; absent in the first poll. A server that does not know it answers
    /// with a new `welcome`, and resumes from the positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub connection: Option<Uuid>,
    /// `seq` of the last poll response that arrived; 0 if none did. A response that was lost is sent again.
    #[serde(deserialize_with = "safe_integer::required")]
    pub ack: u64,
    /// How long the server may hold the request, in ms.
    pub hold_ms: u32,
}

/// Opens every response to a `poll`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Polled {
    /// Counts the responses of this connection from 1; the next poll acknowledges it.
    #[serde(deserialize_with = "safe_integer::required")]
    pub seq: u64,
}

/// Asks the other side for a sign of life; answered with [`Pong`] carrying the same nonce. Either side may send it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ping {
    /// Chosen by the sender so that it can tell which ping was answered; absent when it does not care.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub nonce: Option<u32>,
}

/// Answers [`Ping`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Pong {
    /// The nonce of the ping that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub nonce: Option<u32>,
}

/// The server will close this connection: come back after `delay_ms` plus a random part of `spread_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Goaway {
    /// The least time to wait, in ms.
    pub delay_ms: u32,
    /// The time over which clients spread their return, in ms.
    pub spread_ms: u32,
    /// Why, for a person.
    pub reason: String,
}

/// Says that this session is over for good: no grace before its user leaves. Not answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Bye {}

/// Something was refused. With an `id` it answers that `send` or request; without one it is about another frame, or about
/// the connection. It never ends a subscription: `unsubscribed` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Error {
    /// From the one list of codes.
    pub code: ErrorCode,
    /// What happened and what to do, for a person.
    pub message: String,
    /// Whether the same thing, tried again later, can succeed.
    pub retry: bool,
    /// The `send` or request that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub id: Option<Uuid>,
    /// The channel that this is about, for information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub channel: Option<Channel>,
    /// When to try again at the earliest, in ms from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub retry_after_ms: Option<u32>,
}
