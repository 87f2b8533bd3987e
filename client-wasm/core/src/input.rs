//! What goes into the core and what comes out of it, as types.

use alloc::string::String;

use everwire_protocol::{ErrorCode, Uuid};

use super::{Handle, Memory, RequestId, SocketId, Source, Transport};

/// What happened outside. Batches have their own way in: [`super::Connection::begin_batch`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The application wants to be connected.
    Start,
    /// The application wants to be disconnected, for good.
    Close,
    /// The time that [`super::Connection::poll_timeout`] named has come.
    Timeout,
    /// A WebSocket is open, with the subprotocol of [`everwire_protocol::SUBPROTOCOL`].
    WebSocketOpened(SocketId),
    /// A WebSocket is gone, whether it was ever open or not.
    WebSocketClosed {
        /// The WebSocket.
        socket: SocketId,
        /// Its close code; 1006 if there was none.
        code: u16,
        /// The reason in its close frame; empty if there was none.
        reason: String,
    },
    /// A request ended without a batch: the network failed, or the answer is not from an Everwire server.
    RequestFailed {
        /// The request.
        request: RequestId,
        /// The HTTP status, if there was a response; otherwise 0.
        status: u16,
        /// What happened, as text.
        reason: String,
    },
    /// The application's token callback has answered.
    Token(String),
    /// The application's token callback has failed.
    TokenFailed(String),
    /// The browser reports that it is online again.
    Online,
    /// The browser reports that it is offline.
    Offline,
    /// The page became visible (true) or hidden.
    Visible(bool),
    /// The page is about to be unloaded, or to enter the back/forward cache.
    PageHide,
    /// The page is back from there, or from being frozen.
    PageShow,
    /// A slot that [`Output::PollSlot`] asked for is free, and belongs to this page until it is given up.
    PollSlot,
    /// What came from the server could not be read as a batch or frame.
    Violation {
        /// Where it came from.
        source: Source,
        /// What is wrong.
        message: String,
    },
}

/// What the driver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a WebSocket with this id.
    OpenWebSocket(SocketId),
    /// Send a batch on it.
    SendWebSocket {
        /// The WebSocket.
        socket: SocketId,
        /// The batch.
        text: String,
    },
    /// Close it, and report nothing more about it.
    CloseWebSocket {
        /// The WebSocket.
        socket: SocketId,
        /// The close code to send.
        code: u16,
    },
    /// POST a batch to the server.
    Request {
        /// Its id.
        request: RequestId,
        /// The batch.
        body: String,
        /// For the header `Authorization: Bearer …`.
        token: Option<String>,
        /// Whether it must outlive the page.
        keepalive: bool,
    },
    /// Give up a request, and report nothing more about it.
    Abort(RequestId),
    /// Take one of the slots that the pages of this browser share, and report it with [`Input::PollSlot`]; if none is free, do
    /// nothing. False: give it up.
    PollSlot(bool),
    /// Ask the application for a token; answer with [`Input::Token`] or [`Input::TokenFailed`].
    FetchToken,
    /// Store this for the next page load, if storage allows; `None`: remove it.
    Remember(Option<Memory>),
    /// Tell the application.
    Event(Event),
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// An attempt is being made.
    Connecting,
    /// Connected.
    Connected,
    /// Waiting before the next attempt.
    Waiting,
    /// The browser reports that there is no network.
    Offline,
    /// Ended: by the application, or by a terminal error.
    Closed,
}

/// The status of a message that is not stored yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendStatus {
    /// In the outbox.
    Queued,
    /// Sent, and not yet acknowledged.
    Sent,
    /// Timed out, or ended with the connection.
    Failed,
}

/// What the application hears, besides what follows from a frame ([`super::Outcome`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection's state changed.
    State {
        /// The new state.
        status: Status,
        /// The one in use, if connected.
        transport: Option<Transport>,
        /// Failed attempts since the last stable connection.
        attempt: u32,
        /// How long until the next attempt, in ms, if waiting.
        retry_in: Option<u64>,
        /// The terminal error, if closed by one.
        code: Option<ErrorCode>,
        /// Why, as text.
        reason: String,
    },
    /// The status of a message has changed, or a message or request has failed without a frame that says so.
    Sending {
        /// Its id.
        id: Uuid,
        /// Its new status.
        status: SendStatus,
        /// Why it failed.
        error: Option<(ErrorCode, String)>,
    },
    /// Somebody was typing, and has not been heard of for too long.
    TypingExpired {
        /// The subscription.
        handle: Handle,
        /// The driver's number for the user.
        typist: u32,
    },
    /// Something went wrong that is not a state.
    Error {
        /// The error code.
        code: ErrorCode,
        /// The message for humans.
        message: String,
    },
    /// A line of the log, with the option `debug`.
    Log(String),
}
