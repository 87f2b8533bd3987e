//! Whether users are online, away or offline.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, safe_integer};

/// Whether a user can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Somebody is at one of the user's connections.
    Online,
    /// All of the user's connections are idle, or the user says so.
    Away,
    /// There is no connection, or the user wants to look as if there were none.
    Offline,
}

/// What a user says about the own status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StatusChoice {
    /// By what the connections do: the default.
    Auto,
    /// Online whenever there is a connection, however idle.
    Online,
    /// Away whenever there is a connection.
    Away,
    /// Offline, whatever connections there are.
    Offline,
}

/// A user's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserStatus {
    /// The id of the user.
    pub user: String,
    /// The status.
    pub status: Status,
    /// When the user was last online, in ms since 1970, for a user who is offline. Absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
}

/// Whether nobody is at this connection now. Holds until the next `idle` or the end of the connection. Not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Idle {
    /// Whether the user is idle.
    pub idle: bool,
}

/// What the user says about the own status, for all connections, until it is said otherwise. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SetStatus {
    /// Names this request.
    pub id: Uuid,
    /// The status.
    pub status: StatusChoice,
}

/// A user's status has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StatusChanged {
    /// Through which channel this was learnt: `presence-users`, or `private-user.{id}` about users of one's chats.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// The status.
    pub status: Status,
    /// When the user was last online, in ms since 1970, if now offline.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
}

/// Asks how users can be reached. Answered with `statuses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct GetStatus {
    /// Names this request.
    pub id: Uuid,
    /// Whom, 100 at most.
    pub users: Vec<String>,
}

/// Answers `get_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Statuses {
    /// The request that this answers.
    pub id: Uuid,
    /// One for each user that was asked about; users that nobody has heard of are offline.
    pub statuses: Vec<UserStatus>,
}
