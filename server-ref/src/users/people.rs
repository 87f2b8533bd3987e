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
    pub change: Option<StatusChange>,
    /// The user data to store, after a join or leave or under a new name.
    pub remember: Option<UserRecord>,
}

impl From<Option<StatusChange>> for StatusUpdate {
    fn from(change: Option<StatusChange>) -> Self {
        Self { change, remember: None }
    }
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
        StatusUpdate { change: self.next_change(now_ms, user), remember }
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
        self.next_change(now_ms, &user)
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
        self.next_change(now_ms, &user)
    }

    /// A new token has given a session's user another name.
    pub fn rename(&mut self, now_ms: u64, session: Uuid, name: &str) -> StatusUpdate {
        let Some(user) = self.sessions.get(&session).cloned() else { return StatusUpdate::default() };
        let renamed = self.users.get_mut(&user).filter(|known| known.name.as_deref() != Some(name));
        let Some(known) = renamed else { return StatusUpdate::default() };
        known.name = Some(name.into());
        known.untold_name = true;
        let remember = Some(known.person(&user, true));
        StatusUpdate { change: self.next_change(now_ms, &user), remember }
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
        if known.sessions.is_empty() { None } else { self.next_change(now_ms, user) }
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
                    let change = self.deferred_change(now_ms, &user)?;
                    return Some(StatusUpdate { change: Some(change), remember: None });
                }
                let known = self.users.remove(&user)?;
                let remember = Some(known.person(&user, false));
                let (before, last_seen) = (known.shown, known.seen_at);
                if before == Status::Offline {
                    return Some(StatusUpdate { change: None, remember });
                }
                self.version += 1;
                let (now, version) = (Status::Offline, self.version);
                let name = known.name;
                let change = StatusChange { user, name, renamed: false, before, now, last_seen, version };
                Some(StatusUpdate { change: Some(change), remember })
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

    /// Some of the online users, from the first or after one.
    pub fn some_members(&self, after: Option<&str>, most: usize) -> Vec<Member> {
        let range = (after.map_or(Unbounded, Excluded), Unbounded);
        let users = self.users.range::<str, _>(range);
        users.filter_map(|(user, _)| self.member(user)).take(most).collect()
    }

    /// The version of the list of online users.
    pub fn version(&self) -> u64 {
        self.version
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
    fn deferred_change(&mut self, now_ms: u64, user: &str) -> Option<StatusChange> {
        if self.users.get(user)?.sessions.is_empty() { None } else { self.next_change(now_ms, user) }
    }

    /// The change to be told now, if there is one.
    fn next_change(&mut self, now_ms: u64, user: &str) -> Option<StatusChange> {
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
mod tests;
