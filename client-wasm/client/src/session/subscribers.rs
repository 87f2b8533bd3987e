//! Those who subscribe to a channel: each has a queue of its own, and the core has one subscription for all of them.

use std::task::{Context, Poll, Waker};

use everwire_client_core::Handle;
use everwire_protocol::Channel;

use super::{Room, Session};
use crate::{
    Error, Gap, GapReason, Subscribe, Subscribed,
    event::{Event, RawEvent},
    queue::Queue,
};

pub(super) struct Subscriber {
    handle: Handle,
    queue: Queue<RawEvent>,
    /// The messages that made room for others.
    lagged: Option<Gap>,
    /// Whether the subscription is in place, or why it will not be.
    ready: Option<Result<(), Error>>,
    waiting: Option<Waker>,
}

impl Subscriber {
    pub(super) fn push(&mut self, event: RawEvent, wakers: &mut Vec<Waker>) {
        let lost = match self.queue.push(event, wakers) {
            Some(RawEvent::Message(message)) => {
                Gap { from: message.offset, to: message.offset, reason: GapReason::Lagged }
            }
            Some(RawEvent::Event(Event::Unreadable(message))) => {
                Gap { from: message.offset, to: message.offset, reason: GapReason::Lagged }
            }
            Some(RawEvent::Event(Event::Gap(gap))) => gap,
            // The state of the channel tells the same.
            _ => return,
        };
        self.lagged = Some(match self.lagged.take() {
            None => lost,
            Some(Gap { from, reason, .. }) => {
                let replaced = reason == GapReason::Epoch || lost.reason == GapReason::Epoch;
                let reason = if replaced { GapReason::Epoch } else { GapReason::Lagged };
                Gap { from, to: lost.to, reason }
            }
        });
    }

    fn set_ready(&mut self, ready: Result<(), Error>, wakers: &mut Vec<Waker>) {
        if self.ready.is_none() {
            self.ready = Some(ready);
            wakers.extend(self.waiting.take());
        }
    }

    /// Nothing follows. `why`: if it never was in place.
    pub(super) fn end(&mut self, why: Error, wakers: &mut Vec<Waker>) {
        self.set_ready(Err(why), wakers);
        self.queue.end(wakers);
    }
}

impl Session {
    /// Receives a channel. Returns the number of the subscriber.
    pub(crate) fn subscribe(&mut self, channel: &Channel, from: &Subscribe) -> Result<u32, Error> {
        if self.is_closed() {
            return Err(self.closed());
        }
        let now = self.now();
        self.stretch.settle(&mut self.core);
        let Subscribe { recent, position, undelivered } = from;
        let handle = self
            .core
            .subscribe_from(now, channel.as_str(), *recent, position.clone(), *undelivered)
            .map_err(|code| self.refused(code))?;
        let mut queue = Queue::new(self.buffer);
        let mut ready = None;
        match self.rooms.get(&handle) {
            None => self.rooms.insert(handle, Room::new(channel.clone())),
            // It is in place for others.
            Some(Room { position: Some(position), head, .. }) => {
                let subscribed = Subscribed::at(position.clone(), *head, true);
                queue.push(RawEvent::Event(Event::Subscribed(subscribed)), &mut self.wakers);
                ready = Some(Ok(()));
            }
            Some(_) => {}
        }
        let number = self.next_number();
        let subscriber = Subscriber { handle, queue, lagged: None, ready, waiting: None };
        self.subscribers.insert(number, subscriber);
        self.drain();
        Ok(number)
    }

    /// Ends what one subscriber receives, and with the last one of a channel the subscription.
    pub(crate) fn unsubscribe(&mut self, number: u32) {
        let Some(Subscriber { handle, .. }) = self.subscribers.remove(&number) else { return };
        if self.subscribers.values().any(|other| other.handle == handle) {
            return;
        }
        // The server may have ended it.
        if self.rooms.remove(&handle).is_some() {
            let now = self.now();
            self.stretch.settle(&mut self.core);
            self.core.unsubscribe(now, handle);
            self.drain();
        }
    }

    pub(crate) fn poll_ready(&mut self, number: u32, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let Some(subscriber) = self.subscribers.get_mut(&number) else {
            return Poll::Ready(Err(self.closed()));
        };
        if let Some(ready) = &subscriber.ready {
            return Poll::Ready(ready.clone());
        }
        subscriber.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(crate) fn poll_event(&mut self, number: u32, cx: &Context<'_>) -> Poll<Option<RawEvent>> {
        let Some(subscriber) = self.subscribers.get_mut(&number) else { return Poll::Ready(None) };
        match subscriber.lagged.take() {
            Some(gap) => Poll::Ready(Some(RawEvent::Event(Event::Gap(gap)))),
            None => subscriber.queue.poll(cx),
        }
    }

    /// Tells everybody who subscribes to a channel.
    pub(super) fn tell_subscribers(&mut self, handle: Handle, event: &RawEvent) {
        for subscriber in self.subscribers.values_mut().filter(|other| other.handle == handle) {
            subscriber.push(event.clone(), &mut self.wakers);
        }
    }

    pub(super) fn event(&mut self, handle: Handle, event: Event<()>) {
        self.tell_subscribers(handle, &RawEvent::Event(event));
    }

    pub(super) fn set_ready(&mut self, handle: Handle) {
        for subscriber in self.subscribers.values_mut().filter(|other| other.handle == handle) {
            subscriber.set_ready(Ok(()), &mut self.wakers);
        }
    }

    /// The server has ended a subscription.
    pub(super) fn end_subscription(&mut self, handle: Handle, error: &Error) {
        self.rooms.remove(&handle);
        for subscriber in self.subscribers.values_mut().filter(|other| other.handle == handle) {
            if subscriber.ready.is_some() {
                subscriber.push(RawEvent::Event(Event::Ended(error.clone())), &mut self.wakers);
            }
            subscriber.end(error.clone(), &mut self.wakers);
        }
    }

    /// The client has ended, and with it every subscription; `told`: the streams say why.
    pub(super) fn end_subscriptions(&mut self, why: &Error, told: bool) {
        for subscriber in self.subscribers.values_mut() {
            if told {
                subscriber.push(RawEvent::Event(Event::Ended(why.clone())), &mut self.wakers);
            }
            subscriber.end(why.clone(), &mut self.wakers);
        }
        self.rooms.clear();
    }
}
