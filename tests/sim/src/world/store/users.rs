//! Users in the store of all nodes: their marks, and for each node their status and presence.

use everwire_protocol::{Channel, StatusChoice, UserReceipt};
use everwire_server::{
    model::people::{HistoryRange, PresenceRecord, StoredHistory, UserRecord},
    store::{Answer, people::UserStore},
};

use super::node::NodeStore;

impl UserStore for NodeStore {
    fn marks<'a>(&'a self, channel: &'a Channel, user: Option<&'a str>) -> Answer<'a, Vec<UserReceipt>> {
        self.read(move |data| {
            let of = data.marks.iter().filter(|((of, _), _)| of == channel).map(|(_, mark)| mark);
            of.filter(|mark| user.is_none_or(|user| mark.user == user)).cloned().collect()
        })
    }

    fn raise_marks<'a>(&'a self, marks: &'a [(Channel, UserReceipt)]) -> Answer<'a, ()> {
        self.read(move |data| {
            for (channel, mark) in marks {
                let key = (channel.clone(), mark.user.clone());
                let known = data.marks.entry(key).or_insert_with(|| mark.clone());
                known.delivered = known.delivered.max(mark.delivered);
                known.read = known.read.max(mark.read);
            }
        })
    }

    fn unread<'a>(&'a self, channel: &'a Channel, user: &'a str, after: u64) -> Answer<'a, u32> {
        self.read(move |data| data.unread(channel, user, after))
    }

    fn history<'a>(
        &'a self,
        channel: &'a Channel,
        part: HistoryRange,
        most: u32,
    ) -> Answer<'a, StoredHistory> {
        self.read(move |data| data.history(channel, part, most))
    }

    fn users<'a>(&'a self, users: &'a [String]) -> Answer<'a, Vec<UserRecord>> {
        self.read(move |data| {
            let own = data.own(self.node);
            users.iter().filter_map(|user| own.users.get(user).cloned()).collect()
        })
    }

    fn online_users(&self) -> Answer<'_, Vec<UserRecord>> {
        self.at_once(|data| data.own(self.node).users.values().filter(|user| user.online).cloned().collect())
    }

    fn save_users<'a>(&'a self, people: &'a [UserRecord]) -> Answer<'a, ()> {
        self.read(move |data| {
            for record in people {
                let users = &mut data.own(self.node).users;
                let choice = users.get(&record.user).map_or(record.choice, |known| known.choice);
                users.insert(record.user.clone(), UserRecord { choice, ..record.clone() });
            }
        })
    }

    fn save_status_choice<'a>(&'a self, user: &'a str, choice: StatusChoice) -> Answer<'a, ()> {
        self.read(move |data| {
            if let Some(record) = data.own(self.node).users.get_mut(user) {
                record.choice = choice;
            }
        })
    }

    fn presence(&self) -> Answer<'_, Vec<PresenceRecord>> {
        self.at_once(|data| data.own(self.node).presence.values().cloned().collect())
    }

    fn save_presence<'a>(&'a self, changes: &'a [PresenceRecord]) -> Answer<'a, ()> {
        self.read(move |data| {
            let presence = &mut data.own(self.node).presence;
            for record in changes {
                let key = (record.channel.clone(), record.user.clone());
                if record.here {
                    presence.insert(key, record.clone());
                } else {
                    presence.remove(&key);
                }
            }
        })
    }

    fn replace_presence<'a>(&'a self, all: &'a [PresenceRecord]) -> Answer<'a, ()> {
        self.read(move |data| {
            data.own(self.node).presence =
                all.iter().map(|r| ((r.channel.clone(), r.user.clone()), r.clone())).collect();
        })
    }
}
