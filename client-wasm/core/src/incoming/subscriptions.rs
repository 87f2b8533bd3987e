//! The subscriptions of the application. Holds the rule that a position moves before a listener runs (promise 3).

use alloc::vec::Vec;

use everwire_protocol::{Channel, Mark, Subscribe};

use super::{
    super::{Handle, Transport, outgoing::typing::Typing},
    subscription::{StartFrom, Subscription},
};

/// What to do with a durable entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Deliver,
    Drop,
    /// An entry before this one never arrived.
    Hole,
}

const INDEX_BITS: u32 = 16;
const INDEX_MASK: u32 = (1 << INDEX_BITS) - 1;

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    /// The lower half of a handle is the index of its subscription; an index that is free is used again.
    list: Vec<Option<Subscription>>,
    /// How many there have been: the upper half of the next handle, so that one of before finds nothing.
    added: u32,
    /// The channels of which the server still has to confirm, on this WebSocket, that they were left; once for each time.
    /// What it says about such a channel before that belongs to an earlier subscription.
    leaving: Vec<Channel>,
}

impl Subscriptions {
    pub(crate) fn add(&mut self, channel: Channel, start: StartFrom) -> Handle {
        let free = self.list.iter().position(Option::is_none);
        let index = free.unwrap_or(self.list.len());
        let handle = Handle((self.added << INDEX_BITS) | index as u32);
        self.added += 1;
        let subscription = Some(Subscription::new(handle, channel, start));
        match self.list.get_mut(index) {
            Some(slot) => *slot = subscription,
            None => self.list.push(subscription),
        }
        handle
    }

    pub(crate) fn get(&mut self, handle: Handle) -> Option<&mut Subscription> {
        self.slot(handle)?.as_mut()
    }

    /// The place of the subscription that has this handle.
    fn slot(&mut self, handle: Handle) -> Option<&mut Option<Subscription>> {
        let slot = self.list.get_mut((handle.0 & INDEX_MASK) as usize)?;
        slot.as_ref().is_some_and(|subscription| subscription.handle == handle).then_some(slot)
    }

    pub(crate) fn find(&self, channel: &Channel) -> Option<Handle> {
        self.iter().find(|s| s.channel == *channel).map(|s| s.handle)
    }

    /// The subscription of the channel with this name.
    pub(crate) fn by_name(&mut self, channel: &str) -> Option<&mut Subscription> {
        self.iter_mut().find(|s| s.channel.as_str() == channel)
    }

    pub(crate) fn remove(&mut self, handle: Handle) -> Option<Subscription> {
        self.slot(handle)?.take()
    }

    fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.list.iter().flatten()
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscription> {
        self.list.iter_mut().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    /// `subscribe` for the subscriptions that are to be requested by this transport: by WebSocket those that it was not
    /// asked for, which count as requested from now on; by polling the whole set, each time.
    pub(crate) fn requests_for(&mut self, transport: Transport) -> impl Iterator<Item = Subscribe> {
        let polling = transport == Transport::Polling;
        let wanted = move |s: &&mut Subscription| (polling || !s.requested) && s.retry_at.is_none();
        self.iter_mut().filter(wanted).map(move |s| {
            s.requested |= !polling;
            s.request(transport)
        })
    }

    /// A new connection knows nothing of the old one.
    pub(crate) fn reset(&mut self) {
        self.leaving.clear();
        for subscription in self.iter_mut() {
            subscription.unconfirm();
            subscription.requested = false;
            subscription.requests = [None, None];
            subscription.retry_at = None;
            // For others it expires before there is a connection again.
            subscription.typing = Typing::default();
        }
    }

    /// The WebSocket is gone, and with it what was asked for and is yet to be confirmed there.
    pub(crate) fn websocket_gone(&mut self) {
        self.leaving.clear();
        for subscription in self.iter_mut() {
            subscription.requested = false;
            subscription.requests[Transport::WebSocket as usize] = None;
        }
    }

    /// Nothing counts until the connection confirms it again.
    pub(crate) fn unconfirm(&mut self) {
        self.iter_mut().for_each(Subscription::unconfirm);
    }

    /// An `unsubscribe` was sent, and will be confirmed.
    pub(crate) fn leave(&mut self, channel: Channel) {
        self.leaving.push(channel);
    }

    pub(crate) fn is_leaving(&self, channel: &str) -> bool {
        self.leaving.iter().any(|c| c.as_str() == channel)
    }

    /// The server confirms an `unsubscribe`, if one was sent.
    pub(crate) fn left(&mut self, channel: &str) {
        if let Some(index) = self.leaving.iter().position(|c| c.as_str() == channel) {
            self.leaving.swap_remove(index);
        }
    }

    /// The hot path: decides about `count` entries, the first of which is at `offset`, and moves the position first.
    pub(crate) fn accept(&mut self, handle: Handle, offset: u64, count: u32) -> Entry {
        let Some(subscription) = self.get(handle).filter(|s| s.live) else { return Entry::Drop };
        let Some(position) = &mut subscription.start.position else { return Entry::Drop };
        if offset == position.offset + 1 {
            position.offset += u64::from(count);
            subscription.marks.delivered(position.offset);
            Entry::Deliver
        } else if offset <= position.offset {
            Entry::Drop
        } else {
            Entry::Hole
        }
    }

    /// It was refused temporarily: requests it again at this time.
    pub(crate) fn defer(&mut self, handle: Handle, retry_at: u64) {
        let Some(subscription) = self.get(handle) else { return };
        subscription.unconfirm();
        subscription.retry_at = Some(retry_at);
    }

    /// When to ask again for one that was refused.
    pub(crate) fn next_retry(&self) -> Option<u64> {
        self.iter().filter_map(|s| s.retry_at).min()
    }

    /// What was refused is asked for again from now on.
    pub(crate) fn retry(&mut self, now: u64) {
        for subscription in self.iter_mut().filter(|s| s.retry_at.is_some_and(|at| at <= now)) {
            subscription.retry_at = None;
            subscription.requested = false;
        }
    }

    /// Whether there are receipts to be sent.
    pub(crate) fn has_receipts(&self) -> bool {
        self.iter().any(|s| s.marks.is_behind())
    }

    /// Takes the receipts that are to be sent.
    pub(crate) fn take_receipts(&mut self) -> impl Iterator<Item = Mark> {
        self.iter_mut().filter_map(Subscription::take_receipt)
    }

    /// The connection is gone: receipts that were sent on it may not have arrived.
    pub(crate) fn recall_receipts(&mut self) {
        self.iter_mut().for_each(|s| s.marks.recall());
    }

    /// When the next pause in typing is due.
    pub(crate) fn next_pause(&self) -> Option<u64> {
        self.iter().filter_map(|s| s.typing.pause_at()).min()
    }

    /// A channel in which this user has paused typing.
    pub(crate) fn paused(&self, now: u64) -> Option<Channel> {
        self.iter().find(|s| s.typing.pause_at().is_some_and(|at| at <= now)).map(|s| s.channel.clone())
    }
}

#[cfg(test)]
mod tests {
    use everwire_protocol::GapReason;

    use super::{
        super::subscription::{Confirmed, Position},
        *,
    };
    use crate::{Gap, GapStart, SubscribedFrame};

    fn at(offset: u64) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        let position = position("a", offset);
        let start = StartFrom { position: Some(position), ..StartFrom::default() };
        subscriptions.add(Channel::new("news").unwrap(), start);
        subscriptions
    }

    fn position(epoch: &str, offset: u64) -> Position {
        Position { epoch: epoch.into(), offset, run: "1".into() }
    }

    fn confirm(subscriptions: &mut Subscriptions, epoch: &str, offset: u64, head: u64) -> Confirmed {
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.request(Transport::WebSocket);
        answer(subscription, epoch, offset, head, None)
    }

    fn answer(
        subscription: &mut Subscription,
        epoch: &str,
        offset: u64,
        head: u64,
        gap: Option<(u64, GapReason)>,
    ) -> Confirmed {
        answer_in("1", subscription, epoch, offset, head, gap)
    }

    fn answer_in(
        run: &str,
        subscription: &mut Subscription,
        epoch: &str,
        offset: u64,
        head: u64,
        gap: Option<(u64, GapReason)>,
    ) -> Confirmed {
        let gap = gap.map(|(from, reason)| GapStart { from, reason });
        let frame = SubscribedFrame { handle: Handle(0), epoch, offset, head, gap };
        subscription.confirm(Transport::WebSocket, run, &frame)
    }

    #[test]
    fn places_are_used_again_and_handles_are_not() {
        let mut subscriptions = Subscriptions::default();
        let add = |subscriptions: &mut Subscriptions| {
            subscriptions.add(Channel::new("news").unwrap(), StartFrom::default())
        };
        let kept = add(&mut subscriptions);
        let mut before = add(&mut subscriptions);
        for _ in 0..20_000 {
            assert!(subscriptions.remove(before).is_some());
            let next = add(&mut subscriptions);
            assert_ne!(next, before);
            assert!(subscriptions.get(before).is_none() && subscriptions.remove(before).is_none());
            before = next;
        }
        assert!(subscriptions.get(kept).is_some() && subscriptions.get(before).is_some());
        assert_eq!(subscriptions.list.len(), 2);
    }

    #[test]
    fn entries_are_delivered_once_and_in_order() {
        let mut subscriptions = at(5);
        assert_eq!(subscriptions.accept(Handle(0), 6, 1), Entry::Drop, "not confirmed yet");
        assert_eq!(confirm(&mut subscriptions, "a", 5, 7), Confirmed::InPlace);
        assert_eq!(subscriptions.accept(Handle(0), 5, 1), Entry::Drop);
        assert_eq!(subscriptions.accept(Handle(0), 7, 1), Entry::Hole);
        assert_eq!(subscriptions.accept(Handle(0), 6, 1), Entry::Deliver);
        assert_eq!(subscriptions.accept(Handle(0), 6, 1), Entry::Drop);
        assert_eq!(subscriptions.accept(Handle(0), 7, 1), Entry::Deliver);
        assert_eq!(subscriptions.accept(Handle(9), 1, 1), Entry::Drop);
    }

    #[test]
    fn promise_2_what_cannot_be_recovered_is_a_gap() {
        let missing = |from, to, reason| Confirmed::Missing(Gap { from, to, reason });
        assert_eq!(confirm(&mut at(5), "b", 9, 9), missing(6, 9, GapReason::Epoch));
        assert_eq!(confirm(&mut at(5), "a", 8, 9), missing(6, 8, GapReason::Trimmed), "even if not declared");
        assert_eq!(confirm(&mut at(5), "a", 3, 3), missing(6, 3, GapReason::Epoch), "the log lost its end");
    }

    #[test]
    fn a_planned_restart_is_no_gap_and_a_restored_copy_is_one_within_the_same_epoch() {
        let mut subscriptions = at(10);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.request(Transport::WebSocket);
        assert_eq!(answer_in("2", subscription, "a", 10, 12, None), Confirmed::InPlace);
        let run = |subscription: &Subscription| subscription.start.position.as_ref().unwrap().run.clone();
        assert_eq!(run(subscription), "2");
        let asked = subscription.request(Transport::WebSocket);
        assert_eq!((asked.offset, asked.run.as_deref()), (Some(10), Some("2")));
        let restored = answer_in("3", subscription, "a", 12, 12, Some((11, GapReason::Epoch)));
        assert_eq!(restored, Confirmed::Missing(Gap { from: 11, to: 12, reason: GapReason::Epoch }));
        assert_eq!(run(subscription), "3");
    }

    #[test]
    fn a_position_from_another_run_is_asked_about_before_entries_count() {
        let mut subscriptions = at(4);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.request(Transport::WebSocket);
        // Polling still brings entries of a history that the restored server does not have.
        subscription.start.position = Some(position("a", 10));
        assert_eq!(answer_in("2", subscription, "a", 4, 12, None), Confirmed::Stale);
        assert!(!subscription.live);
        subscription.request(Transport::WebSocket);
        let asked = answer_in("2", subscription, "a", 12, 12, Some((11, GapReason::Epoch)));
        assert_eq!(asked, Confirmed::Missing(Gap { from: 11, to: 12, reason: GapReason::Epoch }));
    }

    #[test]
    fn an_answer_that_another_transport_has_overtaken_is_no_gap() {
        let mut subscriptions = at(5);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        let answer = answer(subscription, "a", 4, 9, Some((2, GapReason::Trimmed)));
        assert_eq!(answer, Confirmed::InPlace);
        assert_eq!(subscription.start.position, Some(position("a", 5)));
    }

    #[test]
    fn an_answer_to_another_position_is_asked_for_again() {
        let mut subscriptions = at(5);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.request(Transport::WebSocket);
        // Polling was faster.
        subscription.start.position = Some(position("a", 9));
        assert_eq!(answer(subscription, "a", 5, 8, None), Confirmed::Stale, "no gap back");
        assert_eq!(answer(subscription, "a", 12, 14, None), Confirmed::Stale, "no gap");
        assert_eq!(answer(subscription, "b", 3, 3, None), Confirmed::Stale);
        assert!(!subscription.live);
        subscription.request(Transport::WebSocket);
        let again = answer(subscription, "b", 3, 3, Some((10, GapReason::Epoch)));
        assert_eq!(again, Confirmed::Missing(Gap { from: 10, to: 3, reason: GapReason::Epoch }));
        assert!(subscription.live);
    }

    #[test]
    fn an_answer_to_an_earlier_request_is_not_taken_for_the_one_to_the_last() {
        let mut subscriptions = at(5);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.request(Transport::WebSocket);
        subscription.start.position = Some(position("a", 9));
        subscription.request(Transport::WebSocket);
        for (epoch, offset, head, gap) in [
            ("a", 5, 8, None),
            ("a", 7, 8, Some((6, GapReason::Trimmed))),
            // The server reads on from the first request, and the log is trimmed meanwhile.
            ("a", 8, 8, Some((8, GapReason::Trimmed))),
            ("a", 30, 30, Some((6, GapReason::TooFar))),
            ("b", 3, 3, Some((6, GapReason::Epoch))),
        ] {
            assert_eq!(
                answer(subscription, epoch, offset, head, gap),
                Confirmed::Earlier,
                "{offset} {gap:?}"
            );
            assert!(!subscription.live);
        }
        let last = answer(subscription, "a", 30, 30, Some((10, GapReason::TooFar)));
        assert_eq!(last, Confirmed::Missing(Gap { from: 10, to: 30, reason: GapReason::TooFar }));
    }

    #[test]
    fn an_answer_from_before_a_log_was_replaced_is_not_taken_for_one_about_its_successor() {
        let mut subscriptions = at(320);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.request(Transport::WebSocket);
        // Polling has reported the gap.
        subscription.start.position = Some(position("b", 209));
        subscription.request(Transport::WebSocket);
        let earlier = answer(subscription, "b", 232, 232, Some((321, GapReason::Epoch)));
        assert_eq!(earlier, Confirmed::Earlier);
        assert_eq!(answer(subscription, "b", 209, 232, None), Confirmed::InPlace);
    }

    #[test]
    fn the_answer_to_the_last_of_several_requests_is_recognised_by_what_it_says_of_the_position() {
        let asked_twice = |mut subscriptions: Subscriptions| {
            let subscription = subscriptions.get(Handle(0)).unwrap();
            subscription.request(Transport::WebSocket);
            subscription.request(Transport::WebSocket);
            subscriptions
        };
        let mut first = Subscriptions::default();
        first.add(Channel::new("news").unwrap(), StartFrom::default());
        let mut first = asked_twice(first);
        assert_eq!(
            answer(first.get(Handle(0)).unwrap(), "a", 5, 5, None),
            Confirmed::InPlace,
            "no position yet"
        );
        for (epoch, offset, head) in [("b", 9, 9), ("b", 3, 3), ("a", 3, 3)] {
            let mut subscriptions = asked_twice(at(5));
            let subscription = subscriptions.get(Handle(0)).unwrap();
            let answered = answer(subscription, epoch, offset, head, Some((6, GapReason::Epoch)));
            let gap = Gap { from: 6, to: offset, reason: GapReason::Epoch };
            assert_eq!(answered, Confirmed::Missing(gap), "{epoch} {offset}");
        }
    }

    #[test]
    fn marks_survive_a_gap_in_a_log_and_not_another_log() {
        for (epoch, offset, head, reason, survive) in [
            ("a", 8, 9, GapReason::Trimmed, true),
            ("b", 8, 9, GapReason::Epoch, false),
            ("b", 5, 5, GapReason::Epoch, false),
            ("a", 3, 3, GapReason::Epoch, false),
        ] {
            let mut subscriptions = at(5);
            let subscription = subscriptions.get(Handle(0)).unwrap();
            subscription.marks().raise(5, 4);
            subscription.request(Transport::WebSocket);
            answer(subscription, epoch, offset, head, Some((6, reason)));
            assert_eq!(subscription.take_receipt().is_some(), survive, "{epoch} {offset}");
        }
    }
}
