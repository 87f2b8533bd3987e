//! What a server says.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Action, Channel, Chat, ErrorCode, Mark, Payload, Ping, Pong, Status, UserStatus, batch::frames, whole,
};

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
        "typing" => Typed,
        "signal" => Signalled,
        "receipt" => Receipted,
        "status" => StatusChanged,
        "activity" => Activity,
        "chat" => ChatChanged,
        "chat_gone" => ChatGone,
        "done" => Done,
        "page" => Page,
        "chats" => Chats,
        "statuses" => Statuses,
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
    /// How far the channel was received and read, where that is kept: by all members of a chat, 100 at most and the
    /// user's own among them; by the user alone in other channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub receipts: Option<Vec<Mark>>,
    /// The user's chats with the latest activity, 100 at most: with `private-user.{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chats: Option<Vec<Chat>>,
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What this does to another message of the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub action: Option<Action>,
    /// The id of that message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub target: Option<Uuid>,
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The user's id.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// Whether the member can be reached; absent outside of `presence-users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub status: Option<Status>,
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

/// Somebody is typing, or no longer. A user's own is not sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "generate",
    derive(ts_rs::TS, schemars::JsonSchema),
    ts(rename = "TypingFrame"),
    schemars(rename = "TypingFrame")
)]
pub struct Typed {
    /// The channel.
    pub channel: Channel,
    /// Who.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// Whether.
    pub typing: bool,
}

/// An event that is gone when missed. A connection does not get its own back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "generate",
    derive(ts_rs::TS, schemars::JsonSchema),
    ts(rename = "SignalFrame"),
    schemars(rename = "SignalFrame")
)]
pub struct Signalled {
    /// The channel; absent if it is for this connection, whatever it is subscribed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub channel: Option<Channel>,
    /// The application's name for what this is.
    pub event: String,
    /// What was sent.
    pub data: Payload,
    /// Who sent it; absent if a back end did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub user: Option<String>,
    /// The sender's name, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The connection that sent it, for an answer with `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub from: Option<Uuid>,
    /// When, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "whole::required")]
    pub at: u64,
}

/// How far somebody has received and read a channel now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "generate",
    derive(ts_rs::TS, schemars::JsonSchema),
    ts(rename = "ReceiptFrame"),
    schemars(rename = "ReceiptFrame")
)]
pub struct Receipted {
    /// The channel.
    pub channel: Channel,
    /// Who.
    pub user: String,
    /// Everything up to this offset has arrived at one of the user's clients.
    #[serde(deserialize_with = "whole::required")]
    pub delivered: u64,
    /// Everything up to this offset has been read.
    #[serde(deserialize_with = "whole::required")]
    pub read: u64,
    /// How many messages of others remain unread, 1000 at most: with the user's own only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub unread: Option<u32>,
}

/// A user's status has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "generate",
    derive(ts_rs::TS, schemars::JsonSchema),
    ts(rename = "StatusFrame"),
    schemars(rename = "StatusFrame")
)]
pub struct StatusChanged {
    /// Through which channel this was learnt: `presence-users`, or `private-user.{id}` about users of one's chats.
    pub channel: Channel,
    /// Who.
    pub user: String,
    /// The status.
    pub status: Status,
    /// When the user was last online, in ms since 1970, if now offline.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
}

/// There is a new message in one of the user's chats. For connections that are subscribed to `private-user.{id}` and not to
/// the chat itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Activity {
    /// The message. Not an entry of a subscription: no position moves.
    pub message: Message,
}

/// One of the user's chats is new, or something besides its messages and receipts has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "generate",
    derive(ts_rs::TS, schemars::JsonSchema),
    ts(rename = "ChatFrame"),
    schemars(rename = "ChatFrame")
)]
pub struct ChatChanged {
    /// The user's `private-user.{id}`.
    pub channel: Channel,
    /// The chat as it is now.
    pub chat: Chat,
}

/// The user is in this chat no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatGone {
    /// The user's `private-user.{id}`.
    pub channel: Channel,
    /// The chat's id.
    pub chat: String,
}

/// What was asked for is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Done {
    /// The request that this answers.
    pub id: Uuid,
    /// The chat, if the request made or entered one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chat: Option<Chat>,
}

/// Answers `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Page {
    /// The request that this answers.
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The log that the offsets count in.
    pub epoch: String,
    /// The entries, by rising offset and without a hole. Not entries of a subscription: no position moves.
    pub messages: Vec<Message>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
}

/// Answers `list_chats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Chats {
    /// The request that this answers.
    pub id: Uuid,
    /// The chats, those with the latest activity first.
    pub chats: Vec<Chat>,
    /// Whether there are more.
    pub more: bool,
}

/// Answers `get_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Statuses {
    /// The request that this answers.
    pub id: Uuid,
    /// One for each user that was asked about; users that nobody has heard of are offline.
    pub statuses: Vec<UserStatus>,
}
