//! What a session does with each frame and each answer. The rules are those of `docs/protocol.md`, in its order.

use std::{collections::btree_map, sync::Arc};

use everwire_protocol::{
    Ack, BatchError, Channel, ChannelKind, ClientFrame, CloseCode, Error, ErrorCode, FrameError, Goaway,
    Hello, Ping, Pong, Send, ServerFrame, Subscribe, Subscribed, Token, Unsubscribed, Uuid, VERSION, Welcome,
    batch,
    limits::{MAX_EVENT_BYTES, MAX_TOKEN_BYTES},
};

use super::{
    BadFrame, Batch, Binding, Carrier, Closing, Opened, Output, Phase, Queued, Session,
    queue::PAGE,
    subscription::{From, Stage, Subscription},
};
use crate::{
    auth::{Credentials, Identity, Refusal},
    hub::PresenceChange,
    store::{Entry, NewEntry, Outcome, Page},
};

/// A frame that waits for the session to be bound.
pub(super) type Waiting = Result<ClientFrame, BadFrame>;

/// An error frame with the code's own sentence.
fn error(code: ErrorCode) -> Error {
    Error {
        code,
        message: code.sentence().into(),
        retry: code.retry(),
        id: None,
        channel: None,
        retry_after_ms: None,
    }
}

/// An error frame that says what exactly is wrong.
pub(super) fn error_saying(code: ErrorCode, message: impl Into<String>) -> Error {
    Error { message: message.into(), ..error(code) }
}

fn about(channel: Channel, error: Error) -> Error {
    Error { channel: Some(channel), ..error }
}

fn about_send(id: Uuid, channel: Channel, error: Error) -> Error {
    Error { id: Some(id), channel: Some(channel), ..error }
}

impl Session {
    pub(super) fn batch(&mut self, now_ms: u64, batch: Batch) {
        self.heard_at = now_ms;
        match batch {
            Ok(frames) => {
                for frame in frames {
                    self.frame(now_ms, frame);
                }
            }
            Err(reason) => {
                let code = match reason {
                    BatchError::TooLarge { .. } | BatchError::TooManyFrames { .. } => ErrorCode::TooLarge,
                    BatchError::TooDeep { .. } | BatchError::NotAnArray(_) => ErrorCode::InvalidBatch,
                };
                self.bad(now_ms, error_saying(code, format!("{} {reason}.", code.sentence())));
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
            Err(frame) => self.bad_frame(now_ms, &frame),
            Ok(ClientFrame::Hello(hello)) if matches!(self.phase, Phase::Hello) => self.hello(now_ms, &hello),
            Ok(ClientFrame::Hello(_)) => self.bad(now_ms, error(ErrorCode::Unexpected)),
            Ok(frame) => match &self.phase {
                Phase::Open(identity) => {
                    let identity = identity.clone();
                    self.open_frame(now_ms, frame, &identity);
                }
                _ => self.bad(now_ms, error(ErrorCode::Unexpected)),
            },
        }
    }

    fn open_frame(&mut self, now_ms: u64, frame: ClientFrame, identity: &Identity) {
        match frame {
            ClientFrame::Subscribe(subscribe) if self.carrier != Carrier::Post => {
                self.subscribe(now_ms, &subscribe, identity);
            }
            ClientFrame::Unsubscribe(frame) => self.unsubscribe(frame.channel),
            ClientFrame::Send(send) => self.send(now_ms, send, identity),
            ClientFrame::Token(token) => self.token(now_ms, &token, identity),
            ClientFrame::Ping(ping) => self.push(ServerFrame::Pong(Pong { nonce: ping.nonce })),
            ClientFrame::Pong(_) => {}
            ClientFrame::Bye(_) => {
                if self.carrier == Carrier::Post {
                    self.outputs.push_back(Output::Elsewhere { session: self.session, channel: None });
                } else {
                    self.bye(now_ms);
                }
            }
            ClientFrame::Hello(_) | ClientFrame::Poll(_) | ClientFrame::Subscribe(_) => {
                self.bad(now_ms, error(ErrorCode::Unexpected));
            }
            _ => self.push(error(ErrorCode::UnknownType)),
        }
    }

    /// Answers something that is not the protocol. Too much of it ends the connection.
    fn bad(&mut self, now_ms: u64, answer: Error) {
        self.push(answer);
        self.bad += 1;
        if self.bad >= self.settings.bad_frames {
            self.close(now_ms, CloseCode::ProtocolViolation);
        }
    }

    fn bad_frame(&mut self, now_ms: u64, frame: &BadFrame) {
        let answer = |code: ErrorCode| Error {
            id: frame.id,
            channel: frame.channel.clone(),
            ..error_saying(code, format!("{} {}.", code.sentence(), frame.error))
        };
        match frame.error {
            // A newer client may well say more than this server knows: no violation.
            FrameError::UnknownType { .. } => self.push(answer(ErrorCode::UnknownType)),
            _ if frame.invalid_channel => self.bad(now_ms, answer(ErrorCode::InvalidChannel)),
            _ => self.bad(now_ms, answer(ErrorCode::InvalidFrame)),
        }
    }

    // Connecting

    fn hello(&mut self, now_ms: u64, hello: &Hello) {
        if hello.version != VERSION {
            self.push(error(ErrorCode::UnsupportedVersion));
            return self.close(now_ms, CloseCode::UnsupportedVersion);
        }
        match self.identify(now_ms, hello.token.as_deref(), Some(hello)) {
            Ok(identity) => {
                self.session = hello.session;
                self.outputs.push_back(Output::Bind { session: hello.session, user: identity.user.clone() });
                self.phase = Phase::Binding(identity);
            }
            Err(refusal) => self.refuse(now_ms, refusal),
        }
    }

    fn identify(&self, now_ms: u64, token: Option<&str>, hello: Option<&Hello>) -> Result<Identity, Refusal> {
        if token.is_some_and(|token| token.len() > MAX_TOKEN_BYTES) {
            return Err(Refusal::new(ErrorCode::Unauthorized, "The token is too long to be one."));
        }
        let guest = hello.and_then(|hello| hello.guest.as_ref());
        self.access.identify(&Credentials { token, guest }, now_ms)
    }

    fn refuse(&mut self, now_ms: u64, refusal: Refusal) {
        let code = match refusal.code {
            ErrorCode::Banned => CloseCode::Banned,
            ErrorCode::SessionMismatch => CloseCode::SessionMismatch,
            _ => CloseCode::Unauthorized,
        };
        self.push(error_saying(refusal.code, refusal.message));
        self.close(now_ms, code);
    }

    pub(super) fn bound(&mut self, now_ms: u64, binding: Binding) {
        let Phase::Binding(identity) = std::mem::replace(&mut self.phase, Phase::Hello) else { return };
        if binding == Binding::Another {
            return self.refuse(now_ms, Refusal::of(ErrorCode::SessionMismatch));
        }
        if self.carrier != Carrier::Post {
            self.push(Welcome {
                version: VERSION,
                session: self.session,
                connection: self.connection,
                user: identity.user.as_ref().into(),
                name: identity.name.as_deref().map(Into::into),
                server_time: now_ms,
                ping_interval_ms: self.settings.ping_interval_ms,
                hold_ms: self.settings.hold_ms,
                token_expires_in_ms: identity.expires_at.map(|at| at.saturating_sub(now_ms)),
                limits: self.settings.limits.clone(),
            });
        }
        self.phase = Phase::Open(identity);
        for frame in std::mem::take(&mut self.waiting) {
            self.frame(now_ms, frame);
        }
    }

    fn token(&mut self, now_ms: u64, frame: &Token, before: &Identity) {
        match self.identify(now_ms, Some(&frame.token), None) {
            Ok(identity) if identity.user == before.user => self.phase = Phase::Open(identity),
            Ok(_) => self.refuse(now_ms, Refusal::of(ErrorCode::SessionMismatch)),
            Err(refusal) => self.refuse(now_ms, refusal),
        }
    }

    /// The `hello` of a later poll: the same user again, perhaps with a new token. The error answers that poll alone.
    pub(super) fn hello_again(&mut self, now_ms: u64, hello: &Hello) -> Result<(), Arc<str>> {
        let answer = |refusal: Refusal| -> Arc<str> {
            batch::encode_frame(&ServerFrame::Error(error_saying(refusal.code, refusal.message))).into()
        };
        let identity = self.identify(now_ms, hello.token.as_deref(), Some(hello)).map_err(answer)?;
        match &self.phase {
            Phase::Open(before) if before.user != identity.user => {
                return Err(answer(Refusal::of(ErrorCode::SessionMismatch)));
            }
            Phase::Open(_) => self.phase = Phase::Open(identity),
            Phase::Hello | Phase::Binding(_) | Phase::Ended => {}
        }
        self.heard_at = now_ms;
        Ok(())
    }

    // Subscriptions and recovery

    fn subscribe(&mut self, now_ms: u64, frame: &Subscribe, identity: &Identity) {
        let channel = frame.channel.clone();
        let Some(from) = From::of(frame) else {
            let wrong = error_saying(
                ErrorCode::InvalidFrame,
                "A position is an epoch and an offset: give both, or neither.",
            );
            return self.bad(now_ms, about(channel, wrong));
        };
        if !self.access.may_subscribe(identity, &channel) {
            self.refused.insert(channel.clone());
            return self.push(about(channel, error(ErrorCode::Forbidden)));
        }
        let full = self.subscriptions.len() >= self.settings.limits.subscriptions as usize;
        if full && !self.subscriptions.contains_key(&channel) {
            self.refused.insert(channel.clone());
            return self.push(about(channel, error(ErrorCode::TooManySubscriptions)));
        }
        self.refused.remove(&channel);
        self.open(channel, from, identity);
    }

    /// Begins a subscription, or begins it anew.
    fn open(&mut self, channel: Channel, from: From, identity: &Identity) {
        self.next_key += 1;
        self.catching_up.retain(|other| *other != channel);
        self.subscriptions.insert(channel.clone(), Subscription::new(self.next_key, from));
        self.outputs.push_back(Output::Open { key: self.next_key, channel, member: identity.member() });
    }

    /// Begins a subscription anew where it stands: its log was replaced, or trimmed faster than it could be read.
    fn reopen(&mut self, channel: &Channel) {
        let Phase::Open(identity) = &self.phase else { return };
        let identity = identity.clone();
        if let Some(subscription) = self.subscriptions.get(channel) {
            let from = From::Position { epoch: subscription.epoch.clone(), offset: subscription.offset };
            self.open(channel.clone(), from, &identity);
        }
    }

    pub(super) fn opened(&mut self, key: u64, channel: &Channel, found: Option<Opened>) {
        let btree_map::Entry::Occupied(mut slot) = self.subscriptions.entry(channel.clone()) else { return };
        if slot.get().key != key || slot.get().stage != Stage::Opening {
            return;
        }
        let Some(Opened { log, members }) = found else {
            slot.remove();
            self.outputs.push_back(Output::Leave { channel: channel.clone(), at_once: false });
            let retry_after_ms = Some(self.settings.retry_after_ms);
            return self
                .push(about(channel.clone(), Error { retry_after_ms, ..error(ErrorCode::Unavailable) }));
        };
        let subscription = slot.get_mut();
        let (offset, gap) = subscription.from.resolve(&log, self.settings.replay_limit);
        subscription.epoch = log.epoch.clone();
        subscription.offset = offset;
        let behind = subscription.is_behind(log.head);
        subscription.stage = if behind { Stage::CatchingUp } else { Stage::Live };
        let (members, version) = members.unzip();
        subscription.presence_version = version.unwrap_or(0);
        let subscribed = Subscribed {
            channel: channel.clone(),
            epoch: log.epoch.as_ref().into(),
            offset,
            head: log.head,
            gap,
            members: members.filter(|_| channel.kind() == ChannelKind::Presence),
            receipts: None,
            chats: None,
        };
        let text = batch::encode_frame(&ServerFrame::Subscribed(subscribed)).into();
        self.queue.push(Queued::Subscribed(channel.clone(), subscription.from.clone(), text));
        let version = subscription.presence_version;
        for change in subscription.noted_presence.drain(..).filter(|change| change.version > version) {
            self.queue.push(Queued::Frame(change.text.clone()));
        }
        if behind {
            self.catching_up.push_back(channel.clone());
        }
    }

    pub(super) fn read_next_page(&mut self) {
        while !self.reading && self.read_again_at.is_none() && self.queue.is_low() {
            let Some(channel) = self.catching_up.pop_front() else { return };
            if let Some(subscription) = self.subscriptions.get(&channel) {
                self.reading = true;
                let (key, after) = (subscription.key, subscription.offset);
                self.outputs.push_back(Output::Read { key, channel, after, bounds: PAGE });
            }
        }
    }

    pub(super) fn page(&mut self, now_ms: u64, key: u64, channel: &Channel, page: Option<Page>) {
        self.reading = false;
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        if subscription.key != key || subscription.stage != Stage::CatchingUp {
            return;
        }
        let Some(Page { log, entries }) = page else {
            self.catching_up.push_front(channel.clone());
            self.read_again_at = Some(now_ms + u64::from(self.settings.retry_after_ms));
            return;
        };
        let hole = entries.first().map_or(log.trimmed, |first| first.offset - 1) > subscription.offset;
        if log.epoch != subscription.epoch || hole {
            return self.reopen(channel);
        }
        for entry in entries {
            subscription.offset = entry.offset;
            self.queue.push(Queued::Entry(entry));
        }
        if subscription.is_behind(log.head) {
            self.catching_up.push_back(channel.clone());
        } else {
            subscription.stage = Stage::Live;
            subscription.noted = None;
        }
    }

    pub(super) fn entry(&mut self, entry: Arc<Entry>) {
        let Some(subscription) = self.subscriptions.get_mut(&entry.channel) else { return };
        if subscription.stage != Stage::Live {
            subscription.noted = Some(entry);
        } else if entry.epoch != subscription.epoch {
            let channel = entry.channel.clone();
            self.reopen(&channel);
        } else if entry.offset == subscription.offset + 1 {
            subscription.offset = entry.offset;
            self.queue.push(Queued::Entry(entry));
        } else if entry.offset > subscription.offset {
            // Something between was not heard of: the store has it.
            subscription.stage = Stage::CatchingUp;
            self.catching_up.push_back(entry.channel.clone());
            subscription.noted = Some(entry);
        }
    }

    pub(super) fn unsubscribe(&mut self, channel: Channel) {
        if self.carrier == Carrier::Post {
            let (session, channel) = (self.session, Some(channel.clone()));
            self.outputs.push_back(Output::Elsewhere { session, channel });
        }
        self.drop_subscription(&channel);
        self.push(Unsubscribed { channel, code: None, message: None });
    }

    /// Ends a subscription because the client does not want it any more. Nothing of it is sent from now on.
    pub(super) fn drop_subscription(&mut self, channel: &Channel) {
        if self.subscriptions.remove(channel).is_some() {
            self.catching_up.retain(|other| other != channel);
            self.queue.forget(channel);
            self.outputs.push_back(Output::Leave { channel: channel.clone(), at_once: true });
        }
    }

    // Sending

    fn send(&mut self, now_ms: u64, frame: Send, identity: &Identity) {
        let Send { id, channel, event, data, action, target } = frame;
        if event.as_ref().is_some_and(|event| event.is_empty() || event.len() > MAX_EVENT_BYTES) {
            let reason = format!("The name of an event has 1 to {MAX_EVENT_BYTES} bytes.");
            let wrong = error_saying(ErrorCode::InvalidFrame, reason);
            return self.bad(now_ms, about_send(id, channel, wrong));
        }
        let most = self.settings.limits.payload_bytes as usize;
        if data.text().len() > most {
            let reason = format!(
                "The data of a message may have {most} bytes of JSON text; this one has {}.",
                data.text().len()
            );
            return self.push(about_send(id, channel, error_saying(ErrorCode::TooLarge, reason)));
        }
        if !self.access.may_send(identity, &channel) {
            return self.push(about_send(id, channel, error(ErrorCode::Forbidden)));
        }
        let (user, name) = (identity.user.clone(), identity.name.clone());
        if let Err(put_off) =
            self.sending.submit(NewEntry { id, channel, user, name, event, data, action, target })
        {
            self.push(about_send(put_off.id, put_off.channel, error(ErrorCode::Deferred)));
        }
    }

    pub(super) fn appended(&mut self, outcomes: Option<Vec<Outcome>>) {
        let Some(outcomes) = outcomes else {
            let retry_after_ms = Some(self.settings.retry_after_ms);
            for put_off in self.sending.failed() {
                let code = if put_off.first { ErrorCode::Unavailable } else { ErrorCode::Deferred };
                let refused = Error { retry_after_ms, ..error(code) };
                self.push(about_send(put_off.id, put_off.channel, refused));
            }
            return;
        };
        for ((id, channel), outcome) in self.sending.stored().into_iter().zip(outcomes) {
            match outcome {
                Outcome::Stored(place) | Outcome::Copy(place) => {
                    self.push(Ack { id, channel, offset: place.offset, at: place.at });
                }
                Outcome::IdReused => self.push(about_send(id, channel, error(ErrorCode::IdReused))),
            }
        }
    }

    // Presence

    pub(super) fn presence(&mut self, change: Arc<PresenceChange>) {
        let Some(subscription) = self.subscriptions.get_mut(&change.channel) else { return };
        if subscription.stage == Stage::Opening {
            subscription.noted_presence.push(change);
        } else if change.version > subscription.presence_version {
            self.queue.push(Queued::Frame(change.text.clone()));
        }
    }

    // Liveness and the end

    pub(super) fn ping(&mut self, now_ms: u64) {
        self.said_at = now_ms;
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
