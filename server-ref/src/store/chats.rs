//! The store of chats: beside their logs, because a membership change and its entry in the log are stored together or not
//! at all.

use everwire_protocol::{Channel, Message, Uuid};

use super::Answer;
use crate::model::{
    chat::{ChatRecord, Room},
    log::{NewEntry, Outcome},
};

/// The maximum unread count. Larger numbers are of no use to users.
pub const UNREAD: u32 = 1000;

/// What a list of chats contains about a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// The last offset; 0 if the log is empty.
    pub head: u64,
    /// The number of plain messages of others that the user has not read, at most [`UNREAD`].
    pub unread: u32,
    /// The last plain message.
    pub last: Option<Message>,
}

/// A change of a chat to be stored.
#[derive(Debug, Clone, Copy)]
pub struct ChatWrite<'a> {
    /// The stored chat, if there is one.
    pub before: Option<&'a Room>,
    /// The chat from now on.
    pub after: &'a Room,
    /// The new entries of its log.
    pub entries: &'a [NewEntry],
}

/// The store of chats. Every error is [`crate::Error::Unavailable`].
pub trait ChatStore: Send + Sync + 'static {
    /// All chats.
    fn chats(&self) -> Answer<'_, Vec<ChatRecord>>;

    /// One chat, by its id.
    fn chat<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ChatRecord>>;

    /// Stores changes of different chats in one transaction. Returns for each change one outcome for each of its entries.
    fn change_chats<'a>(&'a self, at: u64, changes: &'a [ChatWrite<'a>]) -> Answer<'a, Vec<Vec<Outcome>>>;

    /// Deletes a chat with its members, and empties its log: nothing of it is served from now on, and its offsets go on if it is used
    /// again. Its rows are removed by [`super::Store::cleanup`].
    fn delete_chat<'a>(&'a self, chat: &'a Room) -> Answer<'a, ()>;

    /// The offset of a message in a log, by its id; `None` if it is not there.
    fn offset_of<'a>(&'a self, channel: &'a Channel, id: Uuid) -> Answer<'a, Option<u64>>;

    /// A summary of each of these logs for a user who has read up to an offset.
    fn tails<'a>(&'a self, user: &'a str, asked: &'a [(Channel, u64)]) -> Answer<'a, Vec<Tail>>;
}
