//! What a client knows: the core, who waits for what, and the state of the channels that are open. It does no input or output:
//! handles of the application and the driver share it behind a lock, and the driver carries out what it asks for.

mod application;
mod members;
mod room;
mod subscribers;

use std::{collections::VecDeque, task::Waker, time::Duration};

use everwire_client_core::{
    Connection, Event as CoreEvent, Handle, Input, Now, Output, Restored, SendStatus, Status, Stretch,
};
use everwire_protocol::{Ack, Channel, Code, ErrorCode, ServerFrame, Uuid, limits};
use futures_channel::oneshot;
use serde::Deserialize;

use crate::{ConnectionState, Error, Notice, Stored, clock::Clock, ids::Ids, queue::Queues, table::Table};
pub(crate) use room::Room;
pub use room::Typist;
use subscribers::Subscriber;

/// How many states, errors or notices a stream keeps that nobody polls; the oldest make room.
const KEPT: usize = 64;

/// A message beyond the page: what the outbox of a browser stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Store {
    /// The message, and whether it is about to be sent.
    Put { id: Uuid, frame: String, left: bool },
    /// The message has been sent, and may be stored by the server.
    Left(Uuid),
    /// The message is stored, refused or withdrawn.
    Delete(Uuid),
    /// The server has confirmed the user: what this user wrote on an earlier page may go out.
    SignedIn(String),
}

/// A message of an earlier page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: Uuid,
    pub(crate) frame: String,
    /// How long ago it may have been sent first, in ms; none if it never was.
    pub(crate) left_ago: Option<u64>,
}

/// A message without an answer.
struct Send {
    /// Told what became of it. None: it is of an earlier page.
    done: Option<oneshot::Sender<Result<Stored, Error>>>,
}

/// A request without an answer.
enum Pending {
    /// The application's.
    Asked(oneshot::Sender<Result<ServerFrame, Error>>),
    /// A page of the members or receipts of a channel.
    Page(Handle),
}

pub(crate) struct Session {
    pub(crate) core: Connection,
    pub(crate) stretch: Stretch,
    pub(crate) clock: Clock,
    pub(crate) ids: Ids,
    pub(crate) rooms: Table<Handle, Room>,
    subscribers: Table<u32, Subscriber>,
    next_number: u32,
    buffer: usize,
    sends: Table<Uuid, Send>,
    requests: Table<Uuid, Pending>,
    pub(crate) state: ConnectionState,
    pub(crate) states: Queues<ConnectionState>,
    pub(crate) errors: Queues<Error>,
    pub(crate) notices: Queues<Notice>,
    /// What `welcome` said.
    pub(crate) connection: Option<Uuid>,
    pub(crate) features: Vec<String>,
    payload_bytes: usize,
    /// Whether messages are kept beyond the page.
    stores: bool,
    signed_in: bool,
    /// Unsent messages are left to the next client, because the application did not say that they are not wanted.
    pub(crate) keeps_unsent: bool,
    /// For the driver, in order.
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) store: VecDeque<Store>,
    /// Woken when there is something to do for the driver.
    pub(crate) driver: Option<Waker>,
    /// To be woken without the lock.
    pub(crate) wakers: Vec<Waker>,
    /// Those who wait for the end.
    closing: Vec<oneshot::Sender<()>>,
    /// The driver has ended.
    pub(crate) ended: bool,
}

impl Session {
    pub(crate) fn new(core: Connection, clock: Clock, ids: Ids, buffer: usize, stores: bool) -> Self {
        Self {
            core,
            stretch: Stretch::default(),
            clock,
            ids,
            rooms: Table::default(),
            subscribers: Table::default(),
            next_number: 0,
            buffer,
            sends: Table::default(),
            requests: Table::default(),
            state: ConnectionState::Connecting { attempt: 0 },
            states: Queues::new(KEPT),
            errors: Queues::new(KEPT),
            notices: Queues::new(KEPT),
            connection: None,
            features: Vec::new(),
            payload_bytes: limits::MAX_PAYLOAD_BYTES,
            stores,
            signed_in: false,
            keeps_unsent: true,
            outputs: VecDeque::new(),
            store: VecDeque::new(),
            driver: None,
            wakers: Vec::new(),
            closing: Vec::new(),
            ended: false,
        }
    }

    pub(crate) fn now(&self) -> Now {
        self.clock.now()
    }

    pub(crate) fn next_number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number
    }

    /// Something has happened outside.
    pub(crate) fn tell(&mut self, input: Input) {
        let now = self.now();
        self.core.handle(now, input);
        self.drain();
    }

    /// Sorts what the core wants: the application hears events, the driver does the rest.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Event(event) => self.on_event(event),
                output => self.outputs.push_back(output),
            }
        }
    }

    fn on_event(&mut self, event: CoreEvent) {
        match event {
            CoreEvent::State { status, transport, attempt, retry_in, code, reason } => {
                let state = match (status, transport) {
                    (Status::Connected, Some(transport)) => ConnectionState::Connected { transport },
                    (Status::Connecting | Status::Connected, _) => ConnectionState::Connecting { attempt },
                    (Status::Waiting, _) => {
                        let retry_in = Duration::from_millis(retry_in.unwrap_or_default());
                        ConnectionState::Waiting { attempt, retry_in, reason }
                    }
                    (Status::Offline, _) => ConnectionState::Offline,
                    (Status::Closed, _) => ConnectionState::Closed { code, reason },
                };
                if status == Status::Connected {
                    self.sign_in();
                }
                self.states.push(&state, &mut self.wakers);
                self.state = state;
            }
            CoreEvent::Sending { id, status: SendStatus::Sent, .. } => {
                if self.stores && self.sends.contains_key(&id) {
                    self.store.push_back(Store::Left(id));
                }
            }
            CoreEvent::Sending { id, status: SendStatus::Failed, error } => {
                let (code, message) = error.unwrap_or((ErrorCode::Closed, String::new()));
                self.fail(id, code.into(), message, None);
            }
            CoreEvent::Sending { status: SendStatus::Queued, .. } | CoreEvent::Log(_) => {}
            CoreEvent::TypingExpired { handle, typist } => self.typing_expired(handle, typist),
            CoreEvent::Error { code, message } => self.report(&Error::refused(code.into(), message, None)),
        }
    }

    /// An error that is neither a state nor about one operation.
    pub(crate) fn report(&mut self, error: &Error) {
        self.errors.push(error, &mut self.wakers);
    }

    /// Why nothing more can be asked of this client.
    pub(crate) fn closed(&self) -> Error {
        match &self.state {
            ConnectionState::Closed { code, reason } => Error::Closed { code: *code, reason: reason.clone() },
            _ => Error::closed(),
        }
    }

    /// An error of the core: if the client is closed, it is known why.
    fn refused(&self, code: ErrorCode) -> Error {
        if code == ErrorCode::Closed { self.closed() } else { code.into() }
    }

    /// Puts a frame `send` into the outbox.
    pub(crate) fn send(
        &mut self,
        id: Uuid,
        channel: &Channel,
        frame: String,
        data_bytes: usize,
    ) -> Result<oneshot::Receiver<Result<Stored, Error>>, Error> {
        if data_bytes > self.payload_bytes {
            return Err(ErrorCode::TooLarge.into());
        }
        let (done, wait) = oneshot::channel();
        let now = self.now();
        self.stretch.settle(&mut self.core);
        // Stored before it can be sent, as soon as it is known that the core takes it.
        let kept = if self.stores { frame.clone() } else { String::new() };
        let queued = self.core.queue(now, id, channel.as_str(), frame, None);
        queued.map_err(|code| self.refused(code))?;
        self.sends.insert(id, Send { done: Some(done) });
        if self.stores {
            let left = matches!(self.state, ConnectionState::Connected { .. });
            self.store.push_back(Store::Put { id, frame: kept, left });
        }
        self.drain();
        Ok(wait)
    }

    /// What an earlier page of this user did not get stored goes out before all that was written since.
    pub(crate) fn restore(&mut self, kept: Vec<Kept>) {
        #[derive(Deserialize)]
        struct Head {
            channel: Channel,
        }
        for Kept { id, frame, left_ago } in kept {
            if self.sends.contains_key(&id) {
                continue;
            }
            let Ok(Head { channel }) = serde_json::from_str(&frame) else {
                // Written by a version with another format.
                self.store.push_back(Store::Delete(id));
                continue;
            };
            let (now, restored) = (self.now(), Restored { left_ago });
            self.stretch.settle(&mut self.core);
            match self.core.queue(now, id, channel.as_str(), frame, Some(restored)) {
                Ok(()) => {
                    self.sends.insert(id, Send { done: None });
                }
                Err(code) if code.retry() || code == ErrorCode::Closed => {}
                Err(code) => {
                    self.store.push_back(Store::Delete(id));
                    self.report(&Error::from(code));
                }
            }
            self.drain();
        }
    }

    fn sign_in(&mut self) {
        let user = self.core.user();
        if self.stores && !self.signed_in && !user.is_empty() {
            self.signed_in = true;
            self.store.push_back(Store::SignedIn(user.to_owned()));
        }
    }

    fn stored(&mut self, ack: &Ack) {
        let Some(send) = self.sends.remove(&ack.id) else { return };
        if self.stores {
            self.store.push_back(Store::Delete(ack.id));
        }
        if let Some(done) = send.done {
            let _ = done.send(Ok(Stored { id: ack.id, offset: ack.offset, at: ack.at }));
        }
    }

    /// A message or request has failed for good.
    fn fail(&mut self, id: Uuid, code: Code, message: String, retry_after_ms: Option<u32>) {
        let (closed, too_old) = (code == ErrorCode::Closed, code == ErrorCode::TooOld);
        let error = Error::refused(code, message, retry_after_ms);
        if let Some(send) = self.sends.remove(&id) {
            // Only its ack, its own refusal and the application's word delete what a user wrote.
            let restored_and_old = too_old && send.done.is_none();
            if self.stores && !(closed && self.keeps_unsent) && !restored_and_old {
                self.store.push_back(Store::Delete(id));
            }
            match send.done {
                Some(done) => {
                    let _ = done.send(Err(error));
                }
                None if closed => {}
                None => self.report(&error),
            }
        } else if let Some(pending) = self.requests.remove(&id) {
            match pending {
                Pending::Asked(done) => {
                    let _ = done.send(Err(error));
                }
                Pending::Page(handle) => self.page_failed(handle),
            }
        }
    }

    /// Sends a frame as a request, until it is answered, refused or `timeout` is over.
    pub(crate) fn request(
        &mut self,
        id: Uuid,
        frame: String,
        timeout: Duration,
    ) -> Result<oneshot::Receiver<Result<ServerFrame, Error>>, Error> {
        let (done, wait) = oneshot::channel();
        self.ask(id, frame, timeout, Pending::Asked(done))?;
        Ok(wait)
    }

    fn ask(&mut self, id: Uuid, frame: String, timeout: Duration, pending: Pending) -> Result<(), Error> {
        let (now, ms) = (self.now(), timeout.as_millis() as u64);
        self.stretch.settle(&mut self.core);
        let asked = self.core.request(now, id, frame, ms.max(1));
        asked.map_err(|code| self.refused(code))?;
        self.requests.insert(id, pending);
        self.drain();
        Ok(())
    }

    /// Nobody waits for this answer any more.
    pub(crate) fn forget(&mut self, id: Uuid) {
        self.requests.remove(&id);
    }

    /// Sends a frame now or never. Returns whether.
    pub(crate) fn send_ephemeral(&mut self, frame: String) -> Result<bool, Error> {
        let now = self.now();
        self.stretch.settle(&mut self.core);
        let sent = self.core.send_ephemeral(now, frame).map_err(|code| self.refused(code));
        self.drain();
        sent
    }

    /// Sends a frame now and on every later connection.
    pub(crate) fn send_always(&mut self, frame: String) -> Result<(), Error> {
        let now = self.now();
        self.stretch.settle(&mut self.core);
        let sent = self.core.send_always(now, frame).map_err(|code| self.refused(code));
        self.drain();
        sent
    }

    /// Withdraws a message that is not on its way.
    pub(crate) fn cancel(&mut self, id: Uuid) -> bool {
        let now = self.now();
        self.stretch.settle(&mut self.core);
        let cancelled = self.core.cancel(now, id);
        self.drain();
        cancelled
    }

    /// Calls `act` with the core and the subscription of this channel, if there is one.
    pub(crate) fn with_handle(&mut self, channel: &Channel, act: impl FnOnce(&mut Connection, Now, Handle)) {
        let now = self.now();
        self.stretch.settle(&mut self.core);
        if let Some(handle) = self.core.subscription(channel) {
            act(&mut self.core, now, handle);
            self.drain();
        }
    }

    /// Whether the connection has ended for good, and only the driver is left to finish.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, ConnectionState::Closed { .. })
    }

    /// Closes for good. `discard`: what is not stored yet is not wanted any more.
    pub(crate) fn close(&mut self, discard: bool) {
        if !self.is_closed() {
            self.keeps_unsent = !discard;
            self.stretch.settle(&mut self.core);
            self.tell(Input::Close);
        }
    }

    /// Resolves once the driver has ended.
    pub(crate) fn wait_for_end(&mut self) -> oneshot::Receiver<()> {
        let (done, wait) = oneshot::channel();
        if self.ended {
            let _ = done.send(());
        } else {
            self.closing.push(done);
        }
        wait
    }

    /// Nothing follows: the driver ends.
    pub(crate) fn end(&mut self) {
        self.ended = true;
        let told = matches!(self.state, ConnectionState::Closed { code: Some(_), .. });
        self.end_subscriptions(&self.closed(), told);
        self.requests.clear();
        self.sends.clear();
        self.states.end(&mut self.wakers);
        self.errors.end(&mut self.wakers);
        self.notices.end(&mut self.wakers);
        for done in self.closing.drain(..) {
            let _ = done.send(());
        }
    }
}
