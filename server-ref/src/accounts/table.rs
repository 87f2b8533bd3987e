//! Accounts by key. Idle ones are forgotten, and there are never more than a fixed number: what limits others must not grow
//! without a limit itself.

use std::collections::BTreeMap;

/// How many accounts are kept before idle ones are removed.
const FIRST_SWEEP: usize = 1024;

/// The most accounts of one table. Keys beyond share one account, until idle ones can be removed.
const MOST: usize = 128 * 1024;

#[derive(Debug)]
pub(crate) struct Table<K, V> {
    of: BTreeMap<K, V>,
    sweep_at: usize,
    /// When a full table was last swept in vain: the next attempt is a second later.
    swept_at: u64,
    /// The account of all keys for which there is no room.
    rest: V,
}

impl<K, V: Default> Default for Table<K, V> {
    fn default() -> Self {
        Self { of: BTreeMap::new(), sweep_at: FIRST_SWEEP, swept_at: 0, rest: V::default() }
    }
}

impl<K: Ord, V: Default> Table<K, V> {
    /// The account of a key. `is_idle` tells of an account whether it can be forgotten.
    pub(crate) fn of(&mut self, now_ms: u64, key: K, is_idle: impl Fn(&V) -> bool) -> &mut V {
        if self.of.len() >= self.sweep_at && (self.of.len() < MOST || now_ms >= self.swept_at + 1_000) {
            self.of.retain(|_, kept| !is_idle(kept));
            self.sweep_at = (self.of.len() * 2).clamp(FIRST_SWEEP, MOST);
            self.swept_at = now_ms;
        }
        if self.of.len() >= MOST && !self.of.contains_key(&key) {
            return &mut self.rest;
        }
        self.of.entry(key).or_default()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.of.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_accounts_are_forgotten() {
        let mut table = Table::<u64, u64>::default();
        for n in 0..10_000 {
            *table.of(n, n, |used_at| used_at + 10 < n) = n;
        }
        assert!(table.len() <= FIRST_SWEEP, "{}", table.len());
        assert_eq!(*table.of(10_000, 9_999, |_| false), 9_999);
    }

    #[test]
    fn keys_without_end_share_what_is_left() {
        let mut table = Table::<usize, u64>::default();
        for n in 0..MOST + 5_000 {
            *table.of(0, n, |_| false) += 1;
        }
        assert_eq!((table.len(), *table.of(0, MOST + 1, |_| false)), (MOST, 5_000));
        assert_eq!(*table.of(0, 7, |_| false), 1, "those who were there before keep theirs");
        *table.of(5_000, MOST + 1, |_| true) = 9;
        assert!(table.len() <= FIRST_SWEEP, "{}", table.len());
    }
}
