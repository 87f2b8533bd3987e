//! The channels that one connection is opening: each at most once, and only a few at the same time, so that a client that
//! subscribes again and again causes no more work than one that waits for the answer.

use std::collections::{BTreeMap, BTreeSet};

use everwire_protocol::Channel;

/// How many channels of one connection are opened at the same time.
const OPENED_AT_ONCE: usize = 64;

/// The channels that wait to be opened, and those that are being opened.
#[derive(Debug, Default)]
pub(super) struct Openings {
    /// In the order of the requests: the key and the channel of each subscription.
    waiting: BTreeMap<u64, Channel>,
    under_way: BTreeSet<Channel>,
}

impl Openings {
    /// A subscription wants to be opened.
    pub(super) fn add(&mut self, key: u64, channel: Channel) {
        self.waiting.insert(key, channel);
    }

    /// A subscription has ended, or was replaced by a later one.
    pub(super) fn remove(&mut self, key: u64) {
        self.waiting.remove(&key);
    }

    /// The next channel to open, with the key of its subscription.
    pub(super) fn start(&mut self) -> Option<(u64, Channel)> {
        if self.under_way.len() >= OPENED_AT_ONCE {
            return None;
        }
        let next = self.waiting.iter().find(|(_, channel)| !self.under_way.contains(*channel));
        let key = *next?.0;
        let channel = self.waiting.remove(&key)?;
        self.under_way.insert(channel.clone());
        Some((key, channel))
    }

    /// A channel was opened, for whatever subscription.
    pub(super) fn finish(&mut self, channel: &Channel) {
        self.under_way.remove(channel);
        if self.under_way.is_empty() && self.waiting.is_empty() {
            // An empty map keeps its memory.
            *self = Self::default();
        }
    }
}
