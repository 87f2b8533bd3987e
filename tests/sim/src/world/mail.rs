//! Runs a node: its tasks, the mailboxes of its connections, and the reports of its store.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use everwire_server::{
    connection::{Input, direct::Flushes},
    model::log::Entry,
};

use super::{
    Address, EPOCH, Event, World,
    node::{Conn, Machine},
    say,
    store::Done,
};
use crate::{
    ledger::name,
    violation::{Rule, violated},
};

impl World {
    /// Runs a node until it waits for time or the network.
    pub(super) fn pump(&mut self, node: usize) {
        loop {
            self.fill_sockets(node);
            let Some(executor) = &mut self.nodes[node].executor else { return };
            let Ok(ran) = executor.run() else {
                return self.broken(violated(Rule::Bounded, format!("the tasks of n{node} run in circles")));
            };
            self.write_down();
            if !self.take_mail(node) && !ran {
                break;
            }
        }
        let process = &mut self.nodes[node];
        let timer = process.executor.as_ref().and_then(crate::executor::Executor::next_timer);
        if let Some(at) = timer.map(|at| at - EPOCH)
            && process.wakes_at.is_none_or(|before| at < before)
        {
            process.wakes_at = Some(at);
            let boot = process.boot;
            self.at(at, Event::NodeTimer { node, boot });
        }
    }

    pub(super) fn node_timer(&mut self, node: usize, boot: u32) {
        let process = &mut self.nodes[node];
        if process.boot == boot {
            // Not for a timer that was replaced by an earlier one: the next one would be set twice, and each of the two again.
            process.wakes_at.take_if(|at| *at <= self.now);
            self.pump(node);
        }
    }

    /// Passes on what was written directly, delivers the mailboxes of all connections of a node, and runs the drivers that were
    /// woken. Returns whether there was anything.
    fn take_mail(&mut self, node: usize) -> bool {
        let (boot, now) = (self.nodes[node].boot, self.server_ms());
        let mut busy = false;
        let stalled = self.nodes[node].stalled.filter(|(until, _)| *until > self.now).map(|(_, odd)| odd);
        let conns: Vec<u64> = self.nodes[node].conns.keys().copied().collect();
        for conn in conns {
            let address = Address { node, boot, conn };
            let Some(there) = self.nodes[node].conns.get(&conn) else { continue };
            if there.machine.has_written()
                && let Some(mut there) = self.nodes[node].conns.remove(&conn)
            {
                self.pass_written(address, &mut there);
                self.nodes[node].conns.insert(conn, there);
            }
            let runs = stalled.is_none_or(|odd| conn % 2 != odd);
            let Some(there) = self.nodes[node].conns.get_mut(&conn).filter(|_| runs) else { continue };
            if take_mail(there, now) | there.woken.take() {
                busy = true;
                self.serve(address);
            }
        }
        busy
    }

    /// Reports the store's commits to the ledger, and new entries to other nodes.
    pub(super) fn write_down(&mut self) {
        self.back_end_hears();
        for done in self.store.take_done() {
            match done {
                Done::Opened(channel, epoch) => {
                    self.ledger.open(&channel, &epoch);
                }
                Done::Stored { channel, epoch, offset, id, about } => {
                    say!(self, "store", "{} is {offset} of {channel}", name(id));
                    let result = self.ledger.stored(&channel, &epoch, offset, id);
                    self.broken(result);
                    self.check_stored(&channel, offset, id);
                    self.check_stored_in_chat(&channel, id);
                    if let Some((action, target)) = about {
                        let result = self.check_rewrite(&channel, (id, offset), action, target);
                        self.broken(result);
                    }
                }
                Done::Trimmed(channel, up_to) => self.ledger.trimmed(&channel, up_to),
                Done::Added { node, entries } => {
                    for other in (0..self.nodes.len()).filter(|other| *other != node) {
                        let at = self.nodes[other].fed_at.max(self.now + self.rng.between(0, 50));
                        self.nodes[other].fed_at = at;
                        self.at(at, Event::Feed { node: other, entries: entries.clone() });
                    }
                }
                Done::Room { id, room, head, sure } => {
                    say!(self, "store", "chat {id} is {room:?}");
                    let result = self.chats.changed(self.now, &id, room, head, sure);
                    self.broken(result);
                }
                Done::ErasureEnded(user) => {
                    say!(self, "store", "the erasure of {user} has ended");
                    if let Some(rights) = &mut self.rights {
                        rights.erasure_ended(&user);
                    }
                }
                Done::Failed { node, entries, happened: false } => {
                    say!(self, format!("n{node}"), "{entries} entries are not stored");
                }
                Done::Failed { node, entries, happened: true } => {
                    say!(self, format!("n{node}"), "{entries} entries were stored but reported as failed");
                }
            }
        }
    }

    /// A node receives entries that another one has stored.
    pub(super) fn feed(&mut self, node: usize, entries: &[Arc<Entry>]) {
        if let Some(real) = self.nodes[node].node() {
            let (now, mut flushes) = (self.server_ms(), Flushes::default());
            for entry in entries {
                real.hub.publish(now, std::slice::from_ref(entry), &mut flushes);
            }
            flushes.flush(now);
            self.pump(node);
        }
    }
}

/// A connection handles its mail. Returns whether there was any.
fn take_mail(conn: &mut Conn, now: u64) -> bool {
    let context = Context::from_waker(Waker::noop());
    if let Machine::WebSocket { session, .. } = &conn.machine {
        return session.handle_mail(&context, || now, &mut conn.effects.mailbox);
    }
    let mut messages = Vec::new();
    if conn.effects.mailbox.poll_take(&context, &mut messages, usize::MAX).is_pending() {
        return false;
    }
    let any = !messages.is_empty();
    for message in messages {
        if let Ok(input) = message.into_input() {
            conn.machine.handle(now, input);
        }
    }
    if any && conn.effects.mailbox.overflowed() {
        conn.machine.handle(now, Input::Overflow);
    }
    any
}
