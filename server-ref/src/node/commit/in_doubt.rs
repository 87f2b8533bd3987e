//! Transactions in doubt: they were reported as failed, but may have been committed, and then their entries are still
//! unpublished. Only the logs for which that matters are remembered: somebody is subscribed here, or a chat is sorted by its
//! last message. Whoever subscribes later reads the log. However long the store fails, there are no more of them than
//! subscribed channels and chats.
//!
//! The same for chats whose last change or deletion was reported as failed: until it is known whether it was committed, nothing else
//! can be decided about them, and nothing is stored in a chat that may be deleted. And for bans, revocations and requests to erase a
//! user: if they are stored they apply, whatever the back end was told.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{
    Channel,
    channels::{chat_of, chat_of_messages},
};

use super::{Closed, CommitLoop};
use crate::{
    chats::ChatRegistry,
    hub::Hub,
    model::{
        ban::{AccessChange, Revocation, Revoked},
        log::PageBounds,
    },
    node::{chat_changes, publish::Committed},
};

/// How many are remembered before it is checked for which of them it still matters.
const FEW: usize = 64;

/// How many chats may be in doubt before no chat can be changed.
const MOST_CHATS: usize = 4096;

/// Maximum bans, revocations and erasures in doubt. Beyond it no more are accepted.
const MOST_CHANGES: usize = 1024;

/// How many such logs are checked between two transactions.
const LOOKS: usize = 64;

/// The page that is read from such a log.
const FOUND: PageBounds = PageBounds { entries: 1, bytes: usize::MAX };

#[derive(Debug)]
pub(super) struct InDoubt {
    hub: Arc<Hub>,
    chats: Arc<ChatRegistry>,
    channels: BTreeSet<Channel>,
    /// When there are more, those that no longer matter are forgotten.
    most: usize,
    /// Whether it may be deleted, of each chat.
    chats_changed: BTreeMap<Arc<str>, bool>,
    users_changed: VecDeque<UserChange>,
}

/// A change that concerns users, reported as failed.
#[derive(Debug, Clone)]
pub(super) enum UserChange {
    Access(AccessChange),
    /// The revocation that was to be stored with the request to erase its user.
    Erasure(Arc<str>, Revocation),
}

impl InDoubt {
    pub(super) fn new(hub: Arc<Hub>, chats: Arc<ChatRegistry>) -> Self {
        Self {
            hub,
            chats,
            channels: BTreeSet::new(),
            most: FEW,
            chats_changed: BTreeMap::new(),
            users_changed: VecDeque::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.chats_changed.is_empty() && self.users_changed.is_empty()
    }

    /// A transaction with entries of these channels was reported as failed.
    pub(super) fn add(&mut self, channels: impl IntoIterator<Item = Channel>) {
        for channel in channels {
            if self.matters(&channel) {
                self.channels.insert(channel);
            }
        }
        if self.channels.len() > self.most {
            let mut channels = std::mem::take(&mut self.channels);
            channels.retain(|channel| self.matters(channel));
            // Twice as many as are left, so that the cost of looking through them stays in proportion.
            self.most = FEW.max(2 * channels.len());
            self.channels = channels;
        }
    }

    /// A change of a chat was reported as failed.
    pub(super) fn add_chat(&mut self, chat: Arc<str>) {
        self.chats_changed.entry(chat).or_default();
    }

    /// The deletion of a chat was reported as failed.
    pub(super) fn add_deletion(&mut self, chat: Arc<str>) {
        self.chats_changed.insert(chat, true);
    }

    /// Whether a channel belongs to a chat that may be deleted.
    pub(super) fn may_be_deleted(&self, channel: &Channel) -> bool {
        !self.chats_changed.is_empty()
            && chat_of(channel).is_some_and(|chat| self.chats_changed.get(chat) == Some(&true))
    }

    /// A change that concerns users was reported as failed.
    pub(super) fn add_user_change(&mut self, change: UserChange) {
        self.users_changed.push_back(change);
    }

    /// Whether nothing of this kind can be changed now.
    pub(super) fn is_full_of_user_changes(&self) -> bool {
        self.users_changed.len() >= MOST_CHANGES
    }

    /// Whether a chat cannot be changed now.
    pub(super) fn has_chat(&self, chat: &str) -> bool {
        self.chats_changed.len() >= MOST_CHATS || self.chats_changed.contains_key(chat)
    }

    /// The next chat to be read again.
    pub(super) fn first_chat(&self) -> Option<Arc<str>> {
        self.chats_changed.first_key_value().map(|(chat, _)| chat.clone())
    }

    /// The state of a chat is known.
    pub(super) fn remove_chat(&mut self, chat: &str) {
        self.chats_changed.remove(chat);
    }

    /// The next one to be checked.
    pub(super) fn first(&self) -> Option<Channel> {
        self.channels.first().cloned()
    }

    /// What was stored is published.
    pub(super) fn remove(&mut self, channel: &Channel) {
        self.channels.remove(channel);
    }

    pub(super) fn clear(&mut self) {
        self.channels.clear();
    }

    fn matters(&self, channel: &Channel) -> bool {
        self.hub.subscribers(channel) > 0
            || chat_of_messages(channel).is_some_and(|chat| self.chats.get(chat).is_some())
    }
}

impl CommitLoop {
    /// Checks some of the chats and logs whose last transaction was reported as failed: if it happened, the chat is what it
    /// made of it, and its entries are published. Returns whether the store answered.
    pub(super) async fn find_in_doubt(&mut self) -> Result<bool, Closed> {
        for _ in 0..LOOKS {
            let Some(chat) = self.in_doubt.first_chat() else { break };
            let Ok(stored) = self.store.chat(&chat).await else { return Ok(false) };
            match stored {
                Some(record) => {
                    if let Some(gone) = chat_changes::found(&self.chats, &record) {
                        self.publish(Committed::ChatFound(record, gone)).await?;
                    }
                }
                None => {
                    if let Some(known) = self.chats.get(&chat) {
                        self.chat_is_deleted(known.room).await?;
                    }
                }
            }
            self.in_doubt.remove_chat(&chat);
        }
        if !self.find_user_changes().await {
            return Ok(false);
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

    /// Looks whether changes that concern users happened. Returns whether the store answered.
    async fn find_user_changes(&mut self) -> bool {
        for _ in 0..LOOKS {
            let Some(change) = self.in_doubt.users_changed.front().cloned() else { break };
            let (access, erased) = match change {
                UserChange::Access(access) => (access, None),
                UserChange::Erasure(user, tokens) => (AccessChange::Revoke(tokens), Some(user)),
            };
            let Ok(happened) = self.store.has_changed(&access).await else { return false };
            match erased {
                Some(user) if happened => self.erasure_has_begun(user, access),
                None if happened => self.access_has_changed(access),
                Some(_) | None => {}
            }
            self.in_doubt.users_changed.pop_front();
        }
        true
    }

    /// A ban, its end or a revocation is stored, and nobody waits for it any more.
    fn access_has_changed(&self, change: AccessChange) {
        let concerned = match &change {
            AccessChange::Ban(ban) => Some(Revoked::User(ban.user.clone())),
            AccessChange::Revoke(Revocation { of, .. }) => Some(of.clone()),
            AccessChange::Unban(_) => None,
        };
        self.bans.apply(change, self.environment.wall_ms());
        match concerned {
            Some(Revoked::User(user)) => self.users.sessions.check_user(&user),
            Some(Revoked::Token(token)) => self.users.sessions.check_token(&token),
            None => 0,
        };
    }
}

#[cfg(test)]
mod tests {
    use everwire_protocol::{ChatKind, Member, Uuid};

    use super::*;
    use crate::{
        connection::mailbox::mailbox,
        model::chat::{ChatRecord, Room},
    };

    fn channel(name: &str) -> Channel {
        name.parse().unwrap()
    }

    fn subscribe(hub: &Hub, name: &str) {
        let member = Member { user: "a".into(), name: None, status: None };
        hub.subscribe(&channel(name), (Uuid::from_u128(1), 1), &mailbox(1).0, member);
    }

    fn in_doubt() -> InDoubt {
        let room = Room {
            id: "7".into(),
            kind: ChatKind::Group,
            title: None,
            open: false,
            created_at: 0,
            participants: Vec::new(),
        };
        let chats = ChatRegistry::of([ChatRecord { room: Arc::new(room), at: 0 }]);
        InDoubt::new(Arc::new(Hub::new(10)), Arc::new(chats))
    }

    #[test]
    fn remembered_is_what_somebody_waits_for_and_what_sorts_a_chat() {
        let mut in_doubt = in_doubt();
        subscribe(&in_doubt.hub, "news");
        let names = ["weather", "private-chat.8", "private-chat.7", "news"];
        in_doubt.add(names.map(channel));
        assert_eq!(in_doubt.first(), Some(channel("news")));
        in_doubt.remove(&channel("news"));
        assert_eq!(in_doubt.first(), Some(channel("private-chat.7")));
        in_doubt.remove(&channel("private-chat.7"));
        assert!(in_doubt.is_empty());
    }

    #[test]
    fn a_chat_in_doubt_cannot_be_changed_and_many_of_them_stop_all_changes() {
        let mut in_doubt = in_doubt();
        in_doubt.add_chat("7".into());
        assert!(in_doubt.has_chat("7") && !in_doubt.has_chat("8") && !in_doubt.is_empty());
        in_doubt.remove_chat("7");
        assert!(!in_doubt.has_chat("7") && in_doubt.is_empty());
        in_doubt.add_deletion("7".into());
        in_doubt.add_chat("7".into());
        in_doubt.add_chat("9".into());
        let may_be_deleted = |name| in_doubt.may_be_deleted(&channel(name));
        assert!(may_be_deleted("private-chat.7") && !may_be_deleted("private-chat.9"));
        in_doubt.remove_chat("7");
        in_doubt.remove_chat("9");
        (0..MOST_CHATS).for_each(|n| in_doubt.add_chat(format!("{n}").into()));
        assert!(in_doubt.has_chat("another"));
    }

    #[test]
    fn an_outage_of_the_store_does_not_fill_the_memory() {
        let mut in_doubt = in_doubt();
        // Subscribers come, send something that fails, and leave; and others send to channels that nobody hears.
        for n in 0..10_000 {
            let heard = format!("heard{n}");
            subscribe(&in_doubt.hub, &heard);
            in_doubt.add([channel(&heard), channel(&format!("unheard{n}"))]);
            if n >= 100 {
                in_doubt.hub.leave(0, &channel(&heard), Uuid::from_u128(1), true);
            }
        }
        assert!(in_doubt.channels.len() <= 200, "{}", in_doubt.channels.len());
        // Nobody is left out who still waits.
        assert!((0..100).all(|n| in_doubt.channels.contains(&channel(&format!("heard{n}")))));
    }
}
