//! What may be submitted to the commit loop, and the handle through which the rest of the node submits it and waits for
//! the answer.

use std::sync::Arc;

use everwire_protocol::{ErrorCode, Uuid};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error,
    connection::{
        Input,
        mailbox::{MailboxMessage, MailboxSender, mailbox},
    },
    model::{
        ban::AccessChange,
        chat::ChatRecord,
        identity::Refusal,
        log::{NewEntry, Outcome},
    },
    node::chat_changes::ChatCommand,
    store::Removed,
};

/// Maximum groups of sends that wait for the commit loop. Each connection has at most one; this bounds memory.
const WAITING: usize = 16 * 1024;

/// Something to be written, in one order with everything else.
#[derive(Debug)]
pub(super) enum Commit {
    /// Entries of one connection. The answer is [`Input::Appended`].
    Append {
        /// The entries.
        entries: Vec<NewEntry>,
        /// The receiver of the answer.
        reply: MailboxSender,
    },
    /// The user of a session.
    BindSession {
        /// The session.
        session: Uuid,
        /// Its user.
        user: Arc<str>,
    },
    /// A change of a chat, decided in its turn.
    ChangeChat {
        /// The command.
        command: ChatCommand,
        /// The receiver of the resulting chat; `None` if there is none.
        reply: oneshot::Sender<Result<Option<ChatRecord>, Refusal>>,
    },
    /// A ban, its end, or a revocation. What is submitted later obeys it.
    ChangeAccess {
        /// The change.
        change: AccessChange,
        /// The receiver of the answer.
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// The deletion of a chat.
    DeleteChat {
        /// The id of the chat.
        chat: Arc<str>,
        /// The receiver of the answer: whether there was one.
        reply: oneshot::Sender<Result<bool, Error>>,
    },
    /// A request to erase a user.
    EraseUser {
        /// The user.
        user: Arc<str>,
        /// Until when the user's tokens are refused, in ms since 1970.
        until: u64,
        /// The receiver of the answer.
        reply: oneshot::Sender<Result<(), Error>>,
    },
    /// Runs one step of the cleanup.
    Cleanup {
        /// The receiver of the answer.
        reply: oneshot::Sender<Result<Removed, Error>>,
    },
}

/// The handle for submitting commits. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CommitSender {
    commits: mpsc::Sender<Commit>,
}

impl CommitSender {
    /// The handle, and what arrives through it.
    pub(super) fn new() -> (Self, mpsc::Receiver<Commit>) {
        let (commits, waiting) = mpsc::channel(WAITING);
        (Self { commits }, waiting)
    }

    /// Stores a group. The answer arrives in the mailbox as [`Input::Appended`].
    pub fn append(&self, entries: Vec<NewEntry>, reply: MailboxSender) {
        if let Err(full) = self.commits.try_send(Commit::Append { entries, reply })
            && let Commit::Append { reply, .. } = full.into_inner()
        {
            reply.input(Input::Appended(None));
        }
    }

    /// Stores one entry of a sender without a connection: a back end. `None`: it could not be stored now.
    pub async fn store(&self, entry: NewEntry) -> Option<Outcome> {
        let (reply, mut receiver) = mailbox(1);
        self.append(vec![entry], reply);
        let mut messages = Vec::new();
        receiver.take(&mut messages, 1).await;
        match messages.pop().map(MailboxMessage::into_input) {
            Some(Ok(Input::Appended(outcomes))) => outcomes?.pop(),
            _ => None,
        }
    }

    /// Changes a chat. When this returns, removed users receive nothing more.
    pub(in crate::node) async fn change_chat(
        &self,
        command: ChatCommand,
    ) -> Result<Option<ChatRecord>, Refusal> {
        let (reply, answer) = oneshot::channel();
        if self.commits.try_send(Commit::ChangeChat { command, reply }).is_err() {
            return Err(Refusal::of(ErrorCode::Unavailable));
        }
        answer.await.unwrap_or_else(|_| Err(Refusal::of(ErrorCode::Unavailable)))
    }

    /// Changes who may use the server.
    pub(in crate::node) async fn change_access(&self, change: AccessChange) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.commits.try_send(Commit::ChangeAccess { change, reply }).map_err(|_| busy())?;
        answer.await.unwrap_or_else(|_| Err(busy()))
    }

    /// Deletes a chat. Returns whether there was one.
    pub(in crate::node) async fn delete_chat(&self, chat: Arc<str>) -> Result<bool, Error> {
        let (reply, answer) = oneshot::channel();
        self.commits.try_send(Commit::DeleteChat { chat, reply }).map_err(|_| busy())?;
        answer.await.unwrap_or_else(|_| Err(busy()))
    }

    /// Begins to erase a user.
    pub(in crate::node) async fn erase_user(&self, user: Arc<str>, until: u64) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        self.commits.try_send(Commit::EraseUser { user, until, reply }).map_err(|_| busy())?;
        answer.await.unwrap_or_else(|_| Err(busy()))
    }

    /// Stores the user of a session. There is no answer: if it cannot be stored, the session is bound while it is
    /// connected.
    pub fn bind_session(&self, session: Uuid, user: Arc<str>) {
        if self.commits.try_send(Commit::BindSession { session, user }).is_err() {
            tracing::warn!("session not stored: too many commits are waiting");
        }
    }

    /// Runs one step of the cleanup. `None`: too much waits to be written.
    pub(in crate::node) async fn cleanup(&self) -> Option<Result<Removed, Error>> {
        let (reply, answer) = oneshot::channel();
        self.commits.try_send(Commit::Cleanup { reply }).ok()?;
        answer.await.ok()
    }
}

fn busy() -> Error {
    Error::Unavailable("too many commits are waiting".into())
}
