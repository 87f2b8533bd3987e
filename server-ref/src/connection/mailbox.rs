//! What arrives for one connection, from the hub, the store and other requests. Pushing never waits; a connection that
//! does not take out what comes is marked, and ends itself.

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

/// A message to one connection. Small, because a mailbox has room for many.
#[derive(Debug)]
pub enum MailboxMessage {
    /// An entry of a channel.
    Entry(Arc<Entry>),
    /// A change in a presence channel.
    Presence(Arc<PresenceChange>),
    /// A frame for those who are subscribed to a channel.
    Broadcast(Arc<Broadcast>),
    /// Anything else that happens to a connection.
    Input(Box<Input>),
    /// A poll for a polling connection.
    Poll(Box<PollRequest>),
    /// The client gave up on the poll with this number.
    Abandoned(u64),
    /// The same session said by a post that it leaves a channel, or (`None`) ends.
    Left(Option<Box<Channel>>),
}

impl MailboxMessage {
    /// What happens to a connection by this. What concerns a poll comes back.
    ///
    /// # Errors
    /// The message itself, if it concerns a poll.
    pub fn into_input(self) -> Result<Input, Self> {
        match self {
            Self::Entry(entry) => Ok(Input::Entry(entry)),
            Self::Presence(change) => Ok(Input::Presence(change)),
            Self::Broadcast(note) => Ok(Input::Broadcast(note)),
            Self::Input(input) => Ok(*input),
            Self::Left(channel) => Ok(Input::Left(channel.map(|channel| *channel))),
            poll @ (Self::Poll(_) | Self::Abandoned(_)) => Err(poll),
        }
    }
}

/// A poll on its way to its connection.
#[derive(Debug)]
pub struct PollRequest {
    /// Names the request.
    pub request: u64,
    /// Its `hello`, with the token of the `Authorization` header.
    pub hello: Hello,
    /// Its `poll`.
    pub poll: Poll,
    /// Its other frames.
    pub frames: Vec<Result<ClientFrame, BadFrame>>,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Arc<str>>,
}

/// The sending half of a mailbox.
#[derive(Debug, Clone)]
pub struct MailboxSender {
    messages: mpsc::Sender<MailboxMessage>,
    overflowed: Arc<AtomicBool>,
    /// A planted bug: nobody notices what is lost.
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
    /// The same mailbox, in which nobody notices what is lost.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn losing(self) -> Self {
        Self { loses: true, ..self }
    }

    /// Puts a message in. If there is no room, the connection ends as soon as it notices.
    pub fn push(&self, message: MailboxMessage) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.messages.try_send(message) {
            #[cfg(feature = "planted")]
            if self.loses {
                return;
            }
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }

    /// Puts a frame in. One that may be dropped is, while half of the room is taken.
    pub fn broadcast(&self, broadcast: &Arc<Broadcast>) {
        if !broadcast.ephemeral || self.messages.capacity() > self.messages.max_capacity() / 2 {
            self.push(MailboxMessage::Broadcast(broadcast.clone()));
        }
    }

    /// Whether its connection is over.
    pub fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }

    /// Puts in something that happens to a connection.
    pub fn input(&self, input: Input) {
        self.push(MailboxMessage::Input(Box::new(input)));
    }
}

impl MailboxReceiver {
    /// Waits for messages and takes out all that are there, up to `most`.
    pub async fn take(&mut self, messages: &mut Vec<MailboxMessage>, most: usize) {
        self.messages.recv_many(messages, most).await;
    }

    /// Takes out one message, if there is one. For drivers without tasks.
    pub fn try_take(&mut self) -> Option<MailboxMessage> {
        self.messages.try_recv().ok()
    }

    /// Takes nothing more in.
    pub fn close(&mut self) {
        self.messages.close();
    }

    /// Whether something was lost because there was no room.
    pub fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }
}
