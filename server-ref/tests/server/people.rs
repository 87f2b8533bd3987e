//! Who is online and how, typing and signals, and the end of a membership.

use std::{pin::pin, time::Duration};

use everwire_protocol::{
    ClientFrame, ErrorCode, GetStatus, Idle, Member, Payload, Role, ServerFrame, SetStatus, Signal, Status,
    StatusChoice, Typing, UserStatus, Uuid,
};
use everwire_server::chats::{Actor, Command};
use futures_util::FutureExt as _;

use super::kit::{
    Client, PATIENCE, Served, channel, chat, hello,
    http::{Http, poll, polled},
    new_id,
    program::{Program, stored},
    send, serve, subscribe,
};

fn idle(idle: bool) -> ClientFrame {
    Idle { idle }.into()
}

fn choose(status: StatusChoice) -> ClientFrame {
    SetStatus { id: new_id(), status }.into()
}

fn typing(name: &str, typing: bool) -> ClientFrame {
    Typing { channel: channel(name), typing }.into()
}

fn signal(name: &str, to: Option<Uuid>) -> ClientFrame {
    let data = Payload::from_value(&1).unwrap();
    Signal { channel: channel(name), event: "wave".into(), data, to }.into()
}

/// What a watcher receives: user, event and status.
fn told(frame: ServerFrame) -> Option<(String, &'static str, Option<Status>)> {
    match frame {
        ServerFrame::MemberJoined(joined) => Some((joined.member.user, "joined", joined.member.status)),
        ServerFrame::MemberLeft(left) => Some((left.user, "left", None)),
        ServerFrame::StatusChanged(changed) => Some((changed.user, "status", Some(changed.status))),
        _ => None,
    }
}

fn about(user: &str, what: &'static str, status: Option<Status>) -> (String, &'static str, Option<Status>) {
    (user.into(), what, status)
}

async fn statuses(client: &mut Client, users: &[&str]) -> Vec<UserStatus> {
    let users = users.iter().map(|user| (*user).to_owned()).collect();
    match client.ask(GetStatus { id: new_id(), users }.into(), &["statuses", "error"]).await {
        ServerFrame::Statuses(statuses) => statuses.statuses,
        other => panic!("{other:?}"),
    }
}

async fn watcher(served: &Served) -> (Client, Vec<Member>) {
    let mut watcher = Client::connect(served.address(), "w").await;
    let members = watcher.join(subscribe("presence-users")).await.members.unwrap();
    (watcher, members)
}

#[tokio::test]
async fn everybody_who_is_online_is_listed_once_on_all_transports_whether_subscribed_or_not() {
    let served = serve(|config| config.leave_grace_ms = 300).await;
    let mut one = Client::connect(served.address(), "a").await;
    let (mut w, members) = watcher(&served).await;
    let listed: Vec<_> = members.iter().map(|member| (member.user.as_str(), member.status)).collect();
    assert_eq!(listed, [("a", Some(Status::Online)), ("w", Some(Status::Online))]);
    // Another user, by polling; and a second device of the first.
    let (http, session) = (Http::to(served.address()), new_id());
    let (_, frames) = polled(http.post(&[hello("p", session), poll(None, 0, 0)]).await);
    let ServerFrame::Welcome(welcome) = &frames[0] else { panic!("{frames:?}") };
    assert_eq!(w.find(told).await, about("p", "joined", Some(Status::Online)));
    let two = Client::connect(served.address(), "a").await;
    // Idle everywhere is away; by a post it counts for the connection of its session.
    http.post(&[hello("p", session), idle(true)]).await;
    assert_eq!(w.find(told).await, about("p", "status", Some(Status::Away)));
    one.say(&[idle(true)]).await;
    one.settle().await;
    assert_eq!(
        statuses(&mut one, &["a", "p", "nobody"]).await.iter().map(|s| s.status).collect::<Vec<_>>(),
        [Status::Online, Status::Away, Status::Offline]
    );
    drop(two);
    assert_eq!(w.find(told).await, about("a", "status", Some(Status::Away)));
    drop(one);
    let start = std::time::Instant::now();
    assert_eq!(w.find(told).await, about("a", "status", Some(Status::Offline)));
    assert_eq!(w.find(told).await, about("a", "left", None));
    assert!(start.elapsed() >= Duration::from_millis(250) && start.elapsed() < PATIENCE);
    let of_a = statuses(&mut w, &["a"]).await;
    assert!(of_a[0].last_seen.is_some_and(|at| at > 1_700_000_000_000), "{of_a:?}");
    // By `bye`, at once, also by a post.
    http.post(&[hello("p", session), everwire_protocol::Bye {}.into()]).await;
    assert_eq!(w.find(told).await, about("p", "status", Some(Status::Offline)));
    assert_eq!(w.find(told).await, about("p", "left", None));
    assert!(http.post(&[hello("p", session), poll(Some(welcome.connection), 1, 0)]).await.len() > 1);
    served.server.stop().await;
}

#[tokio::test]
async fn what_a_user_says_about_the_own_status_holds_for_all_connections_and_later_ones() {
    let served = serve(|config| config.leave_grace_ms = 0).await;
    let (mut w, _) = watcher(&served).await;
    let mut a = Client::connect(served.address(), "a").await;
    assert_eq!(w.find(told).await, about("a", "joined", Some(Status::Online)));
    for (choice, status) in [(StatusChoice::Away, Status::Away), (StatusChoice::Online, Status::Online)] {
        assert!(matches!(a.ask(choose(choice), &["done", "error"]).await, ServerFrame::Done(_)));
        assert_eq!(w.find(told).await, about("a", "status", Some(status)));
    }
    a.say(&[idle(true), choose(StatusChoice::Offline)]).await;
    assert_eq!(w.find(told).await, about("a", "status", Some(Status::Offline)));
    assert_eq!(w.find(told).await, about("a", "left", None));
    let hidden = statuses(&mut w, &["a"]).await;
    drop(a);
    // It is written a moment after the grace.
    let store = served.server.node().store.clone();
    while store.users(&["a".into()]).await.unwrap()[0].online {
        tokio::task::yield_now().await;
    }
    let mut a = Client::connect(served.address(), "a").await;
    assert_eq!(statuses(&mut w, &["a"]).await, hidden, "hidden, and last seen when it went into hiding");
    assert_eq!(w.settle().await, []);
    a.ask(choose(StatusChoice::Auto), &["done"]).await;
    assert_eq!(w.find(told).await, about("a", "joined", Some(Status::Online)));
    served.server.stop().await;
}

#[tokio::test]
async fn who_shares_a_chat_hears_of_it_at_home_and_others_do_not() {
    let served = serve(|config| config.leave_grace_ms = 0).await;
    chat(&served, "7", &[("a", Role::Owner), ("b", Role::Member), ("i", Role::Invited)]);
    let mut home = Vec::new();
    for user in ["b", "i", "c"] {
        let mut client = Client::connect(served.address(), user).await;
        client.join(subscribe(&format!("private-user.{user}"))).await;
        home.push(client);
    }
    let [b, i, c] = &mut home[..] else { unreachable!() };
    let mut a = Client::connect(served.address(), "a").await;
    a.say(&[everwire_protocol::Bye {}.into()]).await;
    for status in [Status::Online, Status::Offline] {
        let ServerFrame::StatusChanged(changed) = b.next().await else { panic!("b hears of a") };
        assert_eq!((changed.user.as_str(), changed.status), ("a", status));
        assert_eq!(changed.channel, channel("private-user.b"));
    }
    assert_eq!((i.settle().await, c.settle().await), (vec![], vec![]));
    served.server.stop().await;
}

#[tokio::test]
async fn a_restart_shows_nobody_leave_who_comes_back_and_forgets_nothing_of_the_others() {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("everwire.db");
    let program = Program::start(&database, &[]);
    let _a = Client::connect(program.address, "a").await;
    let mut gone = Client::connect(program.address, "gone").await;
    gone.ask(choose(StatusChoice::Away), &["done"]).await;
    gone.say(&[everwire_protocol::Bye {}.into()]).await;
    gone.until_it_ends().await;
    let _w = Client::connect(program.address, "w").await;
    // It is written a moment later.
    stored(&database, "SELECT user FROM people WHERE online ORDER BY user", &["a", "w"]).await;
    program.kill();
    let program = Program::start(&database, &[]);
    let mut w = Client::connect(program.address, "w").await;
    let members = w.join(subscribe("presence-users")).await.members.unwrap();
    assert_eq!(members.iter().map(|member| &*member.user).collect::<Vec<_>>(), ["a", "w"]);
    // Nobody is notified that a returns.
    let _a = Client::connect(program.address, "a").await;
    assert_eq!(w.settle().await, []);
    let _gone = Client::connect(program.address, "gone").await;
    assert_eq!(w.find(told).await, about("gone", "joined", Some(Status::Away)));
}

#[tokio::test]
async fn typing_and_signals_cross_the_transports_and_are_for_those_who_may_send() {
    let served = serve(|_| {}).await;
    chat(&served, "7", &[("a", Role::Owner), ("b", Role::Member), ("r", Role::ReadOnly)]);
    let log = "private-chat.7";
    let mut b = Client::connect(served.address(), "b").await;
    b.join(subscribe(log)).await;
    let (http, session) = (Http::to(served.address()), new_id());
    let first = [hello("a", session), poll(None, 0, 25_000), subscribe(log)];
    let (_, frames) = polled(http.post(&first).await);
    let [ServerFrame::Welcome(welcome), ServerFrame::Subscribed(at)] = &frames[..] else {
        panic!("{frames:?}")
    };
    // From polling to WebSocket, by a post.
    assert_eq!(http.post(&[hello("a", session), typing(log, true), signal(log, None)]).await, []);
    let ServerFrame::UserTyping(typed) = b.next().await else { panic!("b sees a typing") };
    assert_eq!((typed.user.as_str(), typed.typing), ("a", true));
    let ServerFrame::Signalled(got) = b.next().await else { panic!("b gets the signal") };
    assert_eq!((got.user.as_deref(), got.from), (Some("a"), Some(welcome.connection)));
    // And back, to that connection, in the response of a held poll.
    let held = [
        hello("a", session),
        poll(Some(welcome.connection), 1, 25_000),
        super::kit::resume(log, &at.epoch, at.offset),
    ];
    let answer = [signal(log, got.from)];
    let (frames, ()) = tokio::join!(http.post(&held), b.say(&answer));
    let (_, frames) = polled(frames);
    assert!(
        matches!(&frames[..], [ServerFrame::Signalled(answer)] if answer.user.as_deref() == Some("b")),
        "{frames:?}"
    );
    assert_eq!(b.settle().await, []);
    for user in ["r", "x"] {
        let mut client = Client::connect(served.address(), user).await;
        client.say(&[typing(log, true), signal(log, None)]).await;
        for _ in 0..2 {
            let error = client.error().await;
            assert_eq!((&error.code, &error.channel), (&ErrorCode::Forbidden.into(), &Some(channel(log))));
            assert!(error.message.contains(log), "{error:?}");
        }
    }
    assert_eq!(b.settle().await, []);
    served.server.stop().await;
}

#[tokio::test]
async fn nothing_stored_after_a_removal_reaches_who_was_removed_and_nothing_of_theirs_is_stored() {
    let served = serve(|_| {}).await;
    let log = "private-chat.7";
    chat(&served, "7", &[("a", Role::Owner), ("b", Role::Member)]);
    let mut a = Client::connect(served.address(), "a").await;
    let mut b = Client::connect(served.address(), "b").await;
    let mut outsider = Client::connect(served.address(), "x").await;
    a.join(subscribe("presence-chat.7")).await;
    for frame in [subscribe(log), subscribe("presence-chat.7")] {
        outsider.say(&[frame]).await;
        assert_eq!(outsider.ended().await, ErrorCode::Forbidden);
    }
    outsider.say(&[send(new_id(), log, "x")]).await;
    assert_eq!(outsider.error().await.code, ErrorCode::Forbidden);
    b.join(subscribe(log)).await;
    b.join(subscribe("presence-chat.7")).await;
    let ServerFrame::MemberJoined(joined) = a.next().await else { panic!("only b has come") };
    assert_eq!(joined.member.user, "b");
    let node = served.server.node().clone();
    // Many are sent before and after; what is between is the removal.
    let before: Vec<_> = (0..50).map(|n| send(new_id(), log, &format!("before {n}"))).collect();
    a.say(&before).await;
    for _ in 0..before.len() {
        a.ack().await;
    }
    let remove = Command::Remove { user: "b".into() };
    let mut removal = pin!(node.change_chat(Actor::BackEnd, Some("7"), remove));
    // Handed in, so that it is in one order with what is sent before and after.
    assert!((&mut removal).now_or_never().is_none());
    let after: Vec<_> = (0..50).map(|n| send(new_id(), log, &format!("after {n}"))).collect();
    a.say(&after).await;
    b.say(&[send(new_id(), log, "too late")]).await;
    let (mut ended, mut offsets, mut refused) = (Vec::new(), Vec::new(), 0);
    while ended.len() < 2 || refused == 0 {
        match b.next().await {
            ServerFrame::Unsubscribed(frame) => {
                assert_eq!(frame.code, Some(ErrorCode::Forbidden.into()));
                ended.push(frame.channel);
            }
            ServerFrame::Message(message) => offsets.push(message.offset),
            ServerFrame::Error(error) => {
                assert_eq!((error.code, error.id.is_some()), (ErrorCode::Forbidden.into(), true));
                refused += 1;
            }
            ServerFrame::Ack(ack) => panic!("stored: {ack:?}"),
            _ => {}
        }
    }
    assert!(offsets.iter().all(|offset| *offset <= 50), "{offsets:?}");
    assert_eq!(b.settle().await, []);
    // For the others the removal is a leaving.
    let (mut acks, mut left) = (0, None);
    while acks < after.len() || left.is_none() {
        match a.next().await {
            ServerFrame::Ack(_) => acks += 1,
            ServerFrame::MemberLeft(frame) => left = Some(frame.user),
            _ => {}
        }
    }
    assert_eq!(left.as_deref(), Some("b"));
    let head = node.store.log(&channel(log)).await.unwrap().head;
    assert!(removal.await.unwrap().is_some());
    assert_eq!(head, 101, "the removal is in the log too");
    served.server.stop().await;
}
