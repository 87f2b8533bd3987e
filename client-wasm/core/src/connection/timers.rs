//! Timers. Each moment that the core waits for is a [`Timer`]: when it is due follows from the state of the part that it
//! belongs to, in [`Connection::due`], and what to do then is in [`Connection::expire`]. Both name every timer, so one that is
//! added is set and handled, or does not compile.

use alloc::borrow::ToOwned;

use everwire_protocol::ErrorCode;

use super::{Connection, Event, Phase, Transport};

/// No ack for this long is a reason to probe the connection, in ms (promise 4).
const ACK_MS: u64 = 10_000;
/// No ack for this long, though the connection answers, is a reason to give it up, in ms.
const ACK_LOST_MS: u64 = 30_000;
/// While somebody looks at the page, the clocks are compared this often, in ms, to notice that the machine was asleep.
const COMPARE_CLOCKS_MS: u64 = 1_000;
/// A dead WebSocket is replaced within this time, in ms. Only this client has found out: there is no crowd to spread.
const DEAD_MS: u64 = 250;

macro_rules! timers {
    ($($(#[$comment:meta])* $timer:ident,)*) => {
        /// A moment that the core waits for. In the order in which timers are handled that are due together.
        #[derive(Debug, Clone, Copy)]
        enum Timer {
            $($(#[$comment])* $timer,)*
        }

        const TIMERS: &[Timer] = &[$(Timer::$timer),*];
    };
}

timers! {
    /// The WebSocket has proven that it works here.
    WebSocketStable,
    /// Polling is tried beside a silent WebSocket.
    Fallback,
    /// WebSocket is tried again while polling.
    WebSocketRetry,
    /// The answer to a probe must have arrived.
    Probe,
    /// Something must have been received by WebSocket.
    Silence,
    /// The answer to a poll must have arrived.
    PollAnswer,
    NextPoll,
    /// The answer to a POST must have arrived.
    PostAnswer,
    PostRetry,
    /// The token callback must have answered.
    TokenAnswer,
    TokenRefresh,
    /// The server asked not to be sent messages until then.
    OutboxHold,
    /// A refused subscription is asked for again.
    Resubscribe,
    /// A message has had no ack for far too long.
    AckLost,
    /// A message should have had its ack by now.
    Ack,
    RequestTimeout,
    /// This user has paused typing.
    TypingPause,
    /// Somebody who was typing has not been heard of since.
    TypistExpiry,
    Receipts,
    /// `goaway` says to leave now.
    Goaway,
    /// The next attempt.
    Retry,
    /// The clocks are compared.
    CompareClocks,
}

impl Connection {
    /// When to call again with [`super::Input::Timeout`] at the latest, in ms from the last call; `None`: no need.
    pub fn poll_timeout(&self) -> Option<u64> {
        if matches!(self.lifecycle.phase(), Phase::Closed | Phase::Suspended | Phase::Idle) {
            return None;
        }
        let next = TIMERS.iter().filter_map(|timer| self.due(*timer)).min();
        next.map(|at| at.saturating_sub(self.now()))
    }

    /// Handles every timer that is due, each in the state that the ones before have left.
    pub(super) fn run_timers(&mut self) {
        if matches!(self.lifecycle.phase(), Phase::Closed | Phase::Suspended) {
            return;
        }
        let now = self.now();
        for timer in TIMERS {
            if self.due(*timer).is_some_and(|at| at <= now) {
                self.expire(*timer, now);
            }
        }
    }

    /// When this timer goes off, if it is set.
    fn due(&self, timer: Timer) -> Option<u64> {
        let transports = &self.transports;
        let (websocket, poll, post) =
            (transports.websocket.as_ref(), transports.poll.as_ref(), transports.post.as_ref());
        let connected = self.lifecycle.is_connected();
        match timer {
            Timer::WebSocketStable => {
                let unproven = transports.selector.has_failed_opens();
                (unproven && transports.is_active(Transport::WebSocket)).then(|| self.lifecycle.stable_at())
            }
            Timer::Fallback => {
                transports.selector.fallback_at().filter(|_| poll.is_none() || websocket.is_none())
            }
            Timer::WebSocketRetry => transports.selector.probe_at().filter(|_| websocket.is_none()),
            Timer::Probe => websocket?.probe_ends_at(),
            Timer::Silence => Some(websocket?.silence_ends_at()),
            Timer::PollAnswer => poll?.answer_due_at(),
            Timer::NextPoll => poll?.next_at(),
            Timer::PostAnswer => post?.answer_due_at(),
            Timer::PostRetry => post?.retry_at(),
            Timer::TokenAnswer => self.token.answer_due_at(),
            Timer::TokenRefresh => self.token.refresh_at().filter(|_| connected),
            Timer::OutboxHold => self.outbox.held_until(),
            Timer::Resubscribe => self.subscriptions.next_retry(),
            Timer::AckLost => {
                let sent = self.outbox.oldest_sent().filter(|_| transports.is_active(Transport::WebSocket));
                sent.map(|at| at + ACK_LOST_MS)
            }
            Timer::Ack => {
                let sent = self.outbox.oldest_sent().filter(|at| self.probed_for != Some(*at));
                sent.map(|at| at + ACK_MS)
            }
            Timer::RequestTimeout => self.requests.next_timeout(),
            Timer::TypingPause => self.subscriptions.next_pause(),
            Timer::TypistExpiry => self.typists.next_expiry(),
            Timer::Receipts => self.receipts.due_at().filter(|_| connected),
            Timer::Goaway => self.lifecycle.leave_at(),
            Timer::Retry => self.lifecycle.retry_at(),
            Timer::CompareClocks => {
                (connected && self.lifecycle.is_visible()).then(|| self.now() + COMPARE_CLOCKS_MS)
            }
        }
    }

    fn expire(&mut self, timer: Timer, now: u64) {
        let transports = &mut self.transports;
        match timer {
            Timer::WebSocketStable => transports.selector.proven(),
            Timer::Fallback => self.try_the_other_transport(),
            Timer::WebSocketRetry => self.open_websocket(),
            Timer::Probe => {
                if transports.websocket.as_mut().is_some_and(|websocket| websocket.is_dead(now)) {
                    self.lost_briefly("the connection was dead", DEAD_MS);
                }
            }
            Timer::Silence => {
                let Some(websocket) = &mut transports.websocket else { return };
                let welcomed = websocket.is_welcomed();
                if websocket.is_silent(now) {
                    let reason = if welcomed {
                        "nothing was received for too long"
                    } else {
                        "no answer over WebSocket"
                    };
                    self.websocket_failed(reason, !welcomed);
                }
            }
            Timer::PollAnswer => {
                if transports.poll.as_mut().is_some_and(|poll| poll.is_overdue(now)) {
                    self.poll_failed("no answer in time");
                }
            }
            Timer::NextPoll => self.send_poll(),
            Timer::PostAnswer => self.check_post(),
            Timer::PostRetry => {
                if let Some(post) = &mut transports.post {
                    post.retry();
                }
                self.flush();
            }
            Timer::TokenAnswer => self.token_failed("it did not answer"),
            Timer::TokenRefresh => self.fetch_token(),
            Timer::OutboxHold => {
                self.outbox.release();
                self.flush();
            }
            Timer::Resubscribe => {
                self.subscriptions.retry(now);
                self.request_subscriptions();
                self.refresh_poll();
            }
            Timer::AckLost => {
                let message = "the server does not acknowledge messages";
                self.error(ErrorCode::ProtocolViolation, message.to_owned());
                self.lost("messages are not acknowledged", None);
            }
            Timer::Ack => {
                self.probed_for = self.outbox.oldest_sent();
                self.probe("a message has no ack yet");
            }
            Timer::RequestTimeout => {
                self.expire_requests(now, ErrorCode::Timeout, const { ErrorCode::Timeout.message() });
            }
            Timer::TypingPause => {
                while let Some(channel) = self.subscriptions.paused(now) {
                    self.stop_typing(channel.as_str());
                }
                self.flush();
            }
            Timer::TypistExpiry => {
                while let Some(typist) = self.typists.take_expired(now) {
                    self.event(Event::TypingExpired { handle: typist.handle, typist: typist.number });
                }
            }
            Timer::Receipts => self.send_receipts(),
            Timer::Goaway => self.lost("the server is about to restart", None),
            Timer::Retry => self.attempt("trying again"),
            // Every call compares them: being called is all.
            Timer::CompareClocks => {}
        }
    }
}
