//! Read and delivery receipts: how far each user has received and read a channel.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{Channel, safe_integer};

/// How far the user has received and read a channel. A mark below the one that is known changes nothing. Answered with
/// `receipt`, which the user's other connections get too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Mark {
    /// The channel.
    pub channel: Channel,
    /// The log whose offsets these are. Marks of another log than the present one change nothing.
    pub epoch: String,
    /// Everything up to this offset has arrived; 0 says nothing.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset has been read; 0 says nothing.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
}

/// How far somebody has received and read a channel now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Receipt {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// Everything up to this offset has arrived at one of the user's clients.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset has been read.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
    /// How many messages of others remain unread, 1000 at most: with the user's own only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub unread: Option<u32>,
}

/// How far a user has received and read a channel: high-water marks, which only ever rise within one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserReceipt {
    /// Whose.
    pub user: String,
    /// Everything up to this offset has arrived at one of the user's clients.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset has been read. Never above `delivered`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
}
