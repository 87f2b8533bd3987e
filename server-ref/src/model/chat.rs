//! One chat and its participants.

use std::sync::Arc;

use everwire_protocol::{Channel, ChatKind, Role, channels::messages_channel};

/// A participant of a chat, possibly invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// The id of the user.
    pub user: Arc<str>,
    /// The name that others see, if known.
    pub name: Option<Arc<str>>,
    /// The role.
    pub role: Role,
    /// The role of an invited user after joining. For all others the same as `role`.
    pub becomes: Role,
    /// When the user joined or was invited, in ms since 1970.
    pub since: u64,
    /// Who has invited a user who has not answered yet; `None` if it was a back end.
    pub invited_by: Option<Arc<str>>,
}

impl Participant {
    /// Whether the user is a member, not only invited.
    pub fn is_member(&self) -> bool {
        self.role != Role::Invited
    }
}

/// One chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The id of the chat.
    pub id: Arc<str>,
    /// Group or direct.
    pub kind: ChatKind,
    /// The title of a group.
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation.
    pub open: bool,
    /// When it was created, in ms since 1970.
    pub created_at: u64,
    /// The participants in the order in which they joined.
    pub participants: Vec<Participant>,
}

impl Room {
    /// The participant with this id.
    pub fn participant(&self, user: &str) -> Option<&Participant> {
        self.participants.iter().find(|participant| &*participant.user == user)
    }

    /// The role of a user; `None` for a user who is not a participant.
    pub fn role(&self, user: &str) -> Option<Role> {
        self.participant(user).map(|participant| participant.role)
    }

    /// The members, without the invited.
    pub fn members(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter().filter(|participant| participant.is_member())
    }

    /// The channel of the chat's log.
    pub fn log(&self) -> Option<Channel> {
        messages_channel(&self.id)
    }
}

/// A chat, and the time of its last activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRecord {
    /// The chat. Cheap to clone.
    pub room: Arc<Room>,
    /// The time of the last message or change, in ms since 1970.
    pub at: u64,
}

impl ChatRecord {
    /// The time of the last activity that a user may see: for an invited user, the invitation.
    pub fn at_for(&self, user: &str) -> u64 {
        match self.room.participant(user) {
            Some(participant) if !participant.is_member() => participant.since,
            _ => self.at,
        }
    }
}
