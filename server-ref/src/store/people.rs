//! The store of users: their marks, status and presence.

use everwire_protocol::{Channel, StatusChoice, UserReceipt};

use super::Answer;
use crate::model::people::{HistoryRange, PresenceRecord, StoredHistory, UserRecord};

/// The store of users. Every error is [`crate::Error::Unavailable`].
pub trait UserStore: Send + Sync + 'static {
    /// The marks of a channel's log: of all users, or of this one only.
    fn marks<'a>(&'a self, channel: &'a Channel, user: Option<&'a str>) -> Answer<'a, Vec<UserReceipt>>;

    /// Raises marks; lower values change nothing. Marks of channels without entries are not kept.
    fn raise_marks<'a>(&'a self, marks: &'a [(Channel, UserReceipt)]) -> Answer<'a, ()>;

    /// The number of plain messages of others after an offset, at most 1000.
    fn unread<'a>(&'a self, channel: &'a Channel, user: &'a str, after: u64) -> Answer<'a, u32>;

    /// Reads a range of a log: up to `most` messages, or fewer if they are large, but at least one if there is one.
    fn history<'a>(
        &'a self,
        channel: &'a Channel,
        part: HistoryRange,
        most: u32,
    ) -> Answer<'a, StoredHistory>;

    /// The stored data of these users, without users who were never online.
    fn users<'a>(&'a self, users: &'a [String]) -> Answer<'a, Vec<UserRecord>>;

    /// The users who were online at the last write.
    fn online_users(&self) -> Answer<'_, Vec<UserRecord>>;

    /// Stores the state of users, except for their chosen status.
    fn save_users<'a>(&'a self, people: &'a [UserRecord]) -> Answer<'a, ()>;

    /// Stores the status that a user has chosen.
    fn save_status_choice<'a>(&'a self, user: &'a str, choice: StatusChoice) -> Answer<'a, ()>;

    /// The members of presence channels at the last write.
    fn presence(&self) -> Answer<'_, Vec<PresenceRecord>>;

    /// Stores changes of presence: at most one per user and channel.
    fn save_presence<'a>(&'a self, changes: &'a [PresenceRecord]) -> Answer<'a, ()>;

    /// Replaces the stored presence by this.
    fn replace_presence<'a>(&'a self, all: &'a [PresenceRecord]) -> Answer<'a, ()>;
}
