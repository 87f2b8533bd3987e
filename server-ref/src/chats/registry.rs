//! All chats in memory, for the lookups that every frame needs. Changed only by the commit loop, after the change is on disk;
//! so it has the state that applies to the next append.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use everwire_protocol::{Channel, ChatKind, Role, channels::chat_of};
use parking_lot::{RwLock, RwLockReadGuard};

use crate::model::chat::ChatRecord;

/// All chats of this node.
#[derive(Debug, Default)]
pub struct ChatRegistry {
    chats: RwLock<Chats>,
}

#[derive(Debug, Default)]
struct Chats {
    by_id: BTreeMap<Arc<str>, ChatRecord>,
    /// The role of each user in each of the user's chats.
    by_user: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Role>>,
}

impl ChatRegistry {
    /// A registry of these chats.
    pub fn of(chats: impl IntoIterator<Item = ChatRecord>) -> Self {
        let registry = Self::default();
        for chat in chats {
            registry.put(chat);
        }
        registry
    }

    fn read(&self) -> RwLockReadGuard<'_, Chats> {
        self.chats.read()
    }

    /// The chat with this id.
    pub fn get(&self, chat: &str) -> Option<ChatRecord> {
        self.read().by_id.get(chat).cloned()
    }

    /// The role of a user in a chat.
    pub fn role(&self, chat: &str, user: &str) -> Option<Role> {
        self.read().by_user.get(user)?.get(chat).copied()
    }

    /// The role of a user in the chat that a channel belongs to.
    pub fn role_in(&self, channel: &Channel, user: &str) -> Option<Role> {
        self.role(chat_of(channel)?, user)
    }

    /// Whether a channel belongs to a direct chat that one of its two users has left.
    pub fn is_left(&self, channel: &Channel) -> bool {
        let chats = self.read();
        let chat = chat_of(channel).and_then(|chat| chats.by_id.get(chat));
        chat.is_some_and(|chat| chat.room.kind == ChatKind::Direct && chat.room.participants.len() < 2)
    }

    /// The chats that a user is in or invited to, by id.
    pub fn of_user(&self, user: &str) -> Vec<ChatRecord> {
        self.of_user_after(user, None, usize::MAX)
    }

    /// At most `most` of them, from the first or after an id.
    pub fn of_user_after(&self, user: &str, after: Option<&str>, most: usize) -> Vec<ChatRecord> {
        let chats = self.read();
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let ids = chats.by_user.get(user).into_iter().flat_map(|of| of.range::<str, _>(range));
        ids.filter_map(|(id, _)| chats.by_id.get(id).cloned()).take(most).collect()
    }

    /// The ids of the chats that a user is in or invited to, with the user's role.
    pub fn roles_of(&self, user: &str) -> Vec<(Arc<str>, Role)> {
        let chats = self.read();
        let roles = chats.by_user.get(user).into_iter().flatten();
        roles.map(|(id, role)| (id.clone(), *role)).collect()
    }

    /// The users who are in a chat with this one, and the user. Invitations do not count.
    pub fn companions(&self, user: &str) -> BTreeSet<Arc<str>> {
        let chats = self.read();
        let roles = chats.by_user.get(user).into_iter().flatten();
        let shared =
            roles.filter(|(_, role)| **role != Role::Invited).filter_map(|(id, _)| chats.by_id.get(id));
        let members = shared.flat_map(|chat| &chat.room.participants).filter(|other| other.is_member());
        members.map(|other| other.user.clone()).chain([user.into()]).collect()
    }

    /// The number of chats that a user is in, and of those that a user is only invited to.
    pub fn numbers_of(&self, user: &str) -> (usize, usize) {
        let chats = self.read();
        let Some(roles) = chats.by_user.get(user) else { return (0, 0) };
        let invited = roles.values().filter(|role| **role == Role::Invited).count();
        (roles.len() - invited, invited)
    }

    /// How many chats there are.
    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Whether there are no chats.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds or replaces a chat.
    pub fn put(&self, chat: ChatRecord) {
        let mut chats = self.chats.write();
        let Chats { by_id, by_user } = &mut *chats;
        let id = chat.room.id.clone();
        if let Some(before) = by_id.get(&id) {
            let now: BTreeSet<&str> = chat.room.participants.iter().map(|p| &*p.user).collect();
            for gone in before.room.participants.iter().filter(|p| !now.contains(&*p.user)) {
                if let Some(roles) = by_user.get_mut(&gone.user) {
                    roles.remove(&id);
                    if roles.is_empty() {
                        by_user.remove(&gone.user);
                    }
                }
            }
        }
        for participant in &chat.room.participants {
            by_user.entry(participant.user.clone()).or_default().insert(id.clone(), participant.role);
        }
        by_id.insert(id, chat);
    }

    /// Removes a chat that was deleted.
    pub fn remove(&self, chat: &str) {
        let mut chats = self.chats.write();
        let Some(known) = chats.by_id.remove(chat) else { return };
        for participant in &known.room.participants {
            if let Some(roles) = chats.by_user.get_mut(&participant.user) {
                roles.remove(chat);
                if roles.is_empty() {
                    chats.by_user.remove(&participant.user);
                }
            }
        }
    }

    /// Records activity in a chat. Times never go back.
    pub fn touch(&self, chat: &str, at: u64) {
        let mut chats = self.chats.write();
        if let Some(chat) = chats.by_id.get_mut(chat) {
            chat.at = chat.at.max(at);
        }
    }
}
