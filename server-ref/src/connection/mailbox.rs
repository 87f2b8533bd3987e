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
    broadcast::{Note, PresenceChange},
    log::Entry,
};

/// Most that waits in an inbox. It is emptied whenever its connection's task runs, so this much waits only if the
/// machine cannot keep up.
const CAPACITY: usize = 16 * 1024;

/// Something for a connection. Small, because an inbox has room for a good many.
#[derive(Debug)]
pub enum Mail {
    /// An entry of a channel.
    Entry(Arc<Entry>),
    /// A change in a presence channel.
    Presence(Arc<PresenceChange>),
    /// A frame for those who are subscribed to a channel.
    Note(Arc<Note>),
    /// Anything else that happens to a session.
    Input(Box<Input>),
    /// A poll for a polling connection.
    Poll(Box<PollRequest>),
    /// The client gave up on the poll with this number.
    Abandoned(u64),
    /// The same session said by a post that it leaves a channel, or (`None`) ends.
    Left(Option<Box<Channel>>),
}

impl Mail {
    /// What happens to a session by this. What concerns a poll comes back.
    ///
    /// # Errors
    /// The mail itself, if it concerns a poll.
    pub fn into_input(self) -> Result<Input, Self> {
        match self {
            Self::Entry(entry) => Ok(Input::Entry(entry)),
            Self::Presence(change) => Ok(Input::Presence(change)),
            Self::Note(note) => Ok(Input::Note(note)),
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

/// The sending half of an inbox.
#[derive(Debug, Clone)]
pub struct Inbox {
    mail: mpsc::Sender<Mail>,
    overflowed: Arc<AtomicBool>,
}

/// The receiving half of an inbox.
#[derive(Debug)]
pub struct Letters {
    mail: mpsc::Receiver<Mail>,
    overflowed: Arc<AtomicBool>,
}

/// A new inbox.
pub fn inbox() -> (Inbox, Letters) {
    let (sender, receiver) = mpsc::channel(CAPACITY);
    let overflowed = Arc::new(AtomicBool::new(false));
    (Inbox { mail: sender, overflowed: overflowed.clone() }, Letters { mail: receiver, overflowed })
}

impl Inbox {
    /// Puts something in. If there is no room, the connection ends as soon as it notices.
    pub fn push(&self, mail: Mail) {
        if let Err(mpsc::error::TrySendError::Full(_)) = self.mail.try_send(mail) {
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }

    /// Puts a frame in. One that may be dropped is, while half of the room is taken.
    pub fn note(&self, note: &Arc<Note>) {
        if !note.ephemeral || self.mail.capacity() > CAPACITY / 2 {
            self.push(Mail::Note(note.clone()));
        }
    }

    /// Whether its connection is over.
    pub fn is_closed(&self) -> bool {
        self.mail.is_closed()
    }

    /// Puts in something that happens to a session.
    pub fn input(&self, input: Input) {
        self.push(Mail::Input(Box::new(input)));
    }
}

impl Letters {
    /// Waits for mail and takes out all that is there, up to `most`.
    pub async fn take(&mut self, letters: &mut Vec<Mail>, most: usize) {
        self.mail.recv_many(letters, most).await;
    }

    /// Takes out one thing, if there is one. For drivers without tasks.
    pub fn try_take(&mut self) -> Option<Mail> {
        self.mail.try_recv().ok()
    }

    /// Takes nothing more in.
    pub fn close(&mut self) {
        self.mail.close();
    }

    /// Whether something was lost because there was no room.
    pub fn overflowed(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed)
    }
}
