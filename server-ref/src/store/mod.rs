//! The store: the traits that a store implements, and their data. [`sqlite`] is the implementation.

pub mod actions;
pub mod bans;
pub mod chats;
pub mod erasure;
pub mod memory;
pub mod people;
pub mod sqlite;

use std::{future::Future, pin::Pin, sync::Arc};

use everwire_protocol::{Channel, Uuid};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Error,
    model::log::{Log, NewEntry, Outcome, Page, PageBounds},
};

/// The future result of a store operation.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The store of logs. Every error is [`Error::Unavailable`]: the same call may succeed later.
///
/// An implementation is used by one node at a time, and appends are made by one task.
pub trait Store: Send + Sync + 'static {
    /// Stores all of `entries` in order in one transaction, and returns when they are on disk: one outcome for each.
    /// A copy of an earlier send of the same user, including one in `entries`, is not stored again. An id that the log has
    /// from another user is [`Outcome::IdReused`].
    fn append<'a>(&'a self, at: u64, entries: &'a [NewEntry]) -> Answer<'a, Vec<Outcome>>;

    /// The state of a channel's log. A channel without entries has one too.
    fn log<'a>(&'a self, channel: &'a Channel) -> Answer<'a, Log>;

    /// The run that began when the store was opened.
    fn run(&self) -> Arc<str>;

    /// Whether a client that was at `offset` in `run` has seen the log that this store has. A planned restart does not change
    /// that; a copy that was restored does, if the client has seen what the copy does not have.
    fn has_seen<'a>(&'a self, channel: &'a Channel, offset: u64, run: &'a str) -> Answer<'a, bool>;

    /// Reads the entries after `after`.
    fn page<'a>(&'a self, channel: &'a Channel, after: u64, bounds: PageBounds) -> Answer<'a, Page>;

    /// The user whom a session is bound to.
    fn bound_user(&self, session: Uuid) -> Answer<'_, Option<String>>;

    /// Binds sessions to users; for a session that is already bound, only the time of last use changes.
    fn bind_sessions<'a>(&'a self, at: u64, sessions: &'a [(Uuid, Arc<str>)]) -> Answer<'a, ()>;

    /// Deletes expired sessions and expired ids of sends whose messages are no longer in a log, and trims logs beyond their
    /// retention. Does a limited part of this, so that other writes do not wait long.
    fn cleanup(&self, now: u64) -> Answer<'_, Removed>;

    /// Whether the store accepts writes now: writes something, behind everything that waits to be written.
    fn probe(&self) -> Answer<'_, ()>;

    /// Closes the store: nothing can be read or written afterwards, and its files are complete.
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// What is known about the store without waiting for anything.
    fn health(&self) -> StoreHealth {
        StoreHealth::default()
    }
}

/// The state of a store, as its last write left it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreHealth {
    /// Why the last write failed, or has not ended.
    pub failure: Option<String>,
    /// How long ago the last write succeeded, in ms.
    pub last_commit_ms: Option<u64>,
    /// Free bytes where the data is stored, if known.
    pub free_bytes: Option<u64>,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// Sessions not used for two weeks.
    pub sessions: u64,
    /// Expired ids of sends.
    pub sends: u64,
    /// Messages beyond the retention.
    pub messages: u64,
    /// Whether more remains to be removed: ask again.
    pub more: bool,
}

impl std::fmt::Display for Removed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sessions, sends, messages, more: _ } = self;
        write!(f, "removed {sessions} sessions, {sends} ids of sends, {messages} messages")
    }
}

impl std::ops::AddAssign for Removed {
    fn add_assign(&mut self, next: Self) {
        self.sessions += next.sessions;
        self.sends += next.sends;
        self.messages += next.messages;
        self.more = next.more;
    }
}

/// Everything that a node stores.
pub trait Database:
    Store + chats::ChatStore + people::UserStore + bans::BanStore + erasure::ErasureStore
{
}

impl<T: Store + chats::ChatStore + people::UserStore + bans::BanStore + erasure::ErasureStore> Database
    for T
{
}

impl std::fmt::Debug for dyn Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Database")
    }
}

/// How long a session stays bound to its user after its last use, in ms: a tab that sleeps over a holiday keeps its
/// session.
pub const SESSION_KEPT_MS: u64 = 14 * 24 * 60 * 60 * 1000;

/// How long the ids of sends are kept, in ms: twice what the protocol requires, as a margin for clocks and tabs that wake
/// late.
pub const SENDS_KEPT_MS: u64 = 2 * everwire_protocol::limits::DEDUPE_WINDOW_MS;
