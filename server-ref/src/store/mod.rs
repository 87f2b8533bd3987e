//! Where the logs of all channels are kept: what a store must do, and the data that goes in and out. How it is done is
//! in `sqlite` and `memory`; how appends of many connections become one transaction is in `writer`.

pub mod chats;
pub mod memory;
pub mod people;
pub mod sqlite;
pub mod writer;

use std::{future::Future, pin::Pin, sync::Arc};

use everwire_protocol::{Action, Channel, ErrorCode, Message, Payload, ServerFrame, Uuid, batch};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, auth::Refusal};

/// What a store answers, some time later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// Something to be stored, as a session has accepted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The id that the sender gave it.
    pub id: Uuid,
    /// Where it goes.
    pub channel: Channel,
    /// Who sends it.
    pub user: Arc<str>,
    /// The sender's name now.
    pub name: Option<Arc<str>>,
    /// The application's name for what this is.
    pub event: Option<String>,
    /// What is sent.
    pub data: Payload,
    /// What it does to another message.
    pub action: Option<Action>,
    /// That message.
    pub target: Option<Uuid>,
    /// By what the sender may do this.
    pub standing: Standing,
}

/// By what somebody may send to a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Standing {
    /// By the rules, which the session knows; or it is the server's own.
    #[default]
    Granted,
    /// Only as a member of the chat that the channel belongs to. The writer finds out, in one order with the changes of the
    /// chat's members, and makes it one of the following.
    AsMember,
    /// A member.
    Member,
    /// An owner, who may delete what others sent.
    Owner,
    /// Not at all. A copy of what was stored before gets its ack even so.
    Refused(Refusal),
}

impl Standing {
    /// Why nothing may be stored by it.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Granted | Self::Member | Self::Owner => None,
            // Nobody found out.
            Self::AsMember => Some(Refusal::of(ErrorCode::Forbidden)),
            Self::Refused(refusal) => Some(refusal.clone()),
        }
    }
}

/// What became of a [`NewEntry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk, at a new offset.
    Stored(Place),
    /// It was stored before; this is where.
    Copy(Place),
    /// The id was used before for another channel. Nothing was stored.
    IdReused,
    /// It may not be stored: the sender is no member, or may not do that to the target. Its neighbours are not affected.
    Refused(Refusal),
}

/// Where and when something was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The log's name.
    pub epoch: Arc<str>,
    /// The place in the log, from 1.
    pub offset: u64,
    /// When, in ms since 1970.
    pub at: u64,
}

/// The state of one channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The log's name.
    pub epoch: Arc<str>,
    /// The last offset; 0 if the log is empty.
    pub head: u64,
    /// Everything up to this offset has been removed.
    pub trimmed: u64,
}

/// One stored message, encoded once and shared by all who receive it.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The channel.
    pub channel: Channel,
    /// The log's name.
    pub epoch: Arc<str>,
    /// The place in the log.
    pub offset: u64,
    /// When it was stored, in ms since 1970.
    pub at: u64,
    /// Whether it is a plain message or a notification: what lists of chats show and count.
    pub plain: bool,
    /// The `message` frame as JSON text.
    pub text: Arc<str>,
}

impl Entry {
    /// Encodes what was just stored.
    pub fn of(entry: &NewEntry, place: &Place) -> Arc<Self> {
        let message = Message {
            channel: entry.channel.clone(),
            offset: place.offset,
            id: entry.id,
            user: entry.user.as_ref().into(),
            name: entry.name.as_deref().map(Into::into),
            at: place.at,
            event: entry.event.clone(),
            data: entry.data.clone(),
            action: entry.action,
            target: entry.target,
        };
        Self::encode(message, place.epoch.clone())
    }

    /// Encodes a message of the log `epoch`.
    pub fn encode(message: Message, epoch: Arc<str>) -> Arc<Self> {
        let (channel, offset, at) = (message.channel.clone(), message.offset, message.at);
        let plain = matches!(message.event.as_deref(), None | Some("notification"))
            && matches!(message.action, None | Some(Action::Reply));
        let text = batch::encode_frame(&ServerFrame::Message(message)).into();
        Arc::new(Self { channel, epoch, offset, at, plain, text })
    }
}

/// A piece of a log, in order and without a hole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The log as it was when the page was read.
    pub log: Log,
    /// Begins right after the offset that was asked for, unless the log was trimmed beyond it.
    pub entries: Vec<Arc<Entry>>,
}

/// How much a page may hold. At least one entry is read whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageBounds {
    /// Most entries.
    pub entries: u32,
    /// Most bytes of JSON text.
    pub bytes: usize,
}

/// What keeps logs. Every error is [`Error::Unavailable`]: the same call may succeed later.
///
/// An implementation is used by one node at a time, and appends are made by one task (see [`writer`]).
pub trait Store: Send + Sync + 'static {
    /// Stores all of `entries` in order in one transaction, and returns when they are on disk: one outcome for each.
    /// A copy of something that the same user sent before, here or earlier in `entries`, is not stored again.
    fn append<'a>(&'a self, at: u64, entries: &'a [NewEntry]) -> Answer<'a, Vec<Outcome>>;

    /// The state of a channel's log. A channel in which nothing was ever stored has one too.
    fn log<'a>(&'a self, channel: &'a Channel) -> Answer<'a, Log>;

    /// Reads the entries after `after`.
    fn page<'a>(&'a self, channel: &'a Channel, after: u64, bounds: PageBounds) -> Answer<'a, Page>;

    /// The user whom a session is bound to.
    fn bound_user(&self, session: Uuid) -> Answer<'_, Option<String>>;

    /// Binds sessions to users; a session that is bound already only gets a new time of last use.
    fn bind<'a>(&'a self, at: u64, sessions: &'a [(Uuid, Arc<str>)]) -> Answer<'a, ()>;

    /// Forgets sends whose messages are in no log any more, and sessions, if they are older than they need to be kept; and
    /// trims logs that hold more than they are to keep. Does a part of it, so that what is to be stored need not wait
    /// long.
    fn tidy(&self, now: u64) -> Answer<'_, Tidied>;

    /// Whether something can be written now.
    fn probe(&self) -> Answer<'_, ()>;
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tidied {
    /// Sessions that were not used for two weeks.
    pub sessions: u64,
    /// Ids of sends that nobody can repeat any more.
    pub sends: u64,
    /// Messages beyond the retention.
    pub messages: u64,
    /// Whether there is more to be removed.
    pub more: bool,
}

impl std::ops::AddAssign for Tidied {
    fn add_assign(&mut self, next: Self) {
        self.sessions += next.sessions;
        self.sends += next.sends;
        self.messages += next.messages;
        self.more = next.more;
    }
}

/// What is kept besides logs.
pub trait Directory: chats::ChatStore + people::People {}

impl<T: chats::ChatStore + people::People> Directory for T {}

/// How long a session stays bound to its user after its last use, in ms: a tab that sleeps over a holiday comes back
/// to its own session.
pub const SESSION_KEPT_MS: u64 = 14 * 24 * 60 * 60 * 1000;

/// How long the ids of sends are kept, in ms: twice what the protocol promises, so that a client's clock and a tab that
/// wakes late do not matter.
pub const SENDS_KEPT_MS: u64 = 2 * everwire_protocol::limits::DEDUPE_WINDOW_MS;

/// The epoch of a channel's log in a database with this seed: names the log without having to store it before anything
/// is in it. FNV-1a, because it must stay the same over versions of Rust and of this server.
pub(crate) fn epoch(seed: u64, channel: &Channel) -> Arc<str> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed;
    for byte in channel.as_str().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}").into()
}
