//! The online status of users.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, ids, safe_integer, words};

/// The online status of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The user is active on a connection.
    Online,
    /// All of the user's connections are idle, or the user has chosen this.
    Away,
    /// There is no connection, or the user has chosen to appear offline.
    Offline,
}

/// The status that a user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StatusChoice {
    /// Derived from the connections: the default.
    Auto,
    /// Online whenever there is a connection, even if idle.
    Online,
    /// Away whenever there is a connection.
    Away,
    /// Offline, regardless of connections.
    Offline,
}

/// The status of a user.
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

/// Whether this connection is idle. Holds until the next `idle` or the end of the connection. Not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Idle {
    /// Whether the user is idle.
    pub idle: bool,
}

/// Sets the user's status for all connections, until it is changed. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SetStatus {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The status.
    #[serde(deserialize_with = "words::required")]
    pub status: StatusChoice,
}

/// A user's status or name has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StatusChanged {
    /// The channel of this update: `presence-users`, or `private-user.{id}` for users in the same chats.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// The new name, if it has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The status.
    pub status: Status,
    /// When the user was last online, in ms since 1970, if offline now.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
}

/// Requests the status of users. Answered with `statuses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct GetStatus {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The users, at most 100.
    pub users: Vec<String>,
}

/// Answers `get_status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Statuses {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// One for each requested user; unknown users are offline.
    pub statuses: Vec<UserStatus>,
}
