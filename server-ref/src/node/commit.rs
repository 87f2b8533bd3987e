//! The commit loop: the one task that writes. Whatever waits when a transaction is done goes into the next one, so the cost
//! of reaching the disk is shared by all who send at that time, and nobody waits for a timer.
//!
//! What was stored is published by a second task (see [`super::publish`]), while the next transaction is already under way.

#[cfg(feature = "planted")]
mod planted_bugs;

use std::{collections::BTreeSet, sync::Arc};

use everwire_protocol::{Channel, ErrorCode, Role, Uuid};
use tokio::sync::{mpsc, oneshot};

use super::{
    chat_changes::{self, ChatCommand},
    publish::{Committed, Group, Publisher, new_entries},
};
use crate::{
    Error,
    chats::ChatRegistry,
    connection::{
        Input,
        mailbox::{MailboxMessage, MailboxSender, mailbox},
    },
    environment::{Environment, Task, planted},
    model::{
        chat::ChatRecord,
        identity::{Refusal, not_for},
        log::{NewEntry, Outcome, PageBounds, SendPermission},
    },
    store::{Database, Removed},
};

/// Most entries in one transaction. Past some hundreds, larger groups gain little and make everybody in them wait.
const GROUP: usize = 512;

/// Groups of sends that wait for the commit loop. Each connection has one at most, so this is no bound on connections that
/// send at the same time, but on memory.
const WAITING: usize = 16 * 1024;

/// Transactions that wait to be published. If subscribers cannot keep up, the commit loop waits.
const TO_PUBLISH: usize = 16;

/// How often what is no longer needed is removed, in ms.
const CLEANUP_EVERY_MS: u64 = 5 * 60 * 1000;

/// How soon a log is looked at again whose last transaction may or may not have happened, in ms.
const LOOK_AGAIN_MS: u64 = 1000;

/// How many such logs are looked at between two transactions.
const LOOKS: usize = 64;

/// What is read of such a log.
const FOUND: PageBounds = PageBounds { entries: 1, bytes: usize::MAX };

/// Something to be written, in one order with everything else that is.
#[derive(Debug)]
pub enum Commit {
    /// Entries of one connection. The answer is [`Input::Appended`].
    Append {
        /// The entries.
        entries: Vec<NewEntry>,
        /// Where the answer goes.
        reply: MailboxSender,
    },
    /// Whose a session is.
    BindSession {
        /// The session.
        session: Uuid,
        /// Its user.
        user: Arc<str>,
    },
    /// A change of a chat, decided when it is its turn.
    ChangeChat {
        /// What somebody wants.
        command: ChatCommand,
        /// Where the chat goes as it is then; `None` if there is none.
        reply: oneshot::Sender<Result<Option<ChatRecord>, Refusal>>,
    },
    /// Removes one step of what is no longer needed.
    Cleanup {
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Removed, Error>>,
    },
}

/// Where things to be written are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CommitSender {
    commits: mpsc::Sender<Commit>,
}

impl CommitSender {
    /// Starts the tasks. They end when the last sender is dropped, after everything handed in was written.
    pub(super) fn start(
        environment: &Arc<dyn Environment>,
        store: Arc<dyn Database>,
        publisher: Publisher,
    ) -> Self {
        let (commits, waiting) = mpsc::channel(WAITING);
        let (committed, to_publish) = mpsc::channel(TO_PUBLISH);
        let chats = publisher.chats.clone();
        environment.spawn(Box::pin(publisher.run(to_publish)));
        let (environment, in_doubt) = (environment.clone(), BTreeSet::new());
        let commit_loop = CommitLoop { environment, store, chats, committed, in_doubt, last_at: 0 };
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

    /// Changes a chat. When this returns, those who were taken out receive nothing more.
    pub(super) async fn change_chat(&self, command: ChatCommand) -> Result<Option<ChatRecord>, Refusal> {
        let (reply, answer) = oneshot::channel();
        if self.commits.try_send(Commit::ChangeChat { command, reply }).is_err() {
            return Err(Refusal::of(ErrorCode::Unavailable));
        }
        answer.await.unwrap_or_else(|_| Err(Refusal::of(ErrorCode::Unavailable)))
    }

    /// Remembers whose a session is. There is no answer: if it cannot be stored, it is bound for as long as it stays
    /// connected.
    pub fn bind_session(&self, session: Uuid, user: Arc<str>) {
        if self.commits.try_send(Commit::BindSession { session, user }).is_err() {
            tracing::warn!("session not stored: too many commits are waiting");
        }
    }

    /// Removes one step of what is no longer needed. `None`: too much waits to be written.
    pub(super) async fn cleanup(&self) -> Option<Result<Removed, Error>> {
        let (reply, answer) = oneshot::channel();
        self.commits.try_send(Commit::Cleanup { reply }).ok()?;
        answer.await.ok()
    }
}

/// What goes into one transaction.
#[derive(Default)]
struct Batch {
    entries: Vec<NewEntry>,
    /// Each connection with how many of the entries are its own.
    groups: Vec<(MailboxSender, usize)>,
    sessions: Vec<(Uuid, Arc<str>)>,
}

struct CommitLoop {
    environment: Arc<dyn Environment>,
    store: Arc<dyn Database>,
    chats: Arc<ChatRegistry>,
    committed: mpsc::Sender<Committed>,
    /// Channels whose last transaction failed: it may have happened all the same, and then nobody was told.
    in_doubt: BTreeSet<Channel>,
    last_at: u64,
}

impl CommitLoop {
    async fn run(mut self, mut commits: mpsc::Receiver<Commit>) {
        let mut cleanup = self.sleep(0);
        let mut look_again = self.sleep(0);
        loop {
            let first = tokio::select! {
                biased;
                () = &mut cleanup => {
                    cleanup = self.sleep(CLEANUP_EVERY_MS);
                    if let Err(error) = self.store.cleanup(self.environment.wall_ms()).await {
                        tracing::warn!(%error, "cleanup failed");
                    }
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

    /// Writes a commit together with those that wait behind it. An error says that nobody publishes any more.
    async fn commit(
        &mut self,
        first: Option<Commit>,
        commits: &mut mpsc::Receiver<Commit>,
    ) -> Result<(), Closed> {
        let mut batch = Batch::default();
        let mut next = first.or_else(|| commits.try_recv().ok());
        // What came before a change of a chat is stored before it, what comes after it later.
        let mut last = None;
        while let Some(commit) = next {
            match commit {
                Commit::Append { entries, reply } => {
                    batch.groups.push((reply, entries.len()));
                    batch.entries.extend(entries);
                }
                Commit::BindSession { session, user } => batch.sessions.push((session, user)),
                commit @ (Commit::ChangeChat { .. } | Commit::Cleanup { .. }) => {
                    last = Some(commit);
                    break;
                }
            }
            let full = batch.entries.len() >= GROUP || batch.sessions.len() >= GROUP;
            next = if full { None } else { commits.try_recv().ok() };
        }
        // The clock may be set back; the times in a log are not.
        self.last_at = self.environment.wall_ms().max(self.last_at);
        if !batch.entries.is_empty() {
            let groups = self.append_all(batch.entries, batch.groups).await?;
            self.publish(Committed::Appended(groups)).await?;
        }
        match last {
            Some(Commit::ChangeChat { command, reply }) => {
                let log = command.log();
                let (store, chats) = (&*self.store, &self.chats);
                let stored =
                    chat_changes::store(&*self.environment, store, chats, self.last_at, command).await;
                if stored.as_ref().is_err_and(|refusal| refusal.code == ErrorCode::Unavailable) {
                    self.in_doubt.extend(log);
                }
                self.publish(Committed::ChatChanged { stored, reply }).await?;
            }
            Some(Commit::Cleanup { reply }) => {
                // An error says that nobody waits for the answer any more.
                let _ = reply.send(self.store.cleanup(self.last_at).await);
            }
            Some(Commit::Append { .. } | Commit::BindSession { .. }) | None => {}
        }
        if !batch.sessions.is_empty()
            && let Err(error) = self.store.bind_sessions(self.last_at, &batch.sessions).await
        {
            tracing::warn!(%error, "sessions not stored");
        }
        Ok(())
    }

    async fn publish(&self, committed: Committed) -> Result<(), Closed> {
        self.committed.send(committed).await.map_err(|_| Closed)
    }

    async fn append_all(
        &mut self,
        mut entries: Vec<NewEntry>,
        groups: Vec<(MailboxSender, usize)>,
    ) -> Result<Vec<Group>, Closed> {
        // As of now: members change in this task only.
        for entry in entries.iter_mut().filter(|entry| entry.permission == SendPermission::AsMember) {
            entry.permission = permission(&self.chats, entry);
        }
        #[cfg(feature = "planted")]
        let answered = self.hurry(&entries, &groups).await?;
        #[cfg(not(feature = "planted"))]
        let answered = false;
        let mut outcomes = self.append(&entries, &groups).await;
        if planted!(self.environment, CommitReportedFailed) {
            outcomes.fill(None);
            self.in_doubt.clear();
        }
        Ok(sort_out(entries, groups, outcomes, answered))
    }

    /// Stores everything in one transaction. If that fails and several connections are in it, each is tried alone: what
    /// one of them sends must not be able to keep the others from being stored.
    async fn append(
        &mut self,
        entries: &[NewEntry],
        groups: &[(MailboxSender, usize)],
    ) -> Vec<Option<Vec<Outcome>>> {
        match self.store.append(self.last_at, entries).await {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                return groups.iter().map(|(_, n)| Some(outcomes.by_ref().take(*n).collect())).collect();
            }
            Err(error) => {
                tracing::error!(%error, entries = entries.len(), connections = groups.len(), "commit failed");
                self.in_doubt.extend(entries.iter().map(|entry| entry.channel.clone()));
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
            // One more failure says that it is the store: do not try it a thousand times.
            let outcomes = if failed { None } else { self.store.append(self.last_at, group).await.ok() };
            failed |= outcomes.is_none() && !each.iter().any(Option::is_some);
            each.push(outcomes);
        }
        each
    }

    /// Looks into some of the logs whose last transaction was reported as failed: what is in them was stored, and is
    /// published. Returns whether the store answered.
    async fn find_in_doubt(&mut self) -> Result<bool, Closed> {
        for _ in 0..LOOKS {
            let Some(channel) = self.in_doubt.first().cloned() else { break };
            let Ok(log) = self.store.log(&channel).await else { return Ok(false) };
            if log.head > 0 {
                // The last entry is enough: whoever misses those before it reads them from the store.
                let Ok(page) = self.store.page(&channel, log.head - 1, FOUND).await else { return Ok(false) };
                self.publish(Committed::Found(page.entries)).await?;
            }
            self.in_doubt.remove(&channel);
        }
        Ok(true)
    }
}

/// The other task is gone.
struct Closed;

/// What a chat's member may do now.
fn permission(chats: &ChatRegistry, entry: &NewEntry) -> SendPermission {
    match chats.role_in(&entry.channel, &entry.user) {
        Some(Role::Owner) => SendPermission::Owner,
        Some(Role::Member) => SendPermission::Member,
        role => SendPermission::Refused(not_for(role)),
    }
}

/// What became of the entries of each connection.
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
            let entries = new_entries(group.iter(), outcomes.as_deref().unwrap_or_default());
            Group { reply, entries, outcomes, answered }
        })
        .collect()
}
