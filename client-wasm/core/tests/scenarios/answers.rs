//! An answer to an earlier `subscribe` decides nothing. If the answer to the last one does not come, it is asked for again.

use everwire_client_core::{Config, Input, SocketId};
use everwire_protocol::{ClientFrame, GapReason, Ping};

use crate::harness::{
    Harness, config, message, polled, subscribed, subscribed_with_gap, wants_request, welcome,
};

/// The positions from which `subscribe` asked by WebSocket since the last look.
fn asked(harness: &mut Harness) -> Vec<Option<u64>> {
    let subscribes = harness.sent().into_iter().filter_map(|frame| match frame {
        ClientFrame::Subscribe(s) => Some(s.offset),
        _ => None,
    });
    subscribes.collect()
}

/// Asked twice on a WebSocket, from the beginning and then from offset 9, which polling had brought. The log is trimmed
/// while the server still reads for the first answer, so a second one to the same question has come.
fn answered_earlier() -> (Harness, SocketId) {
    let mut harness = Harness::new(config());
    harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.pass_until(2_500, wants_request);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 9, 9)]);
    harness.sent();
    harness.says(socket, &[welcome(10), subscribed_with_gap("news", "a", 5, 1, GapReason::Trimmed)]);
    assert_eq!(asked(&mut harness), [Some(9)]);
    harness.says(socket, &[subscribed_with_gap("news", "a", 7, 6, GapReason::Trimmed), message("news", 10)]);
    assert_eq!((asked(&mut harness), &harness.delivered[..]), (vec![], &[][..]));
    (harness, socket)
}

#[test]
fn by_websocket_the_answer_to_the_last_question_is_waited_for_for_ten_seconds() {
    let (mut harness, socket) = answered_earlier();
    harness.pass(9_900);
    harness.says(socket, &[Ping::default().into()]);
    assert_eq!(asked(&mut harness), []);
    harness.pass(100);
    assert_eq!(asked(&mut harness), [Some(9)]);
    // It comes in time.
    let (mut harness, socket) = answered_earlier();
    harness.pass(9_900);
    harness.says(socket, &[subscribed("news", "a", 9, 9), message("news", 10)]);
    assert_eq!(harness.delivered, [("news".to_owned(), 10)]);
    harness.pass(20_000);
    assert_eq!(asked(&mut harness), []);
}

#[test]
fn by_polling_the_next_poll_asks_again_anyway() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), subscribed("news", "a", 9, 9)]);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(2), subscribed_with_gap("news", "a", 15, 12, GapReason::Trimmed)]);
    harness.pass_until(20, wants_request);
    let (_, frames, _) = harness.wants_request();
    assert!(matches!(&frames[2..], [ClientFrame::Subscribe(s)] if s.offset == Some(9)), "{frames:?}");
}
