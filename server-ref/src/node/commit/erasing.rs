//! Erasures in the commit loop: one small step at a time, so that senders do not wait, until nothing is kept of a user. First the
//! user leaves all chats, then messages and everything else go. What was under way when the erasure began may leave traces
//! behind; so it ends only after a while, when nothing more is found.
//!
//! A step that fails holds up neither other erasures nor the rest of its own: it is tried again in the next pass.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{
    Channel, ERASED_EVENT, ErasedEntries, ErrorCode, Payload, channels::messages_channel,
};
use tokio::sync::oneshot;

use super::{Closed, CommitLoop};
use crate::{
    Error,
    chats::{Actor, Command},
    environment::Environment,
    model::{
        ban::{AccessChange, Revocation, Revoked},
        log::{NewEntry, SendPermission},
    },
    node::{
        chat_changes::{self, ChatCommand},
        publish::Committed,
    },
    store::erasure::{Erased, Place},
};

/// How soon an erasure goes on after a step that failed, in ms.
const AGAIN_MS: u64 = 1_000;

/// How soon the next pass begins if all that is left are chats that could not be left, in ms: each pass looks through every entry
/// about members.
const NEXT_PASS_MS: u64 = 10_000;

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
        let tokens = Revocation { of: Revoked::User(user.clone()), at, until };
        self.store.begin_erasure(&user, &tokens).await?;
        self.bans.apply(AccessChange::Revoke(tokens), at);
        self.bans.set_erasing(&user, true);
        self.erasures.add(user, self.environment.now_ms());
        Ok(())
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
        let at = self.environment.wall_ms();
        let environment = self.environment.clone();
        let report = move |channel: &Channel, offsets: &[u64]| report(&*environment, channel, offsets);
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
                self.publish(Committed::Doubtful).await?;
                erasure.not_before = self.environment.now_ms() + AGAIN_MS;
                self.erasures.waiting.push_back(erasure);
                return Ok(());
            }
        }
        let now = self.environment.now_ms();
        let over = now >= erasure.ends_at;
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
        let (store, chats, bans) = (&*self.store, &self.chats, &self.bans);
        let at = self.environment.wall_ms();
        let stored = chat_changes::store(&*self.environment, store, chats, bans, at, command).await;
        if stored.as_ref().is_err_and(|refusal| refusal.code == ErrorCode::Unavailable) {
            // It may have happened all the same.
            self.in_doubt.add(messages_channel(chat));
            self.in_doubt.add_chat(chat.clone());
        }
        let done = stored.is_ok();
        let (reply, _) = oneshot::channel();
        self.publish(Committed::ChatChanged { stored, reply }).await?;
        Ok(done)
    }

    /// Deletes a chat. Returns whether there was one.
    pub(super) async fn delete_chat(&mut self, chat: &str) -> Result<Result<bool, Error>, Closed> {
        let Some(known) = self.chats.get(chat) else { return Ok(Ok(false)) };
        if let Err(error) = self.store.delete_chat(&known.room).await {
            tracing::error!(%error, "chat not deleted");
            return Ok(Err(error));
        }
        // From now on the commit loop stores nothing from its members.
        self.chats.remove(chat);
        self.clean_up_now = true;
        let (reply, published) = oneshot::channel();
        self.publish(Committed::ChatDeleted { room: known.room, reply }).await?;
        // When this returns, the members receive nothing more.
        Ok(published.await.map_or(Ok(true), |()| Ok(true)))
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
