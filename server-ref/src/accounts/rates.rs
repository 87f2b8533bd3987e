//! Rate limits: counts, and returns how long to wait. Has no clock; callers pass the time.

use std::collections::VecDeque;

use everwire_protocol::Uuid;
use parking_lot::Mutex;

use super::{Bucket, Level, costs, table::Table};
use crate::model::identity::{Identity, Payer, RateClass};

/// The period over which sends are counted, in ms.
const MINUTE_MS: u64 = 60_000;

/// How much more than one session a user may use over all sessions.
const SESSIONS: u32 = 4;

/// New connections of one session. A client that is put off for longer than this takes has found a balancer that sends each
/// of its polls to another node, or reconnects in a loop.
const NEW_CONNECTIONS: Bucket = Bucket { per_second: 10, burst: 100 };

/// New sessions: each leaves a row in the database for two weeks. A user who opens many tabs at once has as many.
const NEW_SESSIONS: Bucket = Bucket { per_second: 1, burst: 128 };

/// New chats, in fifths: one every five seconds, 20 at once.
const NEW_CHATS: Bucket = Bucket { per_second: 1, burst: 100 };
const NEW_CHAT: u32 = 5;

/// Invitations, each of which others are told of. A group of a hundred is invited at once.
const INVITATIONS: Bucket = Bucket { per_second: 1, burst: 300 };

/// Changes of chats: each is a transaction of its own, for which everybody who sends waits. None where requests have no limit.
const CHAT_CHANGES: Bucket = Bucket { per_second: 5, burst: 100 };

/// Deliveries of typing and signals, each of a kibibyte. A frame costs by who receives it: in a small channel the limit of frames
/// comes first, in one with a thousand subscribers this one. None where those have no limit.
const DELIVERIES: Bucket = Bucket { per_second: 10_000, burst: 40_000 };

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
    accounts: Mutex<Table<Payer, Account>>,
    sessions: Mutex<Table<Uuid, Session>>,
}

/// What one session has used.
#[derive(Debug, Default)]
struct Session {
    ephemeral: Level,
    receipts: Level,
    requests: Level,
    connections: Level,
}

/// What one user, or the guests of one address, have used over all sessions.
#[derive(Debug, Default)]
struct Account {
    sends: VecDeque<u64>,
    /// Of all sessions together.
    shared: Session,
    work: Level,
    sessions: Level,
    chats: Level,
    chat_changes: Level,
    invitations: Level,
    deliveries: Level,
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
            accounts: Mutex::default(),
            sessions: Mutex::default(),
        }
    }

    /// Counts something, by those who pay for it and where that is not enough also by session. If it exceeds a limit, the
    /// error is how long to wait, in ms, and it is not counted.
    pub(crate) fn take(
        &self,
        who: &Identity,
        session: Uuid,
        what: RateClass,
        now_ms: u64,
    ) -> Result<(), u32> {
        {
            let mut accounts = self.accounts.lock();
            let idle = |account: &Account| self.is_idle(account, now_ms);
            let account = accounts.of(now_ms, who.payer.clone(), idle);
            self.charge(account, what, now_ms)?;
        }
        if matches!(
            what,
            RateClass::Send
                | RateClass::Work(_)
                | RateClass::NewSession
                | RateClass::NewChat
                | RateClass::ChatChange
                | RateClass::Invitations(_)
                | RateClass::Deliveries(_)
        ) {
            return Ok(());
        }
        let mut sessions = self.sessions.lock();
        let levels = sessions.of(now_ms, session, |levels| self.is_full(levels, 1, now_ms));
        self.count(levels, 1, what, now_ms)
    }

    fn charge(&self, account: &mut Account, what: RateClass, now_ms: u64) -> Result<(), u32> {
        match what {
            RateClass::Send => self.take_send(&mut account.sends, now_ms),
            RateClass::Ephemeral | RateClass::Receipt | RateClass::Request | RateClass::NewConnection => {
                self.count(&mut account.shared, SESSIONS, what, now_ms)
            }
            RateClass::Work(units) => account.work.take(now_ms, costs::ACCOUNT, units),
            RateClass::NewSession => account.sessions.take(now_ms, NEW_SESSIONS, 1),
            RateClass::NewChat => account.chats.take(now_ms, NEW_CHATS, NEW_CHAT),
            RateClass::ChatChange if self.requests.per_second == 0 => Ok(()),
            RateClass::ChatChange => account.chat_changes.take(now_ms, CHAT_CHANGES, 1),
            RateClass::Invitations(users) => account.invitations.take(now_ms, INVITATIONS, users),
            RateClass::Deliveries(_) if self.ephemeral.per_second == 0 => Ok(()),
            RateClass::Deliveries(number) => account.deliveries.take(now_ms, DELIVERIES, number),
        }
    }

    /// Counts what is limited by session; `times` is how much more is allowed.
    fn count(&self, of: &mut Session, times: u32, what: RateClass, now_ms: u64) -> Result<(), u32> {
        let (level, bucket) = match what {
            RateClass::Ephemeral => (&mut of.ephemeral, self.ephemeral),
            RateClass::Receipt => (&mut of.receipts, self.receipts),
            RateClass::Request => (&mut of.requests, self.requests),
            RateClass::NewConnection => (&mut of.connections, NEW_CONNECTIONS),
            RateClass::Send
            | RateClass::Work(_)
            | RateClass::NewSession
            | RateClass::NewChat
            | RateClass::ChatChange
            | RateClass::Invitations(_)
            | RateClass::Deliveries(_) => return Ok(()),
        };
        level.take(now_ms, bucket.times(times), 1)
    }

    fn is_full(&self, of: &Session, times: u32, now_ms: u64) -> bool {
        let Self { ephemeral, receipts, requests, .. } = self;
        of.ephemeral.is_full(now_ms, ephemeral.times(times))
            && of.receipts.is_full(now_ms, receipts.times(times))
            && of.requests.is_full(now_ms, requests.times(times))
            && of.connections.is_full(now_ms, NEW_CONNECTIONS.times(times))
    }

    fn is_idle(&self, account: &Account, now_ms: u64) -> bool {
        account.sends.back().is_none_or(|at| at + MINUTE_MS <= now_ms)
            && self.is_full(&account.shared, SESSIONS, now_ms)
            && account.work.is_full(now_ms, costs::ACCOUNT)
            && account.sessions.is_full(now_ms, NEW_SESSIONS)
            && account.chats.is_full(now_ms, NEW_CHATS)
            && account.chat_changes.is_full(now_ms, CHAT_CHANGES)
            && account.invitations.is_full(now_ms, INVITATIONS)
            && account.deliveries.is_full(now_ms, DELIVERIES)
    }

    /// Counts over a sliding minute, not over calendar minutes or an average, so that the announced limit is never
    /// exceeded.
    fn take_send(&self, sends: &mut VecDeque<u64>, now_ms: u64) -> Result<(), u32> {
        let Some(most) = self.sends_per_minute else { return Ok(()) };
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
    use std::sync::Arc;

    use super::*;
    use crate::model::address::AddressKey;

    fn rates() -> Rates {
        Rates::new(Some(3), Bucket { per_second: 10, burst: 2 }, Bucket { per_second: 0, burst: 0 })
    }

    fn user(name: &str) -> Identity {
        let user: Arc<str> = name.into();
        let payer = Payer::User(user.clone());
        Identity { user, name: None, grants: Arc::default(), expires_at: None, token: None, payer }
    }

    fn session(n: u64) -> Uuid {
        Uuid::from_u128(n.into())
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
    fn a_fresh_session_for_every_request_is_no_way_around_the_limit() {
        let limit = Bucket { per_second: 20, burst: 60 };
        let rates = Rates::new(None, limit, limit);
        for what in [RateClass::Ephemeral, RateClass::Request] {
            let taken = |user: &Identity, from: u64, at| {
                (from..from + 5_000).filter(|n| rates.take(user, session(*n), what, at).is_ok()).count()
            };
            assert_eq!(taken(&user("a"), 0, 1_000), 240);
            assert_eq!(taken(&user("a"), 5_000, 2_000), 80);
            assert_eq!(taken(&user("b"), 10_000, 2_000), 240);
        }
    }

    #[test]
    fn guests_pay_by_their_address_whatever_names_they_choose() {
        let rates = Rates::default();
        let guest = |n: u64, address: &str| {
            let payer = Payer::Address(AddressKey::of(address.parse().unwrap()));
            Identity { payer, ..user(&n.to_string()) }
        };
        let taken = |address: &str| {
            let new =
                |n: &u64| rates.take(&guest(*n, address), session(*n), RateClass::NewSession, 0).is_ok();
            (0..1_000).filter(new).count()
        };
        assert_eq!([taken("192.0.2.1"), taken("192.0.2.1"), taken("192.0.2.2")], [128, 0, 128]);
    }

    #[test]
    fn work_chats_and_invitations_are_counted_by_what_they_cost() {
        let rates = Rates::default();
        let count = |what| (0..10_000).filter(|_| rates.take(&user("a"), HERE, what, 0).is_ok()).count();
        assert_eq!(count(RateClass::Work(32)), 1_024);
        assert_eq!(count(RateClass::NewChat), 20);
        assert_eq!(count(RateClass::ChatChange), 100);
        assert_eq!(count(RateClass::Invitations(99)), 3);
        assert_eq!(count(RateClass::Invitations(1)), 3);
        assert_eq!(count(RateClass::Deliveries(1_000)), 40);
        assert_eq!(rates.take(&user("a"), HERE, RateClass::NewChat, 0), Err(5_000));
    }

    #[test]
    fn who_does_nothing_any_more_is_forgotten() {
        let rates = rates();
        for n in 0..5_000_u64 {
            let (at, who) = (n * 1_000, user(&n.to_string()));
            assert_eq!(rates.take(&who, session(n), RateClass::Send, at), Ok(()));
            assert_eq!(rates.take(&who, session(n), RateClass::Receipt, at), Ok(()));
        }
        assert!(rates.accounts.lock().len() <= 1024 && rates.sessions.lock().len() <= 1024);
    }
}
