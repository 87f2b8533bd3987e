//! The half of the polling transport that receives: one request that the server holds, which carries everything that the
//! server needs (promise 12). The other half is in `post.rs`.

use alloc::vec::Vec;

use everwire_protocol::{Channel, Uuid, limits};

use super::super::{RequestId, deadline::Deadline};

/// How long the first poll may take to be welcomed, in ms. Also a probe while a POST has no answer: both may be waiting for
/// one of the few connections that a browser opens to a host.
const ANSWER_TIMEOUT_MS: u64 = 10_000;
/// How long the poll after waking may take, in ms: it asks not to be held.
const PROBE_TIMEOUT_MS: u64 = 3_000;
/// A failed poll is repeated within this time, in ms.
pub(crate) const RETRY_MS: u64 = 1_000;
/// A probe that failed is repeated within this time, in ms, because a dead connection is to be replaced within 4 s.
pub(crate) const PROBE_RETRY_MS: u64 = 250;
/// How long changes of the subscriptions are collected before they are polled for, in ms.
const COLLECT_MS: u64 = 10;
/// Polls that bring nothing are at least this far apart, in ms, however soon something between answers them.
const EMPTY_MS: u64 = 7_500;
/// How often a page polls that nobody looks at, in ms: often enough for the server to keep its connection.
const HIDDEN_INTERVAL_MS: u64 = 8_000;
/// Where every poll reaches a server that does not know the connection, polls are at least this far apart, in ms. With the jitter
/// it must be less than the 10 s for which a server keeps a connection: otherwise a single server would never recognise it again.
const ASTRAY_MS: u64 = 7_000;
/// This many welcomes in a row, each within one hold after the last, are no accident.
const MAX_ASTRAY: u32 = 2;
/// A held poll that broke after this long, in ms, may have been cut off for its length: the next is held for a shorter time.
const CUT_OFF_MS: u64 = 2_000;
/// This many failed requests in a row end the connection.
const MAX_FAILURES: u32 = 2;

#[derive(Debug)]
pub(crate) struct Poll {
    /// Named by `welcome`; none before it, and none to ask for a new one.
    connection: Option<Uuid>,
    welcomed: bool,
    /// The last response of the connection that has arrived.
    ack: u64,
    /// The number of the response that is being read, or was read last.
    seq: u64,
    /// How long the server holds a request, in ms; 0 if it cannot.
    hold: u32,
    held: Option<(RequestId, Deadline)>,
    sent_at: u64,
    /// The serial number of the token of the request that is held.
    token: u32,
    /// When to send the next one.
    next_at: Option<u64>,
    /// The next poll asks not to be held.
    quick: bool,
    /// The poll under way asked not to be held: it is a probe.
    probing: bool,
    /// How long the next probe may take, in ms.
    probe_timeout: u64,
    /// The poll under way may be held.
    holding: bool,
    /// The connection that the poll under way continues.
    named: Option<Uuid>,
    /// The response that is being read cannot continue it: nothing of it counts before a `welcome`.
    awaits_welcome: bool,
    /// When a server last answered with a new connection.
    welcomed_at: u64,
    /// Polls in a row that continued a connection and were answered with a new one.
    astray: u32,
    /// The last response brought something.
    productive: bool,
    failures: u32,
    /// The set of subscriptions says something that this connection would misunderstand: whatever connection the response
    /// under way names, the next poll asks for a new one.
    renew: bool,
    /// Channels that were in the set of this connection and no longer are.
    removed: Vec<Channel>,
}

/// What a poll needs to be sent.
pub(crate) struct PollRequest {
    pub(crate) frame: everwire_protocol::Poll,
    /// The poll that it replaces, to be aborted.
    pub(crate) replaced: Option<RequestId>,
}

/// What follows from a poll that failed.
pub(crate) struct PollFailure {
    pub(crate) abort: Option<RequestId>,
    /// Whether it is tried again.
    pub(crate) retry: bool,
}

impl Poll {
    pub(crate) fn new() -> Self {
        Self {
            connection: None,
            welcomed: false,
            seq: 0,
            ack: 0,
            hold: limits::POLL_HOLD_MS,
            held: None,
            sent_at: 0,
            token: 0,
            next_at: None,
            quick: false,
            probing: false,
            probe_timeout: PROBE_TIMEOUT_MS,
            holding: false,
            named: None,
            awaits_welcome: false,
            welcomed_at: 0,
            astray: 0,
            productive: false,
            failures: 0,
            renew: false,
            removed: Vec::new(),
        }
    }

    pub(crate) fn held(&self) -> Option<RequestId> {
        self.held.map(|(request, _)| request)
    }

    pub(crate) fn token(&self) -> u32 {
        self.token
    }

    pub(crate) fn answer_due_at(&self) -> Option<u64> {
        self.held.map(|(_, deadline)| deadline.when())
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.next_at
    }

    pub(crate) fn is_overdue(&mut self, now: u64) -> bool {
        self.held.as_mut().is_some_and(|(_, deadline)| deadline.expired(now))
    }

    /// Whether the poll under way is a probe. If it fails, only this client has found out: there is no crowd to spread.
    pub(crate) fn is_probing(&self) -> bool {
        self.probing
    }

    /// The next poll is sent as this request. `may_hold`: this page may occupy a connection of the browser's with it.
    pub(crate) fn send(&mut self, now: u64, request: RequestId, token: u32, may_hold: bool) -> PollRequest {
        let hold_ms = if self.quick || (self.welcomed && !may_hold) { 0 } else { self.hold };
        let timeout = match (self.welcomed, self.quick) {
            (false, _) => ANSWER_TIMEOUT_MS,
            (true, true) => self.probe_timeout,
            (true, false) => u64::from(hold_ms) + u64::from(limits::POLL_ABORT_MS - limits::POLL_HOLD_MS),
        };
        if self.connection.is_none() {
            // The new connection begins with this set. A channel that is removed from now on is removed by a later poll,
            // which may arrive before or after one that has the channel again.
            self.removed.clear();
        }
        let replaced = self.held.replace((request, Deadline::at(now + timeout)));
        self.sent_at = now;
        self.token = token;
        self.next_at = None;
        self.probing = core::mem::take(&mut self.quick);
        self.holding = hold_ms > 0;
        self.named = self.connection;
        self.awaits_welcome = false;
        self.renew = false;
        self.productive = false;
        // A new connection has no responses yet.
        let ack = if self.named.is_some() { self.ack } else { 0 };
        PollRequest {
            frame: everwire_protocol::Poll { connection: self.connection, ack, hold_ms },
            replaced: replaced.map(|(request, _)| request),
        }
    }

    /// Polls again soon with the present set of subscriptions.
    pub(crate) fn refresh(&mut self, now: u64) {
        if self.welcomed {
            self.send_at(now + COLLECT_MS);
        }
    }

    /// The poll that is held may never be answered: after waking, or (`patient`) because a POST is not answered either.
    /// Returns whether to send one now.
    pub(crate) fn probe(&mut self, patient: bool) -> bool {
        self.quick |= self.welcomed;
        self.probe_timeout = if patient { ANSWER_TIMEOUT_MS } else { PROBE_TIMEOUT_MS };
        self.welcomed
    }

    pub(crate) fn channel_added(&mut self, channel: &Channel) {
        // A set says nothing about a channel that was removed and added again: begin anew, with positions.
        if self.removed.contains(channel) {
            self.connection = None;
            self.renew = true;
            self.removed.clear();
        }
    }

    pub(crate) fn channel_removed(&mut self, channel: Channel) {
        self.removed.push(channel);
    }

    /// The connection that polls continue with, and how long it holds them. Returns whether it has just become clear that
    /// polls reach servers that do not know each other's connections.
    pub(crate) fn welcomed(&mut self, now: u64, connection: Uuid, hold: u32) -> bool {
        self.connection = (!self.renew).then_some(connection);
        // The responses of a new connection are counted from 1.
        self.ack = self.seq;
        self.welcomed = true;
        self.hold = hold.min(limits::POLL_HOLD_MS);
        let soon = now < self.welcomed_at + u64::from(limits::POLL_HOLD_MS);
        self.welcomed_at = now;
        if self.named.is_none() {
            return false;
        }
        self.astray = if soon { self.astray + 1 } else { 1 };
        // The next response is on this connection, or counts as another.
        self.named = None;
        self.astray == MAX_ASTRAY
    }

    /// The number of the response that is being read, and the connection whose response it is. Returns whether it continues the
    /// one that the poll has named. If not, a `welcome` must follow: something between may have repeated an older response,
    /// and the server would ignore a poll that acknowledged less than the one before, so that both sides would wait for ever.
    pub(crate) fn numbered(&mut self, seq: u64, connection: Option<Uuid>) -> bool {
        let continues =
            self.named.is_some() && seq == self.ack + 1 && (connection.is_none() || connection == self.named);
        self.seq = seq;
        if continues {
            self.ack = seq;
        }
        self.awaits_welcome = !continues;
        continues
    }

    /// Whether only a `welcome` counts now.
    pub(crate) fn awaits_welcome(&self) -> bool {
        self.awaits_welcome
    }

    /// Whether a `welcome` begins a connection. If it names the one that the poll has named, the response is an older one.
    pub(crate) fn begins(&mut self, connection: Uuid) -> bool {
        self.awaits_welcome = self.named == Some(connection);
        !self.awaits_welcome
    }

    /// The server does not accept what a poll has acknowledged: the next one asks for a new connection.
    pub(crate) fn begin_anew(&mut self) {
        self.connection = None;
    }

    pub(crate) fn mark_productive(&mut self) {
        self.productive = true;
    }

    /// The response has been read to its end. False if nothing of it counted: the server never welcomed this client, or the
    /// response was to an earlier poll. `visible`: somebody looks at
    /// the page; `jitter`: something to be added to long waits.
    pub(crate) fn responded(&mut self, now: u64, visible: bool, jitter: u64) -> bool {
        self.held = None;
        if core::mem::take(&mut self.awaits_welcome) || !self.welcomed {
            return false;
        }
        self.failures = 0;
        if self.named.is_some() {
            self.astray = 0;
        }
        let next_at = if self.astray >= MAX_ASTRAY {
            now + ASTRAY_MS + jitter
        } else if self.hold > 0 && (self.productive || self.probing) {
            now
        } else if self.holding && self.hold > 0 {
            now.max(self.sent_at + EMPTY_MS)
        } else if visible {
            now + u64::from(limits::POLL_INTERVAL_MS)
        } else {
            now + HIDDEN_INTERVAL_MS
        };
        self.send_at(next_at);
        true
    }

    /// A poll brought nothing. What its response may have carried is repeated by the next, whose `ack` has not moved.
    pub(crate) fn failed(&mut self, now: u64, retry_at: u64) -> PollFailure {
        self.failures += 1;
        let lasted = now.saturating_sub(self.sent_at);
        if self.holding && lasted >= CUT_OFF_MS && lasted < u64::from(self.hold) {
            self.hold = (lasted * 2 / 3) as u32;
        }
        let abort = self.held.take().map(|(request, _)| request);
        let retry = self.welcomed && self.failures < MAX_FAILURES;
        if retry {
            self.next_at = Some(retry_at);
        }
        PollFailure { abort, retry }
    }

    /// Nothing is under way: what a new permission to hold changes can be done at once.
    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_none()
    }

    fn send_at(&mut self, at: u64) {
        self.next_at = Some(self.next_at.unwrap_or(u64::MAX).min(at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: u64 = limits::POLL_HOLD_MS as u64;

    /// Sends a poll at `now`; `may_hold`: the page has a connection of the browser's to spare.
    fn send(poll: &mut Poll, now: u64, may_hold: bool) -> u32 {
        poll.send(now, RequestId(1), 1, may_hold).frame.hold_ms
    }

    /// A server has welcomed this client at time 0.
    fn welcomed() -> Poll {
        let mut poll = Poll::new();
        send(&mut poll, 0, true);
        assert!(!poll.numbered(1, None) && poll.begins(Uuid::from_u128(1)));
        poll.welcomed(0, Uuid::from_u128(1), limits::POLL_HOLD_MS);
        assert!(poll.responded(0, true, 0));
        poll
    }

    #[test]
    fn a_held_poll_that_is_cut_off_is_followed_by_one_of_two_thirds_of_its_length() {
        for (lasted, next) in
            [(1_999, HOLD), (2_000, 1_333), (3_000, 2_000), (HOLD - 1, 16_666), (HOLD, HOLD)]
        {
            let mut poll = welcomed();
            assert_eq!(u64::from(send(&mut poll, 1_000, true)), HOLD);
            assert!(poll.failed(1_000 + lasted, 50_000).retry);
            assert_eq!(u64::from(send(&mut poll, 50_000, true)), next, "after {lasted} ms");
        }
        // One that was not held was not cut off for its length.
        let mut poll = welcomed();
        assert_eq!(send(&mut poll, 1_000, false), 0);
        assert!(poll.failed(6_000, 50_000).retry);
        assert_eq!(u64::from(send(&mut poll, 50_000, true)), HOLD);
    }

    #[test]
    fn a_poll_for_a_new_connection_acknowledges_nothing() {
        let mut poll = welcomed();
        let next = |poll: &mut Poll| {
            let frame = poll.send(1_000, RequestId(1), 1, true).frame;
            (frame.connection.is_some(), frame.ack)
        };
        assert_eq!(next(&mut poll), (true, 1));
        let news = Channel::new("news").unwrap();
        poll.channel_removed(news.clone());
        poll.channel_added(&news);
        assert_eq!(next(&mut poll), (false, 0));
    }

    #[test]
    fn polls_go_astray_when_two_in_a_row_meet_servers_that_do_not_know_them_within_one_hold() {
        for (apart, astray) in [(HOLD - 1, true), (HOLD, false)] {
            let mut poll = welcomed();
            let mut meets_another = |now| {
                send(&mut poll, now, true);
                poll.welcomed(now, Uuid::from_u128(2), limits::POLL_HOLD_MS)
            };
            assert!(!meets_another(100_000), "one may be a restart");
            assert_eq!(meets_another(100_000 + apart), astray, "{apart}");
            assert!(!astray || !meets_another(100_001 + apart), "reported once");
        }
    }
}
