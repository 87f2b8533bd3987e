//! How connections of a node take what is in their inboxes, and the node's clock of presence.

use std::{
    pin::pin,
    task::{Context, Waker},
};

use everwire_server::connection::{
    Input,
    mailbox::{MailboxMessage, MailboxReceiver},
};

use super::{Address, EPOCH, Event, World};

impl World {
    /// Lets all connections of a node take what is in their inboxes.
    pub(super) fn pump(&mut self, node: usize) {
        let boot = self.nodes[node].boot;
        loop {
            let mut busy = false;
            let conns: Vec<u64> = self.nodes[node].conns.keys().copied().collect();
            for conn in conns {
                let now = self.server_ms();
                let Some(there) = self.nodes[node].conns.get_mut(&conn) else { continue };
                let mut receiver = take(&mut there.receiver);
                if receiver.is_empty() {
                    continue;
                }
                busy = true;
                in_order(&mut receiver);
                for mail in receiver {
                    if let Ok(input) = mail.into_input() {
                        there.machine.handle(now, input);
                    }
                }
                if there.receiver.overflowed() {
                    there.machine.handle(now, Input::Overflow);
                }
                self.serve(Address { node, boot, conn });
            }
            if !busy {
                break;
            }
        }
        let due = self.nodes[node].hub.expire(self.server_ms()).map(|at| at - EPOCH);
        let on = &mut self.nodes[node];
        // One timer for each moment: a node that is busy comes here thousands of times while one leave is held back.
        if let Some(at) = due
            && on.presence_due != due
        {
            on.presence_due = due;
            self.at(at, Event::Presence { node, boot });
        }
    }

    pub(super) fn presence_timer(&mut self, node: usize, boot: u32) {
        if self.nodes[node].boot == boot && self.nodes[node].up {
            self.nodes[node].presence_due = None;
            self.nodes[node].hub.expire(self.server_ms());
            self.pump(node);
        }
    }
}

/// All that is in an mailbox.
fn take(receiver: &mut MailboxReceiver) -> Vec<MailboxMessage> {
    let mut mail = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    // It is ready at once if there is anything, and else forgotten.
    let _ = pin!(receiver.take(&mut mail, usize::MAX)).poll(&mut context);
    mail
}

/// The hub goes over its channels in no certain order when several graces end at the same moment. A run has to be the
/// same each time, so changes of different channels that came together are put in the order of their names.
fn in_order(mail: &mut [MailboxMessage]) {
    let presence = |mail: &MailboxMessage| matches!(mail, MailboxMessage::Presence(_));
    for run in mail.chunk_by_mut(|a, b| presence(a) && presence(b)) {
        run.sort_by(|a, b| match (a, b) {
            (MailboxMessage::Presence(a), MailboxMessage::Presence(b)) => a.channel.cmp(&b.channel),
            _ => std::cmp::Ordering::Equal,
        });
    }
}
