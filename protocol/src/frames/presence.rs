//! Who is present in a channel.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{Channel, Status};

/// Somebody who is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The user's id.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// Whether the member can be reached; absent outside of `presence-users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub status: Option<Status>,
}

/// A user has come to a presence channel: once per user, however many tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MemberJoined {
    /// The channel.
    pub channel: Channel,
    /// The user who joined.
    pub member: Member,
}

/// A user's last connection has left a presence channel, and the grace is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MemberLeft {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
}
