//! Chats and who is in them: the rules, what this node knows of all chats, and how a change is made and told.
//!
//! * [`rules`]: what somebody may change, and what a change does. Pure.
//! * [`book`]: all chats in memory. It is authoritative, because only one writer changes it, and only after a change is on
//!   disk.

//! * [`changes`]: does what was decided, through the writer. [`asking`]: the frames that ask for it.
//! * [`telling`]: what members are told of it.

mod asking;
pub mod book;
mod changes;
pub mod rules;
pub mod telling;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use everwire_protocol::{Channel, ChatKind, Role, Uuid};
use tokio::sync::mpsc;

use crate::store::{Directory, Store, writer::Writer};
pub use book::Book;
pub use rules::{Act, Actor, Bounds, Change, Decided, decide};

/// The channels of chats: the log, and who has it open now.
const LOG: &str = "private-chat.";
const HERE: &str = "presence-chat.";

/// Somebody in a chat, invited ones included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who.
    pub user: Arc<str>,
    /// The name that others see, where it is known.
    pub name: Option<Arc<str>>,
    /// What they may do.
    pub role: Role,
    /// What an invited user becomes by joining. For all others the same as `role`.
    pub becomes: Role,
    /// When they came, or were invited, in ms since 1970.
    pub since: u64,
}

impl Participant {
    /// Whether they are in the chat, and not only invited.
    pub fn is_member(&self) -> bool {
        self.role != Role::Invited
    }
}

/// One chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Names the chat.
    pub id: Arc<str>,
    /// Group or direct.
    pub kind: ChatKind,
    /// What it is called, if it is a group.
    pub title: Option<String>,
    /// Whether any signed-in user may join without an invitation.
    pub open: bool,
    /// When it was made, in ms since 1970.
    pub created_at: u64,
    /// Who is in it, in the order in which they came.
    pub participants: Vec<Participant>,
}

impl Room {
    /// What is known of a user in this chat.
    pub fn participant(&self, user: &str) -> Option<&Participant> {
        self.participants.iter().find(|participant| &*participant.user == user)
    }

    /// What a user may do; `None` for who has nothing to do with the chat.
    pub fn role(&self, user: &str) -> Option<Role> {
        self.participant(user).map(|participant| participant.role)
    }

    /// Who is in it and not only invited.
    pub fn members(&self) -> impl Iterator<Item = &Participant> {
        self.participants.iter().filter(|participant| participant.is_member())
    }

    /// The channel of the chat's log.
    pub fn log(&self) -> Option<Channel> {
        log_of(&self.id)
    }
}

/// All that is done with chats. Cheap to clone.
#[derive(Clone)]
pub struct Chats {
    /// All chats.
    pub book: Arc<Book>,
    bounds: Bounds,
    store: Arc<dyn Directory>,
    logs: Arc<dyn Store>,
    writer: Writer,
    news: mpsc::UnboundedSender<telling::News>,
}

impl fmt::Debug for Chats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chats").field("chats", &self.book.len()).finish_non_exhaustive()
    }
}

impl Chats {
    /// These chats, and what members are to be told of them (see [`telling::keep_telling`]).
    pub(crate) fn new(
        book: Arc<Book>,
        store: Arc<dyn Directory>,
        logs: Arc<dyn Store>,
        writer: Writer,
    ) -> (Self, mpsc::UnboundedReceiver<telling::News>) {
        let (news, receiver) = mpsc::unbounded_channel();
        (Self { book, bounds: Bounds::default(), store, logs, writer, news }, receiver)
    }
}

/// The channel of a chat's log; `None` if there can be no chat of this name.
pub fn log_of(chat: &str) -> Option<Channel> {
    Channel::new(&format!("{LOG}{chat}")).ok()
}

/// The channel that lists who has a chat open; `None` if there can be no chat of this name.
pub fn here_of(chat: &str) -> Option<Channel> {
    Channel::new(&format!("{HERE}{chat}")).ok()
}

/// The chat that a channel belongs to.
pub fn chat_of(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(LOG).or_else(|| channel.as_str().strip_prefix(HERE))
}

/// The chat whose log a channel is.
pub fn chat_of_log(channel: &Channel) -> Option<&str> {
    channel.as_str().strip_prefix(LOG)
}

/// Names the direct chat of two users, whoever asks. The length before the first keeps apart what would be the same text.
pub fn direct_id(a: &str, b: &str) -> Uuid {
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    Uuid::new_v5(&DIRECT, format!("{}:{first}{second}", first.len()).as_bytes())
}

/// The name space of direct chats: a random number, once and for all.
const DIRECT: Uuid = Uuid::from_u128(0x6d1f_2a0c_9b1e_4c62_a7d3_51c8_3f0e_94b7);
