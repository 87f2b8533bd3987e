//! All chats in memory: what is asked for with every frame is answered from here, at once. Changed by the writer only,
//! after the change is on disk; so whatever it says is what the next append is stored under.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use everwire_protocol::{Channel, Role, channels::chat_of};

use crate::model::chat::{ChatRecord, Participant};

/// All chats of this node.
#[derive(Debug, Default)]
pub struct ChatRegistry {
    chats: RwLock<Chats>,
}

#[derive(Debug, Default)]
struct Chats {
    by_id: BTreeMap<Arc<str>, ChatRecord>,
    by_user: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl ChatRegistry {
    /// A book of these chats.
    pub fn of(chats: impl IntoIterator<Item = ChatRecord>) -> Self {
        let book = Self::default();
        for known in chats {
            book.put(known);
        }
        book
    }

    fn read(&self) -> RwLockReadGuard<'_, Chats> {
        self.chats.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A chat.
    pub fn get(&self, chat: &str) -> Option<ChatRecord> {
        self.read().by_id.get(chat).cloned()
    }

    /// What a user may do in a chat.
    pub fn role(&self, chat: &str, user: &str) -> Option<Role> {
        self.read().by_id.get(chat).and_then(|known| known.room.role(user))
    }

    /// What a user may do in the chat that a channel belongs to.
    pub fn role_in(&self, channel: &Channel, user: &str) -> Option<Role> {
        self.role(chat_of(channel)?, user)
    }

    /// The chats that a user is in or invited to, in no order.
    pub fn of_user(&self, user: &str) -> Vec<ChatRecord> {
        let chats = self.read();
        let ids = chats.by_user.get(user).into_iter().flatten();
        ids.filter_map(|id| chats.by_id.get(id).cloned()).collect()
    }

    /// The users who have a chat in common with a user, without that user. An invitation is none.
    pub fn companions(&self, user: &str) -> BTreeSet<Arc<str>> {
        let chats = self.read();
        let ids = chats.by_user.get(user).into_iter().flatten();
        let rooms = ids.filter_map(|id| chats.by_id.get(id)).map(|known| &known.room);
        rooms
            .filter(|room| room.participant(user).is_some_and(Participant::is_member))
            .flat_map(|room| room.members().map(|member| member.user.clone()))
            .filter(|other| &**other != user)
            .collect()
    }

    /// How many chats there are.
    pub fn len(&self) -> usize {
        self.read().by_id.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes a chat in as it is now.
    pub fn put(&self, known: ChatRecord) {
        let mut chats = self.chats.write().unwrap_or_else(PoisonError::into_inner);
        let Chats { by_id, by_user } = &mut *chats;
        let id = known.room.id.clone();
        if let Some(before) = by_id.get(&id) {
            for gone in before.room.participants.iter().filter(|p| known.room.participant(&p.user).is_none())
            {
                if let Some(ids) = by_user.get_mut(&gone.user) {
                    ids.remove(&id);
                    if ids.is_empty() {
                        by_user.remove(&gone.user);
                    }
                }
            }
        }
        for participant in &known.room.participants {
            by_user.entry(participant.user.clone()).or_default().insert(id.clone());
        }
        by_id.insert(id, known);
    }

    /// Something happened in a chat. Times never go back.
    pub fn touch(&self, chat: &str, at: u64) {
        let mut chats = self.chats.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = chats.by_id.get_mut(chat) {
            known.at = known.at.max(at);
        }
    }
}
