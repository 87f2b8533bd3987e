//! The hub across a restart: expected members, what subscribers receive, and what is stored.

use super::*;
use crate::connection::mailbox::mailbox;

fn channel(name: &str) -> Channel {
    name.parse().unwrap()
}

fn stored(name: &str, user: &str) -> PresenceRecord {
    let (channel, name) = (channel(name), Some(user.to_uppercase()));
    PresenceRecord { channel, user: user.into(), name, here: true }
}

fn member(user: &str) -> Member {
    Member { user: user.into(), name: Some(user.to_uppercase()), status: None }
}

fn listed(hub: &Hub, channel: &Channel) -> Vec<String> {
    hub.members(channel, None).unwrap().listed.items.into_iter().map(|member| member.user).collect()
}

async fn noted(notes: &PendingPresence) -> Vec<(String, bool)> {
    let (_guard, pending_presence::Due::Changes(changes)) = notes.take().await else {
        panic!("all is to be written")
    };
    let mut changes: Vec<_> = changes.into_iter().map(|change| (change.user, change.here)).collect();
    changes.sort();
    changes
}

#[tokio::test]
async fn after_a_restart_who_comes_back_is_not_told_of_and_who_does_not_leaves_once() {
    let notes = Arc::<PendingPresence>::default();
    let hub = Hub::new(10).with_pending(notes.clone(), Some(channel("presence-users")));
    let hall = channel("presence-hall");
    let before = [("presence-hall", "a"), ("presence-hall", "b"), ("presence-gone", "c")];
    hub.expect_members(before.map(|(name, user)| stored(name, user)).to_vec(), 1000);
    // These do not list their subscribers.
    hub.expect_members(vec![stored("presence-users", "x"), stored("news", "x")], 1000);
    assert_eq!((hub.channels(), hub.presence().len()), (0, 3));
    let ((watch, mut receiver), (other, _)) = (mailbox(9), mailbox(9));
    hub.subscribe(&hall, (Uuid::from_u128(1), 1), &watch, member("w"));
    assert_eq!(listed(&hub, &hall), ["a", "b", "w"]);
    hub.subscribe(&hall, (Uuid::from_u128(2), 1), &other, member("a"));
    assert_eq!(hub.expire(999), Some(1000));
    assert_eq!(noted(&notes).await, [("w".into(), true)]);
    assert_eq!(hub.expire(1000), None);
    assert_eq!(listed(&hub, &hall), ["a", "w"]);
    assert_eq!(noted(&notes).await, [("b".into(), false), ("c".into(), false)]);
    // All that `w` was told.
    watch.input(Input::Revoked { channel: hall.clone(), key: 1 });
    let mut mail = Vec::new();
    receiver.take(&mut mail, 9).await;
    let [MailboxMessage::Presence(change), _] = &mail[..] else { panic!("{mail:?}") };
    assert!(change.text.contains("left") && change.text.contains("\"b\""), "{change:?}");
    for (n, at_once) in [(1, true), (2, false)] {
        hub.leave(2000, &hall, Uuid::from_u128(n), at_once);
    }
    assert_eq!(hub.expire(2010), None);
    assert_eq!(noted(&notes).await, [("a".into(), false), ("w".into(), false)]);
    assert!(
        hub.shards.iter().all(|shard| shard.channels.lock().is_empty()),
        "nothing is kept of empty channels"
    );
}

#[tokio::test]
async fn who_leaves_and_returns_again_and_again_is_not_told_of_until_it_stays_away() {
    let hub = Hub::new(10_000);
    let hall = channel("presence-hall");
    let ((watch, mut receiver), (other, _mailbox)) = (mailbox(9), mailbox(9));
    hub.subscribe(&hall, (Uuid::from_u128(1), 1), &watch, member("w"));
    for now_ms in (0..60_000).step_by(10) {
        hub.subscribe(&hall, (Uuid::from_u128(2), 1), &other, member("a"));
        hub.expire(now_ms);
        hub.leave(now_ms, &hall, Uuid::from_u128(2), true);
    }
    assert_eq!(hub.expire(60_989), Some(60_990));
    assert_eq!(listed(&hub, &hall), ["a", "w"]);
    assert_eq!(hub.expire(60_990), None);
    assert_eq!(listed(&hub, &hall), ["w"]);
    watch.input(Input::Revoked { channel: hall.clone(), key: 1 });
    let mut mail = Vec::new();
    receiver.take(&mut mail, 9).await;
    let [MailboxMessage::Presence(joined), MailboxMessage::Presence(left), _] = &mail[..] else {
        panic!("{mail:?}")
    };
    assert!(joined.text.contains("joined") && left.text.contains("left"), "{joined:?} {left:?}");
}
