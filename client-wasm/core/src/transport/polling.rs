//! The polling transport: one request that the server holds, for receiving, and one for sending. Each carries everything
//! that the server needs (promise 12).

use alloc::vec::Vec;

use everwire_protocol::{Channel, Uuid, limits};

use super::super::{RequestId, deadline::Deadline};

/// How long the first poll may take to be welcomed, and a POST to be answered, in ms.
const ANSWER_TIMEOUT_MS: u64 = 10_000;
/// How long the poll after waking may take, in ms: it asks not to be held.
const PROBE_TIMEOUT_MS: u64 = 3_000;
/// A failed poll or POST is repeated within this time, in ms.
pub(crate) const RETRY_MS: u64 = 1_000;
/// A probe that failed is repeated within this time, in ms, because a dead connection is to be replaced within 4 s.
pub(crate) const PROBE_RETRY_MS: u64 = 250;
/// How long changes of the subscriptions are collected before they are polled for, in ms.
const COLLECT_MS: u64 = 10;
/// A server that answers at once with nothing is not polled again before this, in ms.
const EMPTY_MS: u64 = 1_000;
/// This many failed requests in a row end the connection.
const MAX_FAILURES: u32 = 2;

#[derive(Debug)]
pub(crate) struct Poll {
    /// Named by `welcome`; none before it, and none to ask for a new one.
    connection: Option<Uuid>,
    welcomed: bool,
    /// The last response that arrived.
    ack: u64,
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
            ack: 0,
            hold: limits::POLL_HOLD_MS,
            held: None,
            sent_at: 0,
            token: 0,
            next_at: None,
            quick: false,
            probing: false,
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

    /// The next poll is sent as this request.
    pub(crate) fn send(&mut self, now: u64, request: RequestId, token: u32) -> PollRequest {
        let hold_ms = if self.quick { 0 } else { self.hold };
        let timeout = match (self.welcomed, self.quick) {
            (false, _) => ANSWER_TIMEOUT_MS,
            (true, true) => PROBE_TIMEOUT_MS,
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
        self.renew = false;
        self.productive = false;
        PollRequest {
            frame: everwire_protocol::Poll { connection: self.connection, ack: self.ack, hold_ms },
            replaced: replaced.map(|(request, _)| request),
        }
    }

    /// Polls again soon with the present set of subscriptions.
    pub(crate) fn refresh(&mut self, now: u64) {
        if self.welcomed {
            self.send_at(now + COLLECT_MS);
        }
    }

    /// After waking, the poll that is held may never be answered. Returns whether to send one now.
    pub(crate) fn probe(&mut self) -> bool {
        self.quick |= self.welcomed;
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

    /// The connection that polls continue with, and how long it holds them.
    pub(crate) fn welcomed(&mut self, connection: Uuid, hold: u32) {
        self.connection = (!self.renew).then_some(connection);
        self.welcomed = true;
        self.hold = hold.min(limits::POLL_HOLD_MS);
    }

    pub(crate) fn acked(&mut self, seq: u64) {
        self.ack = seq;
    }

    pub(crate) fn mark_productive(&mut self) {
        self.productive = true;
    }

    /// The response has been read to its end. False if the server never welcomed this client.
    pub(crate) fn responded(&mut self, now: u64) -> bool {
        self.held = None;
        if self.welcomed {
            self.failures = 0;
            let wait = if self.hold == 0 {
                u64::from(limits::POLL_INTERVAL_MS)
            } else if !self.productive && now < self.sent_at + EMPTY_MS {
                EMPTY_MS
            } else {
                0
            };
            self.send_at(now + wait);
        }
        self.welcomed
    }

    /// A poll brought nothing. What its response may have carried is repeated by the next, whose `ack` has not moved.
    pub(crate) fn failed(&mut self, retry_at: u64) -> PollFailure {
        self.failures += 1;
        let abort = self.held.take().map(|(request, _)| request);
        let retry = self.welcomed && self.failures < MAX_FAILURES;
        if retry {
            self.next_at = Some(retry_at);
        }
        PollFailure { abort, retry }
    }

    /// The request that was held has failed, and needs no aborting.
    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    fn send_at(&mut self, at: u64) {
        self.next_at = Some(self.next_at.unwrap_or(u64::MAX).min(at));
    }
}

/// The request that sends; one at a time, so that order is kept.
#[derive(Debug, Default)]
pub(crate) struct Post {
    request: Option<(RequestId, Deadline)>,
    /// The serial number of the token of that request.
    token: u32,
    retry_at: Option<u64>,
    failures: u32,
}

impl Post {
    pub(crate) fn request(&self) -> Option<RequestId> {
        self.request.map(|(request, _)| request)
    }

    pub(crate) fn token(&self) -> u32 {
        self.token
    }

    pub(crate) fn answer_due_at(&self) -> Option<u64> {
        self.request.map(|(_, deadline)| deadline.when())
    }

    pub(crate) fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }

    pub(crate) fn is_overdue(&mut self, now: u64) -> bool {
        self.request.as_mut().is_some_and(|(_, deadline)| deadline.expired(now))
    }

    /// Whether a request may be sent now.
    pub(crate) fn is_free(&self) -> bool {
        self.request.is_none() && self.retry_at.is_none()
    }

    pub(crate) fn sent(&mut self, now: u64, request: RequestId, token: u32) {
        self.request = Some((request, Deadline::at(now + ANSWER_TIMEOUT_MS)));
        self.token = token;
    }

    /// The response has been read to its end. `complete`: everything in the request was answered.
    pub(crate) fn responded(&mut self, complete: bool) {
        self.request = None;
        if complete {
            self.failures = 0;
        }
    }

    /// Returns the request to abort, and whether it is tried again.
    pub(crate) fn failed(&mut self, retry_at: u64) -> (Option<RequestId>, bool) {
        self.failures += 1;
        let retry = self.failures <= MAX_FAILURES;
        if retry {
            self.retry_at = Some(retry_at);
        }
        (self.request.take().map(|(request, _)| request), retry)
    }

    pub(crate) fn retry(&mut self) {
        self.retry_at = None;
    }
}
