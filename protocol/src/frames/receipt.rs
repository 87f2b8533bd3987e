//! Read and delivery receipts: how far each user has received and read a channel.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, ids, safe_integer};

/// How far the user has received and read a channel. A lower mark than the current one changes nothing. Answered with
/// `receipt`, which the user's other connections receive too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Mark {
    /// The channel.
    pub channel: Channel,
    /// The epoch of the offsets. Marks of another log than the current one change nothing.
    pub epoch: String,
    /// Everything up to this offset was delivered; 0: unchanged.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset was read; 0: unchanged.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
    /// The run of the position from which this was marked, as in `subscribe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub run: Option<String>,
}

/// How far a user has now received and read a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Receipt {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// Everything up to this offset was delivered to one of the user's clients.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset was read.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
    /// The number of unread messages of others, at most 1000; only in the user's own receipts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub unread: Option<u32>,
}

/// How far a user has received and read a channel: high-water marks, which only rise within an epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserReceipt {
    /// The id of the user.
    pub user: String,
    /// Everything up to this offset was delivered to one of the user's clients.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset was read. Never above `delivered`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
}

/// How far the receiving user has received and read a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct OwnMark {
    /// Everything up to this offset was delivered to one of the user's clients.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// Everything up to this offset was read. Never above `delivered`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
}

/// Requests the marks of a channel, as in `subscribed`, by user id. Answered with `receipts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ListReceipts {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// Only users after this one; by default from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub after: Option<String>,
}

/// Answers `list_receipts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Receipts {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The marks, by user id.
    pub receipts: Vec<UserReceipt>,
    /// There are more, after this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub next: Option<String>,
}
