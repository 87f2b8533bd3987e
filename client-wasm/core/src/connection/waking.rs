//! The life of the page (promise 10): any event that may have broken the connection silently leads to a probe, and an
//! open socket is never trusted on waking.

use everwire_protocol::CloseCode;

use super::{Connection, Phase, Transport};

/// A page that wakes tries to connect within this time, in ms.
const SOON_MS: u64 = 250;
const ONLINE: &str = "the network is back";
const OFFLINE: &str = "the browser reports that there is no network";

impl Connection {
    pub(super) fn wake(&mut self, reason: &str) {
        self.transports.selector.woke();
        match (self.lifecycle.phase(), self.transports.active()) {
            (Phase::Connected, Some(Transport::WebSocket)) => self.probe(reason),
            (Phase::Connected, _) => {
                self.log(text!("waking: ", reason));
                self.probe_poll(false);
            }
            (Phase::Waiting, _) => {
                let soon = self.now() + self.rng.between(0, SOON_MS);
                self.lifecycle.retry_soon(soon);
                self.report_state(None, reason);
            }
            (Phase::Idle | Phase::Connecting | Phase::Suspended | Phase::Closed, _) => {}
        }
    }

    pub(super) fn went_online(&mut self) {
        let now = self.now();
        self.lifecycle.set_online(true);
        let polling = self.transports.is_active(Transport::Polling);
        if polling && self.transports.websocket.is_none() && self.config.websocket {
            self.transports.selector.probe_now(now);
        }
        if self.lifecycle.is_suspect() && self.transports.is_active(Transport::WebSocket) {
            // The network that it ran over was gone: not worth the time of a probe.
            self.lost_briefly(ONLINE, SOON_MS);
        } else {
            self.wake(ONLINE);
        }
    }

    pub(super) fn went_offline(&mut self) {
        self.lifecycle.set_online(false);
        match self.lifecycle.phase() {
            Phase::Connected => self.wake(OFFLINE),
            Phase::Waiting => self.report_state(None, OFFLINE),
            Phase::Idle | Phase::Connecting | Phase::Suspended | Phase::Closed => {}
        }
    }

    pub(super) fn visibility_changed(&mut self, visible: bool) {
        let was_hidden = self.lifecycle.set_visible(visible);
        if visible && was_hidden {
            self.wake("the page is visible again");
        } else if !visible && !was_hidden {
            self.release_slot();
            self.refresh_poll();
        }
    }

    /// The page is put away, perhaps to come back: an open socket would keep it out of the back/forward cache.
    pub(super) fn suspend(&mut self) {
        if self.lifecycle.phase() == Phase::Idle {
            return;
        }
        self.send_last(None);
        self.drop_transports(CloseCode::Abandoned);
        self.lifecycle.suspend();
        self.report_state(None, "the page was put away");
    }

    pub(super) fn resume(&mut self) {
        const REASON: &str = "the page is back";
        if self.lifecycle.phase() == Phase::Suspended {
            self.lifecycle.resume();
            self.attempt(REASON);
        } else {
            self.wake(REASON);
        }
    }
}
