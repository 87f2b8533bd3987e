//! What a connection does with each frame: protocol errors, connecting, liveness and the end. What frames do to
//! subscriptions is in `subscribing`, tokens are in `identity`; sends, ephemeral frames, marks and requests have files of
//! their own.

use std::sync::Arc;

use everwire_protocol::{
    ClientFrame, CloseCode, ConnectionFrame, Error, ErrorCode, Goaway, Hello, Ping, Pong, ServerFrame,
    SortedFrame, VERSION, Welcome, batch::Frame,
};

use super::{
    BadFrame, Batch, Binding, Closing, Connection, Output, Phase, Queued, Transport,
    errors::{error, error_saying, re},
};
use crate::{
    accounts::costs,
    model::identity::{Identity, Refusal},
};

/// A frame that waits for the session to be bound.
pub(super) type Waiting = Result<ClientFrame, BadFrame>;

impl Connection {
    pub(super) fn batch(&mut self, now_ms: u64, batch: Batch) {
        self.heartbeat.heard(now_ms);
        match batch {
            Ok(frames) => {
                for frame in frames {
                    self.frame(now_ms, frame);
                }
            }
            Err(reason) => {
                let refused = error_saying(reason.code(), format!("{reason}."));
                let ids = reason.ids();
                #[cfg(feature = "planted")]
                let ids = ids
                    .into_iter()
                    .take(if self.settings.names_first_only { 1 } else { usize::MAX })
                    .collect();
                self.bad(now_ms, Error { ids, ..refused });
                // What was sent behind them may not be stored before them.
                self.sending.refuse_all(reason.sends());
            }
        }
    }

    pub(super) fn frame(&mut self, now_ms: u64, frame: Waiting) {
        if self.has_failed() {
            return;
        }
        if matches!(self.phase, Phase::Binding(_)) {
            self.waiting.push_back(frame);
            return;
        }
        match frame {
            Err(frame) => {
                self.bad_frame(now_ms, &frame);
                if let Phase::Open(identity) = &self.phase {
                    let identity = identity.clone();
                    self.charge_refusals(now_ms, &identity);
                }
            }
            Ok(ClientFrame::Hello(hello)) if matches!(self.phase, Phase::Hello) => self.hello(now_ms, &hello),
            Ok(frame @ ClientFrame::Hello(_)) => self.unexpected(now_ms, frame.kind()),
            Ok(frame) => match &self.phase {
                Phase::Open(identity) => {
                    let identity = identity.clone();
                    if let Some(refused) = self.not_offered(&frame) {
                        self.push(refused);
                        return self.charge_refusals(now_ms, &identity);
                    }
                    if let Err(ms) = self.charge(now_ms, &identity, costs::of(&frame)) {
                        return self.refuse_cost(now_ms, frame, ms);
                    }
                    self.open_frame(now_ms, frame, &identity);
                    self.charge_refusals(now_ms, &identity);
                }
                _ => self.unexpected(now_ms, frame.kind()),
            },
        }
    }

    fn open_frame(&mut self, now_ms: u64, frame: ClientFrame, identity: &Identity) {
        let kind = frame.kind();
        let frame = match SortedFrame::from(frame) {
            SortedFrame::Connection(frame) => frame,
            SortedFrame::Request(request) => return self.request(now_ms, request, identity),
        };
        match frame {
            ConnectionFrame::Subscribe(subscribe) if self.transport != Transport::Post => {
                self.subscribe(now_ms, &subscribe, identity);
            }
            ConnectionFrame::Unsubscribe(frame) => self.unsubscribe(frame.channel),
            ConnectionFrame::Send(send) => self.send(now_ms, send, identity),
            ConnectionFrame::Token(token) => self.token(now_ms, &token, identity),
            ConnectionFrame::Ping(ping) => self.push(ServerFrame::Pong(Pong { nonce: ping.nonce })),
            ConnectionFrame::Pong(_) => {}
            ConnectionFrame::Bye(_) => {
                if self.transport == Transport::Post {
                    self.outputs.push_back(Output::ForwardToSession { session: self.session, channel: None });
                } else {
                    self.bye(now_ms);
                }
            }
            ConnectionFrame::Hello(_) | ConnectionFrame::Poll(_) | ConnectionFrame::Subscribe(_) => {
                self.unexpected(now_ms, kind);
            }
            ConnectionFrame::Typing(typing) => self.typing(now_ms, typing, identity),
            ConnectionFrame::Signal(signal) => self.signal(now_ms, signal, identity),
            ConnectionFrame::Mark(mark) => self.mark(now_ms, mark, identity),
            ConnectionFrame::Idle(frame) if self.transport != Transport::Post && frame.idle == self.idle => {}
            ConnectionFrame::Idle(frame) => {
                self.idle = frame.idle;
                self.outputs.push_back(Output::Idle { session: self.session, idle: frame.idle });
            }
        }
    }

    /// Answers a frame that is not allowed at this point.
    fn unexpected(&mut self, now_ms: u64, kind: &str) {
        self.bad(now_ms, re(kind, error(ErrorCode::Unexpected)));
    }

    /// Answers something that is not the protocol.
    pub(super) fn bad(&mut self, now_ms: u64, answer: Error) {
        self.push(answer);
        self.count_bad(now_ms);
    }

    /// Counts something that is not the protocol. Too much of it ends the connection.
    pub(super) fn count_bad(&mut self, now_ms: u64) {
        self.bad += 1;
        if self.bad >= self.settings.bad_frames {
            self.close(now_ms, CloseCode::ProtocolViolation);
        }
    }

    fn bad_frame(&mut self, now_ms: u64, frame: &BadFrame) {
        let (code, message) = (frame.code(), format!("{}.", frame.error));
        if let Some(channel) = frame.subscribed_channel()
            && self.is_open()
            && self.transport != Transport::Post
        {
            self.refuse_subscription(channel.clone(), Refusal::new(code, message));
            return self.count_bad(now_ms);
        }
        let answer = Error {
            id: frame.id,
            re: frame.error.kind().map(Into::into),
            channel: frame.channel.clone(),
            ..error_saying(code, message)
        };
        match code {
            // A newer client may send types that this server does not know; data and events are the application's. No violations.
            ErrorCode::UnknownType
            | ErrorCode::InvalidPayload
            | ErrorCode::Forbidden
            | ErrorCode::TooLarge => {
                self.push(answer);
            }
            _ => self.bad(now_ms, answer),
        }
    }

    // Connecting

    fn hello(&mut self, now_ms: u64, hello: &Hello) {
        if !hello.speaks(VERSION) {
            let words = format!(
                "This server speaks version {VERSION} of the protocol. Update the client or the server."
            );
            let refused = re("hello", error_saying(ErrorCode::UnsupportedVersion, words));
            self.push(Error { versions: Some(vec![VERSION]), ..refused });
            return self.close(now_ms, CloseCode::UnsupportedVersion);
        }
        match self.identify(now_ms, hello.token.as_deref(), Some(hello)) {
            Ok(identity) => {
                self.session = hello.session;
                if let Err(ms) = self.charge_hello(now_ms, &identity) {
                    return self.turn_away(now_ms, ms);
                }
                let (user, name) = (identity.user.clone(), identity.name.clone());
                let who = Box::new(identity.clone());
                self.outputs.push_back(Output::Bind { session: hello.session, user, name, who });
                self.phase = Phase::Binding(identity);
            }
            Err(refusal) => self.refuse(now_ms, refusal, Some("hello")),
        }
    }

    pub(super) fn bound(&mut self, now_ms: u64, binding: Binding) {
        let Phase::Binding(identity) = std::mem::replace(&mut self.phase, Phase::Hello) else { return };
        if binding == Binding::Another {
            return self.refuse(now_ms, Refusal::of(ErrorCode::SessionMismatch), Some("hello"));
        }
        // A ban while the session was being bound did not find this connection.
        if let Err(refusal) = self.access.check(&identity, now_ms) {
            return self.refuse(now_ms, refusal, Some("hello"));
        }
        if let Binding::TooMany(retry_after_ms) = binding {
            return self.turn_away(now_ms, retry_after_ms);
        }
        if self.transport != Transport::Post {
            let wall_ms = self.access.wall_ms(now_ms);
            self.push(Welcome {
                version: VERSION,
                features: self.settings.features.names(),
                session: self.session,
                connection: self.connection,
                run: self.settings.run.as_ref().into(),
                user: identity.user.as_ref().into(),
                name: identity.name.as_deref().map(Into::into),
                server_time: wall_ms,
                ping_interval_ms: self.settings.ping_interval_ms,
                hold_ms: self.settings.hold_ms,
                token_expires_in_ms: self.token_expires_in_ms(now_ms, &identity),
                limits: self.settings.limits.clone(),
            });
        }
        self.use_token(&identity);
        self.phase = Phase::Open(identity);
        for frame in std::mem::take(&mut self.waiting) {
            self.frame(now_ms, frame);
        }
    }

    // Liveness and the end

    /// A frame for this connection, regardless of its subscriptions.
    pub(super) fn direct(&mut self, text: Arc<str>) {
        if self.is_open() {
            self.queue.push(Queued::Frame(text));
        }
    }

    pub(super) fn ping(&mut self, now_ms: u64) {
        self.heartbeat.sent(now_ms);
        self.push(ServerFrame::Ping(Ping { nonce: None }));
    }

    /// The client ends its session for good. What came before is still stored.
    pub(super) fn bye(&mut self, now_ms: u64) {
        let by = now_ms + u64::from(self.settings.drain_ms);
        self.closing = Some(Closing { code: CloseCode::Normal, by, orderly: true });
    }

    pub(super) fn goaway(&mut self, now_ms: u64, goaway: Goaway) {
        if self.closing.is_some() {
            return;
        }
        if matches!(self.phase, Phase::Open(_)) {
            self.push(goaway);
        }
        let by = now_ms + u64::from(self.settings.drain_ms);
        self.closing = Some(Closing { code: CloseCode::GoingAway, by, orderly: true });
    }

    pub(super) fn slow(&mut self, now_ms: u64) {
        self.queue.clear();
        self.push(error(ErrorCode::SlowConsumer));
        self.close(now_ms, CloseCode::SlowConsumer);
    }
}
