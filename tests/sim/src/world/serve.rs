//! The part of the server's transports: passes batches between clients and connections, and carries out outputs through the
//! real effects.

use everwire_protocol::{Receipt, ServerFrame, batch};
use everwire_server::connection::{Input, Output, PollOutput, batch_text};

use super::{
    Address, EPOCH, Event, World,
    node::{Conn, Machine},
    refusals::named_in,
    rights::tokens_in,
    say,
};
use crate::mutants::Mutant;

impl World {
    /// Carries out the outputs of a connection until there are none.
    pub(super) fn serve(&mut self, address: Address) {
        let Some(mut conn) = self.nodes[address.node].conns.remove(&address.conn) else { return };
        if let Machine::WebSocket { session, .. } = &conn.machine {
            session.register(&conn.woken.clone().into());
        }
        self.fill_sockets(address.node);
        self.pass_written(address, &mut conn);
        let mut over = false;
        while !over {
            over = self.perform(address, &mut conn);
            if over || !self.read(address.node, &mut conn) {
                break;
            }
        }
        if over {
            // The session is free for its next connection.
            drop(conn);
            return;
        }
        let due = match &conn.machine {
            Machine::WebSocket { session, .. } => session.lock().connection.poll_timeout(),
            Machine::Post { session, .. } => session.poll_timeout(),
            Machine::Polling(polling) => polling.poll_timeout(),
        };
        let at = due.map(|due| due.saturating_sub(EPOCH).max(self.now + 1));
        let is_set = at == conn.timer_at;
        conn.turn += u64::from(!is_set);
        conn.timer_at = at;
        let turn = conn.turn;
        self.nodes[address.node].conns.insert(address.conn, conn);
        if let Some(at) = at.filter(|_| !is_set) {
            self.at(at, Event::ConnTimer { conn: address, turn });
        }
    }

    /// Passes a batch to the connection, if it accepts one. Returns whether it did.
    fn read(&mut self, node: usize, conn: &mut Conn) -> bool {
        let Machine::WebSocket { session, .. } = &conn.machine else { return false };
        let session = session.clone();
        if conn.unread.is_empty() || !session.lock().connection.wants_batch() {
            return false;
        }
        let now = self.server_ms();
        match conn.unread.pop_front().flatten() {
            Some(text) => {
                let frames = self.decoded(conn.owner.0, &text);
                conn.refused.extend(frames.is_err().then(|| named_in(&text)));
                let tokens = frames.as_deref().map(tokens_in).unwrap_or_default();
                self.signals_arrive(frames.as_deref().unwrap_or_default());
                session.lock().connection.handle(now, Input::Batch(frames));
                self.presented(node, conn, &tokens);
            }
            None => session.lock().connection.handle(now, Input::Gone),
        }
        true
    }

    /// Carries out outputs. Returns whether the connection has ended.
    fn perform(&mut self, address: Address, conn: &mut Conn) -> bool {
        loop {
            match &mut conn.machine {
                Machine::WebSocket { session, link } => {
                    let link = *link;
                    let outputs = session.take_outputs(EPOCH + self.now).outputs;
                    self.pass_written(address, conn);
                    if outputs.is_empty() {
                        return false;
                    }
                    for output in outputs {
                        if let Output::Close(code) = output {
                            say!(self, format!("n{}", address.node), "closes WebSocket {link}: {code:?}");
                            let code = code.map_or(1006, everwire_protocol::CloseCode::as_u16);
                            self.link_closed_by_server(link, code);
                            return true;
                        }
                        self.perform_effect(conn, output);
                    }
                }
                Machine::Polling(polling) => match polling.poll_output() {
                    None => return false,
                    Some(PollOutput::Respond { request, text }) => {
                        if self.has(Mutant::ResponseNotRetained) {
                            conn.gives(&text);
                        }
                        self.check_leaving(conn, &text);
                        self.respond((request / 2) as usize, text.to_string());
                    }
                    Some(PollOutput::End) => return true,
                    Some(PollOutput::Connection(output)) => {
                        self.perform_effect(conn, output);
                    }
                },
                Machine::Post { session, request, answers, done } => {
                    if let Some(output) = session.poll_output() {
                        if let Output::Close(_) = output {
                            *done = true;
                        } else {
                            self.perform_effect(conn, output);
                        }
                        continue;
                    }
                    answers.extend(session.take_batch());
                    if session.is_settled() && session.is_empty() || *done {
                        let (text, request) = (batch_text(answers), *request);
                        self.check_leaving(conn, &text);
                        self.respond((request / 2) as usize, text);
                        return true;
                    }
                    return false;
                }
            }
        }
    }

    /// Carries out an output, as the server does for all transports.
    fn perform_effect(&mut self, conn: &mut Conn, output: Output) {
        match output {
            Output::Mark(mut mark) => {
                self.stats.marks += 1;
                if self.has(Mutant::MarksOfAnotherLog) {
                    (mark.epoch, mark.run) = (None, None);
                }
                if self.has(Mutant::MarksToldAndNotKept) && self.rng.chance(50) {
                    let (channel, user) = (mark.channel.clone(), mark.who.user.to_string());
                    let (delivered, read) = (mark.delivered.max(mark.read), mark.read);
                    let receipt = Receipt { channel, user, delivered, read, unread: Some(0) };
                    let text = batch::encode_frame(&ServerFrame::Receipt(receipt)).into();
                    return conn.effects.sender.input(Input::Direct(text));
                }
                conn.effects.perform(Output::Mark(mark));
            }
            output => conn.effects.perform(output),
        }
    }
}
