//! What the application wants stored and what has no ack yet, in order (promise 4).

use alloc::vec::Vec;

use everwire_protocol::{ErrorCode, Send, Uuid};

/// Most messages that wait.
pub const MAX_OUTBOX_MESSAGES: usize = 1_000;
/// Most bytes of payload that wait.
pub const MAX_OUTBOX_BYTES: usize = 1 << 20;
/// Most messages that are under way at a time.
pub(super) const MAX_IN_FLIGHT: usize = 32;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) frame: Send,
    /// When it was put on the present connection; `None` if it is not under way.
    pub(super) sent_at: Option<u64>,
    /// It was written before the page was loaded.
    restored: bool,
}

impl Entry {
    /// About what it takes in a batch, in bytes.
    pub(super) fn bytes(&self) -> usize {
        // The type, the names of the fields and the id make up about a hundred.
        let event = self.frame.event.as_ref().map_or(0, |e| e.len() + 12);
        self.frame.data.text().len() + self.frame.channel.as_str().len() + event + 110
    }
}

#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// A plain list, though it is emptied at the front: moving a thousand entries costs less than the code of a ring.
    entries: Vec<Entry>,
    bytes: usize,
    /// The server asked to wait until then.
    pub(super) hold_until: Option<u64>,
}

impl Outbox {
    /// At the end; or, if it was written before the page was loaded, before all that was written since and has not
    /// left yet.
    pub(super) fn push(&mut self, frame: Send, restored: bool) -> Result<(), ErrorCode> {
        let entry = Entry { frame, sent_at: None, restored };
        let bytes = entry.bytes();
        if self.entries.len() >= MAX_OUTBOX_MESSAGES || self.bytes + bytes > MAX_OUTBOX_BYTES {
            return Err(ErrorCode::QueueFull);
        }
        self.bytes += bytes;
        let younger = |e: &Entry| restored && !e.restored && e.sent_at.is_none();
        let place = self.entries.iter().position(younger).unwrap_or(self.entries.len());
        self.entries.insert(place, entry);
        Ok(())
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Option<Entry> {
        // Acks come in order, so this ends at the front nearly always.
        let place = self.entries.iter().position(|e| e.frame.id == id)?;
        let entry = self.entries.remove(place);
        self.bytes -= entry.bytes();
        Some(entry)
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.entries.iter().any(|e| e.frame.id == id)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.entries.iter().filter(|e| e.sent_at.is_some()).count()
    }

    /// When the message that has been under way longest was sent.
    pub(super) fn oldest_sent(&self) -> Option<u64> {
        self.entries.iter().filter_map(|e| e.sent_at).min()
    }

    /// Takes the next messages for one batch: in order, within the bounds, and marked as sent.
    pub(super) fn take(&mut self, now: u64, max_bytes: usize) -> Vec<Send> {
        let mut room = MAX_IN_FLIGHT.saturating_sub(self.in_flight());
        let mut bytes = 0;
        let mut frames = Vec::new();
        if self.hold_until.is_some() {
            return frames;
        }
        for entry in self.entries.iter_mut().filter(|e| e.sent_at.is_none()) {
            bytes += entry.bytes();
            if room == 0 || (bytes > max_bytes && !frames.is_empty()) {
                break;
            }
            room -= 1;
            entry.sent_at = Some(now);
            frames.push(entry.frame.clone());
        }
        frames
    }

    /// Nothing is under way any more: everything without an ack goes out again, in order. Returns what was.
    pub(super) fn recall(&mut self) -> Vec<Uuid> {
        self.entries.iter_mut().filter_map(|e| e.sent_at.take().map(|_| e.frame.id)).collect()
    }

    /// Ends everything.
    pub(super) fn drain(&mut self) -> Vec<Uuid> {
        self.bytes = 0;
        core::mem::take(&mut self.entries).into_iter().map(|e| e.frame.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use everwire_protocol::{Channel, Payload};

    use super::*;

    fn push(outbox: &mut Outbox, n: u128, text: &str) -> Result<(), ErrorCode> {
        let data = Payload::from_value(text).unwrap();
        outbox.push(
            Send {
                id: Uuid::from_u128(n),
                channel: Channel::new("news").unwrap(),
                event: None,
                data,
                action: None,
                target: None,
            },
            false,
        )
    }

    #[test]
    fn promise_4_full_at_a_thousand_messages_or_a_mebibyte() {
        let mut outbox = Outbox::default();
        for n in 0..1_000 {
            push(&mut outbox, n, "x").unwrap();
        }
        assert_eq!(push(&mut outbox, 1_000, "x"), Err(ErrorCode::QueueFull));
        let mut outbox = Outbox::default();
        let big = "x".repeat(30_000);
        let count = (0..100).take_while(|n| push(&mut outbox, *n, &big).is_ok()).count();
        assert!((30..=34).contains(&count), "{count}");
        outbox.remove(Uuid::from_u128(0)).unwrap();
        assert!(push(&mut outbox, 99, &big).is_ok(), "an ack makes room");
    }

    #[test]
    fn promise_4_at_most_32_under_way_and_in_order() {
        let mut outbox = Outbox::default();
        for n in 0..40 {
            push(&mut outbox, n, "x").unwrap();
        }
        let ids = |frames: &[Send]| frames.iter().map(|f| f.id.as_u128()).collect::<Vec<_>>();
        assert_eq!(ids(&outbox.take(0, 1 << 16)), (0..32).collect::<Vec<_>>());
        assert!(outbox.take(0, 1 << 16).is_empty());
        outbox.remove(Uuid::from_u128(0));
        assert_eq!(ids(&outbox.take(0, 1 << 16)), [32]);
        outbox.recall();
        assert_eq!(ids(&outbox.take(0, 1 << 16)), (1..33).collect::<Vec<_>>(), "again from the oldest");
    }
}
