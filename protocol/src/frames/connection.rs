//! The connection: `hello` and `welcome`, polls, pings, errors and the end.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Code, ids, objects, safe_integer};

/// Opens a connection: the first frame on every WebSocket, and of every HTTP request. The first batch of a WebSocket also
/// contains all subscriptions, so that a reconnect costs one round trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Hello {
    /// The protocol version in which the client begins: 1.
    pub version: u32,
    /// All versions that the client speaks; absent if `version` is the only one. The client in a browser speaks one version and knows
    /// no extension: it does not download what writes these two lists.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub versions: Option<Vec<u32>>,
    /// The extensions of the protocol that the client knows. The profiles need not be named.
    #[cfg(not(target_arch = "wasm32"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub features: Option<Vec<String>>,
    /// The id of this client instance across transports and reconnects. Bound to the first user that uses it.
    #[serde(deserialize_with = "ids::required")]
    pub session: Uuid,
    /// The user's token. Over HTTP it is in the header `Authorization: Bearer …` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub token: Option<String>,
    /// The user, if the server accepts guests (development only).
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "objects::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub guest: Option<Guest>,
    /// The client library and its version, for the server's log: `everwire-js/0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub client: Option<String>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Hello {
    /// Whether the client speaks a version.
    pub fn speaks(&self, version: u32) -> bool {
        self.versions.as_ref().map_or(self.version == version, |versions| versions.contains(&version))
    }
}

/// A guest. Accepted by development servers only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Guest {
    /// The user id, 1 to 128 bytes. The application keeps it across reloads if the guest is to remain the same user.
    pub user: String,
    /// The name that others see, 1 to 128 bytes.
    pub name: String,
}

/// Accepts `hello`. Only `error` and `goaway` may be sent on a connection before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Welcome {
    /// The protocol version that both sides will use.
    pub version: u32,
    /// What the server has beyond the core: the names of profiles, and of extensions that the client knows.
    pub features: Vec<String>,
    /// The session of `hello`.
    #[serde(deserialize_with = "ids::required")]
    pub session: Uuid,
    /// The id of this connection, which polls carry.
    #[serde(deserialize_with = "ids::required")]
    pub connection: Uuid,
    /// The current run of the server's store, opaque: another one begins whenever the store is opened. Clients return it with
    /// their positions, so that the server detects those from a history that it does not have.
    pub run: String,
    /// The id of the user.
    pub user: String,
    /// The name that others see, if the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The server's clock, in ms since 1970.
    #[serde(deserialize_with = "safe_integer::required")]
    pub server_time: u64,
    /// The ping interval of this server, in ms.
    pub ping_interval_ms: u32,
    /// How long this server holds a poll, in ms; 0 if it cannot, and is then polled every 5 s.
    pub hold_ms: u32,
    /// The time until the token expires, in ms; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub token_expires_in_ms: Option<u64>,
    /// The limits of this server.
    pub limits: Limits,
}

/// The limits of a server for its clients. Never above the limits of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Maximum size of the `data` of a `send`, in bytes of JSON.
    pub payload_bytes: u32,
    /// Maximum size of a batch, in bytes of JSON.
    pub batch_bytes: u32,
    /// Maximum frames in one batch.
    pub batch_frames: u32,
    /// Maximum subscriptions of one session.
    pub subscriptions: u32,
    /// Maximum sends of one user per minute; absent if unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub sends_per_minute: Option<u32>,
    /// Maximum characters (Unicode scalar values) of a message that is a string, or that has a field `text`; absent if
    /// unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub text_characters: Option<u32>,
}

/// Replaces the token of an open connection before it expires. It must be for the same user. Answered with
/// [`TokenAccepted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Token {
    /// The new token.
    pub token: String,
}

/// Requests waiting frames over HTTP: the request is held until there are some, or until `hold_ms` is over. The `subscribe`
/// frames in the same batch are the complete set of the client's subscriptions with their positions, which is all that
/// another server needs to continue the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Poll {
    /// The connection of the last `welcome`; absent in the first poll. A server that does not know it answers with a new
    /// `welcome`, and resumes from the positions.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub connection: Option<Uuid>,
    /// `seq` of the last received response; 0 if there is none. A lost response is sent again.
    #[serde(deserialize_with = "safe_integer::required")]
    pub ack: u64,
    /// How long the server may hold the request, in ms.
    pub hold_ms: u32,
}

/// Answers [`Token`]: the server uses the new one. Also among the frames of a polling connection when the header of a poll has
/// brought another token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct TokenAccepted {
    /// The time until the new token expires, in ms; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub expires_in_ms: Option<u64>,
}

/// The first frame of every response to a `poll` that has frames of the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Polled {
    /// Counts the responses of this connection from 1; the next poll acknowledges it.
    #[serde(deserialize_with = "safe_integer::required")]
    pub seq: u64,
    /// The connection whose response this is: an intermediary may repeat one of an earlier connection.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub connection: Option<Uuid>,
}

/// Checks that the other side is alive; answered with [`Pong`] with the same nonce. Either side may send it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ping {
    /// Chosen by the sender to match the answer; optional.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub nonce: Option<u32>,
}

/// Answers [`Ping`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Pong {
    /// The nonce of the ping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub nonce: Option<u32>,
}

/// The server will close this connection: reconnect after `delay_ms` plus a random part of `spread_ms`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Goaway {
    /// The minimum delay, in ms.
    pub delay_ms: u32,
    /// The time over which clients spread their reconnects, in ms.
    pub spread_ms: u32,
    /// The reason, for humans.
    pub reason: String,
}

/// Ends this session for good: its user leaves without a grace period. Not answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Bye {}

/// Something was refused. With an `id` it answers that `send` or request; without one it is about another frame, or about
/// the connection. It never ends a subscription: `unsubscribed` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Error {
    /// The error code.
    #[cfg_attr(
        feature = "generate",
        ts(type = "ErrorCode | (string & {})"),
        schemars(with = "crate::ErrorCode")
    )]
    pub code: Code,
    /// The message for humans: what happened, and what to do.
    pub message: String,
    /// Whether the same operation can succeed later.
    pub retry: bool,
    /// The `send` or request that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub id: Option<Uuid>,
    /// The sends and requests of a batch that was refused as a whole, as far as they could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "ids::list")]
    #[cfg_attr(
        feature = "generate",
        ts(optional, as = "Option<Vec<Uuid>>"),
        schemars(with = "Option<Vec<Uuid>>")
    )]
    pub ids: Vec<Uuid>,
    /// The type of the frame that was refused, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub re: Option<String>,
    /// The channel that this is about, for information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub channel: Option<Channel>,
    /// The earliest time for a retry, in ms from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub retry_after_ms: Option<u32>,
    /// The protocol versions that the server speaks, if it speaks none of the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub versions: Option<Vec<u32>>,
}
