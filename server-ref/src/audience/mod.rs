//! The audience of chats on this node: the users who have their own channel open, and who therefore receive updates of chats
//! that they do not have open. The cost of an update depends on them, not on the number of members.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};

use crate::model::chat::Room;

/// An index from chats to the users among their participants whose own channel is open.
#[derive(Debug, Default)]
pub struct Audience {
    index: Mutex<Index>,
}

#[derive(Debug, Default)]
struct Index {
    /// The users of each chat, and whether they are members, not only invited.
    by_chat: BTreeMap<Arc<str>, BTreeMap<Arc<str>, bool>>,
    /// The users whose own channel is open, with their chats.
    by_user: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl Audience {
    fn lock(&self) -> MutexGuard<'_, Index> {
        self.index.lock()
    }

    /// A connection has subscribed to its user's own channel. `chats` are the user's chats, and whether the user is a member
    /// or only invited.
    pub fn open(&self, user: &Arc<str>, chats: impl Iterator<Item = (Arc<str>, bool)>) {
        let mut index = self.lock();
        index.remove(user);
        index.by_user.insert(user.clone(), BTreeSet::new());
        for (chat, member) in chats {
            index.put(chat, user, member);
        }
    }

    /// A connection has left its user's own channel. `is_open` says whether another connection still has it open.
    pub fn close(&self, user: &str, is_open: impl FnOnce() -> bool) {
        let mut index = self.lock();
        // Checked under the lock: a connection that opens the channel now does so before it calls `open`.
        if !is_open() {
            index.remove(user);
        }
    }

    /// A chat has changed. `gone` are the users who are no longer in it.
    pub fn change(&self, room: &Room, gone: &[Arc<str>]) {
        let mut index = self.lock();
        for user in gone {
            index.take(&room.id, user);
        }
        for participant in &room.participants {
            if index.by_user.contains_key(&participant.user) {
                index.put(room.id.clone(), &participant.user, participant.is_member());
            }
        }
    }

    /// All users whose own channel is open.
    pub fn users(&self) -> Vec<Arc<str>> {
        self.lock().by_user.keys().cloned().collect()
    }

    /// The members of a chat whose own channel is open.
    pub fn members(&self, chat: &str) -> Vec<Arc<str>> {
        let index = self.lock();
        let users = index.by_chat.get(chat).into_iter().flatten();
        users.filter(|(_, member)| **member).map(|(user, _)| user.clone()).collect()
    }

    /// The participants of a chat, including the invited, whose own channel is open.
    pub fn participants(&self, chat: &str) -> Vec<Arc<str>> {
        self.lock().by_chat.get(chat).into_iter().flat_map(|users| users.keys().cloned()).collect()
    }
}

impl Index {
    fn put(&mut self, chat: Arc<str>, user: &Arc<str>, member: bool) {
        self.by_chat.entry(chat.clone()).or_default().insert(user.clone(), member);
        self.by_user.entry(user.clone()).or_default().insert(chat);
    }

    fn take(&mut self, chat: &str, user: &str) {
        if let Some(users) = self.by_chat.get_mut(chat) {
            users.remove(user);
            if users.is_empty() {
                self.by_chat.remove(chat);
            }
        }
        if let Some(chats) = self.by_user.get_mut(user) {
            chats.remove(chat);
        }
    }

    fn remove(&mut self, user: &str) {
        for chat in self.by_user.remove(user).unwrap_or_default() {
            self.take(&chat, user);
        }
    }
}

#[cfg(test)]
mod tests {
    use everwire_protocol::{ChatKind, Role};

    use super::*;
    use crate::model::chat::Participant;

    fn room(participants: &[(&str, Role)]) -> Room {
        let participants = participants.iter().map(|(user, role)| Participant {
            user: (*user).into(),
            name: None,
            role: *role,
            becomes: Role::Member,
            since: 0,
            invited_by: None,
        });
        Room {
            id: "7".into(),
            kind: ChatKind::Group,
            title: None,
            open: false,
            created_at: 0,
            participants: participants.collect(),
        }
    }

    fn users(users: &[Arc<str>]) -> Vec<String> {
        users.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn members_with_their_own_channel_open_are_told_until_the_last_connection_closes_it() {
        let audience = Audience::default();
        audience.open(&"a".into(), [("7".into(), true)].into_iter());
        audience.open(&"b".into(), [("7".into(), false), ("8".into(), true)].into_iter());
        assert_eq!(users(&audience.members("7")), ["a"]);
        assert_eq!(users(&audience.participants("7")), ["a", "b"]);
        audience.close("b", || true);
        assert_eq!(users(&audience.members("8")), ["b"]);
        audience.close("b", || false);
        audience.close("a", || false);
        assert!(audience.lock().by_chat.is_empty() && audience.lock().by_user.is_empty());
    }

    #[test]
    fn changes_of_a_chat_add_and_remove_those_who_listen_and_nobody_else() {
        let audience = Audience::default();
        for user in ["a", "b", "c"] {
            audience.open(&user.into(), std::iter::empty());
        }
        audience.change(&room(&[("a", Role::Owner), ("b", Role::Invited), ("d", Role::Member)]), &[]);
        assert_eq!(users(&audience.members("7")), ["a"]);
        assert_eq!(users(&audience.participants("7")), ["a", "b"]);
        audience.change(&room(&[("b", Role::Member), ("d", Role::Member)]), &["a".into()]);
        assert_eq!(users(&audience.participants("7")), ["b"]);
        assert_eq!(users(&audience.members("7")), ["b"]);
        // Opened again: with the current state.
        audience.open(&"b".into(), std::iter::empty());
        assert!(audience.participants("7").is_empty());
    }
}
