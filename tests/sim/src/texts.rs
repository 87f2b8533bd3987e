//! The texts of one log that were replaced or deleted: what each entry says since when, and from when on nobody may be given what it
//! said before.

use std::collections::BTreeMap;

use everwire_protocol::{Action, Message, Uuid};

use crate::ledger::{is_text_of, name};

/// What an edit or a deletion has made of an entry.
#[derive(Debug, Clone)]
struct Version {
    by: Uuid,
    deletes: bool,
    /// Where the edit or deletion is in the log.
    offset: u64,
    /// When its sender may first have known that it is stored, in virtual ms.
    told: Option<u64>,
}

/// The replaced texts of one log.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    versions: BTreeMap<u64, Vec<Version>>,
    /// The offsets of a message and of its edits so far.
    edits: BTreeMap<Uuid, Vec<u64>>,
    /// The edits and deletions, by their ids.
    actions: BTreeMap<Uuid, u64>,
    /// Entries of and about users who are erased: the user, and when the back end first knew that the erasure has ended.
    erased: BTreeMap<u64, (String, Option<u64>)>,
}

impl Texts {
    /// An edit or a deletion of the message at an offset was stored.
    pub fn rewritten(&mut self, (by, offset): (Uuid, u64), deletes: bool, (target, place): (Uuid, u64)) {
        let concerned = self.edits.entry(target).or_insert_with(|| vec![place]);
        for place in &*concerned {
            let version = Version { by, deletes, offset, told: None };
            self.versions.entry(*place).or_default().push(version);
        }
        if !deletes {
            concerned.push(offset);
        }
        self.actions.insert(by, offset);
    }

    /// The sender of an edit or a deletion is told that it is stored.
    pub fn told(&mut self, by: Uuid, now: u64) {
        if self.actions.contains_key(&by) {
            for version in self.versions.values_mut().flatten().filter(|version| version.by == by) {
                version.told.get_or_insert(now);
            }
        }
    }

    /// The back end is told that the message at an offset is deleted.
    pub fn deletion_told(&mut self, offset: u64, now: u64) {
        for version in self.versions.entry(offset).or_default().iter_mut().filter(|version| version.deletes) {
            version.told.get_or_insert(now);
        }
    }

    /// An entry belongs to a user whose erasure was accepted.
    pub fn erasing(&mut self, offset: u64, user: &str) {
        self.erased.entry(offset).or_insert((user.to_owned(), None));
    }

    /// The back end is told that nothing is left of a user.
    pub fn erased(&mut self, user: &str, now: u64) {
        for (_, told) in self.erased.values_mut().filter(|(of, _)| of == user) {
            told.get_or_insert(now);
        }
    }

    /// Whether an entry is an edit or a deletion itself.
    pub fn is_action(&self, id: Uuid) -> bool {
        self.actions.contains_key(&id)
    }

    /// Whether an entry says something else now.
    pub fn is_rewritten(&self, offset: u64) -> bool {
        self.versions.contains_key(&offset)
    }

    /// Whether the message at an offset was deleted.
    pub fn is_deleted(&self, offset: u64) -> bool {
        self.versions.get(&offset).is_some_and(|versions| versions.iter().any(|version| version.deletes))
    }

    /// What is wrong with a message that is given to somebody who asked for it then, or later. `erasing`: whether the erasure of its
    /// sender was ever requested.
    pub fn wrong(&self, message: &Message, since: u64, erasing: bool) -> Option<String> {
        let is_blank = message.user.is_empty() && message.name.is_none() && message.data.text() == "null";
        if let Some((user, Some(told))) = self.erased.get(&message.offset)
            && *told < since
            && !is_blank
        {
            let (offset, text) = (message.offset, message.data.text());
            return Some(format!(
                "{offset} says {text} to whom asks at {since}; {user} was erased at {told}"
            ));
        }
        if erasing && is_blank {
            return None;
        }
        if message.action == Some(Action::Delete) || message.id.get_version_num() != 7 {
            return None;
        }
        let versions = self.versions.get(&message.offset).map_or(&[][..], Vec::as_slice);
        let says = |id: Uuid| is_text_of(id, message.data.text());
        let is_shown = |version: &Version| match &message.deleted {
            Some(_) => version.deletes,
            None => !version.deletes && says(version.by),
        };
        let later = match versions.iter().position(is_shown) {
            Some(shown) => &versions[shown + 1..],
            None if message.deleted.is_none() && says(message.id) => versions,
            None => return Some(format!("{} says {}", name(message.id), message.data.text())),
        };
        if message.deleted.is_some() && message.data.text() != "null" {
            return Some(format!("{} was deleted and says {}", name(message.id), message.data.text()));
        }
        let replaced = later.iter().find(|version| version.told.is_some_and(|told| told < since))?;
        let (by, told) = (name(replaced.by), replaced.told);
        Some(format!(
            "{} at {} still says {} to whom asks at {since}; {by} was acknowledged at {told:?}",
            name(message.id),
            message.offset,
            message.data.text().chars().take(20).collect::<String>()
        ))
    }

    /// The same in a copy that ends at an offset.
    #[must_use]
    pub fn up_to(&self, head: u64) -> Self {
        let mut copy = self.clone();
        for versions in copy.versions.values_mut() {
            versions.retain(|version| version.offset <= head);
        }
        copy.edits.values_mut().for_each(|places| places.retain(|place| *place <= head));
        copy.edits.retain(|_, places| !places.is_empty());
        copy.actions.retain(|_, offset| *offset <= head);
        // A copy may have been made before.
        copy.erased.clear();
        copy
    }
}
