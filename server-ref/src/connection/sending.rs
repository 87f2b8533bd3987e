//! The sends of one connection on their way to the store, and the rule that preserves their order: after one was refused with
//! a retryable code, all later ones are deferred until it arrives again. The same holds for the sends of a batch that was refused as
//! a whole.
//!
//! The refused one may never arrive again, if the store took an earlier copy of it whose ack the client already has. A client
//! resends in order, so a deferred send that arrives a second time before the refused one means the same.
//!
//! One group of sends is in flight to the store at a time. If the store cannot accept it, nothing that was sent later can
//! have been stored before it. Waiting for the group costs no time: the store commits in groups as well.

use std::collections::VecDeque;

use everwire_protocol::{Channel, Uuid};

use super::Settings;
use crate::model::log::NewEntry;

/// Maximum sends in one group: twice as many as a client has in flight.
const GROUP: usize = 64;
/// How many of the latest deferred sends are remembered: more than a client has in flight.
const DEFERRED: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Sending {
    waiting: VecDeque<NewEntry>,
    under_way: Vec<(Uuid, Channel)>,
    refused: Option<Refused>,
    #[cfg(feature = "planted")]
    never_defers: bool,
}

/// A refused send, or those of a batch that was refused as a whole, and the sends deferred behind.
#[derive(Debug)]
struct Refused {
    ids: Vec<Uuid>,
    deferred: VecDeque<Uuid>,
}

impl Refused {
    fn new(ids: Vec<Uuid>) -> Self {
        Self { ids, deferred: VecDeque::new() }
    }

    /// Whether a send shows that the client has started to resend from its oldest one.
    fn is_over(&self, id: Uuid) -> bool {
        self.ids.contains(&id) || self.deferred.contains(&id)
    }

    fn defer(&mut self, id: Uuid) {
        if self.deferred.len() == DEFERRED {
            self.deferred.pop_front();
        }
        self.deferred.push_back(id);
    }
}

/// A send that has to be resent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DeferredSend {
    pub(super) id: Uuid,
    pub(super) channel: Channel,
    /// Whether this is the refused one; the others wait behind it.
    pub(super) first: bool,
}

impl Sending {
    #[cfg_attr(not(feature = "planted"), expect(unused_variables, reason = "only planted bugs ask for it"))]
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            #[cfg(feature = "planted")]
            never_defers: settings.never_defers,
            ..Self::default()
        }
    }

    /// Accepts a send, or defers it.
    pub(super) fn submit(&mut self, entry: NewEntry) -> Result<(), DeferredSend> {
        if self.defers(entry.id) {
            return Err(DeferredSend { id: entry.id, channel: entry.channel, first: false });
        }
        self.waiting.push_back(entry);
        Ok(())
    }

    /// Whether a send is deferred behind a refused one. If so, it is remembered; if not, deferring ends.
    pub(super) fn defers(&mut self, id: Uuid) -> bool {
        #[cfg(feature = "planted")]
        if self.never_defers {
            self.refused = None;
        }
        match &mut self.refused {
            Some(refused) if !refused.is_over(id) => {
                refused.defer(id);
                true
            }
            refused => {
                *refused = None;
                false
            }
        }
    }

    /// Refuses a send: later ones are deferred until it arrives again.
    pub(super) fn refuse(&mut self, id: Uuid) {
        self.refuse_all(vec![id]);
    }

    /// Refuses the sends of a batch: later ones are deferred until one of them arrives again.
    pub(super) fn refuse_all(&mut self, ids: Vec<Uuid>) {
        if !ids.is_empty() {
            self.refused.get_or_insert_with(|| Refused::new(ids));
        }
    }

    /// The next group for the store, if none is in flight.
    pub(super) fn next_group(&mut self) -> Option<Vec<NewEntry>> {
        if !self.under_way.is_empty() || self.waiting.is_empty() {
            return None;
        }
        let group: Vec<_> = self.waiting.drain(..self.waiting.len().min(GROUP)).collect();
        if self.waiting.is_empty() {
            // An idle connection has no buffer.
            self.waiting = VecDeque::new();
        }
        self.under_way = group.iter().map(|entry| (entry.id, entry.channel.clone())).collect();
        Some(group)
    }

    /// The group in flight was stored. Returns its sends in order.
    pub(super) fn stored(&mut self) -> Vec<(Uuid, Channel)> {
        std::mem::take(&mut self.under_way)
    }

    /// The group in flight could not be stored. Returns everything that has to be resent, in order.
    pub(super) fn failed(&mut self) -> Vec<DeferredSend> {
        let mut deferred = Vec::new();
        // The group was sent before anything that may have been refused since.
        self.refused = None;
        for (id, channel) in std::mem::take(&mut self.under_way) {
            // A repetition within the group is refused again, and earlier deferrals no longer count.
            if !self.defers(id) {
                self.refused = Some(Refused::new(vec![id]));
            }
            deferred.push(DeferredSend { id, channel, first: deferred.is_empty() });
        }
        for entry in std::mem::take(&mut self.waiting) {
            if let Err(behind) = self.submit(entry) {
                deferred.push(behind);
            }
        }
        deferred
    }

    /// The number of unanswered sends.
    pub(super) fn unanswered(&self) -> usize {
        self.waiting.len() + self.under_way.len()
    }

    /// Drops the sends that have not been passed to the store: the client resends them on another connection.
    pub(super) fn abandon(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::SendPermission;
    use everwire_protocol::Payload;

    fn send(n: u128) -> NewEntry {
        NewEntry {
            id: Uuid::from_u128(n),
            channel: "news".parse().unwrap(),
            user: "a".into(),
            name: None,
            event: None,
            data: Payload::from_value(&n.to_string()).unwrap(),
            action: None,
            target: None,
            permission: SendPermission::Granted,
        }
    }

    fn ids(deferred: &[DeferredSend]) -> Vec<(u128, bool)> {
        deferred.iter().map(|p| (p.id.as_u128(), p.first)).collect()
    }

    #[test]
    fn after_a_refusal_everything_waits_until_the_refused_id_comes_again() {
        let mut sending = Sending::default();
        for n in 1..=3 {
            sending.submit(send(n)).unwrap();
        }
        assert_eq!(sending.next_group().unwrap().len(), 3);
        sending.submit(send(4)).unwrap();
        assert_eq!(ids(&sending.failed()), [(1, true), (2, false), (3, false), (4, false)]);
        assert!(sending.submit(send(5)).is_err());
        for n in 1..=5 {
            sending.submit(send(n)).unwrap();
        }
        assert_eq!(
            sending.next_group().unwrap().iter().map(|e| e.id.as_u128()).collect::<Vec<_>>(),
            [1, 2, 3, 4, 5]
        );
    }

    #[test]
    fn after_a_batch_was_refused_later_ones_wait_until_one_of_its_sends_comes_again() {
        let mut sending = Sending::default();
        sending.refuse_all(Vec::new());
        sending.submit(send(1)).unwrap();
        sending.refuse_all([2, 3].map(Uuid::from_u128).to_vec());
        assert!(sending.submit(send(4)).is_err());
        sending.submit(send(3)).unwrap();
        sending.submit(send(4)).unwrap();
    }

    #[test]
    fn what_fails_later_but_was_sent_earlier_has_to_come_again_first() {
        let mut sending = Sending::default();
        sending.submit(send(1)).unwrap();
        assert!(sending.next_group().is_some());
        assert!(!sending.defers(Uuid::from_u128(2)));
        sending.refuse(Uuid::from_u128(2));
        assert!(sending.defers(Uuid::from_u128(3)));
        assert_eq!(ids(&sending.failed()), [(1, true)]);
        assert!(sending.submit(send(2)).is_err());
        sending.submit(send(1)).unwrap();
    }

    #[test]
    fn a_resend_that_was_already_waiting_ends_the_deferral() {
        let mut sending = Sending::default();
        sending.submit(send(1)).unwrap();
        assert!(sending.next_group().is_some());
        for n in [2, 1, 2] {
            sending.submit(send(n)).unwrap();
        }
        assert_eq!(ids(&sending.failed()), [(1, true), (2, false)]);
        assert_eq!(sending.next_group().unwrap().iter().map(|e| e.id.as_u128()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn what_was_deferred_goes_on_when_the_refused_one_never_comes_again() {
        let mut sending = Sending::default();
        // The client sends the first twice, and has its ack before the copy fails.
        sending.submit(send(1)).unwrap();
        assert!(sending.next_group().is_some());
        for n in [1, 2, 3] {
            sending.submit(send(n)).unwrap();
        }
        sending.stored();
        assert!(sending.next_group().is_some());
        assert_eq!(ids(&sending.failed()), [(1, true), (2, false), (3, false)]);
        assert!(sending.submit(send(4)).is_err(), "it was on its way already");
        for n in [2, 3, 4] {
            sending.submit(send(n)).unwrap();
        }
    }

    #[test]
    fn copies_in_a_group_that_fails_do_not_end_the_deferral_of_those_behind_it() {
        let mut sending = Sending::default();
        for n in [1, 2, 3, 1, 2] {
            sending.submit(send(n)).unwrap();
        }
        assert!(sending.next_group().is_some());
        sending.submit(send(3)).unwrap();
        let deferred = [(1, true), (2, false), (3, false), (1, false), (2, false), (3, false)];
        assert_eq!(ids(&sending.failed()), deferred);
        sending.submit(send(1)).unwrap();
    }

    #[test]
    fn a_send_that_is_refused_again_defers_again_what_comes_behind_it() {
        let mut sending = Sending::default();
        let mut limited = |n| {
            assert!(!sending.defers(Uuid::from_u128(n)));
            sending.refuse(Uuid::from_u128(n));
            assert!(sending.defers(Uuid::from_u128(n + 1)));
        };
        limited(1);
        limited(1);
        limited(2);
    }

    #[test]
    fn the_deferred_sends_that_are_remembered_are_bounded() {
        let mut sending = Sending::default();
        sending.refuse(Uuid::from_u128(0));
        for n in 1..=200 {
            assert!(sending.defers(Uuid::from_u128(n)));
        }
        assert_eq!(sending.refused.as_ref().map(|refused| refused.deferred.len()), Some(DEFERRED));
        assert!(!sending.defers(Uuid::from_u128(200)));
    }
}
