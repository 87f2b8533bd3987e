//! The commit loop: the only task that writes. Everything that is waiting when a transaction is done goes into the next one,
//! so concurrent senders share the cost of reaching the disk, and nothing waits for a timer.
//!
//! A second task publishes what was stored (see [`super::publish`]) while the next transaction is in progress.

mod in_doubt;
#[cfg(feature = "planted")]
mod planted_bugs;

use std::sync::Arc;

use everwire_protocol::{ErrorCode, Role, Uuid};
use tokio::sync::{mpsc, oneshot};

use in_doubt::InDoubt;

use super::{
    chat_changes::{self, ChatCommand},
    publish::{Committed, Group, Publisher, new_entries, rewrites},
};
use crate::{
    Error,
    auth::Bans,
    chats::ChatRegistry,
    connection::{
        Input,
        mailbox::{MailboxMessage, MailboxSender, mailbox},
    },
    environment::{Environment, Task, planted},
    model::{
        ban::AccessChange,
        chat::ChatRecord,
        identity::{Refusal, not_for},
        log::{NewEntry, Outcome, PageBounds, SendPermission},
    },
    store::{Database, Removed},
};

/// Maximum entries in one transaction. Beyond some hundreds, larger groups gain little and make all their senders wait.
const GROUP: usize = 512;

/// Maximum groups of sends that wait for the commit loop. Each connection has at most one; this bounds memory.
const WAITING: usize = 16 * 1024;

/// Maximum transactions that wait to be published. If publishing cannot keep up, the commit loop waits.
const TO_PUBLISH: usize = 16;

/// How often the cleanup runs, in ms.
const CLEANUP_EVERY_MS: u64 = 5 * 60 * 1000;

/// The least time between two steps of a cleanup, in ms.
const CLEANUP_STEP_MS: u64 = 20;

/// How soon a log with an uncertain last transaction is checked again, in ms.
const LOOK_AGAIN_MS: u64 = 1000;

/// How many such logs are checked between two transactions.
const LOOKS: usize = 64;

/// The page that is read from such a log.
const FOUND: PageBounds = PageBounds { entries: 1, bytes: usize::MAX };

/// Something to be written, in one order with everything else.
#[derive(Debug)]
pub enum Commit {
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
    /// Starts the tasks. They end when the last handle is dropped, after everything submitted was written.
    pub(super) fn start(
        environment: &Arc<dyn Environment>,
        store: Arc<dyn Database>,
        bans: Arc<Bans>,
        publisher: Publisher,
    ) -> Self {
        let (commits, waiting) = mpsc::channel(WAITING);
        let (committed, to_publish) = mpsc::channel(TO_PUBLISH);
        let chats = publisher.chats.clone();
        let in_doubt = InDoubt::new(publisher.hub.clone(), chats.clone());
        environment.spawn(Box::pin(publisher.run(to_publish)));
        let environment = environment.clone();
        let commit_loop = CommitLoop { environment, store, chats, bans, committed, in_doubt, believed: None };
        commit_loop.environment.clone().spawn(Box::pin(commit_loop.run(waiting)));
        Self { commits }
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
    pub(super) async fn change_chat(&self, command: ChatCommand) -> Result<Option<ChatRecord>, Refusal> {
        let (reply, answer) = oneshot::channel();
        if self.commits.try_send(Commit::ChangeChat { command, reply }).is_err() {
            return Err(Refusal::of(ErrorCode::Unavailable));
        }
        answer.await.unwrap_or_else(|_| Err(Refusal::of(ErrorCode::Unavailable)))
    }

    /// Changes who may use the server.
    pub(super) async fn change_access(&self, change: AccessChange) -> Result<(), Error> {
        let (reply, answer) = oneshot::channel();
        let busy = || Error::Unavailable("too many commits are waiting".into());
        self.commits.try_send(Commit::ChangeAccess { change, reply }).map_err(|_| busy())?;
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
    pub(super) async fn cleanup(&self) -> Option<Result<Removed, Error>> {
        let (reply, answer) = oneshot::channel();
        self.commits.try_send(Commit::Cleanup { reply }).ok()?;
        answer.await.ok()
    }
}

/// The content of one transaction.
#[derive(Default)]
struct Batch {
    entries: Vec<NewEntry>,
    /// Each connection, with the number of its entries.
    groups: Vec<(MailboxSender, usize)>,
    sessions: Vec<(Uuid, Arc<str>)>,
}

struct CommitLoop {
    environment: Arc<dyn Environment>,
    store: Arc<dyn Database>,
    chats: Arc<ChatRegistry>,
    bans: Arc<Bans>,
    committed: mpsc::Sender<Committed>,
    in_doubt: InDoubt,
    /// The wall clock of the last cleanup, as far as it was believed, and the monotonic time.
    believed: Option<(u64, u64)>,
}

impl CommitLoop {
    async fn run(mut self, mut commits: mpsc::Receiver<Commit>) {
        // Not at once: a start has better things to do.
        let mut cleanup = self.sleep(CLEANUP_EVERY_MS);
        let mut look_again = self.sleep(0);
        loop {
            let first = tokio::select! {
                biased;
                () = &mut cleanup => {
                    let began_at = self.environment.now_ms();
                    let now = self.cleanup_time();
                    let more = match self.store.cleanup(now).await {
                        Ok(removed) => removed.more,
                        Err(error) => {
                            tracing::warn!(%error, "cleanup failed");
                            false
                        }
                    };
                    // Most of the time belongs to senders.
                    let step = CLEANUP_STEP_MS + 10 * (self.environment.now_ms() - began_at);
                    cleanup = self.sleep(if more { step } else { CLEANUP_EVERY_MS });
                    continue;
                }
                () = &mut look_again, if !self.in_doubt.is_empty() => None,
                commit = commits.recv() => match commit {
                    Some(commit) => Some(commit),
                    None => return,
                },
            };
            let Ok(found) = self.find_in_doubt().await else { return };
            if self.commit(first, &mut commits).await.is_err() {
                return;
            }
            if !self.in_doubt.is_empty() {
                look_again = self.sleep(if found { 0 } else { LOOK_AGAIN_MS });
            }
        }
    }

    fn sleep(&self, ms: u64) -> Task {
        self.environment.sleep_until(self.environment.now_ms() + ms)
    }

    /// The wall clock for the cleanup: never further ahead than time has really passed, because a clock that is ahead for a
    /// moment must not delete what is not old.
    fn cleanup_time(&mut self) -> u64 {
        let (wall, now) = (self.environment.wall_ms(), self.environment.now_ms());
        let passed = |(believed, then): (u64, u64)| believed + (now - then);
        let believed = self.believed.map_or(wall, |last| passed(last).min(wall));
        self.believed = Some((believed, now));
        believed
    }

    /// Writes a commit together with those that wait behind it. An error means that publishing has ended.
    async fn commit(
        &mut self,
        first: Option<Commit>,
        commits: &mut mpsc::Receiver<Commit>,
    ) -> Result<(), Closed> {
        let mut batch = Batch::default();
        let mut next = first.or_else(|| commits.try_recv().ok());
        // Commits before a change of a chat are stored before it, those after it later.
        let mut last = None;
        while let Some(commit) = next {
            match commit {
                Commit::Append { entries, reply } => {
                    batch.groups.push((reply, entries.len()));
                    batch.entries.extend(entries);
                }
                Commit::BindSession { session, user } => batch.sessions.push((session, user)),
                commit @ (Commit::ChangeChat { .. }
                | Commit::ChangeAccess { .. }
                | Commit::Cleanup { .. }) => {
                    last = Some(commit);
                    break;
                }
            }
            let full = batch.entries.len() >= GROUP || batch.sessions.len() >= GROUP;
            next = if full { None } else { commits.try_recv().ok() };
        }
        // Read afresh: a clock that was ahead for a moment must not leave all later times ahead. Times in a log may go back.
        let at = self.environment.wall_ms();
        if !batch.entries.is_empty() {
            let groups = self.append_all(at, batch.entries, batch.groups).await?;
            self.publish(Committed::Appended(groups)).await?;
        }
        match last {
            Some(Commit::ChangeChat { command, reply }) => {
                let (log, chat) = (command.log(), command.chat().clone());
                if self.in_doubt.has_chat(&chat) {
                    let stored = Err(Refusal::of(ErrorCode::Unavailable));
                    self.publish(Committed::ChatChanged { stored, reply }).await?;
                    self.bind_sessions(at, &batch.sessions).await;
                    return Ok(());
                }
                let (store, chats, bans) = (&*self.store, &self.chats, &self.bans);
                let stored = chat_changes::store(&*self.environment, store, chats, bans, at, command).await;
                if stored.as_ref().is_err_and(|refusal| refusal.code == ErrorCode::Unavailable) {
                    self.in_doubt.add(log);
                    if !planted!(self.environment, ChatsInDoubtForgotten) {
                        self.in_doubt.add_chat(chat);
                    }
                }
                self.publish(Committed::ChatChanged { stored, reply }).await?;
            }
            Some(Commit::ChangeAccess { change, reply }) => {
                let stored = self.store.change_access(&change).await;
                if stored.is_ok() {
                    self.bans.apply(change, at);
                }
                // An error means that the receiver of the answer was dropped.
                let _ = reply.send(stored);
            }
            Some(Commit::Cleanup { reply }) => {
                // An error means that the receiver of the answer was dropped.
                let now = self.cleanup_time();
                let _ = reply.send(self.store.cleanup(now).await);
            }
            Some(Commit::Append { .. } | Commit::BindSession { .. }) | None => {}
        }
        self.bind_sessions(at, &batch.sessions).await;
        Ok(())
    }

    async fn bind_sessions(&self, at: u64, sessions: &[(Uuid, Arc<str>)]) {
        if !sessions.is_empty()
            && let Err(error) = self.store.bind_sessions(at, sessions).await
        {
            tracing::warn!(%error, "sessions not stored");
        }
    }

    async fn publish(&self, committed: Committed) -> Result<(), Closed> {
        self.committed.send(committed).await.map_err(|_| Closed)
    }

    async fn append_all(
        &mut self,
        at: u64,
        mut entries: Vec<NewEntry>,
        groups: Vec<(MailboxSender, usize)>,
    ) -> Result<Vec<Group>, Closed> {
        // Current: members and bans change in this task only.
        for entry in entries.iter_mut().filter(|entry| entry.permission != SendPermission::Server) {
            let banned = self.bans.check_user(&entry.user, at);
            if let Err(refusal) = banned
                && !planted!(self.environment, BannedStillWrites)
            {
                entry.permission = SendPermission::Refused(refusal);
            } else if entry.permission == SendPermission::AsMember {
                entry.permission = permission(&self.chats, entry);
            }
        }
        #[cfg(feature = "planted")]
        let answered = self.hurry(at, &entries, &groups).await?;
        #[cfg(not(feature = "planted"))]
        let answered = false;
        let mut outcomes = self.append(at, &entries, &groups).await;
        if planted!(self.environment, CommitReportedFailed) {
            outcomes.fill(None);
            self.in_doubt.clear();
        }
        Ok(sort_out(entries, groups, outcomes, answered))
    }

    /// Stores everything in one transaction. If that fails and several connections are involved, each is tried alone, so that
    /// the sends of one cannot prevent those of others from being stored.
    async fn append(
        &mut self,
        at: u64,
        entries: &[NewEntry],
        groups: &[(MailboxSender, usize)],
    ) -> Vec<Option<Vec<Outcome>>> {
        match self.store.append(at, entries).await {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                return groups.iter().map(|(_, n)| Some(outcomes.by_ref().take(*n).collect())).collect();
            }
            Err(error) => {
                tracing::error!(%error, entries = entries.len(), connections = groups.len(), "commit failed");
                self.in_doubt.add(entries.iter().map(|entry| entry.channel.clone()));
            }
        }
        if groups.len() == 1 {
            return vec![None];
        }
        let (mut rest, mut each) = (entries, Vec::with_capacity(groups.len()));
        let mut failed = false;
        for (_, n) in groups {
            let (group, after) = rest.split_at(*n);
            rest = after;
            // A second failure means that the store is unavailable: do not try a thousand times.
            let outcomes = if failed { None } else { self.store.append(at, group).await.ok() };
            failed |= outcomes.is_none() && !each.iter().any(Option::is_some);
            each.push(outcomes);
        }
        each
    }

    /// Checks some of the chats and logs whose last transaction was reported as failed: if it happened, the chat is what it
    /// made of it, and its entries are published. Returns whether the store answered.
    async fn find_in_doubt(&mut self) -> Result<bool, Closed> {
        for _ in 0..LOOKS {
            let Some(chat) = self.in_doubt.first_chat() else { break };
            let Ok(stored) = self.store.chat(&chat).await else { return Ok(false) };
            if let Some(record) = stored
                && let Some(gone) = chat_changes::found(&self.chats, &record)
            {
                self.publish(Committed::ChatFound(record, gone)).await?;
            }
            self.in_doubt.remove_chat(&chat);
        }
        for _ in 0..LOOKS {
            let Some(channel) = self.in_doubt.first() else { break };
            let Ok(log) = self.store.log(&channel).await else { return Ok(false) };
            if log.head > 0 {
                // The last entry is enough: connections read the missing ones before it from the store.
                let Ok(page) = self.store.page(&channel, log.head - 1, FOUND).await else { return Ok(false) };
                self.publish(Committed::Found(page.entries)).await?;
            }
            self.in_doubt.remove(&channel);
        }
        Ok(true)
    }
}

/// The publishing task has ended.
struct Closed;

/// The current permission of a chat's member.
fn permission(chats: &ChatRegistry, entry: &NewEntry) -> SendPermission {
    match chats.role_in(&entry.channel, &entry.user) {
        Some(Role::Owner | Role::Member) if chats.is_left(&entry.channel) => {
            let words = "The other user has left this chat.";
            SendPermission::Refused(Refusal::new(ErrorCode::Forbidden, words))
        }
        Some(Role::Owner) => SendPermission::Owner,
        Some(Role::Member) => SendPermission::Member,
        role => SendPermission::Refused(not_for(role)),
    }
}

/// The outcomes of the entries of each connection.
fn sort_out(
    entries: Vec<NewEntry>,
    groups: Vec<(MailboxSender, usize)>,
    outcomes: Vec<Option<Vec<Outcome>>>,
    answered: bool,
) -> Vec<Group> {
    let mut entries = entries.into_iter();
    let groups = groups.into_iter().zip(outcomes);
    groups
        .map(|((reply, n), outcomes)| {
            let group: Vec<_> = entries.by_ref().take(n).collect();
            let known = outcomes.as_deref().unwrap_or_default();
            let (entries, rewrites) = (new_entries(group.iter(), known), rewrites(group.iter(), known));
            Group { reply, entries, rewrites, outcomes, answered }
        })
        .collect()
}
