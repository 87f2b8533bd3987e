//! What a client says.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Channel, CreateChat, Invite, JoinChat, LeaveChat, ListChats, Payload, Ping, Pong, RemoveMember,
    RenameChat, SetRole, StatusChoice, batch::frames, whole,
};

frames! {
    /// Everything that a client may send.
    pub enum ClientFrame {
        "hello" => Hello,
        "token" => Token,
        "subscribe" => Subscribe,
        "unsubscribe" => Unsubscribe,
        "send" => Send,
        "poll" => Poll,
        "ping" => Ping,
        "pong" => Pong,
        "bye" => Bye,
        "typing" => Typing,
        "signal" => Signal,
        "receipt" => Receipt,
        "idle" => Idle,
        "set_status" => SetStatus,
        "get_status" => GetStatus,
        "history" => History,
        "list_chats" => ListChats,
        "create_chat" => CreateChat,
        "invite" => Invite,
        "join_chat" => JoinChat,
        "leave_chat" => LeaveChat,
        "remove_member" => RemoveMember,
        "rename_chat" => RenameChat,
        "set_role" => SetRole,
    }
}

frames! {
    /// What a client's core says of its own accord: those of [`ClientFrame`] whose time it decides on. The others are
    /// questions of the application, which a client may write wherever it has them at hand. An enum of its own,
    /// because a browser downloads the writer of every frame in it.
    pub enum CoreFrame {
        "hello" => Hello,
        "token" => Token,
        "subscribe" => Subscribe,
        "unsubscribe" => Unsubscribe,
        "poll" => Poll,
        "ping" => Ping,
        "pong" => Pong,
        "bye" => Bye,
        "typing" => Typing,
        "receipt" => Receipt,
    }
}

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

/// Replaces the token of a running connection before it expires. It must be for the same user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Token {
    /// The new token.
    pub token: String,
}

/// Starts, or after a reconnect resumes, receiving a channel. Answered with `subscribed` or with an `error` that
/// names the channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Subscribe {
    /// The channel.
    pub channel: Channel,
    /// The log that `offset` counts in. Given together with `offset`, or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub epoch: Option<String>,
    /// The last offset that the client has: the server replays what came after it. 0 asks for the whole log.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub offset: Option<u64>,
    /// For a first subscription: how many of the latest messages to replay, 500 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub recent: Option<u32>,
    /// For a first subscription: begin after what has been delivered to this user, on whatever device (see `receipt`).
    /// `recent` counts where nothing has been delivered yet, except in `private-user.{id}`: all of it is undelivered then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub undelivered: Option<bool>,
}

/// Stops receiving a channel. Answered with `unsubscribed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Unsubscribe {
    /// The channel.
    pub channel: Channel,
}

/// A durable message for a channel's log. Answered with `ack` once it is on disk, or with an `error` carrying its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Send {
    /// A UUID of version 7, minted once and kept across resends, reconnects and reloads: copies are stored once.
    pub id: Uuid,
    /// Where it goes.
    pub channel: Channel,
    /// The application's name for what this is, 1 to 100 bytes; absent for a plain message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub event: Option<String>,
    /// The application's own JSON, 32 KiB at most.
    pub data: Payload,
    /// What this does to another message of the channel. Given together with `target`, or not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub action: Option<Action>,
    /// The id of that message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub target: Option<Uuid>,
}

/// What a message does to an earlier one of the same channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Answers it.
    Reply,
    /// Replaces its data. Only for who sent it.
    Edit,
    /// Takes it back; `data` is null. For who sent it, and for the owners of a chat.
    Delete,
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
    #[serde(deserialize_with = "whole::required")]
    pub ack: u64,
    /// How long the server may hold the request, in ms.
    pub hold_ms: u32,
}

/// Says that this session is over for good: no grace before its user leaves. Not answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Bye {}

/// Somebody is typing, or no longer. Ephemeral: not answered, and gone when missed. Receivers take it back by themselves
/// 6 s after they last heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Typing {
    /// The channel.
    pub channel: Channel,
    /// Whether.
    pub typing: bool,
}

/// An event that is gone when missed, for those who are subscribed now. Not answered; what is
/// not allowed is dropped, with an `error` whose sentence says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Signal {
    /// The channel.
    pub channel: Channel,
    /// The application's name for what this is, 1 to 100 bytes.
    pub event: String,
    /// The application's own JSON, 32 KiB at most.
    pub data: Payload,
    /// Only for this connection of those that are subscribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub to: Option<Uuid>,
}

/// How far the user has received and read a channel. A mark below the one that is known changes nothing. Answered with
/// `receipt`, which the user's other connections get too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Receipt {
    /// The channel.
    pub channel: Channel,
    /// The log whose offsets these are. Marks of another log than the present one change nothing.
    pub epoch: String,
    /// Everything up to this offset has arrived; 0 says nothing.
    #[serde(deserialize_with = "whole::required")]
    pub delivered: u64,
    /// Everything up to this offset has been read; 0 says nothing.
    #[serde(deserialize_with = "whole::required")]
    pub read: u64,
}

/// Whether nobody is at this connection now. Holds until the next `idle` or the end of the connection. Not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Idle {
    /// Whether.
    pub idle: bool,
}

/// What the user says about the own status, for all connections, until it is said otherwise. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SetStatus {
    /// Names this request.
    pub id: Uuid,
    /// The status.
    pub status: StatusChoice,
}

/// Asks how users can be reached. Answered with `statuses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct GetStatus {
    /// Names this request.
    pub id: Uuid,
    /// Whom, 100 at most.
    pub users: Vec<String>,
}

/// Asks for a page of a channel's log: the entries before or after an offset, or the last ones. Answered with `page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct History {
    /// Names this request.
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// Only entries before this offset, the latest ones.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub before: Option<u64>,
    /// Only entries after this offset, the earliest ones. Not together with `before`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub after: Option<u64>,
    /// How many at most: 1 to 200, 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub limit: Option<u32>,
}
