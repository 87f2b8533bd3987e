//! A server node: its connections, each driving the server's own session, its hub, and what it does for them. What the
//! server's tasks do between awaits is done here between two events.

use std::{
    collections::{BTreeMap, VecDeque},
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use everwire_protocol::{Channel, ClientFrame, ErrorCode, Goaway, Uuid};
use everwire_server::{
    auth::{Access, Credentials, Identity, Refusal},
    hub::{
        Hub,
        inbox::{Inbox, Letters, Mail, inbox},
    },
    session::{
        Binding, Carrier, Input, Opened, Output, PollInput, PollOutput, Polling, Session, batch_text, decode,
    },
    store::NewEntry,
};

use super::{Address, EPOCH, Event, LookUp, Told, World, say, store::Writer};
use crate::{
    plant::Plant,
    violation::{Rule, violated},
};

/// How long a leave is held back, in ms.
const LEAVE_GRACE_MS: u64 = everwire_protocol::limits::LEAVE_GRACE_MS as u64;

/// A server process.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) up: bool,
    /// It was told to stop, and takes nobody in any more.
    pub(super) stopping: bool,
    /// Counts its lives.
    pub(super) boot: u32,
    pub(super) hub: Hub,
    pub(super) conns: BTreeMap<u64, Conn>,
    pub(super) writer: Writer,
    /// When the last of what other nodes stored arrives.
    pub(super) fed_at: u64,
    next_conn: u64,
}

impl Node {
    pub(super) fn new(boot: u32) -> Self {
        Self {
            up: true,
            stopping: false,
            boot,
            hub: Hub::new(LEAVE_GRACE_MS),
            conns: BTreeMap::new(),
            writer: Writer::default(),
            fed_at: 0,
            next_conn: u64::from(boot) << 32,
        }
    }

    pub(super) fn accepts(&self) -> bool {
        self.up && !self.stopping
    }
}

/// A connection on a node.
#[derive(Debug)]
pub(super) struct Conn {
    machine: Machine,
    pub(super) connection: Uuid,
    inbox: Inbox,
    letters: Letters,
    session: Option<Uuid>,
    turn: u64,
    /// What the client sent and the session does not want yet; `None` is the end.
    unread: VecDeque<Option<String>>,
    /// For planted bugs: the send that was refused, and how many responses were given.
    refused: Option<Uuid>,
    responses: u64,
}

#[derive(Debug)]
enum Machine {
    WebSocket { session: Box<Session>, link: usize },
    Polling(Box<Polling>),
    Post { session: Box<Session>, request: u64, answers: Vec<Arc<str>>, done: bool },
}

/// Who may do what: everybody with a token that has not expired, or a guest's name.
#[derive(Debug)]
pub(super) struct SimAccess;

impl Access for SimAccess {
    fn identify(&self, credentials: &Credentials<'_>, now_ms: u64) -> Result<Identity, Refusal> {
        let known = |user: &str, expires_at| Identity {
            user: user.into(),
            name: Some(user.into()),
            grants: Arc::default(),
            expires_at,
        };
        if let Some(guest) = credentials.guest {
            return Ok(known(&guest.user, None));
        }
        let (user, until) = credentials
            .token
            .and_then(|token| token.split_once(' '))
            .and_then(|(user, until)| Some((user, until.parse::<u64>().ok()?)))
            .ok_or_else(|| Refusal::of(ErrorCode::Unauthorized))?;
        if until <= now_ms {
            return Err(Refusal::new(ErrorCode::Unauthorized, "The token has expired."));
        }
        Ok(known(user, Some(until)))
    }

    fn may_subscribe(&self, _: &Identity, _: &Channel) -> bool {
        true
    }

    fn may_send(&self, _: &Identity, _: &Channel) -> bool {
        true
    }
}

impl World {
    fn new_conn(&mut self, node: usize, make: impl FnOnce(&Self, Uuid) -> Machine) -> Address {
        let on = &mut self.nodes[node];
        on.next_conn += 1;
        let (conn, boot) = (on.next_conn, on.boot);
        let connection = Uuid::from_u128(((node as u128 + 1) << 100) | u128::from(conn));
        let machine = make(self, connection);
        let (inbox, letters) = inbox();
        self.nodes[node].conns.insert(
            conn,
            Conn {
                machine,
                connection,
                inbox,
                letters,
                session: None,
                turn: 0,
                unread: VecDeque::new(),
                refused: None,
                responses: 0,
            },
        );
        Address { node, boot, conn }
    }

    /// A WebSocket was accepted.
    pub(super) fn accept(&mut self, link: usize) {
        let node = self.links[link].node;
        let address = self.new_conn(node, |world, connection| {
            let (settings, access) = (world.settings.clone(), world.access.clone());
            let session = Session::new(world.server_ms(), Carrier::WebSocket, connection, settings, access);
            Machine::WebSocket { session: Box::new(session), link }
        });
        self.links[link].conn = Some(address.conn);
        self.answer(address, Input::Writable);
    }

    /// The network brings a text, or (`None`) the end.
    pub(super) fn conn_reads(&mut self, link: usize, text: Option<String>) {
        let on = &self.links[link];
        let (node, boot) = (on.node, on.boot);
        let Some(conn) = on.conn else { return };
        if let Some(there) = self.nodes[node].conns.get_mut(&conn) {
            there.unread.push_back(text);
            self.serve(Address { node, boot, conn });
            self.pump(node);
        }
    }

    /// A request, as the server's `carriers/poll.rs` treats it.
    pub(super) fn accept_request(&mut self, request: usize, copy: bool) {
        let node = self.requests[request].node;
        let key = request as u64 * 2 + u64::from(copy);
        let (client, token) = (self.requests[request].client, self.requests[request].token.clone());
        let Ok(frames) = decode(&self.requests[request].body, &self.settings.limits) else {
            return self.broken(violated(Rule::Protocol, format!("c{client} posted what is no batch")));
        };
        let mut frames = frames.into_iter();
        let Some(Ok(ClientFrame::Hello(mut hello))) = frames.next() else {
            return self.broken(violated(Rule::Protocol, format!("c{client} posted without hello")));
        };
        if token.is_some() {
            hello.token = token;
        }
        let (mut poll, mut rest) = (None, Vec::new());
        for frame in frames {
            match frame {
                Ok(ClientFrame::Poll(frame)) => poll = Some(frame),
                frame => rest.push(frame),
            }
        }
        let now = self.server_ms();
        let (settings, access) = (self.settings.clone(), self.access.clone());
        let Some(mut poll) = poll else {
            let batch = std::iter::once(Ok(ClientFrame::Hello(hello))).chain(rest).collect();
            let address = self.new_conn(node, |_, connection| {
                let session = Session::new(now, Carrier::Post, connection, settings, access);
                Machine::Post { session: Box::new(session), request: key, answers: Vec::new(), done: false }
            });
            self.requests[request].conn = Some(address.conn);
            return self.answer(address, Input::Batch(Ok(batch)));
        };
        let known =
            poll.connection.filter(|id| self.nodes[node].hub.sessions.polling(hello.session, *id).is_some());
        let known = known.and_then(|id| self.nodes[node].conns.iter().find(|(_, c)| c.connection == id));
        let conn = if let Some((conn, _)) = known {
            *conn
        } else {
            let make = |_: &Self, connection| {
                Machine::Polling(Box::new(Polling::new(now, connection, settings, access)))
            };
            self.new_conn(node, make).conn
        };
        self.requests[request].conn = Some(conn);
        let forgets = self.planted(Plant::ResponseNotRetained);
        let boot = self.nodes[node].boot;
        if let Some(there) = self.nodes[node].conns.get_mut(&conn) {
            if forgets && poll.connection == Some(there.connection) {
                poll.ack = poll.ack.max(there.responses);
            }
            if let Machine::Polling(polling) = &mut there.machine {
                polling.handle(now, PollInput::Request { request: key, hello, poll, frames: rest });
            }
        }
        self.serve(Address { node, boot, conn });
        self.pump(node);
    }

    /// The client of a request is gone.
    pub(super) fn abandon(&mut self, request: usize) {
        let node = self.requests[request].node;
        let Some(conn) = self.requests[request].conn else { return };
        let (now, boot) = (self.server_ms(), self.nodes[node].boot);
        let Some(there) = self.nodes[node].conns.get_mut(&conn) else { return };
        match &mut there.machine {
            Machine::Polling(polling) => {
                for key in [request as u64 * 2, request as u64 * 2 + 1] {
                    polling.handle(now, PollInput::Abandoned { request: key });
                }
                self.serve(Address { node, boot, conn });
                self.pump(node);
            }
            // The task that worked for it is dropped; what it handed to the store is stored.
            Machine::Post { .. } => self.forget(Address { node, boot, conn }),
            Machine::WebSocket { .. } => {}
        }
    }

    /// Something happens to a connection's session.
    pub(super) fn answer(&mut self, address: Address, input: Input) {
        let now = self.server_ms();
        let on = &mut self.nodes[address.node];
        if on.boot != address.boot {
            return;
        }
        let Some(conn) = on.conns.get_mut(&address.conn) else { return };
        conn.machine.handle(now, input);
        self.serve(address);
        self.pump(address.node);
    }

    pub(super) fn conn_timer(&mut self, address: Address, turn: u64) {
        let now = self.server_ms();
        let on = &mut self.nodes[address.node];
        if on.boot != address.boot {
            return;
        }
        let Some(conn) = on.conns.get_mut(&address.conn).filter(|conn| conn.turn == turn) else { return };
        match &mut conn.machine {
            Machine::WebSocket { session, .. } | Machine::Post { session, .. } => session.handle_timeout(now),
            Machine::Polling(polling) => polling.handle_timeout(now),
        }
        self.serve(address);
        self.pump(address.node);
    }

    /// Lets all connections of a node take what is in their inboxes.
    pub(super) fn pump(&mut self, node: usize) {
        let boot = self.nodes[node].boot;
        loop {
            let mut busy = false;
            let conns: Vec<u64> = self.nodes[node].conns.keys().copied().collect();
            for conn in conns {
                let now = self.server_ms();
                let Some(there) = self.nodes[node].conns.get_mut(&conn) else { continue };
                let mut letters = take(&mut there.letters);
                if letters.is_empty() {
                    continue;
                }
                busy = true;
                in_order(&mut letters);
                for mail in letters {
                    let input = match mail {
                        Mail::Entry(entry) => Input::Entry(entry),
                        Mail::Presence(change) => Input::Presence(change),
                        Mail::Input(input) => *input,
                        Mail::Left(channel) => Input::Left(channel.map(|channel| *channel)),
                        Mail::Poll(_) | Mail::Abandoned(_) => continue,
                    };
                    there.machine.handle(now, input);
                }
                if there.letters.overflowed() {
                    there.machine.handle(now, Input::Overflow);
                }
                self.serve(Address { node, boot, conn });
            }
            if !busy {
                break;
            }
        }
        if let Some(at) = self.nodes[node].hub.expire(self.server_ms()) {
            self.at(at - EPOCH, Event::Presence { node, boot });
        }
    }

    pub(super) fn presence_timer(&mut self, node: usize, boot: u32) {
        if self.nodes[node].boot == boot && self.nodes[node].up {
            self.nodes[node].hub.expire(self.server_ms());
            self.pump(node);
        }
    }

    /// Carries out what a connection wants, until it wants nothing.
    fn serve(&mut self, address: Address) {
        let Some(mut conn) = self.nodes[address.node].conns.remove(&address.conn) else { return };
        let mut over = false;
        while !over {
            over = self.perform(address, &mut conn);
            if over || !self.read(address, &mut conn) {
                break;
            }
        }
        if over {
            self.end(address.node, conn);
            return;
        }
        conn.turn += 1;
        let turn = conn.turn;
        let due = match &conn.machine {
            Machine::WebSocket { session, .. } | Machine::Post { session, .. } => session.poll_timeout(),
            Machine::Polling(polling) => polling.poll_timeout(),
        };
        self.nodes[address.node].conns.insert(address.conn, conn);
        if let Some(due) = due {
            self.at(due.saturating_sub(EPOCH).max(self.now + 1), Event::ConnTimer { conn: address, turn });
        }
    }

    /// Gives the session what the client sent, if it wants it. Returns whether it got something.
    fn read(&mut self, address: Address, conn: &mut Conn) -> bool {
        let Machine::WebSocket { session, .. } = &mut conn.machine else { return false };
        if conn.unread.is_empty() || !session.wants_batch() {
            return false;
        }
        let now = self.server_ms();
        match conn.unread.pop_front().flatten() {
            Some(text) => {
                let mut batch = decode(&text, &self.settings.limits);
                if let (Some(refused), Ok(frames)) = (conn.refused, &mut batch) {
                    let user: Arc<str> = session.user().unwrap_or_default().into();
                    let passed = let_pass(frames, refused, &user);
                    match passed {
                        Some(entries) if !entries.is_empty() => self.append(address, entries, Told::Client),
                        Some(_) => {}
                        None => conn.refused = None,
                    }
                }
                session.handle(now, Input::Batch(batch));
            }
            None => session.handle(now, Input::Gone),
        }
        true
    }

    /// Carries out outputs. Returns whether the connection is over.
    fn perform(&mut self, address: Address, conn: &mut Conn) -> bool {
        loop {
            match &mut conn.machine {
                Machine::WebSocket { session, link } => {
                    let link = *link;
                    match session.poll_output() {
                        None => return false,
                        Some(Output::Send(frames)) => {
                            let text: Arc<str> = batch_text(&frames).into();
                            if let Some(ms) = self.link_down(link, &text) {
                                self.after(ms, Event::Writable { conn: address });
                            }
                        }
                        Some(Output::Close(code)) => {
                            say!(self, format!("n{}", address.node), "closes WebSocket {link}: {code:?}");
                            self.link_closed_by_server(
                                link,
                                code.map_or(1006, everwire_protocol::CloseCode::as_u16),
                            );
                            return true;
                        }
                        Some(output) => self.perform_session(address, conn, output, Carrier::WebSocket),
                    }
                }
                Machine::Polling(polling) => match polling.poll_output() {
                    None => return false,
                    Some(PollOutput::Respond { request, text }) => {
                        if text.contains("\"polled\"") {
                            conn.responses += 1;
                        }
                        self.respond((request / 2) as usize, text.to_string());
                    }
                    Some(PollOutput::End) => return true,
                    Some(PollOutput::Session(output)) => {
                        self.perform_session(address, conn, output, Carrier::Polling);
                    }
                },
                Machine::Post { session, request, answers, done } => {
                    if let Some(output) = session.poll_output() {
                        if let Output::Close(_) = output {
                            *done = true;
                        } else {
                            self.perform_session(address, conn, output, Carrier::Post);
                        }
                        continue;
                    }
                    answers.extend(session.take_batch());
                    if session.is_settled() && session.is_empty() || *done {
                        let (text, request) = (batch_text(answers), *request);
                        self.respond((request / 2) as usize, text);
                        return true;
                    }
                    return false;
                }
            }
        }
    }

    /// What the server's `Link` does for all carriers.
    fn perform_session(&mut self, address: Address, conn: &mut Conn, output: Output, carrier: Carrier) {
        let look_up = match output {
            Output::Bind { session, user } => {
                conn.session = Some(session);
                let (connection, inbox) = (conn.connection, conn.inbox.clone());
                LookUp::Bind { session, user, carrier, connection, inbox }
            }
            Output::Open { key, channel, member } => {
                self.nodes[address.node].hub.subscribe(&channel, conn.connection, &conn.inbox, member);
                LookUp::Open { key, channel }
            }
            Output::Read { key, channel, after, bounds } => LookUp::Read { key, channel, after, bounds },
            Output::Leave { channel, at_once } => {
                let now = self.server_ms();
                return self.nodes[address.node].hub.leave(now, &channel, conn.connection, at_once);
            }
            Output::Append(entries) => return self.append(address, entries, Told::Session),
            Output::Elsewhere { session, channel } => {
                return self.nodes[address.node]
                    .hub
                    .sessions
                    .tell(session, Mail::Left(channel.map(Box::new)));
            }
            Output::Send(_) | Output::Close(_) => return,
        };
        let takes = self.store_takes(|dice, usual| dice.between(0, usual), 3);
        self.after(takes, Event::LookUp { conn: address, what: Box::new(look_up) });
    }

    /// The store looks; the answer takes its way.
    pub(super) fn look_up(&mut self, address: Address, what: LookUp) {
        let node = address.node;
        if self.nodes[node].boot != address.boot {
            return;
        }
        let fails = self.store.fails_until > self.now;
        let input = match what {
            LookUp::Bind { session, user, carrier, connection, inbox } => {
                let live = self.nodes[node].hub.sessions.user(session);
                let stored = self.store.logs.bound_user(session).filter(|_| !fails).map(str::to_owned);
                let binding = if live.or(stored).is_some_and(|bound| *bound != *user) {
                    Binding::Another
                } else {
                    self.store.logs.bind(session, user.clone());
                    if carrier == Carrier::Post {
                        Binding::Yours
                    } else {
                        let sessions = &self.nodes[node].hub.sessions;
                        let binding = sessions.attach(session, &user, connection, carrier, &inbox);
                        if inbox.is_closed() {
                            sessions.detach(session, connection);
                        }
                        binding
                    }
                };
                Input::Bound(binding)
            }
            LookUp::Open { key, channel } => {
                let log = self.store.logs.log(&channel);
                self.ledger.open(&channel, &log.epoch);
                let members = self.nodes[node].hub.members(&channel);
                Input::Opened { key, channel, found: (!fails).then_some(Opened { log, members }) }
            }
            LookUp::Read { key, channel, after, bounds } => {
                let mut page = self.store.logs.page(&channel, after, bounds);
                if self.planted(Plant::ReplayOffByOne) && page.entries.len() > 1 {
                    page.entries.pop();
                    page.log.head = page.entries.last().map_or(0, |entry| entry.offset);
                }
                Input::Page { key, channel, page: (!fails).then_some(page) }
            }
        };
        let back = self.dice.between(0, 2);
        self.after(back, Event::Answer { conn: address, input: Box::new(input) });
        // A session that was replaced hears of it now.
        self.pump(node);
    }

    /// All connections of a node are told that it stops.
    pub(super) fn goaway(&mut self, node: usize, goaway: &Goaway) {
        let boot = self.nodes[node].boot;
        let conns: Vec<u64> = self.nodes[node].conns.keys().copied().collect();
        for conn in conns {
            let post =
                self.nodes[node].conns.get(&conn).is_some_and(|c| matches!(c.machine, Machine::Post { .. }));
            if !post {
                self.answer(Address { node, boot, conn }, Input::Goaway(goaway.clone()));
            }
        }
    }

    /// Drops a connection whose carrier is gone.
    pub(super) fn forget(&mut self, address: Address) {
        if let Some(conn) = self.nodes[address.node].conns.remove(&address.conn) {
            self.end(address.node, conn);
        }
    }

    fn end(&mut self, node: usize, mut conn: Conn) {
        conn.letters.close();
        if let Some(session) = conn.session {
            self.nodes[node].hub.sessions.detach(session, conn.connection);
        }
    }

    /// The planted bug: a batch goes to the client past the session.
    pub(super) fn say_directly(&mut self, address: Address, text: &Arc<str>) {
        let conn = self.nodes[address.node].conns.get(&address.conn);
        if let Some(Machine::WebSocket { link, .. }) = conn.map(|conn| &conn.machine) {
            self.link_down(*link, text);
        }
    }

    /// The planted bug: what comes after a refused send is stored.
    pub(super) fn let_others_pass(&mut self, address: Address, refused: Option<Uuid>) {
        if let Some(conn) = self.nodes[address.node].conns.get_mut(&address.conn) {
            conn.refused = refused;
        }
    }
}

impl Machine {
    fn handle(&mut self, now: u64, input: Input) {
        match self {
            Self::WebSocket { session, .. } | Self::Post { session, .. } => session.handle(now, input),
            Self::Polling(polling) => polling.handle(now, PollInput::Session(input)),
        }
    }
}

/// All that is in an inbox.
fn take(letters: &mut Letters) -> Vec<Mail> {
    let mut mail = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    // It is ready at once if there is anything, and else forgotten.
    let _ = pin!(letters.take(&mut mail, usize::MAX)).poll(&mut context);
    mail
}

/// The hub goes over its channels in no certain order when several graces end at the same moment. A run has to be the
/// same each time, so changes of different channels that came together are put in the order of their names.
fn in_order(mail: &mut [Mail]) {
    let presence = |mail: &Mail| matches!(mail, Mail::Presence(_));
    for run in mail.chunk_by_mut(|a, b| presence(a) && presence(b)) {
        run.sort_by(|a, b| match (a, b) {
            (Mail::Presence(a), Mail::Presence(b)) => a.channel.cmp(&b.channel),
            _ => std::cmp::Ordering::Equal,
        });
    }
}

/// The planted bug: takes the sends out of a batch, unless the refused one is among them.
fn let_pass(
    frames: &mut Vec<Result<ClientFrame, everwire_server::session::BadFrame>>,
    refused: Uuid,
    user: &Arc<str>,
) -> Option<Vec<NewEntry>> {
    if frames.iter().flatten().any(|frame| matches!(frame, ClientFrame::Send(send) if send.id == refused)) {
        return None;
    }
    let mut entries = Vec::new();
    frames.retain(|frame| match frame {
        Ok(ClientFrame::Send(send)) => {
            let (user, name) = (user.clone(), Some(user.clone()));
            let (id, channel) = (send.id, send.channel.clone());
            let (event, data) = (send.event.clone(), send.data.clone());
            let (action, target) = (send.action, send.target);
            entries.push(NewEntry { id, channel, user, name, event, data, action, target });
            false
        }
        _ => true,
    });
    Some(entries)
}
