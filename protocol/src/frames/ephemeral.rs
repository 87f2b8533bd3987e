//! Typing notifications and signals: never stored, never repeated.

use alloc::string::String;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Payload, ids, safe_integer};

/// The user is typing, or no longer. Ephemeral: not answered, and lost if missed. For receivers it expires 6 s after the last
/// announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Typing {
    /// The channel.
    pub channel: Channel,
    /// Whether the user is typing.
    pub typing: bool,
}

/// Another user is typing, or no longer. Not sent to the user's own connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UserTyping {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// The name that others see, if the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// Whether the user is typing.
    pub typing: bool,
}

/// An ephemeral event for the current subscribers. Not answered; if it is refused, it is dropped and an `error` names the
/// reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Signal {
    /// The channel.
    pub channel: Channel,
    /// The event name, 1 to 100 bytes.
    pub event: String,
    /// The application's JSON, at most 32 KiB.
    pub data: Payload,
    /// Only for this connection, if it is subscribed.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub to: Option<Uuid>,
}

/// An ephemeral event. Not sent to the connection that sent it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Signalled {
    /// The channel; absent if it is for this connection, regardless of its subscriptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub channel: Option<Channel>,
    /// The event name.
    pub event: String,
    /// The data.
    pub data: Payload,
    /// The sender; absent if a back end sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub user: Option<String>,
    /// The sender's name, if the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The connection that sent it, to reply with `to`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "ids::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub from: Option<Uuid>,
    /// The time, in ms since 1970 by the server's clock.
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
}
