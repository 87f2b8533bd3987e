//! One subscription: what was asked for, what an answer means, and where it stands. Epoch and offset only change together
//! (promise 3).

use alloc::{borrow::ToOwned, string::String};

use everwire_protocol::{Channel, GapReason, Mark, Subscribe};

use super::super::{
    Gap, Handle, SubscribedFrame, Transport,
    outgoing::{receipts::Marks, typing::Typing},
};

/// A position in a channel's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The log.
    pub epoch: String,
    /// The last offset received; what follows is `offset + 1`.
    pub offset: u64,
    /// The run of the server's store in which it was confirmed or moved last; empty if that is not known.
    pub run: String,
}

impl Position {
    fn said_run(&self) -> Option<String> {
        (!self.run.is_empty()).then(|| self.run.clone())
    }
}

/// Where a new subscription begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct StartFrom {
    /// How many entries before the end to replay at first.
    pub(crate) recent: Option<u32>,
    /// Continue after this position instead.
    pub(crate) position: Option<Position>,
    /// Without a position: begin after what was delivered to this user, on whatever device.
    pub(crate) undelivered: bool,
}

#[derive(Debug)]
pub(crate) struct Subscription {
    pub(super) handle: Handle,
    pub(super) channel: Channel,
    /// Its position moves.
    pub(super) start: StartFrom,
    pub(super) typing: Typing,
    pub(super) marks: Marks,
    /// The connection has confirmed it: entries count.
    pub(super) live: bool,
    /// It was asked for on this WebSocket.
    pub(super) requested: bool,
    /// What was requested last by WebSocket and by polling. While one transport replaces the other both ask, and one
    /// answer may come after the other has moved the position.
    pub(super) requests: [Option<Requested>; 2],
    /// After a refusal that may pass: when to ask again.
    pub(super) retry_at: Option<u64>,
}

/// The last `subscribe` on a transport.
#[derive(Debug)]
pub(super) struct Requested {
    position: Option<Position>,
    /// It was the first on this transport, so nothing else can be answered there.
    only: bool,
}

/// What an answer to `subscribe` means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// The subscription continues.
    InPlace,
    /// It continues, and something was missed for good.
    Missing(Gap),
    /// It answers an older request, and what is needed now is still to be requested.
    Stale,
    /// It answers an older request; what is needed now has been requested.
    Earlier,
}

impl Subscription {
    pub(super) fn new(handle: Handle, channel: Channel, start: StartFrom) -> Self {
        Self {
            handle,
            channel,
            start,
            typing: Typing::default(),
            marks: Marks::default(),
            live: false,
            requested: false,
            requests: [None, None],
            retry_at: None,
        }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    pub(crate) fn offset(&self) -> Option<u64> {
        self.start.position.as_ref().map(|position| position.offset)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.live
    }

    /// Whether it was requested on this transport, which may still answer.
    pub(crate) fn was_requested(&self, transport: Transport) -> bool {
        self.requests[transport as usize].is_some()
    }

    pub(crate) fn typing(&mut self) -> &mut Typing {
        &mut self.typing
    }

    pub(crate) fn marks(&mut self) -> &mut Marks {
        &mut self.marks
    }

    /// Asks by this transport, from the present position.
    pub(super) fn request(&mut self, transport: Transport) -> Subscribe {
        let StartFrom { recent, position, undelivered } = &self.start;
        let request = &mut self.requests[transport as usize];
        *request = Some(Requested { position: position.clone(), only: request.is_none() });
        Subscribe {
            channel: self.channel.clone(),
            epoch: position.as_ref().map(|p| p.epoch.clone()),
            offset: position.as_ref().map(|p| p.offset),
            run: position.as_ref().and_then(Position::said_run),
            recent: if position.is_none() { *recent } else { None },
            undelivered: (*undelivered && position.is_none()).then_some(true),
        }
    }

    /// Whether an answer can be to a request from the present position. An older request may have been made on the same
    /// transport, and the server adds an answer of its own when a log is trimmed faster than it is read.
    fn fits(&self, answer: &SubscribedFrame<'_>) -> bool {
        match (&self.start.position, &answer.gap) {
            (None, gap) => gap.is_none() || self.start.undelivered,
            (Some(position), Some(gap)) => {
                let another_log = position.epoch != answer.epoch || answer.head < position.offset;
                gap.from == position.offset + 1 && (gap.reason == GapReason::Epoch || !another_log)
            }
            (Some(position), None) => position.epoch == answer.epoch && position.offset == answer.offset,
        }
    }

    /// An answer to `subscribe` has come by this transport, from this run of the server's store.
    pub(crate) fn confirm(
        &mut self,
        transport: Transport,
        run: &str,
        frame: &SubscribedFrame<'_>,
    ) -> Confirmed {
        let SubscribedFrame { epoch, offset, head, gap, .. } = *frame;
        let position = &self.start.position;
        // What another transport brought in the meantime may be ahead of this answer: entries that the client has
        // already are dropped one by one. Only a log that ends before the position is another log.
        let request = self.requests[transport as usize].as_ref().filter(|r| r.position == *position);
        let meant = request.is_some_and(|request| request.only || self.fits(frame));
        let replaced = meant && gap.is_some_and(|gap| gap.reason == GapReason::Epoch);
        // In another run the same offset may be another entry: it counts if the server was asked about this very position.
        let same = position.as_ref().filter(|p| p.epoch == epoch && (meant || p.run == run) && !replaced);
        let continues = same.is_some_and(|p| offset <= p.offset && head >= p.offset);
        if !continues && !meant {
            // It answers another position than the present one: what is missing there is not what is missing here.
            let requested = request.is_some();
            self.unconfirm();
            self.requested &= requested;
            return if requested { Confirmed::Earlier } else { Confirmed::Stale };
        }
        self.live = true;
        self.retry_at = None;
        self.marks.forget_confirmed();
        if continues {
            if let Some(position) = &mut self.start.position {
                run.clone_into(&mut position.run);
            }
            return Confirmed::InPlace;
        }
        let confirmed = match (position, gap) {
            (Some(p), gap) => {
                let reason = if p.epoch == epoch && offset > p.offset && !replaced {
                    gap.map_or(GapReason::Trimmed, |gap| gap.reason)
                } else {
                    GapReason::Epoch
                };
                Confirmed::Missing(Gap { from: p.offset + 1, to: offset, reason })
            }
            // The server knows better where the user was: on another device, perhaps.
            (None, Some(gap)) => Confirmed::Missing(Gap { from: gap.from, to: offset, reason: gap.reason }),
            (None, None) => Confirmed::InPlace,
        };
        if matches!(confirmed, Confirmed::Missing(Gap { reason: GapReason::Epoch, .. })) {
            // Marks are positions in a log, and this is another.
            self.marks = Marks::default();
        }
        self.start.position = Some(Position { epoch: epoch.to_owned(), offset, run: run.to_owned() });
        confirmed
    }

    /// Asks again at this time, if no answer has come by then.
    pub(crate) fn retry_at(&mut self, at: u64) {
        self.retry_at = Some(at);
    }

    pub(super) fn unconfirm(&mut self) {
        self.live = false;
    }

    /// The receipt to be sent now, if there is one. It carries the epoch, because the log may have been replaced since.
    pub(super) fn take_receipt(&mut self) -> Option<Mark> {
        let [delivered, read] = self.marks.take()?;
        let (epoch, run) = match &self.start.position {
            Some(p) => (p.epoch.clone(), p.said_run()),
            None => Default::default(),
        };
        Some(Mark { channel: self.channel.clone(), epoch, delivered, read, run })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::GapStart;

    /// At offset 5 of log "a" in run "1". Asked from there for the second time by WebSocket, so that an answer may be to an
    /// older question.
    fn asked_again() -> Subscription {
        let position = Some(Position { epoch: "a".into(), offset: 5, run: "1".into() });
        let start = StartFrom { position, ..StartFrom::default() };
        let mut subscription = Subscription::new(Handle(0), Channel::new("news").unwrap(), start);
        subscription.request(Transport::WebSocket);
        subscription.request(Transport::WebSocket);
        subscription
    }

    fn answer(
        run: &str,
        epoch: &str,
        (offset, head): (u64, u64),
        gap: Option<(u64, GapReason)>,
    ) -> Confirmed {
        let gap = gap.map(|(from, reason)| GapStart { from, reason });
        let frame = SubscribedFrame { handle: Handle(0), epoch, offset, head, gap };
        asked_again().confirm(Transport::WebSocket, run, &frame)
    }

    fn missing(from: u64, to: u64, reason: GapReason) -> Confirmed {
        Confirmed::Missing(Gap { from, to, reason })
    }

    #[test]
    fn promise_2_a_gap_counts_if_it_begins_behind_the_position_in_the_same_log_or_names_another_log() {
        let trimmed = |from| Some((from, GapReason::Trimmed));
        assert_eq!(answer("1", "a", (8, 9), trimmed(6)), missing(6, 8, GapReason::Trimmed));
        assert_eq!(answer("1", "a", (8, 9), trimmed(4)), Confirmed::Earlier, "another question");
        assert_eq!(answer("1", "b", (8, 9), trimmed(6)), Confirmed::Earlier, "another log, and not said so");
        assert_eq!(answer("1", "a", (8, 4), trimmed(6)), Confirmed::Earlier, "a log that ended before");
        let replaced = Some((6, GapReason::Epoch));
        assert_eq!(answer("1", "b", (2, 2), replaced), missing(6, 2, GapReason::Epoch));
    }

    #[test]
    fn promise_2_in_another_run_of_the_store_an_answer_counts_if_it_is_to_this_very_position() {
        assert_eq!(answer("2", "a", (5, 9), None), Confirmed::InPlace);
        assert_eq!(answer("2", "a", (3, 9), None), Confirmed::Earlier);
        assert_eq!(answer("2", "b", (5, 9), None), Confirmed::Earlier);
    }

    #[test]
    fn promise_2_a_gap_before_what_was_delivered_on_another_device_is_told() {
        let first = |undelivered, gap: Option<(u64, GapReason)>| {
            let start = StartFrom { undelivered, ..StartFrom::default() };
            let mut subscription = Subscription::new(Handle(0), Channel::new("news").unwrap(), start);
            subscription.request(Transport::WebSocket);
            let gap = gap.map(|(from, reason)| GapStart { from, reason });
            let frame = SubscribedFrame { handle: Handle(0), epoch: "a", offset: 8, head: 9, gap };
            subscription.confirm(Transport::WebSocket, "1", &frame)
        };
        assert_eq!(first(true, Some((4, GapReason::Trimmed))), missing(4, 8, GapReason::Trimmed));
        assert_eq!(first(true, None), Confirmed::InPlace);
        assert_eq!(first(false, None), Confirmed::InPlace);
    }
}
