//! Durable messages: sending one, its acknowledgement, and the entry of the log that subscribers receive.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Payload, ids, safe_integer, words};

/// A durable message for a channel's log. Answered with `ack` once it is on disk, or with an `error` carrying its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Send {
    /// A UUID of version 7, created once and kept across resends, reconnects and reloads: copies are stored once.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The event name, 1 to 100 bytes; absent for a plain message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub event: Option<String>,
    /// The application's JSON, at most 32 KiB.
    pub data: Payload,
    /// The action on another message of the channel. Requires `target`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "words::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub action: Option<Action>,
    /// The id of that message.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub target: Option<Uuid>,
}

/// An action on an earlier message of the same channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Replies to it.
    Reply,
    /// Replaces its data. Only for its sender.
    Edit,
    /// Deletes it; `data` is null. For its sender, and for the owners of a chat.
    Delete,
}

/// Confirms that a `send` is on disk. Every copy of the same id gets the same ack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ack {
    /// The id of the `send`.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The offset.
    #[serde(deserialize_with = "safe_integer::required")]
    pub offset: u64,
    /// When it was stored, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
}

/// Who deleted a message, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deleted {
    /// The user; empty for a back end.
    pub user: String,
    /// When, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
}

/// One entry of a channel's log. Durable: offsets are contiguous within an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// The channel.
    pub channel: Channel,
    /// The offset, from 1.
    #[serde(deserialize_with = "safe_integer::required")]
    pub offset: u64,
    /// The sender's id for it.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The sender.
    pub user: String,
    /// The sender's name at that time, if the server knew one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// When it was stored, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
    /// The event name; absent for a plain message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub event: Option<String>,
    /// The data.
    pub data: Payload,
    /// The action on another message of the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub action: Option<Action>,
    /// The id of that message.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub target: Option<Uuid>,
    /// Present once the message was deleted; `data` is then null. So is that of its edits, which have this field too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub deleted: Option<Deleted>,
}
