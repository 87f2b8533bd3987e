//! The members of one channel: one join and one leave per user, regardless of the number of connections, and a grace period
//! before a leave. Has no clock; callers pass the time.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use everwire_protocol::{Member, Uuid};

use crate::model::paging::{Listed, MemberPage};

/// The members of one channel.
#[derive(Debug, Default)]
pub struct Presence {
    members: BTreeMap<String, Present>,
    connections: BTreeMap<Uuid, String>,
    version: u64,
}

#[derive(Debug)]
struct Present {
    name: Option<String>,
    connections: usize,
    /// When the user leaves, unless a connection returns.
    leaves_at: Option<u64>,
}

impl Presence {
    /// A user who was present when the server was stopped leaves at `leaves_at`, unless a connection returns before.
    pub fn expect(&mut self, user: String, name: Option<String>, leaves_at: u64) {
        self.version += 1;
        let present = Present { name, connections: 0, leaves_at: Some(leaves_at) };
        self.members.entry(user).or_insert(present);
    }

    /// Adds a connection of `member`. Returns the new version of the list if the user was not in it, or had another name.
    pub fn enter(&mut self, connection: Uuid, member: &Member) -> Option<u64> {
        let again = self.connections.insert(connection, member.user.clone()).is_some();
        if let Some(present) = self.members.get_mut(&member.user) {
            if !again {
                present.connections += 1;
                present.leaves_at = None;
            }
            if member.name.is_none() || member.name == present.name {
                return None;
            }
            present.name.clone_from(&member.name);
            self.version += 1;
            return Some(self.version);
        }
        let present = Present { name: member.name.clone(), connections: 1, leaves_at: None };
        self.members.insert(member.user.clone(), present);
        self.version += 1;
        Some(self.version)
    }

    /// Removes a connection. If it was its user's last, the user leaves at `leaves_at`.
    pub fn exit(&mut self, connection: Uuid, leaves_at: u64) {
        let Some(user) = self.connections.remove(&connection) else { return };
        if let Some(present) = self.members.get_mut(&user) {
            present.connections -= 1;
            if present.connections == 0 {
                present.leaves_at = Some(leaves_at);
            }
        }
    }

    /// Removes the users whose grace period is over. Returns them with the version of the list.
    pub fn expire(&mut self, now_ms: u64) -> Vec<(String, u64)> {
        let over = |_: &String, present: &mut Present| present.leaves_at.is_some_and(|at| at <= now_ms);
        let version = &mut self.version;
        let gone = self.members.extract_if(.., over).map(|(user, _)| {
            *version += 1;
            (user, *version)
        });
        gone.collect()
    }

    /// When the next grace period is over.
    pub fn next_expiry(&self) -> Option<u64> {
        self.members.values().filter_map(|present| present.leaves_at).min()
    }

    /// All members, by user id.
    pub fn members(&self) -> impl Iterator<Item = Member> {
        self.members.iter().map(member)
    }

    /// A page of the list, from the first user or after one, and the list's version.
    pub fn page(&self, after: Option<&str>) -> MemberPage {
        let after = after.map_or(Unbounded, Excluded);
        let members = self.members.range::<str, _>((after, Unbounded)).map(member);
        MemberPage { listed: Listed::of(members), version: self.version }
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

fn member((user, present): (&String, &Present)) -> Member {
    Member { user: user.clone(), name: present.name.clone(), status: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(presence: &Presence) -> (Vec<Member>, u64) {
        (presence.members().collect(), presence.page(None).version)
    }

    #[test]
    fn the_pages_are_the_whole_list() {
        let mut presence = Presence::default();
        for n in 0..2_000 {
            let user = format!("{n:04}{}", "\"".repeat(100));
            presence.enter(tab(n), &member(&user));
        }
        let (mut all, mut after, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let page = presence.page(after.as_deref());
            after = page.next();
            all.extend(page.listed.items);
            pages += 1;
            if after.is_none() {
                break;
            }
        }
        assert!(pages > 1);
        assert_eq!(all, presence.members().collect::<Vec<_>>());
    }

    fn member(user: &str) -> Member {
        Member { user: user.into(), name: None, status: None }
    }

    fn gone(presence: &mut Presence, now_ms: u64) -> Vec<String> {
        presence.expire(now_ms).into_iter().map(|(user, _)| user).collect()
    }

    fn tab(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn one_join_and_one_leave_per_user_however_many_tabs() {
        let mut presence = Presence::default();
        assert!(presence.enter(tab(1), &member("a")).is_some());
        assert!(presence.enter(tab(2), &member("a")).is_none());
        presence.exit(tab(1), 10_000);
        assert_eq!((presence.next_expiry(), presence.expire(99_999)), (None, vec![]));
        presence.exit(tab(2), 20_000);
        assert_eq!(presence.expire(19_999), []);
        assert_eq!(gone(&mut presence, 20_000), ["a"]);
        assert_eq!(presence.expire(20_000), []);
        assert!(presence.is_empty());
    }

    #[test]
    fn a_new_name_is_a_change_of_the_list_and_no_join() {
        let mut presence = Presence::default();
        let named = |name: &str| Member { name: Some(name.into()), ..member("a") };
        assert_eq!(presence.enter(tab(1), &named("A")), Some(1));
        assert_eq!(presence.enter(tab(2), &named("Anna")), Some(2));
        assert_eq!(presence.enter(tab(3), &named("Anna")), None);
        assert_eq!(presence.enter(tab(3), &member("a")), None, "a token without a name says nothing");
        assert_eq!(listed(&presence), (vec![named("Anna")], 2));
        for n in 1..=3 {
            presence.exit(tab(n), 0);
        }
        assert_eq!(gone(&mut presence, 0), ["a"]);
    }

    #[test]
    fn a_reload_shows_no_flicker() {
        let mut presence = Presence::default();
        assert!(presence.enter(tab(1), &member("a")).is_some());
        presence.exit(tab(1), 10_000);
        assert_eq!(presence.enter(tab(2), &member("a")), None);
        assert_eq!(presence.expire(99_999), []);
        assert_eq!(listed(&presence).0, [member("a")]);
    }

    #[test]
    fn a_connection_that_comes_or_goes_twice_counts_once() {
        let mut presence = Presence::default();
        presence.enter(tab(1), &member("a"));
        presence.enter(tab(1), &member("a"));
        presence.enter(tab(2), &member("b"));
        presence.exit(tab(1), 0);
        presence.exit(tab(1), 0);
        assert_eq!(gone(&mut presence, 0), ["a"]);
        assert_eq!(listed(&presence).0, [member("b")]);
    }

    #[test]
    fn who_was_present_before_a_restart_is_expected_back() {
        let mut presence = Presence::default();
        for user in ["a", "b", "c"] {
            presence.expect(user.into(), None, 10_000);
        }
        assert_eq!(listed(&presence), (vec![member("a"), member("b"), member("c")], 3));
        assert_eq!(presence.enter(tab(1), &member("b")), None);
        assert_eq!(presence.enter(tab(2), &member("d")), Some(4));
        assert_eq!((presence.next_expiry(), presence.expire(9_999)), (Some(10_000), vec![]));
        assert_eq!(presence.expire(10_000), [("a".into(), 5), ("c".into(), 6)]);
        assert_eq!((presence.next_expiry(), listed(&presence).1), (None, 6));
        presence.exit(tab(1), 20_000);
        assert_eq!(gone(&mut presence, 20_000), ["b"]);
    }
}
