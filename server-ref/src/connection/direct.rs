//! Direct delivery: whoever publishes entries puts them into the queues of connections and writes them to their sockets, without
//! waking a task for each. A connection permits it as long as nothing waits in its mailbox that has to be handled first (see
//! [`super::shared`]); otherwise it gets them by mail.

use std::{fmt, sync::Arc};

use super::encoding::BatchEncoder;
use crate::model::log::Entry;

/// How many connections are flushed at once. More are shared among tasks, so that all cores take part, and nothing else waits.
const AT_ONCE: usize = 256;

/// What became of a direct delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It is in the queue, and nothing else has to be done: it is sent later, or somebody else will flush.
    Queued,
    /// It is in the queue, and whoever has delivered it has to flush the connection.
    ToFlush,
    /// Not possible now. It has to go by mail.
    ByMail,
}

/// A connection that permits direct delivery.
pub trait DirectReceiver: fmt::Debug + Send + Sync {
    /// Queues entries of one channel, unless the connection is busy or has mail. `has_mail` says so; it is called while nobody
    /// else can handle mail.
    fn deliver(&self, now_ms: u64, entries: &[Arc<Entry>], has_mail: &dyn Fn() -> bool) -> Delivered;

    /// Writes what is queued, if the transport takes it. Returns the number of frames.
    fn flush(&self, now_ms: u64, encoder: &mut BatchEncoder) -> usize;
}

/// Connections that have to be flushed when everything was delivered. Each is in it once: what was delivered in several pieces
/// leaves in one batch.
#[derive(Debug, Default)]
pub struct Flushes {
    receivers: Vec<Arc<dyn DirectReceiver>>,
}

impl Flushes {
    pub(super) fn add(&mut self, receiver: Arc<dyn DirectReceiver>) {
        self.receivers.push(receiver);
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.receivers.is_empty()
    }

    /// Divides them into pieces that may be flushed at the same time, in any order: what is in a queue is in order already.
    pub fn pieces(mut self) -> impl Iterator<Item = Self> {
        std::iter::from_fn(move || {
            let rest = self.receivers.split_off(self.receivers.len().min(AT_ONCE));
            let receivers = std::mem::replace(&mut self.receivers, rest);
            (!receivers.is_empty()).then_some(Self { receivers })
        })
    }

    /// Flushes them. A batch that several of them send is encoded once. Returns the number of frames.
    pub fn flush(self, now_ms: u64) -> usize {
        let mut encoder = BatchEncoder::default();
        self.receivers.iter().map(|receiver| receiver.flush(now_ms, &mut encoder)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Receiver;

    impl DirectReceiver for Receiver {
        fn deliver(&self, _: u64, _: &[Arc<Entry>], _: &dyn Fn() -> bool) -> Delivered {
            Delivered::ByMail
        }

        fn flush(&self, _: u64, _: &mut BatchEncoder) -> usize {
            2
        }
    }

    #[test]
    fn many_connections_are_flushed_in_pieces_and_none_is_left_out() {
        for (connections, pieces) in [
            (0, vec![]),
            (1, vec![1]),
            (AT_ONCE, vec![AT_ONCE]),
            (2 * AT_ONCE + 1, vec![AT_ONCE, AT_ONCE, 1]),
        ] {
            let mut flushes = Flushes::default();
            (0..connections).for_each(|_| flushes.add(Arc::new(Receiver)));
            assert_eq!(flushes.is_empty(), connections == 0);
            let frames: Vec<_> = flushes.pieces().map(|piece| piece.flush(0)).collect();
            assert_eq!(frames, pieces.iter().map(|piece| 2 * piece).collect::<Vec<_>>());
        }
    }
}
