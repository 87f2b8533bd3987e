//! The WebSocket transport: at most one exists, as a candidate until it is welcomed, then as the active transport.

use alloc::{borrow::ToOwned, string::String, vec};

use everwire_protocol::{CloseCode, CoreFrame, ErrorCode, Ping, batch, limits};

use super::{
    Connection, LinkId, Output, Transport,
    asking::with_texts,
    connection::Phase,
    deadline::Deadline,
    text,
    transports::{GIVE_UP_MS, WORKED_MS},
};

/// How long a probe waits for a sign of life, in ms (promise 10).
const PROBE_MS: u64 = 3_000;

#[derive(Debug)]
pub(super) struct WebSocket {
    pub(super) link: LinkId,
    since: u64,
    opened_at: Option<u64>,
    pub(super) welcomed: bool,
    /// The last token that was sent on it.
    pub(super) token: u32,
    /// It has brought an entry or an ack: something that a proxy which kills it would not let through for long.
    useful: bool,
    /// By then it must be welcomed; after that, by then something must have been heard.
    pub(super) deadline: Deadline,
    /// By then the answer to a probe must have come.
    pub(super) probe: Option<Deadline>,
    /// The longest silence that the server may keep, in ms.
    pub(super) silence: u64,
}

impl WebSocket {
    pub(super) fn is_open(&self) -> bool {
        self.opened_at.is_some()
    }
}

impl Connection {
    pub(super) fn open_websocket(&mut self) {
        let link = self.next_link();
        let now = self.now();
        self.ws = Some(WebSocket {
            link,
            since: now,
            opened_at: None,
            welcomed: false,
            token: 0,
            useful: false,
            deadline: Deadline::at(now + GIVE_UP_MS),
            probe: None,
            silence: u64::from(limits::PING_INTERVAL_MS + limits::PING_GRACE_MS),
        });
        self.note("opening a WebSocket".to_owned());
        self.outputs.push_back(Output::OpenWebSocket(link));
    }

    pub(super) fn websocket_opened(&mut self, link: LinkId) {
        let now = self.now();
        let Some(ws) = self.ws.as_mut().filter(|ws| ws.link == link) else { return };
        ws.opened_at = Some(now);
        ws.token = self.token.serial;
        // The first batch holds everything that a reconnect needs, so that it costs one round trip.
        let mut frames = vec![self.hello(self.token.text.clone())];
        frames.extend(self.unasked());
        self.send_websocket(&frames);
    }

    pub(super) fn send_websocket(&mut self, frames: &[CoreFrame]) {
        self.send_all(frames, &[]);
    }

    /// The same with frames that are texts already.
    pub(super) fn send_all(&mut self, frames: &[CoreFrame], texts: &[String]) {
        let Some(link) = self.ws.as_ref().filter(|ws| ws.is_open()).map(|ws| ws.link) else { return };
        for frame in frames {
            self.note(text!("> ", batch::Frame::kind(frame)));
        }
        for text in texts {
            // The name is what follows `{"type":"`.
            let name = text.bytes().skip(9).take_while(|byte| *byte != b'"').count();
            self.note(text!("> ", text.get(9..9 + name).unwrap_or_default()));
        }
        let text = with_texts(batch::encode(frames), texts);
        self.outputs.push_back(Output::SendWebSocket { link, text });
    }

    /// Something was heard: the next sign of life is due in a while.
    pub(super) fn heard(&mut self) {
        let now = self.now();
        if let Some(ws) = self.ws.as_mut().filter(|ws| ws.welcomed) {
            ws.deadline = Deadline::at(now + ws.silence);
            ws.probe = None;
        }
    }

    /// An entry or an ack has come.
    pub(super) fn brought(&mut self) {
        self.poll_brought();
        if let Some(ws) = self.ws.as_mut().filter(|ws| ws.welcomed) {
            ws.useful = true;
        }
    }

    /// Asks for a sign of life, because an open socket proves nothing.
    pub(super) fn probe(&mut self, reason: &str) {
        let now = self.now();
        let Some(ws) = self.ws.as_mut().filter(|ws| ws.welcomed && ws.probe.is_none()) else { return };
        ws.probe = Some(Deadline::at(now + PROBE_MS));
        self.note(text!("probing: ", reason));
        self.send_websocket(&[Ping::default().into()]);
    }

    /// The socket is gone, by itself.
    pub(super) fn websocket_closed(&mut self, link: LinkId, code: u16, said: &str) {
        if self.ws.as_ref().is_none_or(|ws| ws.link != link) {
            return;
        }
        let known = CloseCode::from_u16(code);
        let reason = text!("WebSocket closed (", code, ") ", said);
        if let Some(terminal) = known.filter(|k| k.terminal()) {
            let error = match terminal {
                CloseCode::Banned => ErrorCode::Banned,
                CloseCode::SessionMismatch => ErrorCode::SessionMismatch,
                CloseCode::UnsupportedVersion => ErrorCode::UnsupportedVersion,
                _ => ErrorCode::Unauthorized,
            };
            self.refused_for_good(error, said);
            return;
        }
        if known == Some(CloseCode::TokenExpired) {
            self.token.expired();
        }
        // A documented code means that an Everwire server closed it: nothing between is to blame.
        self.websocket_failed(&reason, known.is_none());
    }

    /// The socket is to be given up. `suspicious`: something between may not like WebSocket.
    pub(super) fn websocket_failed(&mut self, reason: &str, suspicious: bool) {
        let Some(ws) = self.ws.take() else { return };
        let now = self.now();
        // The driver ignores this for a socket that is closed already.
        self.outputs.push_back(Output::CloseWebSocket { link: ws.link, code: CloseCode::Abandoned.as_u16() });
        let age = now - ws.opened_at.unwrap_or(ws.since);
        let silent = !ws.welcomed && now >= ws.since + GIVE_UP_MS;
        let given_up = self.choice.given_up;
        let mut poll_now = false;
        if suspicious {
            poll_now =
                self.choice.ended(ws.opened_at.is_some(), if ws.welcomed { age } else { 0 }, ws.useful);
        }
        if silent {
            self.choice.gave_no_answer();
            if self.active == Some(Transport::Polling) {
                // Polling got through in the same time.
                self.choice.polling_works();
            }
        }
        if self.choice.given_up && !given_up {
            self.note("WebSocket does not work here".to_owned());
            if self.active == Some(Transport::Polling) {
                self.remember(Transport::Polling);
            }
        }
        match (self.active, self.phase) {
            (Some(Transport::WebSocket), _) => {
                self.active = None;
                self.lost(reason, None);
            }
            (Some(Transport::Polling), _) => {
                self.note(text!("probe failed: ", reason));
                self.subscriptions.websocket_gone();
                self.choice.schedule_probe(now);
            }
            (None, Phase::Connecting) => {
                self.subscriptions.websocket_gone();
                if self.poll.is_some() {
                    self.note(reason.to_owned());
                } else if self.config.polling && (poll_now || self.choice.poll_at.is_some_and(|at| at <= now))
                {
                    self.note(text!(reason, "; trying HTTP polling"));
                    self.start_polling();
                } else {
                    self.lost(reason, None);
                }
            }
            (None, _) => {}
        }
    }

    /// The WebSocket was welcomed: it takes over, whatever was in use before.
    pub(super) fn websocket_welcomed(&mut self, silence: u64) {
        let now = self.now();
        let Some(ws) = &mut self.ws else { return };
        ws.welcomed = true;
        ws.silence = silence;
        ws.deadline = Deadline::at(now + silence);
        let reason =
            if self.active == Some(Transport::Polling) { "WebSocket works again" } else { "WebSocket works" };
        self.stop_polling();
        if self.choice.given_up || self.choice.probe_at.is_some() {
            self.choice.worked();
        }
        self.activate(Transport::WebSocket, reason);
    }

    /// For `timers.rs`: the socket that has lived this long works.
    pub(super) fn websocket_proves_itself(&mut self) {
        if self.active == Some(Transport::WebSocket) && self.now() >= self.connected_at + WORKED_MS {
            self.choice.proven();
        }
    }
}
