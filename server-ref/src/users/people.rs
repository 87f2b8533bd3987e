//! The online users and their status: one join and one leave per user, regardless of the number of sessions, and a grace
//! period before a leave. Plain data, like `presence`: has no clock, and returns changes instead of delivering them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use everwire_protocol::{Member, Status, StatusChoice, UserStatus, Uuid};

use crate::model::{
    paging::{Listed, MemberPage},
    people::UserRecord,
};

/// How often a change of a user's status is told at most, in ms. In between, only the newest state is kept.
pub const TOLD_EVERY_MS: u64 = 1_000;

/// All users who are online or within their grace period.
#[derive(Debug, Default)]
pub struct People {
    users: BTreeMap<String, UserEntry>,
    /// The user of each session.
    sessions: BTreeMap<Uuid, String>,
    /// The times of pending leaves and of changes to be told later, including those that are obsolete.
    due: BTreeSet<(u64, String)>,
    version: u64,
}

#[derive(Debug)]
struct UserEntry {
    name: Option<String>,
    choice: StatusChoice,
    sessions: BTreeMap<Uuid, Connected>,
    /// When the user leaves, unless a session returns.
    leaves_at: Option<u64>,
    /// The last session that ended. Its `bye` may arrive after its end.
    last: Option<Uuid>,
    /// When the user was last online, as visible to others.
    seen_at: Option<u64>,
    /// The status that others have received.
    shown: Status,
    /// When they have received it; `None`: not from this process.
    told_at: Option<u64>,
    /// Whether they have received an earlier name since.
    untold_name: bool,
}

#[derive(Debug)]
struct Connected {
    connection: Uuid,
    idle: bool,
}

/// A user's status has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// The id of the user.
    pub user: String,
    /// The name that others see.
    pub name: Option<String>,
    /// Whether that is a new one.
    pub renamed: bool,
    /// The previous status.
    pub before: Status,
    /// The current status.
    pub now: Status,
    /// When the user was last online, if offline now.
    pub last_seen: Option<u64>,
    /// Counts all changes.
    pub version: u64,
}

/// The result of an event of a user's session.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StatusUpdate {
    /// The change to deliver to others.
    pub news: Option<StatusChange>,
    /// The user data to store, after a join or leave.
    pub remember: Option<UserRecord>,
}

impl UserEntry {
    fn new(name: Option<String>, stored: Option<&UserRecord>) -> Self {
        Self {
            name,
            choice: stored.map_or(StatusChoice::Auto, |stored| stored.choice),
            sessions: BTreeMap::new(),
            leaves_at: None,
            last: None,
            seen_at: stored.and_then(|stored| stored.seen_at),
            shown: Status::Offline,
            told_at: None,
            untold_name: false,
        }
    }

    /// The user's status while there is a session.
    fn status(&self) -> Status {
        match self.choice {
            StatusChoice::Offline => Status::Offline,
            StatusChoice::Away => Status::Away,
            StatusChoice::Auto if self.sessions.values().all(|connected| connected.idle) => Status::Away,
            StatusChoice::Auto | StatusChoice::Online => Status::Online,
        }
    }

    fn person(&self, user: &str, online: bool) -> UserRecord {
        let (name, choice, seen_at) = (self.name.clone(), self.choice, self.seen_at);
        UserRecord { user: user.into(), name, choice, seen_at, online }
    }

    /// Records that the user is online at this time, unless hidden from others.
    fn seen(&mut self, wall_ms: u64) {
        if self.choice != StatusChoice::Offline {
            self.seen_at = Some(wall_ms);
        }
    }
}

impl People {
    /// Whether a user is online or within the grace period.
    pub fn knows(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Users who were online when the server was stopped leave at `leaves_at`, unless they return.
    pub fn expect(&mut self, people: Vec<UserRecord>, leaves_at: u64) {
        for person in people {
            let mut known = UserEntry::new(person.name.clone(), Some(&person));
            known.leaves_at = Some(leaves_at);
            known.shown = known.choice_shown();
            self.version += 1;
            self.due.insert((leaves_at, person.user.clone()));
            self.users.entry(person.user).or_insert(known);
        }
    }

    /// A session has connected. `stored` is the stored data of its user, if it was looked up.
    pub fn enter(
        &mut self,
        (now_ms, wall_ms): (u64, u64),
        (session, connection): (Uuid, Uuid),
        user: &str,
        name: Option<&str>,
        stored: Option<&UserRecord>,
    ) -> StatusUpdate {
        let new = !self.users.contains_key(user);
        let known = self.users.entry(user.into()).or_insert_with(|| UserEntry::new(None, stored));
        let renamed = !new && name.is_some() && name != known.name.as_deref();
        known.name = name.map(Into::into).or(known.name.take());
        known.leaves_at = None;
        known.sessions.insert(session, Connected { connection, idle: false });
        self.sessions.insert(session, user.into());
        known.seen(wall_ms);
        known.untold_name |= renamed;
        let remember = (new || renamed).then(|| known.person(user, true));
        StatusUpdate { news: self.news(now_ms, user), remember }
    }

    /// A session's connection has ended. If it was its user's last, the user leaves at `leaves_at`.
    pub fn exit(
        &mut self,
        (now_ms, wall_ms): (u64, u64),
        session: Uuid,
        connection: Uuid,
        leaves_at: u64,
    ) -> Option<StatusChange> {
        let user = self.sessions.get(&session)?.clone();
        let known = self.users.get_mut(&user)?;
        if known.sessions.get(&session).is_none_or(|connected| connected.connection != connection) {
            // Another connection of the session has replaced it.
            return None;
        }
        self.sessions.remove(&session);
        known.sessions.remove(&session);
        known.seen(wall_ms);
        if known.sessions.is_empty() {
            // Others see no change until the grace period is over.
            known.leaves_at = Some(leaves_at);
            known.last = Some(session);
            self.due.insert((leaves_at, user));
            return None;
        }
        self.news(now_ms, &user)
    }

    /// A session whose connection is already closed has ended for good. If it was its user's last, the user leaves now.
    pub fn bye(&mut self, now_ms: u64, user: &str, session: Uuid) {
        if let Some(known) = self.users.get_mut(user).filter(|known| known.last == Some(session))
            && let Some(at) = &mut known.leaves_at
        {
            *at = now_ms.min(*at);
            self.due.insert((*at, user.into()));
        }
    }

    /// A session's connection has become idle or active.
    pub fn idle(&mut self, now_ms: u64, session: Uuid, idle: bool) -> Option<StatusChange> {
        let user = self.sessions.get(&session)?.clone();
        self.users.get_mut(&user)?.sessions.get_mut(&session)?.idle = idle;
        self.news(now_ms, &user)
    }

    /// Sets the status that a user has chosen.
    pub fn choose(
        &mut self,
        (now_ms, wall_ms): (u64, u64),
        user: &str,
        choice: StatusChoice,
    ) -> Option<StatusChange> {
        let known = self.users.get_mut(user)?;
        // Before the change, so that a user who hides was last seen now.
        known.seen(wall_ms);
        known.choice = choice;
        known.seen(wall_ms);
        if known.sessions.is_empty() { None } else { self.news(now_ms, user) }
    }

    /// Removes the users whose grace period is over, and returns the changes that can be told now.
    pub fn expire(&mut self, now_ms: u64) -> Vec<StatusUpdate> {
        let mut gone = Vec::new();
        while self.due.first().is_some_and(|(at, _)| *at <= now_ms) {
            gone.extend(self.due.pop_first());
        }
        gone.into_iter()
            .filter_map(|(_, user)| {
                // Users who have returned do not leave, and users who have left again leave later.
                if self.users.get(&user)?.leaves_at.is_none_or(|at| at > now_ms) {
                    let news = self.waiting_news(now_ms, &user)?;
                    return Some(StatusUpdate { news: Some(news), remember: None });
                }
                let known = self.users.remove(&user)?;
                let remember = Some(known.person(&user, false));
                let (before, last_seen) = (known.shown, known.seen_at);
                if before == Status::Offline {
                    return Some(StatusUpdate { news: None, remember });
                }
                self.version += 1;
                let (now, version) = (Status::Offline, self.version);
                let name = known.name;
                let news = StatusChange { user, name, renamed: false, before, now, last_seen, version };
                Some(StatusUpdate { news: Some(news), remember })
            })
            .collect()
    }

    /// Forgets a user with all sessions. Returns the change for others, which does not say when the user was last seen.
    pub fn forget(&mut self, user: &str) -> Option<StatusChange> {
        let known = self.users.remove(user)?;
        for session in known.sessions.keys() {
            self.sessions.remove(session);
        }
        if known.shown == Status::Offline {
            return None;
        }
        self.version += 1;
        let (user, before, now, version) = (user.into(), known.shown, Status::Offline, self.version);
        Some(StatusChange { user, name: None, renamed: false, before, now, last_seen: None, version })
    }

    /// When the next grace period is over.
    pub fn next_expiry(&self) -> Option<u64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// A page of the online users, from the first or after one, and the version of the list; with `among`, only of these.
    pub fn members(&self, after: Option<&str>, among: Option<&BTreeSet<Arc<str>>>) -> MemberPage {
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let listed = if let Some(users) = among {
            Listed::of(users.range::<str, _>(range).filter_map(|user| self.member(user)))
        } else {
            let users = self.users.range::<str, _>(range);
            Listed::of(users.filter_map(|(user, _)| self.member(user)))
        };
        MemberPage { listed, version: self.version }
    }

    fn member(&self, user: &str) -> Option<Member> {
        let known = self.users.get(user).filter(|known| known.shown != Status::Offline)?;
        Some(Member { user: user.into(), name: known.name.clone(), status: Some(known.shown) })
    }

    /// The status of a user as others see it; `None` for a user who has not been online recently.
    pub fn status(&self, user: &str) -> Option<UserStatus> {
        let known = self.users.get(user)?;
        let last_seen = known.seen_at.filter(|_| known.shown == Status::Offline);
        Some(UserStatus { user: user.into(), status: known.shown, last_seen })
    }

    /// The name of an online user; `None` for other users, and for users without a name.
    pub fn name(&self, user: &str) -> Option<String> {
        self.users.get(user)?.name.clone()
    }

    /// The current data of all users, to be stored.
    pub fn remember(&mut self, wall_ms: u64) -> Vec<UserRecord> {
        for known in self.users.values_mut().filter(|known| !known.sessions.is_empty()) {
            known.seen(wall_ms);
        }
        self.users.iter().map(|(user, known)| known.person(user, true)).collect()
    }

    /// The number of users who are online or within their grace period.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// What was not told before because a change had just been told. While nobody is connected, others see no change.
    fn waiting_news(&mut self, now_ms: u64, user: &str) -> Option<StatusChange> {
        if self.users.get(user)?.sessions.is_empty() { None } else { self.news(now_ms, user) }
    }

    /// The change to be told now, if there is one.
    fn news(&mut self, now_ms: u64, user: &str) -> Option<StatusChange> {
        let known = self.users.get_mut(user)?;
        let (before, now, renamed) = (known.shown, known.status(), known.untold_name);
        // Nobody sees the name of a user who appears to be offline.
        if before == now && (!renamed || now == Status::Offline) {
            return None;
        }
        if let Some(later) = known.told_at.map(|at| at + TOLD_EVERY_MS).filter(|later| now_ms < *later) {
            self.due.insert((later, user.into()));
            return None;
        }
        known.shown = now;
        known.told_at = Some(now_ms);
        known.untold_name = false;
        self.version += 1;
        let last_seen = known.seen_at.filter(|_| now == Status::Offline);
        Some(StatusChange {
            user: user.into(),
            name: known.name.clone(),
            renamed,
            before,
            now,
            last_seen,
            version: self.version,
        })
    }
}

impl UserEntry {
    /// The status shown for a user who is expected back.
    fn choice_shown(&self) -> Status {
        match self.choice {
            StatusChoice::Offline => Status::Offline,
            StatusChoice::Away => Status::Away,
            StatusChoice::Auto | StatusChoice::Online => Status::Online,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two clocks at this time: the wall clock is far from the monotonic one, so no test holds if they are confused.
    fn at(now_ms: u64) -> (u64, u64) {
        (now_ms, wall(now_ms))
    }

    fn wall(now_ms: u64) -> u64 {
        1_000_000_000 + now_ms
    }

    fn tab(n: u128) -> (Uuid, Uuid) {
        (Uuid::from_u128(n), Uuid::from_u128(n + 100))
    }

    fn enter(people: &mut People, now_ms: u64, n: u128) -> Option<(Status, Status)> {
        told(people.enter(at(now_ms), tab(n), "a", Some("A"), None).news)
    }

    #[test]
    fn a_new_name_is_told_and_stored_once() {
        let mut people = People::default();
        let enter = |people: &mut People, now_ms: u64, n: u128, name: Option<&str>| {
            let update = people.enter(at(now_ms), tab(n), "a", name, None);
            (update.news.map(|news| (news.name, news.renamed, news.now)), update.remember.is_some())
        };
        assert_eq!(enter(&mut people, 1, 1, Some("A")), (Some((Some("A".into()), false, Online)), true));
        assert_eq!(enter(&mut people, 2, 2, Some("A")), (None, false));
        assert_eq!(enter(&mut people, 3, 3, None), (None, false), "a token without a name says nothing");
        assert_eq!(enter(&mut people, 4, 2, Some("An")), (None, true), "one change was told just now");
        assert_eq!(enter(&mut people, 5, 2, Some("Anna")), (None, true));
        assert_eq!(people.next_expiry(), Some(1_001));
        let waiting = people.expire(1_001).remove(0).news.unwrap();
        assert_eq!((waiting.name.as_deref(), waiting.renamed, waiting.now), (Some("Anna"), true, Online));
        assert_eq!(
            enter(&mut people, 2_001, 2, Some("Ann")),
            (Some((Some("Ann".into()), true, Online)), true)
        );
        assert_eq!(people.members(None, None).listed.items[0].name.as_deref(), Some("Ann"));
        people.choose(at(3_001), "a", StatusChoice::Offline);
        assert_eq!(enter(&mut people, 4_001, 2, Some("A")), (None, true), "nobody sees a user who is hidden");
    }

    fn exit(people: &mut People, now_ms: u64, n: u128) -> Option<(Status, Status)> {
        told(people.exit(at(now_ms), tab(n).0, tab(n).1, now_ms + 10))
    }

    fn told(news: Option<StatusChange>) -> Option<(Status, Status)> {
        news.map(|news| (news.before, news.now))
    }

    use Status::{Away, Offline, Online};

    #[test]
    fn one_coming_and_one_leaving_per_user_and_a_grace_between_two_tabs() {
        let mut people = People::default();
        assert_eq!(enter(&mut people, 1, 1), Some((Offline, Online)));
        assert_eq!(enter(&mut people, 2, 2), None);
        assert_eq!(exit(&mut people, 3, 1), None);
        assert_eq!((people.next_expiry(), people.expire(99)), (None, vec![]));
        assert_eq!(exit(&mut people, 100, 2), None);
        assert_eq!(people.expire(109), []);
        assert_eq!(enter(&mut people, 109, 3), None);
        assert_eq!(people.expire(200), []);
        assert_eq!(exit(&mut people, 300, 3), None);
        assert_eq!(people.status("a").unwrap().status, Online);
        let mut gone = people.expire(310);
        let StatusUpdate { news: Some(news), remember: Some(person) } = gone.remove(0) else {
            panic!("a has left")
        };
        assert_eq!((news.before, news.now, news.last_seen), (Online, Offline, Some(wall(300))));
        assert_eq!((person.online, person.seen_at), (false, Some(wall(300))));
        assert!(people.is_empty() && people.sessions.is_empty());
    }

    #[test]
    fn a_connection_that_was_replaced_does_not_take_its_session_along() {
        let mut people = People::default();
        people.enter(at(1), tab(1), "a", None, None);
        let session = tab(1).0;
        people.enter(at(2), (session, Uuid::from_u128(7)), "a", None, None);
        assert_eq!(people.exit(at(3), session, tab(1).1, 13), None);
        assert_eq!(people.next_expiry(), None);
        people.exit(at(4), session, Uuid::from_u128(7), 14);
        assert_eq!(people.next_expiry(), Some(14));
        people.bye(5, "a", Uuid::from_u128(99));
        assert_eq!(people.next_expiry(), Some(14));
        people.bye(5, "a", session);
        assert_eq!(people.next_expiry(), Some(5));
    }

    #[test]
    fn away_is_who_is_idle_everywhere_until_somebody_comes_back() {
        let mut people = People::default();
        enter(&mut people, 1, 1);
        enter(&mut people, 1, 2);
        assert_eq!(people.idle(2, tab(1).0, true), None);
        assert_eq!(told(people.idle(2_000, tab(2).0, true)), Some((Online, Away)));
        assert_eq!(told(people.idle(4_000, tab(1).0, false)), Some((Away, Online)));
        // The active one ends.
        assert_eq!(exit(&mut people, 6_000, 1), Some((Online, Away)));
        assert_eq!(enter(&mut people, 8_000, 1), Some((Away, Online)));
        assert_eq!(people.idle(9_000, Uuid::from_u128(99), true), None);
    }

    #[test]
    fn a_status_is_told_once_in_a_second_and_then_the_newest() {
        let mut people = People::default();
        assert_eq!(enter(&mut people, 1_000, 1), Some((Offline, Online)));
        let mut all = Vec::new();
        for now_ms in 1_001..11_000 {
            all.extend(told(people.idle(now_ms, tab(1).0, now_ms % 2 == 0)));
            all.extend(people.expire(now_ms).into_iter().filter_map(|update| told(update.news)));
        }
        assert!((5..=10).contains(&all.len()), "{} times in ten seconds", all.len());
        // It ends active, and that is what the others know in the end.
        people.idle(11_001, tab(1).0, false);
        let last: Vec<_> = people.expire(13_000).into_iter().filter_map(|update| told(update.news)).collect();
        assert!(last.len() <= 1, "{last:?}");
        assert_eq!(people.status("a").unwrap().status, Online);
        assert_eq!(people.next_expiry(), None);
    }

    #[test]
    fn who_toggles_and_ends_where_it_began_is_not_told_of() {
        let mut people = People::default();
        enter(&mut people, 1_000, 1);
        assert_eq!(people.idle(1_100, tab(1).0, true), None);
        assert_eq!(people.next_expiry(), Some(2_000));
        assert_eq!(people.idle(1_200, tab(1).0, false), None);
        assert_eq!(people.expire(2_000), []);
        assert_eq!(people.idle(2_100, tab(1).0, true).map(|news| news.now), Some(Away));
    }

    #[test]
    fn what_a_user_says_counts_more_and_who_hides_was_last_seen_then() {
        let mut people = People::default();
        enter(&mut people, 1, 1);
        assert_eq!(told(people.idle(1_500, tab(1).0, true)), Some((Online, Away)));
        assert_eq!(told(people.choose(at(3_000), "a", StatusChoice::Online)), Some((Away, Online)));
        assert_eq!(told(people.choose(at(5_000), "a", StatusChoice::Away)), Some((Online, Away)));
        let hidden = people.choose(at(7_000), "a", StatusChoice::Offline).unwrap();
        assert_eq!((hidden.now, hidden.last_seen), (Offline, Some(wall(7_000))));
        assert_eq!(people.members(None, None).listed.items, []);
        assert_eq!(people.remember(wall(8_000))[0].seen_at, Some(wall(7_000)));
        exit(&mut people, 9_000, 1);
        let gone = people.expire(10_000).remove(0);
        assert_eq!(gone.news, None);
        let stored = gone.remember.unwrap();
        assert_eq!(stored.seen_at, Some(wall(7_000)));
        // Still hidden after the next sign-in, until it is changed.
        assert_eq!(people.enter(at(11_000), tab(1), "a", None, Some(&stored)).news, None);
        assert_eq!(people.status("a").unwrap().last_seen, Some(wall(7_000)));
        assert_eq!(told(people.choose(at(13_000), "a", StatusChoice::Auto)), Some((Offline, Online)));
    }

    #[test]
    fn who_was_online_before_a_restart_is_expected_back() {
        let person = |user: &str, choice| UserRecord {
            user: user.into(),
            name: Some(user.to_uppercase()),
            choice,
            seen_at: Some(5),
            online: true,
        };
        let mut people = People::default();
        people.expect(
            vec![
                person("a", StatusChoice::Auto),
                person("b", StatusChoice::Offline),
                person("c", StatusChoice::Auto),
            ],
            20,
        );
        assert_eq!(people.members(None, None).listed.items.len(), 2);
        assert_eq!(people.enter(at(10), tab(1), "a", Some("A"), None).news, None);
        let gone: Vec<_> = people.expire(20).into_iter().filter_map(|came| came.news).collect();
        assert_eq!(gone.len(), 1);
        assert_eq!((gone[0].user.as_str(), gone[0].last_seen), ("c", Some(5)));
    }
}
