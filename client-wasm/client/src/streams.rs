//! The streams: events of a channel, and updates of the whole client.

use std::{
    fmt,
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use everwire_client_core::Position;
use futures_core::Stream;
use serde::de::DeserializeOwned;

use crate::{Error, Event, Subscribed, event::RawEvent, queue::Queues, session::Session, shared::Shared};

/// The events of a channel, from `Channel::subscribe` until it is dropped, the server ends it, or the client is closed.
///
/// A subscription that is not polled keeps its latest events, 4096 unless [`Options::buffer`](crate::Options::buffer) says
/// otherwise. Messages that made room for others are replaced by one [`Event::Gap`] that names them, at the place where they were;
/// other events that made room are not told again, since the channel knows its members, receipts and typists.
#[must_use = "a subscription ends when it is dropped"]
pub struct Subscription<E> {
    shared: Arc<Shared>,
    number: u32,
    position: Option<Position>,
    data: PhantomData<fn() -> E>,
}

impl<E> Subscription<E> {
    pub(crate) fn new(shared: Arc<Shared>, number: u32, position: Option<Position>) -> Self {
        Self { shared, number, position, data: PhantomData }
    }

    pub(crate) async fn ready(&self) -> Result<(), Error> {
        poll_fn(|cx| self.shared.peek(|session| session.poll_ready(self.number, cx))).await
    }

    /// How far the stream was read, for [`Subscribe::after`](crate::Subscribe::after) in another process or page. None before its
    /// first event.
    pub fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    fn follow(&mut self, event: &RawEvent) {
        let offset = match event {
            RawEvent::Event(Event::Subscribed(Subscribed { epoch, offset, run, .. })) => {
                let (epoch, run) = (epoch.clone(), run.clone());
                self.position = Some(Position { epoch, offset: *offset, run });
                return;
            }
            RawEvent::Message(message) => message.offset,
            RawEvent::Event(Event::Unreadable(message)) => message.offset,
            RawEvent::Event(_) => return,
        };
        if let Some(position) = &mut self.position {
            position.offset = offset;
        }
    }
}

impl<E: DeserializeOwned> Stream for Subscription<E> {
    type Item = Event<E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event<E>>> {
        let event = self.shared.peek(|session| session.poll_event(self.number, cx));
        event.map(|event| {
            event.map(|event| {
                self.follow(&event);
                event.read()
            })
        })
    }
}

impl<E> Drop for Subscription<E> {
    fn drop(&mut self) {
        self.shared.with(|session| session.unsubscribe(self.number));
    }
}

impl<E> fmt::Debug for Subscription<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").field("position", &self.position).finish_non_exhaustive()
    }
}

/// A stream about the whole client, until that is closed.
#[must_use = "a stream that is not polled tells nothing"]
pub struct Updates<T: Clone> {
    shared: Arc<Shared>,
    number: u32,
    queues: fn(&mut Session) -> &mut Queues<T>,
}

impl<T: Clone> Updates<T> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        queues: fn(&mut Session) -> &mut Queues<T>,
        first: Option<T>,
    ) -> Self {
        let number = shared.peek(|session| {
            let number = session.next_number();
            let ended = session.ended;
            let mut wakers = Vec::new();
            let queues = queues(session);
            queues.open(number, first, &mut wakers);
            if ended {
                queues.end(&mut wakers);
            }
            number
        });
        Self { shared, number, queues }
    }
}

impl<T: Clone> Stream for Updates<T> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.shared.peek(|session| (self.queues)(session).poll(self.number, cx))
    }
}

impl<T: Clone> Drop for Updates<T> {
    fn drop(&mut self) {
        self.shared.peek(|session| (self.queues)(session).close(self.number));
    }
}

impl<T: Clone> fmt::Debug for Updates<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates").finish_non_exhaustive()
    }
}
