//! What one connection may do and has been sent: a state machine without a clock, a socket, a task or a random number.
//!
//! Whoever drives a [`Connection`] gives it [`Input`]s together with the time, and after each one takes all [`Output`]s
//! until there are none, carries them out, and calls [`Connection::handle_timeout`] when [`Connection::poll_timeout`] says so.
//! Work that takes time (the store's) is asked for by an output and answered by an input. The real server drives it
//! with sockets and SQLite; a test or a simulation drives it with whatever it likes, under a clock of its own.
//!
//! What a driver has to keep to:
//! * `Open` registers the connection with the hub before the log's state is read. Nothing can then fall between the
//!   two: an entry stored before is in the log, one stored later arrives as [`Input::Entry`].
//! * Entries of one channel arrive in order. Holes and repetitions are borne: a session reads from the store what it
//!   missed.
//! * While [`Connection::wants_batch`] is false, nothing is read from the client.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod asking;
mod frames;
mod inbound;
mod io;
pub mod mailbox;
mod payloads;
mod polling;
mod queue;
mod sending;
mod settings;
mod subscribing;
mod subscription;
mod talking;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use everwire_protocol::{Channel, CloseCode, ServerFrame, Uuid, batch};

pub use asking::{PendingRequest, request_id};
pub use inbound::{BadFrame, Batch, decode};
pub use io::{Binding, Input, Opened, Opening, Output, ReceivedMark, Transport};
pub use payloads::check_payload;
pub use polling::{PollInput, PollOutput, Polling};
pub use queue::batch_text;
pub use settings::Settings;

use crate::model::identity::{Access, Identity};
use frames::Waiting;
use queue::{Queue, Queued};
use sending::Sending;
use subscription::{Stage, Subscription};

#[derive(Debug)]
enum Phase {
    /// Nothing was said yet.
    Hello,
    /// `hello` was accepted; whose session it is is being looked up.
    Binding(Identity),
    Open(Identity),
    /// The last output is in the queue.
    Ended,
}

/// One connection. See the module's text for how to drive it.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the protocol calls the client instance a session too")]
pub struct Connection {
    settings: Arc<Settings>,
    access: Arc<dyn Access>,
    transport: Transport,
    connection: Uuid,
    session: Uuid,
    phase: Phase,
    /// Frames that came while the session was being bound.
    waiting: VecDeque<Waiting>,
    subscriptions: BTreeMap<Channel, Subscription>,
    /// What was refused: a set of subscriptions that still has it is not answered with the same error for ever.
    refused: BTreeSet<Channel>,
    /// Subscriptions that the server has ended, until the client can know: only then does it mean to begin anew.
    revoked: BTreeSet<Channel>,
    /// Subscriptions that need a page, in turn. One page is read at a time.
    catching_up: VecDeque<Channel>,
    reading: bool,
    /// When a read that failed is tried again.
    read_again_at: Option<u64>,
    next_key: u64,
    /// Requests that have not been answered.
    asked: BTreeSet<Uuid>,
    sending: Sending,
    queue: Queue,
    outputs: VecDeque<Output>,
    /// The time of the last input.
    now: u64,
    writable: bool,
    bad: u32,
    opened_at: u64,
    heard_at: u64,
    said_at: u64,
    /// When the last batch was given to the transport, while it has not been taken.
    writing_since: Option<u64>,
    closing: Option<Closing>,
}

/// A connection that ends as soon as what is queued has been sent, or when time is up.
#[derive(Debug)]
struct Closing {
    code: CloseCode,
    by: u64,
    /// Whether what the client still says is heard, and what it sent is still stored: a planned stop, not an error.
    orderly: bool,
}

impl Connection {
    /// A connection that was just accepted. `connection` is a new random id.
    pub fn new(
        now_ms: u64,
        transport: Transport,
        connection: Uuid,
        settings: Arc<Settings>,
        access: Arc<dyn Access>,
    ) -> Self {
        Self {
            settings,
            access,
            transport,
            connection,
            session: Uuid::nil(),
            phase: Phase::Hello,
            waiting: VecDeque::new(),
            subscriptions: BTreeMap::new(),
            refused: BTreeSet::new(),
            revoked: BTreeSet::new(),
            catching_up: VecDeque::new(),
            reading: false,
            read_again_at: None,
            next_key: 0,
            asked: BTreeSet::new(),
            sending: Sending::default(),
            queue: Queue::default(),
            outputs: VecDeque::new(),
            now: now_ms,
            writable: false,
            bad: 0,
            opened_at: now_ms,
            heard_at: now_ms,
            said_at: now_ms,
            writing_since: None,
            closing: None,
        }
    }

    /// Takes in what happened. `now_ms` is in ms since 1970 and never goes back. Drain the outputs afterwards.
    pub fn handle(&mut self, now_ms: u64, input: Input) {
        self.now = now_ms;
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        match input {
            // Of a connection that failed nothing more is sent than the error: what was dropped before would be missing.
            Input::Batch(_)
            | Input::Bound(_)
            | Input::Opened { .. }
            | Input::Page { .. }
            | Input::Entry(_)
            | Input::Presence(_)
            | Input::Broadcast(_)
            | Input::Direct(_)
            | Input::Revoked(_)
            | Input::Answer { .. }
            | Input::Goaway(_)
            | Input::Left(_)
            | Input::Overflow
                if self.has_failed() => {}
            Input::Batch(batch) => self.batch(now_ms, batch),
            Input::Bound(binding) => self.bound(now_ms, binding),
            Input::Opened { key, channel, found } => self.opened(key, &channel, found),
            Input::Page { key, channel, page } => self.page(now_ms, key, &channel, page),
            Input::Appended(outcomes) => self.appended(outcomes),
            Input::Entry(entry) => self.entry(entry),
            Input::Presence(change) => self.presence(change),
            Input::Broadcast(note) => self.note(note),
            Input::Direct(text) => self.direct(text),
            Input::Revoked(channel) => self.revoke(channel),
            Input::Answer { id, answer } => self.answer(id, answer),
            Input::Writable => {
                self.writable = true;
                self.writing_since = None;
            }
            Input::Goaway(goaway) => self.goaway(now_ms, goaway),
            Input::End(code) => {
                self.queue.clear();
                self.close(now_ms, code);
            }
            Input::Left(Some(channel)) => self.drop_subscription(&channel),
            Input::Left(None) => {
                self.queue.clear();
                self.bye(now_ms);
            }
            Input::Overflow => self.slow(now_ms),
            // Who has said good-bye does not wait for what is still to be sent.
            Input::Gone => return self.end(None, self.has_said_bye()),
        }
        self.go_on(now_ms);
    }

    /// Does what is due. Drain the outputs afterwards.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        self.now = now_ms;
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        for (at, due) in self.timers() {
            if at <= now_ms {
                match due {
                    Due::CloseNow => return self.end(None, false),
                    Due::Close(code) if self.closing.is_none() => self.close(now_ms, code),
                    Due::Ping => self.ping(now_ms),
                    Due::ReadAgain => self.read_again_at = None,
                    Due::Close(_) => {}
                }
            }
        }
        self.go_on(now_ms);
    }

    /// The next thing to do, until there is none. What is queued is packed into a batch here, and not with each input:
    /// so take in all that has happened already before asking.
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() {
            self.send_or_end();
        }
        self.outputs.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called, in the time of [`Self::handle`].
    pub fn poll_timeout(&self) -> Option<u64> {
        self.timers().map(|(at, _)| at).min()
    }

    /// Whether a batch from the client is welcome. If not, leave it in the network: that slows the client down.
    pub fn wants_batch(&self) -> bool {
        let busy = matches!(self.phase, Phase::Binding(_) | Phase::Ended)
            || self.has_failed()
            || self.sending.unanswered() >= self.settings.waiting_sends;
        !busy
    }

    /// Whether [`Output::Close`] was given.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Whether everything that was asked of this session has been answered, as far as it is up to the server: nothing
    /// is being looked up, read or stored. Frames may still be queued.
    pub fn is_settled(&self) -> bool {
        let looking = matches!(self.phase, Phase::Binding(_))
            || self.reading
            || self.subscriptions.values().any(|subscription| subscription.stage == Stage::Opening);
        self.sending.unanswered() == 0 && ((!looking && self.asked.is_empty()) || self.has_failed())
    }

    /// Whether nothing waits to be sent.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// How many frames wait to be sent.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Whether `hello` was accepted, and the end has not come.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// Takes what one batch may hold, for a transport that fetches instead of being sent to.
    pub fn take_batch(&mut self) -> Vec<Arc<str>> {
        let batch = self.queue.take_batch();
        // There may be room for more now.
        self.go_on(self.now);
        batch
    }

    /// Who speaks, once `hello` was accepted.
    pub fn user(&self) -> Option<&str> {
        match &self.phase {
            Phase::Open(identity) => Some(&identity.user),
            _ => None,
        }
    }

    /// The session that `hello` named; nil before.
    pub fn session(&self) -> Uuid {
        self.session
    }

    fn timers(&self) -> impl Iterator<Item = (u64, Due)> + use<> {
        let settings = &self.settings;
        let ms = u64::from;
        let websocket = self.transport == Transport::WebSocket;
        let waiting = websocket && self.closing.is_none();
        let open = waiting && matches!(self.phase, Phase::Open(_));
        let ping_at = self.said_at + ms(settings.ping_interval_ms);
        let silent_at = self.heard_at + 2 * ms(settings.ping_interval_ms) + ms(settings.silence_grace_ms);
        let hello_at = self.opened_at + ms(settings.hello_timeout_ms);
        let expires_at = match &self.phase {
            Phase::Open(identity) => identity.expires_at,
            _ => None,
        };
        [
            self.closing.as_ref().map(|closing| (closing.by, Due::CloseNow)),
            self.writing_since.map(|since| (since + ms(settings.write_timeout_ms), Due::CloseNow)),
            (waiting && matches!(self.phase, Phase::Hello))
                .then_some((hello_at, Due::Close(CloseCode::HelloTimeout))),
            // Only while the transport is free: a ping behind frames that cannot be sent tells nobody anything.
            (open && self.writable).then_some((ping_at, Due::Ping)),
            open.then_some((silent_at, Due::Close(CloseCode::HeartbeatTimeout))),
            expires_at
                .filter(|_| open)
                .map(|at| (at + ms(settings.token_grace_ms), Due::Close(CloseCode::TokenExpired))),
            self.read_again_at.map(|at| (at, Due::ReadAgain)),
        ]
        .into_iter()
        .flatten()
    }

    /// Starts whatever can be started now.
    fn go_on(&mut self, now_ms: u64) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        let (frames, bytes) = (self.settings.queue_frames, self.settings.queue_bytes);
        if self.closing.is_none() && self.queue.is_above(frames, bytes) {
            self.queue.drop_ephemeral();
            if self.queue.is_above(frames, bytes) {
                self.slow(now_ms);
            }
        }
        if !self.has_failed() {
            if let Some(group) = self.sending.next_group() {
                self.outputs.push_back(Output::Append(group));
            }
            self.read_next_page();
        }
    }

    /// Gives the transport what is queued, or ends when there is nothing left to be done.
    fn send_or_end(&mut self) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        if self.writable && !self.queue.is_empty() {
            self.writable = false;
            self.writing_since = Some(self.now);
            self.said_at = self.now;
            self.outputs.push_back(Output::Send(self.queue.take_batch()));
            // There may be room for more now.
            self.go_on(self.now);
        }
        if let Some(closing) = &self.closing {
            let answered = self.sending.unanswered() == 0 && self.asked.is_empty() && self.waiting.is_empty();
            let finished = !closing.orderly || answered;
            if finished && self.queue.is_empty() && self.writing_since.is_none() {
                let code = closing.code;
                self.end(Some(code), code == CloseCode::Normal);
            }
        }
    }

    /// Whether the connection is to be closed because of an error.
    fn has_failed(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| !closing.orderly)
    }

    /// Whether the client has ended its session for good.
    fn has_said_bye(&self) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.code == CloseCode::Normal)
    }

    fn push(&mut self, frame: impl Into<ServerFrame>) {
        self.queue.push(Queued::Frame(batch::encode_frame(&frame.into()).into()));
    }

    /// Sends what is queued, then closes. What the client says from now on is not heard.
    fn close(&mut self, now_ms: u64, code: CloseCode) {
        if self.has_failed() {
            return;
        }
        self.sending.abandon();
        self.waiting.clear();
        let by = now_ms + u64::from(self.settings.drain_ms);
        self.closing = Some(Closing { code, by, orderly: false });
    }

    /// The last output: leaves everything.
    fn end(&mut self, code: Option<CloseCode>, at_once: bool) {
        for channel in std::mem::take(&mut self.subscriptions).into_keys() {
            self.outputs.push_back(Output::Leave { channel, at_once });
        }
        if at_once {
            self.outputs.push_back(Output::Bye);
        }
        self.queue.clear();
        self.phase = Phase::Ended;
        self.outputs.push_back(Output::Close(code));
    }
}

enum Due {
    CloseNow,
    Close(CloseCode),
    Ping,
    ReadAgain,
}
