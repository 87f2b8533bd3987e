//! A wall clock that is wrong, and is corrected while the server runs. Tokens and times follow it at once; timers and the order
//! of messages do not depend on it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use everwire_protocol::{ClientFrame, ErrorCode, Ping, ServerFrame};
use everwire_server::environment::{WallClock, wall_ms};

use super::kit::{Client, Served, hello_with, key, new_id, send, serve, subscribe, token};

const DAY: i64 = 24 * 60 * 60 * 1000;
const YEAR: i64 = 365 * DAY;

/// A wall clock that is wrong by so many ms.
#[derive(Clone, Default)]
struct Clock(Arc<AtomicI64>);

impl Clock {
    fn set(&self, wrong_by: i64) {
        self.0.store(wrong_by, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        wall_ms().saturating_add_signed(self.0.load(Ordering::Relaxed))
    }
}

async fn serve_by(wrong_by: i64, dev: bool) -> (Served, Clock) {
    let clock = Clock::default();
    clock.set(wrong_by);
    let wall = clock.clone();
    let served = serve(move |config| {
        config.dev = dev;
        config.key = (!dev).then(key);
        config.wall = WallClock::new(move || wall.read());
    })
    .await;
    (served, clock)
}

/// The answer to this token: a welcome, or the code of the error.
async fn sign_in(served: &Served, token: &str) -> Result<Client, ErrorCode> {
    let mut client = Client::open(served.address()).await;
    client.say(&[hello_with(Some(token), new_id())]).await;
    match client.next().await {
        ServerFrame::Welcome(_) => Ok(client),
        ServerFrame::Error(error) => Err(error.code.listed().unwrap()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_was_started_a_day_behind_refuses_what_has_expired_once_it_knows_the_time() {
    let (served, clock) = serve_by(-DAY, false).await;
    let expired = token("a", 1, &[]);
    clock.set(-DAY);
    assert!(sign_in(&served, &expired).await.is_ok(), "it cannot know better");
    // An hour after the expiry, however long the server has run.
    clock.set(DAY / 24);
    assert_eq!(sign_in(&served, &expired).await.err(), Some(ErrorCode::TokenExpired));
    clock.set(0);
    assert!(sign_in(&served, &token("a", 60, &[])).await.is_ok());
    served.server.stop().await;
}

#[tokio::test]
async fn a_server_that_was_started_ahead_lets_users_in_once_it_knows_the_time() {
    let (served, clock) = serve_by(DAY, false).await;
    let valid = token("a", 3600, &[]);
    assert_eq!(sign_in(&served, &valid).await.err(), Some(ErrorCode::TokenExpired));
    clock.set(0);
    assert!(sign_in(&served, &valid).await.is_ok());
    served.server.stop().await;
}

#[tokio::test]
async fn an_open_connection_ends_when_the_corrected_clock_shows_that_its_token_has_expired() {
    let (served, clock) = serve_by(-DAY, false).await;
    let mut client = sign_in(&served, &token("a", 1, &[])).await.unwrap();
    clock.set(DAY);
    // Anything that happens on the connection lets it look at the clock again.
    client.say(&[ClientFrame::Ping(Ping { nonce: None })]).await;
    let (_, ended) = client.until_it_ends().await;
    assert_eq!(ended, super::kit::Ended::Code(4006));
    served.server.stop().await;
}

#[tokio::test]
async fn one_jump_of_the_clock_leaves_no_later_message_in_the_future_and_the_order_is_that_of_arrival() {
    let (served, clock) = serve_by(0, true).await;
    let mut client = Client::connect(served.address(), "a").await;
    client.join(subscribe("news")).await;
    let mut times = Vec::new();
    for (offset, wrong_by) in [(1, 0), (2, YEAR), (3, 0), (4, -DAY)] {
        clock.set(wrong_by);
        let ack = client.chat("news", "text").await;
        assert_eq!(ack.offset, offset);
        times.push(i64::try_from(ack.at).unwrap() - i64::try_from(clock.read()).unwrap());
    }
    assert!(times.iter().all(|wrong| wrong.abs() < DAY / 2), "{times:?}");
    clock.set(0);
    let mut reader = Client::connect(served.address(), "b").await;
    reader.join(super::kit::recent("news", 4)).await;
    for offset in 1..=4 {
        assert_eq!(reader.message().await.offset, offset);
    }
    served.server.stop().await;
}

#[tokio::test]
async fn a_cleanup_while_the_clock_is_a_year_ahead_forgets_no_ids_of_sends() {
    let clock = Clock::default();
    let wall = clock.clone();
    let served = serve(move |config| {
        config.retention = 2;
        config.wall = WallClock::new(move || wall.read());
    })
    .await;
    let mut client = Client::connect(served.address(), "a").await;
    let id = new_id();
    client.say(&[send(id, "news", "first")]).await;
    let first = client.ack().await;
    for n in 0..20 {
        client.chat("news", &n.to_string()).await;
    }
    served.server.node().cleanup(100).await.unwrap();
    clock.set(YEAR);
    served.server.node().cleanup(100).await.unwrap();
    clock.set(0);
    // The message is no longer in the log, and still known.
    client.say(&[send(id, "news", "first")]).await;
    assert_eq!(client.ack().await, first);
    served.server.stop().await;
}
