//! Logs: what goes into one, what becomes of it, and what comes out again.

use std::sync::Arc;

use everwire_protocol::{Action, Channel, ErrorCode, Message, Payload, ServerFrame, Uuid, batch};

use super::identity::Refusal;

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
    pub permission: SendPermission,
}

/// By what somebody may send to a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SendPermission {
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

impl SendPermission {
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
    Stored(LogPosition),
    /// It was stored before; this is where.
    Copy(LogPosition),
    /// The id was used before for another channel. Nothing was stored.
    IdReused,
    /// It may not be stored: the sender is no member, or may not do that to the target. Its neighbours are not affected.
    Refused(Refusal),
}

/// Where and when something was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
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
    pub fn of(entry: &NewEntry, place: &LogPosition) -> Arc<Self> {
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
