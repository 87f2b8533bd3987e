//! The store of all nodes: the server's own logs behind its `Database` trait, with delayed answers, failures, and commits
//! with an unknown outcome. Commits are reported to the ledger and to other nodes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use everwire_protocol::{Channel, Message, ServerFrame, StatusChoice, UserReceipt, Uuid, batch};
use everwire_server::{
    Error,
    environment::Environment as _,
    model::{
        ban::AccessChange,
        chat::{ChatRecord, Room},
        log::{Entry, Log, NewEntry, Outcome, Page, PageBounds},
        people::{HistoryRange, PresenceRecord, StoredHistory, UserRecord},
    },
    store::{
        Answer, Removed, Store,
        chats::{ChatStore, Tail, UNREAD},
        memory::Logs,
        people::UserStore,
    },
};

use crate::{executor::SimEnvironment, mutants::Mutant, rng::Rng};

/// The maximum duration of a read without faults, in ms.
const READ_MS: u64 = 3;
/// The maximum delay of an answer, in ms.
const BACK_MS: u64 = 2;
/// The time of stored copies, for the planted bug.
const EPOCH_OF_COPIES: u64 = super::EPOCH;

/// A report of the store for the ledger.
#[derive(Debug)]
pub(super) enum Done {
    /// A log of this epoch was read.
    Opened(Channel, Arc<str>),
    /// An entry was committed.
    Stored { channel: Channel, epoch: Arc<str>, offset: u64, id: Uuid },
    /// The entries of one transaction of a node.
    Added { node: usize, entries: Vec<Arc<Entry>> },
    /// A log was trimmed.
    Trimmed(Channel, u64),
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
pub(super) struct Data {
    pub(super) logs: Logs,
    marks: BTreeMap<(Channel, String), UserReceipt>,
    rooms: BTreeMap<Arc<str>, ChatRecord>,
    pub(super) access_changes: Vec<AccessChange>,
    own: BTreeMap<usize, Own>,
    seed: u64,
    /// Counts the runs of all copies.
    runs: u64,
    retention: u64,
    /// How long a commit takes on average, in ms.
    commit_ms: u64,
    pub(super) fails_until: u64,
    pub(super) slow_until: u64,
    pub(super) slow_by: u64,
    /// Until then commits succeed and are reported as failed.
    pub(super) doubt_until: u64,
    rng: Rng,
    mutant: Option<Mutant>,
    done: Vec<Done>,
    /// For a planted bug: the data before the last commit.
    before: Option<Logs>,
    fresh: u128,
}

/// A copy of what is stored.
#[derive(Debug)]
pub(super) struct Copied {
    logs: Logs,
    marks: BTreeMap<(Channel, String), UserReceipt>,
    rooms: BTreeMap<Arc<str>, ChatRecord>,
    access_changes: Vec<AccessChange>,
}

impl Data {
    /// The store is opened. Returns the tag of its run.
    pub(super) fn begin_run(&mut self) -> Arc<str> {
        self.runs += 1;
        let tag: Arc<str> = format!("run {}", self.runs).into();
        self.logs.begin_run(tag.clone());
        tag
    }

    pub(super) fn copy(&self) -> Copied {
        Copied {
            logs: self.logs.clone(),
            marks: self.marks.clone(),
            rooms: self.rooms.clone(),
            access_changes: self.access_changes.clone(),
        }
    }

    /// Continues with a copy. Who was present in it is gone by now.
    pub(super) fn restore(&mut self, copy: &Copied) {
        let Copied { logs, marks, rooms, access_changes } = copy;
        (self.logs, self.marks, self.rooms) = (logs.clone(), marks.clone(), rooms.clone());
        self.access_changes.clone_from(access_changes);
        self.before = None;
        self.own.clear();
    }

    /// Loses all data: the next logs have other epochs.
    pub(super) fn wipe(&mut self) {
        self.seed += 1;
        self.logs = Logs::new(self.seed, self.retention);
        self.before = None;
        self.marks.clear();
        self.rooms.clear();
        self.access_changes.clear();
        self.own.clear();
    }

    pub(super) fn trim(&mut self, channel: &Channel, up_to: u64) {
        self.logs.trim(channel, up_to);
        let trimmed = self.logs.log(channel).trimmed;
        self.done.push(Done::Trimmed(channel.clone(), trimmed));
    }

    /// The stored mark of a user in a channel.
    pub(super) fn mark(&self, channel: &Channel, user: &str) -> Option<&UserReceipt> {
        self.marks.get(&(channel.clone(), user.to_owned()))
    }

    /// For a planted bug.
    pub(super) fn lose_the_last_commit(&mut self) {
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
            if let Outcome::Stored(position) = outcome {
                let (channel, epoch, offset, id) =
                    (entry.channel.clone(), position.epoch.clone(), position.offset, entry.id);
                trimmed.insert(channel.clone());
                self.done.push(Done::Stored { channel, epoch, offset, id });
            }
        }
        for channel in trimmed {
            let up_to = self.logs.log(&channel).trimmed;
            self.done.push(Done::Trimmed(channel, up_to));
        }
        if !added.is_empty() {
            self.done.push(Done::Added { node, entries: added });
        }
        outcomes
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

    fn entries(&self, channel: &Channel, after: u64, most: u32) -> Vec<Arc<Entry>> {
        self.logs.page(channel, after, PageBounds { entries: most, bytes: usize::MAX }).entries
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
            HistoryRange::Before(offset) => (offset.saturating_sub(most + 1), offset),
            HistoryRange::After(offset) => (offset, log.head + 1),
        };
        let entries = self.entries(channel, after, u32::try_from(most).unwrap_or(u32::MAX));
        let messages: Vec<_> =
            entries.iter().filter(|entry| entry.offset < before).filter_map(|entry| message(entry)).collect();
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

fn message(entry: &Entry) -> Option<Message> {
    let text = format!("[{}]", entry.text);
    let bounds = batch::Bounds { bytes: usize::MAX, ..batch::Bounds::default() };
    match batch::decode::<ServerFrame>(&text, &bounds).ok()?.pop()?.ok()? {
        ServerFrame::Message(message) => Some(message),
        _ => None,
    }
}

/// The data that all nodes share.
#[derive(Debug, Clone)]
pub(super) struct SharedStore(Arc<Mutex<Data>>);

impl SharedStore {
    pub(super) fn new(retention: u64, commit_ms: u64, rng: Rng, mutant: Option<Mutant>) -> Self {
        let seed = 1;
        Self(Arc::new(Mutex::new(Data {
            logs: Logs::new(seed, retention),
            marks: BTreeMap::new(),
            rooms: BTreeMap::new(),
            access_changes: Vec::new(),
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
        })))
    }

    pub(super) fn data(&self) -> MutexGuard<'_, Data> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reports since the last call.
    pub(super) fn take_done(&self) -> Vec<Done> {
        std::mem::take(&mut self.data().done)
    }

    /// The store as one life of a node sees it.
    pub(super) fn of(&self, node: usize, environment: &SimEnvironment) -> NodeStore {
        let run = self.data().logs.run();
        NodeStore { shared: self.clone(), node, run, environment: environment.clone() }
    }
}

/// The store of one node.
pub(super) struct NodeStore {
    shared: SharedStore,
    node: usize,
    run: Arc<str>,
    environment: SimEnvironment,
}

impl fmt::Debug for NodeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeStore({})", self.node)
    }
}

fn unavailable<T>() -> Result<T, Error> {
    Err(Error::Unavailable("the simulated store fails".into()))
}

impl NodeStore {
    fn now(&self) -> u64 {
        self.environment.now_ms() - super::EPOCH
    }

    async fn sleep(&self, ms: u64) {
        // Instant answers are like cached data of a database.
        if ms > 0 {
            self.environment.sleep_until(self.environment.now_ms() + ms).await;
        }
    }

    /// Works after a delay, and answers after another one. A node that crashes in between never learns the outcome.
    fn answer<'a, T: Send + 'a>(
        &'a self,
        usual: u64,
        work: impl FnOnce(&mut Data) -> Result<T, Error> + Send + 'a,
    ) -> Answer<'a, T> {
        let (there, back) = {
            let mut data = self.shared.data();
            let slow = data.slow(self.now());
            (data.rng.between(0, usual) + slow, data.rng.between(0, BACK_MS))
        };
        Box::pin(async move {
            self.sleep(there).await;
            let answer = work(&mut self.shared.data());
            self.sleep(back).await;
            answer
        })
    }

    pub(super) fn read<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce(&mut Data) -> T + Send + 'a,
    ) -> Answer<'a, T> {
        self.answer(
            READ_MS,
            move |data| {
                if data.fails_until > self.now() { unavailable() } else { Ok(work(data)) }
            },
        )
    }

    /// A transaction with entries; `more` writes the rest.
    fn transact<'a>(
        &'a self,
        at: u64,
        entries: &'a [NewEntry],
        more: impl FnOnce(&mut Data) + Send + 'a,
    ) -> Answer<'a, Vec<Outcome>> {
        let usual = 2 * self.shared.data().commit_ms;
        self.answer(usual, move |data| {
            let (now, node, n) = (self.now(), self.node, entries.len());
            if data.fails_until > now {
                data.done.push(Done::Failed { node, entries: n, happened: false });
                return unavailable();
            }
            let outcomes = data.commit(node, at, entries);
            more(data);
            if data.doubt_until > now {
                data.done.push(Done::Failed { node, entries: n, happened: true });
                return unavailable();
            }
            Ok(outcomes)
        })
    }

    /// Reads at the start of a node are instant.
    pub(super) fn at_once<'a, T: Send + 'a>(&'a self, work: impl FnOnce(&mut Data) -> T) -> Answer<'a, T> {
        let answer = work(&mut self.shared.data());
        Box::pin(std::future::ready(Ok(answer)))
    }
}

impl Store for NodeStore {
    fn append<'a>(&'a self, at: u64, entries: &'a [NewEntry]) -> Answer<'a, Vec<Outcome>> {
        self.transact(at, entries, |_| {})
    }

    fn log<'a>(&'a self, channel: &'a Channel) -> Answer<'a, Log> {
        self.read(move |data| data.log(channel))
    }

    fn run(&self) -> Arc<str> {
        self.run.clone()
    }

    fn has_seen<'a>(&'a self, channel: &'a Channel, offset: u64, run: &'a str) -> Answer<'a, bool> {
        self.read(move |data| data.has(Mutant::RunIgnored) || data.logs.has_seen(channel, offset, run))
    }

    fn page<'a>(&'a self, channel: &'a Channel, after: u64, bounds: PageBounds) -> Answer<'a, Page> {
        self.read(move |data| {
            let mut page = data.logs.page(channel, after, bounds);
            if data.has(Mutant::ReplayOffByOne) && page.entries.len() > 1 {
                page.entries.pop();
                page.log.head = page.entries.last().map_or(0, |entry| entry.offset);
            }
            page
        })
    }

    fn bound_user(&self, session: Uuid) -> Answer<'_, Option<String>> {
        self.read(move |data| data.logs.bound_user(session).map(str::to_owned))
    }

    fn bind_sessions<'a>(&'a self, _at: u64, sessions: &'a [(Uuid, Arc<str>)]) -> Answer<'a, ()> {
        self.read(move |data| {
            for (session, user) in sessions {
                data.logs.bind(*session, user.clone());
            }
        })
    }

    fn cleanup(&self, _now: u64) -> Answer<'_, Removed> {
        self.read(|_| Removed::default())
    }

    fn probe(&self) -> Answer<'_, ()> {
        self.read(|_| ())
    }
}

impl ChatStore for NodeStore {
    fn chats(&self) -> Answer<'_, Vec<ChatRecord>> {
        self.at_once(|data| data.rooms.values().cloned().collect())
    }

    fn chat<'a>(&'a self, id: &'a str) -> Answer<'a, Option<ChatRecord>> {
        self.read(move |data| data.rooms.get(id).cloned())
    }

    fn change_chat<'a>(
        &'a self,
        at: u64,
        _before: Option<&'a Room>,
        after: &'a Room,
        entries: &'a [NewEntry],
    ) -> Answer<'a, Vec<Outcome>> {
        self.transact(at, entries, move |data| {
            data.rooms.insert(after.id.clone(), ChatRecord { room: Arc::new(after.clone()), at });
        })
    }

    fn offset_of<'a>(&'a self, channel: &'a Channel, id: Uuid) -> Answer<'a, Option<u64>> {
        self.read(move |data| {
            let named = format!("\"id\":\"{}\"", id.hyphenated());
            let entries = data.entries(channel, 0, u32::MAX);
            entries.iter().find(|entry| entry.text.contains(&named)).map(|entry| entry.offset)
        })
    }

    fn tails<'a>(&'a self, user: &'a str, asked: &'a [(Channel, u64)]) -> Answer<'a, Vec<Tail>> {
        self.read(move |data| {
            let tail = |(channel, read): &(Channel, u64)| Tail {
                head: data.logs.log(channel).head,
                unread: data.unread(channel, user, *read),
                last: data
                    .entries(channel, 0, u32::MAX)
                    .iter()
                    .rfind(|entry| entry.plain)
                    .and_then(|entry| message(entry)),
            };
            asked.iter().map(tail).collect()
        })
    }
}

impl UserStore for NodeStore {
    fn marks<'a>(&'a self, channel: &'a Channel, user: Option<&'a str>) -> Answer<'a, Vec<UserReceipt>> {
        self.read(move |data| {
            let of = data.marks.iter().filter(|((of, _), _)| of == channel).map(|(_, mark)| mark);
            of.filter(|mark| user.is_none_or(|user| mark.user == user)).cloned().collect()
        })
    }

    fn raise_marks<'a>(&'a self, marks: &'a [(Channel, UserReceipt)]) -> Answer<'a, ()> {
        self.read(move |data| {
            for (channel, mark) in marks {
                let key = (channel.clone(), mark.user.clone());
                let known = data.marks.entry(key).or_insert_with(|| mark.clone());
                known.delivered = known.delivered.max(mark.delivered);
                known.read = known.read.max(mark.read);
            }
        })
    }

    fn unread<'a>(&'a self, channel: &'a Channel, user: &'a str, after: u64) -> Answer<'a, u32> {
        self.read(move |data| data.unread(channel, user, after))
    }

    fn history<'a>(
        &'a self,
        channel: &'a Channel,
        part: HistoryRange,
        most: u32,
    ) -> Answer<'a, StoredHistory> {
        self.read(move |data| data.history(channel, part, most))
    }

    fn users<'a>(&'a self, users: &'a [String]) -> Answer<'a, Vec<UserRecord>> {
        self.read(move |data| {
            let own = data.own(self.node);
            users.iter().filter_map(|user| own.users.get(user).cloned()).collect()
        })
    }

    fn online_users(&self) -> Answer<'_, Vec<UserRecord>> {
        self.at_once(|data| data.own(self.node).users.values().filter(|user| user.online).cloned().collect())
    }

    fn save_users<'a>(&'a self, people: &'a [UserRecord]) -> Answer<'a, ()> {
        self.read(move |data| {
            for record in people {
                let users = &mut data.own(self.node).users;
                let choice = users.get(&record.user).map_or(record.choice, |known| known.choice);
                users.insert(record.user.clone(), UserRecord { choice, ..record.clone() });
            }
        })
    }

    fn save_status_choice<'a>(&'a self, user: &'a str, choice: StatusChoice) -> Answer<'a, ()> {
        self.read(move |data| {
            if let Some(record) = data.own(self.node).users.get_mut(user) {
                record.choice = choice;
            }
        })
    }

    fn presence(&self) -> Answer<'_, Vec<PresenceRecord>> {
        self.at_once(|data| data.own(self.node).presence.values().cloned().collect())
    }

    fn save_presence<'a>(&'a self, changes: &'a [PresenceRecord]) -> Answer<'a, ()> {
        self.read(move |data| {
            let presence = &mut data.own(self.node).presence;
            for record in changes {
                let key = (record.channel.clone(), record.user.clone());
                if record.here {
                    presence.insert(key, record.clone());
                } else {
                    presence.remove(&key);
                }
            }
        })
    }

    fn replace_presence<'a>(&'a self, all: &'a [PresenceRecord]) -> Answer<'a, ()> {
        self.read(move |data| {
            data.own(self.node).presence =
                all.iter().map(|r| ((r.channel.clone(), r.user.clone()), r.clone())).collect();
        })
    }
}
