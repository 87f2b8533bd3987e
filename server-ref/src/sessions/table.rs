//! The connected sessions with their indexes. Plain data: the indexes never disagree with the sessions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use everwire_protocol::Uuid;

use super::Connections;
use crate::connection::{Transport, mailbox::MailboxSender};

#[derive(Debug)]
pub(super) struct Live {
    pub(super) user: Arc<str>,
    pub(super) connection: Uuid,
    pub(super) transport: Transport,
    pub(super) mailbox: MailboxSender,
    /// The connection that this one has replaced.
    pub(super) before: Option<Uuid>,
    /// The id of the token in use.
    pub(super) token: Option<Arc<str>>,
}

type Index = BTreeMap<Arc<str>, BTreeSet<Uuid>>;

#[derive(Debug, Default)]
pub(super) struct Table {
    sessions: BTreeMap<Uuid, Live>,
    connections: BTreeMap<Uuid, Uuid>,
    users: Index,
    tokens: Index,
    polling: usize,
}

impl Table {
    pub(super) fn get(&self, session: Uuid) -> Option<&Live> {
        self.sessions.get(&session)
    }

    pub(super) fn by_connection(&self, connection: Uuid) -> Option<&Live> {
        self.sessions.get(self.connections.get(&connection)?)
    }

    pub(super) fn of_user(&self, user: &str) -> impl Iterator<Item = (Uuid, &Live)> {
        let own = self.users.get(user).into_iter().flatten();
        own.filter_map(|session| Some((*session, self.sessions.get(session)?)))
    }

    pub(super) fn of_token(&self, token: &str) -> impl Iterator<Item = &Live> {
        let sessions = self.tokens.get(token).into_iter().flatten();
        sessions.filter_map(|session| self.sessions.get(session))
    }

    /// Adds a session. Returns what it replaces.
    pub(super) fn insert(&mut self, session: Uuid, live: Live) -> Option<Live> {
        let before = self.remove(session);
        self.connections.insert(live.connection, session);
        self.users.entry(live.user.clone()).or_default().insert(session);
        if let Some(token) = &live.token {
            self.tokens.entry(token.clone()).or_default().insert(session);
        }
        self.polling += usize::from(live.transport == Transport::Polling);
        self.sessions.insert(session, live);
        before
    }

    pub(super) fn remove(&mut self, session: Uuid) -> Option<Live> {
        let live = self.sessions.remove(&session)?;
        self.connections.remove(&live.connection);
        take(&mut self.users, &live.user, session);
        if let Some(token) = &live.token {
            take(&mut self.tokens, token, session);
        }
        self.polling -= usize::from(live.transport == Transport::Polling);
        Some(live)
    }

    pub(super) fn set_token(&mut self, session: Uuid, connection: Uuid, token: Option<&Arc<str>>) {
        let Some(live) = self.sessions.get_mut(&session).filter(|live| live.connection == connection) else {
            return;
        };
        let before = std::mem::replace(&mut live.token, token.cloned());
        if let Some(before) = before {
            take(&mut self.tokens, &before, session);
        }
        if let Some(token) = token {
            self.tokens.entry(token.clone()).or_default().insert(session);
        }
    }

    pub(super) fn counts(&self) -> (usize, Connections) {
        let (polling, all) = (self.polling, self.sessions.len());
        (self.users.len(), Connections { websocket: all - polling, polling })
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }
}

fn take(index: &mut Index, key: &str, session: Uuid) {
    if let Some(sessions) = index.get_mut(key) {
        sessions.remove(&session);
        if sessions.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::mailbox::mailbox;

    fn live(user: &str, connection: u128, token: Option<&str>) -> Live {
        let (connection, transport) = (Uuid::from_u128(connection), Transport::Polling);
        let (user, mailbox, token) = (user.into(), mailbox(1).0, token.map(Into::into));
        Live { user, connection, transport, mailbox, before: None, token }
    }

    fn connections<'a>(found: impl Iterator<Item = &'a Live>) -> Vec<u128> {
        found.map(|live| live.connection.as_u128()).collect()
    }

    #[test]
    fn a_session_is_found_by_everything_it_has_and_nothing_is_left_of_it() {
        let mut table = Table::default();
        let session = Uuid::from_u128;
        table.insert(session(1), live("a", 11, Some("t")));
        table.insert(session(2), live("a", 12, Some("t")));
        table.insert(session(3), live("b", 13, None));
        assert_eq!(connections(table.of_user("a").map(|(_, live)| live)), [11, 12]);
        assert_eq!(connections(table.of_token("t")), [11, 12]);
        assert_eq!(table.by_connection(session(13)).map(|live| &*live.user), Some("b"));
        assert_eq!(table.counts().0, 2);
        // Another connection of the session, which has said nothing of its token yet.
        table.insert(session(1), live("a", 21, None));
        assert_eq!(connections(table.of_token("t")), [12]);
        assert!(table.by_connection(session(11)).is_none());
        table.set_token(session(1), session(11), Some(&"t".into()));
        assert_eq!(connections(table.of_token("t")), [12], "a late word of the replaced connection");
        table.set_token(session(1), session(21), Some(&"t".into()));
        table.set_token(session(2), session(12), Some(&"u".into()));
        assert_eq!(
            (connections(table.of_token("t")), connections(table.of_token("u"))),
            (vec![21], vec![12])
        );
        for n in 1..=3 {
            table.remove(session(n));
        }
        let Table { sessions, connections, users, tokens, polling } = table;
        assert!(sessions.is_empty() && connections.is_empty() && users.is_empty() && tokens.is_empty());
        assert_eq!(polling, 0);
    }
}
