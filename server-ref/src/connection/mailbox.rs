//! The mailbox of one connection, for messages from the hub, the store and other requests. Sending never waits; a connection
//! whose mailbox overflows is marked, and ends itself.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use everwire_protocol::{Channel, ClientFrame, Hello, Poll};
use tokio::sync::{mpsc, oneshot};

use super::{BadFrame, Input};
use crate::model::{
    broadcast::{Broadcast, PresenceChange},
    log::Entry,
};

/// A message to one connection. Small, because a mailbox holds many.
#[derive(Debug)]
pub enum MailboxMessage {
    /// An entry of a channel.
    Entry(Arc<Entry>),
    /// A change in a presence channel.
    Presence(Arc<PresenceChange>),
    /// A frame for those who are subscribed to a channel.
    Broadcast(Arc<Broadcast>),
    /// Any other input.
    Input(Box<Input>),
    /// A poll for a polling connection.
    Poll(Box<PollRequest>),
    /// The client has aborted the poll with this number.
    Abandoned(u64),
    /// A POST of the same session leaves a channel, or (`None`) ends the session.
    Left(Option<Box<Channel>>),
}

impl MailboxMessage {
    /// Converts it into an input. Messages about polls are returned.
    ///
    /// # Errors
    /// The message itself, if it concerns a poll.
    pub fn into_input(self) -> Result<Input, Self> {
        match self {
            Self::Entry(entry) => Ok(Input::Entry(entry)),
            Self::Presence(change) => Ok(Input::Presence(change)),
            Self::Broadcast(broadcast) => Ok(Input::Broadcast(broadcast)),
            Self::Input(input) => Ok(*input),
            Self::Left(channel) => Ok(Input::Left(channel.map(|channel| *channel))),
            poll @ (Self::Poll(_) | Self::Abandoned(_)) => Err(poll),
        }
    }
}

/// A poll on its way to its connection.
#[derive(Debug)]
pub struct PollRequest {
    /// The id of the request.
    pub request: u64,
    /// Its `hello`, with the token of the `Authorization` header.
    pub hello: Hello,
    /// Its `poll`.
    pub poll: Poll,
    /// Its other frames.
    pub frames: Vec<Result<ClientFrame, BadFrame>>,
    /// The receiver of the answer.
    pub answer: oneshot::Sender<Arc<str>>,
}

/// The sending half of a mailbox.
#[derive(Debug, Clone)]
pub struct MailboxSender {
    messages: mpsc::Sender<MailboxMessage>,
    overflowed: Arc<AtomicBool>,
    /// A planted bug: lost messages are not noticed.
    #[cfg(feature = "planted")]
    loses: bool,
}

/// The receiving half of a mailbox.
#[derive(Debug)]
pub struct MailboxReceiver {
    messages: mpsc::Receiver<MailboxMessage>,
    overflowed: Arc<AtomicBool>,
}

/// A new mailbox with room for `capacity` messages.
pub fn mailbox(capacity: usize) -> (MailboxSender, MailboxReceiver) {
    let (sender, receiver) = mpsc::channel(capacity);
    let overflowed = Arc::new(AtomicBool::new(false));
    let sender = MailboxSender {
        messages: sender,
        overflowed: overflowed.clone(),
        #[cfg(feature = "planted")]
        loses: false,
    };
    (sender, MailboxReceiver { messages: receiver, overflowed })
}

impl MailboxSender {
    /// A mailbox in which lost messages are not noticed.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn losing(self) -> Self {
        Self { loses: true, ..self }
    }

    /// Adds a message. If there is no room, the connection ends as soon as it notices.
    pub fn push(&self, message: MailboxMessage) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.messages.try_send(message) {
            #[cfg(feature = "planted")]
            if self.loses {
                return;
            }
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }

    /// Adds a frame. A droppable one is dropped if the mailbox is half full.
    pub fn broadcast(&self, broadcast: &Arc<Broadcast>) {
        if !broadcast.ephemeral || self.messages.capacity() > self.messages.max_capacity() / 2 {
            self.push(MailboxMessage::Broadcast(broadcast.clone()));
        }
    }

    /// Whether its connection has ended.
    pub fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    /// Adds an input.
    pub fn input(&self, input: Input) {
        self.push(MailboxMessage::Input(Box::new(input)));
    }
}

impl MailboxReceiver {
    /// Waits for messages and takes all that are available, up to `most`.
    pub async fn take(&mut self, messages: &mut Vec<MailboxMessage>, most: usize) {
        self.messages.recv_many(messages, most).await;
    }

    /// Takes one message, if there is one. For drivers without tasks.
    pub fn try_take(&mut self) -> Option<MailboxMessage> {
        self.messages.try_recv().ok()
    }

    /// Closes it for new messages.
    pub fn close(&mut self) {
        self.messages.close();
    }

    /// Whether a message was lost because there was no room.
    pub fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broadcast(ephemeral: bool) -> Arc<Broadcast> {
        Arc::new(Broadcast { channel: "news".parse().unwrap(), text: "{}".into(), ephemeral })
    }

    fn count(receiver: &mut MailboxReceiver) -> usize {
        std::iter::from_fn(|| receiver.try_take()).count()
    }

    #[test]
    fn what_can_be_dropped_fills_half_of_a_mailbox_and_everything_else_all_of_it() {
        for (ephemeral, kept) in [(true, 5), (false, 10)] {
            let (sender, mut receiver) = mailbox(10);
            (0..10).for_each(|_| sender.broadcast(&broadcast(ephemeral)));
            assert_eq!(
                (count(&mut receiver), receiver.overflowed()),
                (kept, false),
                "ephemeral: {ephemeral}"
            );
        }
        let (sender, receiver) = mailbox(10);
        (0..11).for_each(|_| sender.broadcast(&broadcast(false)));
        assert!(receiver.overflowed(), "the eleventh is lost, and that is noticed");
    }

    #[tokio::test]
    async fn a_mailbox_gives_what_it_has_and_takes_nothing_once_it_is_closed() {
        let (sender, mut receiver) = mailbox(10);
        (0..5).for_each(|_| sender.input(Input::Writable));
        let mut messages = Vec::new();
        receiver.take(&mut messages, 3).await;
        assert_eq!(messages.len(), 3);
        receiver.take(&mut messages, 3).await;
        assert_eq!((messages.len(), sender.is_closed()), (5, false));
        receiver.close();
        sender.input(Input::Writable);
        assert_eq!((count(&mut receiver), receiver.overflowed(), sender.is_closed()), (0, false, true));
    }
}
