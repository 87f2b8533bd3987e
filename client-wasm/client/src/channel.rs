//! A channel: what can be sent to it and asked about it, and subscriptions to it.

use std::{fmt, marker::PhantomData, sync::Arc};

use everwire_protocol::{
    Action, Channel as Name, History as HistoryRequest, Member, Payload, Send, Signal, UserReceipt, Uuid,
    names::check_event,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Message, Sending, Subscribe, Subscription, Typist, Unreadable,
    event::try_read,
    json,
    request::{ANSWER_TIMEOUT, answer},
    session::Room,
    shared::Shared,
};

/// A channel of a client, whose messages are of the type `E`. Clones are the same channel.
pub struct Channel<E> {
    shared: Arc<Shared>,
    name: Name,
    data: PhantomData<fn() -> E>,
}

/// What a message is besides its data.
#[derive(Default)]
struct Kind {
    event: Option<String>,
    action: Option<Action>,
    target: Option<Uuid>,
}

/// Which part of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    before: Option<u64>,
    after: Option<u64>,
    limit: u32,
}

impl History {
    /// The latest messages, at most 200.
    pub fn latest(limit: u32) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The latest messages before an offset.
    pub fn before(offset: u64, limit: u32) -> Self {
        Self { before: Some(offset), ..Self::latest(limit) }
    }

    /// The earliest messages after an offset.
    pub fn after(offset: u64, limit: u32) -> Self {
        Self { after: Some(offset), ..Self::latest(limit) }
    }
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryPage<E> {
    /// Names the log: offsets mean something within it.
    pub epoch: String,
    /// By rising offset.
    pub messages: Vec<Message<E>>,
    /// Those whose data is not an `E`.
    pub unreadable: Vec<Unreadable>,
    /// Whether there are more in the same direction.
    pub more: bool,
}

impl<E> Channel<E> {
    pub(crate) fn new(shared: Arc<Shared>, name: Name) -> Self {
        Self { shared, name, data: PhantomData }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Somebody types here: to be called for every key. Others see it until no key was pressed for 3 seconds, or a message is sent.
    pub fn typing(&self) {
        self.key(true);
    }

    /// What was being written is discarded. Not needed after a message.
    pub fn stop_typing(&self) {
        self.key(false);
    }

    fn key(&self, key: bool) {
        self.shared.with(|session| {
            session.with_handle(&self.name, |core, now, handle| core.typing(now, handle, key));
        });
    }

    /// Everything up to this offset was read. Marks only rise; they are sent within a second or two. What a subscription brings
    /// is marked as delivered automatically.
    pub fn mark_read(&self, offset: u64) {
        self.shared.with(|session| {
            session.with_handle(&self.name, |core, now, handle| core.mark(now, handle, 0, offset));
        });
    }

    /// Something about the channel while it is subscribed to.
    fn room<T: Default>(&self, read: impl FnOnce(&Room) -> T) -> T {
        self.shared.peek(|session| {
            let handle = session.core.subscription(&self.name);
            handle.and_then(|handle| session.rooms.get(&handle)).map(read).unwrap_or_default()
        })
    }

    /// The members of a presence channel, by user id, while it is subscribed to.
    pub fn members(&self) -> Vec<Member> {
        self.room(|room| room.members.values().cloned().collect())
    }

    /// How far each member of a chat has received and read it, by user id, while it is subscribed to.
    pub fn receipts(&self) -> Vec<UserReceipt> {
        self.room(|room| room.receipts.values().cloned().collect())
    }

    /// Who types, while it is subscribed to.
    pub fn typists(&self) -> Vec<Typist> {
        self.room(|room| room.typists.values().cloned().collect())
    }

    /// Sends an ephemeral event to those who are subscribed at the moment. Returns false if there is no connection.
    ///
    /// # Errors
    /// [`Error::InvalidName`], [`Error::Serialize`] or [`Error::Closed`]
    pub fn signal<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Result<bool, Error> {
        self.signal_some(event, data, None)
    }

    /// The same to one [connection](crate::Client::connection).
    ///
    /// # Errors
    /// [`Error::InvalidName`], [`Error::Serialize`] or [`Error::Closed`]
    pub fn signal_to<T: Serialize + ?Sized>(
        &self,
        connection: Uuid,
        event: &str,
        data: &T,
    ) -> Result<bool, Error> {
        self.signal_some(event, data, Some(connection))
    }

    fn signal_some<T: Serialize + ?Sized>(
        &self,
        event: &str,
        data: &T,
        to: Option<Uuid>,
    ) -> Result<bool, Error> {
        check_event(event)?;
        let (channel, event) = (self.name.clone(), event.to_owned());
        let frame = json::frame("signal", &Signal { channel, event, data: json::write(data)?, to })?;
        self.shared.with(|session| session.send_ephemeral(frame))
    }

    fn queue(&self, data: Result<Payload, Error>, kind: Kind) -> Sending {
        let id = self.shared.peek(|session| session.ids.next());
        let queued = data.and_then(|data| {
            let bytes = data.text().len();
            let Kind { event, action, target } = kind;
            let frame = Send { id, channel: self.name.clone(), event, data, action, target };
            let frame = json::frame("send", &frame)?;
            self.shared.with(|session| session.send(id, &self.name, frame, bytes))
        });
        Sending::new(self.shared.clone(), id, queued)
    }

    /// Sends a message with an event name and data of a type of its own.
    pub fn send_event<T: Serialize + ?Sized>(&self, event: &str, data: &T) -> Sending {
        let kind = Kind { event: Some(event.to_owned()), ..Kind::default() };
        self.queue(check_event(event).map_err(Error::from).and_then(|()| json::write(data)), kind)
    }

    /// Deletes one of the user's own messages, or as the owner of a chat any message of it.
    pub fn delete(&self, id: Uuid) -> Sending {
        let kind = Kind { action: Some(Action::Delete), target: Some(id), ..Kind::default() };
        self.queue(json::write(&()), kind)
    }
}

impl<E: Serialize> Channel<E> {
    /// Sends a message. It is in the outbox when this returns, so the order of calls is the order of messages; the future resolves
    /// once it is stored.
    ///
    /// The future resolves to an error if the message is refused for good: never because of the connection, for which it waits.
    pub fn send(&self, data: &E) -> Sending {
        self.queue(json::write(data), Kind::default())
    }

    /// Replies to a message.
    pub fn reply(&self, to: Uuid, data: &E) -> Sending {
        let kind = Kind { action: Some(Action::Reply), target: Some(to), ..Kind::default() };
        self.queue(json::write(data), kind)
    }

    /// Replaces the data of one of the user's own messages.
    pub fn edit(&self, id: Uuid, data: &E) -> Sending {
        let kind = Kind { action: Some(Action::Edit), target: Some(id), ..Kind::default() };
        self.queue(json::write(data), kind)
    }
}

impl<E: DeserializeOwned> Channel<E> {
    /// Receives the channel from now on. Resolves once the server has confirmed it; waits for the connection until then. Dropping
    /// the future, or later the subscription, ends it.
    ///
    /// # Errors
    /// What the server says if it refuses; [`Error::Closed`].
    pub async fn subscribe(&self, from: Subscribe) -> Result<Subscription<E>, Error> {
        let number = self.shared.with(|session| session.subscribe(&self.name, &from))?;
        let subscription = Subscription::new(self.shared.clone(), number, from.position);
        subscription.ready().await?;
        Ok(subscription)
    }

    /// A part of the log. It does not change any subscription.
    ///
    /// # Errors
    /// What the server says if it refuses; [`Error::Timeout`] or [`Error::Closed`].
    pub async fn history(&self, History { before, after, limit }: History) -> Result<HistoryPage<E>, Error> {
        let channel = self.name.clone();
        let make = |id| HistoryRequest { id, channel, before, after, limit: Some(limit) };
        let page = answer(self.shared.clone(), make, ANSWER_TIMEOUT).await?;
        let (mut messages, mut unreadable) = (Vec::new(), Vec::new());
        for message in page.messages {
            match try_read(message) {
                Ok(message) => messages.push(message),
                Err(message) => unreadable.push(message),
            }
        }
        Ok(HistoryPage { epoch: page.epoch, messages, unreadable, more: page.more })
    }
}

impl<E> Clone for Channel<E> {
    fn clone(&self) -> Self {
        Self::new(self.shared.clone(), self.name.clone())
    }
}

impl<E> fmt::Debug for Channel<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.name()).finish()
    }
}
