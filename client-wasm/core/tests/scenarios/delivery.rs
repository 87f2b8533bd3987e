//! Promises 1 to 6: exactly once, in order, or a gap; and what the outbox keeps.

use everwire_client_core::{Confirmation, Gap, Heard, Input, OutgoingMessage, Output, Restored, Source};
use everwire_protocol::{Ack, ClientFrame, ErrorCode, GapReason, ServerFrame, Unsubscribed};

use crate::harness::{
    Harness, Progress, ack, channel, config, error, id, message, subscribed, subscribed_with_gap, welcome,
};

fn refused(name: &str, code: ErrorCode, retry_after_ms: Option<u32>) -> ServerFrame {
    let message = Some(code.message().into());
    Unsubscribed { channel: channel(name), code: Some(code.into()), message, retry_after_ms }.into()
}

fn offsets(harness: &Harness) -> Vec<u64> {
    harness.delivered.iter().map(|(_, offset)| *offset).collect()
}

/// Loses the connection and brings it back; returns the new socket, welcomed.
fn reconnect(harness: &mut Harness, old: everwire_client_core::SocketId) -> everwire_client_core::SocketId {
    harness.closes(old, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    socket
}

fn asked(harness: &mut Harness) -> Vec<(Option<String>, Option<u64>)> {
    let subscribes = harness.sent().into_iter().filter_map(|frame| match frame {
        ClientFrame::Subscribe(s) => Some((s.epoch, s.offset)),
        _ => None,
    });
    subscribes.collect()
}

#[test]
fn promise_1_each_entry_once_and_in_order_across_a_drop() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.says(socket, &[message("news", 1), message("news", 2)]);
    harness.says(socket, &[message("news", 2)]);
    let socket = reconnect(&mut harness, socket);
    assert_eq!(asked(&mut harness), [(Some("a".into()), Some(2))]);
    // The server is generous: it repeats what it should not.
    harness.says(
        socket,
        &[subscribed("news", "a", 2, 4), message("news", 2), message("news", 3), message("news", 4)],
    );
    assert_eq!(offsets(&harness), [1, 2, 3, 4]);
}

#[test]
fn promise_1_what_an_old_socket_still_brings_does_not_count() {
    let (mut harness, old, _) = Harness::connected(&["news"]);
    let socket = reconnect(&mut harness, old);
    harness.says(old, &[message("news", 1)]);
    assert!(offsets(&harness).is_empty());
    harness.says(socket, &[subscribed("news", "a", 0, 1), message("news", 1)]);
    assert_eq!(offsets(&harness), [1]);
}

#[test]
fn promise_2_a_hole_is_never_passed_over() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.says(socket, &[message("news", 1), message("news", 3), message("news", 4)]);
    assert_eq!(offsets(&harness), [1], "what comes after a hole waits");
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    assert_eq!(asked(&mut harness), [(Some("a".into()), Some(1))]);
    harness
        .says(socket, &[welcome(2), subscribed("news", "a", 1, 4), message("news", 2), message("news", 3)]);
    assert_eq!(offsets(&harness), [1, 2, 3]);
}

/// Otherwise it would come again with every connection, and end each.
#[test]
fn promise_1_the_position_moves_past_an_entry_that_cannot_be_read() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    let unreadable = |offset: &str| {
        format!(
            r#"[{{"type":"message","channel":"news","offset":{offset},"id":7,"user":"bob","at":1,"data":1}}]"#
        )
    };
    harness.says(socket, &[message("news", 1)]);
    harness.hears(Source::WebSocket(socket), &unreadable("2"));
    harness.hears(Source::WebSocket(socket), &unreadable("2"));
    harness.says(socket, &[message("news", 3)]);
    assert_eq!(harness.delivered, [("news".to_owned(), 1), ("news".to_owned(), 3)]);
    assert_eq!(harness.heard[1..], [Heard::Unreadable(handles[0], 2)], "once");
    assert!(!harness.outputs.iter().any(|output| matches!(output, Output::CloseWebSocket { .. })));
    // One of a channel that was left is dropped.
    harness.hears(Source::WebSocket(socket), &unreadable("7").replace("news", "old"));
    assert!(!harness.outputs.iter().any(|output| matches!(output, Output::CloseWebSocket { .. })));
    // What cannot be placed, and a hole, end the connection.
    for offset in ["-1", "5"] {
        let (mut harness, socket, _) = Harness::connected(&["news"]);
        harness.hears(Source::WebSocket(socket), &unreadable(offset));
        assert!(harness.outputs.contains(&Output::CloseWebSocket { socket, code: 4013 }), "{offset}");
    }
}

#[test]
fn promise_2_a_gap_is_reported_before_anything_else_comes() {
    for (epoch, reason) in [("a", GapReason::Trimmed), ("a", GapReason::TooFar), ("b", GapReason::Epoch)] {
        let (mut harness, socket, handles) = Harness::connected(&["news"]);
        harness.says(socket, &[message("news", 1)]);
        let socket = reconnect(&mut harness, socket);
        harness.outputs.clear();
        harness.says(socket, &[subscribed_with_gap("news", epoch, 50, 2, reason), message("news", 51)]);
        let gap = Some(Gap { from: 2, to: 50, reason });
        let confirmed = Heard::Subscribed(handles[0], Confirmation { offset: 50, gap });
        assert_eq!(harness.heard.last(), Some(&confirmed));
        assert_eq!(offsets(&harness), [1, 51]);
        // Epoch and offset moved together: the next reconnect asks from there.
        reconnect(&mut harness, socket);
        assert_eq!(asked(&mut harness), [(Some(epoch.into()), Some(51))]);
    }
}

#[test]
fn promise_3_recovery_with_nothing_received_after_an_hour_and_twice_in_a_row() {
    let (mut harness, mut socket, _) = Harness::connected(&["news"]);
    for _ in 0..2 {
        for _ in 0..144 {
            harness.pass(25_000);
            harness.says(socket, &[everwire_protocol::Ping::default().into()]);
        }
        harness.sent();
        socket = reconnect(&mut harness, socket);
        assert_eq!(
            asked(&mut harness),
            [(Some("a".into()), Some(0))],
            "a position with zero entries is a position"
        );
    }
    harness.says(socket, &[subscribed("news", "a", 0, 1), message("news", 1)]);
    assert_eq!(offsets(&harness), [1]);
}

#[test]
fn promise_3_a_reconnect_that_fails_before_subscribed_keeps_the_position() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.says(socket, &[message("news", 1)]);
    let socket = reconnect(&mut harness, socket);
    harness.sent();
    // Welcomed, but dead before `subscribed`: entries without it do not count.
    harness.says(socket, &[message("news", 2)]);
    reconnect(&mut harness, socket);
    assert_eq!(asked(&mut harness), [(Some("a".into()), Some(1))]);
    assert_eq!(offsets(&harness), [1]);
}

#[test]
fn promise_3_nothing_is_delivered_after_unsubscribe() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    harness.core.unsubscribe(harness.now, handles[0]);
    harness.tell(Input::Timeout);
    assert!(matches!(harness.sent()[..], [ClientFrame::Unsubscribe(_)]));
    harness.says(socket, &[message("news", 1)]);
    // Entered again before the server has confirmed: what still comes belongs to the first time.
    let again = harness.subscribe("news");
    assert_ne!(again, handles[0]);
    harness.says(socket, &[message("news", 2), subscribed("news", "a", 0, 2)]);
    assert!(offsets(&harness).is_empty());
    let left = Unsubscribed { channel: channel("news"), code: None, message: None, retry_after_ms: None };
    harness.says(socket, &[left.into(), subscribed("news", "a", 2, 2), message("news", 3)]);
    assert_eq!(offsets(&harness), [3]);
}

#[test]
fn a_refused_subscription_leaves_the_others_alone() {
    let (mut harness, socket, handles) = Harness::connected(&["news", "sport"]);
    harness.says(socket, &[refused("news", ErrorCode::Forbidden, None), message("sport", 1)]);
    assert_eq!(harness.heard.last(), Some(&Heard::Ended(handles[0], ErrorCode::Forbidden.into())));
    assert_eq!(harness.delivered, [("sport".to_owned(), 1)]);
}

#[test]
fn a_subscription_that_is_refused_temporarily_is_requested_again_when_the_server_says() {
    let (mut harness, socket, _) = Harness::connected(&["news", "sport"]);
    harness.says(socket, &[message("news", 1)]);
    harness.sent();
    harness.says(socket, &[refused("news", ErrorCode::Unavailable, Some(1_500)), message("news", 2)]);
    assert_eq!(harness.heard.last(), Some(&Heard::Error(ErrorCode::Unavailable.into())));
    harness.pass(1_499);
    assert_eq!(asked(&mut harness), []);
    harness.pass(1);
    assert_eq!(asked(&mut harness), [(Some("a".into()), Some(1))]);
    harness.says(socket, &[subscribed("news", "a", 1, 2), message("news", 2)]);
    assert_eq!(offsets(&harness), [1, 2]);
}

#[test]
fn an_error_about_a_channel_informs_and_ends_nothing() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    for code in [ErrorCode::Forbidden, ErrorCode::Unavailable] {
        let information = everwire_protocol::Error {
            code: code.into(),
            message: "no".into(),
            retry: code.retry(),
            id: None,
            ids: Vec::new(),
            re: None,
            channel: Some(channel("news")),
            versions: None,
            retry_after_ms: None,
        };
        harness.says(socket, &[information.into()]);
        assert_eq!(harness.heard.last(), Some(&Heard::Error(code.into())));
    }
    harness.says(socket, &[message("news", 1)]);
    assert_eq!(offsets(&harness), [1]);
}

#[test]
fn a_refusal_from_before_the_channel_was_left_is_not_about_the_subscription_after() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    harness.core.unsubscribe(harness.now, handles[0]);
    harness.subscribe("news");
    harness.heard.clear();
    let left = Unsubscribed { channel: channel("news"), code: None, message: None, retry_after_ms: None };
    harness.says(socket, &[refused("news", ErrorCode::Forbidden, None), left.into()]);
    assert_eq!(harness.heard, []);
    harness.says(socket, &[subscribed("news", "a", 0, 0), message("news", 1)]);
    assert_eq!(offsets(&harness), [1]);
}

#[test]
fn promise_4_a_send_is_stored_or_fails_with_a_typed_error() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.send(1, "news");
    harness.send(2, "news");
    assert_eq!(harness.sent_ids(), [1, 2]);
    harness.heard.clear();
    harness.says(socket, &[ack(1, 1), error(ErrorCode::Forbidden, Some(2), Some(500))]);
    let stored = Ack { id: id(1), channel: channel("news"), offset: 1, at: 7 };
    let failed = Heard::Failed(id(2), ErrorCode::Forbidden.into(), Some(500));
    assert_eq!(harness.heard, [Heard::Stored(stored), failed]);
}

#[test]
fn promise_4_what_is_sent_while_offline_goes_out_later_in_order_with_the_same_ids() {
    let mut harness = Harness::new(config());
    harness.send(1, "news");
    harness.send(2, "news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.send(3, "news");
    assert_eq!(harness.sent_ids(), [], "not before the welcome");
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [1, 2, 3]);
    harness.says(socket, &[ack(1, 1)]);
    let socket = reconnect(&mut harness, socket);
    assert_eq!(harness.sent_ids(), [2, 3], "what has no ack goes again");
    harness.says(socket, &[ack(2, 2), ack(3, 3)]);
    assert_eq!(harness.sendings().last(), Some(&(3, Progress::Stored)));
}

#[test]
fn promise_4_no_stale_frame_is_left_from_a_reconnect_that_failed() {
    let mut harness = Harness::new(config());
    harness.send(1, "news");
    harness.tell(Input::Start);
    for _ in 0..3 {
        harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
        let socket = harness.opens_websocket();
        harness.closes(socket, 4015);
    }
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    harness.sent();
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    let sent = harness.sent();
    let hellos = sent.iter().filter(|f| matches!(f, ClientFrame::Hello(_))).count();
    assert_eq!((hellos, crate::harness::ids(&sent)), (1, vec![1]));
}

#[test]
fn promise_4_no_ack_in_ten_seconds_is_a_probe_and_not_a_second_copy() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.send(1, "news");
    harness.sent();
    harness.pass(9_900);
    assert_eq!(harness.sent(), []);
    harness.pass(200);
    assert!(matches!(harness.sent()[..], [ClientFrame::Ping(_)]));
    harness.says(socket, &[everwire_protocol::Pong::default().into()]);
    harness.pass(5_000);
    assert_eq!(harness.sent(), [], "the connection lives, so the message is not sent twice");
    harness.says(socket, &[ack(1, 1)]);
    assert_eq!(harness.sendings().last(), Some(&(1, Progress::Stored)));
}

#[test]
fn promise_4_a_server_that_never_acknowledges_is_left() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.send(1, "news");
    for _ in 0..31 {
        harness.pass(1_000);
        harness.says(socket, &[everwire_protocol::Pong::default().into()]);
    }
    harness.pass_until(1_500, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.sent();
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [1]);
}

#[test]
fn rate_limited_sends_wait_as_told_and_keep_their_order() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    for n in 1..=4 {
        harness.send(n, "news");
    }
    harness.sent();
    harness.says(
        socket,
        &[
            ack(1, 1),
            error(ErrorCode::RateLimited, Some(2), Some(3_000)),
            error(ErrorCode::Deferred, Some(3), None),
            error(ErrorCode::Deferred, Some(4), None),
        ],
    );
    harness.send(5, "news");
    harness.pass(2_900);
    assert_eq!(harness.sent_ids(), [], "not before the time");
    harness.pass(200);
    assert_eq!(harness.sent_ids(), [2, 3, 4, 5]);
}

#[test]
fn promise_5_what_was_written_before_a_reload_goes_first_with_the_same_ids() {
    let mut harness = Harness::new(config());
    harness.send(10, "news");
    let data = || everwire_protocol::Payload::from_value("x").unwrap();
    let old = |n| OutgoingMessage {
        id: id(n),
        event: None,
        data: data(),
        about: None,
        restored: Some(Restored::default()),
    };
    for n in [1, 2] {
        harness.core.send_message(harness.now, "news", old(n)).unwrap();
    }
    harness.send(11, "news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    assert_eq!(harness.sent_ids(), [1, 2, 10, 11]);
    // Restored late: what has left already is not overtaken.
    harness.core.send_message(harness.now, "news", old(3)).unwrap();
    let socket = reconnect(&mut harness, socket);
    harness.says(socket, &[]);
    assert_eq!(harness.sent_ids(), [3, 1, 2, 10, 11, 3]);
}

#[test]
fn closing_ends_everything_that_waits_with_closed() {
    let (mut harness, _, _) = Harness::connected(&[]);
    harness.send(1, "news");
    harness.tell(Input::Close);
    assert_eq!(harness.sendings().last(), Some(&(1, Progress::Failed)));
    let data = everwire_protocol::Payload::from_value("x").unwrap();
    assert_eq!(harness.core.send(harness.now, id(2), "news", None, data), Err(ErrorCode::Closed));
    assert_eq!(harness.core.subscribe(harness.now, "news", None, None), Err(ErrorCode::Closed));
}

#[test]
fn what_can_never_be_sent_is_refused_at_once() {
    let (mut harness, _, _) = Harness::connected(&[]);
    let big = everwire_protocol::Payload::from_value(&"x".repeat(40_000)).unwrap();
    let small = || everwire_protocol::Payload::from_value("x").unwrap();
    let core = &mut harness.core;
    assert_eq!(core.send(harness.now, id(1), "news", None, big), Err(ErrorCode::TooLarge));
    assert_eq!(core.send(harness.now, id(2), "two words", None, small()), Err(ErrorCode::InvalidChannel));
    assert_eq!(
        core.send(harness.now, id(3), "news", Some(String::new()), small()),
        Err(ErrorCode::InvalidOption)
    );
    core.send(harness.now, id(4), "news", None, small()).unwrap();
    assert_eq!(core.send(harness.now, id(4), "news", None, small()), Err(ErrorCode::IdReused));
}

#[test]
fn promise_4_the_application_is_told_when_a_message_is_queued_sent_and_queued_again() {
    let (mut harness, socket, _) = Harness::connected(&[]);
    harness.send(1, "news");
    assert_eq!(harness.sendings(), [(1, Progress::Queued), (1, Progress::Sent)]);
    harness.closes(socket, 1006);
    assert_eq!(harness.sendings(), [(1, Progress::Queued)]);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.says(socket, &[error(ErrorCode::RateLimited, Some(1), Some(100))]);
    assert_eq!(harness.heard, [Heard::Error(ErrorCode::RateLimited.into())]);
    harness.pass(200);
    harness.heard.clear();
    harness.says(socket, &[error(ErrorCode::Deferred, Some(1), Some(100))]);
    assert_eq!(harness.heard, [], "it is said of the one that it waits behind");
}

#[test]
fn where_a_subscription_continues_is_where_the_client_is_and_not_where_the_answer_begins() {
    let (mut harness, socket, handles) = Harness::connected(&["news"]);
    harness.says(socket, &[message("news", 1), message("news", 2)]);
    harness.heard.clear();
    harness.says(socket, &[subscribed("news", "a", 1, 2)]);
    let confirmation = Confirmation { offset: 2, gap: None };
    assert_eq!(harness.heard, [Heard::Subscribed(handles[0], confirmation)]);
}

#[test]
fn only_a_first_subscription_begins_after_what_was_delivered_elsewhere() {
    let mut harness = Harness::new(config());
    harness.core.subscribe_from(harness.now, "private-user.ann", Some(5), None, true).unwrap();
    harness.core.subscribe_from(harness.now, "news", Some(5), None, false).unwrap();
    harness.tell(Input::Start);
    let asked = |harness: &mut Harness| -> Vec<_> {
        let subscribes = harness.sent().into_iter().filter_map(|frame| match frame {
            ClientFrame::Subscribe(s) => Some((s.undelivered, s.recent, s.offset)),
            _ => None,
        });
        subscribes.collect()
    };
    let socket = harness.opens_websocket();
    assert_eq!(asked(&mut harness), [(Some(true), Some(5), None), (None, Some(5), None)]);
    harness.welcome_websocket(socket);
    harness.says(socket, &[subscribed("private-user.ann", "a", 3, 3), subscribed("news", "a", 3, 3)]);
    reconnect_asking(&mut harness, socket);
    assert_eq!(asked(&mut harness), [(None, None, Some(3)), (None, None, Some(3))]);
}

fn reconnect_asking(harness: &mut Harness, old: everwire_client_core::SocketId) {
    harness.closes(old, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    harness.opens_websocket();
}
