//! Rate limits: counts, and returns how long to wait. Has no clock; callers pass the time.
//!
//! Not `governor`: its algorithm lets twice the limit pass within one minute, and it asks a clock of its own for the time.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use everwire_protocol::Uuid;
use parking_lot::Mutex;

use crate::model::identity::RateClass;

/// The period over which sends are counted, in ms.
const MINUTE_MS: u64 = 60_000;

/// How many users and sessions are tracked before idle ones are removed.
const FIRST_SWEEP: usize = 1024;

/// A token bucket: a rate per second and a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The rate per second. 0: no limit.
    pub per_second: u32,
    /// The burst.
    pub burst: u32,
}

/// The rate limits of all users and sessions.
#[derive(Debug)]
pub struct Rates {
    /// Maximum sends of one user in any minute; `None`: no limit.
    pub sends_per_minute: Option<u32>,
    /// Typing and signals of one session.
    pub ephemeral: Bucket,
    /// Receipts of one session. A reconnecting client sends one for each of its channels.
    pub receipts: Bucket,
    /// Requests of one session.
    pub requests: Bucket,
    users: Mutex<Kept<Arc<str>, VecDeque<u64>>>,
    sessions: Mutex<Kept<Uuid, [Level; 3]>>,
}

#[derive(Debug)]
struct Kept<K, V> {
    of: HashMap<K, V>,
    sweep_at: usize,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { of: HashMap::new(), sweep_at: FIRST_SWEEP }
    }
}

impl<K: std::hash::Hash + Eq, V> Kept<K, V> {
    /// Removes idle users and sessions when there are many.
    fn sweep(&mut self, keep: impl Fn(&V) -> bool) {
        if self.of.len() >= self.sweep_at {
            self.of.retain(|_, kept| keep(kept));
            self.sweep_at = (self.of.len() * 2).max(FIRST_SWEEP);
        }
    }
}

/// The level of a bucket: `missing` thousandths of a token are missing as of `at`.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    missing: u64,
    at: u64,
}

impl Level {
    fn take(&mut self, now_ms: u64, bucket: Bucket) -> Result<(), u32> {
        if bucket.per_second == 0 {
            return Ok(());
        }
        // A rate of n per second refills n thousandths per ms.
        let rate = u64::from(bucket.per_second);
        let back = now_ms.saturating_sub(self.at).saturating_mul(rate);
        self.missing = self.missing.saturating_sub(back);
        self.at = now_ms.max(self.at);
        let most = u64::from(bucket.burst.max(1)) * 1000;
        if self.missing + 1000 > most {
            let wait = (self.missing + 1000 - most).div_ceil(rate);
            return Err(u32::try_from(wait).unwrap_or(u32::MAX));
        }
        self.missing += 1000;
        Ok(())
    }
}

impl Default for Rates {
    /// No limit on sends, and limits for the rest that no user reaches.
    fn default() -> Self {
        Self::new(None, Bucket { per_second: 100, burst: 200 }, Bucket { per_second: 20, burst: 60 })
    }
}

impl Rates {
    /// Starts with full buckets.
    pub fn new(sends_per_minute: Option<u32>, ephemeral: Bucket, requests: Bucket) -> Self {
        Self {
            sends_per_minute,
            ephemeral,
            receipts: Bucket { per_second: 50, burst: 600 },
            requests,
            users: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// Counts something. If it exceeds the limit, the error is how long to wait, in ms, and it is not counted.
    pub(super) fn take(
        &self,
        user: &Arc<str>,
        session: Uuid,
        what: RateClass,
        now_ms: u64,
    ) -> Result<(), u32> {
        let (index, bucket) = match what {
            RateClass::Send => return self.take_send(user, now_ms),
            RateClass::Ephemeral => (0, self.ephemeral),
            RateClass::Receipt => (1, self.receipts),
            RateClass::Request => (2, self.requests),
        };
        let mut sessions = self.sessions.lock();
        // A second without activity refills most buckets, and a minute every one that matters.
        sessions.sweep(|levels| levels.iter().any(|level| level.at + MINUTE_MS > now_ms));
        let levels = sessions.of.entry(session).or_default();
        levels.get_mut(index).map_or(Ok(()), |level| level.take(now_ms, bucket))
    }

    /// Counts over a sliding minute, not over calendar minutes or an average, so that the announced limit is never
    /// exceeded.
    fn take_send(&self, user: &Arc<str>, now_ms: u64) -> Result<(), u32> {
        let Some(most) = self.sends_per_minute else { return Ok(()) };
        let mut users = self.users.lock();
        users.sweep(|sends| sends.back().is_some_and(|at| at + MINUTE_MS > now_ms));
        let sends = users.of.entry(user.clone()).or_default();
        while sends.front().is_some_and(|at| at + MINUTE_MS <= now_ms) {
            sends.pop_front();
        }
        if sends.len() >= most as usize {
            let free_at = sends.front().map_or(now_ms, |at| at + MINUTE_MS);
            return Err(u32::try_from(free_at.saturating_sub(now_ms)).unwrap_or(u32::MAX).max(1));
        }
        sends.push_back(now_ms);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates() -> Rates {
        Rates::new(Some(3), Bucket { per_second: 10, burst: 2 }, Bucket { per_second: 0, burst: 0 })
    }

    fn user(name: &str) -> Arc<str> {
        name.into()
    }

    const HERE: Uuid = Uuid::from_u128(1);
    const THERE: Uuid = Uuid::from_u128(2);

    #[test]
    fn no_minute_has_more_sends_than_allowed_over_all_sessions_of_a_user() {
        let rates = rates();
        let send = |name: &str, session, at| rates.take(&user(name), session, RateClass::Send, at);
        assert_eq!([send("a", HERE, 0), send("a", THERE, 10_000), send("a", HERE, 20_000)], [Ok(()); 3]);
        assert_eq!(send("a", THERE, 21_000), Err(39_000));
        assert_eq!(send("b", HERE, 21_000), Ok(()));
        assert_eq!(send("a", HERE, 59_999), Err(1));
        assert_eq!(send("a", HERE, 60_000), Ok(()));
        assert_eq!(send("a", HERE, 60_001), Err(9_999));
    }

    #[test]
    fn a_bucket_gives_a_burst_and_then_so_many_in_a_second_to_each_session() {
        let rates = rates();
        let signal = |session, at| rates.take(&user("a"), session, RateClass::Ephemeral, at);
        assert_eq!([signal(HERE, 5_000), signal(HERE, 5_000)], [Ok(()); 2]);
        assert_eq!(signal(HERE, 5_000), Err(100));
        assert_eq!(signal(THERE, 5_000), Ok(()));
        assert_eq!(signal(HERE, 5_060), Err(40));
        assert_eq!(signal(HERE, 5_100), Ok(()));
        assert_eq!(signal(HERE, 5_100), Err(100));
        assert_eq!(
            (0..99)
                .map(|_| rates.take(&user("a"), HERE, RateClass::Request, 1))
                .filter(Result::is_err)
                .count(),
            0
        );
    }

    #[test]
    fn who_does_nothing_any_more_is_forgotten() {
        let rates = rates();
        for n in 0..5_000_u64 {
            let at = n * 1_000;
            assert_eq!(
                rates.take(&n.to_string().into(), Uuid::from_u128(n.into()), RateClass::Send, at),
                Ok(())
            );
            assert_eq!(rates.take(&user("a"), Uuid::from_u128(n.into()), RateClass::Receipt, at), Ok(()));
        }
        assert!(rates.users.lock().of.len() <= FIRST_SWEEP && rates.sessions.lock().of.len() <= FIRST_SWEEP);
    }
}
