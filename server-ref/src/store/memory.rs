//! Logs and chats in memory: plain data without tasks or clocks, from which tests and the simulation build their stores.

mod chats;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use everwire_protocol::{
    Action, CHAT_EVENT, Channel, ChatChange, Deleted, Message, Uuid, channels::user_channel,
};

pub use chats::Chats;

use super::{
    actions::{self, Target},
    erasure::{Erased, hash_of},
};
use crate::model::log::{Entry, Log, LogPosition, NewEntry, Outcome, Page, PageBounds, Rewrite};

/// The logs of all channels.
#[derive(Debug, Clone)]
pub struct Logs {
    epoch: Arc<str>,
    runs: Vec<Arc<str>>,
    retention: u64,
    channels: BTreeMap<Channel, Kept>,
    sends: HashMap<(Arc<str>, Uuid), (Channel, LogPosition)>,
    sessions: HashMap<Uuid, Arc<str>>,
}

#[derive(Debug, Clone, Default)]
struct Kept {
    trimmed: u64,
    entries: VecDeque<Arc<Entry>>,
    /// The runs that have stored entries, with the first of each.
    runs: Vec<(u64, usize)>,
    /// The offset of each id, including those of trimmed entries.
    ids: HashMap<Uuid, u64>,
    /// The offsets of the edits of a message, including those of trimmed entries.
    edits: HashMap<Uuid, Vec<u64>>,
}

impl Kept {
    fn head(&self) -> u64 {
        self.trimmed + self.entries.len() as u64
    }

    fn index(&self, offset: u64) -> Option<usize> {
        usize::try_from(offset.checked_sub(self.trimmed + 1)?).ok()
    }

    /// The entry with this id that others may refer to.
    fn target(&self, id: Uuid) -> Option<Target> {
        let entry = self.entries.get(self.index(*self.ids.get(&id)?)?)?;
        let Message { user, event, deleted, .. } =
            entry.message().filter(|message| matches!(message.action, None | Some(Action::Reply)))?;
        Some(Target { user, event, deleted: deleted.is_some() })
    }

    /// Applies an edit or a deletion to its target and to the earlier edits of it. Returns their offsets.
    fn rewrite(&mut self, by: &NewEntry, target: Uuid, place: &LogPosition) -> Vec<u64> {
        let edits = self.edits.get(&target).into_iter().flatten();
        let concerned = self.ids.get(&target).into_iter().chain(edits).copied();
        let offsets = concerned.filter(|offset| (self.trimmed + 1..place.offset).contains(offset)).collect();
        let rewrite = Rewrite::by(by, place.at, offsets);
        self.apply(&rewrite);
        rewrite.offsets
    }

    fn apply(&mut self, rewrite: &Rewrite) {
        for offset in &rewrite.offsets {
            if let Some(index) = self.index(*offset)
                && let Some(entry) = self.entries.get_mut(index)
                && let Some(now) = entry.rewritten(rewrite)
            {
                *entry = now;
            }
        }
    }

    /// Says no longer that this user has deleted what others wrote.
    fn forget_who_deleted(&mut self, user: &str) {
        for entry in &mut self.entries {
            if let Some(message) = entry.message()
                && let Some(deleted) = message.deleted.clone().filter(|deleted| deleted.user == user)
            {
                let deleted = Some(Deleted { user: String::new(), ..deleted });
                *entry = Entry::encode(Message { deleted, ..message }, entry.epoch.clone());
            }
        }
    }
}

impl Logs {
    /// Empty logs that keep `retention` entries each. Another `seed` gives them other epochs and runs.
    pub fn new(seed: u64, retention: u64) -> Self {
        Self::of_epoch(format!("{seed:016x}").into(), retention)
    }

    /// The same with this epoch, which is also the tag of their first run.
    pub fn of_epoch(epoch: Arc<str>, retention: u64) -> Self {
        Self {
            runs: vec![epoch.clone()],
            epoch,
            retention,
            channels: BTreeMap::new(),
            sends: HashMap::new(),
            sessions: HashMap::new(),
        }
    }

    /// Begins another run. A clone that is to continue as a copy of its own begins one with another tag.
    pub fn begin_run(&mut self, tag: Arc<str>) {
        self.runs.push(tag);
    }

    /// See [`super::Store::run`].
    pub fn run(&self) -> Arc<str> {
        self.runs.last().unwrap_or(&self.epoch).clone()
    }

    /// See [`super::Store::has_seen`].
    pub fn has_seen(&self, channel: &Channel, offset: u64, run: &str) -> bool {
        let Some(run) = self.runs.iter().position(|tag| **tag == *run) else { return false };
        let later = self.channels.get(channel).into_iter().flat_map(|log| &log.runs);
        later.filter(|(_, began_in)| *began_in > run).all(|(first, _)| *first > offset)
    }

    /// See [`super::Store::append`]. Returns the new entries too, in order.
    pub fn append(&mut self, at: u64, entries: &[NewEntry]) -> (Vec<Outcome>, Vec<Arc<Entry>>) {
        let mut stored = Vec::new();
        let outcomes = entries.iter().map(|entry| self.append_one(at, entry, &mut stored)).collect();
        (outcomes, stored)
    }

    fn append_one(&mut self, at: u64, entry: &NewEntry, stored: &mut Vec<Arc<Entry>>) -> Outcome {
        let key = (entry.user.clone(), entry.id);
        let hashed = (hash_of(&entry.user, entry.id).into(), entry.id);
        if let Some((channel, place)) = self.sends.get(&key).or_else(|| self.sends.get(&hashed)) {
            return if *channel == entry.channel { Outcome::Copy(place.clone()) } else { Outcome::IdReused };
        }
        if let Some(refusal) = entry.permission.refusal() {
            return Outcome::Refused(refusal);
        }
        let run = self.runs.len() - 1;
        let log = self.channels.entry(entry.channel.clone()).or_default();
        let taken = log.ids.get(&entry.id).is_some_and(|offset| *offset > log.trimmed);
        if taken {
            return Outcome::IdReused;
        }
        if let (Some(action), Some(target)) = (entry.action, entry.target)
            && let Err(refusal) = actions::check(entry, action, log.target(target).as_ref())
        {
            return Outcome::Refused(refusal);
        }
        let place = LogPosition { epoch: self.epoch.clone(), offset: log.head() + 1, at };
        if log.runs.last().is_none_or(|(_, last)| *last != run) {
            log.runs.push((place.offset, run));
        }
        log.ids.insert(entry.id, place.offset);
        let kept = Entry::of(entry, &place);
        log.entries.push_back(kept.clone());
        stored.push(kept);
        let surplus = (log.entries.len() as u64).saturating_sub(self.retention);
        log.entries.drain(..surplus as usize);
        log.trimmed += surplus;
        let rewritten = match (entry.action, entry.target) {
            (Some(Action::Edit | Action::Delete), Some(target)) => Some(log.rewrite(entry, target, &place)),
            _ => None,
        };
        if let (Some(Action::Edit), Some(target)) = (entry.action, entry.target) {
            log.edits.entry(target).or_default().push(place.offset);
        }
        self.sends.insert(key, (entry.channel.clone(), place.clone()));
        match rewritten {
            Some(offsets) => Outcome::Rewrote(place, offsets),
            None => Outcome::Stored(place),
        }
    }

    /// See [`super::Store::log`].
    pub fn log(&self, channel: &Channel) -> Log {
        let (head, trimmed) = self.channels.get(channel).map_or((0, 0), |log| (log.head(), log.trimmed));
        Log { epoch: self.epoch.clone(), head, trimmed }
    }

    /// See [`super::Store::page`].
    pub fn page(&self, channel: &Channel, after: u64, bounds: PageBounds) -> Page {
        let mut bytes = 0;
        let later = |log: &Kept| usize::try_from(after.saturating_sub(log.trimmed)).unwrap_or(usize::MAX);
        let entries =
            self.channels.get(channel).into_iter().flat_map(|log| log.entries.iter().skip(later(log)));
        let entries = entries
            .take(bounds.entries as usize)
            .take_while(|entry| {
                let first = bytes == 0;
                bytes += entry.text.len();
                first || bytes <= bounds.bytes
            })
            .cloned()
            .collect();
        Page { log: self.log(channel), entries }
    }

    /// Removes the oldest entries of a channel, up to an offset.
    pub fn trim(&mut self, channel: &Channel, up_to: u64) {
        if let Some(log) = self.channels.get_mut(channel) {
            while log.trimmed < up_to && log.entries.pop_front().is_some() {
                log.trimmed += 1;
            }
        }
    }

    /// Removes all entries of a channel; its offsets go on.
    pub fn empty(&mut self, channel: &Channel) {
        let head = self.log(channel).head;
        self.trim(channel, head);
    }

    /// See [`super::erasure::ErasureStore::erase_some`]: everything in one step.
    pub fn erase(
        &mut self,
        at: u64,
        user: &str,
        report: &dyn Fn(&Channel, &[u64]) -> Option<NewEntry>,
    ) -> Erased {
        let mut erased = Erased::default();
        let own = user_channel(user);
        for (channel, log) in &mut self.channels {
            let concerned = |message: &Message| {
                let change = || message.data.read::<ChatChange>().ok()?.user;
                message.user == user
                    || (message.event.as_deref() == Some(CHAT_EVENT) && change().as_deref() == Some(user))
            };
            let concerned = log.entries.iter().filter_map(|entry| entry.message().filter(concerned));
            let offsets: Vec<u64> = concerned.map(|message| message.offset).collect();
            if let Some(rewrite) = Rewrite::by_erasure(at, offsets.clone()).filter(|_| !offsets.is_empty()) {
                log.apply(&rewrite);
                if own.as_ref() != Some(channel) {
                    erased.blanked.insert(channel.clone(), offsets);
                }
            }
            log.forget_who_deleted(user);
        }
        let sends = std::mem::take(&mut self.sends);
        let renamed = sends.into_iter().map(|((sender, id), place)| {
            let sender = if *sender == *user { hash_of(user, id).into() } else { sender };
            ((sender, id), place)
        });
        self.sends = renamed.collect();
        self.sessions.retain(|_, of| **of != *user);
        if let Some(own) = own {
            self.empty(&own);
        }
        let reports: Vec<_> =
            erased.blanked.iter().filter_map(|(channel, offsets)| report(channel, offsets)).collect();
        erased.reports = self.append(at, &reports).1;
        erased
    }

    /// The user whom a session is bound to.
    pub fn bound_user(&self, session: Uuid) -> Option<&str> {
        self.sessions.get(&session).map(|user| &**user)
    }

    /// Binds a session, if it is not bound yet.
    pub fn bind(&mut self, session: Uuid, user: Arc<str>) {
        self.sessions.entry(session).or_insert(user);
    }
}
