//! A run in numbers, and many runs in numbers.

use std::{collections::BTreeMap, ops::AddAssign};

use serde::Serialize;

/// What happened.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct Stats {
    /// Faults that were injected, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Messages that applications sent.
    pub sent: u64,
    /// Of these, acknowledged.
    pub acked: u64,
    /// Of these, ended by closing the client before an ack came.
    pub closed: u64,
    /// Entries that listeners got.
    pub delivered: u64,
    /// Marks of what was received and read that nodes took in.
    pub marks: u64,
    /// Announcements of typing that clients heard.
    pub typing: u64,
    /// Entries that a subscriber should have got and did not.
    pub lost: u64,
    /// Entries that a subscriber got twice.
    pub duplicated: u64,
    /// Entries that are in a log, or came, in another order than they should.
    pub reordered: u64,
    /// Gaps that were declared.
    pub gaps: u64,
    /// Times that a client was connected by WebSocket.
    pub connected_by_websocket: u64,
    /// Times that a client was connected by polling.
    pub connected_by_polling: u64,
    /// The longest time from the last fault until all was quiet, in virtual ms.
    pub slowest_quiet_ms: u64,
    /// Virtual time, in ms.
    pub virtual_ms: u64,
    /// Things that happened.
    pub steps: u64,
}

impl AddAssign<&Self> for Stats {
    fn add_assign(&mut self, other: &Self) {
        for (kind, n) in &other.faults {
            *self.faults.entry(kind).or_default() += n;
        }
        self.sent += other.sent;
        self.acked += other.acked;
        self.closed += other.closed;
        self.delivered += other.delivered;
        self.marks += other.marks;
        self.typing += other.typing;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.gaps += other.gaps;
        self.connected_by_websocket += other.connected_by_websocket;
        self.connected_by_polling += other.connected_by_polling;
        self.slowest_quiet_ms = self.slowest_quiet_ms.max(other.slowest_quiet_ms);
        self.virtual_ms += other.virtual_ms;
        self.steps += other.steps;
    }
}
