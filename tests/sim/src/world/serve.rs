//! What a node does for the session of a connection: gives it what the client sent, sends what it says, and looks up what
//! it asks for.

use std::sync::Arc;

use everwire_protocol::{ClientFrame, Done, ErrorCode, Uuid};
use everwire_server::{
    connection::{
        Binding, Input, Opened, Opening, Output, PollOutput, Transport, batch_text, decode,
        mailbox::MailboxMessage,
    },
    model::{
        identity::Refusal,
        log::{NewEntry, SendPermission},
    },
};

use super::{
    Address, EPOCH, Event, LookUp, Told, World,
    node::{Conn, Machine},
    say,
};
use crate::plant::Plant;

impl World {
    /// Carries out what a connection wants, until it wants nothing.
    pub(super) fn serve(&mut self, address: Address) {
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
                        Some(output) => self.perform_session(address, conn, output, Transport::WebSocket),
                    }
                }
                Machine::Polling(polling) => match polling.poll_output() {
                    None => return false,
                    Some(PollOutput::Respond { request, text }) => {
                        if self.planted(Plant::ResponseNotRetained) {
                            conn.gives(&text);
                        }
                        self.respond((request / 2) as usize, text.to_string());
                    }
                    Some(PollOutput::End) => return true,
                    Some(PollOutput::Connection(output)) => {
                        self.perform_session(address, conn, output, Transport::Polling);
                    }
                },
                Machine::Post { session, request, answers, done } => {
                    if let Some(output) = session.poll_output() {
                        if let Output::Close(_) = output {
                            *done = true;
                        } else {
                            self.perform_session(address, conn, output, Transport::Post);
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

    /// What the server's `Link` does for all transports.
    fn perform_session(&mut self, address: Address, conn: &mut Conn, output: Output, transport: Transport) {
        let look_up = match output {
            Output::Bind { session, user, .. } => {
                conn.session = Some(session);
                let (connection, mailbox) = (conn.connection, conn.mailbox.clone());
                LookUp::Bind { session, user, transport, connection, mailbox }
            }
            Output::Open { key, opening } => {
                let Opening { channel, who } = *opening;
                let hub = &self.nodes[address.node].hub;
                hub.subscribe(&channel, conn.connection, &conn.mailbox, who.member());
                LookUp::Open { key, channel, user: who.user }
            }
            Output::Read { key, channel, after, bounds, .. } => LookUp::Read { key, channel, after, bounds },
            Output::Leave { channel, at_once } => {
                let now = self.server_ms();
                return self.nodes[address.node].hub.leave(now, &channel, conn.connection, at_once);
            }
            Output::Append(entries) => return self.append(address, entries, Told::Session),
            Output::ForwardToSession { session, channel } => {
                return self.nodes[address.node]
                    .sessions
                    .tell(session, MailboxMessage::Left(channel.map(Box::new)));
            }
            Output::Ephemeral(ephemeral) => {
                let node = &self.nodes[address.node];
                let from = node.sessions.connection(ephemeral.session);
                return node.hub.pass_on(*ephemeral, from);
            }
            Output::Request(asked) => {
                let answer = Ok(Box::new(Done { id: asked.id, chat: None }.into()));
                let input = Box::new(Input::Answer { id: asked.id, answer });
                return self.after(1, Event::Answer { conn: address, input });
            }
            Output::Mark(receipt) => return self.take_receipt(address.node, *receipt),
            Output::Idle { .. } | Output::Bye | Output::Send(_) | Output::Close(_) => {
                return;
            }
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
            LookUp::Bind { session, user, transport, connection, mailbox } => {
                let live = self.nodes[node].sessions.user(session);
                let stored = self.store.logs.bound_user(session).filter(|_| !fails).map(str::to_owned);
                let binding = if live.or(stored).is_some_and(|bound| *bound != *user) {
                    Binding::Another
                } else {
                    self.store.logs.bind(session, user.clone());
                    if transport == Transport::Post {
                        Binding::Yours
                    } else {
                        let sessions = &self.nodes[node].sessions;
                        let binding = sessions.attach(session, &user, connection, transport, &mailbox);
                        if mailbox.is_closed() {
                            sessions.detach(session, connection);
                        }
                        binding
                    }
                };
                Input::Bound(binding)
            }
            LookUp::Open { key, channel, user } => {
                let log = self.store.logs.log(&channel);
                self.ledger.open(&channel, &log.epoch);
                let members = self.nodes[node].hub.members(&channel);
                let found = if fails {
                    Err(Refusal::of(ErrorCode::Unavailable))
                } else {
                    Ok(Opened {
                        members,
                        receipts: self.marks_for(node, &channel, &user),
                        ..Opened::bare(log)
                    })
                };
                Input::Opened { key, channel, found }
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
}

/// The planted bug: takes the sends out of a batch, unless the refused one is among them.
fn let_pass(
    frames: &mut Vec<Result<ClientFrame, everwire_server::connection::BadFrame>>,
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
            let permission = SendPermission::Granted;
            entries.push(NewEntry { id, channel, user, name, event, data, action, target, permission });
            false
        }
        _ => true,
    });
    Some(entries)
}
