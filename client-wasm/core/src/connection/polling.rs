//! What follows from the state of polling: which requests are sent, and what to do with their responses.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use everwire_protocol::{ErrorCode, Uuid, limits};

use super::{Connection, Output, Phase, RequestId, Transport};
use crate::{
    backoff,
    outgoing::{BatchLimits, join, split},
    transport::{
        polling::{PROBE_RETRY_MS, Poll, RETRY_MS},
        post::{FIRST_RETRY_MS, Failure, Overdue, Post},
    },
};

/// How far apart clients poll that a load balancer sends astray together, in ms.
const JITTER_MS: u64 = 2_000;

impl Connection {
    pub(super) fn start_polling(&mut self) {
        self.transports.selector.stop_fallback();
        self.transports.poll = Some(Poll::new());
        self.send_poll();
    }

    /// Ends polling, without a word to the server: another transport of the same session replaces it there.
    pub(super) fn stop_polling(&mut self) {
        for request in self.transports.stop_polling() {
            self.abort(request);
        }
        self.release_slot();
    }

    pub(super) fn send_poll(&mut self) {
        let now = self.now();
        let request = self.next_request();
        let token = self.token.serial();
        let may_hold = self.may_hold();
        let Some(poll) = &mut self.transports.poll else { return };
        let sent = poll.send(now, request, token, may_hold);
        self.abort(sent.replaced);
        let mut frames = vec![self.hello(None), Self::encode(sent.frame)];
        self.add_subscriptions(Transport::Polling, &mut frames);
        self.log("> poll".to_owned());
        self.send_request(request, &frames, false);
    }

    /// Whether a poll may occupy a connection. A browser opens six to a host for all its pages: those that nobody looks at
    /// leave them to the others, and the others share.
    fn may_hold(&mut self) -> bool {
        let visible = self.lifecycle.is_visible();
        let may_hold = visible && (self.transports.has_slot || !self.config.share_polls);
        if visible && !may_hold {
            self.output(Output::PollSlot(true));
        }
        may_hold
    }

    /// The driver has a slot for this page.
    pub(super) fn slot_granted(&mut self) {
        let Some(poll) = self.transports.poll.as_ref().filter(|_| self.lifecycle.is_visible()) else {
            self.output(Output::PollSlot(false));
            return;
        };
        self.transports.has_slot = true;
        if poll.is_idle() {
            self.refresh_poll();
        }
    }

    pub(super) fn release_slot(&mut self) {
        if core::mem::take(&mut self.transports.has_slot) {
            self.output(Output::PollSlot(false));
        }
    }

    /// Sends a request. Its batch starts with `hello`, whose token is in a header instead.
    fn send_request(&mut self, request: RequestId, frames: &[String], keepalive: bool) {
        let (body, token) = (join(frames), self.token.text());
        self.output(Output::Request { request, body, token, keepalive });
    }

    /// Polls again soon with the present set of subscriptions.
    pub(super) fn refresh_poll(&mut self) {
        let now = self.now();
        if let Some(poll) = &mut self.transports.poll {
            poll.refresh(now);
        }
    }

    /// The poll that is held may never be answered: after waking, or (`patient`) because a POST is not answered either.
    pub(super) fn probe_poll(&mut self, patient: bool) {
        if self.transports.poll.as_mut().is_some_and(|poll| poll.probe(patient)) {
            self.send_poll();
        }
    }

    /// The connection that polls continue with.
    pub(super) fn poll_welcomed(&mut self, connection: Uuid, hold: u32) {
        let now = self.now();
        let Some(poll) = &mut self.transports.poll else { return };
        let astray = poll.welcomed(now, connection, hold);
        if self.transports.is_active(Transport::Polling) {
            self.transports.welcomed_again();
            // Another node, or the same one after a restart: it has confirmed nothing yet.
            self.subscriptions.unconfirm();
            if astray {
                self.report_state(
                    None,
                    "polls reach servers that do not know each other's connections, and become rare: make the load balancer sticky",
                );
            }
            return;
        }
        let no_websocket = self.transports.websocket.is_none();
        let selector = &mut self.transports.selector;
        if self.config.websocket && no_websocket {
            selector.polling_works();
            selector.schedule_probe(now);
        }
        let reason = if !self.config.websocket {
            "HTTP polling, as configured"
        } else if selector.has_given_up() {
            "WebSocket does not work here"
        } else {
            "WebSocket does not answer"
        };
        self.activate(Transport::Polling, reason);
    }

    /// A response has been read to its end.
    pub(super) fn responded(&mut self, request: RequestId) {
        let now = self.now();
        if self.transports.is_post(request) {
            self.post_responded();
        } else if self.transports.is_held(request) {
            let (visible, jitter) = (self.lifecycle.is_visible(), self.rng.between(0, JITTER_MS));
            if self.transports.poll.as_mut().is_none_or(|poll| poll.responded(now, visible, jitter)) {
                return;
            }
            self.poll_failed("the response has no welcome, and does not continue the connection");
        }
    }

    /// `status`: of the HTTP response, if there was one, or 0.
    pub(super) fn request_failed(&mut self, request: RequestId, status: u16, reason: &str) {
        if self.transports.is_post(request) {
            self.post_failed(Failure::of(status), reason);
        } else if self.transports.is_held(request) {
            self.poll_failed(reason);
        }
    }

    pub(super) fn poll_failed(&mut self, reason: &str) {
        let probing = self.transports.poll.as_ref().is_some_and(Poll::is_probing);
        let now = self.now();
        let retry_at = now + self.rng.between(0, if probing { PROBE_RETRY_MS } else { RETRY_MS });
        let Some(poll) = &mut self.transports.poll else { return };
        let failure = poll.failed(now, retry_at);
        self.abort(failure.abort);
        if failure.retry {
            self.log(text!("poll failed: ", reason));
        } else if self.transports.is_active(Transport::Polling) {
            self.lost(&text!("polling failed: ", reason), None);
        } else {
            self.transports.poll = None;
            if self.transports.websocket.is_none() && self.lifecycle.phase() == Phase::Connecting {
                self.lost(&text!("the server cannot be reached: ", reason), None);
            }
        }
    }

    /// The limits of a POST: `hello` takes its part of the batch.
    fn post_limits(&self) -> BatchLimits {
        BatchLimits {
            bytes: self.batch_limits.bytes.saturating_sub(limits::MAX_TOKEN_BYTES),
            frames: self.batch_limits.frames.min(limits::MAX_POST_FRAMES) - 1,
        }
    }

    /// The frames of the next POST; `None` if there is nothing to send.
    fn take_post(&mut self) -> Option<Vec<String>> {
        let limits = self.post_limits();
        let post = self.transports.post.get_or_insert_default();
        if post.is_checking() {
            return Some(Vec::new());
        }
        let most = post.most().min(limits.frames);
        let frames = self.take_frames(BatchLimits { frames: most, ..limits });
        (!frames.is_empty()).then_some(frames)
    }

    /// Sends what is waiting, one request at a time so that order is kept.
    pub(super) fn flush_by_post(&mut self) {
        if !self.transports.post.get_or_insert_default().is_free() {
            return;
        }
        let Some(frames) = self.take_post() else { return };
        let request = self.next_request();
        let (now, token) = (self.now(), self.token.serial());
        let alone = (frames.len() == 1).then(|| self.outbox.first_sent().or(self.requests.first_sent()));
        if let Some(post) = &mut self.transports.post {
            post.sent(now, request, token, alone.flatten());
        }
        self.post(request, &frames, false);
    }

    fn post(&mut self, request: RequestId, frames: &[String], keepalive: bool) {
        let mut batch = vec![self.hello(None)];
        batch.extend_from_slice(frames);
        self.send_request(request, &batch, keepalive);
    }

    /// Sends frames by requests of their own that outlive the page.
    pub(super) fn send_keepalive(&mut self, mut frames: &[String]) {
        while !frames.is_empty() {
            let (batch, rest) = split(frames, self.post_limits());
            let request = self.next_request();
            self.post(request, batch, true);
            frames = rest;
        }
    }

    fn post_responded(&mut self) {
        if self.outbox.in_flight() > 0 || self.requests.first_sent().is_some() {
            self.post_failed(Failure::Unreadable, "some messages were not answered");
            return;
        }
        let refused = self.transports.post.as_mut().and_then(Post::succeeded);
        if let Some((id, reason)) = refused
            && (self.outbox.remove(id) || self.requests.finish(id))
        {
            let sentence = const { ErrorCode::Blocked.message() };
            self.failed(id, ErrorCode::Blocked, text!(sentence, " (", &reason, ")"));
        }
        self.flush();
    }

    /// Sending failed. Receiving goes on: if the server cannot be reached at all, the poll finds out.
    pub(super) fn post_failed(&mut self, failure: Failure, reason: &str) {
        let hidden = !self.lifecycle.is_visible();
        let Some(post) = &mut self.transports.post else { return };
        let again = post.failures() > 0;
        let delay = if again {
            backoff::delay(post.failures(), hidden, &mut self.rng)
        } else {
            self.rng.between(0, FIRST_RETRY_MS)
        };
        let request = post.failed(failure, reason);
        post.retry_later(self.clock.now() + delay);
        self.abort(request);
        self.log(text!("sending failed: ", reason));
        self.recall();
        if let (Failure::Unreadable, true) = (failure, again) {
            self.probe_poll(true);
        }
    }

    /// A POST has had no answer for a while.
    pub(super) fn check_post(&mut self) {
        let now = self.now();
        let Some(post) = &mut self.transports.post else { return };
        match post.overdue(now) {
            Overdue::No => {}
            Overdue::Late => {
                self.log("a POST has no answer yet".to_owned());
                self.probe_poll(true);
            }
            Overdue::Lost => self.post_failed(Failure::Passing, "no answer in time"),
        }
    }
}
