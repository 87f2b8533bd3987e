//! Events on their way to a stream: bounded, and what makes room is returned.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

#[derive(Debug)]
pub(crate) struct Queue<T> {
    items: VecDeque<T>,
    limit: usize,
    waker: Option<Waker>,
    ended: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { items: VecDeque::new(), limit, waker: None, ended: false }
    }

    /// Adds an item. If there is no room, the oldest makes some, and is returned.
    pub(crate) fn push(&mut self, item: T, wakers: &mut Vec<Waker>) -> Option<T> {
        if self.ended {
            return None;
        }
        let oldest = if self.items.len() >= self.limit { self.items.pop_front() } else { None };
        self.items.push_back(item);
        wakers.extend(self.waker.take());
        oldest
    }

    /// Nothing follows.
    pub(crate) fn end(&mut self, wakers: &mut Vec<Waker>) {
        self.ended = true;
        wakers.extend(self.waker.take());
    }

    /// Wakes this task when the next item comes, or none will.
    pub(crate) fn wait(&mut self, cx: &Context<'_>) {
        self.waker = Some(cx.waker().clone());
    }

    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<T>> {
        match self.items.pop_front() {
            None if !self.ended => {
                self.wait(cx);
                Poll::Pending
            }
            item => Poll::Ready(item),
        }
    }
}

/// The queues of several streams of the same kind, by number.
#[derive(Debug)]
pub(crate) struct Queues<T> {
    queues: Vec<(u32, Queue<T>)>,
    limit: usize,
}

impl<T: Clone> Queues<T> {
    pub(crate) fn new(limit: usize) -> Self {
        Self { queues: Vec::new(), limit }
    }

    /// A new stream, which begins with this.
    pub(crate) fn open(&mut self, number: u32, first: Option<T>, wakers: &mut Vec<Waker>) {
        let mut queue = Queue::new(self.limit);
        if let Some(first) = first {
            queue.push(first, wakers);
        }
        self.queues.push((number, queue));
    }

    pub(crate) fn close(&mut self, number: u32) {
        self.queues.retain(|(other, _)| *other != number);
    }

    pub(crate) fn push(&mut self, item: &T, wakers: &mut Vec<Waker>) {
        for (_, queue) in &mut self.queues {
            queue.push(item.clone(), wakers);
        }
    }

    pub(crate) fn end(&mut self, wakers: &mut Vec<Waker>) {
        for (_, queue) in &mut self.queues {
            queue.end(wakers);
        }
    }

    pub(crate) fn poll(&mut self, number: u32, cx: &Context<'_>) -> Poll<Option<T>> {
        match self.queues.iter_mut().find(|(other, _)| *other == number) {
            Some((_, queue)) => queue.poll(cx),
            None => Poll::Ready(None),
        }
    }
}
