//! Commands: the changes of chats that can be requested, and who requests them. [`super::rules`] decides about them.

use std::sync::Arc;

use everwire_protocol::{ChatKind, Role, Uuid};

use super::direct_id;

/// The author of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in user.
    User {
        /// The id of the user.
        user: Arc<str>,
        /// The name that others see.
        name: Option<Arc<str>>,
    },
    /// A back end of the application, which may do everything that keeps a chat valid.
    BackEnd,
}

impl Actor {
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Self::User { user, .. } => Some(user),
            Self::BackEnd => None,
        }
    }
}

/// A user to add to a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The id of the user.
    pub user: Arc<str>,
    /// The name that others see, if known.
    pub name: Option<Arc<str>>,
    /// The role. `None`: member, or owner for the first member of a group without another owner.
    pub role: Option<Role>,
}

/// A change that is requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A new chat. Its id is [`Command::chat_made`].
    Create {
        /// The id of the request, and of the chat if it is a group.
        id: Uuid,
        /// Group or direct.
        kind: ChatKind,
        /// The title of a group.
        title: Option<String>,
        /// Whether any user may join the group.
        open: bool,
        /// The other participants: invited if a user creates the group, members if a back end does. The other user of a
        /// direct chat (both, if a back end creates it) is a member immediately.
        users: Vec<Newcomer>,
    },
    /// Invites a user.
    Invite {
        /// The id of the user.
        user: Arc<str>,
        /// The name that others see, if known.
        name: Option<Arc<str>>,
        /// The role after joining.
        role: Role,
    },
    /// Adds a user without an invitation. For back ends.
    Add(Newcomer),
    /// Accepts an invitation, or joins an open chat.
    Join,
    /// Leaves, or declines an invitation.
    Leave,
    /// Removes a participant.
    Remove {
        /// The id of the user.
        user: Arc<str>,
    },
    /// Renames a group.
    Rename {
        /// The title.
        title: String,
    },
    /// Changes the role of a member.
    SetRole {
        /// The id of the user.
        user: Arc<str>,
        /// The role.
        role: Role,
    },
}

impl Command {
    /// The users whom it brings into a chat.
    pub fn newcomers(&self) -> impl Iterator<Item = &str> {
        let (many, one) = match self {
            Self::Create { users, .. } => (&**users, None),
            Self::Add(newcomer) => (std::slice::from_ref(newcomer), None),
            Self::Invite { user, .. } => (&[][..], Some(&**user)),
            Self::Join | Self::Leave | Self::Remove { .. } | Self::Rename { .. } | Self::SetRole { .. } => {
                (&[][..], None)
            }
        };
        many.iter().map(|newcomer| &*newcomer.user).chain(one)
    }

    /// The chat that this command of `actor` makes; `None` if it makes none, or names the wrong users for a direct chat.
    pub fn chat_made(&self, actor: &Actor) -> Option<Uuid> {
        let Self::Create { id, kind, users, .. } = self else { return None };
        match (kind, actor, &users[..]) {
            (ChatKind::Group, ..) => Some(*id),
            (ChatKind::Direct, Actor::User { user, .. }, [other]) => Some(direct_id(user, &other.user)),
            (ChatKind::Direct, Actor::BackEnd, [a, b]) => Some(direct_id(&a.user, &b.user)),
            (ChatKind::Direct, ..) => None,
        }
    }
}
