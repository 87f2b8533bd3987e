//! Changes of chats: decided, stored and published in one order with sends, because the commit loop does all of it.

use std::sync::Arc;

use everwire_protocol::{
    CHAT_EVENT, Channel, ChatChange, ChatKind, ErrorCode, Payload, channels::messages_channel,
};

use super::Node;
use crate::{
    Error,
    auth::Bans,
    chats::{Actor, Bounds, Change, ChatRegistry, Command, Decision, decide},
    environment::{Environment, planted},
    model::{
        chat::{ChatRecord, Room},
        identity::Refusal,
        log::{Entry, NewEntry, Outcome, SendPermission},
    },
    store::{Database, chats::ChatWrite},
};

/// Maximum open invitations of one user by another.
const INVITATIONS_BY_ONE: usize = 20;

/// A command for a chat and its context.
#[derive(Debug)]
pub(super) struct ChatCommand {
    pub(super) actor: Actor,
    pub(super) chat: Arc<str>,
    pub(super) command: Command,
}

impl ChatCommand {
    /// The channel of the chat's log.
    pub(super) fn log(&self) -> Option<Channel> {
        messages_channel(&self.chat)
    }

    /// The id of the chat.
    pub(super) fn chat(&self) -> &Arc<str> {
        &self.chat
    }
}

impl Node {
    /// Carries out a command. `chat` is its object; for [`Command::Create`] it is derived from the command. Returns the
    /// resulting chat; `None` if there is none, which is fine for [`Command::Leave`]. When this returns, removed users
    /// receive nothing more.
    ///
    /// # Errors
    /// The refusal by the rules, or [`ErrorCode::Unavailable`].
    pub async fn change_chat(
        &self,
        actor: Actor,
        chat: Option<&str>,
        command: Command,
    ) -> Result<Option<ChatRecord>, Refusal> {
        // The erasure would take them out again.
        if command.newcomers().any(|user| self.bans.is_erasing(user)) {
            let words = "The data of one of these users is being erased. Try again when that has ended.";
            return Err(Refusal::new(ErrorCode::Unavailable, words));
        }
        let made = command.chat_made(&actor).map(|id| id.hyphenated().to_string());
        // A direct chat with too few users has no id. The rules return the error.
        let chat: Arc<str> = made.as_deref().or(chat).unwrap_or_default().into();
        self.commits.change_chat(ChatCommand { actor, chat, command }).await
    }
}

/// A stored change.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) chat: Option<ChatRecord>,
    pub(super) change: Option<StoredChange>,
}

#[derive(Debug)]
pub(super) struct StoredChange {
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) gone: Vec<Arc<str>>,
}

/// What decides about changes, and keeps them.
#[derive(Clone, Copy)]
pub(super) struct Keeping<'a> {
    pub(super) environment: &'a dyn Environment,
    pub(super) store: &'a dyn Database,
    pub(super) chats: &'a ChatRegistry,
    pub(super) bans: &'a Bans,
}

/// What was decided about a command.
enum Decided {
    /// The chat is already what it should be.
    Same(Option<ChatRecord>),
    /// A change to be stored.
    New(Box<NewChange>),
}

struct NewChange {
    before: Option<Arc<Room>>,
    after: Room,
    entries: Vec<NewEntry>,
    gone: Vec<Arc<str>>,
}

impl Keeping<'_> {
    /// Decides about commands for different chats, and stores what is permitted in one transaction. Returns the result of each.
    /// Runs in the commit loop: nothing else changes a chat or a log meanwhile.
    pub(super) async fn store(self, at: u64, commands: Vec<ChatCommand>) -> Vec<Result<Stored, Refusal>> {
        let mut decided = Vec::new();
        for command in commands {
            let change = self.decide(at, command, &decided).await;
            decided.push(change);
        }
        let new = decided.iter().filter_map(|decided| match decided {
            Ok(Decided::New(change)) => Some(ChatWrite {
                before: change.before.as_deref(),
                after: &change.after,
                entries: &change.entries,
            }),
            Ok(Decided::Same(_)) | Err(_) => None,
        });
        let new: Vec<_> = new.collect();
        let written = if new.is_empty() { Ok(Vec::new()) } else { self.store.change_chats(at, &new).await };
        let mut outcomes = written.map(Vec::into_iter).map_err(|error| unavailable(&error));
        let result = |decided| match (decided?, &mut outcomes) {
            (Decided::Same(chat), _) => Ok(Stored { chat, change: None }),
            (Decided::New(_), Err(refusal)) => Err(refusal.clone()),
            (Decided::New(change), Ok(outcomes)) => {
                Ok(self.keep(at, *change, &outcomes.next().unwrap_or_default()))
            }
        };
        decided.into_iter().map(result).collect()
    }

    async fn decide(
        self,
        at: u64,
        command: ChatCommand,
        earlier: &[Result<Decided, Refusal>],
    ) -> Result<Decided, Refusal> {
        let Self { environment, store, chats, bans } = self;
        let ChatCommand { actor, chat, command } = command;
        if let Actor::User { user, .. } = &actor {
            bans.check_user(user, at)?;
        }
        let again = planted!(environment, ChatsMadeAgain) && matches!(command, Command::Create { .. });
        let anybody = planted!(environment, AnybodyRemoves) && matches!(command, Command::Remove { .. });
        let actor = if anybody { Actor::BackEnd } else { actor };
        let known = chats.get(&chat).filter(|_| !again);
        let before = known.as_ref().map(|record| record.room.clone());
        let Change { room: after, entries, gone } =
            match decide(before.as_deref(), &actor, &command, Bounds::default(), at)? {
                Decision::NoChange => return Ok(Decided::Same(known)),
                Decision::Changed(change) => change,
            };
        self.check_invitations(before.as_deref(), &after, earlier)?;
        let log = after.log().ok_or_else(|| Refusal::of(ErrorCode::NotFound))?;
        if before.is_none() && !again {
            // The channel is already in use without members: guessing its name must not make anybody its owner.
            let found = store.log(&log).await.map_err(|error| unavailable(&error))?;
            // The two users of a direct chat that was deleted may have another one: nothing is left in its log.
            let was_deleted = after.kind == ChatKind::Direct && found.trimmed == found.head;
            if found.head > 0 && !was_deleted {
                return Err(Refusal::of(ErrorCode::IdReused));
            }
        }
        let new = entries.iter().filter_map(|change| new_entry(environment, &actor, &after, change));
        let entries = new.collect();
        Ok(Decided::New(Box::new(NewChange { before, after, entries, gone })))
    }

    /// Open invitations of a user are bounded, from whomever: no other user can have them all. `earlier` is what else is about to be
    /// stored.
    fn check_invitations(
        self,
        before: Option<&Room>,
        after: &Room,
        earlier: &[Result<Decided, Refusal>],
    ) -> Result<(), Refusal> {
        for (by, user) in new_invitations(before, after) {
            let about_to_be = earlier.iter().filter(|decided| match decided {
                Ok(Decided::New(change)) => {
                    new_invitations(change.before.as_deref(), &change.after).any(|pair| pair == (by, user))
                }
                Ok(Decided::Same(_)) | Err(_) => false,
            });
            if self.chats.invitations_by(by, user) + about_to_be.count() >= INVITATIONS_BY_ONE {
                let words = format!(
                    "{user} has not answered {INVITATIONS_BY_ONE} of your invitations. Wait for an answer, or withdraw one."
                );
                return Err(Refusal::new(ErrorCode::Forbidden, words));
            }
        }
        Ok(())
    }

    /// A change is stored.
    fn keep(self, at: u64, change: NewChange, outcomes: &[Outcome]) -> Stored {
        let NewChange { after, entries, mut gone, .. } = change;
        let stored = entries.iter().zip(outcomes);
        let entries =
            stored.filter_map(|(entry, outcome)| Some(Entry::of(entry, outcome.stored()?))).collect();
        let chat = ChatRecord { room: Arc::new(after), at };
        if planted!(self.environment, RemovalNotTold) {
            gone.clear();
        }
        // From now on the commit loop stores nothing from removed users.
        self.chats.put(chat.clone());
        Stored { chat: Some(chat), change: Some(StoredChange { entries, gone }) }
    }
}

/// Who is invited by a change, and by which user.
fn new_invitations<'a>(
    before: Option<&'a Room>,
    after: &'a Room,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let invited = after.participants.iter().filter_map(|now| Some((now.invited_by.as_deref()?, &*now.user)));
    invited.filter(move |(_, user)| before.is_none_or(|before| before.participant(user).is_none()))
}

/// A chat as it is stored, after a change that was reported as failed. If it happened, this is the state from now on: returns
/// who is gone by it.
pub(super) fn found(chats: &ChatRegistry, stored: &ChatRecord) -> Option<Vec<Arc<str>>> {
    let before = chats.get(&stored.room.id);
    if before.as_ref().is_some_and(|before| before.room == stored.room) {
        return None;
    }
    chats.put(stored.clone());
    let before = before.iter().flat_map(|before| &before.room.participants);
    let gone = before.filter(|participant| stored.room.participant(&participant.user).is_none());
    Some(gone.map(|participant| participant.user.clone()).collect())
}

fn unavailable(error: &Error) -> Refusal {
    tracing::error!(%error, "chat not changed");
    Refusal::of(ErrorCode::Unavailable)
}

fn new_entry(
    environment: &dyn Environment,
    actor: &Actor,
    room: &Room,
    change: &ChatChange,
) -> Option<NewEntry> {
    let (user, name) = match actor {
        Actor::User { user, name } => (user.clone(), name.clone()),
        Actor::BackEnd => (Arc::default(), None),
    };
    Some(NewEntry {
        id: environment.new_id(),
        channel: room.log()?,
        user,
        name,
        event: Some(CHAT_EVENT.into()),
        // Names and roles can always be serialized.
        data: Payload::from_value(change).ok()?,
        action: None,
        target: None,
        permission: SendPermission::Server,
    })
}
