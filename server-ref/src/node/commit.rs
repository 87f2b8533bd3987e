//! The commit loop: the only task that writes. Everything that is waiting when a transaction is done goes into the next one,
//! so concurrent senders share the cost of reaching the disk, and nothing waits for a timer.
//!
//! A second task publishes what was stored (see [`super::publish`]) while the next transaction is in progress.

mod append;
mod batch;
pub(super) mod erasing;
mod in_doubt;
#[cfg(feature = "planted")]
mod planted_bugs;
mod sender;

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{ErrorCode, Uuid};
use tokio::sync::mpsc;

use batch::{Batch, ChangeReply};
use erasing::{Erasures, Forgetting};
use in_doubt::{InDoubt, UserChange};
use sender::Commit;
pub use sender::CommitSender;

use super::{
    chat_changes::{ChatCommand, Keeping},
    publish::{Committed, Publisher},
};
use crate::{
    Error,
    auth::Bans,
    chats::ChatRegistry,
    environment::{Environment, Task, planted},
    model::{ban::AccessChange, identity::Refusal},
    store::Database,
};

/// Maximum transactions that wait to be published. If publishing cannot keep up, the commit loop waits.
const TO_PUBLISH: usize = 16;

/// How often the cleanup runs, in ms.
const CLEANUP_EVERY_MS: u64 = 5 * 60 * 1000;

/// The least time between two steps of a cleanup, in ms.
const CLEANUP_STEP_MS: u64 = 20;

/// How soon a log with an uncertain last transaction is checked again, in ms.
const LOOK_AGAIN_MS: u64 = 1000;

/// Starts the commit loop and the task that publishes. They end when the last handle is dropped, after
/// everything submitted was written.
pub(super) fn start(
    environment: &Arc<dyn Environment>,
    store: Arc<dyn Database>,
    bans: Arc<Bans>,
    erasures: Erasures,
    users: Forgetting,
    publisher: Publisher,
) -> CommitSender {
    let (commits, waiting) = CommitSender::new();
    let (committed, to_publish) = mpsc::channel(TO_PUBLISH);
    let chats = publisher.chats.clone();
    let in_doubt = InDoubt::new(publisher.hub.clone(), chats.clone());
    environment.spawn(Box::pin(publisher.run(to_publish)));
    let environment = environment.clone();
    let commit_loop = CommitLoop {
        environment,
        store,
        chats,
        bans,
        committed,
        in_doubt,
        erasures,
        users,
        held: VecDeque::new(),
        clean_up_now: false,
        believed: None,
    };
    commit_loop.environment.clone().spawn(Box::pin(commit_loop.run(waiting)));
    commits
}

struct CommitLoop {
    environment: Arc<dyn Environment>,
    store: Arc<dyn Database>,
    chats: Arc<ChatRegistry>,
    bans: Arc<Bans>,
    committed: mpsc::Sender<Committed>,
    in_doubt: InDoubt,
    erasures: Erasures,
    users: Forgetting,
    /// What waits for the next turn.
    held: VecDeque<Commit>,
    /// Whether a cleanup has more to do than usual.
    clean_up_now: bool,
    /// The wall clock of the last cleanup, as far as it was believed, and the monotonic time.
    believed: Option<(u64, u64)>,
}

impl CommitLoop {
    async fn run(mut self, mut commits: mpsc::Receiver<Commit>) {
        // Not at once: a start has better things to do.
        let mut cleanup = self.sleep(CLEANUP_EVERY_MS);
        let mut look_again = self.sleep(0);
        let mut erase = self.sleep(0);
        loop {
            if std::mem::take(&mut self.clean_up_now) {
                cleanup = self.sleep(CLEANUP_STEP_MS);
            }
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
                () = &mut erase, if !self.erasures.is_empty() => {
                    let began_at = self.environment.now_ms();
                    let doubted = !self.in_doubt.is_empty();
                    let Ok(wait) = self.erase().await else { return };
                    let step = CLEANUP_STEP_MS + 10 * (self.environment.now_ms() - began_at);
                    erase = self.sleep(step.max(wait));
                    // Not once more: steps that come sooner would put it off for ever.
                    if !doubted && !self.in_doubt.is_empty() {
                        look_again = self.sleep(LOOK_AGAIN_MS);
                    }
                    continue;
                }
                () = &mut look_again, if !self.in_doubt.is_empty() => None,
                () = std::future::ready(()), if !self.held.is_empty() => None,
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
        let mut waiting = std::mem::take(&mut self.held);
        waiting.extend(first);
        let mut batch = Batch::default();
        batch.fill(|| waiting.pop_front().or_else(|| commits.try_recv().ok()));
        self.held = batch.take_held();
        self.held.append(&mut waiting);
        // Read afresh: a clock that was ahead for a moment must not leave all later times ahead. Times in a log may go back.
        let at = self.environment.wall_ms();
        if !batch.entries.is_empty() {
            let groups = self.append_all(at, batch.entries, batch.groups).await?;
            self.publish(Committed::Appended(groups)).await?;
        }
        if !batch.changes.is_empty() {
            self.change_chats(at, batch.changes).await?;
        }
        match batch.last {
            Some(Commit::ChangeAccess { change, reply }) => {
                let stored = self.change_access(change, at).await;
                // An error means that the receiver of the answer was dropped.
                let _ = reply.send(stored);
            }
            Some(Commit::DeleteChat { chat, reply }) => {
                let deleted = self.delete_chat(&chat).await?;
                // An error means that the receiver of the answer was dropped.
                let _ = reply.send(deleted);
            }
            Some(Commit::EraseUser { user, until, reply }) => {
                let begun = self.begin_erasure(user, until, at).await;
                // An error means that the receiver of the answer was dropped.
                let _ = reply.send(begun);
            }
            Some(Commit::Cleanup { reply }) => {
                // An error means that the receiver of the answer was dropped.
                let now = self.cleanup_time();
                let _ = reply.send(self.store.cleanup(now).await);
            }
            Some(Commit::Append { .. } | Commit::BindSession { .. } | Commit::ChangeChat { .. }) | None => {}
        }
        self.bind_sessions(at, &batch.sessions).await;
        Ok(())
    }

    /// Changes chats, each at most one time. Returns whether all changes are stored, as far as they were permitted.
    async fn change_chats(
        &mut self,
        at: u64,
        changes: Vec<(ChatCommand, ChangeReply)>,
    ) -> Result<bool, Closed> {
        let (mut commands, mut replies) = (Vec::new(), Vec::new());
        for (command, reply) in changes {
            if self.in_doubt.has_chat(command.chat()) {
                let stored = Err(Refusal::of(ErrorCode::Unavailable));
                self.publish(Committed::ChatChanged { stored, reply }).await?;
            } else {
                replies.push((command.log(), command.chat().clone(), reply));
                commands.push(command);
            }
        }
        let mut all = true;
        let results = self.keeping().store(at, commands).await;
        for (stored, (log, chat, reply)) in results.into_iter().zip(replies) {
            if stored.as_ref().is_err_and(|refusal| refusal.code == ErrorCode::Unavailable) {
                // It may have happened all the same.
                self.in_doubt.add(log);
                if !planted!(self.environment, ChatsInDoubtForgotten) {
                    self.in_doubt.add_chat(chat);
                }
            }
            all &= stored.is_ok();
            self.publish(Committed::ChatChanged { stored, reply }).await?;
        }
        Ok(all)
    }

    fn keeping(&self) -> Keeping<'_> {
        let Self { environment, store, chats, bans, .. } = self;
        Keeping { environment: &**environment, store: &**store, chats, bans }
    }

    /// Bans, ends a ban, or revokes tokens.
    async fn change_access(&mut self, change: AccessChange, at: u64) -> Result<(), Error> {
        if self.in_doubt.is_full_of_user_changes() {
            return Err(Error::Unavailable("too many outcomes are unknown".into()));
        }
        let stored = self.store.change_access(&change).await;
        match stored {
            Ok(()) => self.bans.apply(change, at),
            // It may have happened all the same.
            Err(_) => self.in_doubt.add_user_change(UserChange::Access(change)),
        }
        stored
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
}

/// The publishing task has ended.
struct Closed;
