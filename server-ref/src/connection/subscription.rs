//! One subscription of one connection: its position in the channel's log, and where it may start.

use std::sync::Arc;

use everwire_protocol::{Gap, GapReason, Subscribe, limits::MAX_RECENT};

use crate::model::{
    broadcast::{Broadcast, PresenceChange},
    log::{Entry, Log, Page},
};

/// Maximum length of an epoch in characters.
const EPOCH: usize = 64;

/// The start that a client requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StartPosition {
    /// After its position. `run`: in which run of the store it has moved, if that is another one than the current.
    Position { epoch: Arc<str>, offset: u64, run: Option<Arc<str>> },
    /// This many entries before the end.
    Recent(u32),
    /// After the last entry delivered to the user on any device; if there is none, this many entries before the end.
    Undelivered(u32),
}

impl StartPosition {
    /// A position that has moved in the current run.
    pub(super) const fn at(epoch: Arc<str>, offset: u64) -> Self {
        Self::Position { epoch, offset, run: None }
    }

    /// Reads it from the frame. `None` if the position is incomplete.
    pub(super) fn of(frame: &Subscribe, current_run: &str) -> Option<Self> {
        match (&frame.epoch, frame.offset) {
            (Some(epoch), Some(offset)) => {
                // No epoch or run is longer: a part is enough to see that it is another one, and costs little to keep.
                let short = |text: &str| text.chars().take(EPOCH).collect::<String>().into();
                let run = frame.run.as_deref().filter(|run| *run != current_run).map(short);
                Some(Self::Position { epoch: short(epoch), offset, run })
            }
            (None, None) => {
                let recent = frame.recent.unwrap_or(0).min(MAX_RECENT);
                let undelivered = frame.undelivered.unwrap_or(false);
                Some(if undelivered { Self::Undelivered(recent) } else { Self::Recent(recent) })
            }
            _ => None,
        }
    }

    /// The offset and the run to be checked against the store's history. Before the first entry all histories are the same.
    pub(super) fn seen(&self) -> Option<(u64, Arc<str>)> {
        match self {
            Self::Position { offset, run: Some(run), .. } if *offset > 0 => Some((*offset, run.clone())),
            Self::Position { .. } | Self::Recent(_) | Self::Undelivered(_) => None,
        }
    }

    /// The gap and the new position of a client that has seen another log.
    pub(super) fn diverged(&self, log: &Log) -> Option<(u64, Option<Gap>)> {
        let Self::Position { offset, .. } = self else { return None };
        let gap = Gap { from: offset.saturating_add(1), to: log.head, reason: GapReason::Epoch };
        Some((log.head, Some(gap)))
    }

    /// The client's new position, and the gap. `delivered` is the user's mark.
    pub(super) fn resolve(&self, log: &Log, replay_limit: u64, delivered: Option<u64>) -> (u64, Option<Gap>) {
        let gap = |from, to, reason| Some(Gap { from, to, reason });
        match self {
            Self::Undelivered(recent) => match delivered {
                Some(offset) => Self::at(log.epoch.clone(), offset).resolve(log, replay_limit, None),
                None => Self::Recent(*recent).resolve(log, replay_limit, None),
            },
            Self::Recent(n) => (log.head.saturating_sub(u64::from(*n)).max(log.trimmed), None),
            Self::Position { epoch, offset, .. } if *epoch != log.epoch || *offset > log.head => {
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
enum Stage {
    /// The state of the log was requested. Entries that are stored now are read from the store later.
    Opening,
    /// Entries are read from the store, a page at a time. Those that are stored now are read with them.
    CatchingUp,
    /// Entries are delivered as they are stored.
    Live,
}

#[derive(Debug)]
pub(super) struct Subscription {
    /// Distinguishes answers for this subscription from those for an earlier one of the same channel.
    key: u64,
    from: StartPosition,
    stage: Stage,
    /// The log, once known.
    epoch: Arc<str>,
    /// The last entry that was queued for the client.
    offset: u64,
    /// The newest entry that was not queued when it was stored, because older ones come first.
    newest: Option<Arc<Entry>>,
    /// The version of presence that the list of members already contains.
    presence_version: u64,
    /// Frames that arrived before the answer to `subscribe`, in order.
    early: Vec<EarlyFrame>,
}

/// A frame that has to wait until its subscription has begun.
#[derive(Debug)]
pub(super) enum EarlyFrame {
    Presence(Arc<PresenceChange>),
    Broadcast(Arc<Broadcast>),
}

/// How a subscription begins.
#[derive(Debug)]
pub(super) struct Begun {
    /// What the client requested.
    pub(super) from: StartPosition,
    /// Entries follow from `offset + 1`.
    pub(super) offset: u64,
    pub(super) gap: Option<Gap>,
    /// The frames to be queued behind the answer.
    pub(super) early: Vec<EarlyFrame>,
}

/// What follows from an entry that was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It is the next one: it is to be queued.
    Next,
    /// Entries before it were missed: the store has them.
    Hole,
    /// The log was replaced.
    AnotherLog,
    /// Nothing: it was queued already, or is read from the store later.
    Nothing,
}

/// What follows from a page that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Its entries are to be queued; there are more.
    Behind,
    /// Its entries are to be queued; from now on entries arrive as they are stored.
    Live,
    /// The log was replaced, or trimmed faster than it could be read.
    Lost,
}

impl Subscription {
    pub(super) fn new(key: u64, from: StartPosition) -> Self {
        Self {
            key,
            from,
            stage: Stage::Opening,
            epoch: "".into(),
            offset: 0,
            newest: None,
            presence_version: 0,
            early: Vec::new(),
        }
    }

    pub(super) fn key(&self) -> u64 {
        self.key
    }

    /// The last entry that was queued for the client.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What the client has seen in another run, to be compared with the history of the store.
    pub(super) fn seen(&self) -> Option<(u64, Arc<str>)> {
        self.from.seen()
    }

    pub(super) fn is_opening(&self) -> bool {
        self.stage == Stage::Opening
    }

    pub(super) fn is_catching_up(&self) -> bool {
        self.stage == Stage::CatchingUp
    }

    /// The state of its log is known, and whether the client has seen another one. `delivered` is the user's mark.
    pub(super) fn begin(
        &mut self,
        (log, diverged): (&Log, bool),
        replay_limit: u64,
        delivered: Option<u64>,
        presence_version: u64,
    ) -> Begun {
        let another = if diverged { self.from.diverged(log) } else { None };
        let (offset, gap) = another.unwrap_or_else(|| self.from.resolve(log, replay_limit, delivered));
        self.epoch = log.epoch.clone();
        self.offset = offset;
        self.stage = if self.is_behind(log.head) { Stage::CatchingUp } else { Stage::Live };
        self.presence_version = presence_version;
        let mut early = std::mem::take(&mut self.early);
        early.retain(|frame| match frame {
            EarlyFrame::Presence(change) => change.version > presence_version,
            EarlyFrame::Broadcast(_) => true,
        });
        Begun { from: self.from.clone(), offset, gap, early }
    }

    /// An entry was stored.
    pub(super) fn arrived(&mut self, entry: &Arc<Entry>) -> Arrival {
        if self.stage != Stage::Live {
            self.skip(entry);
            Arrival::Nothing
        } else if entry.epoch != self.epoch {
            Arrival::AnotherLog
        } else if entry.offset == self.offset + 1 {
            self.offset = entry.offset;
            Arrival::Next
        } else if entry.offset > self.offset {
            self.stage = Stage::CatchingUp;
            self.skip(entry);
            Arrival::Hole
        } else {
            Arrival::Nothing
        }
    }

    /// A page was read, which begins after what was queued last.
    pub(super) fn read(&mut self, page: &Page) -> Progress {
        let Page { log, entries } = page;
        let hole = entries.first().map_or(log.trimmed, |first| first.offset - 1) > self.offset;
        if log.epoch != self.epoch || hole {
            return Progress::Lost;
        }
        if let Some(last) = entries.last() {
            self.offset = last.offset;
        }
        if self.is_behind(log.head) {
            return Progress::Behind;
        }
        self.stage = Stage::Live;
        self.newest = None;
        Progress::Live
    }

    /// Somebody has joined or left. Returns the change if it is to be queued now.
    pub(super) fn presence(&mut self, change: Arc<PresenceChange>) -> Option<Arc<PresenceChange>> {
        if self.is_opening() {
            self.early.push(EarlyFrame::Presence(change));
            return None;
        }
        (change.version > self.presence_version).then_some(change)
    }

    /// A frame for the subscribers of the channel. Returns it if it is to be queued now.
    pub(super) fn broadcast(&mut self, broadcast: Arc<Broadcast>) -> Option<Arc<Broadcast>> {
        if !self.is_opening() {
            return Some(broadcast);
        }
        if !broadcast.ephemeral {
            self.early.push(EarlyFrame::Broadcast(broadcast));
        }
        None
    }

    /// The client's position after it has received everything queued.
    pub(super) fn position(&self) -> StartPosition {
        match self.stage {
            Stage::Opening => self.from.clone(),
            Stage::CatchingUp | Stage::Live => StartPosition::at(self.epoch.clone(), self.offset),
        }
    }

    /// Remembers that there is an entry which was not queued. From other nodes entries may come late.
    fn skip(&mut self, entry: &Arc<Entry>) {
        let known = self.newest.as_ref().filter(|newest| newest.epoch == entry.epoch);
        if known.is_none_or(|newest| newest.offset < entry.offset) {
            self.newest = Some(entry.clone());
        }
    }

    /// Whether the store is known to have entries that were not queued yet. `head` is the log's.
    fn is_behind(&self, head: u64) -> bool {
        let newest = self.newest.as_ref().filter(|newest| newest.epoch == self.epoch);
        self.offset < newest.map_or(head, |newest| head.max(newest.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(epoch: &str, trimmed: u64, head: u64) -> Log {
        Log { epoch: epoch.into(), head, trimmed }
    }

    fn at(epoch: &str, offset: u64) -> StartPosition {
        StartPosition::at(epoch.into(), offset)
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
        subscription.skip(&entry("a", 160));
        subscription.skip(&entry("a", 138));
        assert!(subscription.is_behind(159));
        subscription.skip(&entry("a", 161));
        subscription.offset = 160;
        assert!(subscription.is_behind(160), "the newest one counts");
        subscription.offset = 159;
        subscription.skip(&entry("b", 1));
        assert!(!subscription.is_behind(159), "another log says nothing about this one");
    }
}
