//! What a server says.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, ErrorCode, Payload, Ping, Pong, batch::frames, whole};

frames! {
    /// Everything that a server may send.
    pub enum ServerFrame {
        "welcome" => Welcome,
        "subscribed" => Subscribed,
        "unsubscribed" => Unsubscribed,
        "message" => Message,
        "ack" => Ack,
        "error" => Error,
        "joined" => Joined,
        "left" => Left,
        "polled" => Polled,
        "ping" => Ping,
        "pong" => Pong,
        "goaway" => Goaway,
    }
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
    #[serde(deserialize_with = "whole::required")]
    pub server_time: u64,
    /// The longest silence to expect from this server, in ms.
    pub ping_interval_ms: u32,
    /// How long this server holds a poll, in ms; 0 if it cannot, and is then polled every 5 s.
    pub hold_ms: u32,
    /// How long until the token expires, in ms; absent when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub token_expires_in_ms: Option<u64>,
    /// What this server accepts.
    pub limits: Limits,
}

/// What a server accepts from a client. Never above the limits of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Limits {
    /// Largest `data` of one `send`, in bytes of JSON text.
    pub payload_bytes: u32,
    /// Largest batch, in bytes of JSON text.
    pub batch_bytes: u32,
    /// Most frames in one batch.
    pub batch_frames: u32,
    /// Most subscriptions of one session.
    pub subscriptions: u32,
}

/// Answers `subscribe`. The frames after `offset` follow, in order and without a hole: first the replay up to `head`,
/// then whatever comes. Sent again, unasked, if the log of a running subscription is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Subscribed {
    /// The channel.
    pub channel: Channel,
    /// Names the log: offsets mean nothing outside it.
    pub epoch: String,
    /// What follows begins at `offset + 1`.
    #[serde(deserialize_with = "whole::required")]
    pub offset: u64,
    /// The last offset in the log when this was said.
    #[serde(deserialize_with = "whole::required")]
    pub head: u64,
    /// Present when something that the client had not seen is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub gap: Option<Gap>,
    /// Who is here, for presence channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub members: Option<Vec<Member>>,
}

/// Frames that can no longer be had, said aloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Gap {
    /// The first offset that is missing. In another epoch than `to` if the reason is `epoch`.
    #[serde(deserialize_with = "whole::required")]
    pub from: u64,
    /// The last offset that is missing.
    #[serde(deserialize_with = "whole::required")]
    pub to: u64,
    /// Why.
    pub reason: GapReason,
}

/// Why frames can no longer be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The log no longer reaches back that far.
    Trimmed,
    /// The log was replaced by a new one.
    Epoch,
    /// More was missed than this server replays.
    TooFar,
}

/// A subscription has ended: as asked (no code), or because the server ended it (a code, and a sentence).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Unsubscribed {
    /// The channel.
    pub channel: Channel,
    /// Why the server ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub code: Option<ErrorCode>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub message: Option<String>,
}

/// One entry of a channel's log. Durable: offsets are contiguous within an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Message {
    /// The channel.
    pub channel: Channel,
    /// Its place in the log, from 1.
    #[serde(deserialize_with = "whole::required")]
    pub offset: u64,
    /// The id that its sender gave it.
    pub id: Uuid,
    /// Who sent it.
    pub user: String,
    /// The sender's name at that time, where the server knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// When it was stored, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "whole::required")]
    pub at: u64,
    /// The application's name for what this is; absent for a plain message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub event: Option<String>,
    /// What was sent.
    pub data: Payload,
}

/// A `send` is on disk. Every copy of the same id gets the same ack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ack {
    /// The id of the `send`.
    pub id: Uuid,
    /// Where it was stored.
    pub channel: Channel,
    /// Its place in the log.
    #[serde(deserialize_with = "whole::required")]
    pub offset: u64,
    /// When it was stored, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "whole::required")]
    pub at: u64,
}

/// Something was refused. What it answers is in `id` or `channel`; with neither, it concerns the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema), ts(rename = "ErrorFrame"))]
pub struct Error {
    /// From the one list of codes.
    pub code: ErrorCode,
    /// What happened and what to do, for a person.
    pub message: String,
    /// Whether the same thing, tried again later, can succeed.
    pub retry: bool,
    /// The `send` that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub id: Option<Uuid>,
    /// The channel that this concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub channel: Option<Channel>,
    /// When to try again at the earliest, in ms from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub retry_after_ms: Option<u32>,
}

/// Somebody who is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Member {
    /// The user's id.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
}

/// A user has come to a presence channel: once per user, however many tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Joined {
    /// The channel.
    pub channel: Channel,
    /// Who.
    pub member: Member,
}

/// A user's last connection has left a presence channel, and the grace is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Left {
    /// The channel.
    pub channel: Channel,
    /// Who.
    pub user: String,
}

/// Opens every response to a `poll`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Polled {
    /// Counts the responses of this connection from 1; the next poll acknowledges it.
    #[serde(deserialize_with = "whole::required")]
    pub seq: u64,
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
