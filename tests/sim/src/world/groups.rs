//! The applications' part of chats: they create them, join and leave, invite and remove each other, read and write there, and keep a
//! list of their own.

use std::collections::BTreeSet;

use everwire_client_core::Handle;
use everwire_protocol::{
    Channel, ChatKind, Chats as ChatList, CreateChat, ErrorCode, Invite, JoinChat, LeaveChat, ListChats,
    RemoveMember, Role, Subscribed, Uuid,
    channels::{chat_of, messages_channel, user_channel},
};

use super::{
    World,
    chats::{Act, made_by},
    client::user_of,
    requests::About,
    say,
};
use crate::{
    ledger::request_id,
    play::Play,
    violation::{Rule, Violation, violated},
    watch::Watch,
};

/// The chats of a run.
const CHATS: u64 = 3;

/// Numbers of requests that create a chat begin here.
const CREATES: u64 = 1 << 40;

/// The end of a run in which applications have more to do once everything is quiet.
#[derive(Debug)]
pub(super) struct Finale {
    /// Since when, in virtual ms.
    pub(super) since: u64,
    /// The signals that were received since: the channel, who sent them, and who received them.
    pub(super) heard: BTreeSet<(Channel, usize, usize)>,
}

impl World {
    /// A chat of the run: who makes it, and the request that does.
    pub(super) fn group(&self, number: u64) -> (usize, Uuid) {
        let client = number as usize % self.clients.len();
        (client, request_id(client, CREATES + number))
    }

    /// The application does something about chats.
    pub(super) fn play_chats(&mut self, client: usize) {
        if !self.case.plays.has(Play::Chats) || self.clients[client].closed {
            return;
        }
        self.subscribe_to_own(client);
        let others = self.clients.len();
        let rng = &mut self.clients[client].play_rng;
        if !rng.chance(500) {
            return;
        }
        let (number, other, what) =
            (rng.between(0, CHATS - 1), user_of(rng.below(others)), rng.between(0, 99));
        let (maker, made) = self.group(number);
        let chat = made_by(made);
        let id = self.clients[client].asks.next_id(client);
        let about = |act| About::Chat { chat: made_by(made), act };
        match what {
            0..=24 if maker == client => {
                let request = CreateChat {
                    id: made,
                    kind: ChatKind::Group,
                    title: Some(format!("chat {number}")),
                    open: Some(number == 0),
                    users: vec![other],
                };
                self.ask(client, made, request, about(Act::Create));
            }
            0..=24 => self.ask(client, id, JoinChat { id, chat }, about(Act::Join)),
            25..=34 => self.ask(client, id, LeaveChat { id, chat }, about(Act::Leave)),
            35..=44 if other != user_of(client) => {
                let request = Invite { id, chat, user: other.clone(), role: None };
                self.ask(client, id, request, about(Act::Invite(other)));
            }
            45..=49 if other != user_of(client) => {
                let request = RemoveMember { id, chat, user: other.clone() };
                self.ask(client, id, request, about(Act::Remove(other)));
            }
            50..=59 => self.list_chats(client, None),
            60..=74 => {
                if let Some(channel) = messages_channel(&chat) {
                    self.subscribe_to(client, &channel, Some(5));
                }
            }
            75..=79 => {
                if let Some(channel) = messages_channel(&chat) {
                    self.unsubscribe_from(client, &channel);
                }
            }
            80..=99 => {
                if let Some(channel) = messages_channel(&chat) {
                    self.send_in(client, &channel);
                }
            }
            _ => {}
        }
    }

    /// A page keeps the list of its user's chats by the user's own channel.
    /// Returns whether it was not subscribed.
    pub(super) fn subscribe_to_own(&mut self, client: usize) -> bool {
        if self.case.plays.has(Play::Chats)
            && let Some(own) = user_channel(&user_of(client))
            && !self.clients[client].channels.contains_key(&own)
        {
            self.subscribe_to(client, &own, Some(0));
            return true;
        }
        false
    }

    /// Subscribes to a channel that is not one of the run's own.
    fn subscribe_to(&mut self, client: usize, channel: &Channel, recent: Option<u32>) {
        let (clocks, now) = (self.clients[client].clocks(self.now), self.now);
        let c = &mut self.clients[client];
        if c.channels.contains_key(channel) {
            return;
        }
        match c.core.subscribe(clocks, channel.as_str(), recent, None) {
            Ok(handle) => {
                c.channels.insert(channel.clone(), handle);
                c.watches.insert(handle, Watch::new(channel.clone(), u64::from(recent.unwrap_or(0))));
                c.joined.insert(handle, now);
                say!(self, format!("c{client}"), "subscribes to {channel} as {}", handle.0);
            }
            Err(code) => {
                let what = format!("c{client} cannot subscribe to {channel}: {code:?}");
                self.broken(violated(Rule::Protocol, what));
            }
        }
    }

    /// Whether the server may end a subscription, or refuse it, because the user was not in the chat.
    pub(super) fn may_be_put_out(&self, client: usize, handle: Handle, code: ErrorCode) -> bool {
        let c = &self.clients[client];
        let Some(watch) = c.watches.get(&handle) else { return false };
        let (Some(chat), Some(since)) = (chat_of(&watch.channel), c.joined.get(&handle)) else {
            return false;
        };
        match code {
            ErrorCode::Forbidden => self.chats.was_out(chat, &user_of(client), *since),
            ErrorCode::NotFound => self.chats.was_deleted(chat, *since),
            _ => false,
        }
    }

    /// Whether a chat may refuse a message that was written at a time.
    pub(super) fn may_be_refused(&self, client: usize, channel: &Channel, code: ErrorCode, id: Uuid) -> bool {
        let written = self.clients[client].written.get(&id);
        let (Some(chat), Some((_, written))) = (chat_of(channel), written) else { return false };
        code == ErrorCode::Forbidden && self.chats.was_mute(chat, &user_of(client), *written)
    }

    /// Asks for the list of chats, from the first or after one.
    pub(super) fn list_chats(&mut self, client: usize, after: Option<String>) {
        let id = self.clients[client].asks.next_id(client);
        if after.is_none() {
            self.clients[client].listed.clear();
        }
        self.ask(client, id, ListChats { id, after, limit: Some(2) }, About::List);
    }

    /// A page of the list arrives.
    pub(super) fn next_of_list(&mut self, client: usize, list: &ChatList) -> Result<(), Violation> {
        if self.finale.is_none() {
            return Ok(());
        }
        let listed = &mut self.clients[client].listed;
        listed.extend(list.chats.iter().map(|chat| (chat.id.clone(), chat.role)));
        if let Some(next) = list.next.clone() {
            self.list_chats(client, Some(next));
            return Ok(());
        }
        let listed = std::mem::take(&mut self.clients[client].listed);
        let truth: Vec<(String, Role)> = self.chats.of(&user_of(client)).into_iter().collect();
        if listed == truth {
            return Ok(());
        }
        violated(Rule::Chats, format!("c{client} lists {listed:?}; {truth:?} is right"))
    }

    /// The user's own channel is subscribed: the list begins anew.
    pub(super) fn own_chats(&mut self, client: usize, frame: &Subscribed) {
        if let Some(chats) = &frame.chats {
            self.clients[client].own_chats = chats.iter().map(|chat| (chat.id.clone(), chat.role)).collect();
        }
    }

    /// Everything is quiet: now every member of a chat reads and writes there, everybody asks for the list, a log is read to its
    /// beginning, and everybody signals. Returns whether there is something to wait for.
    pub(super) fn begin_finale(&mut self) -> bool {
        let (chats, history) = (self.case.plays.has(Play::Chats), self.case.plays.has(Play::History));
        if self.finale.is_some() || !(chats || history || self.case.plays.has(Play::Signals)) {
            return false;
        }
        say!(
            self,
            "FINALE",
            "every member of a chat reads and writes, a log is read to its beginning, everybody signals"
        );
        self.finale = Some(Finale { since: self.now, heard: BTreeSet::new() });
        if history {
            self.read_everything();
        }
        for client in 0..self.clients.len() {
            if self.clients[client].closed || !chats {
                continue;
            }
            let user = user_of(client);
            for (chat, role) in self.chats.of(&user) {
                let Some(channel) = messages_channel(&chat).filter(|_| role != Role::Invited) else {
                    continue;
                };
                self.subscribe_to(client, &channel, None);
                if role != Role::ReadOnly {
                    self.send_in(client, &channel);
                }
            }
            self.list_chats(client, None);
            self.carry_out(client);
        }
        true
    }

    /// The lists of chats are right, and no request waits.
    pub(super) fn chats_are_right(&self) -> Result<(), Violation> {
        for (client, c) in self.clients.iter().enumerate().filter(|(_, c)| !c.closed) {
            if let Some((id, pending)) = c.asks.pending.first_key_value() {
                let what = format!("c{client} waits for {id} since {}: {:?}", pending.at, pending.about);
                return violated(Rule::Settled, what);
            }
            let truth = self.chats.of(&user_of(client));
            if self.case.plays.has(Play::Chats) && c.own_chats != truth {
                let what = format!("c{client} has the chats {:?}; {truth:?} is right", c.own_chats);
                return violated(Rule::Chats, what);
            }
        }
        Ok(())
    }
}
