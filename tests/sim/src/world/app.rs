//! The applications: what they subscribe to, send and close, drawn from the seed, and their token callbacks.

use everwire_client_core::{Handle, Input, OutgoingMessage, Status, Stretch};
use everwire_protocol::{Action, Channel, ErrorCode, Payload, Uuid, channels::chat_of};

use super::{
    EPOCH, Event, World,
    client::{Rest, Sent, user_of},
    links::WORD,
    pages::Kept,
    say,
};
use crate::{
    fault::Kind,
    ledger::{id, name},
    mutants::Mutant,
    violation::{Rule, violated},
    watch::Watch,
};

/// How many messages of a client contain a word that some proxies refuse.
const MOST_WORDS: u32 = 6;

impl World {
    /// The application acts, unless its page is suspended.
    pub(super) fn act(&mut self, client: usize) {
        if self.healed || self.clients[client].closed {
            return;
        }
        let next = self.clients[client].rng.around(self.manner.act_every) + 1;
        self.after(next, Event::Act { client });
        if self.clients[client].rest.is_some() || self.clients[client].over {
            return;
        }
        // What the core detects on its own comes first, for example a changed clock.
        self.tell(client, Input::Timeout);
        match self.clients[client].rng.between(0, 99) {
            0..=69 => self.burst(client),
            70..=79 => self.subscribe_to_one(client),
            80..=87 => drop(self.unsubscribe_from_one(client)),
            88..=95 => {
                // Left and joined again immediately.
                if let Some(channel) = self.unsubscribe_from_one(client) {
                    self.subscribe(client, channel);
                }
            }
            96 if self.manner.closes && self.clients[client].rng.chance(200) => self.close_client(client),
            _ => {}
        }
        self.talk(client);
        self.play_chats(client);
        self.play_history(client);
        self.play_edits(client);
        self.play_signals(client);
        self.carry_out(client);
    }

    fn burst(&mut self, client: usize) {
        for _ in 0..self.clients[client].rng.between(1, self.manner.burst) {
            self.send(client);
        }
    }

    fn send(&mut self, client: usize) {
        let number = self.clients[client].number + 1;
        let channel = self.sent_to(client, id(client, number));
        self.send_in(client, &channel);
    }

    /// The application sends something in a channel.
    pub(super) fn send_in(&mut self, client: usize, channel: &Channel) {
        self.send_about(client, channel, None);
    }

    /// The same, perhaps about another message.
    pub(super) fn send_about(&mut self, client: usize, channel: &Channel, about: Option<(Action, Uuid)>) {
        let c = &self.clients[client];
        // What a page writes before it has restored what the last one kept may overtake it.
        if c.restoring || (c.page > 0 && c.waiting + 1 >= everwire_client_core::MAX_OUTBOX_MESSAGES) {
            return;
        }
        let clocks = self.clients[client].clocks(self.now);
        let number = self.clients[client].number + 1;
        let id = id(client, number);
        let refuses = [Kind::Proxy, Kind::CutMessages, Kind::RefuseBatches];
        let (keeps, refuses) = (self.has_pages(), refuses.iter().any(|kind| self.case.kinds.has(*kind)));
        let c = &mut self.clients[client];
        let padding = if c.rng.chance(20) { c.rng.below(9_000) } else { 0 };
        // Where a browser hides the proxy's answer, each of them takes many attempts.
        let word = if refuses && c.words < MOST_WORDS && c.rng.chance(50) { WORD } else { "" };
        c.words += u32::from(!word.is_empty());
        let text = format!("\"{}{}{word}\"", name(id), " ".repeat(padding));
        let deletes = about.is_some_and(|(action, _)| action == Action::Delete);
        let text = if deletes { "null".to_owned() } else { text };
        let Ok(data) = Payload::from_text(text) else { return };
        let event = c.rng.chance(100).then(|| "edited".to_owned());
        if refuses && (padding > 1_000 || !word.is_empty()) {
            c.long.insert(id, if word.is_empty() { padding } else { usize::MAX });
        }
        let kept = keeps.then(|| Kept {
            channel: channel.clone(),
            event: event.clone(),
            data: data.clone(),
            about,
            left: None,
        });
        c.sends.insert(id, Sent::Waiting);
        c.abouts.extend(about.map(|about| (id, about)));
        if chat_of(channel).is_some() || about.is_some() {
            c.written.insert(id, (channel.clone(), self.now));
        }
        let full = c.waiting >= everwire_client_core::MAX_OUTBOX_MESSAGES;
        let message = OutgoingMessage { id, event, data, about, restored: None };
        match c.core.send_message(clocks, channel.as_str(), message) {
            Ok(()) => {
                c.number = number;
                c.waiting += 1;
                c.kept.extend(kept.map(|kept| (id, kept)));
                self.stats.sent += 1;
                say!(self, format!("c{client}"), "sends {} to {channel}", name(id));
            }
            // The limit of one mebibyte may be reached before that of a thousand messages.
            Err(ErrorCode::QueueFull) if full || c.waiting > 50 => {
                c.sends.remove(&id);
            }
            Err(code) => {
                let what = format!("c{client} cannot send: {code:?} with {} waiting", c.waiting);
                self.broken(violated(Rule::Resolved, what));
            }
        }
        let c = &self.clients[client];
        if c.waiting > everwire_client_core::MAX_OUTBOX_MESSAGES {
            self.broken(violated(Rule::Bounded, format!("c{client} has {} waiting", c.waiting)));
        }
    }

    pub(super) fn subscribe_to_one(&mut self, client: usize) {
        let place = self.clients[client].rng.below(self.channels.len());
        self.subscribe(client, place);
    }

    fn subscribe(&mut self, client: usize, channel: usize) {
        let clocks = self.clients[client].clocks(self.now);
        let place = channel;
        let channel = self.channels[channel].clone();
        let c = &mut self.clients[client];
        c.refused.remove(&place);
        let recent = c.rng.pick(&[None, None, Some(0), Some(5), Some(500)]);
        match c.core.subscribe(clocks, channel.as_str(), recent, None) {
            Ok(handle) => {
                let old = c.channels.insert(channel.clone(), handle);
                if old != Some(handle) {
                    c.watches.insert(handle, Watch::new(channel.clone(), u64::from(recent.unwrap_or(0))));
                    say!(
                        self,
                        format!("c{client}"),
                        "subscribes to {channel} as {}, recent {recent:?}",
                        handle.0
                    );
                }
            }
            Err(code) => {
                let what = format!("c{client} cannot subscribe to {channel}: {code:?}");
                self.broken(violated(Rule::Protocol, what));
            }
        }
    }

    /// The server has ended a subscription. The application wants it again later.
    pub(super) fn loses_subscription(&mut self, client: usize, handle: Handle) {
        let c = &mut self.clients[client];
        c.watches.remove(&handle);
        c.members.remove(&handle);
        c.joined.remove(&handle);
        c.talk.left(handle);
        c.talk.reconnected();
        let Some(channel) = c.channels.iter().find(|(_, h)| **h == handle).map(|(c, _)| c.clone()) else {
            return;
        };
        c.channels.remove(&channel);
        let place = self.channels.iter().position(|other| *other == channel);
        self.clients[client].refused.extend(place);
    }

    /// The application asks again for what was refused.
    pub(super) fn subscribe_again(&mut self, client: usize) {
        let refused = std::mem::take(&mut self.clients[client].refused);
        for place in refused {
            self.subscribe(client, place);
        }
        self.carry_out(client);
    }

    fn unsubscribe_from_one(&mut self, client: usize) -> Option<usize> {
        let place = self.clients[client].rng.below(self.channels.len());
        let channel = self.channels[place].clone();
        self.unsubscribe_from(client, &channel).then_some(place)
    }

    /// The application leaves a channel. Returns whether it was subscribed.
    pub(super) fn unsubscribe_from(&mut self, client: usize, channel: &Channel) -> bool {
        let clocks = self.clients[client].clocks(self.now);
        let c = &mut self.clients[client];
        let Some(handle) = c.channels.remove(channel) else { return false };
        c.watches.remove(&handle);
        c.members.remove(&handle);
        c.talk.left(handle);
        c.core.unsubscribe(clocks, handle);
        say!(self, format!("c{client}"), "unsubscribes from {channel}, {}", handle.0);
        true
    }

    fn close_client(&mut self, client: usize) {
        say!(self, format!("c{client}"), "closes");
        let c = &mut self.clients[client];
        c.closed = true;
        let clocks = c.clocks(self.now);
        c.core.handle(clocks, Input::Close);
        self.drain(client);
        let c = &mut self.clients[client];
        c.forget_subscriptions();
        // What the page has not restored yet is not its own: it stays in the database.
        let unrestored = if c.restoring { c.kept.len() } else { 0 };
        if unrestored == 0 {
            c.kept.clear();
        }
        if c.status != Some(Status::Closed) || c.waiting > unrestored {
            let what = format!("c{client} was closed; it is {:?}, {} waiting", c.status, c.waiting);
            self.broken(violated(Rule::Resolved, what));
        }
        if !self.clients[client].asks.pending.is_empty() {
            self.broken(violated(Rule::Settled, format!("c{client} was closed, and a request waits")));
        }
    }

    /// Whoever acts in the middle of a batch tells the core first how far it was delivered.
    fn tell_stretch(&mut self, client: usize, handle: Handle) {
        let (untold, too_far) = (self.has(Mutant::StretchUntold), self.has(Mutant::StretchToldTooFar));
        let c = &mut self.clients[client];
        if untold {
            c.stretch = Stretch::default();
        }
        c.stretch.settle(&mut c.core);
        if too_far && let Some(place) = c.watches.get(&handle).and_then(|watch| watch.place) {
            c.core.accept(handle, place.offset + 1, 1);
        }
    }

    /// A listener may act in the middle of a batch.
    pub(super) fn listener(&mut self, client: usize, handle: Handle) {
        if self.healed || self.clients[client].closed || self.clients[client].over {
            return;
        }
        let act = self.clients[client].rng.between(0, 999);
        if act > 15 {
            return;
        }
        self.tell_stretch(client, handle);
        match act {
            0..=9 => self.send(client),
            10..=11 => drop(self.unsubscribe_from_one(client)),
            12..=13 => self.subscribe_to_one(client),
            14..=15 => {
                if let Some(channel) = self.unsubscribe_from_one(client) {
                    self.subscribe(client, channel);
                }
            }
            _ => {}
        }
    }

    pub(super) fn fetch_token(&mut self, client: usize) {
        let bad = self.case.kinds.has(Kind::Token) && !self.healed;
        let changing = self.rights.is_some();
        let rng = &mut self.clients[client].rng;
        let (wait, lives) = match rng.between(0, 9) {
            0 if bad => (rng.between(0, 5_000), None),
            1 if bad => {
                say!(self, format!("c{client}"), "the token callback does not answer");
                return;
            }
            2 if bad => (rng.between(5_000, 29_000), Some(rng.between(20_000, 120_000))),
            _ if bad => (rng.between(0, 500), Some(rng.between(15_000, 120_000))),
            // What a token grants changes with the next one.
            _ if changing && !self.healed => (rng.between(0, 100), Some(rng.between(35_000, 120_000))),
            _ => (rng.between(0, 100), Some(24 * 3_600_000)),
        };
        // Its age counts from the request.
        let until = lives.map(|lives| EPOCH + self.now + lives);
        let page = self.clients[client].page;
        self.after(wait, Event::Token { client, page, until });
    }

    pub(super) fn token_answers(&mut self, client: usize, page: u32, until: Option<u64>) {
        if self.clients[client].page != page {
            return;
        }
        if self.clients[client].rest.is_some_and(|rest| rest != Rest::PutAway) {
            // A suspended page receives the answer when it resumes.
            return self.after(500, Event::Token { client, page, until });
        }
        let input = match until {
            Some(_) if self.clients[client].signs_in_wrongly => Input::Token("wrong".into()),
            Some(until) => Input::Token(self.token(client, until)),
            None => Input::TokenFailed("the back end is down".into()),
        };
        say!(self, format!("c{client}"), "{input:?}");
        self.tell(client, input);
    }

    /// A token of the client's user.
    fn token(&mut self, client: usize, until: u64) -> String {
        let (user, now) = (user_of(client), self.server_ms());
        let Some(rights) = &mut self.rights else { return format!("{user} {until}") };
        let (id, token) = rights.token(&user, now, until);
        self.clients[client].token_id = id;
        token
    }
}
