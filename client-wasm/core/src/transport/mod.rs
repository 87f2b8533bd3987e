//! The transports: at most one WebSocket, and polling. Knows which of them exist, which one is in use, and whether what
//! arrives on one still counts. What to do about it is decided in `connection`.

pub(crate) mod polling;
pub(crate) mod post;
pub(crate) mod selector;
pub(crate) mod websocket;

use polling::Poll;
use post::Post;
use selector::TransportSelector;
use websocket::WebSocket;

use super::{RequestId, SocketId, Source};

/// What moves batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// HTTP requests, held by the server.
    Polling,
}

impl Transport {
    /// Its name for a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::WebSocket => "WebSocket",
            Self::Polling => "HTTP polling",
        }
    }
}

/// What worked last time: WebSocket did not work here until this time of day, in ms since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// When to forget it, in ms since 1970.
    pub polling_until: u64,
}

/// A connection that has lasted this long is stable, in ms.
pub(crate) const STABLE_MS: u64 = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Transports {
    active: Option<Transport>,
    pub(crate) websocket: Option<WebSocket>,
    pub(crate) poll: Option<Poll>,
    pub(crate) post: Option<Post>,
    pub(crate) selector: TransportSelector,
    /// This page has one of the slots for polls that are held.
    pub(crate) has_slot: bool,
    /// Where the batch that is being read came from, if that transport still exists.
    source: Option<Source>,
    /// That transport is the active one, so its frames count. A field because the hot path asks for it.
    counts: bool,
}

impl Transports {
    /// The transport in use, once it was welcomed.
    pub(crate) fn active(&self) -> Option<Transport> {
        self.active
    }

    pub(crate) fn is_active(&self, transport: Transport) -> bool {
        self.active == Some(transport)
    }

    /// Neither is being tried.
    pub(crate) fn is_empty(&self) -> bool {
        self.websocket.is_none() && self.poll.is_none()
    }

    pub(crate) fn activate(&mut self, transport: Transport) {
        self.active = Some(transport);
        self.counts = true;
        self.selector.connected();
    }

    /// Drops both transports. Returns the socket to close; the requests are taken by [`Transports::stop_polling`].
    pub(crate) fn clear(&mut self) -> Option<SocketId> {
        self.active = None;
        self.counts = false;
        self.source = None;
        self.selector.stop();
        self.websocket.take().map(|websocket| websocket.id())
    }

    /// Ends polling. Returns the requests to abort.
    pub(crate) fn stop_polling(&mut self) -> [Option<RequestId>; 2] {
        [self.poll.take().and_then(|poll| poll.held()), self.post.take().and_then(|post| post.request())]
    }

    /// A batch arrives. Returns whether its transport still exists.
    pub(crate) fn begin_batch(&mut self, source: Source) -> bool {
        let known = self.knows(source);
        let transport = match source {
            Source::WebSocket(_) => Transport::WebSocket,
            Source::Response(_) => Transport::Polling,
        };
        self.source = known.then_some(source);
        self.counts = known && self.is_active(transport);
        known
    }

    /// Returns where the batch came from, if its transport still exists.
    pub(crate) fn end_batch(&mut self) -> Option<Source> {
        self.counts = false;
        self.source.take()
    }

    /// Where the batch that is being read came from, if its transport still exists.
    pub(crate) fn source(&self) -> Option<Source> {
        self.source
    }

    /// Whether the batch that is being read came by the active transport.
    pub(crate) fn counts(&self) -> bool {
        self.counts
    }

    /// Nothing of the response that is being read counts, unless a `welcome` begins another connection.
    pub(crate) fn await_welcome(&mut self) {
        self.counts = false;
    }

    /// A `welcome` of the transport in use: what follows it counts.
    pub(crate) fn welcomed_again(&mut self) {
        self.counts = true;
    }

    /// Whether only a `welcome` counts now.
    pub(crate) fn awaits_welcome(&self) -> bool {
        self.poll.as_ref().is_some_and(Poll::awaits_welcome)
    }

    pub(crate) fn knows(&self, source: Source) -> bool {
        match source {
            Source::WebSocket(socket) => self.is_socket(socket),
            Source::Response(request) => self.is_held(request) || self.is_post(request),
        }
    }

    pub(crate) fn is_socket(&self, socket: SocketId) -> bool {
        self.websocket.as_ref().is_some_and(|websocket| websocket.id() == socket)
    }

    pub(crate) fn is_held(&self, request: RequestId) -> bool {
        self.poll.as_ref().is_some_and(|poll| poll.held() == Some(request))
    }

    pub(crate) fn is_post(&self, request: RequestId) -> bool {
        self.post.as_ref().is_some_and(|post| post.request() == Some(request))
    }

    /// The serial number of the token that the peer of the batch being read, or else of the WebSocket, was given.
    pub(crate) fn token(&self) -> Option<u32> {
        match self.source {
            Some(Source::Response(request)) if self.is_post(request) => self.post.as_ref().map(Post::token),
            Some(Source::Response(_)) => self.poll.as_ref().map(Poll::token),
            _ => self.websocket.as_ref().map(WebSocket::token),
        }
    }

    /// An entry, an ack or an answer has arrived.
    pub(crate) fn mark_productive(&mut self) {
        self.mark_poll_productive();
        if let Some(websocket) = &mut self.websocket {
            websocket.mark_productive();
        }
    }

    /// A poll has returned something.
    pub(crate) fn mark_poll_productive(&mut self) {
        if let Some(poll) = &mut self.poll {
            poll.mark_productive();
        }
    }
}
