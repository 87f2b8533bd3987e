//! How much a socket reads from a client that has not signed in. There is no account yet to which the bytes could be charged,
//! so the allowance is small: beyond it the socket stops reading, and the rest waits in the network.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// The allowance of one socket. Unlimited at first: the head of a request has a bound of its own.
#[derive(Debug, Clone)]
pub struct Allowance(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    left: AtomicUsize,
    /// The reader that waits for more.
    waiting: Mutex<Option<Waker>>,
}

const UNLIMITED: usize = usize::MAX;

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(Inner { left: AtomicUsize::new(UNLIMITED), waiting: Mutex::default() }))
    }
}

impl Allowance {
    /// From now on only so many bytes are read.
    pub fn limit(&self, bytes: usize) {
        self.0.left.store(bytes, Ordering::Release);
    }

    /// The client has signed in.
    pub fn lift(&self) {
        self.limit(UNLIMITED);
        if let Some(reader) = self.0.waiting.lock().take() {
            reader.wake();
        }
    }

    /// Whether nothing more is read.
    pub fn is_used_up(&self) -> bool {
        self.0.left.load(Ordering::Acquire) == 0
    }

    /// How many bytes were read of this limit.
    pub fn used_of(&self, limit: usize) -> usize {
        limit.saturating_sub(self.0.left.load(Ordering::Acquire))
    }

    /// How many bytes may be read now; `None`: any number. Waits while it is none.
    pub fn poll_left(&self, context: &Context<'_>) -> Poll<Option<usize>> {
        if self.is_used_up() {
            *self.0.waiting.lock() = Some(context.waker().clone());
        }
        // Looked at once more, because it may have been lifted in between.
        match self.0.left.load(Ordering::Acquire) {
            0 => Poll::Pending,
            UNLIMITED => Poll::Ready(None),
            left => Poll::Ready(Some(left)),
        }
    }

    /// So many bytes were read. One that was lifted in between stays unlimited.
    pub fn read(&self, bytes: usize) {
        let less = |left: usize| (left != UNLIMITED).then(|| left.saturating_sub(bytes));
        // An error means that there is no limit.
        let _ = self.0.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_waits_when_it_is_used_up_until_it_is_lifted() {
        let allowance = Allowance::default();
        let left = || std::future::poll_fn(|context| allowance.poll_left(context));
        allowance.read(1_000_000);
        assert_eq!(left().await, None, "unlimited at first");
        allowance.limit(10);
        allowance.read(4);
        assert_eq!((left().await, allowance.used_of(10)), (Some(6), 4));
        allowance.read(100);
        assert!(allowance.is_used_up());
        let waiting = tokio::spawn({
            let allowance = allowance.clone();
            async move { std::future::poll_fn(|context| allowance.poll_left(context)).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        allowance.lift();
        assert_eq!(waiting.await.unwrap(), None);
        allowance.read(5);
        assert_eq!(left().await, None);
    }
}
