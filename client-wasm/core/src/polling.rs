//! The polling transport: one request that the server holds, for receiving, and one for sending, both self-sufficient
//! (promise 12).

use alloc::{borrow::ToOwned, string::String, vec, vec::Vec};

use everwire_protocol::{Channel, CoreFrame, Uuid, limits};

use super::{
    Connection, Output, RequestId, Transport, asking::with_texts, connection::Phase, deadline::Deadline, text,
};

/// How long the first poll may take to be welcomed, and a POST to be answered, in ms.
const ANSWER_MS: u64 = 10_000;
/// How long the poll after waking may take, in ms: it asks not to be held.
const PROBE_MS: u64 = 3_000;
/// A poll that failed as a probe is tried again within this time, in ms: a dead connection is to be replaced within 4 s.
const PROBED_MS: u64 = 250;
/// How long changes of the subscriptions are collected before the poll is made anew, in ms.
const COLLECT_MS: u64 = 10;
/// A server that answers at once with nothing is not asked again before this, in ms.
const EMPTY_MS: u64 = 1_000;
/// So many failed requests in a row end the connection.
const FAILURES_MAX: u32 = 2;

#[derive(Debug)]
pub(super) struct Poll {
    /// Named by `welcome`; none before it, and none to ask for a new one.
    connection: Option<Uuid>,
    pub(super) welcomed: bool,
    /// The last response that arrived.
    ack: u64,
    /// How long the server holds a request, in ms; 0 if it cannot.
    hold: u32,
    pub(super) held: Option<(RequestId, Deadline)>,
    sent_at: u64,
    /// The token of the request that is held.
    pub(super) token: u32,
    /// When to send the next one.
    pub(super) next_at: Option<u64>,
    /// The next one asks not to be held.
    quick: bool,
    /// The one under way does: it is a probe.
    probing: bool,
    /// The last response brought something.
    brought: bool,
    failures: u32,
    /// The set says something that this connection would misunderstand: whatever it is named by the response under way,
    /// the next poll asks for a new one.
    anew: bool,
    /// Channels that were in the set of this connection and no longer are.
    gone: Vec<Channel>,
}

/// A request that sends.
#[derive(Debug)]
pub(super) struct Post {
    pub(super) request: Option<(RequestId, Deadline)>,
    /// The token of that request.
    pub(super) token: u32,
    pub(super) retry_at: Option<u64>,
    failures: u32,
}

impl Connection {
    pub(super) fn start_polling(&mut self) {
        self.choice.poll_at = None;
        self.poll = Some(Poll {
            connection: None,
            welcomed: false,
            ack: 0,
            hold: limits::POLL_HOLD_MS,
            held: None,
            sent_at: 0,
            token: 0,
            next_at: None,
            quick: false,
            probing: false,
            brought: false,
            failures: 0,
            anew: false,
            gone: Vec::new(),
        });
        self.send_poll();
    }

    /// Ends polling, without a word to the server: another transport of the same session replaces it there.
    pub(super) fn stop_polling(&mut self) {
        let held = self.poll.take().and_then(|poll| poll.held);
        let posting = self.post.take().and_then(|post| post.request);
        for (request, _) in held.into_iter().chain(posting) {
            self.outputs.push_back(Output::Abort(request));
        }
    }

    pub(super) fn send_poll(&mut self) {
        let now = self.now();
        let request = self.next_request();
        let Some(poll) = &mut self.poll else { return };
        let hold_ms = if poll.quick { 0 } else { poll.hold };
        let patience = match (poll.welcomed, poll.quick) {
            (false, _) => ANSWER_MS,
            (true, true) => PROBE_MS,
            (true, false) => u64::from(hold_ms) + u64::from(limits::POLL_ABORT_MS - limits::POLL_HOLD_MS),
        };
        if poll.connection.is_none() {
            // The new connection begins with this set. A channel that leaves it from now on does so by a later poll, of
            // which nobody knows whether it arrives before one that has the channel again.
            poll.gone.clear();
        }
        let frame = everwire_protocol::Poll { connection: poll.connection, ack: poll.ack, hold_ms };
        let old = poll.held.replace((request, Deadline::at(now + patience)));
        poll.sent_at = now;
        poll.token = self.token.serial;
        poll.next_at = None;
        poll.probing = core::mem::take(&mut poll.quick);
        poll.anew = false;
        poll.brought = false;
        if let Some((old, _)) = old {
            self.outputs.push_back(Output::Abort(old));
        }
        let mut frames: Vec<CoreFrame> = vec![frame.into()];
        let asked = self.subscriptions.iter_mut().filter(|s| s.retry_at.is_none());
        frames.extend(asked.map(|s| s.ask(Transport::Polling).into()));
        self.note("> poll".to_owned());
        self.post(request, frames, &[]);
    }

    fn post(&mut self, request: RequestId, frames: Vec<CoreFrame>, texts: &[String]) {
        let body = with_texts(self.http_body(frames), texts);
        let token = self.token.text.clone();
        self.outputs.push_back(Output::Request { request, body, token, keepalive: false });
    }

    /// Polls again soon with the present set of subscriptions.
    pub(super) fn poll_anew(&mut self) {
        let now = self.now();
        if let Some(poll) = self.poll.as_mut().filter(|poll| poll.welcomed) {
            poll.next_at = Some(poll.next_at.unwrap_or(u64::MAX).min(now + COLLECT_MS));
        }
    }

    /// After waking: whatever is held may hang in the air.
    pub(super) fn poll_quickly(&mut self) {
        if let Some(poll) = self.poll.as_mut().filter(|poll| poll.welcomed) {
            poll.quick = true;
            self.send_poll();
        }
    }

    pub(super) fn poll_set_grew(&mut self, channel: &Channel) {
        if let Some(poll) = &mut self.poll {
            // A set says nothing about a channel that was left and entered again: begin anew, with positions.
            if poll.gone.contains(channel) {
                poll.connection = None;
                poll.anew = true;
                poll.gone.clear();
            }
        }
        self.poll_anew();
    }

    pub(super) fn poll_set_shrank(&mut self, channel: Channel) {
        if let Some(poll) = &mut self.poll {
            poll.gone.push(channel);
        }
        self.poll_anew();
    }

    /// The connection that polls go on with.
    pub(super) fn poll_welcomed(&mut self, connection: Uuid, hold: u32) {
        let Some(poll) = &mut self.poll else { return };
        poll.connection = (!poll.anew).then_some(connection);
        poll.welcomed = true;
        poll.hold = hold.min(limits::POLL_HOLD_MS);
        if self.active == Some(Transport::Polling) {
            // Another node, or the same one after a restart: it has confirmed nothing yet.
            self.subscriptions.unconfirm();
            return;
        }
        if self.config.websocket && self.ws.is_none() {
            self.choice.polling_works();
            self.choice.schedule_probe(self.now());
        }
        let reason = if !self.config.websocket {
            "HTTP polling, as configured"
        } else if self.choice.given_up {
            "WebSocket does not work here"
        } else {
            "WebSocket gives no answer"
        };
        self.activate(Transport::Polling, reason);
    }

    pub(super) fn poll_acked(&mut self, seq: u64) {
        if let Some(poll) = &mut self.poll {
            poll.ack = seq;
        }
    }

    pub(super) fn poll_brought(&mut self) {
        if let Some(poll) = &mut self.poll {
            poll.brought = true;
        }
    }

    pub(super) fn is_held(&self, request: RequestId) -> bool {
        self.poll.as_ref().and_then(|p| p.held).is_some_and(|(held, _)| held == request)
    }

    pub(super) fn is_post(&self, request: RequestId) -> bool {
        self.post.as_ref().and_then(|p| p.request).is_some_and(|(post, _)| post == request)
    }

    /// A response has been read to its end.
    pub(super) fn responded(&mut self, request: RequestId) {
        let now = self.now();
        if self.is_post(request) {
            self.posted();
            return;
        }
        let Some(poll) = self.poll.as_mut().filter(|p| p.held.is_some_and(|(held, _)| held == request))
        else {
            return;
        };
        poll.held = None;
        if !poll.welcomed {
            self.poll_failed("the server did not answer with a welcome");
            return;
        }
        poll.failures = 0;
        let wait = if poll.hold == 0 {
            u64::from(limits::POLL_INTERVAL_MS)
        } else if !poll.brought && now < poll.sent_at + EMPTY_MS {
            EMPTY_MS
        } else {
            0
        };
        poll.next_at = Some(poll.next_at.unwrap_or(u64::MAX).min(now + wait));
    }

    pub(super) fn request_failed(&mut self, request: RequestId, reason: &str) {
        if self.is_post(request) {
            self.post_failed(reason);
        } else if self.is_held(request) {
            if let Some(poll) = &mut self.poll {
                poll.held = None;
            }
            self.poll_failed(reason);
        }
    }

    /// A poll brought nothing. What it may have carried comes again with the next, whose `ack` has not moved.
    pub(super) fn poll_failed(&mut self, reason: &str) {
        // Found out by asking: nobody else does so at the same moment, there is no crowd to spread.
        let probing = self.poll.as_ref().is_some_and(|poll| poll.probing);
        let again = self.rng.between(0, if probing { PROBED_MS } else { 1_000 });
        let now = self.now();
        let Some(poll) = &mut self.poll else { return };
        poll.failures += 1;
        if let Some((request, _)) = poll.held.take() {
            self.outputs.push_back(Output::Abort(request));
        }
        if poll.welcomed && poll.failures < FAILURES_MAX {
            poll.next_at = Some(now + again);
            self.note(text!("poll failed: ", reason));
        } else if self.active == Some(Transport::Polling) {
            self.lost(&text!("polling failed: ", reason), None);
        } else {
            self.poll = None;
            if self.ws.is_none() && self.phase == Phase::Connecting {
                self.lost(&text!("the server cannot be reached: ", reason), None);
            }
        }
    }

    /// Sends what waits in the outbox, one request at a time so that order is kept.
    pub(super) fn flush_by_post(&mut self) {
        let post = self.post.get_or_insert(Post { request: None, token: 0, retry_at: None, failures: 0 });
        if post.request.is_some() || post.retry_at.is_some() {
            return;
        }
        // `hello` takes its part of the batch.
        let room = self.max_batch.saturating_sub(limits::MAX_TOKEN_BYTES);
        let texts = self.take_texts(room);
        if texts.is_empty() {
            return;
        }
        let request = self.next_request();
        let deadline = Deadline::at(self.now() + ANSWER_MS);
        if let Some(post) = &mut self.post {
            post.request = Some((request, deadline));
            post.token = self.token.serial;
        }
        self.post(request, Vec::new(), &texts);
    }

    fn posted(&mut self) {
        let Some(post) = &mut self.post else { return };
        post.request = None;
        if self.outbox.in_flight() > 0 || self.asking.waits() {
            self.post_failed("some messages were not answered");
        } else {
            post.failures = 0;
            self.flush();
        }
    }

    pub(super) fn post_failed(&mut self, reason: &str) {
        let again = self.rng.between(0, 1_000);
        let now = self.now();
        let Some(post) = &mut self.post else { return };
        post.failures += 1;
        if let Some((request, _)) = post.request.take() {
            self.outputs.push_back(Output::Abort(request));
        }
        if post.failures > FAILURES_MAX {
            self.lost(&text!("sending failed: ", reason), None);
            return;
        }
        post.retry_at = Some(now + again);
        self.note(text!("sending failed: ", reason));
        self.recall();
    }
}
