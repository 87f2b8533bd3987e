//! What goes into a session and what comes out of it.

use std::sync::Arc;

use everwire_protocol::{Channel, Chat, CloseCode, Goaway, Member, ServerFrame, UserReceipt, Uuid};

use super::{Batch, PendingRequest};
use crate::model::{
    broadcast::{Broadcast, Ephemeral, PresenceChange},
    identity::{Identity, Refusal},
    log::{Entry, Log, NewEntry, Outcome, Page, PageBounds},
};

/// What carries the batches of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A WebSocket.
    WebSocket,
    /// A run of polls; driven through [`Polling`].
    Polling,
    /// One POST that only sends. It subscribes to nothing and replaces no other connection.
    Post,
}

/// What happens to a session.
#[derive(Debug)]
pub enum Input {
    /// A batch came from the client.
    Batch(Batch),
    /// Answers [`Output::Bind`].
    Bound(Binding),
    /// Answers [`Output::Open`].
    Opened {
        /// The key of the output.
        key: u64,
        /// The channel of the output.
        channel: Channel,
        /// What was found, or why the user may not have it.
        found: Result<Opened, Refusal>,
    },
    /// Answers [`Output::Read`]. `None`: the store is unavailable.
    Page {
        /// The key of the output.
        key: u64,
        /// The channel of the output.
        channel: Channel,
        /// What was read.
        page: Option<Page>,
    },
    /// Answers [`Output::Append`] with one outcome for each entry. `None`: the store is unavailable, and nothing of
    /// the group was stored.
    Appended(Option<Vec<Outcome>>),
    /// An entry of a channel that the session is subscribed to was stored.
    Entry(Arc<Entry>),
    /// Somebody came to a presence channel that the session is subscribed to, or left it.
    Presence(Arc<PresenceChange>),
    /// A frame for all who are subscribed to a channel now.
    Broadcast(Arc<Broadcast>),
    /// A frame for this connection, whatever it is subscribed to.
    Direct(Arc<str>),
    /// The user is no member of the chat any more that this channel belongs to.
    Revoked(Channel),
    /// Answers [`Output::Request`].
    Answer {
        /// The id of the request.
        id: Uuid,
        /// The frame that answers it, or why there is none.
        answer: Result<Box<ServerFrame>, Refusal>,
    },
    /// The transport can take a batch: at the start, and after each [`Output::Send`] that the network took.
    Writable,
    /// The server is about to stop: the client is told, what is queued is sent, then the connection is closed.
    Goaway(Goaway),
    /// The connection has to end: another one replaced it, or an operator wants it.
    End(CloseCode),
    /// A post of the same session left a channel, or (`None`) ended the session for good.
    Left(Option<Channel>),
    /// More came from the hub than the connection could take in.
    Overflow,
    /// The transport is gone. Nothing can be sent any more.
    Gone,
}

/// The answer to [`Output::Bind`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// The session is this user's, and this connection is the session's one connection now.
    Yours,
    /// The session is another user's.
    Another,
}

/// A channel as it was found when it was subscribed to.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The state of its log.
    pub log: Log,
    /// Who is there, and the version of that list, for presence channels.
    pub members: Option<(Vec<Member>, u64)>,
    /// How far the log was received and read, where that is kept: the user's own mark among them, if there is one.
    pub receipts: Option<Vec<UserReceipt>>,
    /// The user's chats, for `private-user.…` channels.
    pub chats: Option<Vec<Chat>>,
}

impl Opened {
    /// A channel of which nothing is known but its log.
    pub const fn bare(log: Log) -> Self {
        Self { log, members: None, receipts: None, chats: None }
    }
}

/// How far a user has received and read a channel.
#[derive(Debug, Clone)]
pub struct ReceivedMark {
    /// The channel.
    pub channel: Channel,
    /// The user.
    pub who: Identity,
    /// The log whose offsets these are; `None`: the present one.
    pub epoch: Option<String>,
    /// Everything up to this offset has arrived.
    pub delivered: u64,
    /// Everything up to this offset has been read.
    pub read: u64,
}

/// What has to be looked up for a subscription.
#[derive(Debug)]
pub struct Opening {
    /// The channel.
    pub channel: Channel,
    /// Who subscribes, and becomes a member if it is a presence channel.
    pub who: Identity,
}

/// What a session wants done.
#[derive(Debug)]
pub enum Output {
    /// Find out whether the session is this user's, bind it, and make this its one connection. Answer: `Bound`.
    Bind {
        /// The session.
        session: Uuid,
        /// Who uses it.
        user: Arc<str>,
        /// The name that others see.
        name: Option<Arc<str>>,
    },
    /// Register with the hub for a channel (again, if that was done before), then read the state of its log. If only a
    /// chat's members may have it, find out whether the user is one, both before and after. Answer: `Opened`.
    Open {
        /// To be given back.
        key: u64,
        /// What is to be opened.
        opening: Box<Opening>,
    },
    /// Leave the hub's list of a channel.
    Leave {
        /// The channel.
        channel: Channel,
        /// Whether it was meant: no grace before the user leaves.
        at_once: bool,
    },
    /// Read a page of a log. If only a chat's members may have it, find out afterwards whether the user still is one.
    /// Answer: `Page`.
    Read {
        /// To be given back.
        key: u64,
        /// The channel.
        channel: Channel,
        /// Who reads.
        who: Identity,
        /// The last offset that is not wanted.
        after: u64,
        /// How much is wanted.
        bounds: PageBounds,
    },
    /// Store a group, all or nothing but for what is refused. Answer: `Appended`.
    Append(Vec<NewEntry>),
    /// Find the answer to a question of the client. Answer: `Answer`.
    Request(Box<PendingRequest>),
    /// Pass something on, if the user may send to its channel. No answer.
    Ephemeral(Box<Ephemeral>),
    /// Remember how far the user has received and read a channel, and tell those who are to know. No answer.
    Mark(Box<ReceivedMark>),
    /// Nobody is at the session's connection, or somebody is again. No answer.
    Idle {
        /// The session.
        session: Uuid,
        /// Whether nobody is.
        idle: bool,
    },
    /// The client has ended its session for good: its user is to leave at once. No answer.
    Bye,
    /// A post without a connection says that its session's connection shall leave a channel, or (`None`) end for good.
    ForwardToSession {
        /// The session.
        session: Uuid,
        /// The channel; `None`: all of it.
        channel: Option<Channel>,
    },
    /// Send these frames as one batch (see [`batch_text`]). Answer: `Writable`, when the network took it.
    Send(Vec<Arc<str>>),
    /// Close the transport. The last output. `None`: it is gone or stuck, so just drop it.
    Close(Option<CloseCode>),
}
