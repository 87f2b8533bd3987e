//! What is known about people: whether they are online, and how far they have received and read a channel.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::whole;

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
    /// Who.
    pub user: String,
    /// The status.
    pub status: Status,
    /// When the user was last online, in ms since 1970, for a user who is offline. Absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
}

/// How far a user has received and read a channel: high-water marks, which only ever rise within one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mark {
    /// Whose.
    pub user: String,
    /// Everything up to this offset has arrived at one of the user's clients.
    #[serde(deserialize_with = "whole::required")]
    pub delivered: u64,
    /// Everything up to this offset has been read. Never above `delivered`.
    #[serde(deserialize_with = "whole::required")]
    pub read: u64,
}
