//! WebSocket: the only file that knows the WebSocket library. Moves batches between a socket and a connection, and only
//! decides which messages are not batches at all.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use axum::{
    extract::{
        FromRequestParts, Request, State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::StatusCode,
    response::Response,
};
use everwire_protocol::{
    ClientFrame, CloseCode, SUBPROTOCOL,
    limits::{MAX_FIRST_BYTES, MAX_TOKEN_BYTES},
};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::{App, instant, origins, refused_origin, say, websocket_only};
use crate::{
    admission::{Allowance, Peer},
    connection::{Batch, Connection, Input, Output, Transport, batch_text, decode, mailbox::MailboxMessage},
    model::address::AddressKey,
    node::{Effects, Node},
};

/// The size of the read buffer. The library's default of 128 KiB would be allocated for every idle connection.
const READ_BUFFER: usize = 4096;

/// Messages up to this size are read completely and then refused, so that the refusal reaches a client that is still
/// writing. Of larger ones only the beginning is read.
const MAX_READ: usize = 4 * everwire_protocol::limits::MAX_BATCH_BYTES;

/// Messages handled before the socket is polled again.
const MESSAGES: usize = 256;

/// What is read before the client has said who it is: a message of the largest size, its header, and some pings.
const UNSIGNED: usize = MAX_FIRST_BYTES + MAX_TOKEN_BYTES + 256;

/// What is read at most until the library has a message or a ping: the largest message, in small fragments. Without it, empty
/// fragments could go on for ever.
const BETWEEN: usize = 2 * MAX_READ;

/// What may have been read of the messages behind one: the buffer of the library grows with the largest.
const AHEAD: usize = MAX_READ;

/// The longest header of a message. One that is sent in fragments of some hundred bytes is not charged for theirs either.
const HEADER: usize = 14;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Handles a WebSocket upgrade request.
pub(super) async fn open(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_default();
    let allowance = parts.extensions.get::<Allowance>().cloned().unwrap_or_default();
    let headers = parts.headers.clone();
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
        return websocket_only().await;
    };
    if !app.origins.allow(&headers) {
        origins::log_refusal(&headers, peer.address());
        return refused_origin();
    }
    let upgrade = upgrade.protocols([SUBPROTOCOL]);
    if upgrade.selected_protocol().is_none() {
        return say(StatusCode::BAD_REQUEST, "The WebSocket subprotocol everwire.v1 is required.");
    }
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(MAX_READ)
        .max_frame_size(MAX_READ)
        .on_upgrade(move |socket| async move {
            allowance.limit(UNSIGNED);
            Driver::new(&app.node, socket, peer, allowance).run().await;
        })
}

/// Moves batches between one socket and its connection.
struct Driver {
    socket: WebSocket,
    effects: Effects,
    connection: Connection,
    node: Arc<Node>,
    /// The client, until it has signed in.
    peer: Option<Peer>,
    address: Option<AddressKey>,
    /// What may be read now.
    allowance: Allowance,
    /// The bytes that were read and are no message, as far as they were not charged.
    framing: usize,
    /// Whether `hello` was not accepted yet.
    unsigned: bool,
    /// Whether the library still holds a part of the last batch.
    writing: bool,
}

/// An event of the socket.
enum Event {
    Written(Result<(), axum::Error>),
    Read(Option<Result<Message, axum::Error>>),
    /// Nothing more is read: the client has not said who it is, or completes no message.
    TooMuch,
}

/// How a connection ended.
enum End {
    /// The connection ended it. `None`: without a close frame.
    Closed(Option<CloseCode>),
    /// The client or the network closed it.
    Gone(Option<u16>),
}

impl Driver {
    fn new(node: &Arc<Node>, socket: WebSocket, peer: Peer, allowance: Allowance) -> Self {
        let effects = Effects::new(node, Transport::WebSocket);
        let connection = Connection::new(
            node.now_ms(),
            Transport::WebSocket,
            effects.connection,
            node.settings.clone(),
            node.access.clone(),
        )
        .from_address(peer.address());
        let (node, address) = (node.clone(), peer.address());
        let peer = Some(peer);
        Self {
            socket,
            effects,
            connection,
            node,
            peer,
            address,
            allowance,
            framing: 0,
            unsigned: true,
            writing: false,
        }
    }

    async fn run(mut self) {
        let id = self.effects.connection;
        tracing::debug!(connection = %id, "websocket opened");
        let end = self.serve().await;
        let (session, user) = (self.connection.session(), self.connection.user().map(str::to_owned));
        self.handle(Input::Gone);
        while let Some(output) = self.connection.poll_output() {
            self.effects.perform(output);
        }
        let (code, by) = match &end {
            End::Closed(code) => (code.map(CloseCode::as_u16), "server"),
            End::Gone(code) => (*code, "client"),
        };
        let reason = match &end {
            End::Closed(Some(code)) => code.message(),
            End::Closed(None) => "the client does not read",
            End::Gone(_) => "the client or the network closed it",
        };
        let address = self.address.map(|address| address.to_string());
        let age_ms = self.effects.age_ms();
        tracing::info!(connection = %id, %session, user, address, code, by, reason, age_ms, "websocket closed");
        if let End::Closed(Some(code)) = end {
            let Self { socket, effects, .. } = self;
            // The session is free for its next connection while this one performs the closing handshake.
            drop(effects);
            close(socket, code).await;
        }
    }

    async fn serve(&mut self) -> End {
        let mut messages = Vec::new();
        let mut stop = self.node.stop_notice();
        self.handle(Input::Writable);
        loop {
            while let Some(output) = self.connection.poll_output() {
                match output {
                    Output::Send(frames) => {
                        self.node.counters.count_out(frames.len());
                        let message = Message::text(batch_text(&frames));
                        if self.socket.feed(message).await.is_err() {
                            return End::Gone(None);
                        }
                        self.writing = true;
                    }
                    Output::Close(code) => return End::Closed(code),
                    output => self.effects.perform(output),
                }
            }
            self.effects.queued(self.connection.queued_bytes());
            if self.connection.has_signed_in()
                && let (Some(peer), Some(user)) = (self.peer.take(), self.effects.user_shared())
            {
                peer.signed_in(&user);
            }
            if self.unsigned && self.connection.is_open() {
                self.unsigned = false;
                self.allowance.limit(BETWEEN);
            }
            let due = self.connection.poll_timeout().map(|at| instant(&self.node, at));
            let reading = self.connection.wants_batch();
            tokio::select! {
                () = self.effects.mailbox.take(&mut messages, MESSAGES) => {
                    for message in messages.drain(..) {
                        self.message(message);
                    }
                    if self.effects.mailbox.overflowed() {
                        self.handle(Input::Overflow);
                    }
                }
                event = event(&mut self.socket, &self.allowance, self.writing, reading) => {
                    if let Some(end) = self.event(event) {
                        return end;
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.connection.handle_timeout(self.node.now_ms());
                }
                goaway = stop.wait() => self.handle(Input::Goaway(goaway)),
            }
        }
    }

    fn handle(&mut self, input: Input) {
        self.connection.handle(self.node.now_ms(), input);
    }

    fn message(&mut self, message: MailboxMessage) {
        // The rest is for polling connections only; dropping it notifies the sender.
        if let Ok(input) = message.into_input() {
            self.handle(input);
        }
    }

    /// Charges what was read besides the message that is complete. Some of it may belong to the next ones, and is taken off again
    /// when they are.
    fn count_framing(&mut self, message: &Message) {
        let length = match message {
            Message::Text(text) => text.len(),
            Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
            Message::Close(_) => 0,
        };
        let read = self.framing + self.allowance.used_of(BETWEEN);
        self.framing = read.saturating_sub(length + length / 32 + HEADER);
        if self.framing > AHEAD {
            self.connection.count_framing(self.node.now_ms(), self.framing - AHEAD);
            self.framing = AHEAD;
        }
    }

    fn event(&mut self, event: Event) -> Option<End> {
        if let Event::Read(Some(Ok(message))) = &event
            && !self.unsigned
        {
            self.count_framing(message);
            self.allowance.limit(BETWEEN);
        }
        match event {
            Event::Written(Ok(())) => {
                self.writing = false;
                self.handle(Input::Writable);
                None
            }
            Event::Read(Some(Ok(Message::Text(text)))) => {
                let first = self.unsigned;
                let most = if first {
                    MAX_FIRST_BYTES + MAX_TOKEN_BYTES
                } else {
                    self.node.settings.limits.batch_bytes as usize
                };
                if text.len() > most {
                    return Some(End::Closed(Some(CloseCode::TooLarge)));
                }
                let batch = decode(&text, &self.node.settings.limits);
                if first && text.len() - token_bytes(&batch) > MAX_FIRST_BYTES {
                    return Some(End::Closed(Some(CloseCode::TooLarge)));
                }
                self.node.counters.count_in(batch.as_ref().map_or(0, Vec::len));
                if batch.as_ref().is_ok_and(Vec::is_empty) {
                    self.connection.count_message(self.node.now_ms());
                }
                self.handle(Input::Batch(batch));
                None
            }
            Event::Read(Some(Ok(Message::Binary(_)))) => Some(End::Closed(Some(CloseCode::Unsupported))),
            // The library answers pings.
            Event::Read(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {
                self.connection.count_message(self.node.now_ms());
                None
            }
            Event::Read(Some(Ok(Message::Close(frame)))) => Some(End::Gone(frame.map(|frame| frame.code))),
            Event::Read(Some(Err(error))) if is_too_large(&error) => {
                Some(End::Closed(Some(CloseCode::TooLarge)))
            }
            Event::TooMuch => Some(End::Closed(Some(CloseCode::TooLarge))),
            Event::Read(Some(Err(_)) | None) | Event::Written(Err(_)) => Some(End::Gone(None)),
        }
    }
}

/// Waits for the next event of the socket: the last batch was written, or a message was received.
async fn event(socket: &mut WebSocket, allowance: &Allowance, writing: bool, reading: bool) -> Event {
    poll_fn(|context| {
        if writing && let Poll::Ready(written) = socket.poll_flush_unpin(context) {
            return Poll::Ready(Event::Written(written));
        }
        if reading && let Poll::Ready(message) = socket.poll_next_unpin(context) {
            return Poll::Ready(Event::Read(message));
        }
        if reading && allowance.is_used_up() {
            return Poll::Ready(Event::TooMuch);
        }
        Poll::Pending
    })
    .await
}

/// The length of the token in the `hello` at the beginning of a batch.
fn token_bytes(batch: &Batch) -> usize {
    match batch.as_ref().ok().and_then(|frames| frames.first()) {
        Some(Ok(ClientFrame::Hello(hello))) => hello.token.as_ref().map_or(0, String::len),
        _ => 0,
    }
}

/// Whether the library refused a message because of its size. It does not export the error's type through axum.
fn is_too_large(error: &axum::Error) -> bool {
    error.to_string().contains("Space limit exceeded")
}

/// Sends a close frame and waits for the client, so that the reason is not lost because the socket is closed while the
/// client is still writing.
async fn close(mut socket: WebSocket, code: CloseCode) {
    let frame = CloseFrame { code: code.as_u16(), reason: code.message().into() };
    let goodbye = async {
        if socket.send(Message::Close(Some(frame))).await.is_err() {
            return;
        }
        while let Some(Ok(message)) = socket.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    };
    // A client that takes longer is cut off.
    let _ = timeout(CLOSE_TIMEOUT, goodbye).await;
}
