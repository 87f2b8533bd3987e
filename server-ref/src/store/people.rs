//! What is kept about users besides what they send: how far they have received and read, and how they can be reached.

use everwire_protocol::{Channel, StatusChoice, UserReceipt};

use super::Answer;
use crate::model::people::{Attendance, Extract, Part, Person};

/// What keeps it. Every error is [`crate::Error::Unavailable`].
pub trait People: Send + Sync + 'static {
    /// How far users have received and read a channel's log: all, or only this one.
    fn marks<'a>(&'a self, channel: &'a Channel, user: Option<&'a str>) -> Answer<'a, Vec<UserReceipt>>;

    /// Raises marks; lower ones than are known change nothing. Marks of channels in which nothing was ever stored are not
    /// kept.
    fn raise<'a>(&'a self, marks: &'a [(Channel, UserReceipt)]) -> Answer<'a, ()>;

    /// How many plain messages of others there are after an offset; 1000 at most.
    fn unread<'a>(&'a self, channel: &'a Channel, user: &'a str, after: u64) -> Answer<'a, u32>;

    /// Reads a part of a log: `most` messages, or fewer if they are large, but one at least if there is one.
    fn extract<'a>(&'a self, channel: &'a Channel, part: Part, most: u32) -> Answer<'a, Extract>;

    /// What is remembered of these users; nothing of those who were never here.
    fn people<'a>(&'a self, users: &'a [String]) -> Answer<'a, Vec<Person>>;

    /// The users who were online when this was last written.
    fn online(&self) -> Answer<'_, Vec<Person>>;

    /// Remembers users as they are now, but for what they say about their status.
    fn remember<'a>(&'a self, people: &'a [Person]) -> Answer<'a, ()>;

    /// Remembers what a user says about the own status.
    fn choose<'a>(&'a self, user: &'a str, choice: StatusChoice) -> Answer<'a, ()>;

    /// All who were in presence channels when this was last written.
    fn attendance(&self) -> Answer<'_, Vec<Attendance>>;

    /// Remembers changes of it: one at most of each user in each channel.
    fn attend<'a>(&'a self, changes: &'a [Attendance]) -> Answer<'a, ()>;

    /// Remembers these, and nobody else.
    fn attend_all<'a>(&'a self, all: &'a [Attendance]) -> Answer<'a, ()>;
}
