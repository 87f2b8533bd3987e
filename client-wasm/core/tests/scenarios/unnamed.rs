//! Refusals on a WebSocket that name no frame: the messages in flight go one by one, so that a bad one fails alone (promise 22).

use everwire_client_core::{Input, Output, SocketId};
use everwire_protocol::{ClientFrame, CloseCode, ErrorCode};

use crate::harness::{Harness, Progress, ack, error, id, ids, wants_request};

/// What the server, or something between, does with what it refuses.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    Error(ErrorCode),
    Close(u16),
}

const REFUSALS: [Refusal; 4] = [
    Refusal::Error(ErrorCode::InvalidBatch),
    Refusal::Error(ErrorCode::TooLarge),
    Refusal::Close(1009),
    Refusal::Close(CloseCode::TooLarge.as_u16()),
];

/// What was sent is refused. Returns the next connection.
fn refuses(harness: &mut Harness, socket: SocketId, refusal: Refusal) -> SocketId {
    harness.sendings();
    match refusal {
        Refusal::Error(code) => {
            harness.says(socket, &[error(code, None, None)]);
            assert!(harness.outputs.contains(&Output::CloseWebSocket { socket, code: 4013 }), "{refusal:?}");
        }
        Refusal::Close(code) => harness.closes(socket, code),
    }
    let wants_socket = |output: &Output| matches!(output, Output::OpenWebSocket(_));
    harness.pass_until(60_000, wants_socket);
    assert!(!harness.outputs.iter().any(wants_request), "one message says nothing against WebSocket");
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    socket
}

#[test]
fn promise_22_messages_go_one_by_one_after_a_refusal_without_a_name_and_the_bad_one_fails_alone() {
    for refusal in REFUSALS {
        let (mut harness, socket, _) = Harness::connected(&["news"]);
        for n in 1..=4 {
            harness.send(n, "news");
        }
        assert_eq!(harness.sent_ids(), [1, 2, 3, 4]);
        // Everything with 2 in it is refused.
        let socket = refuses(&mut harness, socket, refusal);
        assert_eq!(harness.sent_ids(), [1], "{refusal:?}");
        harness.says(socket, &[ack(1, 1)]);
        assert_eq!(harness.sent_ids(), [2]);
        harness.send(5, "news");
        assert_eq!(harness.sent_ids(), [], "it waits for its turn");
        let from = harness.now.mono;
        let socket = refuses(&mut harness, socket, refusal);
        assert!(harness.sendings().contains(&(2, Progress::Failed)), "{refusal:?}");
        assert_eq!(harness.sent_ids(), [3]);
        assert!(harness.now.mono - from <= 1_001, "{refusal:?}");
        harness.says(socket, &[ack(3, 2)]);
        assert_eq!(harness.sent_ids(), [4]);
        harness.says(socket, &[ack(4, 3)]);
        assert_eq!(harness.sent_ids(), [5]);
        harness.send(6, "news");
        assert_eq!(harness.sent_ids(), [6], "those that were not suspected go as always");
    }
}

/// The ids of the sends, and how many requests there are beside them.
fn sends_and_requests(harness: &mut Harness) -> (Vec<u128>, usize) {
    let sent = harness.sent();
    (ids(&sent), sent.iter().filter(|frame| matches!(frame, ClientFrame::History(_))).count())
}

#[test]
fn promise_22_a_request_is_not_sent_beside_the_only_message_in_flight() {
    let request = format!(r#"{{"type":"history","id":"{}","channel":"news"}}"#, id(9));
    for refusal in REFUSALS {
        let (mut harness, socket, _) = Harness::connected(&["news"]);
        harness.send(1, "news");
        harness.send(2, "news");
        harness.core.request(harness.now, id(9), request.clone(), 30_000).unwrap();
        harness.tell(Input::Timeout);
        assert_eq!(sends_and_requests(&mut harness), (vec![1, 2], 1));
        let socket = refuses(&mut harness, socket, refusal);
        // If the request was the bad one, no message may fail in its place.
        assert_eq!(sends_and_requests(&mut harness), (vec![1], 0), "{refusal:?}");
        harness.says(socket, &[ack(1, 1)]);
        assert_eq!(sends_and_requests(&mut harness), (vec![2], 0));
        harness.says(socket, &[ack(2, 2)]);
        assert_eq!(sends_and_requests(&mut harness), (vec![], 1));
    }
}

#[test]
fn promise_22_what_is_about_something_else_accuses_nobody() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    for n in 1..=3 {
        harness.send(n, "news");
    }
    harness.sent();
    // Nor is anything sent again because of an error that only informs.
    harness.says(
        socket,
        &[error(ErrorCode::RateLimited, None, None), error(ErrorCode::InvalidFrame, None, None)],
    );
    assert_eq!(harness.sent_ids(), []);
    let socket = refuses(&mut harness, socket, Refusal::Close(1001));
    assert_eq!(harness.sent_ids(), [1, 2, 3]);
    harness.says(socket, &[ack(1, 1), ack(2, 2), ack(3, 3)]);
    // Nothing is in flight: it was none of the messages, and something between may end WebSockets.
    harness.closes(socket, 1009);
    harness.pass_until(1_001, wants_request);
    let (_, frames, _) = harness.wants_request();
    assert!(matches!(&frames[..], [ClientFrame::Hello(_), ClientFrame::Poll(_), ..]));
}
