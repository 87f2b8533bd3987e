//! A connection by HTTP polling: one [`Connection`] whose transport is a sequence of requests. Holds a request until there is
//! something to send, keeps each response until it is acknowledged, and ends when there are no more requests.
//!
//! Driven like a [`Connection`]: inputs with the time, then all outputs, and a timeout.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{ClientFrame, ErrorCode, Hello, Poll, Polled, ServerFrame, Subscribe, Uuid, batch};

use super::{
    Connection, Input, Output, Phase, Settings, Transport, batch_text,
    errors::{error_saying, re},
    frames::Waiting,
    subscription::StartPosition,
};
use crate::{
    accounts::costs,
    model::{address::AddressKey, identity::Access},
};

/// An input of a polling connection.
#[derive(Debug)]
pub enum PollInput {
    /// A poll: a batch that starts with `hello` and contains a `poll`.
    Request {
        /// The id of the request in [`PollOutput::Respond`].
        request: u64,
        /// Its `hello`, with the token of the `Authorization` header.
        hello: Hello,
        /// Its `poll`.
        poll: Poll,
        /// Its other frames.
        frames: Vec<Waiting>,
    },
    /// The client has aborted a request.
    Abandoned {
        /// The request.
        request: u64,
    },
    /// Any other input of a connection. Never `Batch`, `Writable` or `Gone`.
    Connection(Input),
}

/// An output of a polling connection.
#[derive(Debug)]
pub enum PollOutput {
    /// An output of the connection. Never `Send` or `Close`.
    Connection(Output),
    /// Answer a request with this batch.
    Respond {
        /// The request.
        request: u64,
        /// The batch as JSON text.
        text: Arc<str>,
    },
    /// The connection has ended. The last output.
    End,
}

#[derive(Debug)]
struct Held {
    request: u64,
    /// The latest time for the answer.
    by: u64,
    /// From this time on answered if anything is queued, even while more is being looked up.
    settle_by: u64,
    /// Not answered before: a client that polls faster than it can pay for waits.
    not_before: u64,
    /// What it costs, if that is still to be paid.
    unpaid: u32,
}

/// One connection by polling.
#[derive(Debug)]
pub struct Polling {
    connection: Connection,
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
    /// The number of frames packed into responses since the last call.
    packed: usize,
}

impl Polling {
    /// A new connection that expects its first request. `id` is a new random id of the connection.
    pub fn new(now_ms: u64, id: Uuid, settings: Arc<Settings>, access: Arc<dyn Access>) -> Self {
        let connection = Connection::new(now_ms, Transport::Polling, id, settings.clone(), access);
        Self {
            connection,
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

    /// The same for a client at this address, which pays for guests.
    #[must_use]
    pub fn from_address(self, address: Option<AddressKey>) -> Self {
        Self { connection: self.connection.from_address(address), ..self }
    }

    /// Returns the number of frames packed into responses since the last call.
    pub fn take_packed(&mut self) -> usize {
        std::mem::take(&mut self.packed)
    }

    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Handles an input. Drain the outputs afterwards.
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
            PollInput::Connection(input) => self.connection.handle(now_ms, input),
        }
    }

    /// Handles everything that is due. Drain the outputs afterwards.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        self.now = now_ms;
        if self.over {
            return;
        }
        self.connection.handle_timeout(now_ms);
        if self.held.is_none() && now_ms >= self.ends_at() {
            self.connection.handle(now_ms, Input::Gone);
        }
    }

    /// The next output, until there is none. A held poll is answered here, not at each input: so handle all available
    /// inputs first.
    pub fn poll_output(&mut self) -> Option<PollOutput> {
        if self.outputs.is_empty() {
            self.advance(self.now);
        }
        self.outputs.pop_front()
    }

    /// When to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<u64> {
        let own = match &self.held {
            Some(_) if matches!(self.connection.phase, Phase::Binding(_)) => None,
            Some(held) if self.retained.is_some() => Some(held.not_before),
            Some(held) => {
                let at = match (self.connection.is_settled(), self.connection.is_empty()) {
                    (true, true) => held.by,
                    (true, false) => held.not_before,
                    (false, true) => held.by.max(held.settle_by),
                    (false, false) => held.settle_by,
                };
                Some(at.max(held.not_before))
            }
            None => Some(self.ends_at()),
        };
        [own, self.connection.poll_timeout()].into_iter().flatten().min()
    }

    fn ends_at(&self) -> u64 {
        self.answered_at + u64::from(self.settings.poll_end_ms)
    }

    fn request(&mut self, now_ms: u64, request: u64, hello: Hello, poll: &Poll, frames: Vec<Waiting>) {
        if matches!(self.connection.phase, Phase::Hello) && self.connection.closing.is_none() {
            self.hold(now_ms, request, poll);
            let batch = std::iter::once(Ok(ClientFrame::Hello(hello))).chain(frames).collect();
            return self.connection.handle(now_ms, Input::Batch(Ok(batch)));
        }
        if let Err(refused) = self.connection.hello_again(now_ms, &hello) {
            return self.respond(request, batch_text(&[refused]).into());
        }
        if poll.ack + 1 < self.seq || (poll.ack < self.seq && self.retained.is_none()) {
            // A request that was overtaken by a later one: its positions are outdated.
            return self.respond(request, "[]".into());
        }
        if poll.ack > self.seq {
            let wrong = error_saying(
                ErrorCode::InvalidFrame,
                "The poll acknowledges a response that was never sent. The next poll starts a new connection.",
            );
            let wrong = re("poll", wrong);
            let text = batch_text(&[batch::encode_frame(&ServerFrame::Error(wrong)).into()]);
            self.respond(request, text.into());
            return self.connection.handle(now_ms, Input::Gone);
        }
        let unpaid = self.pay(now_ms, frames.len());
        self.hold(now_ms, request, poll);
        if let Some(held) = &mut self.held {
            held.unpaid = unpaid;
        }
        if poll.ack == self.seq {
            self.retained = None;
        }
        self.rest(now_ms, frames);
    }

    /// Charges a poll. Returns what is still to be paid before it is answered.
    fn pay(&mut self, now_ms: u64, frames: usize) -> u32 {
        let Phase::Open(identity) = &self.connection.phase else { return 0 };
        let (who, units) = (identity.clone(), costs::POLL + frames as u32 / costs::REPEATED);
        let Err(ms) = self.connection.charge(now_ms, &who, units) else { return 0 };
        if self.held.is_some() {
            // It does not wait for the answer to the poll before.
            self.connection.exceed(now_ms, ms);
        }
        units
    }

    /// Charges the held poll for which there was not enough when it arrived, or says when there will be.
    fn pay_late(&mut self, now_ms: u64) {
        let (Some(held), Phase::Open(identity)) = (&mut self.held, &self.connection.phase) else { return };
        if held.unpaid == 0 {
            return;
        }
        let (units, who) = (held.unpaid, identity.clone());
        let paid = self.connection.charge(now_ms, &who, units);
        if let Some(held) = &mut self.held {
            match paid {
                Ok(()) => held.unpaid = 0,
                Err(ms) => held.not_before = now_ms + u64::from(ms),
            }
        }
    }

    fn hold(&mut self, now_ms: u64, request: u64, poll: &Poll) {
        if let Some(older) = self.held.take() {
            self.respond(older.request, "[]".into());
        }
        let hold_ms = poll.hold_ms.min(self.settings.hold_ms);
        let settle_by = now_ms + u64::from(self.settings.poll_settle_ms);
        let by = now_ms + u64::from(hold_ms);
        self.held = Some(Held { request, by, settle_by, not_before: now_ms, unpaid: 0 });
    }

    /// The frames of a later poll. Its subscriptions are the complete set.
    fn rest(&mut self, now_ms: u64, frames: Vec<Waiting>) {
        if self.retained.is_none() {
            // The client knows which subscriptions have ended: a `subscribe` from now on starts a new one.
            let Connection { subscriptions, queue, .. } = &mut self.connection;
            subscriptions.retain_ended(|channel| queue.has_ended(channel));
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
        let present = self.connection.subscriptions.channels();
        let gone: Vec<_> = present.filter(|channel| !set.contains(channel)).cloned().collect();
        for channel in &gone {
            self.connection.drop_subscription(channel);
        }
        self.connection.subscriptions.retain_refused(|channel| set.contains(channel));
        self.connection.handle(now_ms, Input::Batch(Ok(others)));
    }

    /// Whether a subscription of the set has to begin (anew). An active one continues, unless the client has received all
    /// responses and still has another position than they led to: it has ended the subscription in between, or lost
    /// something.
    fn is_news(&self, frame: &Subscribe) -> bool {
        let Connection { subscriptions, queue, .. } = &self.connection;
        let Some(position) = subscriptions.position(&frame.channel) else {
            return !subscriptions.is_refused_or_ended(&frame.channel);
        };
        if self.retained.is_some() {
            return false;
        }
        let position = queue.position_before(&frame.channel).unwrap_or(position);
        StartPosition::of(frame, &self.settings.run).is_some_and(|from| from != position)
    }

    fn advance(&mut self, now_ms: u64) {
        self.drain();
        self.pay_late(now_ms);
        if let Some(held) = self.held.as_ref().filter(|held| now_ms >= held.not_before) {
            if let Some(text) = self.retained.clone() {
                let request = held.request;
                (self.held, self.answered_at) = (None, now_ms);
                return self.respond(request, text);
            }
            let due = now_ms >= held.by || !self.connection.is_empty();
            let ready = self.connection.is_settled() || now_ms >= held.settle_by;
            let bound = !matches!(self.connection.phase, Phase::Binding(_));
            if due && ready && bound && !self.connection.is_over() {
                self.answer(now_ms);
            }
        }
        if self.connection.is_over() && !self.over {
            self.over = true;
            if let Some(held) = self.held.take() {
                self.respond(held.request, "[]".into());
            }
            self.outputs.push_back(PollOutput::End);
        }
    }

    /// Answers the held request with the queued frames, possibly none.
    fn answer(&mut self, now_ms: u64) {
        let Some(held) = self.held.take() else { return };
        self.answered_at = now_ms;
        let welcomed = self.connection.is_open();
        let mut frames = Vec::new();
        if welcomed {
            self.seq += 1;
            let polled = Polled { seq: self.seq, connection: Some(self.connection.connection) };
            frames.push(batch::encode_frame(&ServerFrame::Polled(polled)).into());
        }
        frames.extend(self.connection.take_batch());
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
        while let Some(output) = self.connection.poll_output() {
            match output {
                Output::Send(_) | Output::Close(_) => {}
                output => self.outputs.push_back(PollOutput::Connection(output)),
            }
        }
    }
}
