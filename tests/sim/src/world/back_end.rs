//! The back end of the applications: its calls of what is behind the server's HTTP API, one after the other, on a node that may go down
//! before it answers. What follows from them is in [`super::rights`] and, for what is erased or deleted, in the texts of the ledger.

use std::{collections::BTreeMap, sync::PoisonError};

use everwire_protocol::{Action, CHAT_EVENT, Channel, ChatChange, ErrorCode, Message, Payload, Uuid};
use everwire_server::{
    chats::{Actor, Command},
    environment::Environment as _,
    model::{
        ban::AccessChange,
        log::{NewEntry, Outcome, SendPermission},
    },
    node::Node,
};

use super::{
    Event, World,
    chats::made_by,
    client::{Sent, user_of},
    rights::{CHAT, REMEMBERED_MS},
    say,
};
use crate::{play::Play, rng::Rng};

/// How long the back end waits before it repeats a call that failed, in ms.
const RETRY_MS: u64 = 300;

/// Messages that are deleted are among this many latest ones of a client.
const LATEST: usize = 20;

/// A call of the back end.
#[derive(Debug, Clone)]
pub(super) enum Call {
    Access(AccessChange),
    Chat(Command),
    Erase(String),
    /// Asks whether an erasure has ended.
    AwaitErasure(String),
    DeleteChat(String),
    DeleteMessage(Channel, Uuid),
}

/// How a call ended.
#[derive(Debug)]
pub(super) enum Ended {
    Done(BTreeMap<Channel, u64>),
    /// It can never succeed.
    Refused(ErrorCode),
    Unavailable,
}

impl World {
    /// The back end erases a user, or deletes a message or a chat.
    pub(super) fn erase_or_delete(&mut self, rng: &mut Rng) {
        let client = rng.below(self.clients.len());
        let nth = rng.below(LATEST);
        let stored = self.clients[client].sends.iter().rev().filter(|(_, sent)| **sent == Sent::Stored);
        let message = stored.take(LATEST).nth(nth).map(|(id, _)| *id);
        let call = match (rng.between(0, 9), message) {
            (0..=4, _) => Call::Erase(user_of(client)),
            (5..=7, Some(id)) => Call::DeleteMessage(self.sent_to(client, id), id),
            _ if self.case.plays.has(Play::Chats) => {
                let (_, made) = self.group(rng.between(0, 2));
                Call::DeleteChat(made_by(made))
            }
            _ => return,
        };
        // Each takes a while, and all of them have to end.
        let erases = |call: &Call| matches!(call, Call::Erase(_) | Call::AwaitErasure(_));
        let busy = self.rights.as_ref().is_some_and(|rights| rights.calls.iter().any(erases));
        if busy && erases(&call) {
            return;
        }
        if let Call::Erase(user) = &call {
            self.chats.erases(user);
            let of_user = (0..self.clients.len()).filter(|client| user_of(*client) == *user);
            self.ledger.erased.extend(of_user);
        }
        if let Some(rights) = &mut self.rights {
            rights.calls.push_back(call);
            self.call_in(0);
        }
    }

    /// The back end makes its next call after a while, or sooner.
    pub(super) fn call_in(&mut self, ms: u64) {
        let at = self.now + ms;
        if let Some(rights) = &mut self.rights
            && rights.next_call.is_none_or(|next| at < next)
        {
            rights.next_call = Some(at);
            self.at(at, Event::BackEnd);
        }
    }

    /// The back end makes its next call, one after the other.
    pub(super) fn back_end(&mut self) {
        let Some(rights) = &mut self.rights else { return };
        if rights.next_call.take_if(|next| *next <= self.now).is_none() {
            return;
        }
        let Some(call) = rights.calls.front().cloned() else { return };
        if rights.calling.is_some_and(|(node, boot)| self.nodes[node].boot == boot && self.nodes[node].up) {
            // The node may go down before it answers.
            return self.call_in(RETRY_MS);
        }
        let there = (0..self.nodes.len()).find(|node| self.nodes[*node].up);
        let Some((node, real, environment)) = there.and_then(|node| {
            let on = &self.nodes[node];
            Some((node, on.node()?.clone(), on.executor.as_ref()?.environment().clone()))
        }) else {
            return self.call_in(RETRY_MS);
        };
        rights.calling = Some((node, self.nodes[node].boot));
        rights.begins(&call);
        say!(self, "BACK", "{call:?}");
        let Some(rights) = &self.rights else { return };
        let (store, ended) = (self.store.clone(), rights.ended.clone());
        let channels: Vec<_> = self.channels.iter().cloned().chain(self.chats.logs()).collect();
        environment.spawn(Box::pin(async move {
            let result = match call {
                Call::Erase(user) => {
                    let until = real.environment.wall_ms() + REMEMBERED_MS;
                    real.erase_user(&user, until).await.map_err(|_| ErrorCode::Unavailable)
                }
                Call::AwaitErasure(user) if real.bans.is_erasing(&user) => Err(ErrorCode::Unavailable),
                Call::AwaitErasure(_) => Ok(()),
                Call::DeleteChat(chat) => {
                    real.delete_chat(&chat).await.map(drop).map_err(|_| ErrorCode::Unavailable)
                }
                Call::DeleteMessage(channel, target) => delete(&real, channel, target).await,
                Call::Access(change) => {
                    real.change_access(change).await.map(drop).map_err(|_| ErrorCode::Unavailable)
                }
                Call::Chat(command) => {
                    let chat = CHAT.hyphenated().to_string();
                    let changed = real.change_chat(Actor::BackEnd, Some(&chat), command).await;
                    changed.map(drop).map_err(|refusal| refusal.code)
                }
            };
            let head = |channel: Channel| (channel.clone(), store.data().logs.log(&channel).head);
            let result = match result {
                Ok(()) => Ended::Done(channels.into_iter().map(head).collect()),
                Err(ErrorCode::Unavailable) => Ended::Unavailable,
                Err(code) => Ended::Refused(code),
            };
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }));
        self.pump(node);
        // A node that goes down answers nothing.
        self.call_in(RETRY_MS);
    }

    /// The node has answered the back end.
    pub(super) fn back_end_hears(&mut self) {
        let step = self.stats.steps;
        let Some(rights) = &mut self.rights else { return };
        let ended = rights.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(ended) = ended else { return };
        rights.calling = None;
        say!(
            self,
            "BACK",
            "{}",
            match &ended {
                Ended::Done(_) => "done".to_owned(),
                Ended::Refused(code) => format!("refused: {code:?}"),
                Ended::Unavailable => "not now".to_owned(),
            }
        );
        let wait = match ended {
            Ended::Done(heads) => {
                let call = rights.calls.pop_front();
                if let Some(call) = &call {
                    self.back_end_is_told(call, &heads);
                }
                if let (Some(rights), Some(call)) = (&mut self.rights, call) {
                    rights.done(call, heads, step);
                }
                0
            }
            Ended::Refused(_) => {
                rights.calls.pop_front();
                0
            }
            Ended::Unavailable => {
                // Not everybody asks again; what has happened all the same has to be found without that.
                rights.calls.pop_front_if(|call| matches!(call, Call::DeleteChat(_)));
                RETRY_MS
            }
        };
        self.call_in(wait);
    }

    /// A call has succeeded: what is gone may not be read by whoever asks from now on.
    fn back_end_is_told(&mut self, call: &Call, heads: &BTreeMap<Channel, u64>) {
        let now = self.now;
        match call {
            Call::Erase(user) => {
                for (channel, head) in heads {
                    let entries = self.store.data().all(channel);
                    let Some(log) = self.ledger.current(channel) else { continue };
                    let of_user = entries.iter().filter_map(|entry| entry.message());
                    for message in of_user.filter(|m| m.offset <= *head && concerns(m, user)) {
                        self.ledger.logs[log].texts.erasing(message.offset, user);
                    }
                }
            }
            Call::AwaitErasure(user) => {
                self.stats.erased += 1;
                self.ledger.current_logs().for_each(|log| log.texts.erased(user, now));
            }
            Call::DeleteMessage(channel, target) => {
                let place = self.ledger.place(*target);
                if let Some((log, offset)) =
                    place.filter(|(log, _)| self.ledger.logs[*log].channel == *channel)
                {
                    self.ledger.logs[log].texts.deletion_told(offset, now);
                }
            }
            Call::Access(_) | Call::Chat(_) | Call::DeleteChat(_) => {}
        }
    }
}

/// Whether a message is of a user, or about a membership of one.
fn concerns(message: &Message, user: &str) -> bool {
    let member = || message.data.read::<ChatChange>().ok()?.user;
    message.user == user
        || (message.event.as_deref() == Some(CHAT_EVENT) && member().as_deref() == Some(user))
}

/// As the API does it.
async fn delete(node: &Node, channel: Channel, target: Uuid) -> Result<(), ErrorCode> {
    let entry = NewEntry {
        id: node.environment.new_id(),
        channel,
        user: "".into(),
        name: None,
        event: None,
        data: Payload::from_value(&()).map_err(|_| ErrorCode::Internal)?,
        action: Some(Action::Delete),
        target: Some(target),
        permission: SendPermission::Server,
    };
    match node.commits.store(entry).await {
        None => Err(ErrorCode::Unavailable),
        Some(Outcome::Refused(refusal)) => Err(refusal.code),
        Some(Outcome::IdReused) => Err(ErrorCode::IdReused),
        Some(Outcome::Stored(_) | Outcome::Rewrote(..) | Outcome::Copy(_)) => Ok(()),
    }
}
