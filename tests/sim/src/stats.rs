//! The statistics of one or many runs.

use std::{collections::BTreeMap, ops::AddAssign};

use serde::Serialize;

/// The statistics.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct Stats {
    /// Faults that were injected, by kind.
    pub faults: BTreeMap<&'static str, u64>,
    /// Messages that applications sent.
    pub sent: u64,
    /// Messages that were acknowledged.
    pub acked: u64,
    /// Messages that were rejected because the client was closed.
    pub closed: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// Polls that were answered with an older response.
    pub repeated: u64,
    /// Requests that a proxy refused.
    pub refused_requests: u64,
    /// Messages that failed because a proxy refuses them.
    pub blocked: u64,
    /// Erasures of users that have ended.
    pub erased: u64,
    /// Pages that the server ended for good.
    pub ended: u64,
    /// Pages that followed another one.
    pub pages: u64,
    /// Entries delivered to listeners.
    pub delivered: u64,
    /// Requests that applications made.
    pub requests: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Messages in pages of history.
    pub history: u64,
    /// Marks that nodes accepted.
    pub marks: u64,
    /// Typing announcements that clients received.
    pub typing: u64,
    /// Signals that clients received.
    pub signals: u64,
    /// Entries that were lost.
    pub lost: u64,
    /// Entries that were duplicated.
    pub duplicated: u64,
    /// Entries out of order.
    pub reordered: u64,
    /// Gaps that were declared.
    pub gaps: u64,
    /// Times that a client was connected by WebSocket.
    pub connected_by_websocket: u64,
    /// Times that a client was connected by polling.
    pub connected_by_polling: u64,
    /// The longest time from the last fault until everything was quiet, in virtual ms.
    pub slowest_quiet_ms: u64,
    /// Virtual time, in ms.
    pub virtual_ms: u64,
    /// Processed events.
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
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.refused_requests += other.refused_requests;
        self.blocked += other.blocked;
        self.erased += other.erased;
        self.ended += other.ended;
        self.pages += other.pages;
        self.delivered += other.delivered;
        self.requests += other.requests;
        self.answered += other.answered;
        self.history += other.history;
        self.marks += other.marks;
        self.typing += other.typing;
        self.signals += other.signals;
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
