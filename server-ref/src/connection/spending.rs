//! What the frames of a client may cost. A frame that the account of the connection or of its user cannot pay for is refused
//! with `rate_limited`; a client that goes on regardless is told when to return, and closed.

use everwire_protocol::{
    ClientFrame, CloseCode, ConnectionFrame, Error, ErrorCode, Goaway, SortedFrame, batch::Frame,
};

use super::{
    Connection, Phase, Transport,
    errors::{about, about_send, error, error_saying, re},
};
use crate::{
    accounts::{Level, costs},
    model::identity::{Identity, RateClass, Refusal},
};

/// How long a client stays away that was closed because of what it cost, in ms; and over how much more time its return is
/// spread.
const AWAY_MS: u32 = 10_000;

#[derive(Debug, Default)]
pub(super) struct Spending {
    level: Level,
    excess: Level,
    /// Refusals that were not charged yet.
    refusals: u32,
    /// Bytes of framing that were not charged yet.
    framing: usize,
}

impl Spending {
    pub(super) fn refused(&mut self) {
        self.refusals += 1;
    }
}

impl Connection {
    /// Charges the connection, then its user. The error is how long to wait, in ms.
    pub(super) fn charge(&mut self, now_ms: u64, who: &Identity, units: u32) -> Result<(), u32> {
        if units == 0 {
            return Ok(());
        }
        self.spending.level.take(now_ms, costs::CONNECTION, units)?;
        self.access.pace(who, self.session, RateClass::Work(units), now_ms)
    }

    /// Charges a message without frames: an empty batch, or a ping of the WebSocket itself. Before `hello` nobody pays, and few
    /// bytes are read.
    pub fn count_message(&mut self, now_ms: u64) {
        if self.has_failed() {
            return;
        }
        let Phase::Open(identity) = &self.phase else { return };
        let identity = identity.clone();
        if let Err(ms) = self.charge(now_ms, &identity, costs::MESSAGE) {
            self.exceed(now_ms, ms);
        }
    }

    /// Charges the bytes of a WebSocket that are no message. There are many only if a client cuts its messages into small pieces,
    /// which no browser does.
    pub fn count_framing(&mut self, now_ms: u64, bytes: usize) {
        if self.has_failed() {
            return;
        }
        let Phase::Open(identity) = &self.phase else { return };
        let bytes = self.spending.framing + bytes;
        self.spending.framing = bytes % costs::FRAMING;
        let units = u32::try_from(bytes / costs::FRAMING).unwrap_or(u32::MAX);
        let identity = identity.clone();
        if let Err(ms) = self.charge(now_ms, &identity, units) {
            self.turn_away(now_ms, ms);
        }
    }

    /// Charges a new connection.
    pub(super) fn charge_hello(&self, now_ms: u64, who: &Identity) -> Result<(), u32> {
        self.access.pace(who, self.session, RateClass::Work(costs::HELLO), now_ms)?;
        if self.transport == Transport::Post {
            return Ok(());
        }
        self.access.pace(who, self.session, RateClass::NewConnection, now_ms)
    }

    /// Charges the refusals since the last call.
    pub(super) fn charge_refusals(&mut self, now_ms: u64, who: &Identity) {
        let refusals = std::mem::take(&mut self.spending.refusals);
        if let Err(ms) = self.charge(now_ms, who, refusals.saturating_mul(costs::REFUSAL)) {
            self.exceed(now_ms, ms);
        }
    }

    /// Refuses a frame that cannot be paid for. What ends something is done nevertheless: it costs little, and the client
    /// would not repeat it.
    pub(super) fn refuse_cost(&mut self, now_ms: u64, frame: ClientFrame, retry_after_ms: u32) {
        let refused = Error { retry_after_ms: Some(retry_after_ms), ..error(ErrorCode::RateLimited) };
        let refused = re(frame.kind(), refused);
        match SortedFrame::from(frame) {
            SortedFrame::Request(request) => self.push(Error { id: Some(request.id()), ..refused }),
            SortedFrame::Connection(frame) => match frame {
                ConnectionFrame::Subscribe(frame) if self.transport != Transport::Post => {
                    let refusal = Refusal::of(ErrorCode::RateLimited);
                    self.end_subscription_for(frame.channel, refusal, Some(retry_after_ms));
                }
                ConnectionFrame::Unsubscribe(frame) => self.unsubscribe(frame.channel),
                ConnectionFrame::Bye(_) if self.transport != Transport::Post => return self.bye(now_ms),
                ConnectionFrame::Send(send) => {
                    self.sending.refuse(send.id);
                    self.push(about_send(send.id, send.channel, refused));
                }
                ConnectionFrame::Typing(frame) => self.push(about(frame.channel, refused)),
                ConnectionFrame::Signal(frame) => self.push(about(frame.channel, refused)),
                ConnectionFrame::Mark(frame) => self.push(about(frame.channel, refused)),
                ConnectionFrame::Subscribe(_)
                | ConnectionFrame::Hello(_)
                | ConnectionFrame::Poll(_)
                | ConnectionFrame::Token(_)
                | ConnectionFrame::Ping(_)
                | ConnectionFrame::Pong(_)
                | ConnectionFrame::Idle(_)
                | ConnectionFrame::Bye(_) => self.push(refused),
            },
        }
        self.spending.refusals = 0;
        self.exceed(now_ms, retry_after_ms);
    }

    /// Counts something that could not be paid for. Too much of it ends the connection.
    pub(super) fn exceed(&mut self, now_ms: u64, retry_after_ms: u32) {
        if self.spending.excess.take(now_ms, costs::EXCESS, 1).is_err() {
            self.turn_away(now_ms, retry_after_ms);
        }
    }

    /// Ends the connection, and tells the client when to return.
    pub(super) fn turn_away(&mut self, now_ms: u64, retry_after_ms: u32) {
        if self.has_failed() {
            return;
        }
        let delay_ms = retry_after_ms.max(AWAY_MS);
        let words = "Rate limit exceeded. Wait before connecting again.";
        self.push(Error { retry_after_ms: Some(delay_ms), ..error_saying(ErrorCode::RateLimited, words) });
        if self.transport != Transport::Post {
            self.push(Goaway { delay_ms, spread_ms: AWAY_MS, reason: words.into() });
        }
        self.close(now_ms, CloseCode::RateLimited);
    }
}
