//! Starting, resuming and ending a subscription, and the gaps that recovery can leave.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Deserializer, Serialize};

use crate::{Channel, Chat, Code, Member, OwnMark, UserReceipt, safe_integer};

/// Starts, or after a reconnect resumes, receiving a channel. Answered with `subscribed`, or with
/// `unsubscribed` if it is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Subscribe {
    /// The channel.
    pub channel: Channel,
    /// The epoch of `offset`. Requires `offset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub epoch: Option<String>,
    /// The last offset that the client has: the server replays later entries. 0 requests the whole log.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub offset: Option<u64>,
    /// The `run` of the last `welcome` on whose connection the position was confirmed or has moved. Without it the server
    /// cannot detect that its database was restored since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub run: Option<String>,
    /// For a first subscription: how many of the latest entries to replay, at most 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub recent: Option<u32>,
    /// For a first subscription: start after the last entry that was delivered to this user on any device (see `receipt`).
    /// `recent` applies if nothing has been delivered yet, except in `private-user.{id}`: everything is undelivered then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub undelivered: Option<bool>,
}

/// Answers `subscribe`. The entries after `offset` follow, in order and without holes: first the replay up to `head`,
/// then new ones. Sent again if the log of an active subscription is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Subscribed {
    /// The channel.
    pub channel: Channel,
    /// The epoch of the log: offsets are only meaningful within it.
    pub epoch: String,
    /// The following entries begin at `offset + 1`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub offset: u64,
    /// The last offset in the log at that time.
    #[serde(deserialize_with = "safe_integer::required")]
    pub head: u64,
    /// Present if entries that the client has not received can no longer be recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub gap: Option<Gap>,
    /// The members, for presence channels, by user id: the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub members: Option<Vec<Member>>,
    /// There are more members: `list_members` continues after this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub members_next: Option<String>,
    /// The user's own mark, where marks are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub own_mark: Option<OwnMark>,
    /// The marks, where they are kept: in chats of up to 100 people those of all members, by user id, the first page; of the
    /// user only in other channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub receipts: Option<Vec<UserReceipt>>,
    /// There are more marks: `list_receipts` continues after this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub receipts_next: Option<String>,
    /// The user's chats with the latest activity, in `private-user.{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chats: Option<Vec<Chat>>,
    /// Whether the user has more chats, which `list_chats` lists; false if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chats_more: Option<bool>,
}

/// Entries that can no longer be recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Gap {
    /// The first missing offset. In another log than `to` if the reason is `epoch`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub from: u64,
    /// The last missing offset.
    #[serde(deserialize_with = "safe_integer::required")]
    pub to: u64,
    /// The reason.
    #[cfg_attr(feature = "generate", ts(type = "GapReason | (string & {})"))]
    pub reason: GapReason,
}

/// Why entries can no longer be recovered. Newer servers may have further reasons, which are read as `trimmed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The log no longer reaches back that far.
    Trimmed,
    /// This is not the log that the client knows: it was replaced, or the database was restored from a copy.
    Epoch,
    /// More entries were missed than this server replays.
    TooFar,
}

impl<'de> Deserialize<'de> for GapReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match String::deserialize(deserializer)?.as_str() {
            "epoch" => Self::Epoch,
            "too_far" => Self::TooFar,
            _ => Self::Trimmed,
        })
    }
}

/// Stops receiving a channel. Answered with `unsubscribed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Unsubscribe {
    /// The channel.
    pub channel: Channel,
}

/// A subscription has ended, or did not start. Without a code it answers `unsubscribe`; with one the server refused the
/// subscription or ended it. Nothing else ends a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Unsubscribed {
    /// The channel.
    pub channel: Channel,
    /// Why the server refused or ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "generate",
        ts(optional, type = "ErrorCode | (string & {})"),
        schemars(with = "Option<crate::ErrorCode>")
    )]
    pub code: Option<Code>,
    /// The message for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub message: Option<String>,
    /// The reason is temporary: subscribe again after this time, in ms. Absent if the reason is permanent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub retry_after_ms: Option<u32>,
}
