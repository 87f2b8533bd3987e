//! The server by WebSocket: what a client is promised.

use std::collections::HashMap;

use everwire_protocol::{CloseCode, ErrorCode, GapReason, ServerFrame};
use tokio_tungstenite::tungstenite::Message as WsMessage;

use super::kit::{
    self, Client, Ended, PATIENCE, channel, hello_with, new_id, recent, resume, send, serve, subscribe,
    text_of,
};

#[tokio::test]
async fn a_message_is_acked_and_reaches_every_subscriber_once_with_the_id_of_its_sender() {
    let served = serve(|_| {}).await;
    let mut a = Client::connect(served.address(), "a").await;
    let mut b = Client::connect(served.address(), "b").await;
    let (at_a, at_b) = (a.join(subscribe("news")).await, b.join(subscribe("news")).await);
    assert_eq!((at_a.offset, at_a.head, &at_a.gap), (0, 0, &None));
    assert_eq!(at_a.epoch, at_b.epoch);
    let id = new_id();
    a.say(&[send(id, "news", "hello")]).await;
    let ServerFrame::Ack(ack) = a.next().await else { panic!("the ack comes before the echo") };
    assert_eq!((ack.id, ack.offset, ack.channel), (id, 1, channel("news")));
    for client in [&mut a, &mut b] {
        let message = client.message().await;
        assert_eq!((message.id, message.offset, message.at), (id, 1, ack.at));
        assert_eq!((message.user.as_str(), message.name.as_deref()), ("a", Some("A")));
        assert_eq!(text_of(&message), "hello");
        assert_eq!(client.settle().await, []);
    }
    served.server.stop().await;
}

#[tokio::test]
async fn the_first_batch_may_hold_everything() {
    let served = serve(|_| {}).await;
    let mut a = Client::open(served.address()).await;
    a.say(&[kit::hello("a", new_id()), subscribe("news"), send(new_id(), "news", "hello")]).await;
    a.welcome().await;
    let (mut subscribed, mut acked) = (false, false);
    while !acked || !subscribed {
        match a.next().await {
            ServerFrame::Subscribed(_) => subscribed = true,
            ServerFrame::Ack(_) => acked = true,
            ServerFrame::Message(_) => {}
            other => panic!("{other:?}"),
        }
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed_packed_and_then_what_comes() {
    let served = serve(|_| {}).await;
    let mut a = Client::connect(served.address(), "a").await;
    let first = a.join(subscribe("news")).await;
    for n in 0..300 {
        a.say(&[send(new_id(), "news", &n.to_string())]).await;
    }
    for _ in 0..300 {
        a.ack().await;
    }
    let mut b = Client::connect(served.address(), "b").await;
    let before = b.messages;
    let answer = b.join(resume("news", &first.epoch, 100)).await;
    assert_eq!((answer.offset, answer.head, answer.gap), (100, 300, None));
    for offset in 101..=300 {
        let message = b.message().await;
        assert_eq!((message.offset, text_of(&message)), (offset, (offset - 1).to_string()));
    }
    assert!(b.messages - before <= 4, "{} messages for 200 frames", b.messages - before);
    a.chat("news", "live").await;
    assert_eq!(b.message().await.offset, 301);
    let mut c = Client::connect(served.address(), "c").await;
    assert_eq!(c.join(recent("news", 2)).await.offset, 299);
    assert_eq!((c.message().await.offset, c.message().await.offset), (300, 301));
    served.server.stop().await;
}

#[tokio::test]
async fn what_was_trimmed_or_is_too_much_is_a_gap() {
    let served = serve(|config| {
        config.retention = 10;
        config.session.replay_limit = 5;
    })
    .await;
    let mut a = Client::connect(served.address(), "a").await;
    let epoch = a.join(subscribe("news")).await.epoch;
    for n in 0..30 {
        a.chat("news", &n.to_string()).await;
    }
    let gap = a.join(resume("news", &epoch, 1)).await.gap.unwrap();
    assert_eq!((gap.from, gap.to, gap.reason), (2, 30, GapReason::TooFar));
    let gap = a.join(resume("news", "another", 1)).await.gap.unwrap();
    assert_eq!(gap.reason, GapReason::Epoch);
    served.server.stop().await;

    let served = serve(|config| config.retention = 10).await;
    let mut a = Client::connect(served.address(), "a").await;
    let epoch = a.join(subscribe("news")).await.epoch;
    for n in 0..30 {
        a.chat("news", &n.to_string()).await;
    }
    let answer = a.join(resume("news", &epoch, 1)).await;
    let gap = answer.gap.unwrap();
    assert_eq!((gap.from, gap.to, gap.reason), (2, answer.offset, GapReason::Trimmed));
    assert!((19..=20).contains(&gap.to), "{gap:?}");
    assert_eq!(a.message().await.offset, gap.to + 1);
    served.server.stop().await;
}

#[tokio::test]
async fn rubbish_gets_its_documented_answer_while_others_chat_on() {
    let served = serve(|_| {}).await;
    let mut good = Client::connect(served.address(), "good").await;
    good.join(subscribe("news")).await;
    let mut bad = Client::connect(served.address(), "bad").await;
    for (text, code) in [
        ("rubbish", ErrorCode::InvalidBatch),
        ("{}", ErrorCode::InvalidBatch),
        ("[17]", ErrorCode::InvalidFrame),
        (r#"[{"type":"telepathy"}]"#, ErrorCode::UnknownType),
        (r#"[{"type":"subscribe","channel":"two words"}]"#, ErrorCode::InvalidChannel),
        (r#"[{"type":"subscribe"}]"#, ErrorCode::InvalidFrame),
    ] {
        bad.say_text(text).await;
        assert_eq!(bad.error().await.code, code, "{text}");
        good.chat("news", text).await;
        assert_eq!(text_of(&good.message().await), text);
    }
    for _ in 0..5 {
        bad.say_text("rubbish").await;
    }
    assert_eq!(bad.until_it_ends().await.1, Ended::Code(CloseCode::ProtocolViolation.as_u16()));

    let mut binary = Client::connect(served.address(), "binary").await;
    binary.say_raw(WsMessage::binary(vec![1, 2, 3])).await;
    assert_eq!(binary.until_it_ends().await.1, Ended::Code(1003));

    for bytes in [64 * 1024 + 1, 200_000, 2_000_000] {
        let mut large = Client::connect(served.address(), "large").await;
        // The server may close before all of it is written.
        large.try_say_raw(WsMessage::text("x".repeat(bytes))).await;
        let (_, ended) = large.until_it_ends().await;
        let expected = Ended::Code(CloseCode::TooLarge.as_u16());
        assert!(ended == expected || (bytes > 256 * 1024 && ended == Ended::Dropped), "{bytes}: {ended:?}");
    }
    good.chat("news", "still here").await;
    assert_eq!(text_of(&good.message().await), "still here");
    served.server.stop().await;
}

#[tokio::test]
async fn who_has_no_token_or_another_users_session_is_turned_away() {
    let served = serve(|config| {
        config.dev = false;
        config.key = Some(everwire_server::auth::token::TokenKey::new(kit::SECRET).unwrap());
    })
    .await;
    for hello in
        [hello_with(None, new_id()), hello_with(Some("rubbish"), new_id()), kit::hello("a", new_id())]
    {
        let mut client = Client::open(served.address()).await;
        client.say(&[hello]).await;
        assert_eq!(client.error().await.code, ErrorCode::Unauthorized);
        assert_eq!(client.until_it_ends().await.1, Ended::Code(CloseCode::Unauthorized.as_u16()));
    }
    let session = new_id();
    let mut a = Client::open(served.address()).await;
    a.say(&[hello_with(Some(&kit::token("a", 3600, &["private-orders"])), session)]).await;
    assert!(a.welcome().await.token_expires_in_ms.is_some());
    a.join(subscribe("private-orders")).await;
    a.join(subscribe("private-user.a")).await;
    a.say(&[subscribe("private-user.b"), subscribe("private-other")]).await;
    assert_eq!((a.ended().await, a.ended().await), (ErrorCode::Forbidden, ErrorCode::Forbidden));
    let mut b = Client::open(served.address()).await;
    b.say(&[hello_with(Some(&kit::token("b", 3600, &[])), session)]).await;
    assert_eq!(b.error().await.code, ErrorCode::SessionMismatch);
    assert_eq!(b.until_it_ends().await.1, Ended::Code(CloseCode::SessionMismatch.as_u16()));
    assert_eq!(a.settle().await, []);
    served.server.stop().await;
}

#[tokio::test]
async fn members_come_once_and_leave_after_the_grace() {
    let served = serve(|config| config.leave_grace_ms = 400).await;
    let mut watcher = Client::connect(served.address(), "w").await;
    let listed = watcher.join(subscribe("presence-room")).await.members.unwrap();
    assert_eq!(listed.len(), 1);
    let mut one = Client::connect(served.address(), "a").await;
    one.join(subscribe("presence-room")).await;
    let mut two = Client::connect(served.address(), "a").await;
    assert_eq!(two.join(subscribe("presence-room")).await.members.unwrap().len(), 2);
    let ServerFrame::MemberJoined(joined) = watcher.next().await else { panic!("a has come") };
    assert_eq!((joined.member.user.as_str(), joined.member.name.as_deref()), ("a", Some("A")));
    drop(one);
    drop(two);
    // A reload: the user is back before the grace is over.
    let mut three = Client::connect(served.address(), "a").await;
    three.join(subscribe("presence-room")).await;
    tokio::time::timeout(std::time::Duration::from_millis(800), watcher.next()).await.unwrap_err();
    let start = std::time::Instant::now();
    drop(three);
    let ServerFrame::MemberLeft(left) = watcher.next().await else { panic!("a has left") };
    assert_eq!(left.user, "a");
    // The server counts whole milliseconds, so the grace may end up to one earlier.
    assert!(start.elapsed().as_millis() >= 399 && start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    let mut four = Client::connect(served.address(), "a").await;
    four.join(subscribe("presence-room")).await;
    assert!(matches!(watcher.next().await, ServerFrame::MemberJoined(_)));
    four.say(&[kit::unsubscribe("presence-room")]).await;
    assert!(matches!(watcher.next().await, ServerFrame::MemberLeft(_)));
    served.server.stop().await;
}

#[tokio::test]
async fn twenty_senders_and_three_receivers_see_everything_once_and_in_one_order() {
    const EACH: u64 = 100;
    let served = serve(|_| {}).await;
    let address = served.address();
    let mut receivers = Vec::new();
    for user in ["r1", "r2", "r3"] {
        let mut client = Client::connect(address, user).await;
        client.join(subscribe("news")).await;
        receivers.push(client);
    }
    let senders: Vec<_> = (0..20)
        .map(|n| {
            tokio::spawn(async move {
                let mut client = Client::connect(address, &format!("s{n}")).await;
                for batch in 0..EACH / 10 {
                    let frames: Vec<_> =
                        (0..10).map(|i| send(new_id(), "news", &format!("{n}:{}", batch * 10 + i))).collect();
                    client.say(&frames).await;
                }
                let mut offsets = Vec::new();
                for _ in 0..EACH {
                    offsets.push(client.ack().await.offset);
                }
                assert!(offsets.is_sorted());
                offsets
            })
        })
        .collect();
    let mut acked = Vec::new();
    for sender in senders {
        acked.extend(sender.await.unwrap());
    }
    acked.sort_unstable();
    assert_eq!(acked, (1..=20 * EACH).collect::<Vec<_>>());
    let mut orders = Vec::new();
    for client in &mut receivers {
        let (mut order, mut next) = (Vec::new(), HashMap::new());
        for offset in 1..=20 * EACH {
            let message = client.message().await;
            assert_eq!(message.offset, offset);
            let text = text_of(&message);
            let (sender, n) = text.split_once(':').unwrap();
            let expected = next.entry(sender.to_owned()).or_insert(0_u64);
            assert_eq!(n, expected.to_string(), "the order of each sender");
            *expected += 1;
            order.push(message.id);
        }
        assert_eq!(client.settle().await, []);
        orders.push(order);
    }
    assert!(orders.iter().all(|order| *order == orders[0]));
    served.server.stop().await;
}

#[tokio::test]
async fn a_stopping_server_says_when_to_come_back_and_closes() {
    let served = serve(|config| (config.goaway_delay_ms, config.goaway_spread_ms) = (123, 456)).await;
    let mut client = Client::connect(served.address(), "a").await;
    client.join(subscribe("news")).await;
    client.say(&[send(new_id(), "news", "last words")]).await;
    client.ack().await;
    let (stopped, (frames, ended)) = tokio::join!(served.server.stop(), client.until_it_ends());
    let () = stopped;
    let goaway =
        frames.iter().find_map(|frame| if let ServerFrame::Goaway(g) = frame { Some(g) } else { None });
    assert_eq!(goaway.map(|goaway| (goaway.delay_ms, goaway.spread_ms)), Some((123, 456)));
    assert_eq!(ended, Ended::Code(CloseCode::GoingAway.as_u16()));
}

#[tokio::test]
async fn a_newer_connection_of_a_session_replaces_the_older() {
    let served = serve(|_| {}).await;
    let session = new_id();
    let (mut older, _) = Client::connect_as(served.address(), "a", session).await;
    let (mut newer, _) = Client::connect_as(served.address(), "a", session).await;
    assert_eq!(older.until_it_ends().await.1, Ended::Code(CloseCode::Replaced.as_u16()));
    assert_eq!(newer.settle().await, []);
    served.server.stop().await;
}

#[tokio::test]
async fn messages_without_frames_are_counted_like_others() {
    let served = serve(|_| {}).await;
    for nothing in
        [WsMessage::Ping(Vec::new().into()), WsMessage::Pong(Vec::new().into()), WsMessage::text("[]")]
    {
        let mut client = Client::connect(served.address(), "a").await;
        for _ in 0..200 {
            client.say_raw(nothing.clone()).await;
        }
        assert_eq!(client.settle().await, [], "a few do no harm");
        for _ in 0..10_000 {
            client.try_say_raw(nothing.clone()).await;
        }
        let (frames, ended) = client.until_it_ends().await;
        assert_eq!(ended, Ended::Code(4016), "{nothing:?}");
        let limited =
            |frame: &ServerFrame| matches!(frame, ServerFrame::Error(e) if e.code == ErrorCode::RateLimited);
        assert!(frames.iter().any(limited), "{frames:?}");
    }
    served.server.stop().await;
}
