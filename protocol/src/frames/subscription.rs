//! Starting, resuming and ending a subscription, and the gaps that recovery can leave.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{Channel, Chat, ErrorCode, Member, UserReceipt, safe_integer};

/// Starts, or after a reconnect resumes, receiving a channel. Answered with `subscribed`, or with
/// `unsubscribed` if it is refused.
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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
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

/// Answers `subscribe`. The frames after `offset` follow, in order and without a hole: first the replay up to `head`,
/// then whatever comes. Sent again, unasked, if the log of a running subscription is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Subscribed {
    /// The channel.
    pub channel: Channel,
    /// Names the log: offsets mean nothing outside it.
    pub epoch: String,
    /// What follows begins at `offset + 1`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub offset: u64,
    /// The last offset in the log when this was said.
    #[serde(deserialize_with = "safe_integer::required")]
    pub head: u64,
    /// Present when something that the client had not seen is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub gap: Option<Gap>,
    /// Who is here, for presence channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub members: Option<Vec<Member>>,
    /// How far the channel was received and read, where that is kept: by all members of a chat, 100 at most and the
    /// user's own among them; by the user alone in other channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub receipts: Option<Vec<UserReceipt>>,
    /// The user's chats with the latest activity, 100 at most: with `private-user.{id}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chats: Option<Vec<Chat>>,
}

/// Frames that can no longer be had, said aloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Gap {
    /// The first offset that is missing. In another epoch than `to` if the reason is `epoch`.
    #[serde(deserialize_with = "safe_integer::required")]
    pub from: u64,
    /// The last offset that is missing.
    #[serde(deserialize_with = "safe_integer::required")]
    pub to: u64,
    /// The reason.
    pub reason: GapReason,
}

/// Why frames can no longer be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The log no longer reaches back that far.
    Trimmed,
    /// The log was replaced by a new one.
    Epoch,
    /// More was missed than this server replays.
    TooFar,
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
    #[cfg_attr(feature = "generate", ts(optional))]
    pub code: Option<ErrorCode>,
    /// The message for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub message: Option<String>,
    /// The reason is temporary: subscribe again after this time, in ms. Absent if the reason is permanent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub retry_after_ms: Option<u32>,
}
