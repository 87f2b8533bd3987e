//! Standard events: payloads that every application understands, under fixed event names. They are the `data` of `send`,
//! `message` and `signal`; names that begin with `everwire.` are reserved for the server.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{Payload, Role};

/// The prefix of event names that are reserved for servers.
pub const SERVER_EVENTS: &str = "everwire.";

/// The event of a [`ChatChange`].
pub const CHAT_EVENT: &str = "everwire.chat";

/// The event of [`ErasedEntries`].
pub const ERASED_EVENT: &str = "everwire.erased";

/// The priority of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Can wait.
    Low,
    /// The default.
    Normal,
    /// Should be seen immediately.
    High,
}

/// The usual `data` of a plain message in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Text {
    /// The text.
    pub text: String,
}

/// The event `notification`: informs a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Notification {
    /// The title, a few words.
    pub title: String,
    /// The message, a sentence or two.
    pub message: String,
    /// The priority; `normal` by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub priority: Option<Priority>,
    /// A link to more information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub url: Option<String>,
}

/// The event `data_update`: the application's data has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct DataUpdate {
    /// The kind of entity, such as `order`.
    pub entity: String,
    /// The change, such as `created`, `updated` or `deleted`.
    pub action: String,
    /// The entity, or the changed parts.
    pub data: Payload,
}

/// The event `status_update`: the status of a part of the system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StatusUpdate {
    /// The part, such as `payments`.
    pub system: String,
    /// The status, such as `ok`, `degraded` or `down`.
    pub status: String,
    /// The message for humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub message: Option<String>,
}

/// The event `user_activity`: an activity of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct UserActivity {
    /// The id of the user.
    pub user: String,
    /// The activity, such as `editing invoice 7`.
    pub activity: String,
}

/// A change of a chat's membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatAction {
    /// The chat was created.
    Created,
    /// A user was invited.
    Invited,
    /// A user became a member.
    Joined,
    /// A user left, or declined an invitation.
    Left,
    /// A user was removed.
    Removed,
    /// The chat was renamed.
    Renamed,
    /// The role of a member was changed.
    RoleSet,
}

/// The event `everwire.chat` in a chat's log: its `user` is the author of the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatChange {
    /// The change.
    pub action: ChatAction,
    /// The user concerned, if any.
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

/// The event `everwire.erased`: the user who had sent some entries of the log was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ErasedEntries {
    /// The offsets of these entries, which have neither data nor an author any more. They have been deleted like other messages.
    #[cfg_attr(feature = "generate", ts(type = "number[]"))]
    pub offsets: alloc::vec::Vec<u64>,
}

/// The standard events by name, with the data that `channel.on("event:…")` delivers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct StandardEvents {
    /// Informs a user.
    pub notification: Notification,
    /// The application's data has changed.
    pub data_update: DataUpdate,
    /// The status of a part of the system.
    pub status_update: StatusUpdate,
    /// An activity of a user.
    pub user_activity: UserActivity,
    /// A change of a chat's membership. Made by the server.
    #[serde(rename = "everwire.chat")]
    pub chat: ChatChange,
    /// The user who had sent some entries was erased. Made by the server.
    #[serde(rename = "everwire.erased")]
    pub erased: ErasedEntries,
}
