//! A server that is killed again and again: nothing is lost, doubled or out of order, by either transport.

use std::{collections::BTreeSet, time::Duration};

use everwire_client::{Event, Options, Subscribe};
use futures_util::StreamExt;
use tokio::time::{sleep, timeout};

use crate::kit::{Process, connect};

const MESSAGES: u32 = 400;
const KILLS: u32 = 4;

/// As long as the backoff of several kills in a row may last.
const LONG: Duration = Duration::from_mins(2);

#[tokio::test]
async fn promise_1_every_message_arrives_once_and_in_order_though_the_server_is_killed() {
    let mut server = Process::start().await;
    let client = |user: &str, websocket| {
        connect(Options::new(server.url()).guest(user, user).transports(websocket, !websocket))
    };
    let writers = [("ada", client("ada", true)), ("bob", client("bob", false))];
    let readers = [client("cleo", true), client("dan", false)];
    let total = MESSAGES * writers.len() as u32;
    let mut reading = Vec::new();
    for reader in &readers {
        let channel = reader.channel::<(String, u32)>("log").unwrap();
        let mut events = channel.subscribe(Subscribe::live()).await.unwrap();
        reading.push(tokio::spawn(async move {
            let mut got = Vec::new();
            let mut epochs = BTreeSet::new();
            while got.len() < total as usize {
                match events.next().await.expect("the stream has ended") {
                    Event::Message(message) => got.push((message.offset, message.data.unwrap())),
                    Event::Subscribed(subscribed) => {
                        assert!(subscribed.recovered);
                        epochs.insert(subscribed.epoch);
                    }
                    event => panic!("{event:?}"),
                }
            }
            assert_eq!(epochs.len(), 1, "the log was replaced");
            got
        }));
    }
    let writing: Vec<_> = writers
        .iter()
        .map(|(user, writer)| {
            let channel = writer.channel::<(String, u32)>("log").unwrap();
            let user = (*user).to_owned();
            tokio::spawn(async move {
                let mut sends = Vec::new();
                for number in 0..MESSAGES {
                    sends.push(channel.send(&(user.clone(), number)));
                    sleep(Duration::from_millis(5)).await;
                }
                let mut offsets = Vec::new();
                for sending in sends {
                    offsets.push(sending.await.unwrap().offset);
                }
                offsets
            })
        })
        .collect();
    for _ in 0..KILLS {
        sleep(Duration::from_millis(400)).await;
        server.kill();
        sleep(Duration::from_millis(100)).await;
        server.restart().await;
    }
    let mut acked = BTreeSet::new();
    for offsets in writing {
        let offsets = timeout(LONG, offsets).await.expect("a message was never stored").unwrap();
        assert!(offsets.is_sorted(), "stored out of order");
        acked.extend(offsets);
    }
    assert_eq!(acked, (1..=u64::from(total)).collect(), "each message has an offset of its own");
    for got in reading {
        let got = timeout(LONG, got).await.expect("a message was never delivered").unwrap();
        assert!(got.iter().map(|(offset, _)| *offset).eq(1..=u64::from(total)), "not once, or not in order");
        for writer in got.iter().map(|(_, (writer, _))| writer.clone()).collect::<BTreeSet<_>>() {
            let numbers = got.iter().filter(|(_, (who, _))| *who == writer).map(|(_, (_, number))| *number);
            assert!(numbers.eq(0..MESSAGES), "{writer}");
        }
    }
}
