//! Connections under virtual time, with the real hub and with logs in memory. Nothing happens on its own: a test says when
//! the store answers, when mail is taken out and when the network takes a batch.
#![allow(unreachable_pub, reason = "a test program has no outside")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod connecting;
mod costs;
mod permission;
mod polling;
mod properties;
mod resuming;
mod sending;
mod talking;

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{
    Ack, Channel, ClientFrame, CloseCode, Done, Error, ErrorCode, Guest, Hello, History, Message, Payload,
    Send, ServerFrame, Signal, Subscribe, Subscribed, Typing, Uuid, batch,
};

use everwire_server::{
    auth::Rules,
    connection::{
        Binding, Connection, Input, Opened, Output, PollInput, PollOutput, Polling, ReceivedMark, Settings,
        Transport, batch_text, decode,
        mailbox::{MailboxReceiver, MailboxSender, mailbox},
    },
    hub::Hub,
    model::{
        identity::{Access, Credentials, Identity, Payer, RateClass, Refusal},
        log::{NewEntry, SendPermission},
    },
    sessions::Sessions,
    store::memory::Logs,
};

/// When every test begins, in ms since 1970.
const START: u64 = 1_800_000_000_000;

/// The rules of a server where guests may do everything, and tokens read like `user:expires_at` or
/// `user:expires_at:grant,grant`.
#[derive(Debug)]
struct TestRules(Rules);

impl Access for TestRules {
    fn identify(&self, credentials: &Credentials<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        let token = credentials.token.and_then(|token| token.split_once(':'));
        match token.map(|(user, rest)| (user, rest.split_once(':').unwrap_or((rest, "")))) {
            Some((_, (at, _))) if at.parse::<u64>().unwrap() <= now_ms => {
                Err(Refusal::of(ErrorCode::TokenExpired))
            }
            Some((user, (at, grants))) => Ok(Identity {
                user: user.into(),
                name: None,
                grants: grants.split(',').map(str::to_owned).collect(),
                expires_at: Some(at.parse().unwrap()),
                token: None,
                payer: Payer::User(user.into()),
            }),
            None => self.0.identify(credentials, now_ms),
        }
    }

    fn may_subscribe(&self, who: &Identity, channel: &Channel) -> bool {
        channel.as_str() != "private-secret" && self.0.may_subscribe(who, channel)
    }

    fn may_send(&self, who: &Identity, channel: &Channel) -> bool {
        self.may_subscribe(who, channel) && self.0.may_send(who, channel)
    }

    fn chat<'a>(&self, who: &Identity, channel: &'a Channel) -> Option<&'a str> {
        self.0.chat(who, channel)
    }

    fn pace(&self, who: &Identity, session: Uuid, what: RateClass, now_ms: u64) -> Result<(), u32> {
        self.0.pace(who, session, what, now_ms)
    }
}

enum Driven {
    Socket(Connection),
    Polls(Polling),
}

struct Driver {
    id: Uuid,
    session: Uuid,
    driven: Driven,
    mailbox: MailboxSender,
    receiver: MailboxReceiver,
    /// What the client has received.
    received: Vec<ServerFrame>,
    /// Responses to polls: the request, and the batch.
    responses: Vec<(u64, Vec<ServerFrame>)>,
    /// How it ended.
    #[expect(clippy::option_option, reason = "not ended, ended without a code, ended with one")]
    ended: Option<Option<CloseCode>>,
    /// Batches that the network has not taken.
    in_flight: usize,
    /// Whether the network takes everything at once.
    reads: bool,
}

struct World {
    now: u64,
    settings: Arc<Settings>,
    access: Arc<dyn Access>,
    logs: Logs,
    hub: Hub,
    sessions: Sessions,
    connections: Vec<Driver>,
    /// What the store has been asked for and has not answered.
    asked: VecDeque<(usize, Output)>,
    store_works: bool,
    /// What sessions said of how far their users have read.
    receipts: Vec<ReceivedMark>,
    next_id: u128,
}

impl World {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        Self {
            now: START,
            settings: Arc::new(settings),
            access: Arc::new(TestRules(Rules { dev: true, ..Rules::default() })),
            logs: Logs::new(1, 1000),
            hub: Hub::new(10_000),
            sessions: Sessions::default(),
            connections: Vec::new(),
            asked: VecDeque::new(),
            store_works: true,
            receipts: Vec::new(),
            next_id: 1,
        }
    }

    fn new_id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    // Connections

    fn add(&mut self, session: Uuid, driven: impl FnOnce(&Self, Uuid) -> Driven) -> usize {
        let id = self.new_id();
        let driven = driven(self, id);
        let (mailbox, receiver) = mailbox(self.settings.mailbox_messages);
        self.connections.push(Driver {
            id,
            session,
            driven,
            mailbox,
            receiver,
            received: Vec::new(),
            responses: Vec::new(),
            ended: None,
            in_flight: 0,
            reads: true,
        });
        self.connections.len() - 1
    }

    /// A WebSocket that has said nothing yet.
    fn open(&mut self) -> usize {
        let session = self.new_id();
        self.open_as(session)
    }

    fn open_as(&mut self, session: Uuid) -> usize {
        let index = self.add(session, |world, id| {
            let (settings, access) = (world.settings.clone(), world.access.clone());
            Driven::Socket(Connection::new(world.now, Transport::WebSocket, id, settings, access))
        });
        self.input(index, Input::Writable);
        index
    }

    /// A WebSocket of a guest, welcomed.
    fn connect(&mut self, user: &str) -> usize {
        let index = self.open();
        self.say(index, &[self.hello(index, user)]);
        self.run();
        self.take(index);
        index
    }

    fn poller(&mut self) -> usize {
        let session = self.new_id();
        self.poller_as(session)
    }

    fn poller_as(&mut self, session: Uuid) -> usize {
        self.add(session, |world, id| {
            let (settings, access) = (world.settings.clone(), world.access.clone());
            Driven::Polls(Polling::new(world.now, id, settings, access))
        })
    }

    fn hello(&self, index: usize, user: &str) -> ClientFrame {
        let session = self.connections[index].session;
        let guest = Some(Guest { user: user.into(), name: user.to_uppercase() });
        Hello { version: 1, session, token: None, guest, client: None }.into()
    }

    fn hello_with(&self, index: usize, token: &str) -> ClientFrame {
        let session = self.connections[index].session;
        Hello { version: 1, session, token: Some(token.into()), guest: None, client: None }.into()
    }

    // What happens

    fn input(&mut self, index: usize, input: Input) {
        let now = self.now;
        match &mut self.connections[index].driven {
            Driven::Socket(session) => session.handle(now, input),
            Driven::Polls(polling) => polling.handle(now, PollInput::Connection(input)),
        }
        self.drain(index);
    }

    fn say(&mut self, index: usize, frames: &[ClientFrame]) {
        self.say_text(index, &batch::encode(frames));
    }

    fn say_text(&mut self, index: usize, text: &str) {
        let batch = decode(text, &self.settings.limits);
        self.input(index, Input::Batch(batch));
    }

    /// A poll. Its number, for [`Self::response`].
    fn poll(
        &mut self,
        index: usize,
        user: &str,
        poll: (Option<Uuid>, u64, u32),
        frames: &[ClientFrame],
    ) -> u64 {
        let ClientFrame::Hello(hello) = self.hello(index, user) else { unreachable!() };
        let request = u64::try_from(self.new_id().as_u128()).unwrap();
        let (connection, ack, hold_ms) = poll;
        let poll = everwire_protocol::Poll { connection, ack, hold_ms };
        let frames = frames.iter().cloned().map(Ok).collect();
        let now = self.now;
        if let Driven::Polls(polling) = &mut self.connections[index].driven {
            polling.handle(now, PollInput::Request { request, hello, poll, frames });
        }
        self.drain(index);
        request
    }

    /// The answer to a poll, if it has been given.
    fn response(&self, index: usize, request: u64) -> Option<&[ServerFrame]> {
        let mut given = self.connections[index].responses.iter().filter(|(of, _)| *of == request);
        let found = given.next();
        assert!(given.next().is_none(), "a request is answered once");
        found.map(|(_, frames)| &**frames)
    }

    fn drain(&mut self, index: usize) {
        loop {
            let connection = &mut self.connections[index];
            let output = match &mut connection.driven {
                Driven::Socket(session) => session.poll_output(),
                Driven::Polls(polling) => match polling.poll_output() {
                    Some(PollOutput::Respond { request, text }) => {
                        connection.responses.push((request, read(&text)));
                        continue;
                    }
                    Some(PollOutput::End) => {
                        connection.ended = Some(None);
                        continue;
                    }
                    Some(PollOutput::Connection(output)) => Some(output),
                    None => None,
                },
            };
            match output {
                None => return,
                Some(Output::Send(frames)) => {
                    assert!(connection.ended.is_none());
                    connection.received.extend(read(&batch_text(&frames)));
                    connection.in_flight += 1;
                    if connection.reads {
                        self.write(index);
                    }
                }
                Some(Output::Close(code)) => connection.ended = Some(code),
                Some(Output::Open { key, opening }) => {
                    let member = opening.who.member();
                    self.hub.subscribe(&opening.channel, connection.id, &connection.mailbox, member);
                    self.asked.push_back((index, Output::Open { key, opening }));
                }
                Some(Output::Ephemeral(ephemeral)) => {
                    let from = self.sessions.connection(ephemeral.session);
                    self.hub.pass_on(*ephemeral, from);
                }
                Some(Output::Mark(mark)) => self.receipts.push(*mark),
                Some(Output::Idle { .. } | Output::Bye | Output::ForwardToSession { .. }) => {}
                Some(Output::Leave { channel, at_once }) => {
                    self.hub.leave(self.now, &channel, connection.id, at_once);
                }
                Some(output) => self.asked.push_back((index, output)),
            }
        }
    }

    /// The network takes a batch.
    fn write(&mut self, index: usize) {
        if self.connections[index].in_flight > 0 {
            self.connections[index].in_flight -= 1;
            self.input(index, Input::Writable);
        }
    }

    /// The store answers one question. Which of those that are open is the caller's choice.
    fn answer(&mut self, which: usize) {
        let Some((index, output)) = self.asked.remove(which) else { return };
        let connection = &self.connections[index];
        let works = self.store_works;
        let input = match output {
            Output::Bind { session, user, .. } => {
                let bound = self.logs.bound_user(session).map(str::to_owned);
                if bound.is_some_and(|bound| bound != *user) {
                    Input::Bound(Binding::Another)
                } else {
                    self.logs.bind(session, user.clone());
                    let (id, mailbox) = (connection.id, connection.mailbox.clone());
                    let transport = match connection.driven {
                        Driven::Socket(_) => Transport::WebSocket,
                        Driven::Polls(_) => Transport::Polling,
                    };
                    Input::Bound(self.sessions.attach(session, &user, id, transport, &mailbox))
                }
            }
            Output::Open { key, opening } => {
                let channel = opening.channel;
                let log = self.logs.log(&channel);
                let found = if works {
                    Ok(Opened { members: self.hub.members(&channel, None), ..Opened::bare(log) })
                } else {
                    Err(Refusal::of(ErrorCode::Unavailable))
                };
                Input::Opened { key, channel, found }
            }
            Output::Request(asked) => {
                let done = ServerFrame::Done(Done { id: asked.request.id(), chat: None });
                let answer =
                    if works { Ok(Box::new(done)) } else { Err(Refusal::of(ErrorCode::Unavailable)) };
                Input::Answer { id: asked.request.id(), answer }
            }
            Output::Read { key, channel, after, bounds, .. } => {
                let page = works.then(|| self.logs.page(&channel, after, bounds));
                Input::Page { key, channel, page }
            }
            Output::Append(entries) => {
                let mailbox = connection.mailbox.clone();
                return self.append(&entries, Some(&mailbox));
            }
            other => panic!("not a question to the store: {other:?}"),
        };
        connection.mailbox.input(input);
    }

    fn append(&mut self, entries: &[NewEntry], mailbox: Option<&MailboxSender>) {
        let (outcomes, stored) = if self.store_works {
            let (outcomes, stored) = self.logs.append(self.now, entries);
            (Some(outcomes), stored)
        } else {
            (None, Vec::new())
        };
        if let Some(mailbox) = mailbox {
            mailbox.input(Input::Appended(outcomes));
        }
        for entry in &stored {
            self.hub.publish(entry);
        }
    }

    /// Somebody else's messages are stored.
    fn store(&mut self, name: &str, count: u64) {
        for _ in 0..count {
            let id = self.new_id();
            let data = Payload::from_value(&id.to_string()).unwrap();
            let (channel, user) = (channel(name), "other".into());
            self.append(
                &[NewEntry {
                    id,
                    channel,
                    user,
                    name: None,
                    event: None,
                    data,
                    action: None,
                    target: None,
                    permission: SendPermission::Granted,
                }],
                None,
            );
        }
    }

    /// A connection takes out one piece of its mail. Returns whether there was one.
    fn mail(&mut self, index: usize) -> bool {
        let taken = self.take_mail(index);
        self.drain(index);
        taken
    }

    fn take_mail(&mut self, index: usize) -> bool {
        let Some(mail) = self.connections[index].receiver.try_take() else { return false };
        let Ok(input) = mail.into_input() else { return true };
        let now = self.now;
        match &mut self.connections[index].driven {
            Driven::Socket(session) => session.handle(now, input),
            Driven::Polls(polling) => polling.handle(now, PollInput::Connection(input)),
        }
        true
    }

    /// Until nothing more happens without time or a client.
    fn run(&mut self) {
        loop {
            // As a driver does: everything that is there is taken in before anything is sent.
            let mut mail = 0;
            for index in 0..self.connections.len() {
                mail += std::iter::repeat_with(|| self.take_mail(index)).take_while(|taken| *taken).count();
                self.drain(index);
            }
            if !self.asked.is_empty() {
                self.answer(0);
            } else if mail == 0 {
                return;
            }
        }
    }

    /// Time passes, and timers run when they are due.
    fn pass(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            self.run();
            let timeouts = self.connections.iter().enumerate().filter_map(|(index, connection)| {
                let at = match &connection.driven {
                    _ if connection.ended.is_some() => None,
                    Driven::Socket(session) => session.poll_timeout(),
                    Driven::Polls(polling) => polling.poll_timeout(),
                };
                at.map(|at| (at, index))
            });
            let Some((at, index)) = timeouts.min().filter(|(at, _)| *at <= end) else { break };
            self.now = at.max(self.now);
            let now = self.now;
            match &mut self.connections[index].driven {
                Driven::Socket(session) => session.handle_timeout(now),
                Driven::Polls(polling) => polling.handle_timeout(now),
            }
            self.drain(index);
        }
        self.now = end;
        self.hub.expire(end);
        self.run();
    }

    // What came of it

    /// What the client has received since this was last asked.
    fn take(&mut self, index: usize) -> Vec<ServerFrame> {
        std::mem::take(&mut self.connections[index].received)
    }

    fn ended(&self, index: usize) -> Option<CloseCode> {
        self.connections[index].ended.flatten()
    }
}

fn read(text: &str) -> Vec<ServerFrame> {
    let bounds = batch::Bounds { bytes: usize::MAX, frames: 256, ..batch::Bounds::default() };
    batch::decode::<ServerFrame>(text, &bounds).unwrap().into_iter().map(Result::unwrap).collect()
}

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

fn subscribe(name: &str) -> ClientFrame {
    Subscribe { channel: channel(name), epoch: None, offset: None, recent: None, undelivered: None }.into()
}

fn resume(name: &str, epoch: &str, offset: u64) -> ClientFrame {
    Subscribe {
        channel: channel(name),
        epoch: Some(epoch.into()),
        offset: Some(offset),
        recent: None,
        undelivered: None,
    }
    .into()
}

fn send(id: u128, name: &str) -> ClientFrame {
    let data = Payload::from_value(&id.to_string()).unwrap();
    Send { id: Uuid::from_u128(id), channel: channel(name), event: None, data, action: None, target: None }
        .into()
}

/// The offsets of the messages in `frames`.
fn offsets(frames: &[ServerFrame]) -> Vec<u64> {
    messages(frames).map(|message| message.offset).collect()
}

fn messages(frames: &[ServerFrame]) -> impl Iterator<Item = &Message> {
    frames.iter().filter_map(|frame| if let ServerFrame::Message(m) = frame { Some(m) } else { None })
}

fn acks(frames: &[ServerFrame]) -> Vec<&Ack> {
    frames.iter().filter_map(|frame| if let ServerFrame::Ack(a) = frame { Some(a) } else { None }).collect()
}

fn errors(frames: &[ServerFrame]) -> Vec<&Error> {
    frames.iter().filter_map(|frame| if let ServerFrame::Error(e) = frame { Some(e) } else { None }).collect()
}

fn subscribed(frames: &[ServerFrame]) -> Vec<&Subscribed> {
    frames
        .iter()
        .filter_map(|frame| if let ServerFrame::Subscribed(s) = frame { Some(s) } else { None })
        .collect()
}

fn kinds(frames: &[ServerFrame]) -> Vec<&'static str> {
    frames.iter().map(batch::Frame::kind).collect()
}

/// From 1 to `n`.
fn up_to(n: u64) -> Vec<u64> {
    (1..=n).collect()
}

fn typing(name: &str, typing: bool) -> ClientFrame {
    Typing { channel: channel(name), typing }.into()
}

fn signal(name: &str, event: &str, to: Option<Uuid>) -> ClientFrame {
    let data = Payload::from_value(&1).unwrap();
    Signal { channel: channel(name), event: event.into(), data, to }.into()
}

fn history(id: u128, name: &str) -> ClientFrame {
    let channel = channel(name);
    History { id: Uuid::from_u128(id), channel, before: None, after: None, limit: None }.into()
}
