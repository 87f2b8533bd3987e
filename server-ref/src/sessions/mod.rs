//! The connection of each session on this node: one at a time, always of the same user.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use everwire_protocol::{CloseCode, Uuid};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::connection::{
    Binding, Input, Transport,
    mailbox::{MailboxMessage, MailboxSender},
};

/// Maximum connected sessions of one user: tabs and apps, on all devices.
pub const SESSIONS_OF_A_USER: usize = 64;

/// How long one more waits before it tries again, in ms: a lost connection may still be counted.
const TOO_MANY_RETRY_MS: u32 = 10_000;

/// The number of connections by transport.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Connections {
    /// By WebSocket.
    pub websocket: usize,
    /// By polling.
    pub polling: usize,
}

/// The sessions that are connected to this node.
#[derive(Debug, Default)]
pub struct Sessions {
    live: Mutex<BTreeMap<Uuid, Live>>,
}

#[derive(Debug)]
struct Live {
    user: String,
    connection: Uuid,
    transport: Transport,
    mailbox: MailboxSender,
    /// The connection that this one has replaced.
    before: Option<Uuid>,
}

impl Sessions {
    /// The user of a connected session.
    pub fn user(&self, session: Uuid) -> Option<String> {
        self.live.lock().get(&session).map(|live| live.user.clone())
    }

    /// The connection of a connected session.
    pub fn connection(&self, session: Uuid) -> Option<Uuid> {
        self.live.lock().get(&session).map(|live| live.connection)
    }

    /// Makes a connection the session's only one. The previous one is ended.
    pub fn attach(
        &self,
        session: Uuid,
        user: &str,
        connection: Uuid,
        transport: Transport,
        mailbox: &MailboxSender,
    ) -> Binding {
        let mut sessions = self.live.lock();
        if sessions.get(&session).is_some_and(|live| live.user != user) {
            return Binding::Another;
        }
        let before = sessions.get(&session).map(|live| live.connection);
        if before.is_none()
            && sessions.values().filter(|live| live.user == user).count() >= SESSIONS_OF_A_USER
        {
            return Binding::TooMany(TOO_MANY_RETRY_MS);
        }
        let live = Live { user: user.into(), connection, transport, mailbox: mailbox.clone(), before };
        if let Some(before) = sessions.insert(session, live) {
            before.mailbox.input(Input::End(CloseCode::Replaced));
        }
        Binding::Yours
    }

    /// Removes a connection, unless another one has replaced it.
    pub fn detach(&self, session: Uuid, connection: Uuid) {
        let mut sessions = self.live.lock();
        if sessions.get(&session).is_some_and(|live| live.connection == connection) {
            sessions.remove(&session);
        }
    }

    /// The mailbox of a polling connection, if it belongs to this session.
    pub fn polling(&self, session: Uuid, connection: Uuid) -> Option<MailboxSender> {
        let sessions = self.live.lock();
        let live = sessions.get(&session)?;
        (live.connection == connection && live.transport == Transport::Polling).then(|| live.mailbox.clone())
    }

    /// Whether a poll of this connection is late: a WebSocket of the session has replaced it since. It must not take the
    /// session back.
    pub fn overtaken(&self, session: Uuid, connection: Uuid) -> bool {
        let sessions = self.live.lock();
        sessions
            .get(&session)
            .is_some_and(|live| live.before == Some(connection) && live.transport == Transport::WebSocket)
    }

    /// Sends to the session's connection, if there is one on this node.
    pub fn tell(&self, session: Uuid, mail: MailboxMessage) {
        if let Some(live) = self.live.lock().get(&session) {
            live.mailbox.push(mail);
        }
    }

    /// Sends a frame, as JSON text, to one connection, regardless of its subscriptions. Returns whether it exists. Scans
    /// all sessions: for back ends, which do this rarely.
    pub fn direct(&self, connection: Uuid, text: &Arc<str>) -> bool {
        let sessions = self.live.lock();
        let found = sessions.values().find(|live| live.connection == connection);
        if let Some(live) = found {
            live.mailbox.input(Input::Direct(text.clone()));
        }
        found.is_some()
    }

    /// Ends one connection, if its session still has it.
    pub fn end_connection(&self, connection: Uuid, code: CloseCode) {
        let sessions = self.live.lock();
        if let Some(live) = sessions.values().find(|live| live.connection == connection) {
            live.mailbox.input(Input::End(code));
        }
    }

    /// The connections of a user: session, connection and transport.
    pub fn of_user(&self, user: &str) -> Vec<(Uuid, Uuid, Transport)> {
        let sessions = self.live.lock();
        let own = sessions.iter().filter(|(_, live)| live.user == user);
        own.map(|(session, live)| (*session, live.connection, live.transport)).collect()
    }

    /// Ends all connections of a user. Returns their number.
    pub fn end_user(&self, user: &str, code: CloseCode) -> usize {
        let sessions = self.live.lock();
        let own = sessions.values().filter(|live| live.user == user);
        own.map(|live| live.mailbox.input(Input::End(code))).count()
    }

    /// Makes the connections of a user, or all of them, check whether they may go on. Returns their number.
    pub fn check_identities(&self, user: Option<&str>) -> usize {
        let sessions = self.live.lock();
        let concerned = sessions.values().filter(|live| user.is_none_or(|user| live.user == user));
        concerned.map(|live| live.mailbox.input(Input::CheckIdentity)).count()
    }

    /// The number of users, and of connections of each kind.
    pub fn counts(&self) -> (usize, Connections) {
        let sessions = self.live.lock();
        let users: BTreeSet<&str> = sessions.values().map(|live| live.user.as_ref()).collect();
        let websocket = sessions.values().filter(|live| live.transport == Transport::WebSocket).count();
        (users.len(), Connections { websocket, polling: sessions.len() - websocket })
    }

    /// The number of connected sessions.
    pub fn len(&self) -> usize {
        self.live.lock().len()
    }

    /// Whether no session is connected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
