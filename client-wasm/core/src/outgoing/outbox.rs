//! The messages that the application wants stored and that have no ack yet, in order (promise 4).

use alloc::{string::String, vec::Vec};

use everwire_protocol::{ErrorCode, Uuid, limits};

use super::BatchSize;

/// Most messages that wait.
pub const MAX_OUTBOX_MESSAGES: usize = 1_000;
/// Most bytes of frames that wait.
pub const MAX_OUTBOX_BYTES: usize = 1 << 20;
/// Most messages that are in flight at a time.
const MAX_IN_FLIGHT: usize = 32;

#[derive(Debug)]
struct Entry {
    id: Uuid,
    /// The frame.
    text: String,
    /// When it was sent on the present connection; `None` if it is not in flight.
    sent_at: Option<u64>,
    /// It was written before the page was loaded.
    restored: bool,
    /// It has left, and may have been stored: until then the server recognises a copy for certain.
    recognised_until: Option<u64>,
}

/// What is known of a message that was written before the page was loaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// How long ago it was sent first, in ms; `None` if it never left.
    pub left_ago: Option<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// A plain list, though it is emptied at the front: moving a thousand entries costs less than the code of a ring.
    entries: Vec<Entry>,
    bytes: usize,
    /// The server asked to wait until then.
    hold_until: Option<u64>,
    /// So many of the first go one by one: they were in flight when something was refused that nobody named.
    suspects: usize,
}

impl Outbox {
    /// Adds a message at the end; or, if it was written before the page was loaded, before all that was written since
    /// and has not been sent yet.
    pub(crate) fn push(
        &mut self,
        now: u64,
        id: Uuid,
        text: String,
        restored: Option<Restored>,
    ) -> Result<(), ErrorCode> {
        let bytes = text.len();
        if self.entries.len() >= MAX_OUTBOX_MESSAGES || self.bytes + bytes > MAX_OUTBOX_BYTES {
            return Err(ErrorCode::QueueFull);
        }
        self.bytes += bytes;
        let younger = |e: &Entry| restored.is_some() && !e.restored && e.sent_at.is_none();
        let index = self.entries.iter().position(younger).unwrap_or(self.entries.len());
        let left_ago = restored.and_then(|restored| restored.left_ago);
        let recognised_until = left_ago.map(|ago| (now + limits::DEDUPE_WINDOW_MS).saturating_sub(ago));
        let restored = restored.is_some();
        self.entries.insert(index, Entry { id, text, sent_at: None, restored, recognised_until });
        Ok(())
    }

    /// False if it is not there.
    pub(crate) fn remove(&mut self, id: Uuid) -> bool {
        // Acks come in order, so this ends at the front nearly always.
        let Some(index) = self.entries.iter().position(|e| e.id == id) else { return false };
        self.bytes -= self.entries.remove(index).text.len();
        self.suspects = self.suspects.saturating_sub(1);
        true
    }

    /// Removes a message that is not in flight. False if it is, or is not there.
    pub(crate) fn cancel(&mut self, id: Uuid) -> bool {
        self.entries.iter().any(|e| e.id == id && e.sent_at.is_none()) && self.remove(id)
    }

    /// Removes a message that may have been stored so long ago that the server would store a copy again.
    pub(crate) fn take_too_old(&mut self, now: u64) -> Option<Uuid> {
        let too_old =
            |e: &&Entry| e.sent_at.is_none() && e.recognised_until.is_some_and(|until| until <= now);
        let id = self.entries.iter().find(too_old)?.id;
        self.remove(id);
        Some(id)
    }

    pub(crate) fn contains(&self, id: Uuid) -> bool {
        self.entries.iter().any(|e| e.id == id)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The first message that is in flight.
    pub(crate) fn first_sent(&self) -> Option<Uuid> {
        self.entries.iter().find(|e| e.sent_at.is_some()).map(|e| e.id)
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.entries.iter().filter(|e| e.sent_at.is_some()).count()
    }

    /// When the message that has been in flight longest was sent.
    pub(crate) fn oldest_sent(&self) -> Option<u64> {
        self.entries.iter().filter_map(|e| e.sent_at).min()
    }

    /// Sends nothing before `until`, as the server asked.
    pub(crate) fn hold(&mut self, until: u64) {
        self.hold_until = Some(self.hold_until.unwrap_or(0).max(until));
    }

    pub(crate) fn held_until(&self) -> Option<u64> {
        self.hold_until
    }

    /// Sends again.
    pub(crate) fn release(&mut self) {
        self.hold_until = None;
    }

    /// Appends the next messages for one batch to `texts`, of which `size` is the size: in order, within its limits, and
    /// marked as sent. Returns their ids.
    pub(crate) fn take(&mut self, now: u64, mut size: BatchSize, texts: &mut Vec<String>) -> Vec<Uuid> {
        let most = if self.is_searching() { 1 } else { MAX_IN_FLIGHT };
        let mut room = most.saturating_sub(self.in_flight());
        let mut ids = Vec::new();
        if self.hold_until.is_some() {
            return ids;
        }
        for entry in self.entries.iter_mut().filter(|e| e.sent_at.is_none()) {
            if room == 0 || !size.add(&entry.text) {
                break;
            }
            room -= 1;
            entry.sent_at = Some(now);
            entry.recognised_until.get_or_insert(now + limits::DEDUPE_WINDOW_MS);
            texts.push(entry.text.clone());
            ids.push(entry.id);
        }
        ids
    }

    /// Whether messages go one by one, to find the one that is refused.
    pub(crate) fn is_searching(&self) -> bool {
        self.suspects > 0
    }

    /// Something was refused that nobody named. Returns the message that it was, if that went alone; otherwise those in flight
    /// are suspected.
    pub(crate) fn blame(&mut self) -> Option<Uuid> {
        if self.is_searching() {
            return self.first_sent();
        }
        self.suspects = self.in_flight();
        None
    }

    /// Takes back the first message in flight, so that it is sent again, in order. `None` if none is in flight.
    pub(crate) fn recall(&mut self) -> Option<Uuid> {
        self.entries.iter_mut().find_map(|e| e.sent_at.take().map(|_| e.id))
    }

    /// Empties the outbox. Returns the messages that were in it.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Uuid> + use<> {
        self.bytes = 0;
        core::mem::take(&mut self.entries).into_iter().map(|e| e.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outgoing::BatchLimits;

    fn size(bytes: usize, frames: usize) -> BatchSize {
        BatchSize::new(BatchLimits { bytes, frames })
    }

    fn push(outbox: &mut Outbox, n: u128, text: &str) -> Result<(), ErrorCode> {
        outbox.push(0, Uuid::from_u128(n), text.into(), None)
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
    fn promise_4_at_most_32_in_flight_and_in_order() {
        let mut outbox = Outbox::default();
        for n in 0..40 {
            push(&mut outbox, n, "x").unwrap();
        }
        let take = |outbox: &mut Outbox| {
            let ids = outbox.take(0, size(1 << 16, 300), &mut Vec::new());
            ids.iter().map(Uuid::as_u128).collect::<Vec<_>>()
        };
        assert_eq!(take(&mut outbox), (0..32).collect::<Vec<_>>());
        assert!(take(&mut outbox).is_empty());
        outbox.remove(Uuid::from_u128(0));
        assert_eq!(take(&mut outbox), [32]);
        while outbox.recall().is_some() {}
        assert_eq!(take(&mut outbox), (1..33).collect::<Vec<_>>(), "again from the oldest");
    }

    #[test]
    fn a_batch_is_within_its_bound_unless_one_message_is_not() {
        let mut outbox = Outbox::default();
        for n in 0..3 {
            push(&mut outbox, n, &"x".repeat(400)).unwrap();
        }
        let mut texts = vec!["y".repeat(300)];
        let mut filled = size(1_000, 300);
        filled.add(&texts[0]);
        assert_eq!(outbox.take(0, filled, &mut texts).len(), 1);
        assert_eq!(outbox.take(0, size(100, 300), &mut Vec::new()).len(), 1);
        assert_eq!(outbox.take(0, size(10_000, 1), &mut Vec::new()).len(), 1, "the last");
    }

    #[test]
    fn promise_4_the_last_byte_of_a_mebibyte_is_used_and_every_ack_gives_back_what_its_message_took() {
        let mut outbox = Outbox::default();
        let part = "x".repeat(MAX_OUTBOX_BYTES / 4);
        for round in 0..3 {
            for n in 0..4 {
                assert_eq!(push(&mut outbox, n, &part), Ok(()), "round {round}");
            }
            assert_eq!((push(&mut outbox, 4, "x"), outbox.len()), (Err(ErrorCode::QueueFull), 4));
            for n in 0..4 {
                assert!(outbox.remove(Uuid::from_u128(n)));
            }
        }
    }

    #[test]
    fn promise_4_an_ack_makes_room_for_as_much_as_its_message_took_and_no_more() {
        let mut outbox = Outbox::default();
        let part = "x".repeat(MAX_OUTBOX_BYTES / 4);
        for n in 0..4 {
            assert_eq!(push(&mut outbox, n, &part), Ok(()));
        }
        assert!(outbox.remove(Uuid::from_u128(0)));
        assert_eq!(push(&mut outbox, 4, &part), Ok(()));
        assert_eq!(push(&mut outbox, 5, "x"), Err(ErrorCode::QueueFull));
    }
}
