//! HTTP polling: finds or creates the connection that a request belongs to, and waits for its answer. The connection's
//! `Polling` decides what is answered and when.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use everwire_protocol::{
    BatchError, ClientFrame, CloseCode, Error, ErrorCode, Hello, Poll, ServerFrame, SortedFrame, Uuid, batch,
    limits::{MAX_POST_FRAMES, MAX_TOKEN_BYTES},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{App, instant, origins, refused_origin, say};
use crate::{
    admission::{BodyError, Peer, Refused, read_body},
    connection::{
        BadFrame, Connection, Input, PollInput, PollOutput, Polling, Transport, batch_text, decode_request,
        mailbox::{MailboxMessage, MailboxSender, PollRequest},
        request_bytes,
    },
    model::{
        address::AddressKey,
        identity::{Credentials, Payer, Refusal},
    },
    node::{Effects, Node},
};

/// Messages handled before the time is checked again.
const MESSAGES: usize = 256;

/// Attempts to pass a request to its connection, which can end just when it is found; two in a row do not.
const TRIES: usize = 3;

type Frame = Result<ClientFrame, BadFrame>;

/// Answers `POST /everwire/v1/poll`.
pub(super) async fn answer(State(app): State<App>, headers: HeaderMap, request: Request) -> Response {
    if !app.origins.allow(&headers) {
        origins::log_refusal(&headers, request.extensions().get::<Peer>().and_then(Peer::address));
        return refused_origin();
    }
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    if let Err(refusal) = admit(&app, &peer, bearer(&headers).as_deref()) {
        return refuse(refusal.code, refusal.message);
    }
    let limits = &app.node.settings.limits;
    let body = match read(request, request_bytes(limits)).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    let frames = match decode_request(&body, limits) {
        Ok(frames) => frames,
        Err(reason) => return refuse_batch(&reason),
    };
    app.node.counters.count_in(frames.len());
    let mut frames = frames.into_iter();
    let mut hello = match frames.next() {
        Some(Ok(ClientFrame::Hello(hello))) => hello,
        Some(Err(frame)) => return refuse(frame.code(), format!("{}.", frame.error)),
        Some(Ok(_)) | None => return refuse(ErrorCode::Unexpected, ErrorCode::Unexpected.message().into()),
    };
    let token = bearer(&headers);
    if token.is_none() && hello.token.is_some() {
        return refuse(
            ErrorCode::Unauthorized,
            "Send the token in the header Authorization: Bearer ….".into(),
        );
    }
    hello.token = token;
    let (mut poll, mut rest) = (None, Vec::new());
    for frame in frames {
        match frame {
            Ok(ClientFrame::Poll(frame)) => poll = Some(frame),
            frame => rest.push(frame),
        }
    }
    match poll {
        Some(poll) => receive(&app.node, &peer, hello, poll, rest).await,
        // `hello` is a frame too.
        None if rest.len() >= MAX_POST_FRAMES => {
            let ids = rest.iter().filter_map(id_of).collect();
            let (frames, max) = (rest.len() + 1, MAX_POST_FRAMES);
            // Nothing can come behind them.
            refuse_batch(&BatchError::TooManyFrames { frames, max, ids, sends: Vec::new() })
        }
        None => send(&app.node, &peer, hello, rest).await,
    }
}

/// Verifies the token before anything of the body is read: nobody who has not signed in can make the server read it.
fn admit(app: &App, peer: &Peer, token: Option<&str>) -> Result<(), Refusal> {
    if token.is_none() {
        // Who a guest is stands in the body.
        let words = "Send the token in the header Authorization: Bearer ….";
        return if app.guests { Ok(()) } else { Err(Refusal::new(ErrorCode::Unauthorized, words)) };
    }
    if token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
        return Err(Refusal::new(ErrorCode::Unauthorized, "The token is too long."));
    }
    let credentials = Credentials { token, guest: None, address: peer.address() };
    let identity = app.node.access.identify(&credentials, app.node.wall_ms())?;
    if let Payer::User(user) = &identity.payer {
        peer.signed_in(user);
    }
    Ok(())
}

/// Reads the body as text, within the limit and in time.
async fn read(request: Request, limit: usize) -> Result<String, Response> {
    match read_body(request.into_body(), limit).await {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|_| refuse(ErrorCode::InvalidBatch, "The batch is not valid UTF-8.".into())),
        Err(BodyError::TooLarge) => {
            let reason = format!("{} A batch may have up to {limit} bytes.", ErrorCode::TooLarge.message());
            Err(refuse(ErrorCode::TooLarge, reason))
        }
        Err(BodyError::TooManyPieces) => {
            Err(say(StatusCode::BAD_REQUEST, "The request body arrives in too many small pieces."))
        }
        Err(BodyError::TooSlow) => Err(say(StatusCode::REQUEST_TIMEOUT, "The request body timed out.")),
        Err(BodyError::Broken) => Err(say(StatusCode::BAD_REQUEST, "The request body could not be read.")),
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The id of a send or request.
fn id_of(frame: &Frame) -> Option<Uuid> {
    match frame {
        Ok(ClientFrame::Send(send)) => Some(send.id),
        Ok(frame) => match SortedFrame::from(frame.clone()) {
            SortedFrame::Request(request) => Some(request.id()),
            SortedFrame::Connection(_) => None,
        },
        Err(frame) => frame.id,
    }
}

fn refuse_batch(reason: &BatchError) -> Response {
    refuse_all(reason.code(), format!("{reason}."), reason.ids())
}

fn refuse(code: ErrorCode, message: String) -> Response {
    refuse_all(code, message, Vec::new())
}

/// Refuses a request as a whole, with these sends and requests.
fn refuse_all(code: ErrorCode, message: String, ids: Vec<Uuid>) -> Response {
    let refused = Refused { code, reason: message.clone() };
    let error = Error {
        code: code.into(),
        message,
        retry: code.retry(),
        id: None,
        ids,
        re: None,
        channel: None,
        retry_after_ms: None,
        versions: None,
    };
    let mut response = respond(batch::encode(&[ServerFrame::Error(error)]));
    response.extensions_mut().insert(refused);
    response
}

fn respond(text: impl Into<Body>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::OK, headers, text.into()).into_response()
}

/// A request that only sends: a connection for the duration of the request.
async fn send(node: &Arc<Node>, peer: &Peer, hello: Hello, frames: Vec<Frame>) -> Response {
    let mut effects = Effects::new(node, Transport::Post);
    let now_ms = || node.now_ms();
    let (settings, access) = (node.settings.clone(), node.access.clone());
    let mut connection = Connection::new(now_ms(), Transport::Post, effects.connection, settings, access)
        .from_address(peer.address());
    let batch = std::iter::once(Ok(ClientFrame::Hello(hello))).chain(frames).collect();
    connection.handle(now_ms(), Input::Batch(Ok(batch)));
    let mut answers = Vec::new();
    loop {
        while let Some(output) = connection.poll_output() {
            effects.perform(output);
        }
        answers.extend(connection.take_batch());
        if connection.is_settled() && connection.is_empty() {
            // What it ends with, if it was refused.
            while let Some(output) = connection.poll_output() {
                effects.perform(output);
            }
            if let Some(code) = connection.ended_with() {
                let (session, address) =
                    (connection.session(), peer.address().map(|address| address.to_string()));
                let (user, reason) = (peer.user(), code.message());
                let code = code.as_u16();
                tracing::info!(%session, user = user.as_deref(), address, code, reason, "post refused");
            }
            node.counters.count_out(answers.len());
            return respond(batch_text(&answers));
        }
        if connection.is_settled() {
            continue;
        }
        let mut messages = Vec::new();
        effects.mailbox.take(&mut messages, MESSAGES).await;
        for message in messages {
            if let Ok(input) = message.into_input() {
                connection.handle(now_ms(), input);
            }
        }
    }
}

/// A poll: passed to its connection, or starts one.
async fn receive(node: &Arc<Node>, peer: &Peer, hello: Hello, poll: Poll, frames: Vec<Frame>) -> Response {
    if poll.connection.is_some_and(|id| node.sessions.overtaken(hello.session, id)) {
        return respond("[]");
    }
    let request = node.next_request();
    for _ in 0..TRIES {
        let known = poll.connection.and_then(|id| node.sessions.polling(hello.session, id));
        let mailbox = known.unwrap_or_else(|| start(node, peer));
        let (answer, answered) = oneshot::channel();
        let (hello, poll, frames) = (hello.clone(), poll.clone(), frames.clone());
        mailbox.push(MailboxMessage::Poll(Box::new(PollRequest { request, hello, poll, frames, answer })));
        let mut waiting = Waiting::new(node, mailbox, request);
        let text = answered.await;
        waiting.over = true;
        if let Ok(text) = text {
            return respond(text.to_string());
        }
    }
    refuse(ErrorCode::Internal, ErrorCode::Internal.message().into())
}

/// Notifies the connection if the client disconnects: then this is dropped before the request is finished.
struct Waiting {
    node: Arc<Node>,
    mailbox: MailboxSender,
    request: u64,
    over: bool,
}

impl Waiting {
    fn new(node: &Arc<Node>, mailbox: MailboxSender, request: u64) -> Self {
        node.poll_waits(true);
        Self { node: node.clone(), mailbox, request, over: false }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.node.poll_waits(false);
        if !self.over {
            self.mailbox.push(MailboxMessage::Abandoned(self.request));
        }
    }
}

/// Starts a polling connection, which waits for its first request.
fn start(node: &Arc<Node>, peer: &Peer) -> MailboxSender {
    let effects = Effects::new(node, Transport::Polling);
    let mailbox = effects.sender.clone();
    let (settings, access) = (node.settings.clone(), node.access.clone());
    let polling =
        Polling::new(node.now_ms(), effects.connection, settings, access).from_address(peer.address());
    let (node, answers, address) = (node.clone(), HashMap::new(), peer.address());
    tokio::spawn(Driver { node, effects, polling, answers, address }.run());
    mailbox
}

/// Drives one polling connection.
struct Driver {
    node: Arc<Node>,
    effects: Effects,
    polling: Polling,
    answers: HashMap<u64, oneshot::Sender<Arc<str>>>,
    address: Option<AddressKey>,
}

impl Driver {
    async fn run(mut self) {
        let connection = self.effects.connection;
        tracing::debug!(%connection, "polling started");
        let mut messages = Vec::new();
        let mut stop = self.node.stop_notice();
        while !self.perform() {
            self.effects.queued(self.polling.connection().queued_bytes());
            let due = self.polling.poll_timeout().map(|at| instant(&self.node, at));
            tokio::select! {
                () = self.effects.mailbox.take(&mut messages, MESSAGES) => {
                    for message in messages.drain(..) {
                        self.message(message);
                    }
                    if self.effects.mailbox.overflowed() {
                        self.handle(PollInput::Connection(Input::Overflow));
                    }
                }
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.polling.handle_timeout(self.node.now_ms());
                }
                goaway = stop.wait() => self.handle(PollInput::Connection(Input::Goaway(goaway))),
            }
        }
        let ended = self.polling.connection();
        let session: Uuid = ended.session();
        let (user, code) = (self.effects.user(), ended.ended_with());
        let reason = code.map_or("the client polls no more, or has left", CloseCode::message);
        let code = code.map(CloseCode::as_u16);
        let address = self.address.map(|address| address.to_string());
        let age_ms = self.effects.age_ms();
        tracing::info!(%connection, %session, user, address, code, reason, age_ms, "polling ended");
    }

    fn handle(&mut self, input: PollInput) {
        self.polling.handle(self.node.now_ms(), input);
    }

    fn message(&mut self, message: MailboxMessage) {
        let input = match message {
            MailboxMessage::Poll(request) => {
                let PollRequest { request, hello, poll, frames, answer } = *request;
                self.answers.insert(request, answer);
                return self.handle(PollInput::Request { request, hello, poll, frames });
            }
            MailboxMessage::Abandoned(request) => {
                self.answers.remove(&request);
                return self.handle(PollInput::Abandoned { request });
            }
            other => match other.into_input() {
                Ok(input) => input,
                Err(_) => return,
            },
        };
        self.handle(PollInput::Connection(input));
    }

    /// Carries out the outputs. Returns whether the connection is over.
    fn perform(&mut self) -> bool {
        self.node.counters.count_out(self.polling.take_packed());
        while let Some(output) = self.polling.poll_output() {
            match output {
                PollOutput::Connection(output) => self.effects.perform(output),
                PollOutput::Respond { request, text } => {
                    if let Some(answer) = self.answers.remove(&request) {
                        // An error means that the client has just disconnected; the response is kept for its next poll.
                        let _ = answer.send(text);
                    }
                }
                PollOutput::End => return true,
            }
        }
        false
    }
}
