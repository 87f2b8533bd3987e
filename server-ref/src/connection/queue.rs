//! The send queue of one client: encoded frames, shared with other connections, bounded by the connection.

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{
    Channel,
    limits::{MAX_SERVER_BATCH_BYTES, MAX_SERVER_BATCH_FRAMES},
};

use super::subscription::StartPosition;
use crate::model::{
    broadcast::Broadcast,
    log::{Entry, PageBounds},
};

/// Room in a batch for the brackets and a `polled` frame in front.
const BATCH_MARGIN: usize = 64;

/// The limits of one page of a replay: exactly one batch. With one entry more, every second batch would contain that one
/// alone. Read while the previous batch is being sent, because the queue is low then.
pub(super) const PAGE: PageBounds = PageBounds {
    entries: MAX_SERVER_BATCH_FRAMES as u32 - 1,
    // One comma for each entry.
    bytes: MAX_SERVER_BATCH_BYTES - BATCH_MARGIN - MAX_SERVER_BATCH_FRAMES,
};

#[derive(Debug)]
pub(super) enum Queued {
    /// An entry of a log.
    Entry(Arc<Entry>),
    /// `subscribed`, and the client's position before it.
    Subscribed(Channel, StartPosition, Arc<str>),
    /// A frame for subscribers of a channel.
    Broadcast(Arc<Broadcast>),
    /// The end of a subscription that the server has refused or ended.
    Ended(Channel, Arc<str>),
    /// Anything else.
    Frame(Arc<str>),
}

impl Queued {
    fn text(&self) -> &Arc<str> {
        match self {
            Self::Entry(entry) => &entry.text,
            Self::Broadcast(broadcast) => &broadcast.text,
            Self::Subscribed(_, _, text) | Self::Ended(_, text) | Self::Frame(text) => text,
        }
    }

    fn channel(&self) -> Option<&Channel> {
        match self {
            Self::Entry(entry) => Some(&entry.channel),
            Self::Subscribed(channel, ..) => Some(channel),
            Self::Broadcast(broadcast) => Some(&broadcast.channel),
            Self::Ended(..) | Self::Frame(_) => None,
        }
    }

    fn is_ephemeral(&self) -> bool {
        matches!(self, Self::Broadcast(broadcast) if broadcast.ephemeral)
    }
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Queued>,
    bytes: usize,
    /// Whether the transport can take a batch.
    writable: bool,
    /// When the last batch was given to the transport, while it has not been taken.
    writing_since: Option<u64>,
}

impl Queue {
    pub(super) fn push(&mut self, queued: Queued) {
        self.bytes += queued.text().len();
        self.waiting.push_back(queued);
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the queue exceeds these limits. A single frame never does: its size does not show that the client reads
    /// slowly, and would exceed them again after every reconnect.
    pub(super) fn is_above(&self, frames: usize, bytes: usize) -> bool {
        self.waiting.len() > frames || (self.waiting.len() > 1 && self.bytes > bytes)
    }

    /// Whether less than one batch is queued, so that more may be read from the store.
    pub(super) fn is_low(&self) -> bool {
        self.waiting.len() < MAX_SERVER_BATCH_FRAMES && self.bytes < MAX_SERVER_BATCH_BYTES
    }

    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.bytes = 0;
    }

    /// Removes the frames of a subscription that has ended.
    pub(super) fn forget(&mut self, channel: &Channel) {
        self.keep(|queued| queued.channel() != Some(channel));
    }

    /// Removes ephemeral frames.
    pub(super) fn drop_ephemeral(&mut self) {
        self.keep(|queued| !queued.is_ephemeral());
    }

    /// Whether the queue contains the end of the subscription of `channel`.
    pub(super) fn has_ended(&self, channel: &Channel) -> bool {
        self.waiting.iter().any(|queued| matches!(queued, Queued::Ended(other, _) if other == channel))
    }

    fn keep(&mut self, wanted: impl Fn(&Queued) -> bool) {
        self.waiting.retain(wanted);
        self.bytes = self.waiting.iter().map(|queued| queued.text().len()).sum();
    }

    /// The client's position after the frames taken so far; `None` if nothing of the channel is queued.
    pub(super) fn position_before(&self, channel: &Channel) -> Option<StartPosition> {
        self.waiting.iter().find_map(|queued| match queued {
            Queued::Entry(entry) if entry.channel == *channel => {
                Some(StartPosition::at(entry.epoch.clone(), entry.offset - 1))
            }
            Queued::Subscribed(other, from, _) if other == channel => Some(from.clone()),
            _ => None,
        })
    }

    /// The transport can take a batch.
    pub(super) fn set_writable(&mut self) {
        self.writable = true;
        self.writing_since = None;
    }

    /// Whether the transport can take a batch.
    pub(super) fn is_writable(&self) -> bool {
        self.writable
    }

    /// When the last batch was given to the transport, if it has not been taken.
    pub(super) fn writing_since(&self) -> Option<u64> {
        self.writing_since
    }

    /// The next batch for the transport, if it can take one and there is one.
    pub(super) fn write(&mut self, now_ms: u64) -> Option<Vec<Arc<str>>> {
        if !self.writable || self.is_empty() {
            return None;
        }
        self.writable = false;
        self.writing_since = Some(now_ms);
        Some(self.take_batch())
    }

    /// Takes one batch of frames. A frame that is larger than a batch is sent alone.
    pub(super) fn take_batch(&mut self) -> Vec<Arc<str>> {
        let most = self.waiting.len().min(MAX_SERVER_BATCH_FRAMES);
        let (mut frames, mut bytes) = (Vec::with_capacity(most), BATCH_MARGIN);
        while let Some(next) = self.waiting.front() {
            let size = next.text().len() + 1;
            if !frames.is_empty()
                && (frames.len() + 1 >= MAX_SERVER_BATCH_FRAMES || bytes + size > MAX_SERVER_BATCH_BYTES)
            {
                break;
            }
            bytes += size;
            self.bytes -= next.text().len();
            frames.push(next.text().clone());
            self.waiting.pop_front();
        }
        if self.waiting.is_empty() {
            // An idle connection has no buffer.
            self.waiting = VecDeque::new();
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: usize) -> Queued {
        Queued::Frame("x".repeat(bytes).into())
    }

    #[test]
    fn batches_stay_within_the_bounds_and_a_larger_frame_travels_alone() {
        let mut queue = Queue::default();
        for bytes in [10, 10, MAX_SERVER_BATCH_BYTES * 2, 10] {
            queue.push(frame(bytes));
        }
        for _ in 0..300 {
            queue.push(frame(1));
        }
        let sizes: Vec<_> =
            std::iter::repeat_with(|| queue.take_batch().len()).take_while(|n| *n > 0).collect();
        assert_eq!(sizes, [2, 1, MAX_SERVER_BATCH_FRAMES - 1, 46]);
        assert_eq!((queue.len(), queue.bytes()), (0, 0));
    }

    #[test]
    fn a_frame_alone_is_never_too_much() {
        let mut queue = Queue::default();
        queue.push(frame(1_000));
        assert!(!queue.is_above(8, 10));
        queue.push(frame(1));
        assert!(queue.is_above(8, 10));
    }

    #[test]
    fn a_page_fits_into_one_batch_and_leaves_the_queue_low() {
        let entries = PAGE.entries as usize;
        let most = PAGE.bytes / entries;
        let page = |bytes| {
            let mut queue = Queue::default();
            for _ in 0..entries {
                queue.push(frame(bytes));
            }
            queue
        };
        for bytes in [1, most] {
            let mut queue = page(bytes);
            assert!(queue.is_low());
            assert_eq!(queue.take_batch().len(), entries);
        }
        assert!(page(most + 1).take_batch().len() < entries, "the batch is used");
    }

    #[test]
    fn bounds_are_exceeded_by_one_frame_or_byte_and_not_before() {
        // Frames, bytes of each, and whether the queue is above 3 frames or 10 bytes.
        for (frames, bytes, above) in
            [(0, 0, false), (3, 1, false), (4, 1, true), (2, 5, false), (2, 6, true), (1, 1_000, false)]
        {
            let mut queue = Queue::default();
            (0..frames).for_each(|_| queue.push(frame(bytes)));
            assert_eq!(queue.is_above(3, 10), above, "{frames} frames of {bytes} bytes");
            assert_eq!((queue.len(), queue.bytes()), (frames, frames * bytes));
        }
        for (frames, bytes, low) in [
            (MAX_SERVER_BATCH_FRAMES - 1, 1, true),
            (MAX_SERVER_BATCH_FRAMES, 1, false),
            (1, MAX_SERVER_BATCH_BYTES - 1, true),
            (1, MAX_SERVER_BATCH_BYTES, false),
        ] {
            let mut queue = Queue::default();
            (0..frames).for_each(|_| queue.push(frame(bytes)));
            assert_eq!(queue.is_low(), low, "{frames} frames of {bytes} bytes");
        }
    }

    #[test]
    fn a_batch_is_filled_to_the_last_byte() {
        for (spare, expected) in [(0, [2, 1]), (1, [1, 2])] {
            let mut queue = Queue::default();
            // Each frame takes one byte more, for its comma.
            let half = (MAX_SERVER_BATCH_BYTES - BATCH_MARGIN) / 2 - 1;
            for bytes in [half, half + spare, 7] {
                queue.push(frame(bytes));
            }
            let bytes = queue.bytes();
            let first = queue.take_batch();
            let taken: usize = first.iter().map(|text| text.len()).sum();
            assert_eq!((first.len(), queue.bytes()), (expected[0], bytes - taken), "{spare} bytes too many");
            assert_eq!(queue.take_batch().len(), expected[1]);
        }
    }

    #[test]
    fn each_channel_is_looked_up_for_itself() {
        let channel = |name: &str| -> Channel { name.parse().unwrap() };
        let position = |epoch: &str, offset| StartPosition::at(epoch.into(), offset);
        let entry = |name: &str, offset| {
            let (channel, epoch, text) = (channel(name), "e".into(), "{}".into());
            Queued::Entry(Arc::new(Entry { channel, epoch, offset, at: 0, plain: true, text }))
        };
        let mut queue = Queue::default();
        queue.push(entry("a", 5));
        queue.push(Queued::Subscribed(channel("b"), StartPosition::Recent(2), "{}".into()));
        queue.push(entry("b", 8));
        queue.push(entry("a", 6));
        queue.push(Queued::Ended(channel("c"), "{}".into()));
        assert_eq!(queue.position_before(&channel("a")), Some(position("e", 4)));
        assert_eq!(queue.position_before(&channel("b")), Some(StartPosition::Recent(2)));
        assert_eq!(queue.position_before(&channel("c")), None);
        assert!(queue.has_ended(&channel("c")) && !queue.has_ended(&channel("a")));
        queue.forget(&channel("b"));
        assert_eq!((queue.position_before(&channel("b")), queue.len()), (None, 3));
    }

    #[test]
    fn one_batch_at_a_time_is_written() {
        let mut queue = Queue::default();
        queue.push(frame(1));
        assert!(!queue.is_writable() && queue.write(1).is_none());
        queue.set_writable();
        assert!(queue.is_writable());
        assert_eq!((queue.write(2).map(|batch| batch.len()), queue.writing_since()), (Some(1), Some(2)));
        queue.push(frame(1));
        assert!(!queue.is_writable() && queue.write(3).is_none());
        queue.set_writable();
        assert_eq!((queue.writing_since(), queue.write(4).map(|batch| batch.len())), (None, Some(1)));
    }
}
