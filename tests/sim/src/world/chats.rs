//! What is known of chats: every state that the store has had of each, and the rules that follow. A chat changes only as somebody
//! who might has asked; once somebody is out of it, nothing stored later leaves a node for them, and nothing of theirs is stored;
//! and a request about it is answered as was right at some moment between its call and its answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use everwire_protocol::{Channel, Chat, Role, ServerFrame, Uuid, channels::messages_channel};
use everwire_server::model::chat::Room;

use super::leaving::{End, What};
use crate::violation::{Rule, Violation, violated};

/// Something that a user does to a chat.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Act {
    Create,
    Join,
    Leave,
    Invite(String),
    Remove(String),
}

/// A chat from one moment on.
#[derive(Debug, Clone)]
struct State {
    /// In virtual ms.
    since: u64,
    /// `None`: it does not exist.
    room: Option<Arc<Room>>,
    /// Whether the server was told that this is stored.
    sure: bool,
}

impl State {
    fn role(&self, user: &str) -> Option<Role> {
        self.room.as_ref()?.role(user)
    }

    fn is_member(&self, user: &str) -> bool {
        matches!(self.role(user), Some(Role::Owner | Role::Member | Role::ReadOnly))
    }
}

/// All chats.
#[derive(Debug, Default)]
pub(super) struct Chats {
    states: BTreeMap<Arc<str>, Vec<State>>,
    /// The chats that clients make, and what was ever asked about them: a copy of a request may arrive late.
    asked: BTreeMap<Arc<str>, BTreeSet<(String, Act)>>,
    /// Users who were to be erased at some time.
    erased: BTreeSet<String>,
    /// What a user who is out of a chat may still have had of it.
    losses: BTreeMap<(Channel, String), End>,
}

impl Chats {
    /// The logs of all chats.
    pub(super) fn logs(&self) -> impl Iterator<Item = Channel> {
        self.states.keys().filter_map(|chat| messages_channel(chat))
    }

    /// A user asks for something.
    pub(super) fn asks(&mut self, chat: &str, user: &str, act: Act) {
        self.asked.entry(chat.into()).or_default().insert((user.to_owned(), act));
    }

    /// A user is to be erased, and leaves all chats.
    pub(super) fn erases(&mut self, user: &str) {
        self.erased.insert(user.to_owned());
    }

    /// The store has changed a chat.
    pub(super) fn changed(
        &mut self,
        now: u64,
        id: &Arc<str>,
        room: Option<Arc<Room>>,
        head: u64,
        sure: bool,
    ) -> Result<(), Violation> {
        let states = self.states.entry(id.clone()).or_default();
        let before = states.last().and_then(|state| state.room.clone());
        let state = State { since: now, room, sure };
        let after = state.room.clone();
        states.push(state);
        if let Some(after) = &after {
            self.may_change(id, before.as_deref(), after)?;
        }
        let Some(log) = messages_channel(id) else { return Ok(()) };
        for participant in before.iter().flat_map(|before| &before.participants) {
            let user = &participant.user;
            if after.as_ref().is_none_or(|after| after.participant(user).is_none()) && sure {
                let end = End { head, step: u64::MAX };
                self.losses.entry((log.clone(), user.to_string())).or_insert(end);
            }
        }
        for member in after.iter().flat_map(|after| after.members()) {
            self.losses.remove(&(log.clone(), member.user.to_string()));
        }
        Ok(())
    }

    /// Whether somebody who may has asked for a change.
    fn may_change(&self, id: &Arc<str>, before: Option<&Room>, after: &Room) -> Result<(), Violation> {
        let Some(asked) = self.asked.get(id) else { return Ok(()) };
        let by = |may: &dyn Fn(&str) -> bool, act: &Act| asked.iter().any(|(user, a)| a == act && may(user));
        let Some(before) = before else {
            let owner = after.participants.first().map(|owner| owner.user.to_string());
            let right = owner.is_some_and(|owner| asked.contains(&(owner, Act::Create)));
            return if right { Ok(()) } else { violated(Rule::Chats, format!("nobody has made {after:?}")) };
        };
        if before.created_at != after.created_at {
            return violated(Rule::Chats, format!("{id} was made again: {before:?}, then {after:?}"));
        }
        let role = |user: &str| before.role(user);
        for participant in &after.participants {
            let user = &*participant.user;
            let right = match (role(user), participant.role) {
                (None, Role::Invited) => {
                    let may = |by: &str| matches!(role(by), Some(Role::Owner | Role::Member));
                    by(&may, &Act::Invite(user.to_owned()))
                }
                (None, _) => before.open && by(&|by| by == user, &Act::Join),
                (Some(Role::Invited), Role::Owner | Role::Member) => by(&|by| by == user, &Act::Join),
                _ => true,
            };
            if !right {
                let what = format!("{user} is in {id} now and nobody who may has asked: {before:?}");
                return violated(Rule::Chats, what);
            }
        }
        for participant in &before.participants {
            let user = &*participant.user;
            let left = by(&|by| by == user, &Act::Leave);
            let removed = || by(&|by| role(by) == Some(Role::Owner), &Act::Remove(user.to_owned()));
            if after.participant(user).is_none() && !left && !removed() && !self.erased.contains(user) {
                let what = format!("{user} is out of {id} and nobody who may has asked: {before:?}");
                return violated(Rule::Chats, what);
            }
        }
        Ok(())
    }

    /// The data is another now: these are all chats in it.
    pub(super) fn reset<'a>(&mut self, now: u64, rooms: impl Iterator<Item = &'a Arc<Room>>) {
        self.losses.clear();
        let rooms: BTreeMap<_, _> = rooms.map(|room| (room.id.clone(), room.clone())).collect();
        for (id, states) in &mut self.states {
            states.push(State { since: now, room: rooms.get(id).cloned(), sure: true });
        }
    }

    /// What a chat was at some moment since then, as far as the server knows: where it does not know whether a change was stored,
    /// it may still go by the state before. A chat that nobody has heard of does not exist.
    fn since(&self, chat: &str, then: u64, is: impl Fn(&State) -> bool) -> bool {
        let nothing = State { since: 0, room: None, sure: true };
        let states = self.states.get(chat).map_or(&[][..], Vec::as_slice);
        let end = |next: usize| states[next..].iter().find(|state| state.sure).map_or(u64::MAX, |s| s.since);
        let all = std::iter::once(&nothing).chain(states);
        all.enumerate().any(|(next, state)| end(next) >= then && is(state))
    }

    /// Whether a user was not a member at some moment since then, and may not have been served.
    pub(super) fn was_out(&self, chat: &str, user: &str, then: u64) -> bool {
        self.since(chat, then, |state| !state.is_member(user))
    }

    /// Whether a user may not have been permitted to write at some moment since then.
    pub(super) fn was_mute(&self, chat: &str, user: &str, then: u64) -> bool {
        self.since(chat, then, |state| !matches!(state.role(user), Some(Role::Owner | Role::Member)))
    }

    /// Whether the server may say that it was done. A chat is always created by the same request: an answer may be to an earlier
    /// attempt.
    pub(super) fn was_done(&self, chat: &str, user: &str, act: &Act, then: u64) -> bool {
        let then = if *act == Act::Create { 0 } else { then };
        self.since(chat, then, |state| match act {
            Act::Create => state.role(user) == Some(Role::Owner),
            Act::Join => state.is_member(user),
            Act::Leave => state.role(user).is_none(),
            Act::Invite(other) => state.role(other).is_some(),
            Act::Remove(other) => state.role(other).is_none(),
        })
    }

    /// Whether the server may say that there is no such chat, or none for this user.
    pub(super) fn was_nothing(&self, chat: &str, user: &str, act: &Act, then: u64) -> bool {
        self.since(chat, then, |state| match act {
            Act::Join => {
                !state.room.as_ref().is_some_and(|room| room.open || room.participant(user).is_some())
            }
            Act::Invite(_) | Act::Remove(_) => state.role(user).is_none(),
            Act::Create | Act::Leave => false,
        })
    }

    /// Whether the server may say that a user may not do this.
    pub(super) fn was_forbidden(&self, chat: &str, user: &str, act: &Act, then: u64) -> bool {
        self.since(chat, then, |state| match act {
            Act::Invite(_) => !matches!(state.role(user), Some(Role::Owner | Role::Member)),
            Act::Remove(_) => state.role(user) != Some(Role::Owner),
            Act::Create | Act::Join | Act::Leave => false,
        })
    }

    /// Whether the server may say that the id belongs to another chat, or to one that was deleted.
    pub(super) fn was_taken(&self, chat: &str, user: &str) -> bool {
        self.since(chat, 0, |state| state.room.is_some() && state.role(user) != Some(Role::Owner))
            || self.was_deleted(chat, 0)
    }

    /// Whether a chat was deleted at some moment since then, or before.
    pub(super) fn was_deleted(&self, chat: &str, then: u64) -> bool {
        let was = self.states.get(chat).is_some_and(|states| states.iter().any(|state| state.room.is_none()));
        was && self.since(chat, then, |state| state.room.is_none())
    }

    /// A user learns of being out of a chat, whatever the server was told about that. The server may learn of it later than it is
    /// stored, and until then goes on with what is not stored.
    pub(super) fn is_out(&mut self, chat: &str, user: &str, end: End) {
        let out = self.states.get(chat).and_then(|states| states.last()).is_some_and(|s| !s.is_member(user));
        if let Some(log) = messages_channel(chat).filter(|_| out) {
            let loss = self.losses.entry((log, user.to_owned())).or_insert(end);
            loss.step = loss.step.min(end.step);
        }
    }

    /// Something leaves a node for a user.
    pub(super) fn may_leave(&self, user: &str, channel: &Channel, what: What) -> Result<(), Violation> {
        match self.losses.get(&(channel.clone(), user.to_owned())) {
            Some(end) if end.is_before(what) => {
                let what = format!("{what} of {channel} leaves for {user}, who is out since {end:?}");
                violated(Rule::Permission, what)
            }
            _ => Ok(()),
        }
    }

    /// An entry of a user was stored in a chat. Where the server does not know whether a change was stored, it may still go by
    /// the state before.
    pub(super) fn may_be_stored(&self, chat: &str, user: &str, what: &str) -> Result<(), Violation> {
        let Some(states) = self.states.get(chat) else {
            return violated(Rule::Permission, format!("{what} was stored in {chat}, which does not exist"));
        };
        let unsure = states.iter().rev().take_while(|state| !state.sure).count();
        let possible = states.iter().rev().take(unsure + 1);
        if possible.into_iter().any(|state| matches!(state.role(user), Some(Role::Owner | Role::Member))) {
            return Ok(());
        }
        violated(Rule::Permission, format!("{what} was stored in {chat}, where {user} may not write"))
    }

    /// Whether a user may be an owner of a chat, as far as the server knows.
    pub(super) fn may_own(&self, chat: &str, user: &str) -> bool {
        let states = self.states.get(chat).map_or(&[][..], Vec::as_slice);
        let unsure = states.iter().rev().take_while(|state| !state.sure).count();
        states.iter().rev().take(unsure + 1).any(|state| state.role(user) == Some(Role::Owner))
    }

    /// The chats of a user, with the role in each.
    pub(super) fn of(&self, user: &str) -> BTreeMap<String, Role> {
        let last = self.states.iter().filter_map(|(id, states)| Some((id, states.last()?)));
        last.filter_map(|(id, state)| Some((id.to_string(), state.role(user)?))).collect()
    }
}

/// What of the logs of chats is in a frame that is about to leave, besides what every log has.
pub(super) fn shown(frame: &ServerFrame) -> Vec<(Channel, u64)> {
    let of = |chat: &Chat| {
        let last = chat.last.iter().map(|last| last.offset);
        messages_channel(&chat.id).map(|log| (log, last.fold(chat.head, u64::max)))
    };
    match frame {
        ServerFrame::Done(frame) => frame.chat.iter().filter_map(of).collect(),
        ServerFrame::Chats(frame) => frame.chats.iter().filter_map(of).collect(),
        ServerFrame::ChatChanged(frame) => of(&frame.chat).into_iter().collect(),
        ServerFrame::Subscribed(frame) => frame.chats.iter().flatten().filter_map(of).collect(),
        _ => Vec::new(),
    }
}

/// The chat that a request with this id creates.
pub(super) fn made_by(request: Uuid) -> String {
    request.hyphenated().to_string()
}
