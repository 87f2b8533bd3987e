//! Typing notifications and signals: never stored, never repeated.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Payload, safe_integer};

/// Somebody is typing, or no longer. Ephemeral: not answered, and gone when missed. Receivers take it back by themselves
/// 6 s after they last heard of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Typing {
    /// The channel.
    pub channel: Channel,
    /// Whether the user is typing.
    pub typing: bool,
}

/// Somebody is typing, or no longer. A user's own is not sent back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UserTyping {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// Whether the user is typing.
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

/// An event that is gone when missed. A connection does not get its own back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
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
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
}
