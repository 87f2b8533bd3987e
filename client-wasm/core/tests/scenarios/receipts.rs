//! Promise 15: receipts are high-water marks, collected for a second, and repeated until the server has them.

use everwire_client_core::{Config, Handle, Input, Output};
use everwire_protocol::{ClientFrame, OwnMark, Receipt, ServerFrame, Subscribed};

use crate::harness::{Harness, ack, channel, config, message, polled, subscribed, welcome};

/// The marks that were sent since the last look: delivered and read.
fn sent_marks(harness: &mut Harness) -> Vec<(u64, u64)> {
    let receipts = harness.sent().into_iter().filter_map(|frame| match frame {
        ClientFrame::Mark(r) => Some((r.delivered, r.read)),
        _ => None,
    });
    receipts.collect()
}

/// The answer to `subscribe` of a channel for which the server keeps marks.
fn kept(epoch: &str, offset: u64, head: u64, delivered: u64, read: u64) -> ServerFrame {
    let ServerFrame::Subscribed(frame) = subscribed("news", epoch, offset, head) else { unreachable!() };
    Subscribed { own_mark: Some(OwnMark { delivered, read }), ..frame }.into()
}

fn receipted(delivered: u64, read: u64) -> ServerFrame {
    Receipt { channel: channel("news"), user: "ann".into(), delivered, read, unread: None }.into()
}

/// Connected, with marks kept for the channel and nothing in it.
fn marking() -> (Harness, everwire_client_core::SocketId, Handle) {
    let mut harness = Harness::new(config());
    let handle = harness.subscribe("news");
    harness.tell(Input::Start);
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.says(socket, &[kept("a", 0, 0, 0, 0)]);
    harness.outputs.clear();
    (harness, socket, handle)
}

#[test]
fn promise_15_what_is_delivered_is_marked_once_a_second_by_the_highest_offset() {
    let (mut harness, socket, handle) = marking();
    for offset in 1..=20 {
        harness.says(socket, &[message("news", offset)]);
        harness.pass(40);
    }
    assert!(sent_marks(&mut harness).is_empty());
    harness.pass(300);
    assert_eq!(sent_marks(&mut harness), [(20, 0)]);
    harness.core.mark(harness.now, handle, 0, 15);
    harness.core.mark(harness.now, handle, 0, 12);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(20, 15)]);
    harness.pass(60_000);
    assert!(sent_marks(&mut harness).is_empty());
}

#[test]
fn a_channel_without_marks_gets_none() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.says(socket, &[message("news", 1)]);
    harness.pass(5_000);
    assert!(sent_marks(&mut harness).is_empty());
}

#[test]
fn marks_are_said_again_after_a_reconnect_until_the_server_has_them() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1), message("news", 2)]);
    harness.core.mark(harness.now, handle, 0, 2);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(2, 2)]);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    // They were lost on the way: the server's own are lower.
    harness.says(socket, &[kept("a", 2, 2, 1, 0)]);
    harness.pass(1_200);
    assert_eq!(sent_marks(&mut harness), [(2, 2)]);
    harness.says(socket, &[receipted(2, 2)]);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.says(socket, &[kept("a", 2, 2, 2, 2)]);
    harness.pass(5_000);
    assert!(sent_marks(&mut harness).is_empty(), "now it has them");
}

#[test]
fn marks_that_a_server_told_and_lost_are_said_again() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1), message("news", 2)]);
    harness.core.mark(harness.now, handle, 0, 2);
    harness.pass(1_100);
    harness.says(socket, &[receipted(2, 2)]);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.outputs.clear();
    // It crashed before they were on its disk.
    harness.says(socket, &[kept("a", 2, 2, 2, 1)]);
    harness.pass(1_200);
    assert_eq!(sent_marks(&mut harness), [(2, 2)]);
}

#[test]
fn what_another_device_has_read_is_not_said_here() {
    let (mut harness, socket, _) = marking();
    harness.says(socket, &[message("news", 1), receipted(1, 1)]);
    harness.pass(5_000);
    assert!(sent_marks(&mut harness).is_empty());
}

#[test]
fn a_new_log_begins_with_new_marks() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1), message("news", 2), message("news", 3)]);
    harness.core.mark(harness.now, handle, 0, 3);
    harness.pass(1_100);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.outputs.clear();
    harness.says(socket, &[kept("b", 0, 0, 0, 0), message("news", 1)]);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(1, 0)], "what was read was another log's");
}

#[test]
fn marks_that_were_collected_go_before_the_page_does() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1)]);
    harness.core.mark(harness.now, handle, 0, 1);
    harness.tell(Input::PageHide);
    assert_eq!(sent_marks(&mut harness), [(1, 1)]);
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1)]);
    harness.core.mark(harness.now, handle, 0, 1);
    harness.tell(Input::Close);
    let sent = harness.sent();
    assert!(matches!(&sent[..], [ClientFrame::Mark(_), ClientFrame::Bye(_)]), "{sent:?}");
}

#[test]
fn by_polling_marks_wait_for_the_running_post_however_long_it_takes_and_name_their_log() {
    let mut harness = Harness::new(Config { websocket: false, ..config() });
    harness.subscribe("news");
    harness.tell(Input::Start);
    let (request, ..) = harness.wants_request();
    harness.responds(request, &[polled(1), welcome(9), kept("a", 0, 0, 0, 0)]);
    let (held, ..) = harness.wants_request();
    harness.send(1, "news");
    let (post, ..) = harness.wants_request();
    harness.responds(held, &[polled(2), message("news", 1), message("news", 2)]);
    let _held = harness.wants_request();
    harness.pass(9_000);
    assert!(sent_marks(&mut harness).is_empty(), "one POST at a time");
    harness.responds(post, &[ack(1, 3)]);
    let (_, frames, _) = harness.wants_request();
    let [ClientFrame::Hello(_), ClientFrame::Mark(receipt)] = &frames[..] else { panic!("{frames:?}") };
    assert_eq!((receipt.epoch.as_str(), receipt.delivered, receipt.read), ("a", 2, 0));
}

#[test]
fn marks_that_were_sent_and_lost_are_sent_again_though_the_server_confirms_nothing_new() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1)]);
    harness.core.mark(harness.now, handle, 0, 1);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(1, 1)]);
    harness.closes(socket, 1006);
    harness.pass_until(20_001, |o| matches!(o, Output::OpenWebSocket(_)));
    let socket = harness.opens_websocket();
    harness.welcome_websocket(socket);
    harness.sent();
    // The channel is not confirmed yet, and what was read is due again all the same.
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(1, 1)]);
}

#[test]
fn what_was_read_is_marked_though_more_was_delivered_before() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1), message("news", 2)]);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(2, 0)]);
    harness.core.mark(harness.now, handle, 0, 2);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(2, 2)]);
    harness.says(socket, &[message("news", 3)]);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(3, 2)]);
}

#[test]
fn what_is_read_here_is_marked_though_another_device_has_received_more() {
    let (mut harness, socket, handle) = marking();
    harness.says(socket, &[message("news", 1), receipted(9, 0), message("news", 2)]);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [], "the server has more");
    harness.core.mark(harness.now, handle, 0, 2);
    harness.pass(1_100);
    let sent = sent_marks(&mut harness);
    assert!(matches!(sent[..], [(_, 2)]), "{sent:?}");
}

#[test]
fn what_arrived_before_anybody_kept_marks_counts_as_delivered_once() {
    let (mut harness, socket, _) = Harness::connected(&["news"]);
    harness.says(socket, &[message("news", 1), message("news", 2)]);
    harness.pass(1_100);
    assert!(sent_marks(&mut harness).is_empty());
    harness.says(socket, &[receipted(0, 0)]);
    harness.pass(1_100);
    assert_eq!(sent_marks(&mut harness), [(2, 0)]);
    harness.says(socket, &[receipted(2, 0), receipted(2, 0)]);
    harness.pass(3_000);
    assert!(sent_marks(&mut harness).is_empty());
}
