//! Chats in memory, beside their logs.

use std::{collections::BTreeMap, sync::Arc};

use everwire_protocol::CHAT_EVENT;

use super::Logs;
use crate::model::{
    chat::{ChatRecord, Participant, Room},
    log::PageBounds,
};

/// All chats, by id.
#[derive(Debug, Clone, Default)]
pub struct Chats(BTreeMap<Arc<str>, Arc<Room>>);

impl Chats {
    /// All chats. The times of their last activity are those of their logs.
    pub fn all(&self, logs: &Logs) -> Vec<ChatRecord> {
        self.0.values().map(|room| record(room, logs)).collect()
    }

    /// One chat, by its id.
    pub fn get(&self, id: &str, logs: &Logs) -> Option<ChatRecord> {
        self.0.get(id).map(|room| record(room, logs))
    }

    /// The chats alone.
    pub fn rooms(&self) -> impl Iterator<Item = &Arc<Room>> {
        self.0.values()
    }

    /// Adds or replaces a chat.
    pub fn put(&mut self, room: Arc<Room>) {
        self.0.insert(room.id.clone(), room);
    }

    /// Removes a chat. Its log is emptied by [`Logs::empty`].
    pub fn remove(&mut self, id: &str) {
        self.0.remove(id);
    }

    /// Forgets who has made the open invitations of a user who is erased.
    pub fn forget_inviter(&mut self, user: &str) {
        let is_theirs = |participant: &Participant| participant.invited_by.as_deref() == Some(user);
        for room in self.0.values_mut().filter(|room| room.participants.iter().any(is_theirs)) {
            let participants = &mut Arc::make_mut(room).participants;
            for participant in participants.iter_mut().filter(|participant| is_theirs(participant)) {
                participant.invited_by = None;
            }
        }
    }
}

fn record(room: &Arc<Room>, logs: &Logs) -> ChatRecord {
    let everything = PageBounds { entries: u32::MAX, bytes: usize::MAX };
    let entries = room.log().map(|log| logs.page(&log, 0, everything).entries).unwrap_or_default();
    let last = entries.iter().rfind(|entry| {
        entry.plain || entry.message().is_some_and(|message| message.event.as_deref() == Some(CHAT_EVENT))
    });
    ChatRecord { room: room.clone(), at: last.map_or(room.created_at, |entry| entry.at) }
}
