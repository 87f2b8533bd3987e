//! The pages of a client, one after the other: what one has written and not seen stored is kept in the browser's database, and
//! restored by the next one, however the first one ended. Only an ack, a message's own refusal, or the user's own word
//! deletes it.

use everwire_client_core::{Connection, Input, OutgoingMessage, Restored};
use everwire_protocol::{Action, Channel, ErrorCode, Payload, Uuid};

use super::{
    ByChannel, Event, World,
    client::{Client, Sent, config},
    say,
    talk::Talk,
};
use crate::{
    fault::Kind,
    ledger::name,
    mutants::Mutant,
    rng::Rng,
    violation::{Rule, violated},
};

/// A message in the database of a browser.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) channel: Channel,
    pub(super) event: Option<String>,
    pub(super) data: Payload,
    /// What it does to which other message.
    pub(super) about: Option<(Action, Uuid)>,
    /// When it may have been sent first, by the browser's wall clock.
    pub(super) left: Option<u64>,
}

impl World {
    /// Whether a page may be followed by another one.
    pub(super) fn has_pages(&self) -> bool {
        [Kind::Permission, Kind::Reload, Kind::Erasure].into_iter().any(|kind| self.case.kinds.has(kind))
    }

    /// The server has ended a page for good. The user loads another one, after a while.
    pub(super) fn page_ended(&mut self, client: usize, code: ErrorCode) {
        say!(self, format!("c{client}"), "its page has ended: {code:?}");
        self.stats.ended += 1;
        let c = &mut self.clients[client];
        c.over = true;
        if self.mutant == Some(Mutant::OutboxEmptiedAtTheEnd) {
            c.kept.clear();
        }
        c.forget_subscriptions();
        let wait = c.rng.between(500, 15_000);
        self.after(wait, Event::Page { client });
    }

    /// A user closes the page and loads another one; or the page signs in wrongly until it has to.
    pub(super) fn reload(&mut self, client: usize, rng: &mut Rng) {
        let c = &mut self.clients[client];
        if c.closed || c.over || c.rest.is_some() {
            return;
        }
        if self.manner.tokens && rng.chance(400) {
            say!(self, format!("c{client}"), "its page gives tokens that nobody accepts");
            // Not where few attempts reach a server: `moves` says why.
            self.clients[client].signs_in_wrongly = self.clients[client].path.passes.is_none();
            // The token in use has to be replaced first.
            self.tell(client, Input::PageHide);
            return self.tell(client, Input::PageShow);
        }
        // Some browsers tell a page that it is about to go.
        if rng.chance(600) {
            self.tell(client, Input::PageHide);
        }
        self.next_page(client);
    }

    /// The next page of a client is loaded.
    pub(super) fn next_page(&mut self, client: usize) {
        if self.clients[client].closed {
            return;
        }
        if self.clients[client].rest.is_some() {
            return self.after(500, Event::Page { client });
        }
        for link in std::mem::take(&mut self.clients[client].links).into_values() {
            self.link_closed_by_client(link);
        }
        for request in self.clients[client].requests.keys().copied().collect::<Vec<_>>() {
            self.abort(client, request);
        }
        self.stats.pages += 1;
        self.check_written(client);
        let (websocket, polling) = (self.manner.websocket, self.manner.polling);
        let tokens = self.manner.tokens;
        let c = &mut self.clients[client];
        c.page += 1;
        c.over = false;
        c.restoring = true;
        c.signs_in_wrongly = false;
        c.status = None;
        c.forget_subscriptions();
        c.talk = Talk::default();
        c.asks.forget();
        c.signals.forget();
        c.stale.clear();
        c.gave_up = false;
        let seed = c.rng.word();
        let hidden = c.hidden;
        c.core = Connection::new(everwire_client_core::Config {
            hidden,
            ..config(client, c.page, seed, tokens, websocket, polling)
        });
        say!(self, format!("c{client}"), "page {}; {} messages are kept", c.page, c.kept.len());
        let c = &mut self.clients[client];
        c.core.handle(c.clocks(self.now), Input::Start);
        for _ in 0..=self.clients[client].rng.below(3) {
            self.subscribe_to_one(client);
        }
        self.subscribe_to_own(client);
        self.carry_out(client);
    }

    /// The user is known: what an earlier page has kept goes out before all else.
    pub(super) fn restore(&mut self, client: usize) {
        if !std::mem::take(&mut self.clients[client].restoring) {
            return;
        }
        let clocks = self.clients[client].clocks(self.now);
        let mut all: Vec<_> = self.clients[client].kept.clone().into_iter().collect();
        if self.has(Mutant::RestoredReversed) {
            all.reverse();
        }
        for (id, kept) in all {
            let Kept { channel, event, data, about, left } = kept;
            let restored = Restored { left_ago: left.map(|left| clocks.wall.saturating_sub(left)) };
            let message = OutgoingMessage { id, event, data, about, restored: Some(restored) };
            say!(self, format!("c{client}"), "restores {}", name(id));
            if let Err(code) = self.clients[client].core.send_message(clocks, channel.as_str(), message) {
                let what = format!("c{client} cannot restore {}: {code:?}", name(id));
                self.broken(violated(Rule::Resolved, what));
            }
        }
    }

    /// What was written is in the outbox, or answered.
    fn check_written(&mut self, client: usize) {
        let c = &self.clients[client];
        let mut waiting = c.sends.iter().filter(|(_, sent)| **sent == Sent::Waiting);
        if let Some((id, _)) = waiting.find(|(id, _)| !c.kept.contains_key(id)) {
            let what = format!("{} was not answered, and the next page does not find it", name(*id));
            self.broken(violated(Rule::Written, what));
        }
    }

    /// A message has left, and may be stored.
    pub(super) fn left(&mut self, client: usize, id: Uuid) {
        let c = &mut self.clients[client];
        let wall = c.clocks(self.now).wall;
        if let Some(kept) = c.kept.get_mut(&id) {
            kept.left.get_or_insert(wall);
        }
    }
}

impl Client {
    pub(super) fn forget_subscriptions(&mut self) {
        self.channels = ByChannel::new();
        self.watches.clear();
        self.members.clear();
        self.refused.clear();
        self.joined.clear();
        self.own_chats.clear();
    }
}
