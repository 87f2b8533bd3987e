//! A server node: its connections, each driving the server's own session, and its hub. What the server's tasks do between
//! awaits is done here between two events; what the sessions ask for is done in `serve.rs`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use everwire_protocol::{Channel, ClientFrame, Goaway, ServerFrame, Uuid, batch};
use everwire_server::{
    connection::{
        BadFrame, Connection, Input, PollInput, Polling, Transport, decode,
        mailbox::{MailboxReceiver, MailboxSender, mailbox},
    },
    hub::Hub,
    sessions::Sessions,
};

use super::{Address, World, store::Writer, talk::Marks};
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
    pub(super) sessions: Sessions,
    pub(super) conns: BTreeMap<u64, Conn>,
    pub(super) writer: Writer,
    /// How far users have received and read, as far as it was told so since it started.
    pub(super) marks: Marks,
    /// When the last of what other nodes stored arrives.
    pub(super) fed_at: u64,
    /// When the next leave that is held back is due, and a timer runs for it.
    pub(super) presence_due: Option<u64>,
    next_conn: u64,
}

impl Node {
    pub(super) fn new(boot: u32) -> Self {
        Self {
            up: true,
            stopping: false,
            boot,
            hub: Hub::new(LEAVE_GRACE_MS),
            sessions: Sessions::default(),
            conns: BTreeMap::new(),
            writer: Writer::default(),
            marks: Marks::default(),
            fed_at: 0,
            presence_due: None,
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
    pub(super) machine: Machine,
    pub(super) connection: Uuid,
    pub(super) mailbox: MailboxSender,
    pub(super) receiver: MailboxReceiver,
    pub(super) session: Option<Uuid>,
    pub(super) turn: u64,
    /// What the client sent and the session does not want yet; `None` is the end.
    pub(super) unread: VecDeque<Option<String>>,
    /// For planted bugs: the send that was refused, how many responses were given, and where they led.
    pub(super) refused: Option<Uuid>,
    responses: u64,
    led: BTreeMap<Channel, (String, u64)>,
}

#[derive(Debug)]
pub(super) enum Machine {
    WebSocket { session: Box<Connection>, link: usize },
    Polling(Box<Polling>),
    Post { session: Box<Connection>, request: u64, answers: Vec<Arc<str>>, done: bool },
}

impl World {
    fn new_conn(&mut self, node: usize, make: impl FnOnce(&Self, Uuid) -> Machine) -> Address {
        let on = &mut self.nodes[node];
        on.next_conn += 1;
        let (conn, boot) = (on.next_conn, on.boot);
        let connection = Uuid::from_u128(((node as u128 + 1) << 100) | u128::from(conn));
        let machine = make(self, connection);
        let (mailbox, receiver) = mailbox(self.settings.mailbox_messages);
        self.nodes[node].conns.insert(
            conn,
            Conn {
                machine,
                connection,
                mailbox,
                receiver,
                session: None,
                turn: 0,
                unread: VecDeque::new(),
                refused: None,
                responses: 0,
                led: BTreeMap::new(),
            },
        );
        Address { node, boot, conn }
    }

    /// A WebSocket was accepted.
    pub(super) fn accept(&mut self, link: usize) {
        let node = self.links[link].node;
        let address = self.new_conn(node, |world, connection| {
            let (settings, access) = (world.settings.clone(), world.access.clone());
            let session =
                Connection::new(world.server_ms(), Transport::WebSocket, connection, settings, access);
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

    /// A request, as the server's `transports/poll.rs` treats it.
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
                let session = Connection::new(now, Transport::Post, connection, settings, access);
                Machine::Post { session: Box::new(session), request: key, answers: Vec::new(), done: false }
            });
            self.requests[request].conn = Some(address.conn);
            return self.answer(address, Input::Batch(Ok(batch)));
        };
        let sessions = &self.nodes[node].sessions;
        if poll.connection.is_some_and(|id| sessions.overtaken(hello.session, id)) {
            return self.respond(request, "[]".to_owned());
        }
        let known =
            poll.connection.filter(|id| self.nodes[node].sessions.polling(hello.session, *id).is_some());
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
                there.goes_on(&mut rest);
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

    /// Drops a connection whose transport is gone.
    pub(super) fn forget(&mut self, address: Address) {
        if let Some(conn) = self.nodes[address.node].conns.remove(&address.conn) {
            self.end(address.node, conn);
        }
    }

    pub(super) fn end(&mut self, node: usize, mut conn: Conn) {
        conn.receiver.close();
        if let Some(session) = conn.session {
            self.nodes[node].sessions.detach(session, conn.connection);
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
            Self::WebSocket { session, .. } | Self::Post { session, .. } => session.handle(now, input),
            Self::Polling(polling) => polling.handle(now, PollInput::Connection(input)),
        }
    }
}
