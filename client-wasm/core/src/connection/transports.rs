//! Attempts to connect, the transports that they open, and what happens when a connection is made or lost.

use alloc::{borrow::ToOwned, string::String};

use everwire_protocol::CloseCode;

use super::{Connection, Memory, Output, Phase, REMEMBER_MS, Transport};

impl Connection {
    /// Begins an attempt: first a token if one is needed, then the transports.
    pub(super) fn attempt(&mut self, reason: &str) {
        let now = self.now();
        self.lifecycle.attempt(now);
        self.report_state(None, reason);
        if self.token.is_missing(now) {
            self.fetch_token();
        } else {
            self.open_transports();
        }
    }

    pub(super) fn open_transports(&mut self) {
        let (websocket, polling) = (self.config.websocket, self.config.polling);
        let polls_first = !websocket || (polling && self.transports.selector.polls_first());
        if polls_first {
            self.start_polling();
        } else {
            self.open_websocket();
        }
        if websocket && polling {
            let now = self.now();
            self.transports.selector.start_fallback(now, polls_first);
        }
    }

    /// The transport with which the attempt began has brought no welcome yet: the other one is tried beside it.
    pub(super) fn try_the_other_transport(&mut self) {
        if self.transports.poll.is_none() {
            self.log("no answer over WebSocket yet; trying HTTP polling beside it".to_owned());
            self.start_polling();
        } else {
            self.log("no answer to a poll yet; trying WebSocket beside it".to_owned());
            self.transports.selector.stop_fallback();
            self.open_websocket();
        }
    }

    /// Whether an attempt waits for its token: no transport was opened yet.
    pub(super) fn is_waiting_for_token(&self) -> bool {
        self.lifecycle.phase() == Phase::Connecting && self.transports.is_empty()
    }

    /// A transport was welcomed: it is in use from now on.
    pub(super) fn activate(&mut self, transport: Transport, reason: &str) {
        let now = self.now();
        self.transports.activate(transport);
        self.lifecycle.connected(now);
        self.subscriptions.unconfirm();
        self.recall();
        self.outbox.release();
        self.remember(transport);
        self.report_state(None, reason);
        self.request_subscriptions();
        self.flush();
    }

    /// The connection, or the attempt, is over; the next comes after a while. `delay`: instead of the backoff, in ms.
    pub(super) fn lost(&mut self, reason: &str, delay: Option<u64>) {
        let now = self.now();
        self.lifecycle.disconnected(now);
        self.drop_transports(CloseCode::Abandoned);
        self.wait(reason, delay);
    }

    /// The same, to be tried again within this time, in ms.
    pub(super) fn lost_briefly(&mut self, reason: &str, within: u64) {
        let soon = self.rng.between(0, within);
        self.lost(reason, Some(soon));
    }

    pub(super) fn wait(&mut self, reason: &str, delay: Option<u64>) {
        let now = self.now();
        self.lifecycle.wait(now, delay, &mut self.rng);
        if self.lifecycle.is_online() {
            self.report_state(None, reason);
        } else {
            self.report_state(None, &text!("no network: ", reason));
        }
    }

    /// Gives up both transports: what was in flight is queued again, and no subscription is confirmed any more.
    pub(super) fn drop_transports(&mut self, code: CloseCode) {
        if let Some(socket) = self.transports.clear() {
            self.close_websocket(socket, code);
        }
        self.stop_polling();
        self.lifecycle.received();
        self.subscriptions.reset();
        self.recall();
    }

    pub(super) fn remember(&mut self, transport: Transport) {
        let memory = match transport {
            Transport::Polling if self.transports.selector.has_given_up() => {
                Some(Memory { polling_until: self.wall + REMEMBER_MS })
            }
            Transport::Polling => return,
            Transport::WebSocket => None,
        };
        self.output(Output::Remember(memory));
    }

    /// Sends what has to be sent before the transport goes: the receipts that were collected, and perhaps one more frame.
    pub(super) fn send_last(&mut self, more: Option<String>) {
        let Some(transport) = self.transports.active() else { return };
        let mut frames = self.take_receipts();
        if let Some(more) = more {
            frames.push(more);
        }
        if frames.is_empty() {
            return;
        }
        match transport {
            Transport::WebSocket => self.send_websocket(&frames),
            Transport::Polling => self.send_keepalive(&frames),
        }
    }
}
