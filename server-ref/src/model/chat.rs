//! One chat and who is in it.

use std::sync::Arc;

use everwire_protocol::{Channel, ChatKind, Role, channels::messages_channel};

/// Somebody in a chat, invited ones included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The id of the user.
    pub user: Arc<str>,
    /// The name that others see, where it is known.
    pub name: Option<Arc<str>>,
    /// What they may do.
    pub role: Role,
    /// What an invited user becomes by joining. For all others the same as `role`.
    pub becomes: Role,
    /// When they came, or were invited, in ms since 1970.
    pub since: u64,
}

impl Participant {
    /// Whether they are in the chat, and not only invited.
    pub fn is_member(&self) -> bool {
        self.role != Role::Invited
    }
}

/// One chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Names the chat.
    pub id: Arc<str>,
    /// Group or direct.
    pub kind: ChatKind,
    /// What it is called, if it is a group.
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation.
    pub open: bool,
    /// When it was made, in ms since 1970.
    pub created_at: u64,
    /// Who is in it, in the order in which they came.
    pub participants: Vec<Participant>,
}

impl Room {
    /// What is known of a user in this chat.
    pub fn participant(&self, user: &str) -> Option<&Participant> {
        self.participants.iter().find(|participant| &*participant.user == user)
    }

    /// What a user may do; `None` for who has nothing to do with the chat.
    pub fn role(&self, user: &str) -> Option<Role> {
        self.participant(user).map(|participant| participant.role)
    }

    /// Who is in it and not only invited.
    pub fn members(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter().filter(|participant| participant.is_member())
    }

    /// The channel of the chat's log.
    pub fn log(&self) -> Option<Channel> {
        messages_channel(&self.id)
    }
}

/// A chat, and when something last happened in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRecord {
    /// The chat. Cheap to clone.
    pub room: Arc<Room>,
    /// When the last message came or the last change was made, in ms since 1970.
    pub at: u64,
}

impl ChatRecord {
    /// When something last happened that a user may know of: to who is only invited, the invitation is all.
    pub fn at_for(&self, user: &str) -> u64 {
        match self.room.participant(user) {
            Some(participant) if !participant.is_member() => participant.since,
            _ => self.at,
        }
    }
}
