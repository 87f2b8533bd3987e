//! The world around connections: the hub, logs in memory, and a store that answers when a test says so.

use super::*;

/// When every test begins, in ms since 1970.
pub const START: u64 = 1_800_000_000_000;

pub enum Driven {
    Socket(Connection),
    Polls(Polling),
}

pub struct Driver {
    pub id: Uuid,
    pub session: Uuid,
    pub driven: Driven,
    pub transport: Transport,
    pub mailbox: MailboxSender,
    pub receiver: MailboxReceiver,
    /// What the client has received.
    pub received: Vec<ServerFrame>,
    /// Responses to polls: the request, and the batch.
    pub responses: Vec<(u64, Vec<ServerFrame>)>,
    /// How it ended.
    #[expect(clippy::option_option, reason = "not ended, ended without a code, ended with one")]
    pub ended: Option<Option<CloseCode>>,
    /// Batches that the network has not taken.
    pub in_flight: usize,
    /// Whether the network takes everything at once.
    pub reads: bool,
}

pub struct World {
    pub now: u64,
    pub settings: Arc<Settings>,
    pub access: Arc<dyn Access>,
    pub logs: Logs,
    pub hub: Hub,
    pub sessions: Sessions,
    pub connections: Vec<Driver>,
    /// What the store has been asked for and has not answered.
    pub asked: VecDeque<(usize, Output)>,
    pub store_works: bool,
    /// What sessions said of how far their users have read.
    pub receipts: Vec<ReceivedMark>,
    /// Who said to be idle (true) or active.
    pub idle: Vec<bool>,
    /// What POSTs passed on to their session's connection: a channel to leave, or (`None`) its end.
    pub forwarded: Vec<Option<Channel>>,
    /// The names that reached the lists of channels.
    pub renamed: Vec<Option<Arc<str>>>,
    /// The ids of the tokens by which revocations were told to look for connections.
    pub tokens: Vec<Option<Arc<str>>>,
    pub next_id: u128,
}

impl World {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    pub fn with(settings: Settings) -> Self {
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
            idle: Vec::new(),
            forwarded: Vec::new(),
            renamed: Vec::new(),
            tokens: Vec::new(),
            next_id: 1,
        }
    }

    pub fn new_id(&mut self) -> Uuid {
        self.next_id += 1;
        Uuid::from_u128(self.next_id)
    }

    // Connections

    pub fn add(&mut self, session: Uuid, driven: impl FnOnce(&Self, Uuid) -> Driven) -> usize {
        let id = self.new_id();
        let driven = driven(self, id);
        let (mailbox, receiver) = mailbox(self.settings.mailbox_messages);
        self.connections.push(Driver {
            id,
            session,
            driven,
            transport: Transport::WebSocket,
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
    pub fn open(&mut self) -> usize {
        let session = self.new_id();
        self.open_as(session)
    }

    pub fn open_as(&mut self, session: Uuid) -> usize {
        self.open_by(Transport::WebSocket, session)
    }

    /// Another transport than a WebSocket, driven like one.
    pub fn open_by(&mut self, transport: Transport, session: Uuid) -> usize {
        let index = self.add(session, |world, id| {
            let (settings, access) = (world.settings.clone(), world.access.clone());
            Driven::Socket(Connection::new(world.now, transport, id, settings, access))
        });
        self.connections[index].transport = transport;
        self.input(index, Input::Writable);
        index
    }

    /// A POST of a guest. What it is answered.
    pub fn post(&mut self, user: &str, frames: &[ClientFrame]) -> Vec<ServerFrame> {
        self.post_text(user, batch::encode(frames).trim_start_matches('['))
    }

    /// The same; `rest` is what follows `hello` in the batch.
    pub fn post_text(&mut self, user: &str, rest: &str) -> Vec<ServerFrame> {
        let session = self.new_id();
        let index = self.open_by(Transport::Post, session);
        let hello = batch::encode(&[self.hello(index, user)]);
        self.say_text(index, &format!("{},{rest}", hello.trim_end_matches(']')));
        self.run();
        self.take(index)
    }

    /// A WebSocket of a guest, welcomed.
    pub fn connect(&mut self, user: &str) -> usize {
        let index = self.open();
        self.say(index, &[self.hello(index, user)]);
        self.run();
        self.take(index);
        index
    }

    pub fn poller(&mut self) -> usize {
        let session = self.new_id();
        self.poller_as(session)
    }

    pub fn poller_as(&mut self, session: Uuid) -> usize {
        self.add(session, |world, id| {
            let (settings, access) = (world.settings.clone(), world.access.clone());
            Driven::Polls(Polling::new(world.now, id, settings, access))
        })
    }

    pub fn hello(&self, index: usize, user: &str) -> ClientFrame {
        let session = self.connections[index].session;
        let guest = Some(Guest { user: user.into(), name: user.to_uppercase() });
        Hello { version: 1, versions: None, features: None, session, token: None, guest, client: None }.into()
    }

    pub fn hello_with(&self, index: usize, token: &str) -> ClientFrame {
        let session = self.connections[index].session;
        Hello {
            version: 1,
            versions: None,
            features: None,
            session,
            token: Some(token.into()),
            guest: None,
            client: None,
        }
        .into()
    }

    // What happens

    pub fn input(&mut self, index: usize, input: Input) {
        let now = self.now;
        match &mut self.connections[index].driven {
            Driven::Socket(session) => session.handle(now, input),
            Driven::Polls(polling) => polling.handle(now, PollInput::Connection(input)),
        }
        self.drain(index);
    }

    pub fn say(&mut self, index: usize, frames: &[ClientFrame]) {
        self.say_text(index, &batch::encode(frames));
    }

    pub fn say_text(&mut self, index: usize, text: &str) {
        let batch = decode(text, &self.settings.limits);
        self.input(index, Input::Batch(batch));
    }

    /// A poll. Its number, for [`Self::response`].
    pub fn poll(
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
    pub fn response(&self, index: usize, request: u64) -> Option<&[ServerFrame]> {
        let mut given = self.connections[index].responses.iter().filter(|(of, _)| *of == request);
        let found = given.next();
        assert!(given.next().is_none(), "a request is answered once");
        found.map(|(_, frames)| &**frames)
    }

    pub fn drain(&mut self, index: usize) {
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
                    self.hub.subscribe(&opening.channel, (connection.id, key), &connection.mailbox, member);
                    self.asked.push_back((index, Output::Open { key, opening }));
                }
                Some(Output::Ephemeral(ephemeral)) => {
                    let from = self.sessions.connection(ephemeral.session);
                    self.hub.pass_on(*ephemeral, from);
                }
                Some(Output::Mark(mark)) => self.receipts.push(*mark),
                Some(Output::Idle { idle, .. }) => self.idle.push(idle),
                Some(Output::ForwardToSession { channel, .. }) => self.forwarded.push(channel),
                Some(Output::Bye) => {}
                Some(Output::UseToken(who)) => self.tokens.push(who.token.and_then(|token| token.id)),
                Some(Output::Rename { who, channels, .. }) => {
                    self.renamed.push(who.name.clone());
                    for channel in channels {
                        self.hub.rename(&channel, connection.id, who.member());
                    }
                }
                Some(Output::Leave { channel, at_once }) => {
                    self.hub.leave(self.now, &channel, connection.id, at_once);
                }
                Some(output) => self.asked.push_back((index, output)),
            }
        }
    }

    /// The network takes a batch.
    pub fn write(&mut self, index: usize) {
        if self.connections[index].in_flight > 0 {
            self.connections[index].in_flight -= 1;
            self.input(index, Input::Writable);
        }
    }

    /// The store answers one question. Which of those that are open is the caller's choice.
    pub fn answer(&mut self, which: usize) {
        let Some((index, output)) = self.asked.remove(which) else { return };
        let connection = &self.connections[index];
        let works = self.store_works;
        let input = match output {
            Output::Bind { session, user, .. } => {
                let bound = self.logs.bound_user(session).map(str::to_owned);
                if bound.is_some_and(|bound| bound != *user) {
                    Input::Bound(Binding::Another)
                } else if connection.transport == Transport::Post {
                    Input::Bound(Binding::Yours)
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
                let seen = |(offset, run): (u64, Arc<str>)| self.logs.has_seen(&channel, offset, &run);
                let diverged = opening.seen.is_some_and(|at| !seen(at));
                let found = if works {
                    Ok(Opened { diverged, members: self.hub.members(&channel, None), ..Opened::bare(log) })
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

    pub fn append(&mut self, entries: &[NewEntry], mailbox: Option<&MailboxSender>) {
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
            self.hub.publish(self.now, std::slice::from_ref(entry), &mut Flushes::default());
        }
    }

    /// Somebody else's messages are stored.
    pub fn store(&mut self, name: &str, count: u64) {
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
    pub fn mail(&mut self, index: usize) -> bool {
        let taken = self.take_mail(index);
        self.drain(index);
        taken
    }

    pub fn take_mail(&mut self, index: usize) -> bool {
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
    pub fn run(&mut self) {
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
    pub fn pass(&mut self, ms: u64) {
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

    /// The state machine, whatever its transport.
    pub fn machine(&self, index: usize) -> &Connection {
        match &self.connections[index].driven {
            Driven::Socket(connection) => connection,
            Driven::Polls(polling) => polling.connection(),
        }
    }

    /// The connection by polling.
    pub fn polling_of(&mut self, index: usize) -> &mut Polling {
        match &mut self.connections[index].driven {
            Driven::Polls(polling) => polling,
            Driven::Socket(_) => panic!("not by polling"),
        }
    }

    /// The answer to what the store was asked for, if it is the opening of a channel, in a test's own words.
    pub fn answer_opening(&mut self, found: impl FnOnce(Opened) -> Result<Opened, Refusal>) {
        let Some((index, Output::Open { key, opening })) = self.asked.pop_front() else {
            panic!("no channel is to be opened")
        };
        let channel = opening.channel;
        let found = found(Opened::bare(self.logs.log(&channel)));
        self.input(index, Input::Opened { key, channel, found });
    }

    /// What the client has received since this was last asked.
    pub fn take(&mut self, index: usize) -> Vec<ServerFrame> {
        std::mem::take(&mut self.connections[index].received)
    }

    pub fn ended(&self, index: usize) -> Option<CloseCode> {
        self.connections[index].ended.flatten()
    }
}
