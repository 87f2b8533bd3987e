//! The channels of this node: who receives what, and who is present. It passes on entries that are stored already and
//! decides nothing about permissions.
//!
//! Locks, not tasks: every operation is short, and passing an entry on is one push into each receiver's inbox. An
//! inbox never waits. One that is full is marked, and its connection ends itself as a slow consumer, so nobody is
//! slowed by anybody else.

pub mod noted;
pub mod presence;
mod recent;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use everwire_protocol::{Channel, ChannelKind, Member, MemberJoined, MemberLeft, ServerFrame, Uuid, batch};
use tokio::sync::Notify;

use crate::{
    connection::{
        Input,
        mailbox::{Inbox, Mail},
    },
    model::{
        broadcast::{Ephemeral, Note, PresenceChange, Receiver},
        log::{Entry, PageBounds},
        people::Attendance,
    },
};
use noted::Notes;
use presence::Presence;
use recent::Recent;

/// Locks are per group of channels, so that a busy channel holds up few others.
const SHARDS: usize = 64;

/// The channels of this node.
#[derive(Debug)]
pub struct Hub {
    shards: Vec<Mutex<HashMap<Channel, Room>>>,
    hasher: RandomState,
    /// How long a leave is held back, in ms.
    grace_ms: u64,
    /// Something may have to be said earlier than before.
    sooner: Notify,
    /// When the next grace in a presence channel is over: until then the channels need not be looked through.
    rooms_due: AtomicU64,
    recent: Recent,
    /// The channel whose members are listed by somebody else.
    elsewhere: Option<Channel>,
    /// Who has come to presence channels and gone, where that is remembered.
    notes: Option<Arc<Notes>>,
    published: AtomicU64,
}

#[derive(Debug, Default)]
struct Room {
    subscribers: HashMap<Uuid, Subscriber>,
    presence: Option<Presence>,
}

#[derive(Debug)]
struct Subscriber {
    user: Arc<str>,
    inbox: Inbox,
}

impl Room {
    fn tell(&self, but: Option<Uuid>, mail: &impl Fn() -> Mail) {
        for (connection, subscriber) in &self.subscribers {
            if Some(*connection) != but {
                subscriber.inbox.push(mail());
            }
        }
    }

    fn change(&self, channel: &Channel, version: u64, but: Option<Uuid>, frame: &ServerFrame) {
        let text = batch::encode_frame(frame).into();
        let change = Arc::new(PresenceChange { channel: channel.clone(), version, text });
        self.tell(but, &|| Mail::Presence(change.clone()));
    }

    fn left(&self, channel: &Channel, user: &str, version: u64) {
        let left = MemberLeft { channel: channel.clone(), user: user.into() };
        self.change(channel, version, None, &left.into());
    }

    fn is_idle(&self) -> bool {
        self.subscribers.is_empty() && self.presence.as_ref().is_none_or(Presence::is_empty)
    }
}

impl Hub {
    /// An empty node. `grace_ms` is how long a leave is held back.
    pub fn new(grace_ms: u64) -> Self {
        Self {
            shards: std::iter::repeat_with(Mutex::default).take(SHARDS).collect(),
            hasher: RandomState::new(),
            grace_ms,
            sooner: Notify::new(),
            rooms_due: AtomicU64::new(u64::MAX),
            recent: Recent::default(),
            elsewhere: None,
            notes: None,
            published: AtomicU64::new(0),
        }
    }

    /// The same, but what changes in presence channels is noted to be remembered, and a channel lists its members only if it is
    /// not this one, in which others are listed.
    #[must_use]
    pub fn with_notes(self, notes: Arc<Notes>, elsewhere: Option<Channel>) -> Self {
        Self { notes: Some(notes), elsewhere, ..self }
    }

    /// Users who were present in channels when the server was stopped have until `leaves_at` to come back.
    pub fn expect_members(&self, all: Vec<Attendance>, leaves_at: u64) {
        for Attendance { channel, user, name, .. } in all {
            if self.lists_members(&channel) {
                let mut shard = self.shard(&channel);
                let room = shard.entry(channel).or_default();
                room.presence.get_or_insert_default().expect(user, name, leaves_at);
            }
        }
        self.rooms_due.fetch_min(leaves_at, Ordering::Relaxed);
        self.sooner.notify_one();
    }

    /// All who are present in channels, or were a moment ago.
    pub fn attendance(&self) -> Vec<Attendance> {
        let mut all = Vec::new();
        for shard in &self.shards {
            for (channel, room) in &*lock(shard) {
                let members = room.presence.iter().flat_map(|presence| presence.members().0);
                all.extend(members.map(|Member { user, name, .. }| {
                    let channel = channel.clone();
                    Attendance { channel, user, name, here: true }
                }));
            }
        }
        all
    }

    /// Notes that a user has come or gone. Called with the channel's lock, so that it is in the order of the changes.
    fn note(&self, channel: &Channel, user: &str, here: bool, name: Option<&str>) {
        if let Some(notes) = &self.notes {
            notes.note(channel, user, here, name);
        }
    }

    /// Whether a channel lists those who subscribe to it.
    fn lists_members(&self, channel: &Channel) -> bool {
        channel.kind() == ChannelKind::Presence && self.elsewhere.as_ref() != Some(channel)
    }

    fn shard(&self, channel: &Channel) -> MutexGuard<'_, HashMap<Channel, Room>> {
        let index = self.hasher.hash_one(channel) as usize % self.shards.len();
        lock(&self.shards[index])
    }

    /// Adds a connection to a channel's receivers; nothing happens if it is one already.
    pub fn subscribe(&self, channel: &Channel, connection: Uuid, inbox: &Inbox, member: Member) {
        let mut shard = self.shard(channel);
        let room = shard.entry(channel.clone()).or_default();
        room.subscribers.entry(connection).or_insert_with(|| {
            let (user, inbox) = (member.user.as_str().into(), inbox.clone());
            Subscriber { user, inbox }
        });
        if self.lists_members(channel) {
            let presence = room.presence.get_or_insert_default();
            if let Some(version) = presence.enter(connection, &member) {
                self.note(channel, &member.user, true, member.name.as_deref());
                let joined = MemberJoined { channel: channel.clone(), member };
                room.change(channel, version, Some(connection), &joined.into());
            }
        }
    }

    /// Removes a connection from a channel's receivers. Its user leaves with the last one, `at_once` or after the
    /// grace.
    pub fn leave(&self, now_ms: u64, channel: &Channel, connection: Uuid, at_once: bool) {
        let mut shard = self.shard(channel);
        let Some(room) = shard.get_mut(channel) else { return };
        room.subscribers.remove(&connection);
        if let Some(presence) = &mut room.presence {
            let grace_ms = if at_once { 0 } else { self.grace_ms };
            presence.exit(connection, now_ms + grace_ms);
            self.rooms_due.fetch_min(now_ms + grace_ms, Ordering::Relaxed);
            for (user, version) in presence.expire(now_ms) {
                self.note(channel, &user, false, None);
                room.left(channel, &user, version);
            }
            self.sooner.notify_one();
        }
        if room.is_idle() {
            shard.remove(channel);
        }
    }

    /// Who is present, and which changes that contains; `None` if the channel does not list its members.
    pub fn members(&self, channel: &Channel) -> Option<(Vec<Member>, u64)> {
        if !self.lists_members(channel) {
            return None;
        }
        let shard = self.shard(channel);
        let presence = shard.get(channel).and_then(|room| room.presence.as_ref());
        Some(presence.map_or((Vec::new(), 0), Presence::members))
    }

    /// Passes an entry on to all who receive its channel. Entries of one channel must come in order.
    pub fn publish(&self, entry: &Arc<Entry>) {
        self.recent.add(entry);
        self.published.fetch_add(1, Ordering::Relaxed);
        if let Some(room) = self.shard(&entry.channel).get(&entry.channel) {
            room.tell(None, &|| Mail::Entry(entry.clone()));
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
        let Some(room) = shard.get(&channel) else { return };
        let note = Arc::new(Note { channel: channel.clone(), text, ephemeral: true });
        match to {
            Receiver::One(connection) => {
                if let Some(subscriber) = room.subscribers.get(&connection) {
                    subscriber.inbox.note(&note);
                }
            }
            Receiver::Others | Receiver::OtherUsers => {
                for (connection, subscriber) in &room.subscribers {
                    let own = match to {
                        Receiver::OtherUsers => subscriber.user == who.user,
                        _ => Some(*connection) == from,
                    };
                    if !own {
                        subscriber.inbox.note(&note);
                    }
                }
            }
        }
    }

    /// Tells of changes in a presence channel that lists its members elsewhere.
    pub fn tell_presence(&self, channel: &Channel, changes: impl Iterator<Item = Arc<PresenceChange>>) {
        let shard = self.shard(channel);
        let Some(room) = shard.get(channel) else { return };
        for change in changes {
            room.tell(None, &|| Mail::Presence(change.clone()));
        }
    }

    /// Gives a frame to the connections that are subscribed to its channel: to those of the users whom `to` says, and not
    /// to those that are subscribed to `unless` too.
    pub fn tell(&self, note: &Arc<Note>, to: impl Fn(&str) -> bool, unless: Option<&Channel>) {
        let elsewhere: HashSet<Uuid> = unless.map_or_else(HashSet::new, |other| {
            let shard = self.shard(other);
            shard.get(other).map_or_else(HashSet::new, |room| room.subscribers.keys().copied().collect())
        });
        if let Some(room) = self.shard(&note.channel).get(&note.channel) {
            for (connection, subscriber) in &room.subscribers {
                if to(&subscriber.user) && !elsewhere.contains(connection) {
                    subscriber.inbox.note(note);
                }
            }
        }
    }

    /// Gives a frame to all who are subscribed to one of these channels, except for connections that are subscribed to
    /// `unless` too.
    pub fn tell_all(&self, channels: impl Iterator<Item = Channel>, text: &Arc<str>, unless: &Channel) {
        let elsewhere: HashSet<Uuid> = self
            .shard(unless)
            .get(unless)
            .map_or_else(HashSet::new, |room| room.subscribers.keys().copied().collect());
        for channel in channels {
            if let Some(room) = self.shard(&channel).get(&channel) {
                let note = Arc::new(Note { channel: channel.clone(), text: text.clone(), ephemeral: false });
                let here = room.subscribers.iter().filter(|(connection, _)| !elsewhere.contains(*connection));
                for (_, subscriber) in here {
                    subscriber.inbox.note(&note);
                }
            }
        }
    }

    /// How many channels somebody is subscribed to.
    pub fn channels(&self) -> usize {
        let used = |shard: &Mutex<HashMap<Channel, Room>>| {
            lock(shard).values().filter(|room| !room.subscribers.is_empty()).count()
        };
        self.shards.iter().map(used).sum()
    }

    /// How many entries were passed on since the start: all that were stored.
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// A user is no member any more of the chat that a channel belongs to: ends the user's subscriptions, except for those
    /// that a token grants. What is published afterwards does not reach them.
    pub fn remove_user(&self, channel: &Channel, user: &str) {
        if let Some(room) = self.shard(channel).get(channel) {
            for subscriber in room.subscribers.values().filter(|subscriber| *subscriber.user == *user) {
                subscriber.inbox.input(Input::Revoked(channel.clone()));
            }
        }
    }

    /// How many connections receive a channel.
    pub fn subscribers(&self, channel: &Channel) -> usize {
        self.shard(channel).get(channel).map_or(0, |room| room.subscribers.len())
    }

    /// What follows on `after` in a channel, if it passed through here a short while ago: one entry at least. `None` if
    /// it has to be read from the store.
    pub fn recent(&self, channel: &Channel, after: u64, bounds: PageBounds) -> Option<Vec<Arc<Entry>>> {
        self.recent.page(channel, after, bounds)
    }

    /// Says who has left because the grace is over. Returns when to call again.
    pub fn expire(&self, now_ms: u64) -> Option<u64> {
        if self.rooms_due.load(Ordering::Relaxed) <= now_ms {
            // Before the channels are looked through: what becomes due meanwhile is not forgotten.
            self.rooms_due.store(u64::MAX, Ordering::Relaxed);
            if let Some(due) = self.expire_rooms(now_ms) {
                self.rooms_due.fetch_min(due, Ordering::Relaxed);
            }
        }
        Some(self.rooms_due.load(Ordering::Relaxed)).filter(|due| *due < u64::MAX)
    }

    fn expire_rooms(&self, now_ms: u64) -> Option<u64> {
        let mut next: Option<u64> = None;
        for shard in &self.shards {
            lock(shard).retain(|channel, room| {
                if let Some(presence) = &mut room.presence {
                    let gone = presence.expire(now_ms);
                    let due = presence.next_expiry();
                    next = next.into_iter().chain(due).min();
                    for (user, version) in gone {
                        self.note(channel, &user, false, None);
                        room.left(channel, &user, version);
                    }
                }
                !room.is_idle()
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
