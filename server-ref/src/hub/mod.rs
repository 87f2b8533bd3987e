//! The channels of this node: who receives what, and who is present. It passes on entries that are stored already and
//! decides nothing about permissions.
//!
//! Locks, not tasks: every operation is short, and passing an entry on is one push into each subscriber's mailbox. A
//! mailbox never waits. One that is full is marked, and its connection ends itself as a slow consumer, so nobody is
//! slowed by anybody else.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod channel_state;
pub mod pending_presence;
pub mod presence;
mod recent;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use everwire_protocol::{Channel, ChannelKind, Member, MemberJoined, ServerFrame, Uuid, batch};
use tokio::sync::Notify;

use crate::{
    connection::{
        Input,
        mailbox::{MailboxMessage, MailboxSender},
    },
    model::{
        broadcast::{Broadcast, Ephemeral, PresenceChange, Receiver},
        log::{Entry, PageBounds},
        people::PresenceRecord,
    },
};
use channel_state::{ChannelState, Subscriber};
use pending_presence::PendingPresence;
use recent::Recent;

/// Locks are per group of channels, so that a busy channel holds up few others.
const SHARDS: usize = 64;

type Shard = BTreeMap<Channel, ChannelState>;

/// The channels of this node.
#[derive(Debug)]
pub struct Hub {
    shards: Vec<Mutex<Shard>>,
    /// How long a leave is held back, in ms.
    grace_ms: u64,
    /// Something may have to be said earlier than before.
    sooner: Notify,
    /// When the next grace in a presence channel is over: until then the channels need not be looked through.
    presence_due: AtomicU64,
    recent: Recent,
    /// The channel whose members are listed elsewhere.
    elsewhere: Option<Channel>,
    /// Who has come to presence channels and gone, where that is remembered.
    pending: Option<Arc<PendingPresence>>,
    published: AtomicU64,
    /// How often a channel was looked up: what telling costs, for tests.
    #[cfg(test)]
    pub(crate) lookups: AtomicU64,
}

impl Hub {
    /// A node without channels. `grace_ms` is how long a leave is held back.
    pub fn new(grace_ms: u64) -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            grace_ms,
            sooner: Notify::new(),
            presence_due: AtomicU64::new(u64::MAX),
            recent: Recent::default(),
            elsewhere: None,
            pending: None,
            published: AtomicU64::new(0),
            #[cfg(test)]
            lookups: AtomicU64::new(0),
        }
    }

    /// The same, but changes in presence channels are collected in `pending` to be stored, and the members of the channel
    /// `elsewhere` are not its subscribers.
    #[must_use]
    pub fn with_pending(self, pending: Arc<PendingPresence>, elsewhere: Option<Channel>) -> Self {
        Self { pending: Some(pending), elsewhere, ..self }
    }

    /// Users who were present in channels when the server was stopped have until `leaves_at` to come back.
    pub fn expect_members(&self, all: Vec<PresenceRecord>, leaves_at: u64) {
        for PresenceRecord { channel, user, name, .. } in all {
            if self.lists_members(&channel) {
                let mut shard = self.shard(&channel);
                let state = shard.entry(channel).or_default();
                state.presence.get_or_insert_default().expect(user, name, leaves_at);
            }
        }
        self.presence_due.fetch_min(leaves_at, Ordering::Relaxed);
        self.sooner.notify_one();
    }

    /// All who are present in channels, or were a moment ago.
    pub fn presence(&self) -> Vec<PresenceRecord> {
        let mut all = Vec::new();
        for shard in &self.shards {
            for (channel, state) in &*lock(shard) {
                let members = state.presence.iter().flat_map(|presence| presence.members().0);
                all.extend(members.map(|Member { user, name, .. }| {
                    let channel = channel.clone();
                    PresenceRecord { channel, user, name, here: true }
                }));
            }
        }
        all
    }

    /// A user has come or gone, which is to be stored. Called with the channel's lock, so that it is in the order of the
    /// changes.
    fn store_later(&self, channel: &Channel, user: &str, here: bool, name: Option<&str>) {
        if let Some(pending) = &self.pending {
            pending.add(channel, user, here, name);
        }
    }

    /// Whether a channel lists those who subscribe to it.
    fn lists_members(&self, channel: &Channel) -> bool {
        channel.kind() == ChannelKind::Presence && self.elsewhere.as_ref() != Some(channel)
    }

    fn shard(&self, channel: &Channel) -> MutexGuard<'_, Shard> {
        #[cfg(test)]
        self.lookups.fetch_add(1, Ordering::Relaxed);
        // The same shard in every process: a run can be repeated. A client that fills one shard only slows its lock down.
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(channel);
        lock(&self.shards[hash as usize % self.shards.len()])
    }

    /// Adds a connection to a channel's subscribers; nothing happens if it is one already.
    pub fn subscribe(&self, channel: &Channel, connection: Uuid, mailbox: &MailboxSender, member: Member) {
        let mut shard = self.shard(channel);
        let state = shard.entry(channel.clone()).or_default();
        state.subscribers.entry(connection).or_insert_with(|| {
            let (user, mailbox) = (member.user.as_str().into(), mailbox.clone());
            Subscriber { user, mailbox }
        });
        if self.lists_members(channel) {
            let presence = state.presence.get_or_insert_default();
            if let Some(version) = presence.enter(connection, &member) {
                self.store_later(channel, &member.user, true, member.name.as_deref());
                let joined = MemberJoined { channel: channel.clone(), member };
                state.tell_change(channel, version, Some(connection), &joined.into());
            }
        }
    }

    /// Removes a connection from a channel's subscribers. Its user leaves with the last one, `at_once` or after the
    /// grace.
    pub fn leave(&self, now_ms: u64, channel: &Channel, connection: Uuid, at_once: bool) {
        let mut shard = self.shard(channel);
        let Some(state) = shard.get_mut(channel) else { return };
        state.subscribers.remove(&connection);
        if let Some(presence) = &mut state.presence {
            let grace_ms = if at_once { 0 } else { self.grace_ms };
            presence.exit(connection, now_ms + grace_ms);
            self.presence_due.fetch_min(now_ms + grace_ms, Ordering::Relaxed);
            for (user, version) in presence.expire(now_ms) {
                self.store_later(channel, &user, false, None);
                state.tell_left(channel, &user, version);
            }
            self.sooner.notify_one();
        }
        if state.is_idle() {
            shard.remove(channel);
        }
    }

    /// Who is present, and which changes that contains; `None` if the channel does not list its members.
    pub fn members(&self, channel: &Channel) -> Option<(Vec<Member>, u64)> {
        if !self.lists_members(channel) {
            return None;
        }
        let shard = self.shard(channel);
        let presence = shard.get(channel).and_then(|state| state.presence.as_ref());
        Some(presence.map_or((Vec::new(), 0), presence::Presence::members))
    }

    /// Passes an entry on to all who receive its channel. Entries of one channel must come in order.
    pub fn publish(&self, entry: &Arc<Entry>) {
        self.recent.add(entry);
        self.published.fetch_add(1, Ordering::Relaxed);
        if let Some(state) = self.shard(&entry.channel).get(&entry.channel) {
            state.tell(None, &|| MailboxMessage::Entry(entry.clone()));
        }
    }

    /// Passes on something that is not stored, as of now. `from` is the connection that its sender's session has: a post
    /// sends for that one.
    pub fn pass_on(&self, ephemeral: Ephemeral, from: Option<Uuid>) {
        let Ephemeral { channel, mut frame, who, to, .. } = ephemeral;
        if let ServerFrame::Signalled(signal) = &mut frame {
            signal.from = from.or(signal.from);
        }
        let text = batch::encode_frame(&frame).into();
        let shard = self.shard(&channel);
        let Some(state) = shard.get(&channel) else { return };
        let broadcast = Arc::new(Broadcast { channel: channel.clone(), text, ephemeral: true });
        let tell = |subscriber: &Subscriber| subscriber.mailbox.broadcast(&broadcast);
        match to {
            Receiver::One(connection) => state.subscribers.get(&connection).into_iter().for_each(tell),
            Receiver::Others => {
                let others = state.subscribers.iter().filter(|(connection, _)| Some(**connection) != from);
                others.map(|(_, subscriber)| subscriber).for_each(tell);
            }
            Receiver::OtherUsers => {
                let others = state.subscribers.values().filter(|subscriber| subscriber.user != who.user);
                others.for_each(tell);
            }
        }
    }

    /// Tells of changes in the presence channel that lists its members elsewhere.
    pub fn tell_presence(&self, channel: &Channel, changes: impl Iterator<Item = Arc<PresenceChange>>) {
        let shard = self.shard(channel);
        let Some(state) = shard.get(channel) else { return };
        for change in changes {
            state.tell(None, &|| MailboxMessage::Presence(change.clone()));
        }
    }

    fn connections(&self, channel: &Channel) -> BTreeSet<Uuid> {
        self.shard(channel)
            .get(channel)
            .map_or_else(BTreeSet::new, |state| state.subscribers.keys().copied().collect())
    }

    /// Gives a frame to the connections that are subscribed to its channel: to those of the users whom `to` says, and not
    /// to those that are subscribed to `unless` too.
    pub fn tell(&self, broadcast: &Arc<Broadcast>, to: impl Fn(&str) -> bool, unless: Option<&Channel>) {
        let elsewhere = unless.map_or_else(BTreeSet::new, |other| self.connections(other));
        if let Some(state) = self.shard(&broadcast.channel).get(&broadcast.channel) {
            for (connection, subscriber) in &state.subscribers {
                if to(&subscriber.user) && !elsewhere.contains(connection) {
                    subscriber.mailbox.broadcast(broadcast);
                }
            }
        }
    }

    /// Gives a frame to all who are subscribed to one of these channels, except for connections that are subscribed to
    /// `unless` too.
    pub fn tell_all(&self, channels: impl Iterator<Item = Channel>, text: &Arc<str>, unless: &Channel) {
        let elsewhere = self.connections(unless);
        for channel in channels {
            if let Some(state) = self.shard(&channel).get(&channel) {
                let broadcast =
                    Arc::new(Broadcast { channel: channel.clone(), text: text.clone(), ephemeral: false });
                let here =
                    state.subscribers.iter().filter(|(connection, _)| !elsewhere.contains(*connection));
                for (_, subscriber) in here {
                    subscriber.mailbox.broadcast(&broadcast);
                }
            }
        }
    }

    /// Whether an entry, or a later one of its log, was published here a short while ago.
    pub fn has_published(&self, entry: &Entry) -> bool {
        let last = self.recent.last(&entry.channel);
        last.is_some_and(|(epoch, offset)| epoch == entry.epoch && offset >= entry.offset)
    }

    /// How many channels somebody is subscribed to.
    pub fn channels(&self) -> usize {
        let used =
            |shard: &Mutex<Shard>| lock(shard).values().filter(|state| !state.subscribers.is_empty()).count();
        self.shards.iter().map(used).sum()
    }

    /// How many entries were published since the start: all that were stored.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// A user is no longer a member of the chat that a channel belongs to: ends the user's subscriptions, except for those
    /// that a token grants. What is published afterwards does not reach them.
    pub fn remove_user(&self, channel: &Channel, user: &str) {
        if let Some(state) = self.shard(channel).get(channel) {
            for subscriber in state.subscribers.values().filter(|subscriber| *subscriber.user == *user) {
                subscriber.mailbox.input(Input::Revoked(channel.clone()));
            }
        }
    }

    /// How many connections receive a channel.
    pub fn subscribers(&self, channel: &Channel) -> usize {
        self.shard(channel).get(channel).map_or(0, |state| state.subscribers.len())
    }

    /// What follows on `after` in a channel, if it passed through here a short while ago: one entry at least. `None` if
    /// it has to be read from the store.
    pub fn recent(&self, channel: &Channel, after: u64, bounds: PageBounds) -> Option<Vec<Arc<Entry>>> {
        self.recent.page(channel, after, bounds)
    }

    /// Lets users leave whose grace is over. Returns when to call again.
    pub fn expire(&self, now_ms: u64) -> Option<u64> {
        if self.presence_due.load(Ordering::Relaxed) <= now_ms {
            // Before the channels are looked through: what becomes due meanwhile is not forgotten.
            self.presence_due.store(u64::MAX, Ordering::Relaxed);
            if let Some(due) = self.expire_channels(now_ms) {
                self.presence_due.fetch_min(due, Ordering::Relaxed);
            }
        }
        Some(self.presence_due.load(Ordering::Relaxed)).filter(|due| *due < u64::MAX)
    }

    fn expire_channels(&self, now_ms: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        for shard in &self.shards {
            lock(shard).retain(|channel, state| {
                if let Some(presence) = &mut state.presence {
                    let gone = presence.expire(now_ms);
                    let due = presence.next_expiry();
                    next = next.into_iter().chain(due).min();
                    for (user, version) in gone {
                        self.store_later(channel, &user, false, None);
                        state.tell_left(channel, &user, version);
                    }
                }
                !state.is_idle()
            });
        }
        next
    }

    /// Returns when [`Self::expire`] may have to be called earlier than it said.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }
}

/// A lock whose holder panicked still guards whole data here: every change under it is complete before anything can
/// panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
