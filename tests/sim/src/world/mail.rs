//! Runs a node: its tasks, the mailboxes of its connections, and the reports of its store.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
};

use everwire_server::{
    connection::{
        Input,
        mailbox::{MailboxMessage, MailboxReceiver},
    },
    model::log::Entry,
};

use super::{Address, EPOCH, Event, World, say, store::Done};
use crate::{
    ledger::name,
    violation::{Rule, violated},
};

impl World {
    /// Runs a node until it waits for time or the network.
    pub(super) fn pump(&mut self, node: usize) {
        loop {
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

    /// Delivers the mailboxes of all connections of a node. Returns whether there was anything.
    fn take_mail(&mut self, node: usize) -> bool {
        let (boot, now) = (self.nodes[node].boot, self.server_ms());
        let mut busy = false;
        let stalled = self.nodes[node].stalled.filter(|(until, _)| *until > self.now).map(|(_, odd)| odd);
        let runs = |conn: &u64| stalled.is_none_or(|odd| conn % 2 != odd);
        let conns: Vec<u64> = self.nodes[node].conns.keys().copied().filter(runs).collect();
        for conn in conns {
            let Some(there) = self.nodes[node].conns.get_mut(&conn) else { continue };
            let messages = take(&mut there.effects.mailbox);
            if messages.is_empty() {
                continue;
            }
            busy = true;
            for message in messages {
                if let Ok(input) = message.into_input() {
                    there.machine.handle(now, input);
                }
            }
            if there.effects.mailbox.overflowed() {
                there.machine.handle(now, Input::Overflow);
            }
            self.serve(Address { node, boot, conn });
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
            for entry in entries {
                real.hub.publish(entry);
            }
            self.pump(node);
        }
    }
}

/// The content of a mailbox.
fn take(mailbox: &mut MailboxReceiver) -> Vec<MailboxMessage> {
    let mut messages = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    // It is ready immediately if there is anything; otherwise it is dropped.
    let _ = pin!(mailbox.take(&mut messages, usize::MAX)).poll(&mut context);
    messages
}
