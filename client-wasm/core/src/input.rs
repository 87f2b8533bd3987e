//! What goes into the core and what comes out of it, as types.

use alloc::string::String;

use everwire_protocol::{ErrorCode, Uuid};

use super::{Handle, Memory, RequestId, SocketId, Source, Transport};

/// What happened outside. Frames come through their own methods.
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
        /// What the server said about it; empty if nothing.
        reason: String,
    },
    /// A request ended without a batch: the network failed, or somebody answered who is not an Everwire server.
    RequestFailed {
        /// The request.
        request: RequestId,
        /// What happened, for a person.
        reason: String,
    },
    /// The application's token callback has answered.
    Token(String),
    /// The application's token callback has failed.
    TokenFailed(String),
    /// The browser believes to be online again.
    Online,
    /// The browser believes to be offline.
    Offline,
    /// The page became visible (true) or hidden.
    Visible(bool),
    /// The page is about to be put away: closed, or kept in the back/forward cache.
    PageHide,
    /// The page is back from there, or from being frozen.
    PageShow,
    /// What came from the server could not be read as a batch or frame.
    Violation {
        /// From whom.
        source: Source,
        /// What was wrong.
        message: String,
    },
}

/// What the driver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a WebSocket under this name.
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
        /// Its name.
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
    /// Ask the application for a token; answer with [`Input::Token`] or [`Input::TokenFailed`].
    FetchToken,
    /// Keep this where the next page load finds it, if storage allows; `None` forgets it.
    Remember(Option<Memory>),
    /// Tell the application.
    Event(Event),
}

/// The state of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Trying.
    Connecting,
    /// Connected.
    Connected,
    /// Waiting before the next try.
    Waiting,
    /// The browser says that there is no network.
    Offline,
    /// Ended: by the application, or by a terminal error.
    Closed,
}

/// The state of something that is being sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendStatus {
    /// In the outbox.
    Queued,
    /// On its way.
    Sent,
    /// Timed out, or ended with the connection.
    Failed,
}

/// What the application learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The connection's state changed.
    State {
        /// The new state.
        status: Status,
        /// In use, if connected.
        transport: Option<Transport>,
        /// Counts the tries since the last good connection.
        attempt: u32,
        /// How long until the next try, in ms, if waiting.
        retry_in: Option<u64>,
        /// The terminal error, if closed by one.
        code: Option<ErrorCode>,
        /// Why, for a person.
        reason: String,
    },
    /// Something that is being sent changed its state.
    Sending {
        /// Its id.
        id: Uuid,
        /// Its new state.
        status: SendStatus,
        /// Why it failed.
        error: Option<(ErrorCode, String)>,
    },
    /// Somebody whose typing was heard of is not typing any more.
    Quiet {
        /// In which subscription.
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
    /// A line of the journal, with the option `debug`.
    Log(String),
}
