//! The channels of this node: their subscribers and members. It delivers entries that are already stored, and does not check
//! permissions.
//!
//! Locks, not tasks: every operation is short. Entries are delivered to a snapshot of the subscribers, without a lock of the hub:
//! what costs by the number of subscribers delays nobody who uses another channel. An entry goes into the queue of a connection
//! directly, or into its mailbox if the connection is busy; neither waits. A mailbox that is full is marked, and its connection
//! ends itself as a slow consumer, so that no connection is slowed down by another.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod channel_state;
pub mod in_order;
pub mod pending_presence;
pub mod presence;
mod recent;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use everwire_protocol::{Channel, ChannelKind, Member, MemberJoined, MemberLeft, ServerFrame, Uuid, batch};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::{
    connection::{
        Input,
        direct::Flushes,
        mailbox::{MailboxMessage, MailboxSender},
    },
    model::{
        broadcast::{Broadcast, Ephemeral, PresenceChange, Receiver},
        log::{Entry, PageBounds, Rewrite},
        paging::MemberPage,
        people::PresenceRecord,
    },
};
use channel_state::{ChannelState, MemberChange, Subscriber, Subscribers};
use in_order::InOrder;
use pending_presence::PendingPresence;
use recent::Recent;

/// Locks are per group of channels, so that a busy channel delays few others.
const SHARDS: usize = 64;

/// How often a user is told to have left a channel at most, in ms.
const TOLD_EVERY_MS: u64 = 1_000;

type Channels = BTreeMap<Channel, ChannelState>;

/// Some of the channels.
#[derive(Debug, Default)]
struct Shard {
    channels: Mutex<Channels>,
    /// Joins and leaves to be told.
    changes: InOrder<MemberChange>,
}

impl Shard {
    /// Records a join or leave of a channel. Called under the lock; [`Self::tell`] follows.
    fn changed(
        &self,
        channel: &Channel,
        state: &ChannelState,
        version: u64,
        but: Option<Uuid>,
        frame: &ServerFrame,
    ) {
        let text = batch::encode_frame(frame).into();
        let change = Arc::new(PresenceChange { channel: channel.clone(), version, text });
        self.changes.add(MemberChange { to: state.subscribers.clone(), but, change });
    }

    fn deliver(&self) {
        self.changes.deliver(MemberChange::deliver);
    }
}

/// The channels of this node.
#[derive(Debug)]
pub struct Hub {
    shards: Vec<Shard>,
    /// How long a leave is delayed, in ms.
    grace_ms: u64,
    /// Notified when something is due earlier than before.
    sooner: Notify,
    /// When grace periods of presence channels are over, including those of users who have returned since.
    presence_due: Mutex<BTreeSet<(u64, Channel)>>,
    recent: Recent,
    /// The channel whose members are listed elsewhere.
    elsewhere: Option<Channel>,
    /// The presence changes to be stored, if they are.
    pending: Option<Arc<PendingPresence>>,
    published: AtomicU64,
    /// The number of channel lookups: the cost of updates, for tests.
    #[cfg(test)]
    pub(crate) lookups: AtomicU64,
}

impl Hub {
    /// A hub without channels. `grace_ms` is how long a leave is delayed.
    pub fn new(grace_ms: u64) -> Self {
        Self {
            shards: std::iter::repeat_with(Shard::default).take(SHARDS).collect(),
            grace_ms,
            sooner: Notify::new(),
            presence_due: Mutex::default(),
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

    /// Users who were present when the server was stopped have until `leaves_at` to return.
    pub fn expect_members(&self, all: Vec<PresenceRecord>, leaves_at: u64) {
        for PresenceRecord { channel, user, name, .. } in all {
            if self.lists_members(&channel) {
                self.presence_due.lock().insert((leaves_at, channel.clone()));
                let mut channels = self.shard(&channel).channels.lock();
                let state = channels.entry(channel).or_default();
                state.presence.get_or_insert_default().expect(user, name, leaves_at);
            }
        }
        self.sooner.notify_one();
    }

    /// All members of channels, including those within their grace period.
    pub fn presence(&self) -> Vec<PresenceRecord> {
        let mut all = Vec::new();
        for shard in &self.shards {
            for (channel, state) in &*shard.channels.lock() {
                let members = state.presence.iter().flat_map(presence::Presence::members);
                all.extend(members.map(|Member { user, name, .. }| {
                    let channel = channel.clone();
                    PresenceRecord { channel, user, name, here: true }
                }));
            }
        }
        all
    }

    /// Records a join or leave to be stored. Called under the channel's lock, so that the order of changes is kept.
    fn store_later(&self, channel: &Channel, user: &str, here: bool, name: Option<&str>) {
        if let Some(pending) = &self.pending {
            pending.add(channel, user, here, name);
        }
    }

    /// Whether the members of a channel are its subscribers.
    fn lists_members(&self, channel: &Channel) -> bool {
        channel.kind() == ChannelKind::Presence && self.elsewhere.as_ref() != Some(channel)
    }

    fn shard(&self, channel: &Channel) -> &Shard {
        // The same shard in every process, so that a run can be repeated. A client that fills one shard only slows its lock.
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(channel);
        &self.shards[hash as usize % self.shards.len()]
    }

    fn lock(&self, channel: &Channel) -> MutexGuard<'_, Channels> {
        #[cfg(test)]
        self.lookups.fetch_add(1, Ordering::Relaxed);
        self.shard(channel).channels.lock()
    }

    /// The subscribers of a channel at this moment.
    fn subscribers_of(&self, channel: &Channel) -> Option<Arc<Subscribers>> {
        self.lock(channel).get(channel).map(|state| state.subscribers.clone())
    }

    /// Adds a connection to a channel's subscribers, unless it is one already; from now on with the subscription of this key.
    pub fn subscribe(
        &self,
        channel: &Channel,
        (connection, key): (Uuid, u64),
        mailbox: &MailboxSender,
        member: Member,
    ) {
        let (shard, mut channels) = (self.shard(channel), self.lock(channel));
        let state = channels.entry(channel.clone()).or_default();
        if state.subscribers.get(&connection).is_none_or(|found| found.key != key) {
            let (user, mailbox) = (member.user.as_str().into(), mailbox.clone());
            Arc::make_mut(&mut state.subscribers).insert(connection, Subscriber { user, mailbox, key });
        }
        self.enter(shard, state, channel, connection, member, Some(connection));
        drop(channels);
        shard.deliver();
    }

    /// A new token has given the user of a subscriber another name.
    pub fn rename(&self, channel: &Channel, connection: Uuid, member: Member) {
        let (shard, mut channels) = (self.shard(channel), self.lock(channel));
        let state = channels.get_mut(channel).filter(|state| state.subscribers.contains_key(&connection));
        if let Some(state) = state {
            self.enter(shard, state, channel, connection, member, None);
        }
        drop(channels);
        shard.deliver();
    }

    /// Lists a member, or its new name, and tells the subscribers except one.
    fn enter(
        &self,
        shard: &Shard,
        state: &mut ChannelState,
        channel: &Channel,
        connection: Uuid,
        member: Member,
        except: Option<Uuid>,
    ) {
        if !self.lists_members(channel) {
            return;
        }
        let presence = state.presence.get_or_insert_default();
        if let Some(version) = presence.enter(connection, &member) {
            self.store_later(channel, &member.user, true, member.name.as_deref());
            let joined = MemberJoined { channel: channel.clone(), member };
            shard.changed(channel, state, version, except, &joined.into());
        }
    }

    /// Removes a connection from a channel's subscribers. Its user leaves with the last one: if it is intended (`at_once`)
    /// a second later, so that a user who leaves and returns repeatedly is reported once a second, otherwise after the grace
    /// period.
    pub fn leave(&self, now_ms: u64, channel: &Channel, connection: Uuid, at_once: bool) {
        let mut channels = self.lock(channel);
        let Some(state) = channels.get_mut(channel) else { return };
        if !state.subscribers.contains_key(&connection) {
            return;
        }
        Arc::make_mut(&mut state.subscribers).remove(&connection);
        if let Some(presence) = &mut state.presence {
            let grace_ms = if at_once { self.grace_ms.min(TOLD_EVERY_MS) } else { self.grace_ms };
            presence.exit(connection, now_ms + grace_ms);
            self.presence_due.lock().insert((now_ms + grace_ms, channel.clone()));
            self.sooner.notify_one();
        }
        if state.is_idle() {
            channels.remove(channel);
        }
    }

    /// A page of the members, from the first user or after one; `None` if the channel does not list its subscribers.
    pub fn members(&self, channel: &Channel, after: Option<&str>) -> Option<MemberPage> {
        if !self.lists_members(channel) {
            return None;
        }
        let channels = self.lock(channel);
        let presence = channels.get(channel).and_then(|state| state.presence.as_ref());
        Some(presence.map_or_else(MemberPage::default, |presence| presence.page(after)))
    }

    /// Delivers entries of one channel to all subscribers. Those that have to be flushed afterwards are added to `flushes`. Entries of
    /// one channel must be published in order.
    pub fn publish(&self, now_ms: u64, entries: &[Arc<Entry>], flushes: &mut Flushes) {
        let Some(first) = entries.first() else { return };
        for entry in entries {
            self.recent.add(entry);
        }
        self.published.fetch_add(entries.len() as u64, Ordering::Relaxed);
        for subscriber in self.subscribers_of(&first.channel).iter().flat_map(|all| all.values()) {
            subscriber.mailbox.deliver(now_ms, entries, flushes);
        }
    }

    /// Delivers something ephemeral. `from` is the connection of the sender's session: a POST sends on its behalf.
    pub fn pass_on(&self, ephemeral: Ephemeral, from: Option<Uuid>) {
        let Ephemeral { channel, mut frame, who, to, .. } = ephemeral;
        if let ServerFrame::Signalled(signal) = &mut frame {
            signal.from = from.or(signal.from);
        }
        let text = batch::encode_frame(&frame).into();
        let Some(subscribers) = self.subscribers_of(&channel) else { return };
        let broadcast = Arc::new(Broadcast { channel: channel.clone(), text, ephemeral: true });
        let tell = |subscriber: &Subscriber| subscriber.mailbox.broadcast(&broadcast);
        match to {
            Receiver::One(connection) => subscribers.get(&connection).into_iter().for_each(tell),
            Receiver::Others => {
                let others = subscribers.iter().filter(|(connection, _)| Some(**connection) != from);
                others.map(|(_, subscriber)| subscriber).for_each(tell);
            }
            Receiver::OtherUsers => {
                let others = subscribers.values().filter(|subscriber| subscriber.user != who.user);
                others.for_each(tell);
            }
        }
    }

    /// Delivers changes of the presence channel whose members are not its subscribers.
    /// Only users who satisfy `to` are told.
    pub fn tell_presence(
        &self,
        channel: &Channel,
        changes: impl Iterator<Item = Arc<PresenceChange>>,
        to: impl Fn(&str) -> bool,
    ) {
        let Some(subscribers) = self.subscribers_of(channel) else { return };
        for change in changes {
            for subscriber in subscribers.values().filter(|subscriber| to(&subscriber.user)) {
                subscriber.mailbox.push(MailboxMessage::Presence(change.clone()));
            }
        }
    }

    fn connections(&self, channel: &Channel) -> BTreeSet<Uuid> {
        self.subscribers_of(channel).map_or_else(BTreeSet::new, |all| all.keys().copied().collect())
    }

    /// Delivers a frame to the subscribers of its channel whose user satisfies `to`, except for connections that are also
    /// subscribed to `unless`.
    pub fn tell(&self, broadcast: &Arc<Broadcast>, to: impl Fn(&str) -> bool, unless: Option<&Channel>) {
        let elsewhere = unless.map_or_else(BTreeSet::new, |other| self.connections(other));
        for (connection, subscriber) in self.subscribers_of(&broadcast.channel).iter().flat_map(|all| &**all)
        {
            if to(&subscriber.user) && !elsewhere.contains(connection) {
                subscriber.mailbox.broadcast(broadcast);
            }
        }
    }

    /// Delivers a frame to the subscribers of these channels, except for connections that are also subscribed to `unless`.
    pub fn tell_all(&self, channels: impl Iterator<Item = Channel>, text: &Arc<str>, unless: &Channel) {
        let elsewhere = self.connections(unless);
        for channel in channels {
            if let Some(subscribers) = self.subscribers_of(&channel) {
                let broadcast =
                    Arc::new(Broadcast { channel: channel.clone(), text: text.clone(), ephemeral: false });
                let here = subscribers.iter().filter(|(connection, _)| !elsewhere.contains(*connection));
                for (_, subscriber) in here {
                    subscriber.mailbox.broadcast(&broadcast);
                }
            }
        }
    }

    /// Whether an entry, or a later one of its log, was published here recently.
    pub fn has_published(&self, entry: &Entry) -> bool {
        let last = self.recent.last(&entry.channel);
        last.is_some_and(|(epoch, offset)| epoch == entry.epoch && offset >= entry.offset)
    }

    /// Makes an edit or a deletion hold for the cached copies of earlier entries.
    pub fn rewrite(&self, channel: &Channel, rewrite: &Rewrite) {
        self.recent.rewrite(channel, rewrite);
    }

    /// Drops the cached entries of a channel: those in the store have changed.
    pub fn forget_recent(&self, channel: &Channel) {
        self.recent.forget(channel);
    }

    /// Drops all cached entries.
    pub fn forget_all_recent(&self) {
        self.recent.forget_all();
    }

    /// Ends all subscriptions of a channel whose chat was deleted.
    pub fn delete_chat(&self, channel: &Channel) {
        for subscriber in self.subscribers_of(channel).iter().flat_map(|all| all.values()) {
            let (channel, key) = (channel.clone(), subscriber.key);
            subscriber.mailbox.input(Input::ChatDeleted { channel, key });
        }
    }

    /// The number of channels with subscribers.
    pub fn channels(&self) -> usize {
        let used = |shard: &Shard| {
            shard.channels.lock().values().filter(|state| !state.subscribers.is_empty()).count()
        };
        self.shards.iter().map(used).sum()
    }

    /// The number of entries published since the start: all that were stored.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Ends a user's subscriptions to a channel whose chat the user is no longer a member of, except for those that a token
    /// grants. Later entries do not reach them.
    pub fn remove_user(&self, channel: &Channel, user: &str) {
        let subscribers = self.subscribers_of(channel);
        let own = subscribers.iter().flat_map(|all| all.values()).filter(|one| *one.user == *user);
        for subscriber in own {
            let (channel, key) = (channel.clone(), subscriber.key);
            subscriber.mailbox.input(Input::Revoked { channel, key });
        }
    }

    /// The number of subscribers of a channel.
    pub fn subscribers(&self, channel: &Channel) -> usize {
        self.lock(channel).get(channel).map_or(0, |state| state.subscribers.len())
    }

    /// The entries after `after` in a channel, if they were published recently: at least one. `None` if they have to be read
    /// from the store.
    pub fn recent(&self, channel: &Channel, after: u64, bounds: PageBounds) -> Option<Vec<Arc<Entry>>> {
        self.recent.page(channel, after, bounds)
    }

    /// Removes the users whose grace period is over. Returns when to call again.
    pub fn expire(&self, now_ms: u64) -> Option<u64> {
        loop {
            let channel = {
                let mut due = self.presence_due.lock();
                match due.first() {
                    Some((at, _)) if *at <= now_ms => due.pop_first().map(|(_, channel)| channel),
                    first => return first.map(|(at, _)| *at),
                }
            };
            if let Some(channel) = channel {
                self.expire_channel(now_ms, &channel);
            }
        }
    }

    fn expire_channel(&self, now_ms: u64, channel: &Channel) {
        let (shard, mut channels) = (self.shard(channel), self.lock(channel));
        let Some(state) = channels.get_mut(channel) else { return };
        let gone = state.presence.as_mut().map(|presence| presence.expire(now_ms));
        for (user, version) in gone.into_iter().flatten() {
            self.store_later(channel, &user, false, None);
            let left = MemberLeft { channel: channel.clone(), user };
            shard.changed(channel, state, version, None, &left.into());
        }
        if state.is_idle() {
            channels.remove(channel);
        }
        drop(channels);
        shard.deliver();
    }

    /// Returns when [`Self::expire`] may have to be called earlier than it returned.
    pub async fn sooner(&self) {
        self.sooner.notified().await;
    }
}
