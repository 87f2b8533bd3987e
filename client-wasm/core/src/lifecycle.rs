//! The life of the connection (promises 7, 8 and 10): its phase, how often connecting has failed, when it is tried again,
//! and what the page and the browser report. Opening and closing transports is not done here.

use super::{Status, backoff, rng::Rng, transport::STABLE_MS};

/// Events of the page may arrive in bursts; attempts start at least this far apart, in ms.
const MIN_ATTEMPT_INTERVAL_MS: u64 = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Idle,
    Connecting,
    Connected,
    Waiting,
    /// The page is in the back/forward cache, or about to be unloaded.
    Suspended,
    Closed,
}

/// What the server asked for with `goaway`.
#[derive(Debug, Clone, Copy)]
struct Goaway {
    leave_at: u64,
    return_at: u64,
}

#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: Phase,
    online: bool,
    hidden: bool,
    /// The browser reported that the network is gone, and nothing was received since.
    suspect: bool,
    /// Failed attempts in a row.
    failures: u32,
    retry_at: Option<u64>,
    last_attempt: u64,
    connected_at: u64,
    /// The present connection has brought something besides `welcome`.
    productive: bool,
    goaway: Option<Goaway>,
}

impl Lifecycle {
    pub(crate) fn new(online: bool, hidden: bool) -> Self {
        Self {
            phase: Phase::Idle,
            online,
            hidden,
            suspect: false,
            failures: 0,
            retry_at: None,
            last_attempt: 0,
            connected_at: 0,
            productive: false,
            goaway: None,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn is_online(&self) -> bool {
        self.online
    }

    pub(crate) fn is_visible(&self) -> bool {
        !self.hidden
    }

    pub(crate) fn is_suspect(&self) -> bool {
        self.suspect
    }

    /// When the connection is proven to be stable, if it lives until then.
    pub(crate) fn stable_at(&self) -> u64 {
        self.connected_at + STABLE_MS
    }

    /// The state as the application sees it.
    pub(crate) fn status(&self) -> Status {
        match self.phase {
            Phase::Idle | Phase::Connecting => Status::Connecting,
            Phase::Connected => Status::Connected,
            Phase::Waiting if self.online => Status::Waiting,
            Phase::Waiting | Phase::Suspended => Status::Offline,
            Phase::Closed => Status::Closed,
        }
    }

    pub(crate) fn set_online(&mut self, online: bool) {
        self.online = online;
        if !online {
            self.suspect = true;
        }
    }

    /// Returns whether the page was hidden before.
    pub(crate) fn set_visible(&mut self, visible: bool) -> bool {
        core::mem::replace(&mut self.hidden, !visible)
    }

    /// Something was received: the connection works, whatever the browser reports.
    pub(crate) fn received(&mut self) {
        self.suspect = false;
    }

    /// The connection has brought something that it exists for.
    pub(crate) fn mark_productive(&mut self) {
        self.productive = true;
    }

    pub(crate) fn attempt(&mut self, now: u64) {
        self.phase = Phase::Connecting;
        self.retry_at = None;
        self.goaway = None;
        self.last_attempt = now;
    }

    pub(crate) fn connected(&mut self, now: u64) {
        self.phase = Phase::Connected;
        self.goaway = None;
        self.connected_at = now;
        self.productive = false;
    }

    /// The transports are gone. A connection that was stable and productive ends the series of failures.
    pub(crate) fn disconnected(&mut self, now: u64) {
        if self.is_connected() && self.productive && now >= self.stable_at() {
            self.failures = 0;
        }
    }

    /// Waits before the next attempt: until the time that `goaway` named, for `delay`, or as long as the backoff says.
    pub(crate) fn wait(&mut self, now: u64, delay: Option<u64>, rng: &mut Rng) {
        let delay = match (self.goaway.take(), delay) {
            (Some(goaway), _) => goaway.return_at.saturating_sub(now),
            (None, delay) => {
                let delay = delay.unwrap_or_else(|| backoff::delay(self.failures, self.hidden, rng));
                self.failures += 1;
                delay
            }
        };
        self.phase = Phase::Waiting;
        self.retry_at = Some(now + delay);
    }

    /// The page woke up while waiting: tries again at `soon`, unless an attempt has only just been made.
    pub(crate) fn retry_soon(&mut self, soon: u64) {
        let at = soon.max(self.last_attempt + MIN_ATTEMPT_INTERVAL_MS);
        self.retry_at = Some(self.retry_at.unwrap_or(at).min(at));
    }

    pub(crate) fn suspend(&mut self) {
        self.phase = Phase::Suspended;
        self.retry_at = None;
    }

    /// The page is back: what failed before it was put away does not count.
    pub(crate) fn resume(&mut self) {
        self.failures = 0;
    }

    pub(crate) fn close(&mut self) {
        self.phase = Phase::Closed;
        self.retry_at = None;
    }

    /// The server will restart: when to leave, and when to come back.
    pub(crate) fn on_goaway(&mut self, leave_at: u64, return_at: u64) {
        self.goaway = Some(Goaway { leave_at, return_at });
    }

    /// When to leave because of a `goaway`.
    pub(crate) fn leave_at(&self) -> Option<u64> {
        self.goaway.map(|goaway| goaway.leave_at)
    }

    pub(crate) fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }
}
