//! Where chats are kept: beside their logs, because a change of who is in a chat and the entry that tells of it are stored
//! together or not at all.

use everwire_protocol::{Channel, Message, Uuid};

use super::Answer;
use crate::model::{
    chat::{ChatRecord, Room},
    log::{NewEntry, Outcome},
};

/// Most unread messages that are counted. Beyond it nobody reads the number.
pub const UNREAD: u32 = 1000;

/// What a list of chats tells about a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tail {
    /// The last offset; 0 if the log is empty.
    pub head: u64,
    /// How many plain messages of others came after what the user has read; [`UNREAD`] at most.
    pub unread: u32,
    /// The last plain message.
    pub last: Option<Message>,
}

/// What keeps chats. Every error is [`crate::Error::Unavailable`].
pub trait ChatStore: Send + Sync + 'static {
    /// All chats.
    fn chats(&self) -> Answer<'_, Vec<ChatRecord>>;

    /// Stores a chat as it is now, and entries of its log, in one transaction: one outcome for each entry. `before` is the
    /// chat as it is stored, if it is.
    fn change_chat<'a>(
        &'a self,
        at: u64,
        before: Option<&'a Room>,
        after: &'a Room,
        entries: &'a [NewEntry],
    ) -> Answer<'a, Vec<Outcome>>;

    /// The place of a message in a log, by its id; `None` if it is not there.
    fn offset_of<'a>(&'a self, channel: &'a Channel, id: Uuid) -> Answer<'a, Option<u64>>;

    /// What each of these logs has for a user who has read up to an offset.
    fn tails<'a>(&'a self, user: &'a str, asked: &'a [(Channel, u64)]) -> Answer<'a, Vec<Tail>>;
}
