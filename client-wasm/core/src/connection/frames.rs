//! What the server sends, frame by frame. The driver reads a batch between `begin_batch` and `end_batch`, and calls one
//! method per frame; payloads stay with the driver.

use alloc::{borrow::ToOwned, string::String};

use everwire_protocol::{CloseCode, ErrorCode, Pong, Uuid, limits};

use super::{Connection, Event, Now, Transport};
use crate::{
    Handle, Position, Source, SubscribedFrame,
    incoming::subscriptions::{Confirmed, Entry},
};

/// What to do with a durable entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: a duplicate, or from a transport or subscription that no longer counts.
    Drop,
    /// Hand it to the listeners. The position has moved already.
    Deliver,
}

/// The parts of `welcome` that the core needs; times in ms, sizes in bytes.
#[derive(Debug, Clone)]
pub struct WelcomeFrame {
    /// Names the connection.
    pub connection: Uuid,
    /// Who the server takes the client for.
    pub user: String,
    /// The longest silence to expect.
    pub ping_interval: u32,
    /// How long polls are held.
    pub hold: u32,
    /// How long the token is valid.
    pub token_expires_in: Option<u64>,
    /// Largest payload.
    pub payload_bytes: u32,
    /// Largest batch.
    pub batch_bytes: u32,
}

/// The parts of `error` that the core needs.
#[derive(Debug, Clone)]
pub struct Refusal<'a> {
    /// The error code.
    pub code: ErrorCode,
    /// The message for humans.
    pub message: &'a str,
    /// Whether trying again can help.
    pub retry: bool,
    /// The send that is refused.
    pub id: Option<Uuid>,
    /// The subscription that is refused.
    pub handle: Option<Handle>,
    /// Whether it concerns a channel, subscribed or not.
    pub about_channel: bool,
    /// When to try again, in ms from now.
    pub retry_after: Option<u64>,
}

/// A refused message is sent again after this long, in ms, if the server does not say when.
const SEND_RETRY_MS: u64 = 1_000;
/// An answer to `subscribe` that has not come by then is asked for again, in ms, though the connection works.
const ANSWER_TIMEOUT_MS: u64 = 10_000;
/// A server that announces less than this for a batch is not believed, in bytes.
const MIN_BATCH_BYTES: usize = 1_024;

impl Connection {
    /// A batch has arrived. What it holds counts only if its transport does.
    pub fn begin_batch(&mut self, now: Now, source: Source) {
        self.tick(now);
        if self.transports.begin_batch(source) {
            self.lifecycle.received();
            if let (Source::WebSocket(_), Some(websocket)) = (source, &mut self.transports.websocket) {
                websocket.received(self.clock.now());
            }
        }
        if self.transports.counts() {
            self.lifecycle.mark_productive();
        }
    }

    /// The batch has been read to its end.
    pub fn end_batch(&mut self) {
        self.collect_receipts();
        if let Some(Source::Response(request)) = self.transports.end_batch() {
            self.responded(request);
        }
        if !self.lifecycle.is_closed() {
            self.run_timers();
        }
    }

    /// A durable entry has arrived for this subscription. Hot: called once per message.
    pub fn accept(&mut self, handle: Handle, offset: u64) -> Verdict {
        if !self.transports.counts() {
            return Verdict::Drop;
        }
        match self.subscriptions.accept(handle, offset) {
            Entry::Deliver => {
                self.transports.mark_productive();
                Verdict::Deliver
            }
            Entry::Drop => Verdict::Drop,
            Entry::Hole => {
                self.found_hole(handle, offset);
                Verdict::Drop
            }
        }
    }

    /// The server left out an entry, or a transport lost it. The connection starts again from the position, which is
    /// certain.
    fn found_hole(&mut self, handle: Handle, offset: u64) {
        let Some(subscription) = self.subscriptions.get(handle) else { return };
        subscription.invalidate();
        let line = text!("hole before offset ", offset, " in ", subscription.channel().as_str());
        self.error(ErrorCode::ProtocolViolation, line);
        self.lost("the server left out a message", None);
    }

    /// Whether state frames (`joined`, `left`) for this subscription count now.
    pub fn live(&mut self, handle: Handle) -> bool {
        let counts = self.transports.counts() && self.subscriptions.get(handle).is_some_and(|s| s.is_live());
        if counts {
            self.transports.mark_poll_productive();
        }
        counts
    }

    /// `welcome`
    pub fn welcome(&mut self, frame: WelcomeFrame) {
        let Some(source) = self.transports.source() else { return };
        self.user = frame.user;
        self.max_payload = self.max_payload.min(frame.payload_bytes as usize).max(1);
        let batch_limits = &mut self.batch_limits;
        batch_limits.bytes = batch_limits.bytes.min(frame.batch_bytes as usize).max(MIN_BATCH_BYTES);
        let now = self.now();
        self.token.set_lifetime(now, frame.token_expires_in);
        self.log("< welcome".to_owned());
        match source {
            Source::WebSocket(_) => {
                self.websocket_welcomed(u64::from(frame.ping_interval) + u64::from(limits::PING_GRACE_MS));
            }
            Source::Response(request) if self.transports.is_held(request) => {
                self.transports.mark_poll_productive();
                self.poll_welcomed(frame.connection, frame.hold);
            }
            Source::Response(_) => {}
        }
    }

    /// `polled`
    pub fn polled(&mut self, seq: u64) {
        if let Some(Source::Response(request)) = self.transports.source()
            && self.transports.is_held(request)
            && let Some(poll) = &mut self.transports.poll
        {
            poll.acked(seq);
        }
    }

    /// `subscribed`. True if it counts, so that the members in it are to be used.
    pub fn subscribed(&mut self, handle: Handle, frame: &SubscribedFrame<'_>) -> bool {
        let counts = self.transports.counts();
        let Some(transport) = self.transports.active().filter(|_| counts) else { return false };
        let Some(channel) = self.subscriptions.get(handle).map(|s| s.channel().clone()) else { return false };
        // Only a WebSocket is told with a frame that a channel is left, and confirms it.
        if transport == Transport::WebSocket && self.subscriptions.is_leaving(&channel) {
            return false;
        }
        self.lifecycle.mark_productive();
        self.transports.mark_poll_productive();
        self.log(text!("< subscribed ", channel.as_str(), " ", frame.offset));
        let now = self.now();
        let Some(subscription) = self.subscriptions.get(handle) else { return false };
        let confirmed = subscription.confirm(transport, frame);
        // A subscription that continues may have come further by another transport.
        let offset = subscription.offset().unwrap_or(frame.offset);
        let recovered = match confirmed {
            Confirmed::InPlace => true,
            Confirmed::Missing(from, to, reason) => {
                self.log(text!("gap ", from, " to ", to));
                self.event(Event::Gap { handle, from, to, reason });
                false
            }
            Confirmed::Stale => {
                self.request_subscriptions();
                self.refresh_poll();
                return false;
            }
            Confirmed::Earlier => {
                // The answer to the last request is under way; polls ask each time.
                if transport == Transport::WebSocket {
                    subscription.retry_at(now + ANSWER_TIMEOUT_MS);
                }
                return false;
            }
        };
        let position = Position { epoch: frame.epoch.to_owned(), offset };
        self.event(Event::Subscribed { handle, position, head: frame.head, recovered });
        true
    }

    /// `unsubscribed`: as asked, or because the server ended it.
    pub fn unsubscribed(
        &mut self,
        handle: Option<Handle>,
        channel: &str,
        code: Option<ErrorCode>,
        message: &str,
    ) {
        if !self.transports.counts() {
            return;
        }
        self.transports.mark_poll_productive();
        if self.subscriptions.left(channel) {
            return;
        }
        let (Some(handle), Some(code)) = (handle, code) else { return };
        self.end_subscription(handle, code, message);
    }

    fn end_subscription(&mut self, handle: Handle, code: ErrorCode, message: &str) {
        let Some(subscription) = self.remove_subscription(handle) else { return };
        self.log(text!("ended ", subscription.channel().as_str(), ": ", code.as_str()));
        self.event(Event::Ended { handle, code, message: message.to_owned() });
    }

    /// `ack`: the message is on the server's disk.
    pub fn acked(&mut self, id: Uuid, offset: u64, at: u64) {
        if self.transports.source().is_none() {
            return;
        }
        self.transports.mark_productive();
        if self.outbox.remove(id) {
            self.event(Event::Sending {
                id,
                status: crate::SendStatus::Stored,
                stored: Some((offset, at)),
                error: None,
            });
            self.flush();
        }
    }

    /// A frame has arrived that answers this request. False if nobody waits for it.
    pub fn answered(&mut self, id: Uuid) -> bool {
        if self.transports.source().is_none() {
            return false;
        }
        self.transports.mark_productive();
        self.requests.finish(id)
    }

    /// `error`
    pub fn refused(&mut self, refusal: &Refusal<'_>) {
        if self.transports.source().is_none() {
            return;
        }
        self.transports.mark_poll_productive();
        self.log(text!("< error ", refusal.code.as_str()));
        if let Some(id) = refusal.id {
            self.send_refused(id, refusal);
        } else if let Some(handle) = refusal.handle {
            if refusal.retry && refusal.code.retry() {
                let now = self.now();
                self.subscriptions.defer(handle, now, refusal.retry_after);
                self.error(refusal.code, refusal.message.to_owned());
            } else {
                self.end_subscription(handle, refusal.code, refusal.message);
            }
        } else if !refusal.about_channel {
            if refusal.code == ErrorCode::TokenExpired {
                self.token_expired(refusal.message);
            } else if refusal.code.terminal() {
                self.refused_for_good(refusal.code, refusal.message);
            } else {
                self.error(refusal.code, refusal.message.to_owned());
            }
        }
    }

    /// The server refused a request or a message: for good, or only for now.
    fn send_refused(&mut self, id: Uuid, refusal: &Refusal<'_>) {
        let (code, message) = (refusal.code, refusal.message);
        if self.requests.finish(id) {
            self.failed(id, code, message.to_owned());
        } else if !refusal.retry {
            if self.outbox.remove(id) {
                self.failed(id, code, message.to_owned());
                self.flush();
            }
        } else if self.outbox.contains(id) {
            // Whatever was sent behind it is deferred by the server; all of it is sent again, in order.
            self.recall_messages();
            let until = self.now() + refusal.retry_after.unwrap_or(SEND_RETRY_MS);
            self.outbox.hold(until);
            if code != ErrorCode::Deferred {
                self.error(code, message.to_owned());
            }
        }
    }

    /// `ping`
    pub fn pinged(&mut self, nonce: Option<u32>) {
        if let Some(Source::WebSocket(_)) = self.transports.source() {
            self.send_websocket(&[Self::encode(Pong { nonce })]);
        }
    }

    /// `goaway`
    pub fn told_to_leave(&mut self, delay: u32, spread: u32, reason: &str) {
        if !self.transports.counts() {
            return;
        }
        self.log(text!("< goaway: ", reason));
        let leave_at = self.now() + u64::from(delay);
        let return_at = leave_at + self.rng.between(0, u64::from(spread));
        self.lifecycle.on_goaway(leave_at, return_at);
    }

    /// Somebody else has announced to be typing, or (`false`) has withdrawn it. `number` names the user to the driver.
    pub fn heard_typing(&mut self, handle: Handle, number: u32, typing: bool) {
        let now = self.now();
        self.typists.heard(now, handle, number, typing);
    }

    /// The server has these marks of the user, so it keeps marks for this channel.
    pub fn marked(&mut self, handle: Handle, delivered: u64, read: u64) {
        if let Some(subscription) = self.subscriptions.get(handle) {
            let offset = subscription.offset();
            subscription.marks().confirmed(delivered, read, offset);
            self.collect_receipts();
        }
    }

    /// What is being read violates the protocol.
    pub fn violation(&mut self, message: &str) {
        if let Some(source) = self.transports.source() {
            self.on_violation(source, message);
        }
    }

    /// What a transport brought violates the protocol. It is given up, and the next attempt begins as after any loss.
    pub(crate) fn on_violation(&mut self, source: Source, message: &str) {
        if !self.transports.knows(source) {
            return;
        }
        let sentence = const { ErrorCode::ProtocolViolation.message() };
        self.error(ErrorCode::ProtocolViolation, text!(sentence, " ", message));
        let reason = const { CloseCode::ProtocolViolation.message() };
        match source {
            Source::WebSocket(_) => self.websocket_failed(reason, false),
            Source::Response(request) => self.request_failed(request, reason),
        }
    }
}
