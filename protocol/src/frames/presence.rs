//! The members of presence channels.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Status, ids};

/// A member of a presence channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The id of the user.
    pub user: String,
    /// The name that others see, if the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The online status, only in `presence-users`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub status: Option<Status>,
}

/// A user has joined a presence channel: sent once per user, regardless of the number of tabs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MemberJoined {
    /// The channel.
    pub channel: Channel,
    /// The user who joined.
    pub member: Member,
}

/// A user's last connection has left a presence channel, and the grace period is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct MemberLeft {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
}

/// Requests the members of a presence channel, by user id. Answered with `members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ListMembers {
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

/// Answers `list_members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Members {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The members, by user id.
    pub members: Vec<Member>,
    /// There are more, after this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub next: Option<String>,
}
