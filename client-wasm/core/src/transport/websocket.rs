//! One WebSocket: a candidate until it is welcomed, then the active transport. Keeps when something was last received.

use everwire_protocol::limits;

use super::super::{SocketId, deadline::Deadline};

/// A WebSocket that has not been welcomed for this long is given up, in ms (promise 11).
const WELCOME_TIMEOUT_MS: u64 = 10_000;
/// How long a probe waits for a sign of life, in ms (promise 10).
const PROBE_TIMEOUT_MS: u64 = 3_000;

#[derive(Debug)]
pub(crate) struct WebSocket {
    id: SocketId,
    created_at: u64,
    opened_at: Option<u64>,
    welcomed: bool,
    /// The serial number of the last token that was sent on it.
    token: u32,
    /// It has brought an entry or an ack, which a proxy that kills WebSockets would not let through for long.
    productive: bool,
    /// Until it is welcomed: when that must have happened. Then: when something must have been received.
    silence: Deadline,
    /// When the answer to a probe must have arrived.
    probe: Option<Deadline>,
    /// The longest silence that the server may keep, in ms.
    max_silence: u64,
}

impl WebSocket {
    pub(crate) fn new(id: SocketId, now: u64) -> Self {
        Self {
            id,
            created_at: now,
            opened_at: None,
            welcomed: false,
            token: 0,
            productive: false,
            silence: Deadline::at(now + WELCOME_TIMEOUT_MS),
            probe: None,
            max_silence: u64::from(limits::PING_INTERVAL_MS + limits::PING_GRACE_MS),
        }
    }

    pub(crate) fn id(&self) -> SocketId {
        self.id
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }

    pub(crate) fn is_welcomed(&self) -> bool {
        self.welcomed
    }

    pub(crate) fn is_productive(&self) -> bool {
        self.productive
    }

    pub(crate) fn token(&self) -> u32 {
        self.token
    }

    pub(crate) fn set_token(&mut self, serial: u32) {
        self.token = serial;
    }

    pub(crate) fn opened(&mut self, now: u64, token: u32) {
        self.opened_at = Some(now);
        self.token = token;
    }

    pub(crate) fn welcomed(&mut self, now: u64, max_silence: u64) {
        self.welcomed = true;
        self.max_silence = max_silence;
        self.silence = Deadline::at(now + max_silence);
    }

    /// Something was received.
    pub(crate) fn received(&mut self, now: u64) {
        if self.welcomed {
            self.silence = Deadline::at(now + self.max_silence);
            self.probe = None;
        }
    }

    pub(crate) fn mark_productive(&mut self) {
        self.productive |= self.welcomed;
    }

    /// Whether to send a probe now: once the socket is welcomed, and one at a time.
    pub(crate) fn start_probe(&mut self, now: u64) -> bool {
        let start = self.welcomed && self.probe.is_none();
        if start {
            self.probe = Some(Deadline::at(now + PROBE_TIMEOUT_MS));
        }
        start
    }

    /// Whether a probe has no answer yet.
    pub(crate) fn is_probed(&self) -> bool {
        self.probe.is_some()
    }

    pub(crate) fn silence_ends_at(&self) -> u64 {
        self.silence.when()
    }

    pub(crate) fn probe_ends_at(&self) -> Option<u64> {
        self.probe.map(|probe| probe.when())
    }

    pub(crate) fn is_silent(&mut self, now: u64) -> bool {
        self.silence.expired(now)
    }

    pub(crate) fn is_dead(&mut self, now: u64) -> bool {
        self.probe.as_mut().is_some_and(|probe| probe.expired(now))
    }

    /// For how long it was open and welcomed, in ms.
    pub(crate) fn age(&self, now: u64) -> u64 {
        if self.welcomed { now - self.opened_at.unwrap_or(self.created_at) } else { 0 }
    }

    /// It had its time, and was never welcomed.
    pub(crate) fn gave_no_answer(&self, now: u64) -> bool {
        !self.welcomed && now >= self.created_at + WELCOME_TIMEOUT_MS
    }
}
