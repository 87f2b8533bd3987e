//! What is dropped ends, and nothing waits for ever.

use std::time::Duration;

use everwire_client::{Client, ConnectionState, Error, Event, Options, Subscribe, protocol::ListChats};
use futures_util::{FutureExt, StreamExt};
use tokio::{io::AsyncWriteExt, task::yield_now, time::timeout};

use crate::kit::{PATIENCE, connect, guest, message, next, serve};

fn subscriptions(client: &Client, count: usize) -> bool {
    client.report().contains(&format!("subscriptions {count}\n"))
}

#[tokio::test]
async fn the_last_subscription_of_a_channel_ends_it() {
    let server = serve(|_| {}).await;
    let ada = guest(&server.url(), "ada");
    let channel = ada.channel::<u32>("numbers").unwrap();
    let first = channel.subscribe(Subscribe::live()).await.unwrap();
    let mut second = channel.subscribe(Subscribe::live()).await.unwrap();
    assert!(subscriptions(&ada, 1));
    drop(first);
    assert!(subscriptions(&ada, 1));
    channel.send(&1).await.unwrap();
    assert_eq!(message(&mut second).await.data, Some(1));
    drop(second);
    assert!(subscriptions(&ada, 0));
    // The next one is another.
    let mut third = channel.subscribe(Subscribe::recent(10)).await.unwrap();
    assert_eq!(message(&mut third).await.data, Some(1));
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_nothing_behind() {
    // Nobody listens there.
    let client = connect(Options::new("http://127.0.0.1:9").guest("ada", "Ada"));
    let channel = client.channel::<u32>("numbers").unwrap();
    assert!(channel.subscribe(Subscribe::live()).now_or_never().is_none());
    assert!(subscriptions(&client, 0), "{}", client.report());
    assert!(client.request(|id| ListChats { id, after: None, limit: None }).now_or_never().is_none());
    // What was sent is sent, whether somebody waits for it or not.
    drop(channel.send(&1));
    assert!(client.report().contains("outbox 1\n"), "{}", client.report());
}

#[tokio::test]
async fn the_last_client_says_goodbye_and_ends_every_stream() {
    let server = serve(|_| {}).await;
    let (ada, bob) = (guest(&server.url(), "ada"), guest(&server.url(), "bob"));
    let name = "presence-room";
    let mut watched = bob.channel::<u32>(name).unwrap().subscribe(Subscribe::live()).await.unwrap();
    let channel = ada.channel::<u32>(name).unwrap();
    let mut events = channel.subscribe(Subscribe::live()).await.unwrap();
    let mut states = ada.states();
    next(&mut watched, |event| matches!(event, Event::Joined(member) if member.user == "ada").then_some(()))
        .await;

    let other = ada.clone();
    drop(ada);
    assert!(matches!(other.state(), ConnectionState::Connected { .. }));
    drop(other);
    // Without the grace that those have who were cut off.
    timeout(
        Duration::from_secs(5),
        next(&mut watched, |event| {
            matches!(event, Event::Left(member) if member.user == "ada").then_some(())
        }),
    )
    .await
    .unwrap();
    let rest = timeout(PATIENCE, async { while events.next().await.is_some() {} });
    rest.await.expect("a subscription outlives the client");
    let mut last = None;
    let rest = timeout(PATIENCE, async {
        while let Some(state) = states.next().await {
            last = Some(state);
        }
    });
    rest.await.expect("a stream outlives the client");
    assert!(matches!(last, Some(ConnectionState::Closed { code: None, .. })), "{last:?}");
    assert!(matches!(channel.send(&1).await, Err(Error::Closed { .. })));
    assert!(matches!(channel.subscribe(Subscribe::live()).await, Err(Error::Closed { .. })));
}

#[tokio::test]
async fn what_waits_fails_when_the_client_is_closed() {
    let client = connect(Options::new("http://127.0.0.1:9").guest("ada", "Ada"));
    let channel = client.channel::<u32>("numbers").unwrap();
    let (first, second) = (channel.send(&1), channel.send(&2));
    assert!(first.cancel());
    assert_eq!(first.await, Err(Error::Cancelled));
    let asked = tokio::spawn({
        let client = client.clone();
        async move { client.request(|id| ListChats { id, after: None, limit: None }).await }
    });
    let subscribed = tokio::spawn({
        let channel = channel.clone();
        async move { channel.subscribe(Subscribe::live()).await.map(drop) }
    });
    timeout(PATIENCE, async {
        while !subscriptions(&client, 1) {
            yield_now().await;
        }
    })
    .await
    .unwrap();
    client.close();
    assert!(matches!(second.await, Err(Error::Closed { .. })));
    assert!(matches!(asked.await.unwrap(), Err(Error::Closed { .. })));
    assert!(matches!(subscribed.await.unwrap(), Err(Error::Closed { .. })));
    timeout(PATIENCE, client.closed()).await.unwrap();
    timeout(PATIENCE, client.closed()).await.unwrap();
}

#[tokio::test]
async fn the_outbox_is_bounded_and_says_so_at_once() {
    let client = connect(Options::new("http://127.0.0.1:9").guest("ada", "Ada"));
    let channel = client.channel::<u32>("numbers").unwrap();
    let sends: Vec<_> = (0..1_000).map(|number| channel.send(&number)).collect();
    assert_eq!(channel.send(&1_000).await, Err(Error::QueueFull));
    drop(sends);
}

#[tokio::test]
async fn a_request_times_out() {
    let client = connect(Options::new("http://127.0.0.1:9").guest("ada", "Ada"));
    let limit = Duration::from_millis(50);
    let asked = client.request_within(limit, |id| ListChats { id, after: None, limit: None });
    assert_eq!(timeout(PATIENCE, asked).await.unwrap(), Err(Error::Timeout));
}

#[tokio::test]
async fn invalid_options_are_refused_before_anything_happens() {
    for options in [
        Options::new("chat.example"),
        Options::new("http://127.0.0.1:9").transports(false, false),
        Options::new("http://127.0.0.1:9").buffer(0),
    ] {
        assert!(matches!(Client::connect(options), Err(Error::InvalidOption(_))));
    }
}

#[test]
fn without_a_runtime_it_says_so() {
    assert!(matches!(Client::connect(Options::new("http://127.0.0.1:9")), Err(Error::NoRuntime)));
}

#[test]
fn a_runtime_that_ends_takes_the_client_with_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (client, sending) = runtime.block_on(async {
        let client = connect(Options::new("http://127.0.0.1:9").guest("ada", "Ada"));
        let sending = client.channel::<u32>("numbers").unwrap().send(&1);
        (client, sending)
    });
    drop(runtime);
    assert!(matches!(client.state(), ConnectionState::Closed { .. }));
    let told = sending.now_or_never().expect("a send outlives the runtime");
    assert!(matches!(told, Err(Error::Closed { .. })));
}

#[test]
fn a_client_can_be_used_from_several_threads() {
    fn assert<T: Send + Sync>() {}
    assert::<Client>();
    assert::<everwire_client::Channel<std::cell::Cell<u32>>>();
    assert::<everwire_client::Subscription<std::rc::Rc<u32>>>();
    assert::<everwire_client::Sending>();
}

/// An intermediary that never stops answering.
#[tokio::test]
async fn a_response_without_end_is_given_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sending = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        // Until the other side closes.
        let part = vec![b' '; 1 << 20];
        while socket.write_all(&part).await.is_ok() {}
    });
    let client = connect(Options::new(url).guest("ada", "Ada").transports(false, true));
    let reason = next(&mut client.states(), |state| match state {
        ConnectionState::Waiting { reason, .. } => Some(reason),
        _ => None,
    })
    .await;
    assert!(reason.contains("is longer than"), "{reason}");
    sending.await.unwrap();
}
