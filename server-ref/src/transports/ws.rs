//! WebSocket: the handshake, and the driver that moves batches between a socket and a connection. It only decides which messages
//! are not batches at all.
//!
//! tungstenite does the handshake and the headers of frames (RFC 6455, sections 4.2 and 5.2). Messages are read and written by our
//! own code, because its connection can only be written to by the task that reads from it, and what is published is written by
//! whoever publishes it (see [`crate::connection::shared`]); and because it keeps a buffer, measured as 4.3 KiB for each idle connection
//! and 24 KiB after a message of 20 kB, where all of ours needs 5.9 KiB.

mod decoder;
mod stream;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use everwire_protocol::{
    ClientFrame, CloseCode, Goaway, SUBPROTOCOL,
    limits::{MAX_FIRST_BYTES, MAX_TOKEN_BYTES},
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::time::{Sleep, sleep_until, timeout};
use tungstenite::{handshake::server::create_response_with_body, protocol::frame::coding::Control};

use super::{App, instant, origins, refused_origin, say, socket::Socket, websocket_only};
use crate::{
    admission::Peer,
    connection::{
        Batch, Connection, Input, Output, Transport, decode,
        shared::{Outputs, SharedConnection},
    },
    model::address::AddressKey,
    node::{Effects, Node},
};
use decoder::{Invalid, Message};
use stream::{Reader, Writer, split};

/// Messages up to this size are read completely and then refused, so that the refusal reaches a client that is still
/// writing. Of larger ones only the beginning is read.
const MAX_READ: usize = 4 * everwire_protocol::limits::MAX_BATCH_BYTES;

/// What is read before the client has said who it is: a message of the largest size, its header, and some pings.
const UNSIGNED: usize = MAX_FIRST_BYTES + MAX_TOKEN_BYTES + 256;

/// What is read at most until there is a message or a ping: the largest message, in small fragments. Without it, empty
/// fragments could go on for ever.
const BETWEEN: usize = 2 * MAX_READ;

/// The longest header of a message. One that is sent in fragments of some hundred bytes is not charged for theirs either.
const HEADER: usize = 14;

/// How often in succession a connection does something before others have a turn.
const TURNS: usize = 64;

/// How long a client may take to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Handles a WebSocket upgrade request.
pub(super) async fn open(State(app): State<App>, mut request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let upgrade = hyper::upgrade::on(&mut request);
    let Ok(mut response) = create_response_with_body(&request, Body::empty) else {
        return websocket_only().await;
    };
    if !app.origins.allow(request.headers()) {
        origins::log_refusal(request.headers(), peer.address());
        return refused_origin();
    }
    if !offers_subprotocol(request.headers()) {
        return say(StatusCode::BAD_REQUEST, "The WebSocket subprotocol everwire.v1 is required.");
    }
    response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    tokio::spawn(serve(app, upgrade, peer));
    response
}

fn offers_subprotocol(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let offered = offered.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    offered.into_iter().any(|name| name.trim() == SUBPROTOCOL)
}

/// Waits for the end of the handshake, then drives the connection. Nothing else is kept while it does.
async fn serve(app: App, upgrade: OnUpgrade, peer: Peer) {
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "a websocket was not opened"),
    };
    if let Some(driver) = driver(&app.node, upgraded, peer) {
        driver.run().await;
    } else {
        tracing::error!("a websocket was not opened: it is on another kind of socket");
    }
}

fn driver(node: &Arc<Node>, upgraded: Upgraded, peer: Peer) -> Option<Box<Driver>> {
    let parts = upgraded.downcast::<TokioIo<Socket>>().ok()?;
    let stream = parts.io.into_inner().into_inner();
    let (mut reader, writer) = split(stream, parts.read_buf, MAX_READ);
    reader.limit(UNSIGNED);
    Some(Box::new(Driver::new(node, reader, writer, peer)))
}

/// Moves batches between one socket and its connection.
struct Driver {
    connection: Arc<SharedConnection<Writer>>,
    reader: Reader,
    effects: Effects,
    node: Arc<Node>,
    /// The client, until it has signed in.
    peer: Option<Peer>,
    address: Option<AddressKey>,
    /// Whether `hello` was not accepted yet.
    unsigned: bool,
    /// Whether the queue was large when it was looked at last.
    large: bool,
    /// Set for the first time at which something may be due, and only set again if that is earlier: whatever is sent puts a ping off.
    timer: Option<Pin<Box<Sleep>>>,
    timer_at: Option<u64>,
    stop: Pin<Box<dyn Future<Output = Goaway> + Send>>,
}

/// How a connection ended.
enum End {
    /// The connection ended it. `None`: without a close frame.
    Closed(Option<CloseCode>),
    /// The client or the network closed it.
    Gone(Option<u16>),
}

impl Driver {
    fn new(node: &Arc<Node>, reader: Reader, writer: Writer, peer: Peer) -> Self {
        let effects = Effects::new(node, Transport::WebSocket);
        let connection = Connection::new(
            node.now_ms(),
            Transport::WebSocket,
            effects.connection,
            node.settings.clone(),
            node.access.clone(),
        )
        .from_address(peer.address());
        let mut stop = node.stop_notice();
        Self {
            connection: SharedConnection::new(connection, writer, &effects.sender),
            reader,
            effects,
            node: node.clone(),
            address: peer.address(),
            peer: Some(peer),
            unsigned: true,
            large: false,
            timer: None,
            timer_at: None,
            stop: Box::pin(async move { stop.wait().await }),
        }
    }

    async fn run(mut self: Box<Self>) {
        let id = self.effects.connection;
        tracing::debug!(connection = %id, "websocket opened");
        self.handle(Input::Writable);
        let end = poll_fn(|context| self.poll(context)).await;
        let (session, user) = {
            let connection = &self.connection.lock().connection;
            (connection.session(), connection.user().map(str::to_owned))
        };
        self.handle(Input::Gone);
        for output in self.connection.take_outputs(self.node.now_ms()).outputs {
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
            let Self { connection, reader, effects, .. } = *self;
            // The session is free for its next connection while this one performs the closing handshake.
            drop(effects);
            close(&connection, reader, code).await;
        }
    }

    /// Does everything that can be done now. Ready when the connection has ended.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.connection.register(context.waker());
        if let Poll::Ready(goaway) = self.stop.as_mut().poll(context) {
            self.stop = Box::pin(std::future::pending());
            self.handle(Input::Goaway(goaway));
        }
        for _ in 0..TURNS {
            let Self { connection, effects, node, .. } = self;
            let mut busy = connection.handle_mail(context, || node.now_ms(), &mut effects.mailbox);
            match self.carry_out() {
                Ok(due) => busy |= self.poll_timer(context, due),
                Err(end) => return Poll::Ready(end),
            }
            // What was not taken of a batch that has just been sent waits for the socket.
            match self.poll_written(context) {
                Ok(written) => busy |= written,
                Err(end) => return Poll::Ready(end),
            }
            // Last: whatever a message causes, what came before it was carried out.
            match self.poll_read(context) {
                Ok(read) => busy |= read,
                Err(end) => return Poll::Ready(end),
            }
            if !busy {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes what the socket has not taken. Returns whether that is done, and the next batch may follow.
    fn poll_written(&self, context: &mut Context<'_>) -> Result<bool, End> {
        let mut shared = self.connection.lock();
        if !shared.writer.waits() {
            return Ok(false);
        }
        match shared.writer.poll_flush(context) {
            Poll::Ready(Ok(())) => {
                shared.connection.handle(self.node.now_ms(), Input::Writable);
                Ok(true)
            }
            Poll::Ready(Err(_)) => Err(End::Gone(None)),
            Poll::Pending => Ok(false),
        }
    }

    /// Reads a message, if the connection wants one. Returns whether there was one.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Result<bool, End> {
        if !self.connection.lock().connection.wants_batch() {
            return Ok(false);
        }
        match self.reader.poll_next(context) {
            Poll::Ready(Some(Ok(message))) => self.message(message).map_or(Ok(true), Err),
            Poll::Ready(Some(Err(Invalid::TooLarge))) => Err(End::Closed(Some(CloseCode::TooLarge))),
            Poll::Ready(Some(Err(Invalid::Protocol)) | None) => Err(End::Gone(None)),
            // Nothing more is read: the client has not said who it is, or completes no message.
            Poll::Pending if self.reader.is_used_up() => Err(End::Closed(Some(CloseCode::TooLarge))),
            Poll::Pending => Ok(false),
        }
    }

    /// Carries out outputs until there are none. Returns when something is due.
    fn carry_out(&mut self) -> Result<Option<u64>, End> {
        let due = loop {
            let Outputs { outputs, frames, queued_bytes, large, due } =
                self.connection.take_outputs(self.node.now_ms());
            self.node.counters.count_out(frames);
            if large || self.large {
                self.large = large;
                self.effects.queued(queued_bytes);
            }
            if outputs.is_empty() {
                break due;
            }
            for output in outputs {
                match output {
                    Output::Close(code) => return Err(End::Closed(code)),
                    output => self.effects.perform(output),
                }
            }
        };
        if self.unsigned && self.connection.lock().connection.is_open() {
            self.unsigned = false;
            self.reader.limit(BETWEEN);
        }
        if self.peer.is_some()
            && self.connection.lock().connection.has_signed_in()
            && let (Some(peer), Some(user)) = (self.peer.take(), self.effects.user_shared())
        {
            peer.signed_in(&user);
        }
        Ok(due)
    }

    /// Waits until something is due. Returns whether that is now.
    fn poll_timer(&mut self, context: &mut Context<'_>, due: Option<u64>) -> bool {
        if let Some(due) = due
            && self.timer_at.is_none_or(|at| due < at)
        {
            let at = instant(&self.node, due);
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(at),
                None => self.timer = Some(Box::pin(sleep_until(at))),
            }
            self.timer_at = Some(due);
        }
        let Some(timer) = self.timer.as_mut().filter(|_| self.timer_at.is_some()) else { return false };
        if timer.as_mut().poll(context).is_pending() {
            return false;
        }
        self.timer_at = None;
        self.connection.lock().connection.handle_timeout(self.node.now_ms());
        true
    }

    fn handle(&self, input: Input) {
        self.connection.lock().connection.handle(self.node.now_ms(), input);
    }

    /// Handles a message. Returns how the connection ends with it, if it does.
    fn message(&mut self, message: Message) -> Option<End> {
        let framing = self.reader.take_framing();
        if !self.unsigned {
            let length = if let Message::Text(text) = &message { text.len() } else { 0 };
            let stray = framing.saturating_sub(length / 32 + HEADER);
            self.connection.lock().connection.count_framing(self.node.now_ms(), stray);
            self.reader.limit(BETWEEN);
        }
        match message {
            Message::Text(text) => self.text(&text),
            Message::Binary => Some(End::Closed(Some(CloseCode::Unsupported))),
            Message::Ping(payload) => {
                let mut shared = self.connection.lock();
                shared.writer.write_control(Control::Pong, &payload);
                shared.connection.count_message(self.node.now_ms());
                None
            }
            Message::Pong => {
                self.connection.lock().connection.count_message(self.node.now_ms());
                None
            }
            Message::Close(code) => {
                let payload = code.map(u16::to_be_bytes);
                let payload = payload.as_ref().map_or(&[][..], |code| code);
                self.connection.lock().writer.write_control(Control::Close, payload);
                Some(End::Gone(code))
            }
        }
    }

    fn text(&self, text: &str) -> Option<End> {
        let first = self.unsigned;
        let most = if first {
            MAX_FIRST_BYTES + MAX_TOKEN_BYTES
        } else {
            self.node.settings.limits.batch_bytes as usize
        };
        if text.len() > most {
            return Some(End::Closed(Some(CloseCode::TooLarge)));
        }
        let batch = decode(text, &self.node.settings.limits);
        if first && text.len() - token_bytes(&batch) > MAX_FIRST_BYTES {
            return Some(End::Closed(Some(CloseCode::TooLarge)));
        }
        self.node.counters.count_in(batch.as_ref().map_or(0, Vec::len));
        if batch.as_ref().is_ok_and(Vec::is_empty) {
            self.connection.lock().connection.count_message(self.node.now_ms());
        }
        self.handle(Input::Batch(batch));
        None
    }
}

/// The length of the token in the `hello` at the beginning of a batch.
fn token_bytes(batch: &Batch) -> usize {
    match batch.as_ref().ok().and_then(|frames| frames.first()) {
        Some(Ok(ClientFrame::Hello(hello))) => hello.token.as_ref().map_or(0, String::len),
        _ => 0,
    }
}

/// Sends a close frame and waits for the client, so that the reason is not lost because the socket is closed while the
/// client is still writing.
async fn close(connection: &SharedConnection<Writer>, mut reader: Reader, code: CloseCode) {
    let payload = [&code.as_u16().to_be_bytes()[..], code.message().as_bytes()].concat();
    connection.lock().writer.write_control(Control::Close, &payload);
    let goodbye = async {
        if poll_fn(|context| connection.lock().writer.poll_flush(context)).await.is_err() {
            return;
        }
        loop {
            match poll_fn(|context| reader.poll_next(context)).await {
                Some(Ok(Message::Close(_))) | None => return,
                Some(Ok(_)) => {}
                Some(Err(_)) => return poll_fn(|context| reader.poll_discard(context)).await,
            }
        }
    };
    // A client that takes longer is cut off.
    let _ = timeout(CLOSE_TIMEOUT, goodbye).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn future_bytes<A, B, C, F: Future>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// What the allocator has to find for a connection that says nothing, besides maps of subscriptions and users.
    #[test]
    fn an_idle_connection_is_small() {
        let task = future_bytes(serve) + size_of::<Driver>();
        let shared = size_of::<SharedConnection<Writer>>();
        assert!(task + shared <= 2_304, "{task} + {shared}");
    }

    #[test]
    fn the_subprotocol_may_be_one_of_several() {
        for (offered, right) in [
            (&["everwire.v1"][..], true),
            (&["a, everwire.v1 ,b"], true),
            (&["a", "everwire.v1"], true),
            (&["everwire.v10"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in offered {
                headers.append(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value));
            }
            assert_eq!(offers_subprotocol(&headers), right, "{offered:?}");
        }
    }
}
