//! The store and the writers of the nodes: the server's own logs, with commits that take time and may fail. An ack
//! leaves after the commit, and what a dead node had not committed is gone.

use std::{collections::VecDeque, sync::Arc};

use everwire_protocol::{Ack, Channel, ServerFrame, Uuid, batch};
use everwire_server::{
    connection::Input,
    model::log::{Entry, NewEntry, Outcome},
    store::memory::Logs,
};

use super::{Address, Event, Group, Told, World, say, talk::Marks};
use crate::{dice::Dice, ledger::name, plant::Plant};

/// Most entries in one transaction, as in the server's writer.
const GROUP: usize = 512;

/// The data that all nodes share.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) logs: Logs,
    /// How far users have received and read.
    pub(super) marks: Marks,
    seed: u64,
    retention: u64,
    pub(super) fails_until: u64,
    pub(super) slow_until: u64,
    pub(super) slow_by: u64,
    /// For a planted bug: the data before the last commit.
    before: Option<Logs>,
    fresh: u128,
}

/// One node's writer.
#[derive(Debug, Default)]
pub(super) struct Writer {
    waiting: VecDeque<Group>,
    under_way: Option<Vec<Group>>,
    stored: VecDeque<Vec<Done>>,
}

/// A group after its transaction.
#[derive(Debug)]
struct Done {
    group: Group,
    outcomes: Option<Vec<Outcome>>,
    entries: Vec<Arc<Entry>>,
}

impl Store {
    pub(super) fn new(seed: u64, retention: u64) -> Self {
        Self {
            logs: Logs::new(seed, retention),
            marks: Marks::default(),
            seed,
            retention,
            fails_until: 0,
            slow_until: 0,
            slow_by: 0,
            before: None,
            fresh: 1 << 127,
        }
    }

    /// Forgets everything: the next logs are others.
    pub(super) fn wipe(&mut self) {
        self.seed += 1;
        self.logs = Logs::new(self.seed, self.retention);
        self.before = None;
        self.marks.clear();
    }

    /// For a planted bug.
    pub(super) fn lose_the_last_commit(&mut self) {
        if let Some(before) = self.before.take() {
            self.logs = before;
        }
    }
}

impl World {
    /// How long the store takes, in ms.
    pub(super) fn store_takes(&mut self, dice: fn(&mut Dice, u64) -> u64, usual: u64) -> u64 {
        let slow =
            if self.store.slow_until > self.now { self.dice.between(0, self.store.slow_by) } else { 0 };
        dice(&mut self.dice, usual) + slow
    }

    /// A session wants a group stored.
    pub(super) fn append(&mut self, conn: Address, entries: Vec<NewEntry>, told: Told) {
        let mut group = Group { conn, entries, told };
        if self.planted(Plant::AckBeforeCommit) && told == Told::Session {
            let (outcomes, _) = self.store.logs.clone().append(self.server_ms(), &group.entries);
            group.told = Told::Already;
            self.after(0, Event::Answer { conn, input: Box::new(Input::Appended(Some(outcomes))) });
        }
        self.nodes[conn.node].writer.waiting.push_back(group);
        self.next_commit(conn.node);
    }

    fn next_commit(&mut self, node: usize) {
        let writer = &mut self.nodes[node].writer;
        if writer.under_way.is_some() || writer.waiting.is_empty() {
            return;
        }
        let (mut groups, mut entries) = (Vec::new(), 0);
        while entries < GROUP
            && let Some(group) = writer.waiting.pop_front()
        {
            entries += group.entries.len();
            groups.push(group);
        }
        writer.under_way = Some(groups);
        let takes = self.store_takes(|dice, usual| dice.between(0, 2 * usual), self.manner.commit);
        let boot = self.nodes[node].boot;
        self.after(takes, Event::Commit { node, boot });
    }

    pub(super) fn commit(&mut self, node: usize, boot: u32) {
        if self.nodes[node].boot != boot {
            return;
        }
        let Some(groups) = self.nodes[node].writer.under_way.take() else { return };
        if self.planted(Plant::LostOnCrash) {
            self.store.before = Some(self.store.logs.clone());
        }
        let fails = self.store.fails_until > self.now;
        let mut done = Vec::new();
        for group in groups {
            let conn = group.conn;
            if fails {
                say!(
                    self,
                    format!("n{node}"),
                    "{} entries of {} are not stored",
                    group.entries.len(),
                    conn.conn
                );
                done.push(Done { group, outcomes: None, entries: Vec::new() });
                continue;
            }
            let at = self.server_ms();
            let (mut outcomes, mut entries) = self.store.logs.append(at, &group.entries);
            if self.planted(Plant::DedupeOff) {
                self.store_copies(&group.entries, &mut outcomes, &mut entries);
            }
            for (entry, outcome) in group.entries.iter().zip(&outcomes) {
                if let Outcome::Stored(place) = outcome {
                    say!(
                        self,
                        format!("n{node}"),
                        "{} is {} of {}",
                        name(entry.id),
                        place.offset,
                        entry.channel
                    );
                    let result = self.ledger.stored(&entry.channel, &place.epoch, place.offset, entry.id);
                    self.broken(result);
                    let trimmed = self.store.logs.log(&entry.channel).trimmed;
                    self.ledger.trimmed(&entry.channel, trimmed);
                }
            }
            done.push(Done { group, outcomes: Some(outcomes), entries });
        }
        // What one node stores, the others hear from the store.
        let new: Vec<_> = done.iter().flat_map(|done| done.entries.iter().cloned()).collect();
        for other in (0..self.nodes.len()).filter(|other| *other != node && !new.is_empty()) {
            let at = self.nodes[other].fed_at.max(self.now + self.dice.between(0, 50));
            self.nodes[other].fed_at = at;
            self.at(at, Event::Feed { node: other, entries: new.clone() });
        }
        self.nodes[node].writer.stored.push_back(done);
        let wait = self.dice.between(0, 2);
        self.after(wait, Event::HandOut { node, boot });
        self.next_commit(node);
    }

    /// First the ack to the sender, then the entry to its receivers.
    pub(super) fn hand_out(&mut self, node: usize, boot: u32) {
        if self.nodes[node].boot != boot {
            return;
        }
        let Some(done) = self.nodes[node].writer.stored.pop_front() else { return };
        for Done { group, outcomes, entries } in done {
            match group.told {
                Told::Session => {
                    if outcomes.is_none() && self.planted(Plant::NoDeferring) {
                        self.let_others_pass(group.conn, group.entries.first().map(|entry| entry.id));
                    }
                    self.answer(group.conn, Input::Appended(outcomes));
                }
                Told::Already => {}
                Told::Client => self.ack_directly(group.conn, &group.entries, outcomes),
            }
            for entry in &entries {
                self.nodes[node].hub.publish(entry);
            }
            self.pump(node);
        }
    }

    pub(super) fn feed(&mut self, node: usize, entries: &[Arc<Entry>]) {
        if self.nodes[node].up {
            for entry in entries {
                self.nodes[node].hub.publish(entry);
            }
            self.pump(node);
        }
    }

    pub(super) fn trim(&mut self, channel: &Channel, up_to: u64) {
        self.store.logs.trim(channel, up_to);
        let trimmed = self.store.logs.log(channel).trimmed;
        self.ledger.trimmed(channel, trimmed);
        say!(self, "store", "{channel} is trimmed to {trimmed}");
    }

    /// The planted bug: copies are stored like anything else.
    fn store_copies(&mut self, group: &[NewEntry], outcomes: &mut [Outcome], entries: &mut Vec<Arc<Entry>>) {
        for (entry, outcome) in group.iter().zip(outcomes) {
            if let Outcome::Copy(_) = outcome {
                self.store.fresh += 1;
                let fresh = NewEntry { id: Uuid::from_u128(self.store.fresh), ..entry.clone() };
                let (mut again, _) = self.store.logs.append(EPOCH_OF_COPIES, &[fresh]);
                if let Some(Outcome::Stored(place)) = again.pop() {
                    entries.push(Entry::of(entry, &place));
                    *outcome = Outcome::Stored(place);
                }
            }
        }
    }

    /// The planted bug: an ack past the session.
    fn ack_directly(&mut self, conn: Address, entries: &[NewEntry], outcomes: Option<Vec<Outcome>>) {
        for (entry, outcome) in entries.iter().zip(outcomes.into_iter().flatten()) {
            if let Outcome::Stored(place) | Outcome::Copy(place) = outcome {
                let (id, channel) = (entry.id, entry.channel.clone());
                let ack = Ack { id, channel, offset: place.offset, at: place.at };
                self.say_directly(conn, &batch::encode(&[ServerFrame::Ack(ack)]).into());
            }
        }
    }
}

/// When copies are stored, for the planted bug; nobody looks at it.
const EPOCH_OF_COPIES: u64 = super::EPOCH;
