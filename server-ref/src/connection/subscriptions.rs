//! The subscriptions of one connection: which there are, which of them need entries from the store, and of which channels
//! the server has said that there is none. What is sent because of it is decided in `subscribing`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::Channel;

use super::{
    openings::Openings,
    subscription::{Arrival, Begun, Progress, StartPosition, Subscription},
};
use crate::model::{
    broadcast::{Broadcast, PresenceChange},
    log::{Entry, Log, Page},
};

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// Boxed: a map has room for eleven, and most connections have fewer.
    active: BTreeMap<Channel, Box<Subscription>>,
    /// Channels that the client may not have: a set of subscriptions that still contains one is not answered again.
    refused: BTreeSet<Channel>,
    /// Channels whose subscription the server has ended or refused, until the client knows: only then does a `subscribe`
    /// start a new one.
    ended: BTreeSet<Channel>,
    openings: Openings,
    /// Subscriptions that need a page, in order. One page is read at a time.
    catching_up: VecDeque<Channel>,
    reading: bool,
    /// When a failed read is repeated.
    read_again_at: Option<u64>,
    last_key: u64,
}

/// A page to be read.
#[derive(Debug)]
pub(super) struct NextPage {
    pub(super) key: u64,
    pub(super) channel: Channel,
    /// It begins after this offset.
    pub(super) after: u64,
}

/// What follows from the answer to a read.
#[derive(Debug)]
pub(super) enum PageRead {
    /// These entries are to be queued, if any.
    Entries(Vec<Arc<Entry>>),
    /// The subscription has to begin again from here.
    Lost(StartPosition),
}

impl Subscriptions {
    pub(super) fn len(&self) -> usize {
        self.active.len()
    }

    pub(super) fn contains(&self, channel: &Channel) -> bool {
        self.active.contains_key(channel)
    }

    /// The key of the subscription to a channel.
    pub(super) fn key(&self, channel: &Channel) -> Option<u64> {
        self.active.get(channel).map(|subscription| subscription.key())
    }

    pub(super) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.active.keys()
    }

    /// The client's position in a channel after it has received everything queued.
    pub(super) fn position(&self, channel: &Channel) -> Option<StartPosition> {
        self.active.get(channel).map(|subscription| subscription.position())
    }

    /// Starts a subscription, or starts it again. Its channel is opened as soon as possible.
    pub(super) fn open(&mut self, channel: Channel, from: StartPosition) {
        self.last_key += 1;
        self.refused.remove(&channel);
        self.ended.remove(&channel);
        self.catching_up.retain(|other| *other != channel);
        let subscription = Box::new(Subscription::new(self.last_key, from));
        if let Some(before) = self.active.insert(channel.clone(), subscription) {
            self.openings.remove(before.key());
        }
        self.openings.add(self.last_key, channel);
    }

    /// The next channel to open, with the key of its subscription, if one may be opened now.
    pub(super) fn next_opening(&mut self) -> Option<(u64, Channel)> {
        self.openings.start()
    }

    /// What the client has seen of a channel in another run.
    pub(super) fn seen(&self, channel: &Channel) -> Option<(u64, Arc<str>)> {
        self.active.get(channel)?.seen()
    }

    /// A channel was opened. Returns whether it is for this subscription, and not for an earlier one.
    pub(super) fn opened(&mut self, key: u64, channel: &Channel) -> bool {
        self.openings.finish(channel);
        self.active.get(channel).is_some_and(|found| found.key() == key && found.is_opening())
    }

    /// The state of the channel's log is known. `delivered` is the user's mark.
    pub(super) fn begin(
        &mut self,
        channel: &Channel,
        log: (&Log, bool),
        replay_limit: u64,
        delivered: Option<u64>,
        presence_version: u64,
    ) -> Option<Begun> {
        let subscription = self.active.get_mut(channel)?;
        let begun = subscription.begin(log, replay_limit, delivered, presence_version);
        if subscription.is_catching_up() {
            self.catching_up.push_back(channel.clone());
        }
        Some(begun)
    }

    /// Removes a subscription. Returns whether there was one.
    pub(super) fn remove(&mut self, channel: &Channel) -> bool {
        self.catching_up.retain(|other| other != channel);
        let Some(subscription) = self.active.remove(channel) else { return false };
        self.openings.remove(subscription.key());
        true
    }

    /// Removes all of them, because the connection ends.
    pub(super) fn remove_all(&mut self) -> impl Iterator<Item = Channel> {
        std::mem::take(&mut self.active).into_keys()
    }

    // What the server has refused or ended

    /// The client will be told that it may not have this channel.
    pub(super) fn refuse(&mut self, channel: Channel) {
        self.refused.insert(channel);
    }

    /// The client will be told that this subscription has ended.
    pub(super) fn end(&mut self, channel: Channel) {
        self.ended.insert(channel);
    }

    /// Whether the server has said, or is about to, that there is no such subscription.
    pub(super) fn is_refused_or_ended(&self, channel: &Channel) -> bool {
        self.refused.contains(channel) || self.ended.contains(channel)
    }

    /// Forgets refusals of channels that the client no longer asks for.
    pub(super) fn retain_refused(&mut self, wanted: impl Fn(&Channel) -> bool) {
        self.refused.retain(wanted);
    }

    /// Forgets the ends that the client knows of.
    pub(super) fn retain_ended(&mut self, untold: impl Fn(&Channel) -> bool) {
        self.ended.retain(untold);
    }

    // Entries

    /// Whether nothing is being looked up or read.
    pub(super) fn is_settled(&self) -> bool {
        !self.reading && !self.active.values().any(|subscription| subscription.is_opening())
    }

    /// When a failed read is repeated.
    pub(super) fn read_again_at(&self) -> Option<u64> {
        self.read_again_at
    }

    /// That time has come.
    pub(super) fn read_again(&mut self) {
        self.read_again_at = None;
    }

    /// The next page to be read, unless one is being read. It counts as being read from now on.
    pub(super) fn next_page(&mut self) -> Option<NextPage> {
        if self.reading || self.read_again_at.is_some() {
            return None;
        }
        let channel = self.catching_up.pop_front()?;
        let subscription = self.active.get(&channel)?;
        self.reading = true;
        Some(NextPage { key: subscription.key(), after: subscription.offset(), channel })
    }

    /// A page was read; `None`: the store is unavailable, and the read is repeated at `retry_at`.
    pub(super) fn page(
        &mut self,
        key: u64,
        channel: &Channel,
        page: Option<Page>,
        retry_at: u64,
    ) -> PageRead {
        self.reading = false;
        let reader =
            self.active.get_mut(channel).filter(|found| found.key() == key && found.is_catching_up());
        let Some(subscription) = reader else { return PageRead::Entries(Vec::new()) };
        let Some(page) = page else {
            self.catching_up.push_front(channel.clone());
            self.read_again_at = Some(retry_at);
            return PageRead::Entries(Vec::new());
        };
        match subscription.read(&page) {
            Progress::Behind => self.catching_up.push_back(channel.clone()),
            Progress::Live => {}
            Progress::Lost => return PageRead::Lost(subscription.position()),
        }
        PageRead::Entries(page.entries)
    }

    /// An entry was stored.
    pub(super) fn arrived(&mut self, entry: &Arc<Entry>) -> Arrival {
        let Some(subscription) = self.active.get_mut(&entry.channel) else { return Arrival::Nothing };
        let arrival = subscription.arrived(entry);
        if arrival == Arrival::Hole {
            self.catching_up.push_back(entry.channel.clone());
        }
        arrival
    }

    // Other frames

    /// Somebody has joined or left. Returns the change if it is to be queued now.
    pub(super) fn presence(&mut self, change: Arc<PresenceChange>) -> Option<Arc<PresenceChange>> {
        self.active.get_mut(&change.channel)?.presence(change)
    }

    /// A frame for the subscribers of a channel. Returns it if it is to be queued now.
    pub(super) fn broadcast(&mut self, broadcast: Arc<Broadcast>) -> Option<Arc<Broadcast>> {
        self.active.get_mut(&broadcast.channel)?.broadcast(broadcast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(name: &str) -> Channel {
        name.parse().unwrap()
    }

    fn log(head: u64) -> Log {
        Log { epoch: "e".into(), head, trimmed: 0 }
    }

    /// These channels, opened and behind their logs, with the keys of their subscriptions.
    fn behind(names: &[&str]) -> (Subscriptions, Vec<u64>) {
        let mut subscriptions = Subscriptions::default();
        let keys = names.iter().map(|name| {
            subscriptions.open(channel(name), StartPosition::Recent(5));
            let (key, channel) = subscriptions.next_opening().unwrap();
            assert!(subscriptions.opened(key, &channel));
            subscriptions.begin(&channel, (&log(9), false), 100, None, 0).unwrap();
            key
        });
        let keys = keys.collect();
        (subscriptions, keys)
    }

    #[test]
    fn an_opening_is_for_the_subscription_that_asked_for_it_once() {
        let (mut subscriptions, keys) = behind(&["a"]);
        assert!(!subscriptions.opened(keys[0], &channel("a")), "it is open");
        subscriptions.open(channel("a"), StartPosition::Recent(0));
        let (key, _) = subscriptions.next_opening().unwrap();
        assert_ne!(key, keys[0]);
        assert!(!subscriptions.opened(keys[0], &channel("a")), "of the one before");
        assert!(subscriptions.opened(key, &channel("a")));
        assert!(!subscriptions.opened(key, &channel("b")));
    }

    #[test]
    fn a_subscription_that_begins_again_or_ends_is_not_read_for_and_the_others_are() {
        let again: fn(&mut Subscriptions) =
            |subscriptions| subscriptions.open(channel("b"), StartPosition::Recent(0));
        let end: fn(&mut Subscriptions) = |subscriptions| assert!(subscriptions.remove(&channel("b")));
        for change in [again, end] {
            let (mut subscriptions, keys) = behind(&["a", "b", "c"]);
            change(&mut subscriptions);
            for (name, key) in [("a", keys[0]), ("c", keys[2])] {
                let next = subscriptions.next_page().unwrap();
                assert_eq!((next.channel, next.key, next.after), (channel(name), key, 4));
                let page = Page { log: log(4), entries: Vec::new() };
                subscriptions.page(next.key, &channel(name), Some(page), 0);
            }
            assert!(subscriptions.next_page().is_none());
        }
    }

    #[test]
    fn a_page_for_a_subscription_that_has_begun_again_is_dropped() {
        let (mut subscriptions, keys) = behind(&["a"]);
        assert!(subscriptions.next_page().is_some());
        let entry = Entry {
            channel: channel("a"),
            epoch: "e".into(),
            offset: 5,
            at: 0,
            plain: true,
            text: "{}".into(),
        };
        let page = Page { log: log(9), entries: vec![Arc::new(entry)] };
        subscriptions.open(channel("a"), StartPosition::Recent(5));
        let (key, _) = subscriptions.next_opening().unwrap();
        for opened in [false, true] {
            if opened {
                assert!(subscriptions.opened(key, &channel("a")));
                subscriptions.begin(&channel("a"), (&log(9), false), 100, None, 0).unwrap();
            }
            let read = subscriptions.page(keys[0], &channel("a"), Some(page.clone()), 0);
            assert!(matches!(read, PageRead::Entries(entries) if entries.is_empty()), "opened: {opened}");
        }
    }
}
