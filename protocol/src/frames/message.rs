//! Durable messages: sending one, its acknowledgement, and the entry of the log that subscribers receive.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Payload, safe_integer};

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

/// A `send` is on disk. Every copy of the same id gets the same ack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Ack {
    /// The id of the `send`.
    pub id: Uuid,
    /// Where it was stored.
    pub channel: Channel,
    /// Its place in the log.
    #[serde(deserialize_with = "safe_integer::required")]
    pub offset: u64,
    /// When it was stored, in ms since 1970 by the server's clock.
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
    /// Its place in the log, from 1.
    #[serde(deserialize_with = "safe_integer::required")]
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
    #[serde(deserialize_with = "safe_integer::required")]
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
