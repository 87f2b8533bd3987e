//! What the application subscribes to, and how far each has come. Owns the rule that a position moves before a
//! listener runs, and that epoch and offset only change together (promise 3).

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use everwire_protocol::{Channel, GapReason, Subscribe};

use super::{Handle, SubscribedFrame, Transport, receipts::Marks, typing::Typed};

/// A place in a channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The log.
    pub epoch: String,
    /// The last offset received; what follows is `offset + 1`.
    pub offset: u64,
}

#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) handle: Handle,
    pub(super) channel: Channel,
    pub(super) position: Option<Position>,
    recent: Option<u32>,
    /// Without a position: begin after what was delivered to the user.
    undelivered: bool,
    /// That this user types here, as the others know it.
    pub(super) typed: Option<Typed>,
    pub(super) marks: Marks,
    /// The connection has confirmed it: entries count.
    pub(super) live: bool,
    /// It was asked for on this connection.
    pub(super) asked: bool,
    /// What the WebSocket and the last poll have asked. While one transport replaces the other both ask, and one answer
    /// may come after the other has moved the position.
    questions: [Option<Question>; 2],
    /// After a refusal that can be retried: when to ask again.
    pub(super) retry_at: Option<u64>,
    refusals: u32,
}

/// What a transport was asked last.
#[derive(Debug)]
struct Question {
    position: Option<Position>,
    /// It has not been asked anything else.
    only: bool,
}

/// What an answer to `subscribe` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Confirmed {
    /// The subscription goes on.
    InPlace,
    /// It goes on, and this is missing for good.
    Missing(u64, u64, GapReason),
    /// It answers an older question than what is to be asked now.
    Stale,
    /// It answers an older question; what is to be asked now has been asked.
    Earlier,
}

impl Subscription {
    /// Asks by this transport, from the present position.
    pub(super) fn ask(&mut self, transport: Transport) -> Subscribe {
        let question = &mut self.questions[transport as usize];
        *question = Some(Question { position: self.position.clone(), only: question.is_none() });
        Subscribe {
            channel: self.channel.clone(),
            epoch: self.position.as_ref().map(|p| p.epoch.clone()),
            offset: self.position.as_ref().map(|p| p.offset),
            recent: if self.position.is_none() { self.recent } else { None },
            undelivered: (self.undelivered && self.position.is_none()).then_some(true),
        }
    }

    /// Whether this transport has been asked, and may still answer.
    pub(super) fn has_asked(&self, transport: Transport) -> bool {
        self.questions[transport as usize].is_some()
    }

    /// Whether an answer can be to a question from where the client stands now. An older question may have been asked by
    /// the same transport, and the server adds an answer of its own when a log is trimmed faster than it is read.
    fn fits(&self, answer: &SubscribedFrame) -> bool {
        match (&self.position, &answer.gap) {
            (None, gap) => gap.is_none() || self.undelivered,
            (Some(position), Some(gap)) => {
                let another_log = position.epoch != answer.epoch || answer.head < position.offset;
                gap.from == position.offset + 1 && another_log == (gap.reason == GapReason::Epoch)
            }
            (Some(_), None) => false,
        }
    }

    /// An answer to `subscribe` has come by this transport.
    pub(super) fn confirm(&mut self, transport: Transport, answer: &SubscribedFrame) -> Confirmed {
        let SubscribedFrame { epoch, offset, head, .. } = *answer;
        // What another transport brought in the meantime may be ahead of this answer: entries that the client has
        // already are dropped one by one. Only a log that ends before the position is another log.
        let same = self.position.as_ref().filter(|p| p.epoch == epoch);
        let goes_on = same.is_some_and(|p| offset <= p.offset && head >= p.offset);
        let question = self.questions[transport as usize].as_ref().filter(|q| q.position == self.position);
        let meant = question.is_some_and(|question| question.only || self.fits(answer));
        if !goes_on && !meant {
            // From elsewhere than where the client stands now: what is missing there is not what is missing here.
            let asked = question.is_some();
            self.live = false;
            return if asked { Confirmed::Earlier } else { Confirmed::Stale };
        }
        self.live = true;
        self.retry_at = None;
        self.refusals = 0;
        self.marks.forget();
        if goes_on {
            return Confirmed::InPlace;
        }
        let confirmed = match &self.position {
            None => Confirmed::InPlace,
            Some(p) if p.epoch == epoch && offset > p.offset => {
                let reason = answer.gap.map_or(GapReason::Trimmed, |gap| gap.reason);
                Confirmed::Missing(p.offset + 1, offset, reason)
            }
            Some(p) => Confirmed::Missing(p.offset + 1, offset, GapReason::Epoch),
        };
        if self.position.as_ref().is_some_and(|p| p.epoch != epoch || offset < p.offset) {
            // Marks are places in a log, and this is another.
            self.marks = Marks::default();
        }
        self.position = Some(Position { epoch: epoch.to_owned(), offset });
        confirmed
    }
}

/// What to do with a durable entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Deliver,
    Drop,
    /// An entry before this one never came.
    Hole,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// The place of a subscription is its handle; handles are not used again.
    list: Vec<Option<Subscription>>,
    /// How often the server still has to confirm that a channel was left, on this WebSocket. What it says about the
    /// channel before that belongs to a subscription that is no more.
    leaving: Vec<Channel>,
}

impl Subscriptions {
    pub(super) fn add(
        &mut self,
        channel: Channel,
        recent: Option<u32>,
        position: Option<Position>,
        undelivered: bool,
    ) -> Handle {
        let handle = Handle(self.list.len() as u32);
        self.list.push(Some(Subscription {
            handle,
            channel,
            position,
            recent,
            undelivered,
            typed: None,
            marks: Marks::default(),
            live: false,
            asked: false,
            questions: [None, None],
            retry_at: None,
            refusals: 0,
        }));
        handle
    }

    pub(super) fn get(&mut self, handle: Handle) -> Option<&mut Subscription> {
        self.list.get_mut(handle.0 as usize)?.as_mut()
    }

    pub(super) fn find(&self, channel: &Channel) -> Option<&Subscription> {
        self.iter().find(|s| s.channel == *channel)
    }

    pub(super) fn remove(&mut self, handle: Handle) -> Option<Subscription> {
        self.list.get_mut(handle.0 as usize)?.take()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.list.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Subscription> {
        self.list.iter_mut().flatten()
    }

    pub(super) fn len(&self) -> usize {
        self.iter().count()
    }

    /// A new connection knows nothing of the old one.
    pub(super) fn reset(&mut self) {
        self.leaving.clear();
        for subscription in self.iter_mut() {
            subscription.live = false;
            subscription.asked = false;
            subscription.questions = [None, None];
            subscription.retry_at = None;
            // The others have taken it back by themselves when there is a connection again.
            subscription.typed = None;
        }
    }

    /// The WebSocket is gone, and with it what was asked and is yet to be confirmed there.
    pub(super) fn websocket_gone(&mut self) {
        self.leaving.clear();
        for subscription in self.iter_mut() {
            subscription.asked = false;
            subscription.questions[Transport::WebSocket as usize] = None;
        }
    }

    /// Nothing counts until the connection confirms it again.
    pub(super) fn unconfirm(&mut self) {
        for subscription in self.iter_mut() {
            subscription.live = false;
        }
    }

    /// An `unsubscribe` was sent, and will be confirmed.
    pub(super) fn leave(&mut self, channel: Channel) {
        self.leaving.push(channel);
    }

    pub(super) fn is_leaving(&self, channel: &Channel) -> bool {
        self.leaving.contains(channel)
    }

    /// The server confirms an `unsubscribe`. False if none was under way.
    pub(super) fn left(&mut self, channel: &str) -> bool {
        let Some(place) = self.leaving.iter().position(|c| c.as_str() == channel) else { return false };
        self.leaving.swap_remove(place);
        true
    }

    /// The hot path: decides about one entry, and moves the position first.
    pub(super) fn accept(&mut self, handle: Handle, offset: u64) -> Entry {
        let Some(subscription) = self.get(handle).filter(|s| s.live) else { return Entry::Drop };
        let Some(position) = &mut subscription.position else { return Entry::Drop };
        if offset == position.offset + 1 {
            position.offset = offset;
            if subscription.marks.kept {
                subscription.marks.wanted[0] = offset;
            }
            Entry::Deliver
        } else if offset <= position.offset {
            Entry::Drop
        } else {
            Entry::Hole
        }
    }

    /// A refusal that can be retried: asks again after a while that doubles, or after what the server says.
    pub(super) fn put_off(&mut self, handle: Handle, now: u64, retry_after: Option<u64>) {
        let Some(subscription) = self.get(handle) else { return };
        let wait = retry_after.unwrap_or(1_000 << subscription.refusals.min(5));
        subscription.refusals += 1;
        subscription.live = false;
        subscription.retry_at = Some(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GapStart;

    fn at(offset: u64) -> Subscriptions {
        let mut subscriptions = Subscriptions::default();
        let position = Position { epoch: "a".into(), offset };
        subscriptions.add(Channel::new("news").unwrap(), None, Some(position), false);
        subscriptions
    }

    fn confirm(subscriptions: &mut Subscriptions, epoch: &str, offset: u64, head: u64) -> Confirmed {
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.ask(Transport::WebSocket);
        answer(subscription, epoch, offset, head, None)
    }

    fn answer(
        subscription: &mut Subscription,
        epoch: &str,
        offset: u64,
        head: u64,
        gap: Option<(u64, GapReason)>,
    ) -> Confirmed {
        let gap = gap.map(|(from, reason)| GapStart { from, reason });
        subscription.confirm(Transport::WebSocket, &SubscribedFrame { epoch, offset, head, gap })
    }

    #[test]
    fn entries_are_delivered_once_and_in_order() {
        let mut subscriptions = at(5);
        assert_eq!(subscriptions.accept(Handle(0), 6), Entry::Drop, "not confirmed yet");
        assert_eq!(confirm(&mut subscriptions, "a", 5, 7), Confirmed::InPlace);
        assert_eq!(subscriptions.accept(Handle(0), 5), Entry::Drop);
        assert_eq!(subscriptions.accept(Handle(0), 7), Entry::Hole);
        assert_eq!(subscriptions.accept(Handle(0), 6), Entry::Deliver);
        assert_eq!(subscriptions.accept(Handle(0), 6), Entry::Drop);
        assert_eq!(subscriptions.accept(Handle(0), 7), Entry::Deliver);
        assert_eq!(subscriptions.accept(Handle(9), 1), Entry::Drop);
    }

    #[test]
    fn promise_2_whatever_cannot_be_had_is_a_gap() {
        let missing = Confirmed::Missing;
        assert_eq!(confirm(&mut at(5), "b", 9, 9), missing(6, 9, GapReason::Epoch));
        assert_eq!(confirm(&mut at(5), "a", 8, 9), missing(6, 8, GapReason::Trimmed), "even if not declared");
        assert_eq!(confirm(&mut at(5), "a", 3, 3), missing(6, 3, GapReason::Epoch), "the log lost its end");
    }

    #[test]
    fn an_answer_that_another_transport_has_overtaken_is_no_gap() {
        let mut subscriptions = at(5);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        let answer = answer(subscription, "a", 4, 9, Some((2, GapReason::Trimmed)));
        assert_eq!(answer, Confirmed::InPlace);
        assert_eq!(subscription.position, Some(Position { epoch: "a".into(), offset: 5 }));
    }

    #[test]
    fn an_answer_from_elsewhere_is_asked_for_again() {
        let mut subscriptions = at(5);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.ask(Transport::WebSocket);
        // Polling was faster.
        subscription.position = Some(Position { epoch: "a".into(), offset: 9 });
        assert_eq!(answer(subscription, "a", 5, 8, None), Confirmed::Stale, "no gap back");
        assert_eq!(answer(subscription, "a", 12, 14, None), Confirmed::Stale, "no gap");
        assert_eq!(answer(subscription, "b", 3, 3, None), Confirmed::Stale);
        assert!(!subscription.live);
        subscription.ask(Transport::WebSocket);
        let again = answer(subscription, "b", 3, 3, Some((10, GapReason::Epoch)));
        assert_eq!(again, Confirmed::Missing(10, 3, GapReason::Epoch));
        assert!(subscription.live);
    }

    #[test]
    fn an_answer_to_an_earlier_question_is_not_taken_for_the_one_to_the_last() {
        let mut subscriptions = at(5);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.ask(Transport::WebSocket);
        subscription.position = Some(Position { epoch: "a".into(), offset: 9 });
        subscription.ask(Transport::WebSocket);
        for (epoch, offset, head, gap) in [
            ("a", 5, 8, None),
            ("a", 7, 8, Some((6, GapReason::Trimmed))),
            // The server reads on from the first question, and the log is trimmed meanwhile.
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
        assert_eq!(last, Confirmed::Missing(10, 30, GapReason::TooFar));
    }

    #[test]
    fn an_answer_from_before_a_log_was_replaced_is_not_taken_for_one_about_its_successor() {
        let mut subscriptions = at(320);
        let subscription = subscriptions.get(Handle(0)).unwrap();
        subscription.ask(Transport::WebSocket);
        // Polling has told of the gap.
        subscription.position = Some(Position { epoch: "b".into(), offset: 209 });
        subscription.ask(Transport::WebSocket);
        let earlier = answer(subscription, "b", 232, 232, Some((321, GapReason::Epoch)));
        assert_eq!(earlier, Confirmed::Earlier);
        assert_eq!(answer(subscription, "b", 209, 232, None), Confirmed::InPlace);
    }
}
