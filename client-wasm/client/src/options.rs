//! What a client is told before it connects, and what a subscription begins with.

use std::{fmt, future::Future, pin::Pin};

use everwire_client_core::Position;
use everwire_protocol::Guest;

use crate::Error;

/// `Send` where clients are used from several threads; anything in a browser.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send> MaybeSend for T {}

/// `Send` where clients are used from several threads; anything in a browser.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T> MaybeSend for T {}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) type TokenFuture = Pin<Box<dyn Future<Output = Result<String, String>> + Send>>;
#[cfg(target_arch = "wasm32")]
pub(crate) type TokenFuture = Pin<Box<dyn Future<Output = Result<String, String>>>>;

#[cfg(not(target_arch = "wasm32"))]
type TokenSource = Box<dyn FnMut() -> TokenFuture + Send>;
#[cfg(target_arch = "wasm32")]
type TokenSource = Box<dyn FnMut() -> TokenFuture>;

/// Where tokens come from.
pub(crate) enum Tokens {
    None,
    Constant(String),
    Asked(TokenSource),
}

/// How many events a stream keeps that nobody polls.
const BUFFER: usize = 4096;

/// The options of a client.
pub struct Options {
    pub(crate) url: String,
    pub(crate) tokens: Tokens,
    pub(crate) guest: Option<Guest>,
    pub(crate) websocket: bool,
    pub(crate) polling: bool,
    pub(crate) outbox: bool,
    pub(crate) buffer: usize,
}

impl Options {
    /// `url`: where the server is: `https://chat.example`, without a path. In a browser, `/` is the server that the page is from.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tokens: Tokens::None,
            guest: None,
            websocket: true,
            polling: true,
            outbox: true,
            buffer: BUFFER,
        }
    }

    /// How to get a token: called before the first connection, 30 seconds before a token expires, and when the server does not
    /// accept one; never twice at a time. A failure is reported by [`Client::errors`](crate::Client::errors), and tried again.
    ///
    /// ```
    /// # use everwire_client::Options;
    /// async fn fetch_token() -> Result<String, std::io::Error> {
    ///     Ok("eyJhbGciOi…".into()) // from your back end
    /// }
    /// let options = Options::new("https://chat.example").token(fetch_token);
    /// ```
    #[must_use]
    pub fn token<F, T, E>(mut self, mut ask: F) -> Self
    where
        F: FnMut() -> T + MaybeSend + 'static,
        T: Future<Output = Result<String, E>> + MaybeSend + 'static,
        E: fmt::Display,
    {
        self.tokens = Tokens::Asked(Box::new(move || {
            let token = ask();
            Box::pin(async move { token.await.map_err(|error| error.to_string()) })
        }));
        self
    }

    /// The only token that there is: once the server no longer accepts it, the client ends.
    #[must_use]
    pub fn constant_token(mut self, token: impl Into<String>) -> Self {
        self.tokens = Tokens::Constant(token.into());
        self
    }

    /// Connects as a guest, which servers in development mode accept.
    #[must_use]
    pub fn guest(mut self, user: impl Into<String>, name: impl Into<String>) -> Self {
        self.guest = Some(Guest { user: user.into(), name: name.into() });
        self
    }

    /// Whether WebSocket and HTTP polling may be used; both by default.
    #[must_use]
    pub fn transports(mut self, websocket: bool, polling: bool) -> Self {
        (self.websocket, self.polling) = (websocket, polling);
        self
    }

    /// Whether messages that are not stored yet survive a reload of the page; they do by default, with the feature `outbox`.
    #[must_use]
    pub fn outbox(mut self, outbox: bool) -> Self {
        self.outbox = outbox;
        self
    }

    /// How many events a [`Subscription`](crate::Subscription) keeps that nobody polls; 4096 by default.
    #[must_use]
    pub fn buffer(mut self, events: usize) -> Self {
        self.buffer = events;
        self
    }

    /// The URL without a slash at the end.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        let invalid = |why: &str| Err(Error::InvalidOption(why.to_owned()));
        while self.url.ends_with('/') {
            self.url.pop();
        }
        if !(self.url.starts_with("http://") || self.url.starts_with("https://")) {
            return invalid("the URL must begin with http:// or https://");
        }
        if !self.websocket && !self.polling {
            return invalid("no transport may be used");
        }
        if self.buffer == 0 {
            return invalid("the buffer must hold an event");
        }
        Ok(())
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Tokens are secret.
        f.debug_struct("Options").field("url", &self.url).field("guest", &self.guest).finish_non_exhaustive()
    }
}

/// Where a subscription begins. If the channel has a subscription already, another one receives what comes from now on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subscribe {
    pub(crate) recent: Option<u32>,
    pub(crate) position: Option<Position>,
    pub(crate) undelivered: bool,
}

impl Subscribe {
    /// With what comes from now on.
    pub fn live() -> Self {
        Self::default()
    }

    /// With the latest messages, at most 500.
    pub fn recent(messages: u32) -> Self {
        Self { recent: Some(messages), ..Self::default() }
    }

    /// After what was delivered to this user, on whatever device; or with the latest messages if nothing was.
    pub fn undelivered(or_recent: u32) -> Self {
        Self { undelivered: true, ..Self::recent(or_recent) }
    }

    /// After a [`Position`] that [`Subscription::position`](crate::Subscription::position) named earlier.
    pub fn after(position: Position) -> Self {
        Self { position: Some(position), ..Self::default() }
    }
}
