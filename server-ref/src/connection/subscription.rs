//! One subscription of one connection: its position in the channel's log, and where it may start.

use std::sync::Arc;

use everwire_protocol::{Gap, GapReason, Subscribe, limits::MAX_RECENT};

use crate::model::{
    broadcast::{Broadcast, PresenceChange},
    log::{Entry, Log},
};

/// The start that a client requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StartPosition {
    /// After its position.
    Position { epoch: Arc<str>, offset: u64 },
    /// This many entries before the end.
    Recent(u32),
    /// After the last entry delivered to the user on any device; if there is none, this many entries before the end.
    Undelivered(u32),
}

impl StartPosition {
    /// Reads it from the frame. `None` if the position is incomplete.
    pub(super) fn of(frame: &Subscribe) -> Option<Self> {
        match (&frame.epoch, frame.offset) {
            (Some(epoch), Some(offset)) => Some(Self::Position { epoch: epoch.as_str().into(), offset }),
            (None, None) => {
                let recent = frame.recent.unwrap_or(0).min(MAX_RECENT);
                let undelivered = frame.undelivered.unwrap_or(false);
                Some(if undelivered { Self::Undelivered(recent) } else { Self::Recent(recent) })
            }
            _ => None,
        }
    }

    /// The client's new position, and the gap. `delivered` is the user's mark.
    pub(super) fn resolve(&self, log: &Log, replay_limit: u64, delivered: Option<u64>) -> (u64, Option<Gap>) {
        let gap = |from, to, reason| Some(Gap { from, to, reason });
        match self {
            Self::Undelivered(recent) => match delivered {
                Some(offset) => {
                    let epoch = log.epoch.clone();
                    Self::Position { epoch, offset }.resolve(log, replay_limit, None)
                }
                None => Self::Recent(*recent).resolve(log, replay_limit, None),
            },
            Self::Recent(n) => (log.head.saturating_sub(u64::from(*n)).max(log.trimmed), None),
            Self::Position { epoch, offset } if *epoch != log.epoch || *offset > log.head => {
                (log.head, gap(offset.saturating_add(1), log.head, GapReason::Epoch))
            }
            Self::Position { offset, .. } if log.head - log.trimmed.max(*offset) > replay_limit => {
                (log.head, gap(offset + 1, log.head, GapReason::TooFar))
            }
            Self::Position { offset, .. } if *offset < log.trimmed => {
                (log.trimmed, gap(offset + 1, log.trimmed, GapReason::Trimmed))
            }
            Self::Position { offset, .. } => (*offset, None),
        }
    }
}

/// The phase of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The state of the log was requested. Live entries are only noted.
    Opening,
    /// Entries are read from the store, a page at a time. Live entries are only noted.
    CatchingUp,
    /// Entries are delivered as they are stored.
    Live,
}

#[derive(Debug)]
pub(super) struct Subscription {
    /// Distinguishes answers for this subscription from those for an earlier one of the same channel.
    pub(super) key: u64,
    pub(super) from: StartPosition,
    pub(super) stage: Stage,
    /// The log, once known.
    pub(super) epoch: Arc<str>,
    /// The last entry that was queued for the client.
    pub(super) offset: u64,
    /// The latest live entry that was not queued, because older ones come first.
    pub(super) noted: Option<Arc<Entry>>,
    /// The version of presence that the list of members already contains.
    pub(super) presence_version: u64,
    /// Frames that arrived before the answer to `subscribe`, in order.
    pub(super) noted_frames: Vec<Noted>,
}

/// A frame that has to wait until its subscription has begun.
#[derive(Debug)]
pub(super) enum Noted {
    Presence(Arc<PresenceChange>),
    Broadcast(Arc<Broadcast>),
}

impl Subscription {
    pub(super) fn new(key: u64, from: StartPosition) -> Self {
        Self {
            key,
            from,
            stage: Stage::Opening,
            epoch: "".into(),
            offset: 0,
            noted: None,
            presence_version: 0,
            noted_frames: Vec::new(),
        }
    }

    /// Remembers that there is an entry which was not queued. From other nodes entries may come late.
    pub(super) fn note(&mut self, entry: Arc<Entry>) {
        let known = self.noted.as_ref().filter(|noted| noted.epoch == entry.epoch);
        if known.is_none_or(|noted| noted.offset < entry.offset) {
            self.noted = Some(entry);
        }
    }

    /// The client's position after it has received everything queued.
    pub(super) fn position(&self) -> StartPosition {
        match self.stage {
            Stage::Opening => self.from.clone(),
            _ => StartPosition::Position { epoch: self.epoch.clone(), offset: self.offset },
        }
    }

    /// Whether the store is known to have entries that were not queued yet. `head` is the log's.
    pub(super) fn is_behind(&self, head: u64) -> bool {
        let noted =
            self.noted.as_ref().filter(|entry| entry.epoch == self.epoch).map_or(0, |entry| entry.offset);
        self.offset < head.max(noted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(epoch: &str, trimmed: u64, head: u64) -> Log {
        Log { epoch: epoch.into(), head, trimmed }
    }

    fn at(epoch: &str, offset: u64) -> StartPosition {
        StartPosition::Position { epoch: epoch.into(), offset }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with one that may be missing")]
    fn gap(from: u64, to: u64, reason: GapReason) -> Option<Gap> {
        Some(Gap { from, to, reason })
    }

    #[test]
    fn the_three_examples_of_the_protocol() {
        assert_eq!(at("a", 41).resolve(&log("a", 0, 43), 10_000, None), (41, None));
        assert_eq!(
            at("a", 41).resolve(&log("a", 50, 80), 10_000, None),
            (50, gap(42, 50, GapReason::Trimmed))
        );
        assert_eq!(at("a", 41).resolve(&log("b", 0, 7), 10_000, None), (7, gap(42, 7, GapReason::Epoch)));
    }

    #[test]
    fn a_gap_is_said_exactly_when_something_cannot_be_delivered() {
        assert_eq!(at("a", 50).resolve(&log("a", 50, 80), 10_000, None), (50, None));
        assert_eq!(
            at("a", 49).resolve(&log("a", 50, 80), 10_000, None),
            (50, gap(50, 50, GapReason::Trimmed))
        );
        assert_eq!(at("a", 70).resolve(&log("a", 0, 80), 10, None), (70, None));
        assert_eq!(at("a", 69).resolve(&log("a", 0, 80), 10, None), (80, gap(70, 80, GapReason::TooFar)));
        assert_eq!(at("a", 3).resolve(&log("a", 50, 80), 10, None), (80, gap(4, 80, GapReason::TooFar)));
        assert_eq!(at("a", 81).resolve(&log("a", 0, 80), 10, None), (80, gap(82, 80, GapReason::Epoch)));
        assert_eq!(at("a", 0).resolve(&log("a", 0, 0), 10, None), (0, None));
        assert_eq!(at("b", 0).resolve(&log("a", 0, 0), 10, None), (0, gap(1, 0, GapReason::Epoch)));
    }

    #[test]
    fn undelivered_begins_after_what_was_delivered_anywhere_and_else_where_recent_says() {
        let undelivered = |delivered, trimmed, limit| {
            StartPosition::Undelivered(5).resolve(&log("a", trimmed, 80), limit, delivered)
        };
        assert_eq!(undelivered(Some(70), 0, 10), (70, None));
        assert_eq!(undelivered(Some(0), 0, 100), (0, None));
        assert_eq!(undelivered(None, 0, 10), (75, None));
        assert_eq!(undelivered(Some(60), 65, 20), (65, gap(61, 65, GapReason::Trimmed)));
        assert_eq!(undelivered(Some(60), 0, 10), (80, gap(61, 80, GapReason::TooFar)));
    }

    #[test]
    fn a_first_subscription_begins_at_the_end_or_a_little_before_and_has_no_gap() {
        assert_eq!(StartPosition::Recent(0).resolve(&log("a", 0, 80), 10, None), (80, None));
        assert_eq!(StartPosition::Recent(20).resolve(&log("a", 70, 80), 10, None), (70, None));
        assert_eq!(StartPosition::Recent(500).resolve(&log("a", 0, 80), 10, None), (0, None));
    }

    #[test]
    fn an_entry_that_comes_late_does_not_hide_a_later_one() {
        let entry = |epoch: &str, offset| {
            let (channel, epoch) = ("news".parse().unwrap(), epoch.into());
            Arc::new(Entry { channel, epoch, offset, at: 0, plain: true, text: "{}".into() })
        };
        let mut subscription = Subscription::new(1, StartPosition::Recent(0));
        (subscription.epoch, subscription.offset) = ("a".into(), 159);
        subscription.note(entry("a", 160));
        subscription.note(entry("a", 138));
        assert!(subscription.is_behind(159));
        subscription.note(entry("b", 1));
        assert!(!subscription.is_behind(159), "another log says nothing about this one");
    }
}
