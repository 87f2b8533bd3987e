//! Who is online, under a virtual clock.

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
    told(people.enter(at(now_ms), tab(n), "a", Some("A"), None).change)
}

#[test]
fn a_new_name_is_told_and_stored_once() {
    let mut people = People::default();
    let enter = |people: &mut People, now_ms: u64, n: u128, name: Option<&str>| {
        let update = people.enter(at(now_ms), tab(n), "a", name, None);
        (update.change.map(|change| (change.name, change.renamed, change.now)), update.remember.is_some())
    };
    assert_eq!(enter(&mut people, 1, 1, Some("A")), (Some((Some("A".into()), false, Online)), true));
    assert_eq!(enter(&mut people, 2, 2, Some("A")), (None, false));
    assert_eq!(enter(&mut people, 3, 3, None), (None, false), "a token without a name says nothing");
    assert_eq!(enter(&mut people, 4, 2, Some("An")), (None, true), "one change was told just now");
    assert_eq!(enter(&mut people, 5, 2, Some("Anna")), (None, true));
    assert_eq!(people.next_expiry(), Some(1_001));
    let waiting = people.expire(1_001).remove(0).change.unwrap();
    assert_eq!((waiting.name.as_deref(), waiting.renamed, waiting.now), (Some("Anna"), true, Online));
    assert_eq!(enter(&mut people, 2_001, 2, Some("Ann")), (Some((Some("Ann".into()), true, Online)), true));
    assert_eq!(people.members(None, None).listed.items[0].name.as_deref(), Some("Ann"));
    people.choose(at(3_001), "a", StatusChoice::Offline);
    assert_eq!(enter(&mut people, 4_001, 2, Some("A")), (None, true), "nobody sees a user who is hidden");
}

fn exit(people: &mut People, now_ms: u64, n: u128) -> Option<(Status, Status)> {
    told(people.exit(at(now_ms), tab(n).0, tab(n).1, now_ms + 10))
}

fn told(change: Option<StatusChange>) -> Option<(Status, Status)> {
    change.map(|change| (change.before, change.now))
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
    let StatusUpdate { change: Some(change), remember: Some(person) } = gone.remove(0) else {
        panic!("a has left")
    };
    assert_eq!((change.before, change.now, change.last_seen), (Online, Offline, Some(wall(300))));
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
        all.extend(people.expire(now_ms).into_iter().filter_map(|update| told(update.change)));
    }
    assert!((5..=10).contains(&all.len()), "{} times in ten seconds", all.len());
    // It ends active, and that is what the others know in the end.
    people.idle(11_001, tab(1).0, false);
    let last: Vec<_> = people.expire(13_000).into_iter().filter_map(|update| told(update.change)).collect();
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
    assert_eq!(people.idle(2_100, tab(1).0, true).map(|change| change.now), Some(Away));
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
    assert_eq!(gone.change, None);
    let stored = gone.remember.unwrap();
    assert_eq!(stored.seen_at, Some(wall(7_000)));
    // Still hidden after the next sign-in, until it is changed.
    assert_eq!(people.enter(at(11_000), tab(1), "a", None, Some(&stored)).change, None);
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
    assert_eq!(people.enter(at(10), tab(1), "a", Some("A"), None).change, None);
    let gone: Vec<_> = people.expire(20).into_iter().filter_map(|update| update.change).collect();
    assert_eq!(gone.len(), 1);
    assert_eq!((gone[0].user.as_str(), gone[0].last_seen), ("c", Some(5)));
}

#[test]
fn a_name_that_a_new_token_brings_is_told_and_stored_once() {
    let mut people = People::default();
    people.enter(at(0), tab(1), "a", Some("Ann"), None);
    let (session, _) = tab(1);
    let mut rename = |now_ms: u64, session, name: &str| {
        let update = people.rename(now_ms, session, name);
        let told = update.change.map(|change| (change.name, change.renamed));
        (told, update.remember.and_then(|person| person.name))
    };
    let anna = || Some("Anna".to_owned());
    assert_eq!(rename(5_000, session, "Anna"), (Some((anna(), true)), anna()));
    assert_eq!(rename(9_000, session, "Anna"), (None, None), "that is no change");
    assert_eq!(rename(9_000, Uuid::nil(), "Eve"), (None, None), "nobody");
    assert_eq!(people.name("a"), anna());
}
