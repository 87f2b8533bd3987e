//! Joins and leaves that have not been stored yet. They are stored so that a restarted server expects the members back. Does
//! not know the store; the writer takes them out.

use std::collections::BTreeMap;

use everwire_protocol::Channel;
use parking_lot::Mutex;
use tokio::sync::{MutexGuard, Notify};

use crate::model::people::PresenceRecord;

/// Maximum number of pending changes: some 20 MB. Beyond it, for example when the disk is full for long, they are dropped, and
/// all members are written again.
const MOST: usize = 100_000;

/// The pending changes: the last one per user and channel.
#[derive(Debug)]
pub struct PendingPresence {
    most: usize,
    changed: Mutex<Changed>,
    some: Notify,
    /// Held during a write, so that an older state never overwrites a newer one.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Changed {
    /// Whether the user is present, and the name.
    of: BTreeMap<(Channel, String), (bool, Option<String>)>,
    /// There were too many changes.
    all: bool,
}

/// What has to be written.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// These changes.
    Changes(Vec<PresenceRecord>),
    /// All current members, replacing what is stored.
    All,
}

impl Default for PendingPresence {
    fn default() -> Self {
        let (changed, some, writing) = (Mutex::default(), Notify::new(), tokio::sync::Mutex::default());
        Self { most: MOST, changed, some, writing }
    }
}

impl PendingPresence {
    /// Records a join or leave. Changes of one user and channel must be recorded in order.
    pub(super) fn add(&self, channel: &Channel, user: &str, here: bool, name: Option<&str>) {
        let mut changed = self.changed.lock();
        if changed.all {
            return;
        }
        changed.of.insert((channel.clone(), user.into()), (here, name.map(Into::into)));
        changed.bound(self.most);
        drop(changed);
        self.some.notify_one();
    }

    /// Takes the pending changes. Nobody else can while the guard lives.
    pub async fn take(&self) -> (MutexGuard<'_, ()>, Due) {
        let guard = self.writing.lock().await;
        let Changed { of, all } = std::mem::take(&mut *self.changed.lock());
        if all {
            return (guard, Due::All);
        }
        let changes = of
            .into_iter()
            .map(|((channel, user), (here, name))| PresenceRecord { channel, user, name, here })
            .collect();
        (guard, Due::Changes(changes))
    }

    /// Puts back changes that could not be written. Changes recorded meanwhile are newer.
    pub fn put_back(&self, due: Due) {
        let mut changed = self.changed.lock();
        match due {
            Due::Changes(older) if !changed.all => {
                for PresenceRecord { channel, user, name, here } in older {
                    changed.of.entry((channel, user)).or_insert((here, name));
                }
                changed.bound(self.most);
            }
            Due::Changes(_) => {}
            Due::All => *changed = Changed { of: BTreeMap::new(), all: true },
        }
    }

    /// Returns when there may be something to write. Can be cancelled.
    pub async fn some(&self) {
        self.some.notified().await;
    }

    /// Makes [`Self::some`] return.
    pub fn wake(&self) {
        self.some.notify_one();
    }
}

impl Changed {
    fn bound(&mut self, most: usize) {
        if self.of.len() > most {
            *self = Self { of: BTreeMap::new(), all: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(user: &str, here: bool) -> PresenceRecord {
        let channel = "presence-hall".parse().unwrap();
        PresenceRecord { channel, user: user.into(), name: None, here }
    }

    fn note(notes: &PendingPresence, user: &str, here: bool) {
        notes.add(&"presence-hall".parse().unwrap(), user, here, None);
    }

    #[tokio::test]
    async fn the_last_change_of_each_counts_also_after_a_failure() {
        let notes = PendingPresence::default();
        note(&notes, "a", true);
        note(&notes, "a", false);
        let (guard, due) = notes.take().await;
        assert_eq!(due, Due::Changes(vec![change("a", false)]));
        note(&notes, "a", true);
        notes.put_back(due);
        drop(guard);
        assert_eq!(notes.take().await.1, Due::Changes(vec![change("a", true)]));
        assert_eq!(notes.take().await.1, Due::Changes(vec![]));
    }

    #[tokio::test]
    async fn too_many_changes_are_not_kept_and_all_is_written_then() {
        let notes = PendingPresence { most: 2, ..PendingPresence::default() };
        for user in ["a", "b", "c", "d"] {
            note(&notes, user, true);
        }
        let (guard, due) = notes.take().await;
        assert_eq!(due, Due::All);
        note(&notes, "e", true);
        notes.put_back(due);
        drop(guard);
        assert!(notes.changed.lock().of.is_empty());
        assert_eq!(notes.take().await.1, Due::All);
        note(&notes, "f", false);
        assert_eq!(notes.take().await.1, Due::Changes(vec![change("f", false)]));
    }
}
