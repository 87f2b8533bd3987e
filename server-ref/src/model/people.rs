//! What is known of users besides what they send, and parts of logs as users ask for them.

use everwire_protocol::{Channel, Message, StatusChoice};

use super::log::Log;

/// Which part of a log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryRange {
    /// The last entries.
    Latest,
    /// The last ones before an offset.
    Before(u64),
    /// The first ones after an offset.
    After(u64),
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHistory {
    /// The log as it was when this was read.
    pub log: Log,
    /// By rising offset and without a hole.
    pub messages: Vec<Message>,
    /// Whether there are more in the direction that was asked for.
    pub more: bool,
}

/// What is remembered of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The id of the user.
    pub user: String,
    /// The name that others saw last.
    pub name: Option<String>,
    /// What the user says about the own status.
    pub choice: StatusChoice,
    /// When the user was last online, in ms since 1970.
    pub seen_at: Option<u64>,
    /// Whether the user was online then, and has not been said to have left since.
    pub online: bool,
}

/// Who is in a presence channel, or no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceRecord {
    /// The channel.
    pub channel: Channel,
    /// The id of the user.
    pub user: String,
    /// The name that others see.
    pub name: Option<String>,
    /// Whether the user is there.
    pub here: bool,
}
