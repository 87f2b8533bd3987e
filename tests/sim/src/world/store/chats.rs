//! Chats in the store of all nodes: beside their logs, in the same transactions.

use std::sync::Arc;

use everwire_protocol::{Channel, Uuid};
use everwire_server::{
    model::{
        chat::{ChatRecord, Room},
        log::{NewEntry, Outcome},
    },
    store::{
        Answer,
        chats::{ChatStore, ChatWrite, Tail},
    },
};

use super::{Data, Done, node::NodeStore};

impl ChatStore for NodeStore {
    fn chats(&self) -> Answer<'_, Vec<ChatRecord>> {
        self.at_once(|data| data.rooms.all(&data.logs))
    }

    fn chat<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ChatRecord>> {
        self.read(move |data| data.rooms.get(id, &data.logs))
    }

    fn change_chats<'a>(&'a self, at: u64, changes: &'a [ChatWrite<'a>]) -> Answer<'a, Vec<Vec<Outcome>>> {
        let entries: Vec<NewEntry> = changes.iter().flat_map(|change| change.entries).cloned().collect();
        Box::pin(async move {
            let rooms = move |data: &mut Data| {
                for ChatWrite { after, .. } in changes {
                    let room = Arc::new((*after).clone());
                    let head = after.log().map_or(0, |log| data.logs.log(&log).head);
                    let (id, sure) = (after.id.clone(), data.doubt_until <= self.now());
                    data.done.push(Done::Room { id, room: Some(room.clone()), head, sure });
                    data.rooms.put(room);
                }
            };
            let mut outcomes = self.transact(at, &entries, rooms).await?.into_iter();
            let of_each = |change: &ChatWrite<'_>| outcomes.by_ref().take(change.entries.len()).collect();
            Ok(changes.iter().map(of_each).collect())
        })
    }

    fn delete_chat<'a>(&'a self, chat: &'a Room) -> Answer<'a, ()> {
        self.change(move |data| {
            data.rooms.remove(&chat.id);
            let head = chat.log().map_or(0, |log| data.logs.log(&log).head);
            let sure = data.doubt_until <= self.now();
            data.done.push(Done::Room { id: chat.id.clone(), room: None, head, sure });
            if let Some(log) = chat.log() {
                data.logs.empty(&log);
                data.marks.retain(|(channel, _), _| *channel != log);
                data.done.push(Done::Trimmed(log.clone(), data.logs.log(&log).trimmed));
            }
        })
    }

    fn offset_of<'a>(&'a self, channel: &'a Channel, id: Uuid) -> Answer<'a, Option<u64>> {
        self.read(move |data| {
            let named = format!("\"id\":\"{}\"", id.hyphenated());
            let entries = data.entries(channel, 0, u32::MAX);
            entries.iter().find(|entry| entry.text.contains(&named)).map(|entry| entry.offset)
        })
    }

    fn tails<'a>(&'a self, user: &'a str, asked: &'a [(Channel, u64)]) -> Answer<'a, Vec<Tail>> {
        self.read(move |data| {
            let tail = |(channel, read): &(Channel, u64)| Tail {
                head: data.logs.log(channel).head,
                unread: data.unread(channel, user, *read),
                last: data
                    .entries(channel, 0, u32::MAX)
                    .iter()
                    .rfind(|entry| entry.plain)
                    .and_then(|entry| entry.message()),
            };
            asked.iter().map(tail).collect()
        })
    }
}
