//! The store of all nodes: the server's own logs behind its `Database` trait, with delayed answers, failures, and commits
//! with an unknown outcome. Commits are reported to the ledger and to other nodes.

mod bans;
mod chats;
mod erasures;
mod node;
mod users;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use everwire_protocol::{Action, Channel, UserReceipt, Uuid};
use everwire_server::{
    model::{
        ban::AccessChange,
        chat::Room,
        log::{Entry, Log, NewEntry, Outcome, Page, PageBounds},
        people::{HistoryRange, PresenceRecord, StoredHistory, UserRecord},
    },
    store::{
        chats::UNREAD,
        memory::{Chats, Logs},
    },
};
use node::NodeStore;

use crate::{executor::SimEnvironment, mutants::Mutant, rng::Rng};

/// The time of stored copies, for the planted bug.
const EPOCH_OF_COPIES: u64 = super::EPOCH;

/// A report of the store for the ledger.
#[derive(Debug)]
pub(in crate::world) enum Done {
    /// A log of this epoch was read.
    Opened(Channel, Arc<str>),
    /// An entry was committed.
    Stored { channel: Channel, epoch: Arc<str>, offset: u64, id: Uuid, about: Option<(Action, Uuid)> },
    /// The entries of one transaction of a node.
    Added { node: usize, entries: Vec<Arc<Entry>> },
    /// A log was trimmed.
    Trimmed(Channel, u64),
    /// A chat has changed, and its log ends there; not `sure`: that was reported as failed. Without a room: it was deleted.
    Room { id: Arc<str>, room: Option<Arc<Room>>, head: u64, sure: bool },
    /// The erasure of a user has ended.
    ErasureEnded(Arc<str>),
    /// A transaction of a node failed, or was reported as failed.
    Failed { node: usize, entries: usize, happened: bool },
}

/// The state of one node's store.
#[derive(Debug, Default)]
struct Own {
    users: BTreeMap<String, UserRecord>,
    presence: BTreeMap<(Channel, String), PresenceRecord>,
}

/// The data.
#[derive(Debug)]
pub(in crate::world) struct Data {
    pub(in crate::world) logs: Logs,
    marks: BTreeMap<(Channel, String), UserReceipt>,
    rooms: Chats,
    pub(in crate::world) access_changes: Vec<AccessChange>,
    pub(in crate::world) erasures: Vec<Arc<str>>,
    own: BTreeMap<usize, Own>,
    seed: u64,
    /// Counts the runs of all copies.
    runs: u64,
    retention: u64,
    /// How long a commit takes on average, in ms.
    commit_ms: u64,
    pub(in crate::world) fails_until: u64,
    pub(in crate::world) slow_until: u64,
    pub(in crate::world) slow_by: u64,
    /// Until then commits succeed and are reported as failed.
    pub(in crate::world) doubt_until: u64,
    rng: Rng,
    mutant: Option<Mutant>,
    done: Vec<Done>,
    /// For a planted bug: the data before the last commit.
    before: Option<Logs>,
    fresh: u128,
    /// For planted bugs: entries as they were stored, and are read for ever.
    stale: BTreeMap<(Channel, u64), Arc<Entry>>,
}

/// A copy of what is stored.
#[derive(Debug)]
pub(in crate::world) struct Copied {
    logs: Logs,
    marks: BTreeMap<(Channel, String), UserReceipt>,
    rooms: Chats,
    access_changes: Vec<AccessChange>,
    erasures: Vec<Arc<str>>,
}

impl Data {
    /// The store is opened. Returns the tag of its run.
    pub(in crate::world) fn begin_run(&mut self) -> Arc<str> {
        self.runs += 1;
        let tag: Arc<str> = format!("run {}", self.runs).into();
        self.logs.begin_run(tag.clone());
        tag
    }

    pub(in crate::world) fn copy(&self) -> Copied {
        Copied {
            logs: self.logs.clone(),
            marks: self.marks.clone(),
            rooms: self.rooms.clone(),
            access_changes: self.access_changes.clone(),
            erasures: self.erasures.clone(),
        }
    }

    /// Continues with a copy. Who was present in it is gone by now.
    pub(in crate::world) fn restore(&mut self, copy: &Copied) {
        let Copied { logs, marks, rooms, access_changes, erasures } = copy;
        (self.logs, self.marks, self.rooms) = (logs.clone(), marks.clone(), rooms.clone());
        self.access_changes.clone_from(access_changes);
        self.erasures.clone_from(erasures);
        self.before = None;
        self.stale.clear();
        self.own.clear();
    }

    /// Loses all data: the next logs have other epochs.
    pub(in crate::world) fn wipe(&mut self) {
        self.seed += 1;
        self.logs = Logs::new(self.seed, self.retention);
        self.before = None;
        self.marks.clear();
        self.rooms = Chats::default();
        self.access_changes.clear();
        self.erasures.clear();
        self.own.clear();
    }

    pub(in crate::world) fn trim(&mut self, channel: &Channel, up_to: u64) {
        self.logs.trim(channel, up_to);
        let trimmed = self.logs.log(channel).trimmed;
        self.done.push(Done::Trimmed(channel.clone(), trimmed));
    }

    /// The stored mark of a user in a channel.
    pub(in crate::world) fn mark(&self, channel: &Channel, user: &str) -> Option<&UserReceipt> {
        self.marks.get(&(channel.clone(), user.to_owned()))
    }

    /// Forgets the marks and the status of a user.
    pub(in crate::world) fn forget_user(&mut self, user: &str) {
        self.marks.retain(|(_, other), _| other != user);
        for own in self.own.values_mut() {
            own.users.remove(user);
            own.presence.retain(|(_, other), _| other != user);
        }
    }

    /// All chats.
    pub(in crate::world) fn rooms(&self) -> impl Iterator<Item = &Arc<Room>> {
        self.rooms.rooms()
    }

    /// For a planted bug.
    pub(in crate::world) fn lose_the_last_commit(&mut self) {
        if let Some(before) = self.before.take() {
            self.logs = before;
        }
    }

    fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    fn slow(&mut self, now: u64) -> u64 {
        if self.slow_until > now { self.rng.between(0, self.slow_by) } else { 0 }
    }

    fn commit(&mut self, node: usize, at: u64, entries: &[NewEntry]) -> Vec<Outcome> {
        if self.has(Mutant::LostOnCrash) {
            self.before = Some(self.logs.clone());
        }
        let (mut outcomes, mut added) = self.logs.append(at, entries);
        if self.has(Mutant::DedupeOff) {
            self.store_copies(entries, &mut outcomes, &mut added);
        }
        let mut trimmed = BTreeSet::new();
        for (entry, outcome) in entries.iter().zip(&outcomes) {
            if let Some(position) = outcome.stored() {
                let (channel, epoch, offset, id) =
                    (entry.channel.clone(), position.epoch.clone(), position.offset, entry.id);
                trimmed.insert(channel.clone());
                let about = entry.action.zip(entry.target);
                self.done.push(Done::Stored { channel, epoch, offset, id, about });
            }
        }
        for channel in trimmed {
            let up_to = self.logs.log(&channel).trimmed;
            self.done.push(Done::Trimmed(channel, up_to));
        }
        if self.has(Mutant::EditsNotBlanked) {
            let is_edit = |entry: &&Arc<Entry>| entry.text.contains("\"action\":\"edit\"");
            let edits = added.iter().filter(is_edit);
            self.stale.extend(edits.map(|entry| ((entry.channel.clone(), entry.offset), entry.clone())));
        }
        if !added.is_empty() {
            self.done.push(Done::Added { node, entries: added });
        }
        outcomes
    }

    /// Entries that an erasure has stored.
    fn note_reports(&mut self, node: usize, reports: &[Arc<Entry>]) {
        for report in reports {
            let (channel, epoch, offset) = (report.channel.clone(), report.epoch.clone(), report.offset);
            let Some(id) = report.message().map(|message| message.id) else { continue };
            let up_to = self.logs.log(&channel).trimmed;
            self.done.push(Done::Stored { channel: channel.clone(), epoch, offset, id, about: None });
            self.done.push(Done::Trimmed(channel, up_to));
        }
        self.done.push(Done::Added { node, entries: reports.to_vec() });
    }

    /// The planted bug: one log is left as it is by an erasure.
    fn plant_a_skipped_log(&mut self, user: &str) {
        let Ok(channel) = "private-orders.1".parse::<Channel>() else { return };
        if self.has(Mutant::ErasureSkipsALog) {
            let own = format!("\"user\":\"{user}\"");
            let entries = self.entries(&channel, 0, u32::MAX).into_iter();
            let own = entries.filter(|entry| entry.text.contains(&own));
            let own: Vec<_> = own.map(|entry| ((channel.clone(), entry.offset), entry)).collect();
            self.stale.extend(own);
        }
    }

    /// The planted bug: copies are stored again.
    fn store_copies(&mut self, group: &[NewEntry], outcomes: &mut [Outcome], added: &mut Vec<Arc<Entry>>) {
        for (entry, outcome) in group.iter().zip(outcomes) {
            if let Outcome::Copy(_) = outcome {
                self.fresh += 1;
                let fresh = NewEntry { id: Uuid::from_u128(self.fresh), ..entry.clone() };
                let (mut again, _) = self.logs.append(EPOCH_OF_COPIES, &[fresh]);
                if let Some(Outcome::Stored(position)) = again.pop() {
                    added.push(Entry::of(entry, &position));
                    *outcome = Outcome::Stored(position);
                }
            }
        }
    }

    fn log(&mut self, channel: &Channel) -> Log {
        let log = self.logs.log(channel);
        self.done.push(Done::Opened(channel.clone(), log.epoch.clone()));
        log
    }

    /// All entries of a log.
    pub(in crate::world) fn all(&self, channel: &Channel) -> Vec<Arc<Entry>> {
        self.entries(channel, 0, u32::MAX)
    }

    fn entries(&self, channel: &Channel, after: u64, most: u32) -> Vec<Arc<Entry>> {
        self.page(channel, after, PageBounds { entries: most, bytes: usize::MAX }).entries
    }

    fn page(&self, channel: &Channel, after: u64, bounds: PageBounds) -> Page {
        let mut page = self.logs.page(channel, after, bounds);
        for entry in page.entries.iter_mut().filter(|_| !self.stale.is_empty()) {
            if let Some(stale) = self.stale.get(&(channel.clone(), entry.offset)) {
                *entry = stale.clone();
            }
        }
        page
    }

    fn unread(&self, channel: &Channel, user: &str, after: u64) -> u32 {
        let own = format!("\"user\":\"{user}\"");
        let others = self.entries(channel, after, 4 * UNREAD).into_iter();
        let unread = others.filter(|entry| entry.plain && !entry.text.contains(&own)).take(UNREAD as usize);
        u32::try_from(unread.count()).unwrap_or(UNREAD)
    }

    fn history(&mut self, channel: &Channel, part: HistoryRange, most: u32) -> StoredHistory {
        let log = self.log(channel);
        let most = u64::from(most);
        let (after, before) = match part {
            HistoryRange::Latest => (log.head.saturating_sub(most), log.head + 1),
            HistoryRange::Before(offset) => {
                let before = offset.min(log.head + 1);
                let before = if self.has(Mutant::PagesOffByOne) { before.max(2) - 1 } else { before };
                (before.saturating_sub(most + 1), before)
            }
            HistoryRange::After(offset) => (offset, log.head + 1),
        };
        let entries = self.entries(channel, after, u32::try_from(most).unwrap_or(u32::MAX));
        let messages: Vec<_> = entries
            .iter()
            .filter(|entry| entry.offset < before)
            .filter_map(|entry| entry.message())
            .collect();
        let more = match part {
            HistoryRange::Latest | HistoryRange::Before(_) => after > log.trimmed,
            HistoryRange::After(_) => messages.last().is_some_and(|last| last.offset < log.head),
        };
        StoredHistory { log, messages, more }
    }

    fn own(&mut self, node: usize) -> &mut Own {
        self.own.entry(node).or_default()
    }
}

/// The data that all nodes share.
#[derive(Debug, Clone)]
pub(in crate::world) struct SharedStore(Arc<Mutex<Data>>);

impl SharedStore {
    pub(in crate::world) fn new(retention: u64, commit_ms: u64, rng: Rng, mutant: Option<Mutant>) -> Self {
        let seed = 1;
        Self(Arc::new(Mutex::new(Data {
            logs: Logs::new(seed, retention),
            marks: BTreeMap::new(),
            rooms: Chats::default(),
            access_changes: Vec::new(),
            erasures: Vec::new(),
            own: BTreeMap::new(),
            seed,
            runs: 0,
            retention,
            commit_ms,
            fails_until: 0,
            slow_until: 0,
            slow_by: 0,
            doubt_until: 0,
            rng,
            mutant,
            done: Vec::new(),
            before: None,
            fresh: 1 << 127,
            stale: BTreeMap::new(),
        })))
    }

    pub(in crate::world) fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reports since the last call.
    pub(in crate::world) fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut self.data().done)
    }

    /// The store as one life of a node sees it.
    pub(in crate::world) fn of(&self, node: usize, environment: &SimEnvironment) -> NodeStore {
        let run = self.data().logs.run();
        NodeStore { shared: self.clone(), node, run, environment: environment.clone() }
    }
}
