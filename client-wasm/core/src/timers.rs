//! What happens by itself: every moment that the core waits for is listed here once, and looked at here.

use alloc::borrow::ToOwned;

use everwire_protocol::ErrorCode;

use super::{Connection, Transport, connection::Phase};

/// No ack for this long is a reason to test the connection, in ms (promise 4).
const ACK_MS: u64 = 10_000;
/// No ack for this long, though the connection answers, is a reason to leave it, in ms.
const ACK_LOST_MS: u64 = 30_000;
/// While somebody looks at the page, the clocks are compared this often, in ms, to notice that the machine slept.
const LOOK_MS: u64 = 1_000;

impl Connection {
    /// When to call again with [`super::Input::Timeout`] at the latest, in ms from the last call; `None`: no need.
    pub fn poll_timeout(&self) -> Option<u64> {
        if matches!(self.phase, Phase::Closed | Phase::Suspended | Phase::Idle) {
            return None;
        }
        let now = self.now();
        let ws = self.ws.as_ref();
        let poll = self.poll.as_ref();
        let post = self.post.as_ref();
        let look = self.phase == Phase::Connected && !self.hidden;
        [
            self.retry_at,
            self.choice.poll_at.filter(|_| self.poll.is_none()),
            self.choice.probe_at.filter(|_| self.ws.is_none()),
            ws.map(|ws| ws.deadline.when()),
            ws.and_then(|ws| ws.probe).map(|d| d.when()),
            poll.and_then(|p| p.held).map(|(_, d)| d.when()),
            poll.and_then(|p| p.next_at),
            post.and_then(|p| p.request).map(|(_, d)| d.when()),
            post.and_then(|p| p.retry_at),
            self.goaway.map(|(leave, _)| leave).filter(|_| self.phase == Phase::Connected),
            self.token.refresh_at().filter(|_| self.phase == Phase::Connected),
            self.token.patience,
            self.outbox.hold_until,
            self.outbox.oldest_sent().filter(|at| self.probed_for != Some(*at)).map(|at| at + ACK_MS),
            self.outbox
                .oldest_sent()
                .map(|at| at + ACK_LOST_MS)
                .filter(|_| self.active == Some(Transport::WebSocket)),
            self.subscriptions.iter().filter_map(|s| s.retry_at).min(),
            self.asking.until(),
            self.next_typing(),
            self.receipts_at.filter(|_| self.active.is_some()),
            look.then_some(now + LOOK_MS),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|at| at.saturating_sub(now))
    }

    /// Looks at everything that may be due. Each part looks at the state as the ones before have left it.
    pub(super) fn run_timers(&mut self) {
        let now = self.now();
        if self.phase == Phase::Closed || self.phase == Phase::Suspended {
            return;
        }
        self.websocket_timers(now);
        self.polling_timers(now);
        self.token_timers(now);
        self.sending_timers(now);
        self.give_up_asking(now, ErrorCode::Timeout, const { ErrorCode::Timeout.sentence() });
        self.typing_timers(now);
        self.receipt_timers(now);
        if self.goaway.is_some_and(|(leave, _)| leave <= now) && self.phase == Phase::Connected {
            self.lost("the server asked us to come back later", None);
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.attempt("trying again");
        }
    }

    fn websocket_timers(&mut self, now: u64) {
        self.websocket_proves_itself();
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        if due(self.choice.poll_at) && self.phase == Phase::Connecting && self.poll.is_none() {
            self.note("no answer over WebSocket yet; trying HTTP polling beside it".to_owned());
            self.start_polling();
        }
        if due(self.choice.probe_at) && self.active == Some(Transport::Polling) && self.ws.is_none() {
            self.choice.probe_at = None;
            self.open_websocket();
        }
        let Some(ws) = &mut self.ws else { return };
        let silent = ws.deadline.expired(now);
        let dead = ws.probe.as_mut().is_some_and(|probe| probe.expired(now));
        if dead {
            // Found out by asking: nobody else does so at the same moment, there is no crowd to spread.
            let soon = self.rng.between(0, 250);
            self.lost("the connection was dead", Some(soon));
        } else if silent && ws.welcomed {
            self.websocket_failed("nothing was heard for too long", false);
        } else if silent {
            self.websocket_failed("no answer over WebSocket", true);
        }
    }

    fn polling_timers(&mut self, now: u64) {
        if let Some(poll) = &mut self.poll {
            if poll.held.as_mut().is_some_and(|(_, deadline)| deadline.expired(now)) {
                self.poll_failed("no answer in time");
            } else if poll.next_at.is_some_and(|at| at <= now) {
                self.send_poll();
            }
        }
        if let Some(post) = &mut self.post {
            if post.request.as_mut().is_some_and(|(_, deadline)| deadline.expired(now)) {
                self.post_failed("no answer in time");
            } else if post.retry_at.is_some_and(|at| at <= now) {
                post.retry_at = None;
                self.flush();
            }
        }
    }

    fn token_timers(&mut self, now: u64) {
        if self.token.patience.is_some_and(|at| at <= now) {
            self.token_failed("it did not answer");
        }
        if self.phase == Phase::Connected
            && self.token.refresh_at().is_some_and(|at| at <= now)
            && self.token.ask(now)
        {
            self.outputs.push_back(super::Output::FetchToken);
        }
    }

    fn sending_timers(&mut self, now: u64) {
        if self.outbox.hold_until.is_some_and(|at| at <= now) {
            self.outbox.hold_until = None;
            self.flush();
        }
        let mut again = false;
        for subscription in self.subscriptions.iter_mut() {
            if subscription.retry_at.is_some_and(|at| at <= now) {
                subscription.retry_at = None;
                subscription.asked = false;
                again = true;
            }
        }
        if again {
            self.ask_for_subscriptions();
            self.poll_anew();
        }
        let Some(sent) = self.outbox.oldest_sent() else { return };
        if self.active == Some(Transport::WebSocket) && sent + ACK_LOST_MS <= now {
            self.error(
                ErrorCode::ProtocolViolation,
                "the server does not acknowledge what it is sent".to_owned(),
            );
            self.lost("messages are not acknowledged", None);
        } else if sent + ACK_MS <= now && self.probed_for != Some(sent) {
            self.probed_for = Some(sent);
            self.probe("a message has no ack yet");
        }
    }
}
