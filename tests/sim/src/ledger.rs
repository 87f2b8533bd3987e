//! The ledger: a record of everything committed, independent of the code under test. A log that lost its data continues as
//! another log of the same channel, and so does one that continues from a copy: it has the first entries in common with the
//! one before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use everwire_protocol::{Channel, Uuid, channels};

use crate::{
    texts::Texts,
    violation::{Rule, Violation, violated},
};

/// One log: a channel within one life of the data.
#[derive(Debug)]
pub struct Log {
    /// The channel.
    pub channel: Channel,
    /// Its epoch on the wire.
    pub epoch: String,
    /// In which life of the data it is.
    life: usize,
    /// The ids of its entries; the first has offset 1.
    pub entries: Vec<Uuid>,
    /// Everything up to this offset was trimmed.
    pub trimmed: u64,
    /// What was replaced or deleted.
    pub texts: Texts,
    /// The last number of each sender in it.
    last: BTreeMap<usize, u64>,
}

impl Log {
    /// The last offset.
    pub fn head(&self) -> u64 {
        self.entries.len() as u64
    }
}

/// Ids consist of the sender and a counter of its calls, so that the order can be checked in the log.
pub fn id(client: usize, number: u64) -> Uuid {
    // Version 7 and its variant, as the protocol requires.
    Uuid::from_u128(((client as u128 + 1) << 80) | (7 << 76) | (2 << 62) | u128::from(number))
}

/// The ids of requests, of the same parts. That of the request that creates a chat is the chat's.
pub fn request_id(client: usize, number: u64) -> Uuid {
    Uuid::from_u128(id(client, number).as_u128() | REQUEST)
}

/// Whether an id names a request.
pub fn is_request(id: Uuid) -> bool {
    id.get_version_num() == 7 && id.as_u128() & REQUEST != 0
}

/// What distinguishes the ids of requests.
const REQUEST: u128 = 1 << 64;

/// The sender, and the counter of its sends.
pub fn sender(id: Uuid) -> (usize, u64) {
    let bits = id.as_u128();
    ((bits >> 80) as usize - 1, (bits & ((1 << 62) - 1)) as u64)
}

/// Everything that was committed.
#[derive(Debug, Default)]
pub struct Ledger {
    /// All logs that ever existed.
    pub logs: Vec<Log>,
    /// Whether permissions change. Who never hears that a send was refused repeats it: if it is permitted by then, it is
    /// stored after later ones.
    pub refuses: bool,
    /// The clients whose user was to be erased at some time.
    pub erased: BTreeSet<usize>,
    current: BTreeMap<Channel, usize>,
    /// The current life of the data. Another one begins when it is lost or restored.
    life: usize,
    /// The lives of runs.
    runs: BTreeMap<String, usize>,
    /// The position of an id in the current life of the data.
    places: HashMap<Uuid, (usize, u64)>,
    /// In earlier lives.
    lost: HashMap<Uuid, Vec<(usize, u64)>>,
}

impl Ledger {
    /// A run of the store has begun.
    pub fn begin_run(&mut self, tag: &str) {
        self.runs.insert(tag.to_owned(), self.life);
    }

    /// The current log of a channel, which the store calls `epoch`.
    pub fn open(&mut self, channel: &Channel, epoch: &str) -> usize {
        if let Some(log) = self.current.get(channel) {
            return *log;
        }
        let log = Log {
            channel: channel.clone(),
            epoch: epoch.to_owned(),
            life: self.life,
            entries: Vec::new(),
            trimmed: 0,
            texts: Texts::default(),
            last: BTreeMap::new(),
        };
        self.logs.push(log);
        self.current.insert(channel.clone(), self.logs.len() - 1);
        self.logs.len() - 1
    }

    /// The current log of a channel, if it was ever read.
    pub fn current(&self, channel: &Channel) -> Option<usize> {
        self.current.get(channel).copied()
    }

    /// The channels with a log now.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.current.keys()
    }

    /// The log of a channel in the life of the data that a run belongs to.
    pub fn in_run(&self, channel: &Channel, run: &str) -> Option<usize> {
        let life = *self.runs.get(run)?;
        self.logs.iter().rposition(|log| log.channel == *channel && log.life == life)
    }

    /// Whether two logs have the same entries up to an offset.
    pub fn agree(&self, one: usize, other: usize, offset: u64) -> bool {
        let start = |log: usize| self.logs[log].entries.get(..offset as usize);
        one == other || (start(one).is_some() && start(one) == start(other))
    }

    /// The store has committed an entry.
    pub fn stored(&mut self, channel: &Channel, epoch: &str, offset: u64, id: Uuid) -> Result<(), Violation> {
        let place = self.open(channel, epoch);
        let log = &mut self.logs[place];
        if offset != log.head() + 1 {
            return violated(Rule::Offset, format!("{channel} gave offset {offset} after {}", log.head()));
        }
        log.entries.push(id);
        if let Some((_, first)) = self.places.insert(id, (place, offset)) {
            return violated(
                Rule::StoredTwice,
                format!("{} is in {channel} at {first} and again at {offset}", name(id)),
            );
        }
        if id.get_version_num() != 7 {
            // The server's own, about a chat.
            return Ok(());
        }
        let (client, number) = sender(id);
        let before = log.last.insert(client, number).unwrap_or(0);
        // What a chat refuses to one who is not a member any more may be repeated later in the same way.
        let refuses = self.refuses || channels::chat_of(channel).is_some();
        if before > number && !refuses {
            return violated(
                Rule::SendOrder,
                format!("{channel} has {} after number {before} of the same client", name(id)),
            );
        }
        Ok(())
    }

    /// Everything up to an offset was trimmed.
    pub fn trimmed(&mut self, channel: &Channel, up_to: u64) {
        if let Some(log) = self.current(channel) {
            self.logs[log].trimmed = self.logs[log].trimmed.max(up_to);
        }
    }

    /// Whether nothing may be left of a message, because the erasure of its sender was ever requested.
    pub fn may_be_erased(&self, id: Uuid) -> bool {
        id.get_version_num() == 7 && self.erased.contains(&sender(id).0)
    }

    /// Every current log, to note erasures in.
    pub fn current_logs(&mut self) -> impl Iterator<Item = &mut Log> {
        let current = &self.current;
        let is_current = |log: &usize, of: &Channel| current.get(of) == Some(log);
        self.logs
            .iter_mut()
            .enumerate()
            .filter(move |(n, log)| is_current(n, &log.channel))
            .map(|(_, log)| log)
    }

    /// All data was lost.
    pub fn wiped(&mut self) {
        self.life += 1;
        self.current.clear();
        for (id, place) in self.places.drain() {
            self.lost.entry(id).or_default().push(place);
        }
    }

    /// The logs that a copy of the data would have now, with their lengths.
    pub fn copy(&self) -> Vec<(usize, u64)> {
        self.current.values().map(|log| (*log, self.logs[*log].head())).collect()
    }

    /// The data is what it was when a copy was made. Returns the logs of the copy, and their continuations.
    pub fn restored(&mut self, copy: &[(usize, u64)]) -> Vec<(usize, usize)> {
        self.wiped();
        let mut continued = Vec::new();
        for (original, head) in copy {
            let Log { channel, epoch, entries, texts, .. } = &self.logs[*original];
            let texts = texts.up_to(*head);
            let (channel, epoch) = (channel.clone(), epoch.clone());
            let entries = entries[..*head as usize].to_vec();
            let place = self.open(&channel, &epoch);
            for (at, id) in entries.iter().enumerate() {
                self.places.insert(*id, (place, at as u64 + 1));
                let (client, number) = sender(*id);
                self.logs[place].last.insert(client, number);
            }
            self.logs[place].entries = entries;
            self.logs[place].texts = texts;
            continued.push((*original, place));
        }
        continued
    }

    /// Where an id is now.
    pub fn place(&self, id: Uuid) -> Option<(usize, u64)> {
        self.places.get(&id).copied()
    }

    /// Whether an id was in data that is lost.
    pub fn was_lost(&self, id: Uuid) -> bool {
        self.lost.contains_key(&id)
    }

    /// Whether an id was ever stored at this offset of this channel.
    pub fn has(&self, id: Uuid, channel: &Channel, offset: u64) -> bool {
        let earlier = self.lost.get(&id).into_iter().flatten();
        self.places
            .get(&id)
            .into_iter()
            .chain(earlier)
            .any(|(log, at)| *at == offset && self.logs[*log].channel == *channel)
    }
}

/// An id in readable form: client and number.
pub fn name(id: Uuid) -> String {
    if id.get_version_num() != 7 {
        return id.to_string();
    }
    let (client, number) = sender(id);
    format!("c{client}#{number}")
}

/// Whether a text, as JSON, is the one of this message: it begins with its name, and `c1#63` is not the name of `c1#6`.
pub fn is_text_of(id: Uuid, text: &str) -> bool {
    let rest = text.strip_prefix('"').and_then(|text| text.strip_prefix(&*name(id)));
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_another_message_may_begin_with_the_same_digits() {
        let id: Uuid = "00000000-0002-7000-8000-000000000006".parse().unwrap();
        assert_eq!(name(id), "c1#6");
        assert!(is_text_of(id, "\"c1#6\"") && is_text_of(id, "\"c1#6 and more\""));
        assert!(!is_text_of(id, "\"c1#63\"") && !is_text_of(id, "c1#6") && !is_text_of(id, "\"c1#5\""));
    }

    fn news() -> Channel {
        "news".parse().unwrap()
    }

    #[test]
    fn an_id_says_who_sent_it() {
        for (client, number) in [(0, 1), (7, 123_456), (99, 3)] {
            assert_eq!(sender(id(client, number)), (client, number));
            assert_eq!(id(client, number).get_version_num(), 7);
        }
    }

    #[test]
    fn the_rules_of_a_log() {
        let mut ledger = Ledger::default();
        ledger.stored(&news(), "a", 1, id(0, 1)).unwrap();
        ledger.stored(&news(), "a", 2, id(1, 1)).unwrap();
        ledger.stored(&news(), "a", 3, id(0, 5)).unwrap();
        assert!(ledger.has(id(0, 5), &news(), 3) && !ledger.has(id(0, 5), &news(), 2));
        assert_eq!(ledger.stored(&news(), "a", 3, id(0, 6)).unwrap_err().rule, Rule::Offset);
        assert_eq!(ledger.stored(&news(), "a", 4, id(0, 4)).unwrap_err().rule, Rule::SendOrder);
        assert_eq!(ledger.stored(&news(), "a", 5, id(1, 1)).unwrap_err().rule, Rule::StoredTwice);
    }

    #[test]
    fn after_a_loss_of_data_the_same_may_be_stored_again() {
        let mut ledger = Ledger::default();
        ledger.stored(&news(), "a", 1, id(0, 1)).unwrap();
        ledger.wiped();
        ledger.stored(&news(), "a", 1, id(0, 1)).unwrap();
        assert_eq!(ledger.logs.len(), 2);
    }

    #[test]
    fn a_copy_continues_with_the_entries_that_it_has() {
        let mut ledger = Ledger::default();
        ledger.begin_run("first");
        ledger.stored(&news(), "a", 1, id(0, 1)).unwrap();
        let copy = ledger.copy();
        ledger.stored(&news(), "a", 2, id(0, 2)).unwrap();
        assert_eq!(ledger.restored(&copy), [(0, 1)]);
        ledger.begin_run("second");
        ledger.stored(&news(), "a", 2, id(0, 2)).unwrap();
        ledger.stored(&news(), "a", 3, id(0, 3)).unwrap();
        assert_eq!((ledger.in_run(&news(), "first"), ledger.in_run(&news(), "second")), (Some(0), Some(1)));
        assert!(ledger.agree(0, 1, 2) && !ledger.agree(0, 1, 3));
    }
}
