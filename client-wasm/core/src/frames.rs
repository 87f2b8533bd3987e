//! What the server says, frame by frame. The driver unpacks a batch between `begin_batch` and `end_batch`, and calls
//! one method per frame; payloads stay with the driver.

use alloc::{borrow::ToOwned, string::String};

use everwire_protocol::{CloseCode, ErrorCode, GapReason, Pong, Uuid};

use super::{
    Connection, Event, Handle, Now, Output, Position, Source, Transport,
    connection::Phase,
    subscriptions::{Confirmed, Entry},
    text,
};

/// An answer to `subscribe` that has not come by then is asked for again, in ms, though the connection lives.
const ANSWER_MS: u64 = 10_000;

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
    /// How long the token is good for.
    pub token_expires_in: Option<u64>,
    /// Largest payload.
    pub payload_bytes: u32,
    /// Largest batch.
    pub batch_bytes: u32,
}

/// The parts of `subscribed` that the core needs.
#[derive(Debug, Clone)]
pub struct SubscribedFrame<'a> {
    /// The log.
    pub epoch: &'a str,
    /// Entries follow from `offset + 1`.
    pub offset: u64,
    /// The end of the log.
    pub head: u64,
    /// What is missing, if anything.
    pub gap: Option<GapStart>,
}

/// The parts of a gap that the core needs: it ends where the entries begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GapStart {
    /// The first offset that is missing.
    pub from: u64,
    /// Why.
    pub reason: GapReason,
}

/// The parts of `error` that the core needs.
#[derive(Debug, Clone)]
pub struct Refusal<'a> {
    /// Why.
    pub code: ErrorCode,
    /// The same for a person.
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

impl Connection {
    /// A batch has arrived. What it holds counts only if its transport does.
    pub fn begin_batch(&mut self, now: Now, source: Source) {
        self.tick(now);
        let (known, counts) = match source {
            Source::WebSocket(link) => (
                self.ws.as_ref().is_some_and(|ws| ws.link == link),
                self.active == Some(Transport::WebSocket),
            ),
            Source::Response(request) => {
                (self.is_held(request) || self.is_post(request), self.active == Some(Transport::Polling))
            }
        };
        self.source = known.then_some(source);
        self.counts = known && counts;
        self.cut &= !known;
        if self.counts {
            self.useful = true;
        }
        if known && matches!(source, Source::WebSocket(_)) {
            self.heard();
        }
    }

    /// The batch has been read to its end.
    pub fn end_batch(&mut self) {
        self.counts = false;
        self.receipts_wait();
        if let Some(Source::Response(request)) = self.source.take() {
            self.responded(request);
        }
        if self.phase != Phase::Closed {
            self.run_timers();
        }
    }

    /// A durable entry has come for this subscription. Hot: called once per message.
    pub fn accept(&mut self, handle: Handle, offset: u64) -> Verdict {
        if !self.counts {
            return Verdict::Drop;
        }
        match self.subscriptions.accept(handle, offset) {
            Entry::Deliver => {
                self.brought();
                Verdict::Deliver
            }
            Entry::Drop => Verdict::Drop,
            Entry::Hole => {
                self.hole(handle, offset);
                Verdict::Drop
            }
        }
    }

    /// Something before this entry never came: asks again from the position that is certain.
    fn hole(&mut self, handle: Handle, offset: u64) {
        let Some(subscription) = self.subscriptions.get(handle) else { return };
        subscription.live = false;
        subscription.asked = false;
        let line = text!("hole before offset ", offset, " in ", subscription.channel.as_str());
        self.error(ErrorCode::ProtocolViolation, line);
        self.lost("the server left out a message", None);
    }

    /// Whether state frames (`joined`, `left`) for this subscription count now.
    pub fn live(&mut self, handle: Handle) -> bool {
        let counts = self.counts && self.subscriptions.get(handle).is_some_and(|s| s.live);
        if counts {
            self.poll_brought();
        }
        counts
    }

    /// `welcome`
    pub fn welcome(&mut self, frame: WelcomeFrame) {
        let Some(source) = self.source else { return };
        self.user = frame.user;
        self.max_payload = self.max_payload.min(frame.payload_bytes as usize).max(1);
        self.max_batch = self.max_batch.min(frame.batch_bytes as usize).max(1_024);
        let now = self.now();
        self.token.lifetime(now, frame.token_expires_in);
        self.note("< welcome".to_owned());
        match source {
            Source::WebSocket(_) => {
                let grace = everwire_protocol::limits::PING_GRACE_MS;
                self.websocket_welcomed(u64::from(frame.ping_interval) + u64::from(grace));
            }
            Source::Response(request) if self.is_held(request) => {
                self.poll_brought();
                self.poll_welcomed(frame.connection, frame.hold);
            }
            Source::Response(_) => {}
        }
    }

    /// `polled`
    pub fn polled(&mut self, seq: u64) {
        if let Some(Source::Response(request)) = self.source
            && self.is_held(request)
        {
            self.poll_acked(seq);
        }
    }

    /// `subscribed`. True if it counts, so that the members in it are to be used.
    pub fn subscribed(&mut self, handle: Handle, frame: &SubscribedFrame) -> bool {
        let Some(transport) = self.active.filter(|_| self.counts) else { return false };
        let Some(channel) = self.subscriptions.get(handle).map(|s| s.channel.clone()) else { return false };
        // Only a WebSocket is told with a frame that a channel is left, and confirms it.
        if transport == Transport::WebSocket && self.subscriptions.is_leaving(&channel) {
            return false;
        }
        self.useful = true;
        self.poll_brought();
        self.note(text!("< subscribed ", channel.as_str(), " ", frame.offset));
        let now = self.now();
        let Some(subscription) = self.subscriptions.get(handle) else { return false };
        let gap = match subscription.confirm(transport, frame) {
            Confirmed::InPlace => None,
            Confirmed::Missing(from, to, reason) => Some((from, to, reason)),
            Confirmed::Stale => {
                subscription.asked = false;
                self.ask_for_subscriptions();
                self.poll_anew();
                return false;
            }
            Confirmed::Earlier => {
                // The answer to what was asked last is under way; polls ask each time.
                if transport == Transport::WebSocket {
                    subscription.retry_at = Some(now + ANSWER_MS);
                }
                return false;
            }
        };
        let position = subscription.position.clone();
        if let Some((from, to, reason)) = gap {
            self.note(text!("gap ", from, " to ", to));
            self.outputs.push_back(Output::Event(Event::Gap { handle, from, to, reason }));
        }
        let position = position.unwrap_or(Position { epoch: frame.epoch.to_owned(), offset: frame.offset });
        self.outputs.push_back(Output::Event(Event::Subscribed {
            handle,
            position,
            head: frame.head,
            recovered: gap.is_none(),
        }));
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
        if !self.counts {
            return;
        }
        self.poll_brought();
        if self.subscriptions.left(channel) {
            return;
        }
        let (Some(handle), Some(code)) = (handle, code) else { return };
        self.end_subscription(handle, code, message);
    }

    fn end_subscription(&mut self, handle: Handle, code: ErrorCode, message: &str) {
        let Some(subscription) = self.subscriptions.remove(handle) else { return };
        self.note(text!("ended ", subscription.channel.as_str(), ": ", code.as_str()));
        self.poll_set_shrank(subscription.channel);
        self.outputs.push_back(Output::Event(Event::Ended { handle, code, message: message.to_owned() }));
    }

    /// `ack`
    pub fn acked(&mut self, id: Uuid, offset: u64, at: u64) {
        if self.source.is_some() {
            self.brought();
            self.stored(id, offset, at);
        }
    }

    /// `error`
    pub fn refused(&mut self, refusal: &Refusal) {
        if self.source.is_none() {
            return;
        }
        self.poll_brought();
        self.note(text!("< error ", refusal.code.as_str()));
        if let Some(id) = refusal.id {
            self.send_refused(id, refusal.code, refusal.message, refusal.retry, refusal.retry_after);
        } else if let Some(handle) = refusal.handle {
            if refusal.retry && refusal.code.retry() {
                let now = self.now();
                self.subscriptions.put_off(handle, now, refusal.retry_after);
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

    /// The server will not have this client. A token that is not fresh is worth one more try with a new one.
    pub(super) fn refused_for_good(&mut self, code: ErrorCode, message: &str) {
        let now = self.now();
        if code == ErrorCode::Unauthorized && self.about_an_earlier_token() {
            let soon = self.rng.between(0, 250);
            self.lost("the token was replaced in the meantime", Some(soon));
        } else if code == ErrorCode::Unauthorized && self.token.refused(now) {
            let soon = self.rng.between(0, 250);
            self.lost("the token is no longer accepted; asking for a new one", Some(soon));
        } else {
            self.error(code, message.to_owned());
            self.finish(Some(code), message);
        }
    }

    /// The server would have this client with another token. How often the application gives one that has expired says
    /// nothing about the next one.
    fn token_expired(&mut self, message: &str) {
        let now = self.now();
        let stale = self.about_an_earlier_token() || self.token.refused(now);
        let soon = stale.then(|| self.rng.between(0, 250));
        if !stale {
            self.error(ErrorCode::TokenExpired, message.to_owned());
        }
        self.lost(message, soon);
    }

    /// Whether what is being answered was sent with another token than the present one.
    fn about_an_earlier_token(&self) -> bool {
        let sent_with = match self.source {
            Some(Source::Response(request)) if self.is_post(request) => self.post.as_ref().map(|p| p.token),
            Some(Source::Response(_)) => self.poll.as_ref().map(|p| p.token),
            _ => self.ws.as_ref().map(|ws| ws.token),
        };
        sent_with.is_some_and(|serial| serial < self.token.serial)
    }

    /// `ping`
    pub fn pinged(&mut self, nonce: Option<u32>) {
        if let Some(Source::WebSocket(_)) = self.source {
            self.send_websocket(&[Pong { nonce }.into()]);
        }
    }

    /// `goaway`
    pub fn told_to_leave(&mut self, delay: u32, spread: u32, reason: &str) {
        if !self.counts {
            return;
        }
        self.note(text!("< goaway: ", reason));
        let leave = self.now() + u64::from(delay);
        let back = leave + self.rng.between(0, u64::from(spread));
        self.goaway = Some((leave, back));
    }

    /// What is being read is not the protocol.
    pub fn violation(&mut self, message: &str) {
        if let Some(source) = self.source {
            self.violated(source, message);
        }
    }

    /// What a transport brought is not the protocol. It is given up, and the next try begins as after any loss.
    pub(super) fn violated(&mut self, source: Source, message: &str) {
        let known = match source {
            Source::WebSocket(link) => self.ws.as_ref().is_some_and(|ws| ws.link == link),
            Source::Response(request) => self.is_held(request) || self.is_post(request),
        };
        if !known {
            return;
        }
        self.error(
            ErrorCode::ProtocolViolation,
            text!(const { ErrorCode::ProtocolViolation.sentence() }, " ", message),
        );
        match source {
            Source::WebSocket(_) => {
                self.websocket_failed(const { CloseCode::ProtocolViolation.sentence() }, false);
            }
            Source::Response(request) => {
                self.request_failed(request, const { CloseCode::ProtocolViolation.sentence() });
            }
        }
    }
}
