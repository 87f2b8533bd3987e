//! A server node: the real one, on an executor under virtual time, and its connections, each with the real effects. What
//! the server's transports do between two awaits is done here and in `serve.rs` between two events.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use everwire_protocol::{Channel, ClientFrame, Goaway, ServerFrame, Uuid, batch};
use everwire_server::{
    auth::Bans,
    connection::{
        BadFrame, Connection, Input, PollInput, Polling, Settings, Transport, decode_request,
        shared::SharedConnection,
    },
    environment::Environment as _,
    model::identity::{Access, Identity},
    node::{Effects, Node, NodeOptions},
};

use super::{
    Address, World,
    access::{RealAccess, SimAccess},
    leaving::End,
    rights::tokens_in,
    sockets::{SimWriter, Woken},
};
use crate::{
    executor::Executor,
    mutants::Mutant,
    violation::{Rule, violated},
};

/// How long a leave is held back, in ms.
const LEAVE_GRACE_MS: u64 = everwire_protocol::limits::LEAVE_GRACE_MS as u64;
/// How long users have to come back unnoticed after a restart, in ms.
const RETURN_MS: u64 = 10_000;

/// A server process.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) up: bool,
    /// It was told to stop, and takes nobody in any more.
    pub(super) stopping: bool,
    /// Counts its lives.
    pub(super) boot: u32,
    pub(super) conns: BTreeMap<u64, Box<Conn>>,
    /// The node of this life, while it is up.
    node: Option<Arc<Node>>,
    pub(super) executor: Option<Executor>,
    /// When its executor is to run next, and an event is queued for it.
    pub(super) wakes_at: Option<u64>,
    /// Until then every second connection does not run, the even or the odd ones.
    pub(super) stalled: Option<(u64, u64)>,
    /// When the last of what other nodes stored arrives.
    pub(super) fed_at: u64,
    next_conn: u64,
}

impl Process {
    /// A process that does not run.
    pub(super) fn new(boot: u32) -> Self {
        Self {
            up: false,
            stopping: false,
            boot,
            conns: BTreeMap::new(),
            node: None,
            executor: None,
            wakes_at: None,
            stalled: None,
            fed_at: 0,
            next_conn: u64::from(boot) << 32,
        }
    }

    pub(super) fn accepts(&self) -> bool {
        self.up && !self.stopping
    }

    /// The node, while it is up.
    pub(super) fn node(&self) -> Option<&Arc<Node>> {
        self.node.as_ref()
    }

    /// Ends this life: whatever its tasks were doing is not done.
    pub(super) fn die(&mut self) {
        self.conns.clear();
        self.executor = None;
        *self = Self::new(self.boot + 1);
    }
}

/// A connection on a node.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) machine: Machine,
    pub(super) effects: Effects,
    /// The client's page that it belongs to.
    pub(super) owner: (usize, u32),
    pub(super) turn: u64,
    /// Set if somebody who is not the driver finds that the driver has something to do.
    pub(super) woken: Arc<Woken>,
    /// For when its timer is set.
    pub(super) timer_at: Option<u64>,
    /// When it began, in virtual ms.
    pub(super) since: u64,
    /// What the client sent and the session does not want yet; `None` is the end.
    pub(super) unread: VecDeque<Option<String>>,
    /// Who has signed in, as the last token says that was accepted.
    pub(super) who: Option<Identity>,
    /// Channels that this token does not grant, since it came.
    pub(super) lost: BTreeMap<Channel, End>,
    /// Channels that were ever subscribed on it.
    pub(super) subscribed: BTreeSet<Channel>,
    /// The sends and requests of batches that are refused as a whole, until that is said.
    pub(super) refused: VecDeque<Vec<Uuid>>,
    /// For a planted bug: how many responses were given, and where they led.
    responses: u64,
    led: BTreeMap<Channel, (String, u64)>,
}

#[derive(Debug)]
pub(super) enum Machine {
    WebSocket { session: Arc<SharedConnection<SimWriter>>, link: usize },
    Polling(Box<Polling>),
    Post { session: Box<Connection>, request: u64, answers: Vec<Arc<str>>, done: bool },
}

impl World {
    /// Starts a process. Its node is there at once: what it reads at the start does not take time.
    pub(super) fn start_process(&mut self, node: usize) {
        let boot = self.nodes[node].boot;
        let ids = ((node as u128 + 1) << 100) | (u128::from(boot) << 64);
        let rng = self.case.rng().fork(20_000 + node as u64).fork(u64::from(boot));
        let planted = self.mutant.and_then(Mutant::of_server);
        let mut executor = Executor::new(self.clock.clone(), ids, planted, rng);
        let environment = executor.environment().clone();
        if self.nodes.iter().all(|node| !node.up) {
            let tag = self.store.data().begin_run();
            self.ledger.begin_run(&tag);
        }
        let store = Arc::new(self.store.of(node, &environment));
        let bans = Arc::<Bans>::default();
        let access: Arc<dyn Access> = match &self.rights {
            Some(_) => Arc::new(RealAccess::new(bans.clone())),
            None => Arc::new(SimAccess),
        };
        let options = NodeOptions {
            settings: self.settings.clone(),
            access,
            bans,
            leave_grace_ms: LEAVE_GRACE_MS,
            return_ms: RETURN_MS,
        };
        let started = Arc::new(Mutex::new(None));
        let (result, on) = (started.clone(), Arc::new(environment.clone()));
        environment.spawn(Box::pin(async move {
            let node = Node::start(on, store, options).await;
            *result.lock().unwrap_or_else(PoisonError::into_inner) = node.ok();
        }));
        let ran = executor.run();
        let process = &mut self.nodes[node];
        process.node = started.lock().unwrap_or_else(PoisonError::into_inner).take();
        process.executor = Some(executor);
        process.up = true;
        if ran.is_err() || process.node.is_none() {
            return self.broken(violated(Rule::Hangs, format!("n{node} does not start")));
        }
        self.pump(node);
    }

    /// The settings of a node's connections, which name the run of its store.
    fn settings_of(&self, node: usize) -> Arc<Settings> {
        self.nodes[node].node().map_or_else(|| self.settings.clone(), |node| node.settings.clone())
    }

    /// The permissions as a node knows them.
    fn access_of(&self, node: usize) -> Arc<dyn Access> {
        self.nodes[node]
            .node()
            .map_or_else(|| Arc::new(SimAccess) as Arc<dyn Access>, |node| node.access.clone())
    }

    /// A client has presented tokens on a connection.
    fn presents(&mut self, address: Address, tokens: &[String]) {
        if let Some(mut conn) = self.nodes[address.node].conns.remove(&address.conn) {
            self.presented(address.node, &mut conn, tokens);
            self.nodes[address.node].conns.insert(address.conn, conn);
        }
    }

    fn new_conn(
        &mut self,
        node: usize,
        transport: Transport,
        owner: (usize, u32),
        make: impl FnOnce(&Self, &Effects) -> Machine,
    ) -> Option<Address> {
        let effects = Effects::new(self.nodes[node].node()?, transport);
        let machine = make(self, &effects);
        let now = self.now;
        let on = &mut self.nodes[node];
        on.next_conn += 1;
        let (conn, boot) = (on.next_conn, on.boot);
        let (unread, led) = (VecDeque::new(), BTreeMap::new());
        let (who, lost, subscribed) = (None, BTreeMap::new(), BTreeSet::new());
        self.owners.insert(effects.connection, owner);
        let there = Conn {
            machine,
            effects,
            owner,
            turn: 0,
            woken: Arc::default(),
            timer_at: None,
            since: now,
            unread,
            who,
            lost,
            subscribed,
            refused: VecDeque::new(),
            responses: 0,
            led,
        };
        on.conns.insert(conn, Box::new(there));
        Some(Address { node, boot, conn })
    }

    /// A WebSocket was accepted.
    pub(super) fn accept(&mut self, link: usize) {
        let on = &self.links[link];
        let (node, owner) = (on.node, (on.client, on.page));
        let writer = SimWriter::new(self.case.rng().fork(30_000 + link as u64));
        let address = self.new_conn(node, Transport::WebSocket, owner, |world, effects| {
            let (settings, access) = (world.settings_of(node), world.access_of(node));
            let (now, connection) = (world.server_ms(), effects.connection);
            let session = Connection::new(now, Transport::WebSocket, connection, settings, access);
            Machine::WebSocket { session: SharedConnection::new(session, writer, &effects.sender), link }
        });
        let Some(address) = address else { return };
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

    /// A request, as the server's `transports/poll.rs` treats it.
    pub(super) fn accept_request(&mut self, request: usize, copy: bool) {
        let node = self.requests[request].node;
        let key = request as u64 * 2 + u64::from(copy);
        let (client, token) = (self.requests[request].client, self.requests[request].token.clone());
        let owner = (client, self.requests[request].page);
        let Ok(frames) = decode_request(&self.requests[request].body, &self.settings.limits) else {
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
        self.signals_arrive(&rest);
        let now = self.server_ms();
        let (settings, access) = (self.settings_of(node), self.access_of(node));
        let tokens: Vec<String> = hello.token.iter().cloned().collect();
        let Some(mut poll) = poll else {
            let batch: Vec<_> = std::iter::once(Ok(ClientFrame::Hello(hello))).chain(rest).collect();
            let tokens = tokens_in(&batch);
            let address = self.new_conn(node, Transport::Post, owner, |_, effects| {
                let session = Connection::new(now, Transport::Post, effects.connection, settings, access);
                Machine::Post { session: Box::new(session), request: key, answers: Vec::new(), done: false }
            });
            let Some(address) = address else { return };
            self.requests[request].conn = Some(address.conn);
            self.presents(address, &tokens);
            return self.answer(address, Input::Batch(Ok(batch)));
        };
        let Some(sessions) = self.nodes[node].node().map(|node| &node.sessions) else { return };
        if poll.connection.is_some_and(|id| sessions.overtaken(hello.session, id)) {
            return self.respond(request, "[]".to_owned());
        }
        let known = poll.connection.filter(|id| sessions.polling(hello.session, *id).is_some());
        let known =
            known.and_then(|id| self.nodes[node].conns.iter().find(|(_, c)| c.effects.connection == id));
        let conn = if let Some((conn, _)) = known {
            *conn
        } else {
            let make = |_: &Self, effects: &Effects| {
                Machine::Polling(Box::new(Polling::new(now, effects.connection, settings, access)))
            };
            let Some(address) = self.new_conn(node, Transport::Polling, owner, make) else { return };
            address.conn
        };
        self.requests[request].conn = Some(conn);
        let forgets = self.has(Mutant::ResponseNotRetained);
        let boot = self.nodes[node].boot;
        if let Some(there) = self.nodes[node].conns.get_mut(&conn) {
            if forgets && poll.connection == Some(there.effects.connection) {
                poll.ack = poll.ack.max(there.responses);
                there.goes_on(&mut rest);
            }
            if let Machine::Polling(polling) = &mut there.machine {
                polling.handle(now, PollInput::Request { request: key, hello, poll, frames: rest });
            }
        }
        self.presents(Address { node, boot, conn }, &tokens);
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
            Machine::WebSocket { session, .. } => session.lock().connection.handle_timeout(now),
            Machine::Post { session, .. } => session.handle_timeout(now),
            Machine::Polling(polling) => polling.handle_timeout(now),
        }
        self.serve(address);
        self.pump(address.node);
    }

    /// Notifies all connections of a node that it stops.
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

    /// Drops a connection whose transport is gone.
    pub(super) fn forget(&mut self, address: Address) {
        self.nodes[address.node].conns.remove(&address.conn);
    }
}

impl Conn {
    /// For the planted bug: a response to a poll is given, and all that is remembered of it is where it leads.
    pub(super) fn gives(&mut self, text: &str) {
        let bounds = batch::Bounds { bytes: usize::MAX, frames: usize::MAX, ..batch::Bounds::default() };
        for frame in batch::decode(text, &bounds).unwrap_or_default().into_iter().flatten() {
            match frame {
                ServerFrame::Polled(polled) => self.responses = polled.seq,
                ServerFrame::Subscribed(s) => drop(self.led.insert(s.channel, (s.epoch, s.offset))),
                ServerFrame::Message(m) => {
                    if let Some((_, offset)) = self.led.get_mut(&m.channel) {
                        *offset = m.offset;
                    }
                }
                _ => {}
            }
        }
    }

    /// The planted bug: what was given counts, and not where the client says it stands.
    fn goes_on(&self, set: &mut [Result<ClientFrame, BadFrame>]) {
        for frame in set.iter_mut().flatten() {
            if let ClientFrame::Subscribe(frame) = frame
                && let Some((epoch, offset)) = self.led.get(&frame.channel)
            {
                (frame.epoch, frame.offset) = (Some(epoch.clone()), Some(*offset));
            }
        }
    }
}

impl Machine {
    pub(super) fn handle(&mut self, now: u64, input: Input) {
        match self {
            Self::WebSocket { session, .. } => session.lock().connection.handle(now, input),
            Self::Post { session, .. } => session.handle(now, input),
            Self::Polling(polling) => polling.handle(now, PollInput::Connection(input)),
        }
    }
}
