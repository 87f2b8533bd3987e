//! A connection by HTTP polling: one [`Connection`] whose transport is a run of requests. Holds a request until there is
//! something to say, keeps each response until it is acknowledged, and ends when no request comes any more.
//!
//! Driven like a [`Connection`]: inputs together with the time, then outputs until there are none, and a timeout.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{ClientFrame, ErrorCode, Hello, Poll, Polled, ServerFrame, Subscribe, Uuid, batch};

use super::{
    Connection, Input, Output, Phase, Settings, Transport, batch_text,
    frames::{Waiting, error_saying},
    subscription::StartPosition,
};
use crate::model::identity::Access;

/// What happens to a polling connection.
#[derive(Debug)]
pub enum PollInput {
    /// A poll came: a batch that starts with `hello` and holds a `poll`.
    Request {
        /// Names the request in [`PollOutput::Respond`].
        request: u64,
        /// Its `hello`. A token from the `Authorization` header has been put into it.
        hello: Hello,
        /// Its `poll`.
        poll: Poll,
        /// Its other frames.
        frames: Vec<Waiting>,
    },
    /// The client gave up on a request.
    Abandoned {
        /// The request.
        request: u64,
    },
    /// Anything else that happens to a session. Never `Batch`, `Writable` or `Gone`.
    Connection(Input),
}

/// What a polling connection wants done.
#[derive(Debug)]
pub enum PollOutput {
    /// What a session wants done. Never `Send` or `Close`.
    Connection(Output),
    /// Answer a request with this batch.
    Respond {
        /// The request.
        request: u64,
        /// The batch as JSON text.
        text: Arc<str>,
    },
    /// The connection is over: forget it. The last output.
    End,
}

#[derive(Debug)]
struct Held {
    request: u64,
    /// Answered by then, whatever there is to say.
    by: u64,
    /// From then on answered if there is anything to say, even while more is being looked up.
    settle_by: u64,
}

/// One connection by polling.
#[derive(Debug)]
pub struct Polling {
    session: Connection,
    settings: Arc<Settings>,
    held: Option<Held>,
    /// The number of the last response.
    seq: u64,
    /// The last response, until it is acknowledged.
    retained: Option<Arc<str>>,
    answered_at: u64,
    /// The time of the last input.
    now: u64,
    outputs: VecDeque<PollOutput>,
    over: bool,
    /// Frames that were packed into responses since this was asked last.
    packed: usize,
}

impl Polling {
    /// A connection whose first request is about to be given to it. `connection` is a new random id.
    pub fn new(now_ms: u64, connection: Uuid, settings: Arc<Settings>, access: Arc<dyn Access>) -> Self {
        let session = Connection::new(now_ms, Transport::Polling, connection, settings.clone(), access);
        Self {
            session,
            settings,
            held: None,
            seq: 0,
            retained: None,
            answered_at: now_ms,
            now: now_ms,
            outputs: VecDeque::new(),
            over: false,
            packed: 0,
        }
    }

    /// How many frames were packed into responses since this was asked last.
    pub fn take_packed(&mut self) -> usize {
        std::mem::take(&mut self.packed)
    }

    /// The session that polls.
    pub fn session(&self) -> &Connection {
        &self.session
    }

    /// Takes in what happened. Drain the outputs afterwards.
    pub fn handle(&mut self, now_ms: u64, input: PollInput) {
        self.now = now_ms;
        if self.over {
            return;
        }
        match input {
            PollInput::Request { request, hello, poll, frames } => {
                self.request(now_ms, request, hello, &poll, frames);
            }
            PollInput::Abandoned { request } => {
                if self.held.as_ref().is_some_and(|held| held.request == request) {
                    self.held = None;
                    self.answered_at = now_ms;
                }
            }
            PollInput::Connection(input) => self.session.handle(now_ms, input),
        }
    }

    /// Does what is due. Drain the outputs afterwards.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        self.now = now_ms;
        if self.over {
            return;
        }
        self.session.handle_timeout(now_ms);
        if self.held.is_none() && now_ms >= self.ends_at() {
            self.session.handle(now_ms, Input::Gone);
        }
    }

    /// The next thing to do, until there is none. A held poll is answered here, and not with each input: so take in all
    /// that has happened already before asking.
    pub fn poll_output(&mut self) -> Option<PollOutput> {
        if self.outputs.is_empty() && !self.over {
            self.go_on(self.now);
        }
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<u64> {
        let own = match &self.held {
            Some(_) if matches!(self.session.phase, Phase::Binding(_)) => None,
            Some(held) if self.session.is_settled() => Some(held.by),
            Some(held) if self.session.is_empty() => Some(held.by.max(held.settle_by)),
            Some(held) => Some(held.settle_by),
            None => Some(self.ends_at()),
        };
        [own, self.session.poll_timeout()].into_iter().flatten().min()
    }

    fn ends_at(&self) -> u64 {
        self.answered_at + u64::from(self.settings.poll_end_ms)
    }

    fn request(&mut self, now_ms: u64, request: u64, hello: Hello, poll: &Poll, frames: Vec<Waiting>) {
        if matches!(self.session.phase, Phase::Hello) && self.session.closing.is_none() {
            self.hold(now_ms, request, poll);
            let batch = std::iter::once(Ok(ClientFrame::Hello(hello))).chain(frames).collect();
            return self.session.handle(now_ms, Input::Batch(Ok(batch)));
        }
        if let Err(refused) = self.session.hello_again(now_ms, &hello) {
            return self.respond(request, batch_text(&[refused]).into());
        }
        if poll.ack + 1 < self.seq || (poll.ack < self.seq && self.retained.is_none()) {
            // A request that was overtaken on its way by a later one: it stands where its client no longer does.
            return self.respond(request, "[]".into());
        }
        if poll.ack > self.seq {
            let wrong = error_saying(
                ErrorCode::InvalidFrame,
                "The poll acknowledges a response that was never given. The next poll starts a new connection.",
            );
            let text = batch_text(&[batch::encode_frame(&ServerFrame::Error(wrong)).into()]);
            self.respond(request, text.into());
            return self.session.handle(now_ms, Input::Gone);
        }
        self.hold(now_ms, request, poll);
        if poll.ack == self.seq {
            self.retained = None;
        }
        self.rest(now_ms, frames);
        if let Some(text) = self.retained.clone()
            && let Some(held) = self.held.take()
        {
            self.answered_at = now_ms;
            self.respond(held.request, text);
        }
    }

    fn hold(&mut self, now_ms: u64, request: u64, poll: &Poll) {
        if let Some(older) = self.held.take() {
            self.respond(older.request, "[]".into());
        }
        let hold_ms = poll.hold_ms.min(self.settings.hold_ms);
        let settle_by = now_ms + u64::from(self.settings.poll_settle_ms);
        self.held = Some(Held { request, by: now_ms + u64::from(hold_ms), settle_by });
    }

    /// The frames of a later poll. Its subscriptions are the whole set.
    fn rest(&mut self, now_ms: u64, frames: Vec<Waiting>) {
        if self.retained.is_none() {
            // The client knows which subscriptions were ended: what it wants from now on, it wants anew.
            let Connection { revoked, queue, .. } = &mut self.session;
            revoked.retain(|channel| queue.has_revoked(channel));
        }
        let mut set = BTreeSet::new();
        let mut others = Vec::new();
        for frame in frames {
            match frame {
                Ok(ClientFrame::Subscribe(subscribe)) => {
                    set.insert(subscribe.channel.clone());
                    if self.is_news(&subscribe) {
                        others.push(Ok(ClientFrame::Subscribe(subscribe)));
                    }
                }
                other => others.push(other),
            }
        }
        let gone: Vec<_> =
            self.session.subscriptions.keys().filter(|channel| !set.contains(channel)).cloned().collect();
        for channel in &gone {
            self.session.drop_subscription(channel);
        }
        self.session.refused.retain(|channel| set.contains(channel));
        self.session.handle(now_ms, Input::Batch(Ok(others)));
    }

    /// Whether a subscription of the set has to begin (anew). One that runs goes on, unless the client has had all
    /// responses and still stands elsewhere than where they led: it has ended the subscription in between, or lost
    /// something.
    fn is_news(&self, frame: &Subscribe) -> bool {
        let Some(subscription) = self.session.subscriptions.get(&frame.channel) else {
            let session = &self.session;
            return !session.refused.contains(&frame.channel) && !session.revoked.contains(&frame.channel);
        };
        if self.retained.is_some() {
            return false;
        }
        let led = self.session.queue.led(&frame.channel).unwrap_or_else(|| subscription.stands());
        StartPosition::of(frame).is_some_and(|from| from != led)
    }

    fn go_on(&mut self, now_ms: u64) {
        self.drain();
        if let Some(held) = &self.held {
            let due = now_ms >= held.by || !self.session.is_empty();
            let ready = self.session.is_settled() || now_ms >= held.settle_by;
            let bound = !matches!(self.session.phase, Phase::Binding(_));
            if due && ready && bound && !self.session.is_over() {
                self.answer(now_ms);
            }
        }
        if self.session.is_over() && !self.over {
            self.over = true;
            if let Some(held) = self.held.take() {
                self.respond(held.request, "[]".into());
            }
            self.outputs.push_back(PollOutput::End);
        }
    }

    /// Answers the held request with what is queued, which may be nothing.
    fn answer(&mut self, now_ms: u64) {
        let Some(held) = self.held.take() else { return };
        self.answered_at = now_ms;
        let welcomed = self.session.is_open();
        let mut frames = Vec::new();
        if welcomed {
            self.seq += 1;
            frames.push(batch::encode_frame(&ServerFrame::Polled(Polled { seq: self.seq })).into());
        }
        frames.extend(self.session.take_batch());
        self.packed += frames.len();
        let text: Arc<str> = batch_text(&frames).into();
        if welcomed {
            self.retained = Some(text.clone());
        }
        self.respond(held.request, text);
        self.drain();
    }

    fn respond(&mut self, request: u64, text: Arc<str>) {
        self.outputs.push_back(PollOutput::Respond { request, text });
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(_) | Output::Close(_) => {}
                output => self.outputs.push_back(PollOutput::Connection(output)),
            }
        }
    }
}
