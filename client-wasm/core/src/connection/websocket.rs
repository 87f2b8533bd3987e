//! What follows from the state of the WebSocket: the first batch, probes, and what to try when it fails.

use alloc::{borrow::ToOwned, string::String, vec};

use everwire_protocol::{CloseCode, ErrorCode, Ping, limits::MAX_FIRST_BYTES};

use super::{Connection, Output, Phase, SocketId, Transport};
use crate::{
    outgoing::{BatchLimits, join, split},
    transport::websocket::WebSocket,
};

/// What something between, or a browser, closes a WebSocket with because of a message (RFC 6455).
const MESSAGE_TOO_BIG: u16 = 1009;
/// Browsers do not say why.
const NOT_OPENED: &str =
    "the server is down or does not allow the origin of this page, or a proxy does not pass WebSockets";

impl Connection {
    pub(super) fn open_websocket(&mut self) {
        let socket = SocketId(self.next_id());
        let now = self.now();
        self.transports.websocket = Some(WebSocket::new(socket, now));
        self.log("opening a WebSocket".to_owned());
        self.output(Output::OpenWebSocket(socket));
    }

    pub(super) fn websocket_opened(&mut self, socket: SocketId) {
        let now = self.now();
        let token = self.token.serial();
        let Some(websocket) = self.transports.websocket.as_mut().filter(|ws| ws.id() == socket) else {
            return;
        };
        websocket.opened(now, token);
        // The first batches hold everything that a reconnect needs, so that it costs one round trip. The server takes little
        // before it knows who this is.
        let mut frames = vec![self.hello(self.token.text())];
        self.add_subscriptions(Transport::WebSocket, &mut frames);
        let limits = BatchLimits { bytes: MAX_FIRST_BYTES, ..self.batch_limits };
        let (first, rest) = split(&frames, limits);
        self.send_websocket(first);
        self.send_websocket(rest);
    }

    /// Sends frames in as many batches as they need.
    pub(super) fn send_websocket(&mut self, mut frames: &[String]) {
        let Some(websocket) = self.transports.websocket.as_ref().filter(|ws| ws.is_open()) else { return };
        let socket = websocket.id();
        for frame in frames {
            // The name is what follows `{"type":"`.
            let name = frame.bytes().skip(9).take_while(|byte| *byte != b'"').count();
            self.log(text!("> ", frame.get(9..9 + name).unwrap_or_default()));
        }
        while !frames.is_empty() {
            let (batch, rest) = split(frames, self.batch_limits);
            self.output(Output::SendWebSocket { socket, text: join(batch) });
            frames = rest;
        }
    }

    /// Asks for a sign of life, because an open socket proves nothing.
    pub(super) fn probe(&mut self, reason: &str) {
        let now = self.now();
        if self.transports.websocket.as_mut().is_some_and(|ws| ws.start_probe(now)) {
            self.log(text!("probing: ", reason));
            self.send_websocket(&[Self::encode(Ping::default())]);
        }
    }

    /// The socket was closed by the other side, or by the browser.
    pub(super) fn websocket_closed(&mut self, socket: SocketId, code: u16, message: &str) {
        if !self.transports.is_socket(socket) {
            return;
        }
        let known = CloseCode::from_u16(code);
        let opened = self.transports.websocket.as_ref().is_some_and(WebSocket::is_open);
        let what = if opened { " was closed (" } else { " could not be opened (" };
        let why = match (message, opened) {
            ("", true) => "the network or a proxy cut it off",
            ("", false) => NOT_OPENED,
            (message, _) => message,
        };
        let server = self.config.server.as_str();
        let reason = text!("WebSocket to ", server, what, code, "): ", why);
        if let Some(terminal) = known.filter(|known| known.terminal()) {
            let error = match terminal {
                CloseCode::Banned => ErrorCode::Banned,
                CloseCode::SessionMismatch => ErrorCode::SessionMismatch,
                CloseCode::UnsupportedVersion => ErrorCode::UnsupportedVersion,
                _ => ErrorCode::Unauthorized,
            };
            self.refused_for_good(error, message);
            return;
        }
        if known == Some(CloseCode::TokenExpired) {
            self.token.expired();
        }
        let too_large = code == MESSAGE_TOO_BIG || known == Some(CloseCode::TooLarge);
        let blamed = too_large && self.blame(ErrorCode::TooLarge, &reason);
        // A documented code means that an Everwire server closed it: nothing between is to blame.
        self.websocket_failed(&reason, known.is_none() && !blamed);
    }

    /// The socket is given up. `suspicious`: something between may not let WebSocket through.
    pub(super) fn websocket_failed(&mut self, reason: &str, suspicious: bool) {
        let Some(websocket) = self.transports.websocket.take() else { return };
        let now = self.now();
        // The driver ignores this for a socket that is closed already.
        self.close_websocket(websocket.id(), CloseCode::Abandoned);
        let polling = self.transports.is_active(Transport::Polling);
        let selector = &mut self.transports.selector;
        let had_given_up = selector.has_given_up();
        let mut poll_next = false;
        if suspicious {
            poll_next = selector.ended(websocket.is_open(), websocket.age(now), websocket.is_productive());
        }
        if websocket.gave_no_answer(now) {
            selector.gave_no_answer();
            if polling {
                // Polling worked during the same time.
                selector.polling_works();
            }
        }
        let fallback = poll_next || selector.fallback_at().is_some_and(|at| at <= now);
        if selector.has_given_up() && !had_given_up {
            self.log("WebSocket does not work here".to_owned());
            if polling {
                self.remember(Transport::Polling);
            }
        }
        match (self.transports.active(), self.lifecycle.phase()) {
            (Some(Transport::WebSocket), _) => {
                // A socket that was being probed was in doubt already, because the page has slept or moved.
                if poll_next && !websocket.is_probed() && !self.lifecycle.is_suspect() {
                    // After the backoff: the server may have ended with all its connections.
                    self.transports.selector.poll_next();
                }
                self.lost(reason, None);
            }
            (Some(Transport::Polling), _) => {
                self.log(text!("probe failed: ", reason));
                self.subscriptions.websocket_gone();
                self.transports.selector.schedule_probe(now);
            }
            (None, Phase::Connecting) => {
                self.subscriptions.websocket_gone();
                if self.transports.poll.is_some() {
                    self.log(reason.to_owned());
                } else if self.config.polling && fallback {
                    self.log(text!(reason, "; trying HTTP polling"));
                    self.start_polling();
                } else {
                    self.lost(reason, None);
                }
            }
            (None, _) => {}
        }
    }

    /// The WebSocket was welcomed: it is used, whatever was in use before.
    pub(super) fn websocket_welcomed(&mut self, max_silence: u64) {
        let now = self.now();
        let Some(websocket) = &mut self.transports.websocket else { return };
        websocket.welcomed(now, max_silence);
        let again = self.transports.is_active(Transport::Polling);
        let reason = if again { "WebSocket works again" } else { "WebSocket works" };
        self.stop_polling();
        self.transports.selector.welcomed();
        self.activate(Transport::WebSocket, reason);
    }
}
