//! The inputs and outputs of a connection.

use std::sync::Arc;

use everwire_protocol::{Channel, Chat, CloseCode, Goaway, OwnMark, Request, ServerFrame, Uuid};

use super::Batch;
use crate::model::{
    broadcast::{Broadcast, Ephemeral, PresenceChange},
    identity::{Identity, Refusal},
    log::{Entry, Log, NewEntry, Outcome, Page, PageBounds},
    paging::{Listed, MarkPage, MemberPage},
};

/// The transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// A sequence of polls; driven through [`Polling`].
    Polling,
    /// One POST that only sends. It subscribes to nothing and replaces no other connection.
    Post,
}

/// An input of a connection.
#[derive(Debug)]
pub enum Input {
    /// A batch from the client.
    Batch(Batch),
    /// Answers [`Output::Bind`].
    Bound(Binding),
    /// Answers [`Output::Open`].
    Opened {
        /// The key of the output.
        key: u64,
        /// The channel of the output.
        channel: Channel,
        /// The state of the channel, or the refusal.
        found: Result<Opened, Refusal>,
    },
    /// Answers [`Output::Read`]. `None`: the store is unavailable.
    Page {
        /// The key of the output.
        key: u64,
        /// The channel of the output.
        channel: Channel,
        /// The page.
        page: Option<Page>,
    },
    /// Answers [`Output::Append`] with one outcome per entry. `None`: the store is unavailable, and nothing of the group
    /// was stored.
    Appended(Option<Vec<Outcome>>),
    /// An entry was stored in a subscribed channel.
    Entry(Arc<Entry>),
    /// A join or leave in a subscribed presence channel.
    Presence(Arc<PresenceChange>),
    /// A frame for all current subscribers of a channel.
    Broadcast(Arc<Broadcast>),
    /// A frame for this connection, regardless of its subscriptions.
    Direct(Arc<str>),
    /// The user is no longer a member of the chat that this channel belongs to. Also answers [`Output::CheckMembership`].
    Revoked {
        /// The channel.
        channel: Channel,
        /// The subscription. It may be over, and the user a member with another one.
        key: u64,
    },
    /// The chat that this channel belongs to was deleted.
    ChatDeleted {
        /// The channel.
        channel: Channel,
        /// The subscription.
        key: u64,
    },
    /// A user was banned or tokens were revoked: this connection may be concerned.
    CheckIdentity,
    /// Answers [`Output::Request`].
    Answer {
        /// The id of the request.
        id: Uuid,
        /// The answering frame, or the refusal.
        answer: Result<Box<ServerFrame>, Refusal>,
    },
    /// The transport accepts a batch: at the start, and after each [`Output::Send`] that was written.
    Writable,
    /// The server is about to stop: the client is notified, the queue is flushed, then the connection is closed.
    Goaway(Goaway),
    /// The connection has to end: it was replaced by another one, or an operator closes it.
    End(CloseCode),
    /// A POST of the same session left a channel, or (`None`) ended the session for good.
    Left(Option<Channel>),
    /// The mailbox has overflowed.
    Overflow,
    /// The transport is closed. Nothing more can be sent.
    Gone,
}

/// The answer to [`Output::Bind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The session belongs to this user, and this is now its only connection.
    Yours,
    /// The session belongs to another user.
    Another,
    /// The user has too many sessions, or opens new ones too fast: try again after this time, in ms.
    TooMany(u32),
}

/// The state of a channel at the time of the subscription.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The state of its log.
    pub log: Log,
    /// Whether the client has seen a different log up to its offset: the database was restored from a copy.
    pub diverged: bool,
    /// The first page of the members, for presence channels.
    pub members: Option<MemberPage>,
    /// The user's own mark, if there is one.
    pub own_mark: Option<OwnMark>,
    /// The first page of the marks, where they are kept.
    pub receipts: Option<MarkPage>,
    /// The user's latest chats, for `private-user.…` channels.
    pub chats: Option<Listed<Chat>>,
}

impl Opened {
    /// A channel without anything besides its log.
    pub const fn bare(log: Log) -> Self {
        Self { log, diverged: false, members: None, own_mark: None, receipts: None, chats: None }
    }
}

/// How far a user has received and read a channel.
#[derive(Debug, Clone)]
pub struct ReceivedMark {
    /// The channel.
    pub channel: Channel,
    /// The user.
    pub who: Identity,
    /// The epoch of the offsets; `None`: the current log.
    pub epoch: Option<String>,
    /// The run in which the user's client has seen these offsets, if it knows.
    pub run: Option<String>,
    /// Everything up to this offset was delivered.
    pub delivered: u64,
    /// Everything up to this offset was read.
    pub read: u64,
}

/// A request of a client.
#[derive(Debug)]
pub struct PendingRequest {
    /// The frame.
    pub request: Request,
    /// The user.
    pub who: Identity,
}

/// A channel to open for a subscription.
#[derive(Debug)]
pub struct Opening {
    /// The channel.
    pub channel: Channel,
    /// The subscriber, who becomes a member of a presence channel.
    pub who: Identity,
    /// The client's offset, and the run in which it has moved, if it was in another one than this.
    pub seen: Option<(u64, Arc<str>)>,
}

/// An output of a connection.
#[derive(Debug)]
pub enum Output {
    /// Check that the session belongs to this user, bind it, and make this its only connection. Answer: `Bound`.
    Bind {
        /// The session.
        session: Uuid,
        /// The user.
        user: Arc<str>,
        /// The name that others see.
        name: Option<Arc<str>>,
        /// Who is charged for a new session.
        who: Box<Identity>,
    },
    /// This identity is used from now on. Its token is found by its id when it is revoked, and if that has just happened the
    /// answer is `CheckIdentity`.
    UseToken(Box<Identity>),
    /// Register with the hub for a channel (again, if already registered), then read the state of its log. For a chat, check
    /// the user's membership both before and after. Answer: `Opened`.
    Open {
        /// A key for the answer.
        key: u64,
        /// The channel to open.
        opening: Box<Opening>,
    },
    /// Check that the user is a member of the chats of these subscribed channels, because the token no longer grants them.
    /// Answer: `Revoked` for each channel without permission.
    CheckMembership {
        /// The channels, each with the key of its subscription.
        channels: Vec<(Channel, u64)>,
        /// The user.
        who: Identity,
    },
    /// A new token has given the user another name: change it in every list, including those of these subscribed channels.
    /// No answer.
    Rename {
        /// The session.
        session: Uuid,
        /// The user.
        who: Identity,
        /// The presence channels.
        channels: Vec<Channel>,
    },
    /// Unregister from the hub for a channel.
    Leave {
        /// The channel.
        channel: Channel,
        /// Whether it was intended: the user leaves without a grace period.
        at_once: bool,
    },
    /// Read a page of a log. For a chat, check the user's membership afterwards. Answer: `Page`.
    Read {
        /// A key for the answer.
        key: u64,
        /// The channel.
        channel: Channel,
        /// The reader.
        who: Identity,
        /// The page begins after this offset.
        after: u64,
        /// The limits of the page.
        bounds: PageBounds,
    },
    /// Store a group of entries atomically, except for refused ones. Answer: `Appended`.
    Append(Vec<NewEntry>),
    /// Answer a request of the client. Answer: `Answer`.
    Request(Box<PendingRequest>),
    /// Deliver something ephemeral, if the user may send to its channel. No answer.
    Ephemeral(Box<Ephemeral>),
    /// Store the user's mark for a channel, and report it to the receivers of receipts. No answer.
    Mark(Box<ReceivedMark>),
    /// The session's connection has become idle or active. No answer.
    Idle {
        /// The session.
        session: Uuid,
        /// Whether it is idle.
        idle: bool,
    },
    /// The client has ended its session for good: its user leaves at once. No answer.
    Bye,
    /// A POST without a connection makes its session's connection leave a channel, or (`None`) end for good.
    ForwardToSession {
        /// The session.
        session: Uuid,
        /// The channel; `None`: the session.
        channel: Option<Channel>,
    },
    /// Send these frames as one batch (see [`batch_text`]). Answer: `Writable`, once it was written.
    Send(Vec<Arc<str>>),
    /// Close the transport. The last output. `None`: it is closed or stuck, so drop it.
    Close(Option<CloseCode>),
}
