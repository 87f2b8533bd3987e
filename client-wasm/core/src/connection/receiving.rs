//! What the server sends. The driver passes on the frames of a batch between `begin_batch` and `end_batch`, each by
//! `receive_frame`, and tells the application what that returns.

use alloc::borrow::ToOwned;

use everwire_protocol::{CloseCode, ErrorCode, Pong, Uuid, limits};

use super::{BatchLimits, Connection, Now, Phase, Transport};
use crate::{
    Confirmation, ErrorFrame, Handle, Outcome, ReceivedFrame, Source, SubscribedFrame, UnsubscribedFrame,
    WelcomeFrame,
    incoming::{subscription::Confirmed, subscriptions::Entry},
    transport::polling::Poll,
};

/// A refused message is sent again after this long, in ms, if the server does not say when.
const SEND_RETRY_MS: u64 = 1_000;
/// An answer to `subscribe` that has not come by then is asked for again, in ms, though the connection works.
const ANSWER_TIMEOUT_MS: u64 = 10_000;
/// The smallest batch that a server can ask for, so that what every connection needs can still be sent.
const MIN_BATCH: BatchLimits = BatchLimits { bytes: 1_024, frames: 4 };

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

    /// One frame of the batch.
    pub fn receive_frame(&mut self, frame: ReceivedFrame<'_>) -> Outcome {
        let Some(source) = self.transports.source() else { return Outcome::Nothing };
        if self.transports.awaits_welcome() && !matches!(frame, ReceivedFrame::Welcome(_)) {
            return Outcome::Nothing;
        }
        match frame {
            ReceivedFrame::Welcome(frame) => self.on_welcome(source, &frame),
            ReceivedFrame::Subscribed(frame) => return self.on_subscribed(&frame),
            ReceivedFrame::Unsubscribed(frame) => return self.on_unsubscribed(&frame),
            ReceivedFrame::Message { handle, offset } => return outcome(self.accept(handle, offset, 1)),
            ReceivedFrame::Ack { id } => return self.on_ack(id),
            ReceivedFrame::Error(frame) => return self.on_error(source, &frame),
            ReceivedFrame::Answer { id } => {
                self.transports.mark_productive();
                return outcome(self.requests.finish(id));
            }
            ReceivedFrame::TokenAccepted { expires_in } => {
                self.transports.mark_poll_productive();
                if !self.is_about_an_earlier_token() {
                    let now = self.now();
                    self.token.set_lifetime(now, expires_in);
                }
            }
            ReceivedFrame::Polled { seq, connection } => self.on_polled(source, seq, connection),
            ReceivedFrame::Ping { nonce } => {
                if let Source::WebSocket(_) = source {
                    self.send_websocket(&[Self::encode(Pong { nonce })]);
                }
            }
            // Like every frame it is a sign of life, and was taken as such with the batch.
            ReceivedFrame::Pong => {}
            ReceivedFrame::Goaway { delay, spread, reason } => self.on_goaway(delay, spread, reason),
            ReceivedFrame::UserTyping { handle, typist, typing } => {
                let live = self.counts(Some(handle));
                if live {
                    let now = self.now();
                    self.typists.heard(now, handle, typist, typing);
                }
                return outcome(live);
            }
            ReceivedFrame::OwnReceipt { handle, delivered, read } => {
                return outcome(self.counts(Some(handle)) && self.on_own_receipt(handle, delivered, read));
            }
            ReceivedFrame::State { handle } => return outcome(self.counts(handle)),
            ReceivedFrame::Violation { message } => self.on_violation(source, message),
        }
        Outcome::Nothing
    }

    /// Durable entries have arrived for this subscription: `count`, of which the first is at `offset` and the others follow one by
    /// one. Whether they are to be delivered; the position has moved then. Hot: a driver asks about one entry, delivers
    /// those that directly follow it, and tells of them before it calls anything else.
    pub fn accept(&mut self, handle: Handle, offset: u64, count: u32) -> bool {
        if !self.transports.counts() {
            return false;
        }
        match self.subscriptions.accept(handle, offset, count) {
            Entry::Deliver => {
                self.transports.mark_productive();
                true
            }
            Entry::Drop => false,
            Entry::Hole => {
                self.on_hole(handle, offset);
                false
            }
        }
    }

    /// The server left out an entry, or a transport lost it. The connection starts again from the position, which is
    /// certain.
    fn on_hole(&mut self, handle: Handle, offset: u64) {
        let Some(subscription) = self.subscriptions.get(handle) else { return };
        let line = text!("hole before offset ", offset, " in ", subscription.channel().as_str());
        self.error(ErrorCode::ProtocolViolation, line);
        self.lost("the server left out a message", None);
    }

    /// Whether what is being read counts, for this subscription if there is one.
    fn counts(&mut self, handle: Option<Handle>) -> bool {
        let live = match handle {
            Some(handle) => self.subscriptions.get(handle).is_some_and(|s| s.is_live()),
            None => true,
        };
        let counts = live && self.transports.counts();
        if counts {
            self.transports.mark_poll_productive();
        }
        counts
    }

    fn on_welcome(&mut self, source: Source, frame: &WelcomeFrame<'_>) {
        if self.answered_poll(source).is_some_and(|poll| !poll.begins(frame.connection)) {
            return;
        }
        frame.user.clone_into(&mut self.user);
        self.max_payload = self.max_payload.min(frame.payload_bytes as usize).max(1);
        let BatchLimits { bytes, frames } = &mut self.batch_limits;
        *bytes = (*bytes).min(frame.batch_bytes as usize).max(MIN_BATCH.bytes);
        *frames = (*frames).min(frame.batch_frames as usize).max(MIN_BATCH.frames);
        self.max_subscriptions = (frame.subscriptions as usize).min(limits::MAX_SUBSCRIPTIONS);
        let now = self.now();
        self.token.set_lifetime(now, frame.token_expires_in);
        self.log("< welcome".to_owned());
        match source {
            Source::WebSocket(_) => {
                frame.run.clone_into(&mut self.run);
                self.websocket_welcomed(u64::from(frame.ping_interval) + u64::from(limits::PING_GRACE_MS));
            }
            Source::Response(request) if self.transports.is_held(request) => {
                frame.run.clone_into(&mut self.run);
                self.transports.mark_poll_productive();
                self.poll_welcomed(frame.connection, frame.hold);
            }
            Source::Response(_) => {}
        }
    }

    /// Something between may repeat an older response, or one of an earlier connection. Nothing of it counts.
    fn on_polled(&mut self, source: Source, seq: u64, connection: Option<Uuid>) {
        if self.answered_poll(source).is_some_and(|poll| !poll.numbered(seq, connection)) {
            self.transports.await_welcome();
        }
    }

    /// The poll that this is the answer to.
    fn answered_poll(&mut self, source: Source) -> Option<&mut Poll> {
        let Source::Response(request) = source else { return None };
        if self.transports.is_held(request) { self.transports.poll.as_mut() } else { None }
    }

    fn on_subscribed(&mut self, frame: &SubscribedFrame<'_>) -> Outcome {
        let counts = self.transports.counts();
        let Some(transport) = self.transports.active().filter(|_| counts) else { return Outcome::Nothing };
        let now = self.now();
        let Some(subscription) = self.subscriptions.get(frame.handle) else { return Outcome::Nothing };
        let line = text!("< subscribed ", subscription.channel().as_str(), " ", frame.offset);
        // Only on a WebSocket is a channel left with a frame, which the server confirms.
        let channel = subscription.channel().clone();
        if transport == Transport::WebSocket && self.subscriptions.is_leaving(channel.as_str()) {
            return Outcome::Nothing;
        }
        self.lifecycle.mark_productive();
        self.transports.mark_poll_productive();
        self.log(line);
        let Some(subscription) = self.subscriptions.get(frame.handle) else { return Outcome::Nothing };
        let gap = match subscription.confirm(transport, &self.run, frame) {
            Confirmed::InPlace => None,
            Confirmed::Missing(gap) => Some(gap),
            Confirmed::Stale => {
                self.request_subscriptions();
                self.refresh_poll();
                return Outcome::Nothing;
            }
            Confirmed::Earlier => {
                // The answer to the last request is under way; polls ask each time.
                if transport == Transport::WebSocket {
                    subscription.retry_at(now + ANSWER_TIMEOUT_MS);
                }
                return Outcome::Nothing;
            }
        };
        let offset = subscription.offset().unwrap_or(frame.offset);
        if let Some(gap) = gap {
            self.log(text!("gap ", gap.from, " to ", gap.to));
        }
        Outcome::Subscribed(Confirmation { offset, gap })
    }

    fn on_unsubscribed(&mut self, frame: &UnsubscribedFrame<'_>) -> Outcome {
        if !self.counts(None) {
            return Outcome::Nothing;
        }
        let Some(code) = frame.code else {
            self.subscriptions.left(frame.channel);
            return Outcome::Nothing;
        };
        // What the server says before it confirms an `unsubscribe`, or to a poll that did not ask for it, is about an earlier
        // subscription.
        let left = self.subscriptions.is_leaving(frame.channel);
        let Some(handle) = frame.handle.filter(|_| !left) else { return Outcome::Nothing };
        let transport = self.transports.active();
        if !self.subscriptions.get(handle).zip(transport).is_some_and(|(s, t)| s.was_requested(t)) {
            return Outcome::Nothing;
        }
        self.log(text!("< unsubscribed ", frame.channel, ": ", code.as_str()));
        if let Some(retry_after) = frame.retry_after {
            let now = self.now();
            self.subscriptions.defer(handle, now + retry_after);
            Outcome::Error
        } else if self.remove_subscription(handle).is_some() {
            Outcome::Ended
        } else {
            Outcome::Nothing
        }
    }

    fn on_ack(&mut self, id: Uuid) -> Outcome {
        self.transports.mark_productive();
        if !self.outbox.remove(id) {
            return Outcome::Nothing;
        }
        self.flush();
        Outcome::Stored
    }

    fn on_error(&mut self, source: Source, frame: &ErrorFrame<'_>) -> Outcome {
        self.transports.mark_poll_productive();
        self.log(text!("< error ", frame.code.as_str()));
        if let Some(id) = frame.id {
            return self.on_refusal(id, frame);
        }
        if frame.code == ErrorCode::InvalidFrame
            && let Some(poll) = self.answered_poll(source)
        {
            poll.begin_anew();
        }
        if let Source::Response(_) = source {
            // Requests reach the server. Where WebSockets do not open, few attempts would poll: another token would be judged late,
            // and refusals be too far apart to end a client whose tokens are no good.
            self.transports.selector.poll_next();
        }
        if frame.code == ErrorCode::TokenExpired {
            self.token_expired(frame.message);
            return Outcome::Nothing;
        }
        if frame.code.terminal() {
            self.refused_for_good(frame.code, frame.message);
            return Outcome::Nothing;
        }
        // On another connection no such refusal is still on its way, about a batch that was sent before.
        if matches!(frame.code, ErrorCode::InvalidBatch | ErrorCode::TooLarge)
            && self.blame(frame.code, frame.message)
        {
            self.lost("a batch was refused", None);
        }
        Outcome::Error
    }

    /// The server refused a request or a message: for good, or only for now.
    fn on_refusal(&mut self, id: Uuid, frame: &ErrorFrame<'_>) -> Outcome {
        if self.requests.finish(id) {
            return Outcome::Failed;
        }
        if !frame.retry {
            if !self.outbox.remove(id) {
                return Outcome::Nothing;
            }
            self.flush();
            return Outcome::Failed;
        }
        if !self.outbox.contains(id) {
            return Outcome::Nothing;
        }
        // Whatever was sent behind it is deferred by the server; all of it is sent again, in order.
        self.recall_messages();
        let until = self.now() + frame.retry_after.unwrap_or(SEND_RETRY_MS);
        self.outbox.hold(until);
        if frame.code == ErrorCode::Deferred { Outcome::Nothing } else { Outcome::Error }
    }

    /// The server says when to come back: on a connection, or instead of a welcome.
    fn on_goaway(&mut self, delay: u32, spread: u32, reason: &str) {
        if !self.transports.counts() && self.lifecycle.phase() != Phase::Connecting {
            return;
        }
        self.log(text!("< goaway: ", reason));
        let leave_at = self.now() + u64::from(delay);
        let return_at = leave_at + self.rng.between(0, u64::from(spread));
        self.lifecycle.on_goaway(leave_at, return_at);
    }

    fn on_own_receipt(&mut self, handle: Handle, delivered: u64, read: u64) -> bool {
        let Some(subscription) = self.subscriptions.get(handle) else { return false };
        let offset = subscription.offset();
        subscription.marks().confirmed(delivered, read, offset);
        self.collect_receipts();
        true
    }

    /// What a transport brought violates the protocol. It is given up, and the next attempt begins as after any loss.
    pub(super) fn on_violation(&mut self, source: Source, message: &str) {
        if !self.transports.knows(source) {
            return;
        }
        let sentence = const { ErrorCode::ProtocolViolation.message() };
        self.error(ErrorCode::ProtocolViolation, text!(sentence, " ", message));
        let reason = const { CloseCode::ProtocolViolation.message() };
        match source {
            Source::WebSocket(_) => self.websocket_failed(reason, false),
            Source::Response(request) => self.request_failed(request, 200, message),
        }
    }
}

fn outcome(deliver: bool) -> Outcome {
    if deliver { Outcome::Deliver } else { Outcome::Nothing }
}
