//! What the application wants stored and what has no ack yet, in order (promise 4).

use alloc::{string::String, vec::Vec};

use everwire_protocol::{ErrorCode, Uuid};

/// Most messages that wait.
pub const MAX_OUTBOX_MESSAGES: usize = 1_000;
/// Most bytes of frames that wait.
pub const MAX_OUTBOX_BYTES: usize = 1 << 20;
/// Most messages that are under way at a time.
pub(super) const MAX_IN_FLIGHT: usize = 32;

#[derive(Debug)]
struct Entry {
    id: Uuid,
    /// The frame.
    text: String,
    /// When it was put on the present connection; `None` if it is not under way.
    sent_at: Option<u64>,
    /// It was written before the page was loaded.
    restored: bool,
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
    pub(super) fn push(&mut self, id: Uuid, text: String, restored: bool) -> Result<(), ErrorCode> {
        let bytes = text.len();
        if self.entries.len() >= MAX_OUTBOX_MESSAGES || self.bytes + bytes > MAX_OUTBOX_BYTES {
            return Err(ErrorCode::QueueFull);
        }
        self.bytes += bytes;
        let younger = |e: &Entry| restored && !e.restored && e.sent_at.is_none();
        let place = self.entries.iter().position(younger).unwrap_or(self.entries.len());
        self.entries.insert(place, Entry { id, text, sent_at: None, restored });
        Ok(())
    }

    /// False if it is not there.
    pub(super) fn remove(&mut self, id: Uuid) -> bool {
        // Acks come in order, so this ends at the front nearly always.
        let Some(place) = self.entries.iter().position(|e| e.id == id) else { return false };
        self.bytes -= self.entries.remove(place).text.len();
        true
    }

    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.entries.iter().any(|e| e.id == id)
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

    /// Puts the next messages for one batch behind `texts`: in order, within the bounds, and marked as sent. Returns
    /// which.
    pub(super) fn take(&mut self, now: u64, max_bytes: usize, texts: &mut Vec<String>) -> Vec<Uuid> {
        let mut room = MAX_IN_FLIGHT.saturating_sub(self.in_flight());
        let mut bytes: usize = texts.iter().map(|text| text.len() + 1).sum();
        let mut ids = Vec::new();
        if self.hold_until.is_some() {
            return ids;
        }
        for entry in self.entries.iter_mut().filter(|e| e.sent_at.is_none()) {
            bytes += entry.text.len() + 1;
            if room == 0 || (bytes > max_bytes && !texts.is_empty()) {
                break;
            }
            room -= 1;
            entry.sent_at = Some(now);
            texts.push(entry.text.clone());
            ids.push(entry.id);
        }
        ids
    }

    /// Nothing is under way any more: everything without an ack goes out again, in order. Returns what was.
    pub(super) fn recall(&mut self) -> Vec<Uuid> {
        self.entries.iter_mut().filter_map(|e| e.sent_at.take().map(|_| e.id)).collect()
    }

    /// Ends everything.
    pub(super) fn drain(&mut self) -> Vec<Uuid> {
        self.bytes = 0;
        core::mem::take(&mut self.entries).into_iter().map(|e| e.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(outbox: &mut Outbox, n: u128, text: &str) -> Result<(), ErrorCode> {
        outbox.push(Uuid::from_u128(n), text.into(), false)
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
        assert!(outbox.remove(Uuid::from_u128(0)));
        assert!(push(&mut outbox, 99, &big).is_ok(), "an ack makes room");
    }

    #[test]
    fn promise_4_at_most_32_under_way_and_in_order() {
        let mut outbox = Outbox::default();
        for n in 0..40 {
            push(&mut outbox, n, "x").unwrap();
        }
        let take = |outbox: &mut Outbox| {
            let ids = outbox.take(0, 1 << 16, &mut Vec::new());
            ids.iter().map(Uuid::as_u128).collect::<Vec<_>>()
        };
        assert_eq!(take(&mut outbox), (0..32).collect::<Vec<_>>());
        assert!(take(&mut outbox).is_empty());
        outbox.remove(Uuid::from_u128(0));
        assert_eq!(take(&mut outbox), [32]);
        outbox.recall();
        assert_eq!(take(&mut outbox), (1..33).collect::<Vec<_>>(), "again from the oldest");
    }

    #[test]
    fn a_batch_is_within_its_bound_unless_one_message_is_not() {
        let mut outbox = Outbox::default();
        for n in 0..3 {
            push(&mut outbox, n, &"x".repeat(400)).unwrap();
        }
        let mut texts = vec!["y".repeat(300)];
        assert_eq!(outbox.take(0, 1_000, &mut texts).len(), 1);
        assert_eq!(outbox.take(0, 100, &mut Vec::new()).len(), 1);
    }
}
