//! Erasures in the commit loop: one small step at a time, so that senders do not wait, until nothing is kept of a user. First the
//! user leaves all chats, then messages and everything else go. What was under way when the erasure began may leave traces
//! behind; so it ends only after a while, when nothing more is found.

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{Channel, ERASED_EVENT, ErasedEntries, Payload};
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

/// How soon a step is tried again when the store is unavailable, in ms.
const AGAIN_MS: u64 = 1_000;

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
        self.waiting.push_back(Erasure { user, from: Place::default(), ends_at: now_ms + self.settle_ms });
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
        let Some(Erasure { user, from, ends_at }) = self.erasures.waiting.pop_front() else { return Ok(0) };
        if let Some((chat, _)) = self.chats.roles_of(&user).into_iter().next() {
            let left = self.leave_chat(&chat, &user).await?;
            self.erasures.waiting.push_front(Erasure { user, from, ends_at });
            return Ok(if left { 0 } else { AGAIN_MS });
        }
        let at = self.environment.wall_ms();
        let environment = self.environment.clone();
        let report = move |channel: &Channel, offsets: &[u64]| report(&*environment, channel, offsets);
        let next = match self.store.erase_some(at, &user, from, &report).await {
            Ok(Erased { blanked, unnamed, reports, next }) => {
                self.publish(Committed::Erased { at, blanked, unnamed, reports }).await?;
                next
            }
            Err(error) => {
                tracing::warn!(%error, "erasure waits");
                // It may have happened all the same, and the cached entries have the text.
                self.publish(Committed::Doubtful).await?;
                self.erasures.waiting.push_front(Erasure { user, from, ends_at });
                return Ok(AGAIN_MS);
            }
        };
        let now = self.environment.now_ms();
        if let Some(from) = next {
            self.erasures.waiting.push_front(Erasure { user, from, ends_at });
            return Ok(0);
        }
        if now >= ends_at && self.store.end_erasure(&user).await.is_ok() {
            self.bans.set_erasing(&user, false);
            // The user's own channel is left to it.
            self.clean_up_now = true;
            tracing::info!("a user was erased");
            return Ok(0);
        }
        // Others first, then everything once more.
        self.erasures.waiting.push_back(Erasure { user, from: Place::default(), ends_at });
        let earliest = self.erasures.waiting.iter().map(|erasure| erasure.ends_at).min();
        let fresh = self.erasures.waiting.iter().any(|erasure| erasure.from != Place::default());
        Ok(if fresh { 0 } else { earliest.unwrap_or(now).saturating_sub(now).clamp(1, AGAIN_MS) })
    }

    /// Removes the user from a chat, and deletes a chat in which nobody is left. Returns whether it was possible.
    async fn leave_chat(&mut self, chat: &Arc<str>, user: &Arc<str>) -> Result<bool, Closed> {
        let command = ChatCommand {
            actor: Actor::BackEnd,
            chat: chat.clone(),
            command: Command::Remove { user: user.clone() },
        };
        let (store, chats, bans) = (&*self.store, &self.chats, &self.bans);
        let at = self.environment.wall_ms();
        let stored = chat_changes::store(&*self.environment, store, chats, bans, at, command).await;
        // Whatever the reason, a refusal is not repeated at once.
        let done = stored.is_ok();
        let (reply, _) = oneshot::channel();
        self.publish(Committed::ChatChanged { stored, reply }).await?;
        let empty = self.chats.get(chat).is_some_and(|known| known.room.members().next().is_none());
        if done && empty {
            return self.delete_chat(chat).await.map(|deleted| deleted.is_ok());
        }
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
