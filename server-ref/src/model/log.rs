//! Logs: new entries, the outcomes of storing them, and stored entries.

use std::sync::Arc;

use everwire_protocol::{Action, Channel, Deleted, ErrorCode, Message, Payload, ServerFrame, Uuid, batch};

use super::identity::Refusal;

/// An entry to be stored, as accepted by a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The sender's id for it.
    pub id: Uuid,
    /// The channel.
    pub channel: Channel,
    /// The sender.
    pub user: Arc<str>,
    /// The sender's current name.
    pub name: Option<Arc<str>>,
    /// The event name of the application.
    pub event: Option<String>,
    /// The data.
    pub data: Payload,
    /// The action on another message.
    pub action: Option<Action>,
    /// The id of that message.
    pub target: Option<Uuid>,
    /// The permission of the sender.
    pub permission: SendPermission,
}

/// The permission to send to a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SendPermission {
    /// Granted by the rules that the connection has checked.
    #[default]
    Granted,
    /// The entry comes from a back end, or from the server itself.
    Server,
    /// Only for members of the chat that the channel belongs to. The commit loop replaces it by one of the following, in
    /// one order with membership changes.
    AsMember,
    /// A member.
    Member,
    /// An owner, who may delete what others sent.
    Owner,
    /// None. A copy of what was stored before is still acknowledged.
    Refused(Refusal),
}

impl SendPermission {
    /// The reason why nothing may be stored.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Granted | Self::Server | Self::Member | Self::Owner => None,
            // Not resolved.
            Self::AsMember => Some(Refusal::of(ErrorCode::Forbidden)),
            Self::Refused(refusal) => Some(refusal.clone()),
        }
    }
}

/// The outcome of a [`NewEntry`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk, at a new offset.
    Stored(LogPosition),
    /// The same, for an edit or a deletion. The entries at these earlier offsets, the target and its edits, now have the new
    /// data, or none.
    Rewrote(LogPosition, Vec<u64>),
    /// It was stored before, at this position.
    Copy(LogPosition),
    /// The user has used the id for another channel, or the log has it from another user. Nothing was stored.
    IdReused,
    /// It was refused: the sender is not a member, or may not change the target. Other entries are not affected.
    Refused(Refusal),
}

impl Outcome {
    /// The position of a new entry.
    pub fn stored(&self) -> Option<&LogPosition> {
        match self {
            Self::Stored(position) | Self::Rewrote(position, _) => Some(position),
            Self::Copy(_) | Self::IdReused | Self::Refused(_) => None,
        }
    }
}

/// What an edit or a deletion made of earlier entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The offsets of the entries.
    pub offsets: Vec<u64>,
    /// Their new data.
    pub data: Payload,
    /// Who deleted them, and when.
    pub deleted: Option<Deleted>,
    /// Whether their author was erased: then they have none.
    pub erased: bool,
}

impl Rewrite {
    /// What an entry has made of those at `offsets`.
    pub fn by(entry: &NewEntry, at: u64, offsets: Vec<u64>) -> Self {
        let user = || entry.user.as_ref().into();
        let deleted = (entry.action == Some(Action::Delete)).then(|| Deleted { user: user(), at });
        Self { offsets, data: entry.data.clone(), deleted, erased: false }
    }

    /// What the erasure of their author has made of the entries at `offsets`. `None` if it cannot be expressed.
    pub fn by_erasure(at: u64, offsets: Vec<u64>) -> Option<Self> {
        let deleted = Some(Deleted { user: String::new(), at });
        Some(Self { offsets, data: Payload::from_value(&()).ok()?, deleted, erased: true })
    }
}

/// The position and time at which an entry was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
    /// The epoch of the log.
    pub epoch: Arc<str>,
    /// The offset, from 1.
    pub offset: u64,
    /// The time, in ms since 1970.
    pub at: u64,
}

/// The state of one channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The epoch of the log.
    pub epoch: Arc<str>,
    /// The last offset; 0 if the log is empty.
    pub head: u64,
    /// Everything up to this offset has been trimmed.
    pub trimmed: u64,
}

/// One stored entry, encoded once and shared by all receivers.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The channel.
    pub channel: Channel,
    /// The epoch of the log.
    pub epoch: Arc<str>,
    /// The offset.
    pub offset: u64,
    /// When it was stored, in ms since 1970.
    pub at: u64,
    /// Whether it is a plain message or a notification, and not deleted: lists of chats show and count it.
    pub plain: bool,
    /// The `message` frame as JSON text.
    pub text: Arc<str>,
}

impl Entry {
    /// Encodes an entry that was just stored.
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
            deleted: None,
        };
        Self::encode(message, place.epoch.clone())
    }

    /// The entry, decoded. `None` if its text cannot be read.
    pub fn message(&self) -> Option<Message> {
        let text = format!("[{}]", self.text);
        let bounds = batch::Bounds { bytes: usize::MAX, ..batch::Bounds::default() };
        match batch::decode(&text, &bounds).ok()?.pop()?.ok()? {
            ServerFrame::Message(message) => Some(message),
            _ => None,
        }
    }

    /// The same entry after an edit or a deletion. `None` if its text cannot be read.
    pub fn rewritten(&self, rewrite: &Rewrite) -> Option<Arc<Self>> {
        let message = self.message()?;
        let (data, deleted) = (rewrite.data.clone(), rewrite.deleted.clone());
        let before = message.deleted.clone();
        let now = Message { data, deleted, ..message };
        let now = match now.action {
            _ if !rewrite.erased => now,
            // A deletion stays one.
            Some(Action::Delete) => Message { user: String::new(), name: None, deleted: None, ..now },
            _ => {
                let at = before.map(|before| before.at);
                let deleted = now.deleted.map(|deleted| Deleted { at: at.unwrap_or(deleted.at), ..deleted });
                Message { user: String::new(), name: None, deleted, ..now }
            }
        };
        Some(Self::encode(now, self.epoch.clone()))
    }

    /// Encodes a message of the log `epoch`.
    pub fn encode(message: Message, epoch: Arc<str>) -> Arc<Self> {
        let (channel, offset, at) = (message.channel.clone(), message.offset, message.at);
        let plain = message.deleted.is_none()
            && matches!(message.event.as_deref(), None | Some("notification"))
            && matches!(message.action, None | Some(Action::Reply));
        let text = batch::encode_frame(&ServerFrame::Message(message)).into();
        Arc::new(Self { channel, epoch, offset, at, plain, text })
    }
}

/// A section of a log, in order and without holes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The log as it was when the page was read.
    pub log: Log,
    /// Begins right after the requested offset, unless the log was trimmed beyond it.
    pub entries: Vec<Arc<Entry>>,
}

/// The limits of a page. At least one entry is read, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageBounds {
    /// Maximum entries.
    pub entries: u32,
    /// Maximum bytes of JSON text.
    pub bytes: usize,
}
