//! Receipts: their receivers, and their persistence.

use std::time::Duration;

use everwire_protocol::{ErrorCode, GapReason, Receipt, Role, ServerFrame, Subscribed, UserReceipt};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::kit::{
    Client, chat, hello,
    http::{Http, poll, polled},
    new_id,
    program::Program,
    receipt, recent, send, serve, subscribe, undelivered,
};

fn receipted(frame: ServerFrame) -> Option<Receipt> {
    if let ServerFrame::Receipt(receipted) = frame { Some(receipted) } else { None }
}

fn mark(receipted: &Receipt) -> (&str, u64, u64, Option<u32>) {
    (&receipted.user, receipted.delivered, receipted.read, receipted.unread)
}

#[tokio::test]
async fn in_a_chat_everybody_sees_how_far_others_have_read_and_marks_only_rise() {
    let served = serve(|_| {}).await;
    chat(&served, "7", &[("a", Role::Owner), ("b", Role::ReadOnly), ("gone", Role::Member)]);
    let log = "private-chat.7";
    let mut a = Client::connect(served.address(), "a").await;
    let mut b = Client::connect(served.address(), "b").await;
    let mut gone = Client::connect(served.address(), "gone").await;
    let Subscribed { epoch, receipts, .. } = a.join(subscribe(log)).await;
    assert_eq!(receipts, Some(vec![]));
    b.join(subscribe(log)).await;
    for n in 0..5 {
        a.chat(log, &n.to_string()).await;
    }
    gone.say(&[receipt(log, &epoch, 1, 0)]).await;
    assert_eq!(mark(&a.find(receipted).await), ("gone", 1, 0, None));
    b.say(&[receipt(log, &epoch, 4, 2)]).await;
    assert_eq!(mark(&a.find(receipted).await), ("b", 4, 2, None));
    assert_eq!(mark(&b.find(|f| receipted(f).filter(|r| r.user == "b")).await), ("b", 4, 2, Some(3)));
    // Lower marks change nothing, and others hear nothing of them; what does not exist cannot have been read.
    b.say(&[receipt(log, &epoch, 1, 1)]).await;
    assert_eq!(mark(&b.find(receipted).await), ("b", 4, 2, Some(3)));
    b.say(&[receipt(log, &epoch, 0, 900)]).await;
    assert_eq!(mark(&b.find(receipted).await), ("b", 5, 5, Some(0)));
    assert_eq!(mark(&a.find(receipted).await), ("b", 5, 5, None));
    // What was said of another log is about none of these.
    b.say(&[receipt(log, "another", 5, 5)]).await;
    assert_eq!(b.settle().await, []);
    // Who is no member any more is left out.
    chat(&served, "7", &[("a", Role::Owner), ("b", Role::ReadOnly)]);
    let marks = a.join(subscribe(log)).await.receipts.unwrap();
    assert_eq!(marks, [UserReceipt { user: "b".into(), delivered: 5, read: 5 }]);
    gone.say(&[receipt(log, &epoch, 0, 5)]).await;
    assert_eq!(gone.error().await.code, ErrorCode::Forbidden);
    served.server.stop().await;
}

#[tokio::test]
async fn in_a_large_chat_the_others_marks_are_not_told_and_ones_own_are() {
    let served = serve(|_| {}).await;
    let names: Vec<String> = (0..101).map(|n| format!("u{n}")).collect();
    let members: Vec<_> = names.iter().map(|name| (name.as_str(), Role::Member)).collect();
    chat(&served, "7", &members);
    let log = "private-chat.7";
    let mut a = Client::connect(served.address(), "u1").await;
    let mut b = Client::connect(served.address(), "u2").await;
    let epoch = a.join(subscribe(log)).await.epoch;
    b.join(subscribe(log)).await;
    a.chat(log, "to all").await;
    b.message().await;
    b.say(&[receipt(log, &epoch, 1, 1)]).await;
    assert_eq!(mark(&b.find(receipted).await), ("u2", 1, 1, Some(0)));
    assert!(a.settle().await.iter().all(|frame| !matches!(frame, ServerFrame::Receipt(_))));
    assert_eq!(a.join(subscribe(log)).await.receipts, Some(vec![]));
    // One fewer, and they are.
    chat(&served, "7", &members[..100]);
    b.say(&[receipt(log, &epoch, 1, 1)]).await;
    b.find(receipted).await;
    let marks = a.join(subscribe(log)).await.receipts.unwrap();
    assert_eq!(marks, [UserReceipt { user: "u2".into(), delivered: 1, read: 1 }]);
    served.server.stop().await;
}

#[tokio::test]
async fn elsewhere_only_the_own_connections_are_told_whatever_they_are_subscribed_to_of_two() {
    let served = serve(|_| {}).await;
    let mut sender = Client::connect(served.address(), "s").await;
    for n in 0..3 {
        sender.chat("private-room", &n.to_string()).await;
    }
    let mut other = Client::connect(served.address(), "b").await;
    let epoch = other.join(subscribe("private-room")).await.epoch;
    let mut here = Client::connect(served.address(), "a").await;
    here.join(subscribe("private-room")).await;
    let mut home = Client::connect(served.address(), "a").await;
    home.join(subscribe("private-user.a")).await;
    let mut both = Client::connect(served.address(), "a").await;
    both.join(subscribe("private-room")).await;
    both.join(subscribe("private-user.a")).await;
    // By a post, which belongs to no connection.
    let http = Http::to(served.address());
    assert_eq!(http.post(&[hello("a", new_id()), receipt("private-room", &epoch, 3, 1)]).await, []);
    for client in [&mut here, &mut home, &mut both] {
        assert_eq!(mark(&client.find(receipted).await), ("a", 3, 1, Some(2)));
        assert_eq!(client.settle().await, []);
    }
    assert_eq!(other.settle().await, []);
    let own = here.join(subscribe("private-room")).await.receipts.unwrap();
    assert_eq!(own, [UserReceipt { user: "a".into(), delivered: 3, read: 1 }]);
    assert_eq!(other.join(subscribe("private-room")).await.receipts, Some(vec![]));
    assert_eq!(other.join(subscribe("news")).await.receipts, None);
    served.server.stop().await;
}

#[tokio::test]
async fn what_was_not_delivered_on_any_device_is_delivered_on_the_next() {
    let served = serve(|config| config.session.replay_limit = 20).await;
    let mut sender = Client::connect(served.address(), "s").await;
    for n in 0..5 {
        sender.chat("private-room", &n.to_string()).await;
    }
    let mut client = Client::connect(served.address(), "a").await;
    let Subscribed { epoch, offset, .. } = client.join(undelivered("private-room", 2)).await;
    assert_eq!(offset, 3);
    client.say(&[receipt("private-room", &epoch, 4, 0)]).await;
    client.find(receipted).await;
    drop(client);
    // On another device, by polling.
    let http = Http::to(served.address());
    let frames = [hello("a", new_id()), poll(None, 0, 25_000), undelivered("private-room", 0)];
    let (_, frames) = polled(http.post(&frames).await);
    let [ServerFrame::Welcome(_), ServerFrame::Subscribed(at), ServerFrame::Message(missed)] = &frames[..]
    else {
        panic!("{frames:?}")
    };
    assert_eq!((at.offset, &at.gap, missed.offset), (4, &None, 5));
    for n in 0..30 {
        sender.chat("private-room", &n.to_string()).await;
    }
    let mut late = Client::connect(served.address(), "a").await;
    let at = late.join(undelivered("private-room", 1)).await;
    assert_eq!(
        (at.offset, at.gap.map(|gap| (gap.from, gap.to, gap.reason))),
        (35, Some((5, 35, GapReason::TooFar)))
    );
    assert_eq!(late.join(recent("private-room", 1)).await.offset, 34);
    served.server.stop().await;
}

#[tokio::test]
async fn what_was_said_to_a_user_before_the_first_visit_is_undelivered() {
    let served = serve(|_| {}).await;
    let mut before = Client::connect(served.address(), "a").await;
    before.chat("private-user.a", "welcome").await;
    drop(before);
    let mut client = Client::connect(served.address(), "a").await;
    assert_eq!(client.join(undelivered("private-user.a", 0)).await.offset, 0);
    assert_eq!(client.message().await.offset, 1);
    served.server.stop().await;
}

#[tokio::test]
async fn marks_survive_the_death_of_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let mut program = Program::start(&database, &[]);
    let mut client = Client::connect(program.address, "a").await;
    let mut other = Client::connect(program.address, "b").await;
    for n in 0..3 {
        other.chat("private-room", &n.to_string()).await;
    }
    let epoch = client.join(subscribe("private-room")).await.epoch;
    client.say(&[receipt("private-room", &epoch, 3, 2)]).await;
    client.find(receipted).await;
    // In good order, and then not: what was written stays either way.
    program.signal("TERM");
    assert!(program.ended().success());
    for delivered in [2, 3] {
        let program = Program::start(&database, &[]);
        let mut client = Client::connect(program.address, "a").await;
        let own = client.join(subscribe("private-room")).await.receipts.unwrap();
        assert_eq!(own, [UserReceipt { user: "a".into(), delivered: 3, read: 2 }]);
        client.say(&[receipt("private-room", &epoch, delivered, 0)]).await;
        assert_eq!(mark(&client.find(receipted).await), ("a", 3, 2, Some(1)));
        program.kill();
    }
}

#[tokio::test]
async fn a_mark_that_the_database_cannot_take_in_now_is_taken_in_later() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let program = Program::start(&database, &[]);
    let mut client = Client::connect(program.address, "a").await;
    let epoch = client.join(subscribe("private-room")).await.epoch;
    client.chat("private-room", "one").await;
    client.chat("private-room", "two").await;
    client.settle().await;
    let options = SqliteConnectOptions::new().filename(&database).busy_timeout(Duration::from_secs(20));
    let mut surgeon = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("ALTER TABLE marks RENAME TO away").execute(&mut surgeon).await.unwrap();
    client.say(&[receipt("private-room", &epoch, 1, 1), receipt("private-room", &epoch, 2, 0)]).await;
    // No error: the client need not do anything.
    assert_eq!(client.settle().await, []);
    sqlx::query("ALTER TABLE away RENAME TO marks").execute(&mut surgeon).await.unwrap();
    assert_eq!(mark(&client.find(receipted).await), ("a", 2, 1, Some(0)));
}

#[tokio::test]
async fn unread_are_plain_messages_of_others() {
    let served = serve(|_| {}).await;
    let mut a = Client::connect(served.address(), "a").await;
    let mut b = Client::connect(served.address(), "b").await;
    let epoch = a.join(subscribe("private-room")).await.epoch;
    let (id, own) = (new_id(), new_id());
    b.say(&[send(id, "private-room", "one"), send(new_id(), "private-room", "two")]).await;
    b.ack().await;
    b.ack().await;
    let edit = super::kit::act(new_id(), "private-room", everwire_protocol::Action::Edit, id, "first");
    b.say(&[edit, super::kit::act(new_id(), "private-room", everwire_protocol::Action::Reply, id, "three")])
        .await;
    b.ack().await;
    b.ack().await;
    a.say(&[send(own, "private-room", "mine")]).await;
    a.ack().await;
    a.say(&[receipt("private-room", &epoch, 1, 0)]).await;
    assert_eq!(mark(&a.find(receipted).await), ("a", 1, 0, Some(3)));
    a.say(&[receipt("private-room", &epoch, 0, 2)]).await;
    assert_eq!(mark(&a.find(receipted).await), ("a", 2, 2, Some(1)));
    served.server.stop().await;
}
