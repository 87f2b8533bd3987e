//! Users and their presence, and ranges of logs for `history`.

use everwire_protocol::{Channel, Message, StatusChoice};

use super::{log::Log, paging::PageRoom};

/// The requested range of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryRange {
    /// The latest entries.
    Latest,
    /// The last ones before an offset.
    Before(u64),
    /// The first ones after an offset.
    After(u64),
}

/// A page of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHistory {
    /// The state of the log when this was read.
    pub log: Log,
    /// The entries by rising offset, without holes.
    pub messages: Vec<Message>,
    /// Whether there are more in the requested direction.
    pub more: bool,
}

impl StoredHistory {
    /// As much of it as fits into a page, from the end that was requested.
    #[must_use]
    pub fn cut(mut self, range: HistoryRange) -> Self {
        let mut page = PageRoom::default();
        let all = self.messages.len();
        match range {
            HistoryRange::Latest | HistoryRange::Before(_) => {
                let kept = self.messages.iter().rev().take_while(|message| page.fits(message)).count();
                self.messages.drain(..all - kept);
            }
            HistoryRange::After(_) => {
                let kept = self.messages.iter().take_while(|message| page.fits(message)).count();
                self.messages.truncate(kept);
            }
        }
        self.more |= self.messages.len() < all;
        self
    }
}

/// The stored data of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The id of the user.
    pub user: String,
    /// The last name that others saw.
    pub name: Option<String>,
    /// The status that the user has chosen.
    pub choice: StatusChoice,
    /// When the user was last online, in ms since 1970.
    pub seen_at: Option<u64>,
    /// Whether the user was online then and has not left since.
    pub online: bool,
}

/// The presence of a user in a channel, or its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceRecord {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// The name that others see.
    pub name: Option<String>,
    /// Whether the user is present.
    pub here: bool,
}
