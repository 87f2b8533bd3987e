//! Payloads that every application understands, under event names of their own. They travel as the `data` of `send`,
//! `message` and `signal`; `everwire.…` names are the server's.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{Payload, Role};

/// Events whose names begin with this are made by servers only.
pub const SERVER_EVENTS: &str = "everwire.";

/// The event of a [`ChatChange`].
pub const CHAT_EVENT: &str = "everwire.chat";

/// How urgent a notification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// It can wait.
    Low,
    /// As usual.
    Normal,
    /// It should be seen at once.
    High,
}

/// The usual `data` of a plain message in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Text {
    /// What was written.
    pub text: String,
}

/// The event `notification`: something that a user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Notification {
    /// In a few words.
    pub title: String,
    /// In a sentence or two.
    pub message: String,
    /// How urgent; `normal` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub priority: Option<Priority>,
    /// Where to find more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub url: Option<String>,
}

/// The event `data_update`: something in the application's data has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct DataUpdate {
    /// What kind of thing, such as `order`.
    pub entity: String,
    /// What happened to it, such as `created`, `updated` or `deleted`.
    pub action: String,
    /// The thing, or what changed in it.
    pub data: Payload,
}

/// The event `status_update`: how a part of the system is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StatusUpdate {
    /// Which part, such as `payments`.
    pub system: String,
    /// How it is, such as `ok`, `degraded` or `down`.
    pub status: String,
    /// The message for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub message: Option<String>,
}

/// The event `user_activity`: what somebody does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UserActivity {
    /// The id of the user.
    pub user: String,
    /// What, such as `editing invoice 7`.
    pub activity: String,
}

/// What happened to a chat's membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatAction {
    /// The chat was made.
    Created,
    /// A user was invited.
    Invited,
    /// A user became a member.
    Joined,
    /// A user left, or declined.
    Left,
    /// A user was taken out.
    Removed,
    /// The chat has another title.
    Renamed,
    /// A member has another role.
    RoleSet,
}

/// The event `everwire.chat` in a chat's log: its `user` is who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatChange {
    /// What happened.
    pub action: ChatAction,
    /// Whom it concerns, where it concerns somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub user: Option<String>,
    /// The name that others see of that user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub title: Option<String>,
    /// The new role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub role: Option<Role>,
}

/// The events that every application understands, by their names: what `channel.on("event:…")` gives for each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StandardEvents {
    /// Something that a user should know.
    pub notification: Notification,
    /// Something in the application's data has changed.
    pub data_update: DataUpdate,
    /// How a part of the system is.
    pub status_update: StatusUpdate,
    /// What somebody does.
    pub user_activity: UserActivity,
    /// What happened to a chat's membership. Made by the server.
    #[serde(rename = "everwire.chat")]
    pub chat: ChatChange,
}
