//! What is kept about users besides what they send: how far they have received and read, and how they can be reached.

use everwire_protocol::{Channel, StatusChoice, UserReceipt};

use super::Answer;
use crate::model::people::{HistoryRange, PresenceRecord, StoredHistory, UserRecord};

/// What keeps it. Every error is [`crate::Error::Unavailable`].
pub trait UserStore: Send + Sync + 'static {
    /// How far users have received and read a channel's log: all, or only this one.
    fn marks<'a>(&'a self, channel: &'a Channel, user: Option<&'a str>) -> Answer<'a, Vec<UserReceipt>>;

    /// Raises marks; lower ones than are known change nothing. Marks of channels in which nothing was ever stored are not
    /// kept.
    fn raise_marks<'a>(&'a self, marks: &'a [(Channel, UserReceipt)]) -> Answer<'a, ()>;

    /// How many plain messages of others there are after an offset; 1000 at most.
    fn unread<'a>(&'a self, channel: &'a Channel, user: &'a str, after: u64) -> Answer<'a, u32>;

    /// Reads a part of a log: `most` messages, or fewer if they are large, but one at least if there is one.
    fn history<'a>(
        &'a self,
        channel: &'a Channel,
        part: HistoryRange,
        most: u32,
    ) -> Answer<'a, StoredHistory>;

    /// What is remembered of these users; nothing of those who were never here.
    fn users<'a>(&'a self, users: &'a [String]) -> Answer<'a, Vec<UserRecord>>;

    /// The users who were online when this was last written.
    fn online_users(&self) -> Answer<'_, Vec<UserRecord>>;

    /// Remembers users as they are now, but for what they say about their status.
    fn save_users<'a>(&'a self, people: &'a [UserRecord]) -> Answer<'a, ()>;

    /// Remembers what a user says about the own status.
    fn save_status_choice<'a>(&'a self, user: &'a str, choice: StatusChoice) -> Answer<'a, ()>;

    /// All who were in presence channels when this was last written.
    fn presence(&self) -> Answer<'_, Vec<PresenceRecord>>;

    /// Remembers changes of it: one at most of each user in each channel.
    fn save_presence<'a>(&'a self, changes: &'a [PresenceRecord]) -> Answer<'a, ()>;

    /// Remembers these, and nobody else.
    fn replace_presence<'a>(&'a self, all: &'a [PresenceRecord]) -> Answer<'a, ()>;
}
