//! The connection of each session on this node: one at a time, always of the same user. Found by session, connection, user and
//! token, so that nothing has to look at all of them.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod table;

use std::sync::Arc;

use everwire_protocol::{CloseCode, Uuid};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::connection::{
    Binding, Input, Transport,
    mailbox::{MailboxMessage, MailboxSender},
};
use table::{Live, Table};

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
    live: Mutex<Table>,
}

impl Sessions {
    /// The user of a connected session.
    pub fn user(&self, session: Uuid) -> Option<String> {
        self.live.lock().get(session).map(|live| live.user.as_ref().into())
    }

    /// The connection of a connected session.
    pub fn connection(&self, session: Uuid) -> Option<Uuid> {
        self.live.lock().get(session).map(|live| live.connection)
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
        let previous = sessions.get(session);
        if previous.is_some_and(|live| *live.user != *user) {
            return Binding::Another;
        }
        let before = previous.map(|live| live.connection);
        if before.is_none() && sessions.of_user(user).count() >= SESSIONS_OF_A_USER {
            return Binding::TooMany(TOO_MANY_RETRY_MS);
        }
        let (user, mailbox, token) = (user.into(), mailbox.clone(), None);
        let previous = sessions.insert(session, Live { user, connection, transport, mailbox, before, token });
        drop(sessions);
        if let Some(previous) = previous {
            previous.mailbox.input(Input::End(CloseCode::Replaced));
        }
        Binding::Yours
    }

    /// A connection uses the token with this id from now on, or one without an id.
    pub fn set_token(&self, session: Uuid, connection: Uuid, token: Option<&Arc<str>>) {
        self.live.lock().set_token(session, connection, token);
    }

    /// Removes a connection, unless another one has replaced it.
    pub fn detach(&self, session: Uuid, connection: Uuid) {
        let mut sessions = self.live.lock();
        if sessions.get(session).is_some_and(|live| live.connection == connection) {
            sessions.remove(session);
        }
    }

    /// The mailbox of a polling connection, if it belongs to this session.
    pub fn polling(&self, session: Uuid, connection: Uuid) -> Option<MailboxSender> {
        let sessions = self.live.lock();
        let live = sessions.get(session)?;
        (live.connection == connection && live.transport == Transport::Polling).then(|| live.mailbox.clone())
    }

    /// Whether a poll of this connection is late: a WebSocket of the session has replaced it since. It must not take the
    /// session back.
    pub fn overtaken(&self, session: Uuid, connection: Uuid) -> bool {
        let sessions = self.live.lock();
        sessions
            .get(session)
            .is_some_and(|live| live.before == Some(connection) && live.transport == Transport::WebSocket)
    }

    /// Sends to the session's connection, if there is one on this node.
    pub fn tell(&self, session: Uuid, mail: MailboxMessage) {
        let mailbox = self.live.lock().get(session).map(|live| live.mailbox.clone());
        if let Some(mailbox) = mailbox {
            mailbox.push(mail);
        }
    }

    /// Sends a frame, as JSON text, to one connection, regardless of its subscriptions. Returns whether it exists.
    pub fn direct(&self, connection: Uuid, text: &Arc<str>) -> bool {
        let found = self.mailbox_of(connection);
        if let Some(mailbox) = &found {
            mailbox.input(Input::Direct(text.clone()));
        }
        found.is_some()
    }

    /// Ends one connection, if its session still has it.
    pub fn end_connection(&self, connection: Uuid, code: CloseCode) {
        if let Some(mailbox) = self.mailbox_of(connection) {
            mailbox.input(Input::End(code));
        }
    }

    fn mailbox_of(&self, connection: Uuid) -> Option<MailboxSender> {
        self.live.lock().by_connection(connection).map(|live| live.mailbox.clone())
    }

    /// The connections of a user: session, connection and transport.
    pub fn of_user(&self, user: &str) -> Vec<(Uuid, Uuid, Transport)> {
        let sessions = self.live.lock();
        sessions.of_user(user).map(|(session, live)| (session, live.connection, live.transport)).collect()
    }

    /// Ends all connections of a user. Returns their number.
    pub fn end_user(&self, user: &str, code: CloseCode) -> usize {
        self.tell_user(user, || Input::End(code))
    }

    /// Makes the connections of a user check whether they may go on. Returns their number.
    pub fn check_user(&self, user: &str) -> usize {
        self.tell_user(user, || Input::CheckIdentity)
    }

    /// Makes the connections that use the token with this id check whether they may go on. Returns their number.
    pub fn check_token(&self, token: &str) -> usize {
        let mailboxes: Vec<_> = self.live.lock().of_token(token).map(|live| live.mailbox.clone()).collect();
        tell(&mailboxes, || Input::CheckIdentity)
    }

    fn tell_user(&self, user: &str, input: impl Fn() -> Input) -> usize {
        let mailboxes: Vec<_> =
            self.live.lock().of_user(user).map(|(_, live)| live.mailbox.clone()).collect();
        tell(&mailboxes, input)
    }

    /// The number of users, and of connections of each kind.
    pub fn counts(&self) -> (usize, Connections) {
        self.live.lock().counts()
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

/// Without the lock: it costs by the number of receivers. Returns their number.
fn tell(mailboxes: &[MailboxSender], input: impl Fn() -> Input) -> usize {
    for mailbox in mailboxes {
        mailbox.input(input());
    }
    mailboxes.len()
}
