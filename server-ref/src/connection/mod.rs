//! The state machine of one connection: without a clock, sockets, tasks or random numbers.
//!
//! A driver passes [`Input`]s with the time to a [`Connection`], carries out all [`Output`]s after each one, and calls
//! [`Connection::handle_timeout`] when [`Connection::poll_timeout`] says so. Work that takes time, such as the store's, is
//! requested by an output and answered by an input. The server drives it with sockets and SQLite, tests and the
//! simulation under a virtual clock.
//!
//! Requirements for a driver:
//! * `Open` registers the connection with the hub before the log's state is read. Nothing can then fall between the
//!   two: an entry stored before is in the log, one stored later arrives as [`Input::Entry`].
//! * Entries of one channel arrive in order. Holes and repetitions are permitted: a connection reads missing entries from the
//!   store.
//! * While [`Connection::wants_batch`] is false, nothing is read from the client.

#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub mod direct;
mod encoding;
mod ephemeral;
mod errors;
mod features;
mod frames;
mod heartbeat;
mod identity;
mod inbound;
mod io;
pub mod mailbox;
mod marks;
mod openings;
mod payloads;
mod polling;
mod queue;
mod requests;
mod send;
mod sending;
mod settings;
pub mod shared;
mod spending;
mod subscribing;
mod subscription;
mod subscriptions;

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{CloseCode, ServerFrame, Uuid, batch};

pub use encoding::{BatchEncoder, batch_text, push_header};
pub use inbound::{BadFrame, Batch, decode, decode_request, request_bytes};
pub use io::{Binding, Input, Opened, Opening, Output, PendingRequest, ReceivedMark, Transport};
pub use payloads::check_payload;
pub use polling::{PollInput, PollOutput, Polling};
pub use settings::{PresenceUsers, Settings};

use crate::model::{
    address::AddressKey,
    identity::{Access, Identity, Payer},
};
use frames::Waiting;
use heartbeat::Heartbeat;
use queue::{Queue, Queued};
use requests::Requests;
use sending::Sending;
use spending::Spending;
use subscriptions::Subscriptions;

#[derive(Debug)]
enum Phase {
    /// Before `hello`.
    Hello,
    /// `hello` was accepted; the user of the session is being looked up.
    Binding(Identity),
    Open(Identity),
    /// The last output is in the queue.
    Ended,
}

/// One connection. The documentation of the module describes how to drive it.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the protocol calls the client instance a session too")]
pub struct Connection {
    settings: Arc<Settings>,
    access: Arc<dyn Access>,
    transport: Transport,
    /// The address of the client; `None` if it is not counted.
    address: Option<AddressKey>,
    connection: Uuid,
    session: Uuid,
    phase: Phase,
    /// Frames that arrived while the session was being bound.
    waiting: VecDeque<Waiting>,
    subscriptions: Subscriptions,
    requests: Requests,
    sending: Sending,
    queue: Queue,
    outputs: VecDeque<Output>,
    /// The time of the last input.
    now: u64,
    bad: u32,
    heartbeat: Heartbeat,
    spending: Spending,
    /// What the client has last said of itself; a repetition is nothing new.
    idle: bool,
    closing: Option<Closing>,
    ended_with: Option<CloseCode>,
}

/// A connection that ends as soon as the queue has been sent, or when its time is up.
#[derive(Debug)]
struct Closing {
    code: CloseCode,
    by: u64,
    /// Whether frames of the client are still processed and its sends stored: a planned stop, not an error.
    orderly: bool,
}

impl Connection {
    /// A newly accepted connection. `connection` is a new random id.
    pub fn new(
        now_ms: u64,
        transport: Transport,
        connection: Uuid,
        settings: Arc<Settings>,
        access: Arc<dyn Access>,
    ) -> Self {
        Self {
            sending: Sending::new(&settings),
            settings,
            access,
            transport,
            address: None,
            connection,
            session: Uuid::nil(),
            phase: Phase::Hello,
            waiting: VecDeque::new(),
            subscriptions: Subscriptions::default(),
            requests: Requests::default(),
            queue: Queue::default(),
            outputs: VecDeque::new(),
            now: now_ms,
            bad: 0,
            heartbeat: Heartbeat::new(now_ms),
            spending: Spending::default(),
            idle: false,
            closing: None,
            ended_with: None,
        }
    }

    /// The same for a client at this address, which pays for guests.
    #[must_use]
    pub fn from_address(self, address: Option<AddressKey>) -> Self {
        Self { address, ..self }
    }

    /// Handles an input. `now_ms` is monotonic. Drain the outputs afterwards.
    pub fn handle(&mut self, now_ms: u64, input: Input) {
        self.now = now_ms;
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        match input {
            // A failed connection sends only the error: frames after a dropped one would leave a hole.
            Input::Batch(_)
            | Input::Bound(_)
            | Input::Opened { .. }
            | Input::Page { .. }
            | Input::Entry(_)
            | Input::Presence(_)
            | Input::Broadcast(_)
            | Input::Direct(_)
            | Input::Revoked { .. }
            | Input::ChatDeleted { .. }
            | Input::CheckIdentity
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
            Input::Broadcast(broadcast) => self.broadcast(broadcast),
            Input::Direct(text) => self.direct(text),
            Input::Revoked { channel, key } => self.revoke(channel, key),
            Input::ChatDeleted { channel, key } => self.chat_deleted(channel, key),
            Input::CheckIdentity => self.check_identity(now_ms),
            Input::Answer { id, answer } => self.answer(id, answer),
            Input::Writable => self.queue.set_writable(),
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
            // After `bye` the client does not wait for the queue.
            Input::Gone => return self.end(None, self.has_said_bye()),
        }
        self.advance(now_ms);
    }

    /// Handles everything that is due. Drain the outputs afterwards.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        self.now = now_ms;
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        for (at, due) in self.timers() {
            if at <= now_ms {
                match due {
                    Due::CloseNow => return self.end(None, false),
                    Due::Close(code) => self.close(now_ms, code),
                    Due::Ping => self.ping(now_ms),
                    Due::ReadAgain => self.subscriptions.read_again(),
                }
            }
        }
        self.advance(now_ms);
    }

    /// The next output, until there is none. Queued frames are packed into a batch here, not at each input: so handle all
    /// available inputs first.
    pub fn poll_output(&mut self) -> Option<Output> {
        if self.outputs.is_empty() {
            self.send_or_end();
        }
        let next = self.outputs.pop_front();
        if next.is_none() {
            // An idle connection has no buffer.
            self.outputs = VecDeque::new();
        }
        next
    }

    /// When [`Self::handle_timeout`] wants to be called, in the time of [`Self::handle`].
    pub fn poll_timeout(&self) -> Option<u64> {
        self.timers().map(|(at, _)| at).min()
    }

    /// Whether a batch from the client is accepted. If not, leave it unread: the back pressure slows the client down.
    pub fn wants_batch(&self) -> bool {
        let busy = matches!(self.phase, Phase::Binding(_) | Phase::Ended)
            || self.has_failed()
            || self.sending.unanswered() >= self.settings.waiting_sends;
        !busy
    }

    /// The code with which it has ended; `None` if it has not, or nobody could be told.
    pub fn ended_with(&self) -> Option<CloseCode> {
        self.ended_with
    }

    /// Whether [`Output::Close`] was returned.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Whether nothing is being looked up, read or stored for this connection. Frames may still be queued.
    pub fn is_settled(&self) -> bool {
        let looking = matches!(self.phase, Phase::Binding(_)) || !self.subscriptions.is_settled();
        self.sending.unanswered() == 0 && ((!looking && self.requests.is_empty()) || self.has_failed())
    }

    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The number of queued frames.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// The bytes of the queued frames.
    pub fn queued_bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// Whether the client has signed in, not as a guest whose address pays for it.
    pub fn has_signed_in(&self) -> bool {
        matches!(&self.phase, Phase::Open(Identity { payer: Payer::User(_), .. }))
    }

    /// Whether `hello` was accepted and the connection has not ended.
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// Takes one batch of frames, for a transport that fetches them.
    pub fn take_batch(&mut self) -> Vec<Arc<str>> {
        let batch = self.queue.take_batch();
        // There may be room for more entries now.
        self.advance(self.now);
        batch
    }

    /// The user, once `hello` was accepted.
    pub fn user(&self) -> Option<&str> {
        match &self.phase {
            Phase::Open(identity) => Some(&identity.user),
            _ => None,
        }
    }

    /// The session named by `hello`; nil before.
    pub fn session(&self) -> Uuid {
        self.session
    }

    fn timers(&self) -> impl Iterator<Item = (u64, Due)> + use<> {
        let settings = &self.settings;
        let ms = u64::from;
        let websocket = self.transport == Transport::WebSocket;
        let waiting = websocket && self.closing.is_none();
        let open = waiting && matches!(self.phase, Phase::Open(_));
        let heartbeat = &self.heartbeat;
        // By the wall clock as it is now: it may have been corrected since the token was accepted.
        let expires_at = match &self.phase {
            Phase::Open(identity) => identity.expires_at.map(|at| {
                let ends_at = at.saturating_add(ms(settings.token_grace_ms));
                self.now.saturating_add(ends_at.saturating_sub(self.access.wall_ms(self.now)))
            }),
            _ => None,
        };
        [
            self.closing.as_ref().map(|closing| (closing.by, Due::CloseNow)),
            self.queue.writing_since().map(|since| (since + ms(settings.write_timeout_ms), Due::CloseNow)),
            (waiting && matches!(self.phase, Phase::Hello))
                .then_some((heartbeat.hello_by(settings), Due::Close(CloseCode::HelloTimeout))),
            // Only while the transport is free: a ping queued behind frames that cannot be sent is useless.
            (open && self.queue.is_writable()).then(|| (heartbeat.ping_at(settings), Due::Ping)),
            open.then(|| (heartbeat.silent_at(settings), Due::Close(CloseCode::HeartbeatTimeout))),
            expires_at.filter(|_| open).map(|at| (at, Due::Close(CloseCode::TokenExpired))),
            self.subscriptions.read_again_at().map(|at| (at, Due::ReadAgain)),
        ]
        .into_iter()
        .flatten()
    }

    /// Starts everything that can be started now.
    fn advance(&mut self, now_ms: u64) {
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
            self.open_next();
            if let Some(group) = self.sending.next_group() {
                self.outputs.push_back(Output::Append(group));
            }
            self.read_next_page();
        }
    }

    /// Passes queued frames to the transport, or ends if there is nothing left to do.
    fn send_or_end(&mut self) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        if let Some(batch) = self.queue.write(self.now) {
            self.heartbeat.sent(self.now);
            self.outputs.push_back(Output::Send(batch));
            // There may be room for more now.
            self.advance(self.now);
        }
        if let Some(closing) = &self.closing {
            let answered =
                self.sending.unanswered() == 0 && self.requests.is_empty() && self.waiting.is_empty();
            let finished = !closing.orderly || answered;
            if finished && self.queue.is_empty() && self.queue.writing_since().is_none() {
                let code = closing.code;
                let at_once = matches!(code, CloseCode::Normal | CloseCode::Banned | CloseCode::Unauthorized);
                self.end(Some(code), at_once);
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
        let frame = frame.into();
        if matches!(frame, ServerFrame::Error(_)) {
            self.spending.refused();
        }
        self.queue.push(Queued::Frame(batch::encode_frame(&frame).into()));
    }

    /// Sends the queue, then closes. Frames of the client are ignored from now on.
    fn close(&mut self, now_ms: u64, code: CloseCode) {
        if self.has_failed() {
            return;
        }
        self.sending.abandon();
        self.waiting.clear();
        let by = now_ms + u64::from(self.settings.drain_ms);
        self.closing = Some(Closing { code, by, orderly: false });
    }

    /// The last output: leaves all channels.
    fn end(&mut self, code: Option<CloseCode>, at_once: bool) {
        for channel in self.subscriptions.remove_all() {
            self.outputs.push_back(Output::Leave { channel, at_once });
        }
        if at_once {
            self.outputs.push_back(Output::Bye);
        }
        self.queue.clear();
        self.phase = Phase::Ended;
        self.ended_with = code;
        self.outputs.push_back(Output::Close(code));
    }
}

enum Due {
    CloseNow,
    Close(CloseCode),
    Ping,
    ReadAgain,
}
