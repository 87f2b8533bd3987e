//! Chats: the requests that create them and change their members, and the frames that keep a user's list of chats up to
//! date. A chat's log is the channel `private-chat.{id}`; `presence-chat.{id}` lists who has it open.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Channel, Message, Status, safe_integer};

/// What a user may do in a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything: send, invite, remove, rename, give roles, delete what others wrote.
    Owner,
    /// Read, send and invite.
    Member,
    /// Read.
    ReadOnly,
    /// Nothing yet but to join or to decline: not a member.
    Invited,
}

/// What a chat is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Any number of members, with a title.
    Group,
    /// Two users, found by who they are: there is one such chat for each pair.
    Direct,
}

/// Somebody in a chat, invited ones included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChatMember {
    /// The id of the user.
    pub user: String,
    /// The name that others see, where the server knows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they can be reached.
    pub status: Status,
    /// When they were last online, in ms since 1970, if they are offline. Absent if never.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last_seen: Option<u64>,
    /// What has arrived at one of their clients, as an offset of the chat's log.
    #[serde(deserialize_with = "safe_integer::required")]
    pub delivered: u64,
    /// What they have read, as an offset of the chat's log.
    #[serde(deserialize_with = "safe_integer::required")]
    pub read: u64,
}

/// A chat as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Chat {
    /// Names the chat: `private-chat.{id}` is its log.
    pub id: String,
    /// Group or direct.
    pub kind: ChatKind,
    /// What it is called; absent for direct chats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation.
    pub open: bool,
    /// What the user who receives this may do.
    pub role: Role,
    /// Who is in it, in the order in which they came; 100 at most.
    pub members: Vec<ChatMember>,
    /// How many are in it.
    pub member_count: u32,
    /// The last offset of the chat's log.
    #[serde(deserialize_with = "safe_integer::required")]
    pub head: u64,
    /// How many messages of others the user has not read; 1000 at most.
    pub unread: u32,
    /// The last plain message, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub last: Option<Message>,
    /// When something last happened in it, in ms since 1970.
    #[serde(deserialize_with = "safe_integer::required")]
    pub at: u64,
}

/// Makes a chat, or finds the direct chat of two users. Answered with `done` and the chat. The id makes a repetition
/// harmless: it names the new chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct CreateChat {
    /// Names this request and the chat that it makes.
    pub id: Uuid,
    /// Group or direct.
    pub kind: ChatKind,
    /// What it is to be called, 1 to 128 bytes. For groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation. For groups; false if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub open: Option<bool>,
    /// Who is invited to a group, 100 at most; or the other user of a direct chat, who is a member at once.
    pub users: Vec<String>,
}

/// Invites a user. For owners and members of groups. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Invite {
    /// Names this request.
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The id of the user.
    pub user: String,
    /// What they will be; `member` if absent. Only owners invite owners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub role: Option<Role>,
}

/// Accepts an invitation, or enters an open chat. Answered with `done` and the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct JoinChat {
    /// Names this request.
    pub id: Uuid,
    /// The chat.
    pub chat: String,
}

/// Leaves a chat, or declines an invitation. When its last owner leaves, the member who has been there longest becomes
/// owner. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct LeaveChat {
    /// Names this request.
    pub id: Uuid,
    /// The chat.
    pub chat: String,
}

/// Takes somebody out of a chat, or takes back an invitation. For owners. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RemoveMember {
    /// Names this request.
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The id of the user.
    pub user: String,
}

/// Gives a group another title. For owners. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct RenameChat {
    /// Names this request.
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// 1 to 128 bytes.
    pub title: String,
}

/// Gives a member another role. For owners; a chat keeps one owner at least. Answered with `done`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct SetRole {
    /// Names this request.
    pub id: Uuid,
    /// The chat.
    pub chat: String,
    /// The id of the user.
    pub user: String,
    /// Any but `invited`.
    pub role: Role,
}

/// Asks for one's own chats, those with the latest activity first. Answered with `chats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ListChats {
    /// Names this request.
    pub id: Uuid,
    /// Only chats whose `at` is below this.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "safe_integer::optional")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub before: Option<u64>,
    /// How many at most: 1 to 100, 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub limit: Option<u32>,
}

/// Answers `list_chats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Chats {
    /// The request that this answers.
    pub id: Uuid,
    /// The chats, those with the latest activity first.
    pub chats: Vec<Chat>,
    /// Whether there are more.
    pub more: bool,
}

/// What was asked for is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Done {
    /// The request that this answers.
    pub id: Uuid,
    /// The chat, if the request made or entered one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "generate", ts(optional))]
    pub chat: Option<Chat>,
}

/// One of the user's chats is new, or something besides its messages and receipts has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatChanged {
    /// The user's `private-user.{id}`.
    pub channel: Channel,
    /// The chat as it is now.
    pub chat: Chat,
}

/// The user is in this chat no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct ChatGone {
    /// The user's `private-user.{id}`.
    pub channel: Channel,
    /// The chat's id.
    pub chat: String,
}

/// There is a new message in one of the user's chats. For connections that are subscribed to `private-user.{id}` and not to
/// the chat itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "generate", derive(ts_rs::TS, schemars::JsonSchema))]
pub struct Activity {
    /// The message. Not an entry of a subscription: no position moves.
    pub message: Message,
}
