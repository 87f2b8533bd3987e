//! Chats: the requests that create them and change their members, and the frames that keep a user's list of chats up to
//! date. A chat's log is the channel `private-chat.{id}`; `presence-chat.{id}` lists who has it open.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Message, Status, ids, safe_integer, words};

/// The role of a user in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May do everything: send, invite, remove, rename, set roles, delete messages of others.
    Owner,
    /// May read, send and invite.
    Member,
    /// May read.
    ReadOnly,
    /// May join or decline; not a member yet.
    Invited,
}

/// The kind of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Any number of members, with a title.
    Group,
    /// Two users: there is one such chat per pair.
    Direct,
}

/// A participant of a chat, possibly invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatMember {
    /// The id of the user.
    pub user: String,
    /// The name that others see, if the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// The role.
    pub role: Role,
    /// The online status.
    pub status: Status,
    /// When the user was last online, in ms since 1970, if offline. Absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
    /// The offset up to which messages were delivered to one of the user's clients.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// The offset up to which the user has read.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
}

/// A chat as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chat {
    /// The id of the chat: `private-chat.{id}` is its log.
    pub id: String,
    /// Group or direct.
    pub kind: ChatKind,
    /// The title; absent for direct chats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation.
    pub open: bool,
    /// The role of the receiving user.
    pub role: Role,
    /// The members in the order in which they joined: the first 100 at most, and fewer if they exceed 16 KiB.
    /// `list_chat_members` lists all.
    pub members: Vec<ChatMember>,
    /// The number of participants, the invited included.
    pub member_count: u32,
    /// The offset up to which the receiving user has read.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
    /// The last offset of the chat's log.
    #[serde(deserialize_with = "safe_integer::required")]
    pub head: u64,
    /// The number of unread messages of others, at most 1000.
    pub unread: u32,
    /// The last plain message, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last: Option<Message>,
    /// The time of the last activity, in ms since 1970.
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
}

/// Creates a chat, or finds the direct chat of two users. Answered with `done` and the chat. The request is idempotent,
/// because its id is the id of a new group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct CreateChat {
    /// The id of this request, and of the group that it creates.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// Group or direct.
    #[serde(deserialize_with = "words::required")]
    pub kind: ChatKind,
    /// The title, 1 to 128 bytes. For groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation. For groups; false by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub open: Option<bool>,
    /// The users to invite to a group, at most 100; or the other user of a direct chat, who becomes a member immediately.
    pub users: Vec<String>,
}

/// Invites a user. For owners and members of groups. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Invite {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The id of the user.
    pub user: String,
    /// The role after joining; `member` by default. Only owners invite owners.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "words::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub role: Option<Role>,
}

/// Accepts an invitation, or joins an open chat. Answered with `done` and the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct JoinChat {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
}

/// Leaves a chat, or declines an invitation. When its last owner leaves, the longest-standing member becomes owner.
/// Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct LeaveChat {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
}

/// Removes a member from a chat, or withdraws an invitation. For owners. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RemoveMember {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The id of the user.
    pub user: String,
}

/// Renames a group. For owners. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RenameChat {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The title, 1 to 128 bytes.
    pub title: String,
}

/// Changes the role of a member. For owners; a chat keeps at least one owner. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SetRole {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The id of the user.
    pub user: String,
    /// The role, any but `invited`.
    #[serde(deserialize_with = "words::required")]
    pub role: Role,
}

/// Requests the user's chats, sorted by id: the order does not change while pages are requested. Answered with `chats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ListChats {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// Only chats after this id; by default from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub after: Option<String>,
    /// The maximum number: 1 to 100, by default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub limit: Option<u32>,
}

/// Answers `list_chats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Chats {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chats, sorted by id.
    pub chats: Vec<Chat>,
    /// There are more, after this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub next: Option<String>,
}

/// Requests the members of a chat, by user id. Answered with `chat_members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ListChatMembers {
    /// The id of this request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// Only users after this one; by default from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub after: Option<String>,
}

/// Answers `list_chat_members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatMembers {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The participants, by user id.
    pub members: Vec<ChatMember>,
    /// There are more, after this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub next: Option<String>,
}

/// The request was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Done {
    /// The id of the request.
    #[serde(deserialize_with = "ids::required")]
    pub id: Uuid,
    /// The chat, if the request created or joined one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chat: Option<Chat>,
}

/// A chat of the user is new, or has changed in something other than messages and receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatChanged {
    /// The user's `private-user.{id}`.
    pub channel: Channel,
    /// The current state of the chat.
    pub chat: Chat,
}

/// The user is no longer in this chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatGone {
    /// The user's `private-user.{id}`.
    pub channel: Channel,
    /// The chat's id.
    pub chat: String,
}

/// A new message in one of the user's chats. For connections that are subscribed to `private-user.{id}` but not to the chat
/// itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Activity {
    /// The message. Not an entry of a subscription: it does not change the position.
    pub message: Message,
}
