//! Pages of a channel's log.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Message, ids, safe_integer};

/// Requests a page of a channel's log: the entries before or after an offset, or the latest. Answered with `history_page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct History {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// Only entries before this offset, the latest ones.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub before: Option<u64>,
    /// Only entries after this offset, the earliest ones. Not together with `before`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub after: Option<u64>,
    /// The maximum number: 1 to 200, by default 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub limit: Option<u32>,
}

/// Answers `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct HistoryPage {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The epoch of the offsets.
    pub epoch: String,
    /// The entries by rising offset, without holes. Not entries of a subscription: they do not change the position.
    pub messages: Vec<Message>,
    /// Whether there are more in the requested direction.
    pub more: bool,
}
