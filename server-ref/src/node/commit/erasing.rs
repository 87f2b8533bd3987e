//! Erasures in the commit loop: one small step at a time, so that senders do not wait, until nothing is kept of a user. First the
//! user leaves all chats, then messages and everything else go. What was under way when the erasure began may leave traces
//! behind; so it ends only after a while, when nothing more is found.
//!
//! A step that fails holds up neither other erasures nor the rest of its own: it is tried again in the next pass.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{Channel, ERASED_EVENT, ErasedEntries, Payload};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{Closed, CommitLoop, in_doubt::UserChange};
use crate::{
    Error,
    chats::{Actor, Command},
    environment::{Environment, planted},
    model::{
        ban::{AccessChange, Revocation, Revoked},
        chat::Room,
        log::{NewEntry, SendPermission},
    },
    node::{chat_changes::ChatCommand, publish::Committed, receipts::Receipts},
    sessions::Sessions,
    store::erasure::{Erased, Place},
    users::Users,
};

/// How soon an erasure goes on after a step that failed, in ms.
const AGAIN_MS: u64 = 1_000;

/// How soon the next pass begins if all that is left are chats that could not be left, in ms: each pass looks through every entry
/// about members.
const NEXT_PASS_MS: u64 = 10_000;

/// How many invitations of a user are forgotten in one step.
const INVITATIONS: usize = 200;

/// The users to be erased, in the order of the requests.
#[derive(Debug)]
pub(in crate::node) struct Erasures {
    waiting: VecDeque<Erasure>,
    /// How long an erasure takes at least, in ms: longer than a leave is delayed.
    pub(in crate::node) settle_ms: u64,
}

#[derive(Debug)]
struct Erasure {
    user: Arc<str>,
    from: Place,
    ends_at: u64,
    /// When the next step is due.
    not_before: u64,
    /// Chats that could not be left in this pass.
    failed: BTreeSet<Arc<str>>,
}

/// What a node knows of users in memory, besides permissions.
#[derive(Debug)]
pub(in crate::node) struct Forgetting {
    pub(in crate::node) sessions: Arc<Sessions>,
    pub(in crate::node) users: Arc<Users>,
    pub(in crate::node) receipts: Arc<Receipts>,
}

impl Forgetting {
    /// A user is being erased: the user's connections are about to end.
    fn erasing(&self, user: &Arc<str>) {
        self.sessions.check_user(user);
        self.users.forget(user);
        self.receipts.forget_user(user);
    }
}

impl Erasure {
    /// The next pass, which begins at this time.
    fn again(self, not_before: u64) -> Self {
        Self { from: Place::default(), failed: BTreeSet::new(), not_before, ..self }
    }
}

impl Erasures {
    /// Those that a crash or a stop has interrupted.
    pub(in crate::node) fn resume(users: Vec<Arc<str>>, settle_ms: u64, now_ms: u64) -> Self {
        let mut erasures = Self { waiting: VecDeque::new(), settle_ms };
        for user in users {
            erasures.add(user, now_ms);
        }
        erasures
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn add(&mut self, user: Arc<str>, now_ms: u64) {
        self.waiting.retain(|erasure| erasure.user != user);
        self.waiting.push_back(Erasure {
            user,
            from: Place::default(),
            ends_at: now_ms + self.settle_ms,
            not_before: now_ms,
            failed: BTreeSet::new(),
        });
    }

    /// The first one of which a step is due.
    fn take_due(&mut self, now_ms: u64) -> Option<Erasure> {
        let due = self.waiting.iter().position(|erasure| erasure.not_before <= now_ms)?;
        self.waiting.remove(due)
    }

    /// How long nothing is due, in ms. Not long: another request may come.
    fn idle_ms(&self, now_ms: u64) -> u64 {
        let next = self.waiting.iter().map(|erasure| erasure.not_before).min();
        next.map_or(0, |at| at.saturating_sub(now_ms)).min(AGAIN_MS)
    }
}

impl CommitLoop {
    /// Begins to erase a user: the request is on disk, and nothing more of the user is accepted.
    pub(super) async fn begin_erasure(&mut self, user: Arc<str>, until: u64, at: u64) -> Result<(), Error> {
        if self.in_doubt.is_full_of_user_changes() {
            return Err(Error::Unavailable("too many outcomes are unknown".into()));
        }
        let tokens = Revocation { of: Revoked::User(user.clone()), at, until };
        if let Err(error) = self.store.begin_erasure(&user, &tokens).await {
            self.in_doubt.add_user_change(UserChange::Erasure(user, tokens));
            return Err(error);
        }
        self.erasure_has_begun(user, AccessChange::Revoke(tokens));
        Ok(())
    }

    /// The request to erase a user is stored: nothing more of the user is accepted, and the user's connections are about to end.
    pub(super) fn erasure_has_begun(&mut self, user: Arc<str>, tokens: AccessChange) {
        self.bans.apply(tokens, self.environment.wall_ms());
        self.bans.set_erasing(&user, true);
        self.users.erasing(&user);
        self.erasures.add(user, self.environment.now_ms());
    }

    /// Takes one step. Returns how long to wait before the next one, in ms.
    pub(super) async fn erase(&mut self) -> Result<u64, Closed> {
        if let Some(erasure) = self.erasures.take_due(self.environment.now_ms()) {
            self.erase_some(erasure).await?;
        }
        Ok(self.erasures.idle_ms(self.environment.now_ms()))
    }

    async fn erase_some(&mut self, mut erasure: Erasure) -> Result<(), Closed> {
        let user = erasure.user.clone();
        let mut chats = self.chats.roles_of(&user).into_iter().map(|(chat, _)| chat);
        if let Some(chat) = chats.find(|chat| !erasure.failed.contains(chat)) {
            let done = self.leave_chat(&chat, &user).await?;
            if done {
                self.erasures.waiting.push_front(erasure);
            } else {
                erasure.failed.insert(chat);
                erasure.not_before = self.environment.now_ms() + AGAIN_MS;
                self.erasures.waiting.push_back(erasure);
            }
            return Ok(());
        }
        if planted!(self.environment, ErasureEndsAtOnce) && self.store.end_erasure(&user).await.is_ok() {
            self.bans.set_erasing(&user, false);
            return Ok(());
        }
        let at = self.environment.wall_ms();
        let environment = self.environment.clone();
        // Those of a step that is reported as failed may be stored.
        let reported = Mutex::new(Vec::new());
        let report = |channel: &Channel, offsets: &[u64]| {
            reported.lock().push(channel.clone());
            report(&*environment, channel, offsets)
        };
        match self.store.erase_some(at, &user, erasure.from, &report).await {
            Ok(Erased { blanked, unnamed, reports, next }) => {
                self.publish(Committed::Erased { at, blanked, unnamed, reports }).await?;
                if let Some(from) = next {
                    self.erasures.waiting.push_front(Erasure { from, ..erasure });
                    return Ok(());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "erasure waits");
                // It may have happened all the same, and the cached entries have the text.
                self.in_doubt.add(reported.into_inner());
                self.publish(Committed::Doubtful).await?;
                erasure.not_before = self.environment.now_ms() + AGAIN_MS;
                self.erasures.waiting.push_back(erasure);
                return Ok(());
            }
        }
        let now = self.environment.now_ms();
        let over = now >= erasure.ends_at;
        if self.chats.forget_inviter(&user, INVITATIONS) {
            self.erasures.waiting.push_front(erasure);
            return Ok(());
        }
        if over && erasure.failed.is_empty() && self.store.end_erasure(&user).await.is_ok() {
            self.bans.set_erasing(&user, false);
            // The user's own channel is left to it.
            self.clean_up_now = true;
            tracing::info!("a user was erased");
            return Ok(());
        }
        let next_pass = if over && !erasure.failed.is_empty() {
            tracing::error!(chats = erasure.failed.len(), "a user cannot be erased: chats cannot be left");
            now + NEXT_PASS_MS
        } else {
            erasure.ends_at.clamp(now + 1, now + AGAIN_MS)
        };
        self.erasures.waiting.push_back(erasure.again(next_pass));
        Ok(())
    }

    /// Removes the user from a chat, or deletes a chat in which nobody else is. Returns whether it was possible.
    async fn leave_chat(&mut self, chat: &Arc<str>, user: &Arc<str>) -> Result<bool, Closed> {
        if self.in_doubt.has_chat(chat) {
            return Ok(false);
        }
        let known = self.chats.get(chat);
        if known.is_some_and(|known| known.room.members().all(|member| member.user == *user)) {
            return self.delete_chat(chat).await.map(|deleted| deleted.is_ok());
        }
        let command = ChatCommand {
            actor: Actor::BackEnd,
            chat: chat.clone(),
            command: Command::Remove { user: user.clone() },
        };
        let (reply, _) = oneshot::channel();
        self.change_chats(self.environment.wall_ms(), vec![(command, reply)]).await
    }

    /// Deletes a chat. Returns whether there was one.
    pub(super) async fn delete_chat(&mut self, chat: &Arc<str>) -> Result<Result<bool, Error>, Closed> {
        if self.in_doubt.has_chat(chat) {
            return Ok(Err(Error::Unavailable("the last change of this chat has an unknown outcome".into())));
        }
        let Some(known) = self.chats.get(chat) else { return Ok(Ok(false)) };
        if let Err(error) = self.store.delete_chat(&known.room).await {
            tracing::error!(%error, "chat not deleted");
            if !planted!(self.environment, DeletionsInDoubtForgotten) {
                self.in_doubt.add_deletion(chat.clone());
            }
            return Ok(Err(error));
        }
        let published = self.chat_is_deleted(known.room).await?;
        // When this returns, the members receive nothing more.
        Ok(published.await.map_or(Ok(true), |()| Ok(true)))
    }

    /// The deletion of a chat is stored. Returns what says that it is published.
    pub(super) async fn chat_is_deleted(&mut self, room: Arc<Room>) -> Result<oneshot::Receiver<()>, Closed> {
        // From now on the commit loop stores nothing from its members.
        self.chats.remove(&room.id);
        if let Some(log) = room.log() {
            self.users.receipts.forget_channel(&log);
        }
        self.clean_up_now = true;
        let (reply, published) = oneshot::channel();
        self.publish(Committed::ChatDeleted { room, reply }).await?;
        Ok(published)
    }
}

/// The entry that says which entries of a log were blanked.
fn report(environment: &dyn Environment, channel: &Channel, offsets: &[u64]) -> Option<NewEntry> {
    Some(NewEntry {
        id: environment.new_id(),
        channel: channel.clone(),
        user: Arc::default(),
        name: None,
        event: Some(ERASED_EVENT.into()),
        // Numbers can always be serialized.
        data: Payload::from_value(&ErasedEntries { offsets: offsets.to_vec() }).ok()?,
        action: None,
        target: None,
        permission: SendPermission::Server,
    })
}
