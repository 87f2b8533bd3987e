//! Paging through a channel's log.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Message, safe_integer};

/// Asks for a page of a channel's log: the entries before or after an offset, or the last ones. Answered with `page`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct History {
    /// Names this request.
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
    /// How many at most: 1 to 200, 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub limit: Option<u32>,
}

/// Answers `history`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct HistoryPage {
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
