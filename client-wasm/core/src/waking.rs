//! The life of the page (promise 10): whatever may have cut the connection without telling leads to a probe, and an
//! open socket is never trusted on waking.

use everwire_protocol::CloseCode;

use super::{Connection, Transport, connection::Phase, text};

/// Events of the page may come in showers; a try is not begun more often than this, in ms.
const LEAST_MS: u64 = 1_000;
/// A page that wakes tries within this time, in ms.
const SOON_MS: u64 = 250;
const BACK: &str = "the network is back";

impl Connection {
    pub(super) fn wake(&mut self, reason: &str) {
        self.choice.woke();
        match (self.phase, self.active) {
            (Phase::Connected, Some(Transport::WebSocket)) => self.probe(reason),
            (Phase::Connected, _) => {
                self.note(text!("waking: ", reason));
                self.poll_quickly();
            }
            (Phase::Waiting, _) => {
                let soon = self.now() + self.rng.between(0, SOON_MS);
                let at = soon.max(self.last_attempt + LEAST_MS);
                self.retry_at = Some(self.retry_at.unwrap_or(at).min(at));
                self.state(None, reason);
            }
            _ => {}
        }
    }

    pub(super) fn went_online(&mut self) {
        self.online = true;
        if self.active == Some(Transport::Polling) && self.ws.is_none() && self.config.websocket {
            self.choice.probe_at = Some(self.now());
        }
        if self.cut && self.active == Some(Transport::WebSocket) {
            // The network that it ran over was gone: not worth the time of a probe.
            let soon = self.rng.between(0, SOON_MS);
            self.lost(BACK, Some(soon));
        } else {
            self.wake(BACK);
        }
    }

    pub(super) fn went_offline(&mut self) {
        self.online = false;
        match self.phase {
            Phase::Connected => {
                self.cut = true;
                self.wake("the browser says that the network is gone");
            }
            Phase::Waiting => self.state(None, "the browser says that the network is gone"),
            _ => {}
        }
    }

    pub(super) fn became_visible(&mut self, visible: bool) {
        let was_hidden = core::mem::replace(&mut self.hidden, !visible);
        if visible && was_hidden {
            self.wake("the page is visible again");
        }
    }

    /// The page goes away, perhaps to come back: an open socket would keep it out of the back/forward cache.
    pub(super) fn suspend(&mut self) {
        if self.phase == Phase::Idle {
            return;
        }
        self.say_last(None);
        self.drop_transports(CloseCode::Abandoned);
        self.phase = Phase::Suspended;
        self.retry_at = None;
        self.state(None, "the page was put away");
    }

    pub(super) fn page_show(&mut self) {
        if self.phase == Phase::Suspended {
            self.failures = 0;
            self.attempt("the page is back");
        } else {
            self.wake("the page is back");
        }
    }
}
