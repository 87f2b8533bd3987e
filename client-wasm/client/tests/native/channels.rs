//! Messages of a type of the application's, and what a stream says besides.

use everwire_client::{
    Error, Event, Gap, GapReason, History, Options, Subscribe, Transport,
    protocol::{Action, ErrorCode},
};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};

use crate::kit::{connect, guest, message, next, serve};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Order {
    Placed { id: u64, note: String },
    Shipped { id: u64 },
}

#[tokio::test]
async fn a_message_arrives_as_the_type_that_it_was_sent_as() {
    let server = serve(|_| {}).await;
    let (ada, bob) = (guest(&server.url(), "ada"), guest(&server.url(), "bob"));
    let mut events = bob.channel::<Order>("orders").unwrap().subscribe(Subscribe::recent(20)).await.unwrap();
    let orders = ada.channel::<Order>("orders").unwrap();
    let placed = Order::Placed { id: u64::MAX, note: "Grüße, \"\u{1F44B}\"\u{2028}".into() };
    let sending = orders.send(&placed);
    let id = sending.id();
    let stored = sending.await.unwrap();
    assert_eq!((stored.id, stored.offset), (id, 1));
    let got = message(&mut events).await;
    assert_eq!((got.id, got.offset, got.user.as_str(), got.at), (id, 1, "ada", stored.at));
    assert_eq!(got.data, Some(placed));
    assert_eq!(bob.user().as_deref(), Some("bob"));
    assert!(bob.connection().is_some() && bob.report().contains("subscriptions 1"), "{}", bob.report());
}

#[tokio::test]
async fn replies_edits_deletions_and_events_say_what_they_are() {
    let server = serve(|_| {}).await;
    let ada = guest(&server.url(), "ada");
    let channel = ada.channel::<Order>("orders").unwrap();
    let mut events = channel.subscribe(Subscribe::live()).await.unwrap();
    let first = channel.send(&Order::Shipped { id: 1 }).await.unwrap();
    channel.reply(first.id, &Order::Shipped { id: 2 }).await.unwrap();
    channel.edit(first.id, &Order::Shipped { id: 3 }).await.unwrap();
    channel.delete(first.id).await.unwrap();
    channel.send_event("weather", &["rain"]).await.unwrap();

    assert_eq!(message(&mut events).await.action, None);
    let reply = message(&mut events).await;
    assert_eq!((reply.action, reply.target), (Some(Action::Reply), Some(first.id)));
    assert_eq!(message(&mut events).await.action, Some(Action::Edit));
    let deletion = message(&mut events).await;
    assert_eq!((deletion.action, deletion.data), (Some(Action::Delete), None));
    // Of another type: the stream says so, goes on, and has the data as it was.
    let unreadable = next(&mut events, |event| match event {
        Event::Unreadable(unreadable) => Some(unreadable),
        _ => None,
    })
    .await;
    let entry = unreadable.message.unwrap();
    assert_eq!((unreadable.offset, entry.event.as_deref()), (5, Some("weather")));
    assert_eq!(entry.data.unwrap().read::<Vec<String>>().unwrap(), ["rain"]);
    channel.send(&Order::Shipped { id: 4 }).await.unwrap();
    assert_eq!(message(&mut events).await.offset, 6);

    let page = channel.history(History::latest(50)).await.unwrap();
    assert_eq!(page.messages.iter().map(|message| message.offset).collect::<Vec<_>>(), [1, 2, 3, 4, 6]);
    assert!(page.messages[0].deleted.is_some() && page.messages[0].data.is_none());
    assert_eq!((page.unreadable.len(), page.more), (1, false));
    assert_eq!(channel.history(History::before(3, 1)).await.unwrap().messages[0].offset, 2);
    assert_eq!(channel.history(History::after(3, 1)).await.unwrap().messages[0].offset, 4);
}

#[tokio::test]
async fn a_stream_that_is_not_polled_keeps_the_latest_and_names_what_is_missing() {
    let server = serve(|_| {}).await;
    let client = connect(Options::new(server.url()).guest("ada", "Ada").buffer(8));
    let channel = client.channel::<u32>("numbers").unwrap();
    let mut slow = channel.subscribe(Subscribe::live()).await.unwrap();
    let mut fast = channel.subscribe(Subscribe::live()).await.unwrap();
    for number in 0..50 {
        channel.send(&number).await.unwrap();
        assert_eq!(message(&mut fast).await.data, Some(number));
    }
    // Of its 51 events (the first says that it is in place), eight are kept.
    let gap = slow.next().await.unwrap();
    let Event::Gap(Gap { from, to, reason, .. }) = gap else { panic!("{gap:?}") };
    assert_eq!((from, to, reason), (1, 42, GapReason::Lagged));
    for offset in 43..=50 {
        assert_eq!(message(&mut slow).await.offset, offset);
    }
    // It goes on.
    channel.send(&50).await.unwrap();
    assert_eq!(message(&mut slow).await.offset, 51);
    let page = channel.history(History::after(from - 1, 200)).await.unwrap();
    assert_eq!(page.messages[0].data, Some(0), "the history has what the stream has not");
}

#[tokio::test]
async fn a_subscription_goes_on_where_another_has_ended() {
    let server = serve(|_| {}).await;
    let ada = guest(&server.url(), "ada");
    let channel = ada.channel::<u32>("numbers").unwrap();
    let mut events = channel.subscribe(Subscribe::live()).await.unwrap();
    for number in 1..=3 {
        channel.send(&number).await.unwrap();
    }
    assert_eq!(message(&mut events).await.data, Some(1));
    // Where it was read to, not where it has come to.
    let position = events.position().unwrap().clone();
    assert_eq!(position.offset, 1);
    drop((events, ada));
    let later = guest(&server.url(), "ada");
    let channel = later.channel::<u32>("numbers").unwrap();
    let mut events = channel.subscribe(Subscribe::after(position)).await.unwrap();
    assert_eq!(message(&mut events).await.data, Some(2));
    assert_eq!(message(&mut events).await.data, Some(3));
}

#[tokio::test]
async fn by_polling_alone_it_is_the_same() {
    let server = serve(|_| {}).await;
    let polling = connect(Options::new(server.url()).guest("ada", "Ada").transports(false, true));
    let channel = polling.channel::<u32>("numbers").unwrap();
    let mut events = channel.subscribe(Subscribe::live()).await.unwrap();
    let everwire_client::ConnectionState::Connected { transport } = polling.state() else {
        panic!("{:?}", polling.state());
    };
    assert_eq!(transport, Transport::Polling);
    let sends: Vec<_> = (1..=100).map(|number| channel.send(&number)).collect();
    for number in 1..=100 {
        assert_eq!(message(&mut events).await.data, Some(number));
    }
    for (index, sending) in sends.into_iter().enumerate() {
        assert_eq!(sending.await.unwrap().offset, index as u64 + 1);
    }
}

#[tokio::test]
async fn what_the_server_refuses_fails_alone_with_its_code() {
    let server = serve(|config| config.session.limits.payload_bytes = 1_000).await;
    let ada = guest(&server.url(), "ada");
    let channel = ada.channel::<String>("texts").unwrap();
    let mut events = channel.subscribe(Subscribe::live()).await.unwrap();
    let too_large = channel.send(&"x".repeat(2_000)).await.unwrap_err();
    assert_eq!((too_large.code(), too_large.is_retryable()), (Some("too_large"), false));
    channel.send(&"small".to_owned()).await.unwrap();
    assert_eq!(message(&mut events).await.data.as_deref(), Some("small"));
    // Another's own channel.
    let other = ada.channel::<String>("private-user.bob").unwrap();
    let refused = other.subscribe(Subscribe::live()).await.unwrap_err();
    assert!(matches!(&refused, Error::Refused { code, .. } if *code == ErrorCode::Forbidden), "{refused:?}");
    assert!(matches!(ada.channel::<u32>("two words"), Err(Error::InvalidChannel(_))));
    assert!(matches!(channel.send_event("", &1).await, Err(Error::InvalidName(_))));
}
