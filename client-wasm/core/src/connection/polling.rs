//! What follows from the state of polling: which requests are sent, and what to do with their responses.

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use everwire_protocol::{Uuid, limits};

use super::{Connection, Output, Phase, RequestId, Transport};
use crate::{
    outgoing::{BatchLimits, how_many, join},
    transport::polling::{PROBE_RETRY_MS, Poll, RETRY_MS},
};

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
    }

    pub(super) fn send_poll(&mut self) {
        let now = self.now();
        let request = self.next_request();
        let token = self.token.serial();
        let Some(poll) = &mut self.transports.poll else { return };
        let sent = poll.send(now, request, token);
        self.abort(sent.replaced);
        let mut frames = vec![self.hello(None), Self::encode(sent.frame)];
        self.add_subscriptions(Transport::Polling, &mut frames);
        self.log("> poll".to_owned());
        self.send_request(request, &frames, false);
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

    /// After waking, the poll that is held may never be answered.
    pub(super) fn probe_poll(&mut self) {
        if self.transports.poll.as_mut().is_some_and(Poll::probe) {
            self.send_poll();
        }
    }

    /// The connection that polls continue with.
    pub(super) fn poll_welcomed(&mut self, connection: Uuid, hold: u32) {
        let now = self.now();
        let Some(poll) = &mut self.transports.poll else { return };
        poll.welcomed(connection, hold);
        if self.transports.is_active(Transport::Polling) {
            // Another node, or the same one after a restart: it has confirmed nothing yet.
            self.subscriptions.unconfirm();
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
        } else if self.transports.is_held(request)
            && self.transports.poll.as_mut().is_some_and(|poll| !poll.responded(now))
        {
            self.poll_failed("the server did not answer with a welcome");
        }
    }

    pub(super) fn request_failed(&mut self, request: RequestId, reason: &str) {
        if self.transports.is_post(request) {
            self.post_failed(reason);
        } else if self.transports.is_held(request) {
            if let Some(poll) = &mut self.transports.poll {
                poll.release();
            }
            self.poll_failed(reason);
        }
    }

    pub(super) fn poll_failed(&mut self, reason: &str) {
        let probing = self.transports.poll.as_ref().is_some_and(Poll::is_probing);
        let retry_at = self.now() + self.rng.between(0, if probing { PROBE_RETRY_MS } else { RETRY_MS });
        let Some(poll) = &mut self.transports.poll else { return };
        let failure = poll.failed(retry_at);
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

    /// Sends what is waiting, one request at a time so that order is kept.
    pub(super) fn flush_by_post(&mut self) {
        if !self.transports.post.get_or_insert_default().is_free() {
            return;
        }
        let frames = self.take_frames(self.post_limits());
        if frames.is_empty() {
            return;
        }
        let request = self.next_request();
        let (now, token) = (self.now(), self.token.serial());
        if let Some(post) = &mut self.transports.post {
            post.sent(now, request, token);
        }
        self.post(request, frames, false);
    }

    fn post(&mut self, request: RequestId, mut frames: Vec<String>, keepalive: bool) {
        frames.insert(0, self.hello(None));
        self.send_request(request, &frames, keepalive);
    }

    /// Sends frames by requests of their own that outlive the page.
    pub(super) fn send_keepalive(&mut self, mut frames: Vec<String>) {
        while !frames.is_empty() {
            let rest = frames.split_off(how_many(&frames, self.post_limits()));
            let request = self.next_request();
            self.post(request, frames, true);
            frames = rest;
        }
    }

    fn post_responded(&mut self) {
        let complete = self.outbox.in_flight() == 0 && !self.requests.is_waiting();
        let Some(post) = &mut self.transports.post else { return };
        post.responded(complete);
        if complete {
            self.flush();
        } else {
            self.post_failed("some messages were not answered");
        }
    }

    pub(super) fn post_failed(&mut self, reason: &str) {
        let retry_at = self.now() + self.rng.between(0, RETRY_MS);
        let Some(post) = &mut self.transports.post else { return };
        let (abort, retry) = post.failed(retry_at);
        self.abort(abort);
        if retry {
            self.log(text!("sending failed: ", reason));
            self.recall();
        } else {
            self.lost(&text!("sending failed: ", reason), None);
        }
    }
}
