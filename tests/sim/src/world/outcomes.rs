//! What becomes of sends: each is settled once, by an ack or an error that it may have.

use everwire_protocol::{Channel, ErrorCode, Uuid};

use super::{
    World,
    client::{Sent, user_of},
    say,
};
use crate::{
    ledger::{is_request, name},
    mutants::Mutant,
    rng::Rng,
    violation::{Rule, violated},
};

impl World {
    /// Whether a message is still to be answered, as it must be when something is heard of it.
    pub(super) fn waiting(&mut self, client: usize, id: Uuid) -> bool {
        let sent = self.clients[client].sends.get(&id).copied();
        let waiting = sent == Some(Sent::Waiting);
        if !waiting {
            let what = format!("c{client} hears of {}, which is {sent:?}", name(id));
            self.broken(violated(Rule::Resolved, what));
        }
        waiting
    }

    pub(super) fn stored(&mut self, client: usize, id: Uuid, offset: u64) {
        if !self.waiting(client, id) {
            return;
        }
        let c = &mut self.clients[client];
        c.sends.insert(id, Sent::Stored);
        c.waiting -= 1;
        if self.mutant != Some(Mutant::AckedStaysKept) {
            c.kept.remove(&id);
        }
        self.stats.acked += 1;
        let channel = self.sent_to(client, id);
        say!(self, format!("c{client}"), "{} is stored at {offset}", name(id));
        if !self.ledger.has(id, &channel, offset) {
            let what = format!("{} is acked at {offset} of {channel}, and is not there", name(id));
            self.broken(violated(Rule::AckedIsStored, what));
        }
    }

    pub(super) fn failed(&mut self, client: usize, id: Uuid, code: ErrorCode) {
        if is_request(id) {
            return self.request_failed(client, id, code);
        }
        if !self.waiting(client, id) {
            return;
        }
        let refusable = matches!(code, ErrorCode::Forbidden | ErrorCode::Banned)
            && self.rights.as_ref().is_some_and(|rights| rights.was_restricted(&user_of(client)));
        let erased = code == ErrorCode::Unauthorized
            && self.rights.as_ref().is_some_and(|rights| rights.was_erased(&user_of(client)));
        let channel = self.sent_to(client, id);
        let refusable = refusable
            || erased
            || self.may_be_refused(client, &channel, code, id)
            || self.may_not_rewrite(client, &channel, code, id);
        let blocked = self.may_be_blocked(client, code, id);
        let c = &mut self.clients[client];
        if c.over {
            // The page is over, but not the message: the browser keeps it for the next one.
            return;
        }
        if (c.closed && code == ErrorCode::Closed) || refusable || blocked {
            c.sends.insert(id, Sent::Failed);
            c.kept.remove(&id);
            c.waiting -= 1;
            say!(self, format!("c{client}"), "{} failed: {code:?}", name(id));
            if refusable {
                self.stats.refused += 1;
            } else if blocked {
                self.stats.blocked += 1;
            } else {
                self.stats.closed += 1;
            }
        } else {
            let what = format!("c{client}: {} failed: {code:?}", name(id));
            self.broken(violated(Rule::Resolved, what));
        }
    }

    /// The channel of a message is derived from its id, so that it need not be stored.
    pub(super) fn sent_to(&self, client: usize, id: Uuid) -> Channel {
        if let Some((channel, _)) = self.clients[client].written.get(&id) {
            return channel.clone();
        }
        let number = crate::ledger::sender(id).1;
        let place = Rng::new(self.case.seed).fork(client as u64 ^ (number << 16)).below(self.channels.len());
        self.channels[place].clone()
    }
}
