//! Chats in the database, as the rules change them.

use std::sync::Arc;

use everwire_protocol::{Action, Channel, ChatKind, Payload, Role, Uuid};
use everwire_server::{
    chats::{Actor, Bounds, Command, Decision, Newcomer, decide},
    model::{
        chat::{ChatRecord, Room},
        log::{NewEntry, SendPermission},
    },
    store::{
        Store,
        chats::{ChatStore, ChatWrite, Tail},
        sqlite::SqliteStore,
    },
};

fn user(name: &str) -> Actor {
    Actor::User { user: name.into(), name: Some(name.to_uppercase().into()) }
}

fn entry(n: u128, room: &Room, user: &str, event: Option<&str>) -> NewEntry {
    NewEntry {
        id: Uuid::from_u128(n),
        channel: room.log().unwrap(),
        user: user.into(),
        name: None,
        event: event.map(Into::into),
        data: Payload::from_value(&n).unwrap(),
        action: None,
        target: None,
        permission: SendPermission::Granted,
    }
}

#[tokio::test]
async fn chats_are_read_as_they_were_written_with_the_order_of_their_members() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("everwire.db");
    let store = SqliteStore::open(&path, 1000).await.unwrap();
    let invited = ["bob", "cyd", "dan"].map(|name| Newcomer { user: name.into(), name: None, role: None });
    let id = Uuid::from_u128(7);
    let create = Command::Create {
        id,
        kind: ChatKind::Group,
        title: Some("All".into()),
        open: true,
        users: invited.into(),
    };
    let rename = Command::Rename { title: "Other".into() };
    let promote = Command::SetRole { user: "cyd".into(), role: Role::ReadOnly };
    let mut room: Option<Room> = None;
    for (n, (who, act)) in [
        ("ann", create),
        ("dan", Command::Join),
        ("cyd", Command::Join),
        ("ann", promote),
        ("ann", rename),
        ("ann", Command::Leave),
        ("ann", Command::Join),
        ("eve", Command::Join),
        ("bob", Command::Leave),
    ]
    .into_iter()
    .enumerate()
    {
        let decided = decide(room.as_ref(), &user(who), &act, Bounds::default(), 100 + n as u64).unwrap();
        let Decision::Changed(change) = decided else { panic!("{who} {act:?}") };
        let entries = [entry(n as u128 + 1, &change.room, who, Some("everwire.chat"))];
        let at = 200 + n as u64;
        store
            .change_chats(at, &[ChatWrite { before: room.as_ref(), after: &change.room, entries: &entries }])
            .await
            .unwrap();
        let known = ChatRecord { room: Arc::new(change.room.clone()), at };
        assert_eq!(store.chat(&known.room.id).await.unwrap().as_ref(), Some(&known), "{who} {act:?}");
        assert_eq!(store.chat("none").await.unwrap(), None);
        assert_eq!(store.chats().await.unwrap(), [known], "{who} {act:?}");
        room = Some(change.room);
    }
    let room = room.unwrap();
    let order: Vec<_> = room.participants.iter().map(|participant| &*participant.user).collect();
    assert_eq!(order, ["dan", "cyd", "ann", "eve"]);

    let (log, empty) = (room.log().unwrap(), "private-chat.none".parse::<Channel>().unwrap());
    let asked = [(log.clone(), 0), (empty, 0), (log, 11)];
    assert_eq!(store.tails("ann", &asked).await.unwrap()[0], Tail { head: 9, unread: 0, last: None });
    let edit = NewEntry {
        action: Some(Action::Edit),
        target: Some(Uuid::from_u128(20)),
        ..entry(24, &room, "cyd", None)
    };
    let said = [
        entry(20, &room, "cyd", None),
        entry(21, &room, "ann", None),
        entry(22, &room, "cyd", Some("notification")),
        entry(23, &room, "cyd", Some("typo")),
        edit,
    ];
    store.append(300, &said).await.unwrap();
    let tails = store.tails("ann", &asked).await.unwrap();
    assert_eq!((tails[0].head, tails[0].unread, tails[2].unread), (14, 2, 1));
    assert_eq!(tails[0].last.as_ref().map(|message| message.id), Some(Uuid::from_u128(22)));
    assert_eq!(tails[1], Tail::default());
    drop(store);
    let store = SqliteStore::open(&path, 1000).await.unwrap();
    assert_eq!(store.chats().await.unwrap(), [ChatRecord { room: Arc::new(room), at: 300 }]);
}
