//! Requests of applications: each is settled once, by its own answer or an error that it may have. Whether what an answer says is
//! right is checked by the part that it is about.

use std::collections::{BTreeMap, BTreeSet};

use everwire_protocol::{ClientFrame, ErrorCode, ServerFrame, Uuid, batch};

use super::{World, chats::Act, client::user_of, leaving::End, paging::AskedPage, say};
use crate::{
    fault::Kind,
    ledger::request_id,
    mutants::Mutant,
    violation::{Rule, violated},
};

/// Requests of one client that wait at a time.
const MOST_PENDING: usize = 16;
/// A chat takes one change in a turn of the commit loop: where so many wait, one of them may time out.
const MANY: usize = 3;

/// What a request is about.
#[derive(Debug, Clone)]
pub(super) enum About {
    /// A chat.
    Chat { chat: String, act: Act },
    /// A page of the list of chats.
    List,
    /// A page of a log.
    Page(AskedPage),
}

/// A request without an answer.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) about: About,
    /// When it was made, in virtual ms.
    pub(super) at: u64,
    /// How many changes of chats were waiting then.
    behind: usize,
}

/// The requests of one client.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) pending: BTreeMap<Uuid, Pending>,
    settled: BTreeSet<Uuid>,
    number: u64,
}

impl Requests {
    /// The page is gone: nobody hears of its requests.
    pub(super) fn forget(&mut self) {
        self.pending.clear();
    }

    /// The id of the next request of a client.
    pub(super) fn next_id(&mut self, client: usize) -> Uuid {
        self.number += 1;
        request_id(client, self.number)
    }
}

impl World {
    /// The application makes a request, unless too many wait already.
    pub(super) fn ask(&mut self, client: usize, id: Uuid, frame: impl Into<ClientFrame>, about: About) {
        let (clocks, at) = (self.clients[client].clocks(self.now), self.now);
        let c = &mut self.clients[client];
        if c.asks.pending.contains_key(&id) || c.asks.pending.len() >= MOST_PENDING {
            return;
        }
        let patience = c.play_rng.pick(&[5_000, 15_000, 30_000]);
        if let About::Chat { chat, act } = &about {
            self.chats.asks(chat, &user_of(client), act.clone());
        }
        let text = batch::encode_frame(&frame.into());
        say!(self, format!("c{client}"), "asks {text}");
        let behind = self.chat_requests();
        // Before the core has it, which may fail it at once.
        let c = &mut self.clients[client];
        c.asks.settled.remove(&id);
        c.asks.pending.insert(id, Pending { about, at, behind });
        if let Err(code) = c.core.request(clocks, id, text, patience) {
            c.asks.pending.remove(&id);
            if code != ErrorCode::QueueFull {
                let what = format!("c{client} cannot ask: {code:?}");
                self.broken(violated(Rule::Settled, what));
            }
            return;
        }
        self.stats.requests += 1;
    }

    /// An answer arrives at the page.
    pub(super) fn answered(&mut self, client: usize, frame: &ServerFrame) {
        let Some(mut id) = frame.answered_id() else { return };
        if self.has(Mutant::AnswersInOrder) {
            id = self.clients[client].asks.pending.keys().next().copied().unwrap_or(id);
        }
        let Some(pending) = self.settle(client, id) else { return };
        self.stats.answered += 1;
        let result = match (&pending.about, frame) {
            (About::Chat { chat, act }, ServerFrame::Done(done)) => {
                let user = user_of(client);
                let named = done.chat.as_ref().map(|chat| &chat.id);
                let right = match act {
                    Act::Create | Act::Join => named.is_none_or(|named| named == chat),
                    Act::Leave | Act::Invite(_) | Act::Remove(_) => named.is_none(),
                };
                if right && self.chats.was_done(chat, &user, act, pending.at) {
                    Ok(())
                } else {
                    violated(Rule::Settled, format!("c{client} is told of {act:?} in {chat}: {done:?}"))
                }
            }
            (About::List, ServerFrame::Chats(list)) => self.next_of_list(client, list),
            (About::Page(asked), ServerFrame::HistoryPage(page)) => self.page_arrives(client, asked, page),
            (about, frame) => violated(Rule::Settled, format!("c{client} asked for {about:?}: {frame:?}")),
        };
        self.broken(result);
    }

    /// A request has failed.
    pub(super) fn request_failed(&mut self, client: usize, id: Uuid, code: ErrorCode) {
        let Some(pending) = self.settle(client, id) else { return };
        say!(self, format!("c{client}"), "{id} failed: {code:?}");
        if !self.may_fail(client, &pending, code) {
            let what =
                format!("c{client} asked for {:?} at {}, which failed: {code:?}", pending.about, pending.at);
            self.broken(violated(Rule::Settled, what));
        }
    }

    /// What a request was about, if it waits. Otherwise it is settled twice.
    fn settle(&mut self, client: usize, id: Uuid) -> Option<Pending> {
        let asks = &mut self.clients[client].asks;
        let pending = asks.pending.remove(&id);
        if pending.is_none() || !asks.settled.insert(id) {
            let what = format!("c{client} hears of request {id}, which does not wait");
            self.broken(violated(Rule::Settled, what));
        }
        pending
    }

    /// How many requests to change a chat wait.
    fn chat_requests(&self) -> usize {
        let pending = self.clients.iter().flat_map(|client| client.asks.pending.values());
        pending.filter(|pending| matches!(pending.about, About::Chat { .. })).count()
    }

    /// Whether there are messages that end the connection on which they are sent. The client looks for them one by one, and whatever
    /// else it wants to send waits meanwhile.
    pub(super) fn messages_cost_connections(&self) -> bool {
        [Kind::CutMessages, Kind::RefuseBatches].iter().any(|kind| self.case.kinds.has(*kind))
    }

    fn may_fail(&self, client: usize, pending: &Pending, code: ErrorCode) -> bool {
        let Pending { about, at, behind } = pending;
        let c = &self.clients[client];
        let user = user_of(client);
        let store = [Kind::StoreFails, Kind::StoreDoubt].iter().any(|kind| self.case.kinds.has(*kind));
        match code {
            _ if c.over || c.closed => true,
            // What waits is not shortened by it that no more is asked.
            ErrorCode::Timeout if matches!(about, About::Chat { .. }) && *behind >= MANY => true,
            // Once everything works, everything is answered; but for those whose token callback was called before and never answers, and
            // those that wait behind messages of which each costs a connection.
            ErrorCode::Timeout if self.finale.is_some() => {
                self.case.kinds.has(Kind::Token) || self.messages_cost_connections()
            }
            ErrorCode::Timeout => {
                let queued = matches!(about, About::Chat { .. }) && self.chat_requests() >= MANY;
                queued || c.was_slow || self.case.kinds.iter().next().is_some()
            }
            // Nobody is brought into a chat while being erased.
            ErrorCode::Unavailable => (store || self.case.kinds.has(Kind::Erasure)) && self.finale.is_none(),
            ErrorCode::Blocked => c.path.proxy.is_some(),
            ErrorCode::Banned | ErrorCode::Unauthorized => {
                self.rights.as_ref().is_some_and(|rights| rights.was_restricted(&user))
            }
            code => match about {
                About::Chat { chat, act } => match code {
                    ErrorCode::NotFound => self.chats.was_nothing(chat, &user, act, *at),
                    ErrorCode::Forbidden => self.chats.was_forbidden(chat, &user, act, *at),
                    ErrorCode::IdReused => *act == Act::Create && self.chats.was_taken(chat, &user),
                    _ => false,
                },
                About::List => false,
                About::Page(asked) => self.page_may_fail(client, asked, *at, code),
            },
        }
    }

    /// An answer is about to leave a node: from now on the user may know of being out of a chat.
    pub(super) fn answer_leaves(&mut self, frame: &ServerFrame) {
        let ServerFrame::Done(done) = frame else { return };
        let asked = self
            .clients
            .iter()
            .enumerate()
            .find_map(|(client, c)| Some((client, c.asks.pending.get(&done.id)?.about.clone())));
        let Some((client, About::Chat { chat, act })) = asked else { return };
        let user = match act {
            Act::Leave => user_of(client),
            Act::Remove(user) => user,
            Act::Create | Act::Join | Act::Invite(_) => return,
        };
        let log = everwire_protocol::channels::messages_channel(&chat);
        let head = log.map_or(0, |log| self.store.data().logs.log(&log).head);
        self.chats.is_out(&chat, &user, End { head, step: self.stats.steps });
    }
}
