//! The mailbox of one connection, for messages from the hub, the store and other requests. Sending never waits; a connection
//! whose mailbox overflows is marked, and ends itself.

use std::{
    collections::VecDeque,
    future::poll_fn,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use everwire_protocol::{Channel, ClientFrame, Hello, Poll as PollFrame};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    BadFrame, Input,
    direct::{Delivered, DirectReceiver, Flushes},
};
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
    pub poll: PollFrame,
    /// Its other frames.
    pub frames: Vec<Result<ClientFrame, BadFrame>>,
    /// The receiver of the answer.
    pub answer: oneshot::Sender<Arc<str>>,
}

/// The sending half of a mailbox.
#[derive(Debug)]
pub struct MailboxSender {
    mailbox: Arc<Mailbox>,
    /// A planted bug: lost messages are not noticed.
    #[cfg(feature = "planted")]
    loses: bool,
    /// A planted bug: what is delivered directly does not wait for mail.
    #[cfg(feature = "planted")]
    overtaken: bool,
}

/// The receiving half of a mailbox.
#[derive(Debug)]
pub struct MailboxReceiver {
    mailbox: Arc<Mailbox>,
}

/// What both halves share. Not a channel of a library: those have room for some messages even when there are none, and every idle
/// connection has a mailbox.
#[derive(Debug)]
struct Mailbox {
    contents: Mutex<Contents>,
    capacity: usize,
    /// The number of messages, for those who do not take them.
    length: AtomicUsize,
    senders: AtomicUsize,
    /// Whether a message was lost because there was no room.
    overflowed: AtomicBool,
    /// The connection, if it permits direct delivery.
    direct: OnceLock<Weak<dyn DirectReceiver>>,
}

#[derive(Debug, Default)]
struct Contents {
    messages: VecDeque<MailboxMessage>,
    /// The receiver, if it waits.
    receiver: Option<Waker>,
    closed: bool,
}

/// A new mailbox with room for `capacity` messages.
pub fn mailbox(capacity: usize) -> (MailboxSender, MailboxReceiver) {
    let mailbox = Arc::new(Mailbox {
        contents: Mutex::default(),
        capacity,
        length: AtomicUsize::new(0),
        senders: AtomicUsize::new(1),
        overflowed: AtomicBool::new(false),
        direct: OnceLock::new(),
    });
    let sender = MailboxSender {
        mailbox: mailbox.clone(),
        #[cfg(feature = "planted")]
        loses: false,
        #[cfg(feature = "planted")]
        overtaken: false,
    };
    (sender, MailboxReceiver { mailbox })
}

impl Clone for MailboxSender {
    fn clone(&self) -> Self {
        self.mailbox.senders.fetch_add(1, Ordering::Relaxed);
        Self {
            mailbox: self.mailbox.clone(),
            #[cfg(feature = "planted")]
            loses: self.loses,
            #[cfg(feature = "planted")]
            overtaken: self.overtaken,
        }
    }
}

impl Drop for MailboxSender {
    fn drop(&mut self) {
        if self.mailbox.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            // Nothing more will come.
            let receiver = self.mailbox.contents.lock().receiver.take();
            receiver.into_iter().for_each(Waker::wake);
        }
    }
}

impl MailboxSender {
    /// A mailbox in which lost messages are not noticed.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn losing(mut self) -> Self {
        self.loses = true;
        self
    }

    /// A mailbox whose connection lets direct deliveries overtake mail.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn overtaken(mut self) -> Self {
        self.overtaken = true;
        self
    }

    /// Whether it is such a mailbox.
    #[cfg(feature = "planted")]
    pub fn is_overtaken(&self) -> bool {
        self.overtaken
    }

    /// The connection permits direct delivery from now on.
    pub(super) fn permit_direct_delivery(&self, connection: Weak<dyn DirectReceiver>) {
        // An error means that it was permitted before.
        let _ = self.mailbox.direct.set(connection);
    }

    /// Delivers entries of one channel: directly if the connection permits it, and then it is added to `flushes` if it has to be
    /// flushed; by mail otherwise.
    pub fn deliver(&self, now_ms: u64, entries: &[Arc<Entry>], flushes: &mut Flushes) {
        if let Some(direct) = self.mailbox.direct.get().and_then(Weak::upgrade) {
            let has_mail = || self.mailbox.length.load(Ordering::Acquire) > 0;
            match direct.deliver(now_ms, entries, &has_mail) {
                Delivered::Queued => return,
                Delivered::ToFlush => return flushes.add(direct),
                Delivered::ByMail => {}
            }
        }
        for entry in entries {
            self.push(MailboxMessage::Entry(entry.clone()));
        }
    }

    /// Adds a message. If there is no room, the connection ends as soon as it notices.
    pub fn push(&self, message: MailboxMessage) {
        let mut contents = self.mailbox.contents.lock();
        if contents.closed {
            drop(contents);
            // Now, without the lock: dropping it may notify somebody.
            return drop(message);
        }
        if contents.messages.len() >= self.mailbox.capacity {
            #[cfg(feature = "planted")]
            if self.loses {
                return;
            }
            return self.mailbox.overflowed.store(true, Ordering::Relaxed);
        }
        contents.messages.push_back(message);
        self.mailbox.length.store(contents.messages.len(), Ordering::Release);
        let receiver = contents.receiver.take();
        drop(contents);
        receiver.into_iter().for_each(Waker::wake);
    }

    /// Adds a frame. A droppable one is dropped if the mailbox is half full.
    pub fn broadcast(&self, broadcast: &Arc<Broadcast>) {
        let half = self.mailbox.capacity.div_ceil(2);
        if !broadcast.ephemeral || self.mailbox.length.load(Ordering::Acquire) < half {
            self.push(MailboxMessage::Broadcast(broadcast.clone()));
        }
    }

    /// Whether its connection has ended.
    pub fn is_closed(&self) -> bool {
        self.mailbox.contents.lock().closed
    }

    /// Adds an input.
    pub fn input(&self, input: Input) {
        self.push(MailboxMessage::Input(Box::new(input)));
    }
}

impl MailboxReceiver {
    /// Waits for messages and takes all that are available, up to `most`. None if there are no more senders.
    pub async fn take(&mut self, messages: &mut Vec<MailboxMessage>, most: usize) {
        poll_fn(|context| self.poll_take(context, messages, most)).await;
    }

    /// The same without waiting: pending if there are none.
    pub fn poll_take(
        &mut self,
        context: &Context<'_>,
        messages: &mut Vec<MailboxMessage>,
        most: usize,
    ) -> Poll<()> {
        let mut contents = self.mailbox.contents.lock();
        if contents.messages.is_empty() {
            if contents.closed || self.mailbox.senders.load(Ordering::Acquire) == 0 {
                return Poll::Ready(());
            }
            contents.receiver = Some(context.waker().clone());
            return Poll::Pending;
        }
        let taken = contents.messages.len().min(most);
        messages.extend(contents.messages.drain(..taken));
        self.has_taken(&mut contents);
        Poll::Ready(())
    }

    /// Takes one message, if there is one. For drivers without tasks.
    pub fn try_take(&mut self) -> Option<MailboxMessage> {
        let mut contents = self.mailbox.contents.lock();
        let message = contents.messages.pop_front();
        self.has_taken(&mut contents);
        message
    }

    fn has_taken(&self, contents: &mut Contents) {
        if contents.messages.is_empty() {
            contents.messages = VecDeque::new();
        }
        self.mailbox.length.store(contents.messages.len(), Ordering::Release);
    }

    /// Closes it for new messages.
    pub fn close(&mut self) {
        self.mailbox.contents.lock().closed = true;
    }

    /// Whether a message was lost because there was no room.
    pub fn overflowed(&self) -> bool {
        self.mailbox.overflowed.load(Ordering::Relaxed)
    }
}

impl Drop for MailboxReceiver {
    fn drop(&mut self) {
        let mut contents = self.mailbox.contents.lock();
        contents.closed = true;
        let messages = std::mem::take(&mut contents.messages);
        drop(contents);
        // Without the lock: dropping them may notify somebody.
        drop(messages);
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
    async fn who_waits_for_messages_is_woken_by_the_first_and_when_nobody_can_send_any() {
        let (sender, mut receiver) = mailbox(10);
        let waiting = async {
            let mut messages = Vec::new();
            receiver.take(&mut messages, 10).await;
            let first = messages.len();
            receiver.take(&mut messages, 10).await;
            (first, messages.len())
        };
        let sending = async {
            let other = sender.clone();
            drop(sender);
            tokio::task::yield_now().await;
            other.input(Input::Writable);
            tokio::task::yield_now().await;
            drop(other);
        };
        assert_eq!(tokio::join!(waiting, sending).0, (1, 1));
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
