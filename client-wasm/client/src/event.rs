//! What an application hears.

use std::time::Duration;

use everwire_client_core::{Position, Transport};
use everwire_protocol::{
    Action, Activity, Chat, Deleted, ErrorCode, Member, Payload, Signalled, Status, UserReceipt, Uuid,
};
use serde::de::DeserializeOwned;

use crate::{Error, json};

/// What happens in a channel, in order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<E> {
    /// A durable message: each once, in the order of their offsets.
    Message(Message<E>),
    /// A durable message whose data is not an `E`. It counts as received.
    Unreadable(Unreadable),
    /// The subscription is in place: at first, and after every reconnect.
    Subscribed(Subscribed),
    /// Messages that this stream will not bring. [`Channel::history`](crate::Channel::history) may have them.
    Gap(Gap),
    /// Somebody has joined a presence channel.
    Joined(Member),
    /// Somebody has left a presence channel.
    Left(Member),
    /// The whole list of [`Channel::members`](crate::Channel::members) has arrived.
    Members,
    /// Somebody types, or no longer does. See [`Channel::typists`](crate::Channel::typists).
    Typing {
        /// The id of the user.
        user: String,
        /// The user's name, if the server knows one.
        name: Option<String>,
        /// False once the user has stopped, or was not heard of for 6 seconds.
        typing: bool,
    },
    /// Somebody has received or read more of the channel. See [`Channel::receipts`](crate::Channel::receipts).
    Receipt {
        /// Who, and how far.
        receipt: UserReceipt,
        /// How many messages of others are unread; only of the user's own receipts.
        unread: Option<u32>,
    },
    /// An ephemeral event; read its data with [`Payload::read`].
    Signal(Signalled),
    /// Somebody's status or name has changed.
    Status {
        /// The id of the user.
        user: String,
        /// The new name, if it has changed.
        name: Option<String>,
        /// The status.
        status: Status,
        /// When the user was last online, in ms since 1970, if offline now.
        last_seen: Option<u64>,
    },
    /// The user's chats with the latest activity, in the user's own channel; whether there are more, which
    /// [`ListChats`](crate::protocol::ListChats) lists.
    Chats(Vec<Chat>, bool),
    /// A chat is new or has changed, in the user's own channel.
    ChatChanged(Box<Chat>),
    /// A chat is no longer the user's, in the user's own channel.
    ChatGone {
        /// The id of the chat.
        chat: String,
    },
    /// The server has ended the subscription for good, or the client has ended. The last event.
    Ended(Error),
}

/// An entry of a channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message<E> {
    /// Counts the entries of the channel from 1.
    pub offset: u64,
    /// Given by the sender.
    pub id: Uuid,
    /// The id of the sender.
    pub user: String,
    /// The sender's name at that time, if the server knew one.
    pub name: Option<String>,
    /// When it was stored, in ms since 1970 by the server's clock.
    pub at: u64,
    /// The event name; none for a plain message.
    pub event: Option<String>,
    /// A reply, edit or deletion of the message `target`.
    pub action: Option<Action>,
    /// The id of that message.
    pub target: Option<Uuid>,
    /// Who has deleted it, and when.
    pub deleted: Option<Deleted>,
    /// The data; none for deletions, and for what was deleted.
    pub data: Option<E>,
}

/// A message whose data does not fit the type of the channel, or that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The offset of the message.
    pub offset: u64,
    /// Why.
    pub reason: String,
    /// The message with its data as JSON, unless it could not be read as a message.
    pub message: Option<Box<Message<Payload>>>,
}

/// A subscription that is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subscribed {
    /// Names the log: offsets mean something within it.
    pub epoch: String,
    /// Messages follow from `offset + 1`.
    pub offset: u64,
    /// The last offset of the log at that time: later ones are new.
    pub head: u64,
    /// The run of the server's store that has confirmed it.
    pub run: String,
    /// False if messages were missed, of which a [`Gap`] has told.
    pub recovered: bool,
}

impl Subscribed {
    pub(crate) fn at(Position { epoch, offset, run }: Position, head: u64, recovered: bool) -> Self {
        Self { epoch, offset, head, run, recovered }
    }
}

/// Messages that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// The first missing offset.
    pub from: u64,
    /// The last missing offset. In another log than `from` if the reason is [`GapReason::Epoch`].
    pub to: u64,
    /// Why they are missing.
    pub reason: GapReason,
}

/// Why messages are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapReason {
    /// The log no longer reaches back that far.
    Trimmed,
    /// The log was replaced by another.
    Epoch,
    /// More were missed than the server replays.
    TooFar,
    /// The stream was not polled, and its buffer was full: its oldest events made room.
    Lagged,
}

impl From<everwire_protocol::GapReason> for GapReason {
    fn from(reason: everwire_protocol::GapReason) -> Self {
        match reason {
            everwire_protocol::GapReason::Trimmed => Self::Trimmed,
            everwire_protocol::GapReason::Epoch => Self::Epoch,
            everwire_protocol::GapReason::TooFar => Self::TooFar,
        }
    }
}

/// The state of the connection. All but [`Closed`](Self::Closed) are left without the application doing anything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// An attempt is being made.
    Connecting {
        /// Failed attempts since the last stable connection.
        attempt: u32,
    },
    /// Connected.
    Connected {
        /// By WebSocket or by polling.
        transport: Transport,
    },
    /// Waiting before the next attempt.
    Waiting {
        /// Failed attempts since the last stable connection.
        attempt: u32,
        /// How long until the next attempt.
        retry_in: Duration,
        /// Why the last attempt or connection failed, for people.
        reason: String,
    },
    /// The browser reports that there is no network.
    Offline,
    /// Closed for good.
    Closed {
        /// The error that closed the client; none if the application did.
        code: Option<ErrorCode>,
        /// The same for people.
        reason: String,
    },
}

/// A message that is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// Its id.
    pub id: Uuid,
    /// Its offset in the channel.
    pub offset: u64,
    /// When it was stored, in ms since 1970 by the server's clock.
    pub at: u64,
}

/// What is for this user, and not for one channel.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A message in a chat of the user's.
    Activity(Box<Activity>),
    /// An ephemeral event for this connection.
    Signal(Signalled),
}

/// An event before its data is read.
#[derive(Debug, Clone)]
pub(crate) enum RawEvent {
    Message(Box<everwire_protocol::Message>),
    Event(Event<()>),
}

impl RawEvent {
    pub(crate) fn read<E: DeserializeOwned>(self) -> Event<E> {
        match self {
            Self::Message(message) => read_message(*message),
            Self::Event(event) => match event {
                // No message has been read yet.
                Event::Message(Message { offset, .. }) => {
                    Event::Unreadable(Unreadable { offset, reason: String::new(), message: None })
                }
                Event::Unreadable(message) => Event::Unreadable(message),
                Event::Subscribed(subscribed) => Event::Subscribed(subscribed),
                Event::Gap(gap) => Event::Gap(gap),
                Event::Joined(member) => Event::Joined(member),
                Event::Left(member) => Event::Left(member),
                Event::Members => Event::Members,
                Event::Typing { user, name, typing } => Event::Typing { user, name, typing },
                Event::Receipt { receipt, unread } => Event::Receipt { receipt, unread },
                Event::Signal(signal) => Event::Signal(signal),
                Event::Status { user, name, status, last_seen } => {
                    Event::Status { user, name, status, last_seen }
                }
                Event::Chats(chats, more) => Event::Chats(chats, more),
                Event::ChatChanged(chat) => Event::ChatChanged(chat),
                Event::ChatGone { chat } => Event::ChatGone { chat },
                Event::Ended(error) => Event::Ended(error),
            },
        }
    }
}

fn read_message<E: DeserializeOwned>(message: everwire_protocol::Message) -> Event<E> {
    match try_read(message) {
        Ok(message) => Event::Message(message),
        Err(unreadable) => Event::Unreadable(unreadable),
    }
}

impl Unreadable {
    fn new(message: everwire_protocol::Message, reason: String) -> Self {
        let offset = message.offset;
        Self { offset, reason, message: Some(Box::new(with_data(message, Some))) }
    }
}

/// The message with its data as an `E`, if it is one.
pub(crate) fn try_read<E: DeserializeOwned>(
    message: everwire_protocol::Message,
) -> Result<Message<E>, Unreadable> {
    if message.deleted.is_some() || message.action == Some(Action::Delete) {
        return Ok(with_data(message, |_| None));
    }
    match json::read(&message.data) {
        Ok(data) => Ok(with_data(message, |_| Some(data))),
        Err(reason) => Err(Unreadable::new(message, reason)),
    }
}

fn with_data<E>(message: everwire_protocol::Message, data: impl FnOnce(Payload) -> Option<E>) -> Message<E> {
    Message {
        offset: message.offset,
        id: message.id,
        user: message.user,
        name: message.name,
        at: message.at,
        event: message.event,
        action: message.action,
        target: message.target,
        deleted: message.deleted,
        data: data(message.data),
    }
}
