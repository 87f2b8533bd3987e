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
        log::{Entry, NewEntry, SendPermission},
    },
    store::Database,
};

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

/// Decides and stores a change. Runs in the commit loop: nothing else changes a chat or a log meanwhile.
pub(super) async fn store(
    environment: &dyn Environment,
    store: &dyn Database,
    chats: &ChatRegistry,
    bans: &Bans,
    at: u64,
    command: ChatCommand,
) -> Result<Stored, Refusal> {
    let ChatCommand { actor, chat, command } = command;
    if let Actor::User { user, .. } = &actor {
        bans.check_user(user, at)?;
    }
    let again = planted!(environment, ChatsMadeAgain) && matches!(command, Command::Create { .. });
    let anybody = planted!(environment, AnybodyRemoves) && matches!(command, Command::Remove { .. });
    let actor = if anybody { Actor::BackEnd } else { actor };
    let before = chats.get(&chat).filter(|_| !again);
    let room = before.as_ref().map(|record| &*record.room);
    let Change { room: after, entries, mut gone } =
        match decide(room, &actor, &command, Bounds::default(), at)? {
            Decision::NoChange => return Ok(Stored { chat: before, change: None }),
            Decision::Changed(change) => change,
        };
    let log = after.log().ok_or_else(|| Refusal::of(ErrorCode::NotFound))?;
    if room.is_none() && !again {
        // The channel is already in use without members: guessing its name must not make anybody its owner.
        let found = store.log(&log).await.map_err(unavailable)?;
        // The two users of a direct chat that was deleted may have another one: nothing is left in its log.
        let was_deleted = after.kind == ChatKind::Direct && found.trimmed == found.head;
        if found.head > 0 && !was_deleted {
            return Err(Refusal::of(ErrorCode::IdReused));
        }
    }
    let new: Vec<NewEntry> =
        entries.iter().filter_map(|change| new_entry(environment, &actor, &after, change)).collect();
    let outcomes = store.change_chat(at, room, &after, &new).await.map_err(unavailable)?;
    let entries = new
        .iter()
        .zip(&outcomes)
        .filter_map(|(entry, outcome)| Some(Entry::of(entry, outcome.stored()?)))
        .collect();
    let chat = ChatRecord { room: Arc::new(after), at };
    if planted!(environment, RemovalNotTold) {
        gone.clear();
    }
    // From now on the commit loop stores nothing from removed users.
    chats.put(chat.clone());
    Ok(Stored { chat: Some(chat), change: Some(StoredChange { entries, gone }) })
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

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` calls")]
fn unavailable(error: Error) -> Refusal {
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
